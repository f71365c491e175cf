"""The order of reading, a line about each notebook, and the one place where the project's public address is set."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

# The project on GitHub as "owner/name". Empty until it is known: badges for Colab and Binder, and links to the source,
# appear when it is set. After a change: python -m scratchnet.book --contents
REPOSITORY = ""

CHAPTERS = {
    "00_start_here": "in two minutes: a network trained, pictures generated, the map",
    "01_background": "recognition and generation on real pictures, before any theory; what is measured",
    "02_core_concepts": "neuron, network, CNN, GAN, large model: each in a few lines, each counted",
    "03_1a_convolution": "the formula mended, by hand, on a photograph; stride, padding, channels; the transpose",
    "03_1b_activation_pooling_dense": "what bends, what shrinks, what decides; normalization and dropout by formula",
    "03_1c_backpropagation": "every gradient derived, written as loops, checked; bugs planted and found",
    "03_1d_training": "the four steps as one loop; first weights, optimizers, rates; learning by heart and the cures",
    "04_1_image_recognition": "the article's CNN: trained, looked into, improved; its training loop by hand",
    "03_2_adversarial_networks": "two networks against each other in the plane; what fails, provoked and cured",
    "04_2_image_generation": "the article's second program, mended; a DCGAN that works, and its pictures",
    "05_trends_and_challenges": "accuracy against data and size, measured; where a network fails and why",
    "06_questions_and_answers": "the article's five questions, each answered by an experiment and a doubt",
    "07_conclusion_and_errata": "what was learnt; every fault of the article and where it is shown; the references",
    "08_the_references": "the networks of the references: each idea in a few lines, counted, trained, taken out again",
}
APPENDICES = {
    "A1_making_convolution_fast": "seven programs for one formula, from Python's loops to the speed of the machine",
    "A2_on_the_gpu": "the ladder in CUDA C, run thread by thread without a GPU: tiles, barriers, races, tensor cores",
    "A3_measuring_generation": "numbers that say how good generated pictures are, and what they miss",
}
PAGES = {"symbols": "Symbols", "glossary": "Glossary", "formulas": "Formulas"}


def folder() -> Path:
    """The folder of the notebooks, beside the package.

    Raises:
        FileNotFoundError: the package is installed without them.
    """
    place = Path(__file__).parents[2] / "notebooks"
    if not (place / "00_start_here.ipynb").exists():
        raise FileNotFoundError(f"no notebooks in {place}: run this in a clone of the repository")
    return place


def neighbours(name: str) -> tuple[str | None, str | None]:
    """The chapters before and after this one. The last leads back to the first; appendices have neither."""
    order = list(CHAPTERS)
    if name not in order:
        return None, None
    place = order.index(name)
    return (order[place - 1] if place else None), order[(place + 1) % len(order)]


def cells(path: Path) -> list[dict[str, Any]]:
    """The cells of a stored notebook, the source of each as one text."""
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


def markdown(path: Path) -> str:
    """All that is text in a notebook or a page."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    return "\n\n".join(cell["source"] for cell in cells(path) if cell["cell_type"] == "markdown")


def title(path: Path) -> str:
    """The first heading.

    Raises:
        ValueError: there is none.
    """
    heading = re.search(r"^# +(.+?) *$", without_code(markdown(path)), re.MULTILINE)
    if heading is None:
        raise ValueError(f"{path.name} has no heading: its first cell begins with `# Title · 标题`")
    return heading[1]


def without_code(text: str) -> str:
    """A text without its blocks and spans of code, in which nothing is a heading, a link or a picture."""
    text = re.sub(r"^( *)(```|~~~).*?^\1\2[^\n]*$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", text)
