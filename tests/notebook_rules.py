"""What every stored notebook must hold: each rule gives a line for each place that breaks it."""

import ast
import json
import re
from pathlib import Path

from scratchnet import check
from scratchnet.book.chapters import CHAPTERS, cells, markdown, neighbours, without_code
from scratchnet.book.links import dead_links, links
from scratchnet.book.pages import description

LARGEST = 1_500_000  # bytes
LONGEST = 100  # characters of a line of code; HTML cuts longer ones
# A folder of somebody's machine: /home/x/, /Users/x/, C:\Users\x, /tmp/x/, /root/, /work/
MACHINE_PATH = re.compile(r"(?<![\w.])(/(home|Users|tmp|root|work|var|mnt)/|[A-Z]:\\\\)")


def code_cells(path):
    return [cell for cell in cells(path) if cell["cell_type"] == "code"]


def tags(cell):
    return cell["metadata"].get("tags", [])


def start(cell):
    """The first line of a cell, to name it."""
    return repr(cell["source"].strip().partition("\n")[0][:70])


def is_checked(cell):
    return "nbval-check-output" in tags(cell)


def size(path):
    there = path.stat().st_size
    return [f"{there:,} bytes, at most {LARGEST:,}"] if there > LARGEST else []


def executed(path):
    """All cells were run in order, from the first; none ended in an error, none warned."""
    wrong = []
    for number, cell in enumerate(code_cells(path), start=1):
        if cell["execution_count"] != number:
            wrong.append(
                f"cell {number} ({start(cell)}) has execution count {cell['execution_count']}: run all in order"
            )
        for output in cell["outputs"]:
            if output["output_type"] == "error" and "raises-exception" not in tags(cell):
                wrong.append(f"cell {start(cell)} ends in {output['ename']}")
            if output.get("name") == "stderr" and "Warning" in json.dumps(output):
                wrong.append(f"cell {start(cell)} warns")
    return wrong


def paths(path):
    """Nothing names a folder of the machine that ran it."""
    found = []
    for cell in cells(path):
        outputs = re.sub(r'"(image/png|image/jpeg)": ("[^"]*"|\[[^\]]*\])', "", json.dumps(cell.get("outputs", [])))
        outputs = re.sub(r"base64,[A-Za-z0-9+/=\\n]+", "", outputs)
        for text in (outputs, cell["source"]):
            match = MACHINE_PATH.search(text)
            if match:
                found.append(
                    f"cell {start(cell)} names a path of a machine: {text[match.start() : match.start() + 30]}"
                )
    return found


def checked(path):
    """At least three cells are checked, and each of them printed something."""
    marked = [cell for cell in code_cells(path) if is_checked(cell)]
    wrong = [f"checked cell {start(cell)} prints nothing" for cell in marked if not cell["outputs"]]
    if len(marked) < 3:
        wrong.append(f"{len(marked)} cells tagged nbval-check-output, at least 3")
    return wrong + [
        f"cell {start(cell)} marks its check by a comment: use the tag nbval-check-output"
        for cell in code_cells(path)
        if "NBVAL_" in cell["source"]
    ]


def opening(path):
    """A title in English and Chinese, a table of symbols, and a first code cell with import and seed."""
    wrong = []
    heading = re.match(r"# .+", cells(path)[0]["source"])
    if not heading or not re.search("[\u4e00-\u9fff]", heading[0]):
        wrong.append("the first cell begins with `# Title · 标题`")
    first = next((cell["source"] for cell in code_cells(path)), "")
    if "import scratchnet as sn" not in first or "sn.set_random_seed(" not in first:
        wrong.append("the first code cell has `import scratchnet as sn` and `sn.set_random_seed(...)`")
    if not re.search(r"^\| *(symbols?|letters?)\b.*\|\n\|[-:| ]+\|\n\|", markdown(path), re.MULTILINE | re.IGNORECASE):
        wrong.append("a table of the symbols used: its first column is headed `symbol`")
    return wrong


def ending(path):
    """The last text leads to the next chapter; that of an appendix to any."""
    last = next((cell["source"] for cell in reversed(cells(path)) if cell["cell_type"] == "markdown"), "")
    found = {link.partition("#")[0] for link in links(last)}
    if path.stem in CHAPTERS:
        after = f"{neighbours(path.stem)[1]}.ipynb"
        return [] if after in found else [f"the last text has no link to the next chapter, {after}"]
    return [] if found & {f"{name}.ipynb" for name in CHAPTERS} else ["the last text has no link to a chapter"]


def lines(path):
    """No line of code is cut in HTML."""
    blocks = [cell["source"] for cell in code_cells(path)]
    blocks += re.findall(r"^```.*?\n(.*?)^```", markdown(path), re.MULTILINE | re.DOTALL)
    long = [line for block in blocks for line in block.splitlines() if len(line) > LONGEST]
    return [f"a line of {len(line)} characters, at most {LONGEST}: {line.strip()[:60]}" for line in long]


def described(path):
    """Every picture is described: by its alt text, or in a cell of text beside it."""
    text = without_code(markdown(path))
    wrong = [f"![]({target}) has no alt text" for target in re.findall(r"!\[\s*\]\(([^)]*)\)", text)]
    for tag in re.findall(r"<img\b[^>]*>", text):
        if not re.search(r"""\balt=["'][^"']""", tag):
            wrong.append(f"{tag[:60]} has no alt text")
    every = cells(path)
    for number, cell in enumerate(every):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "application/vnd.jupyter.widget-view+json" in data and "image/png" not in data:
                wrong.append(f"the widget of cell {start(cell)} is stored without a picture")
            if "image/png" not in data or output["metadata"].get("image/png", {}).get("alt"):
                continue
            if "application/vnd.jupyter.widget-view+json" in data:
                wrong.append(f"the stored picture of the widget of cell {start(cell)} has no alt text")
            elif not description(every, number):
                wrong.append(f"the picture of cell {start(cell)} is not described by text before or after it")
    return wrong


# What the meaning of a letter must name, wherever a table of symbols has it.
LETTERS = {
    "p": "probab",
    "z": "score|logit|noise|latent|random",
    "G": "generat",
    "D": "discriminator",
    "r": "densit",
    "g": "densit",
    "m": "Adam",
    "v": "Adam",
    "η": "learning rate",
    "L": "loss",
    "K": "class",
    "N": "picture|example|how many",
}


def letters(path):
    """A letter of the tables of symbols means what it means in the whole book."""
    wrong = []
    for table in re.findall(
        r"^\| *(?:symbol|letter)[^\n]*\n\|[-:| ]+\n((?:\|[^\n]*\n?)+)", markdown(path), re.MULTILINE
    ):
        for row in table.splitlines():
            names, *meaning = (cell.strip() for cell in row.strip("| ").split(" | "))
            for name in re.findall(r"(?<![\w*])[^\W\d_](?![\w*(])", re.sub(r"\(.*?\)|, as a label", "", names)):
                if name in LETTERS and not re.search(LETTERS[name], " ".join(meaning), re.IGNORECASE):
                    wrong.append(f"{name} means {LETTERS[name]} in this book, not: {' '.join(meaning)[:60]}")
    return wrong


def linked(path):
    return dead_links(path)


def solutions(path):
    """(code, [(checker, function), ...]) of each folded solution that has code.

    The checkers are those that the solution calls itself, or else those of the code cell before it.
    """
    found, before = [], []
    for cell in cells(path):
        calls = re.findall(r"\bsn\.check\.(\w+)\(\s*(\w+)", cell["source"])
        if cell["cell_type"] == "code":
            before = calls or before
            continue
        for details in re.findall(r"<details>(.*?)</details>", cell["source"], re.DOTALL):
            code = "\n".join(re.findall(r"^```python\n(.*?)^```", details, re.MULTILINE | re.DOTALL))
            own = re.findall(r"\bsn\.check\.(\w+)\(\s*(\w+)", code)
            defined = set(re.findall(r"^(?:def|class) (\w+)|^(\w+) = ", code, re.MULTILINE))
            defined = {name for pair in defined for name in pair}
            if code:
                found.append((code, own or [call for call in before if call[1] in defined]))
    return found


def definitions(path):
    """What the notebook imports and defines, without what it computes: what a solution may use."""
    names = {}
    for cell in code_cells(path):
        try:
            body = ast.parse(re.sub(r"^[%!].*$", "", cell["source"], flags=re.MULTILINE)).body
        except SyntaxError:
            continue
        kept = [n for n in body if isinstance(n, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)]
        exec(compile(ast.Module(kept, []), path.name, "exec"), names)
    return names


def run_solution(code, names, computed):
    """What a solution defines. A line that shows it on what the notebook has computed is left out."""
    told = {**names}
    for node in ast.parse(code).body:
        try:
            exec(compile(ast.Module([node], []), "solution", "exec"), told)
        except NameError as error:
            if error.name not in computed:
                raise
    return told


def printed(path):
    """The functions that the notebook's folded solutions define, by name."""
    names, found = definitions(path), {}
    computed = set(re.findall(r"[^\W\d]\w*", " ".join(cell["source"] for cell in code_cells(path))))
    for code, calls in solutions(path):
        if calls:
            told = run_solution(code, names, computed)
            found |= {name: told[name] for _, name in calls}
    return found


def exercises(path):
    """At least three exercises, each with a folded solution that passes its checker."""
    wrong, passed = [], set()
    asked = {name for cell in code_cells(path) for name in re.findall(r"\bsn\.check\.(\w+)\(", cell["source"])} - {
        "passed",
        "reset",
    }
    names = definitions(path)
    computed = set(re.findall(r"[^\W\d]\w*", " ".join(cell["source"] for cell in code_cells(path))))
    for code, calls in solutions(path):
        try:
            told = run_solution(code, names, computed) if calls else ast.parse(code) and {}  # experiments take long
        except Exception as error:
            wrong.append(f"the solution {code.strip().partition(chr(10))[0]!r} raises {error!r}")
            continue
        for name, function in calls:
            if function not in told:
                wrong.append(f"the solution for sn.check.{name} does not define {function}")
                continue
            verdict = getattr(check, name)(told[function])
            if verdict:
                passed.add(name)
            else:
                wrong.append(f"the solution for sn.check.{name} does not pass: {verdict}")
    wrong += [f"sn.check.{name} has no folded solution that passes" for name in sorted(asked - passed)]
    if len(asked) < 3:
        wrong.append(f"{len(asked)} exercises with a checker, at least 3")
    return wrong


def glossary(path: Path):
    """(variants, chapter) of each term of the glossary: how it is written, and where it is introduced."""
    rows = re.findall(
        r"^\| ([^|]+) \| [^|]+ \| \[[^\]]+\]\(([\w]+)\.ipynb[^)]*\)", path.read_text("utf-8"), re.MULTILINE
    )
    return [(term.replace("*", "").split(" / "), chapter) for term, chapter in rows]


def occurrence(variants, text):
    """How a term first stands in a text, or None. Capitals count where the term has them."""
    text = " ".join(text.split())  # a term may stand on two lines
    for variant in variants:
        same_case = 0 if variant.lower() != variant else re.IGNORECASE
        match = re.search(rf"(?<![\w-]){re.escape(variant)}(?:s|es)?(?![\w-])", text, same_case)
        if match:
            return match[0]
    return None


def terms(path, glossary_path):
    """No term is used before the chapter that introduces it, but in a cell that has a link to that chapter."""
    order = list(CHAPTERS)
    if path.stem not in order:
        return []
    wrong = []
    for cell in cells(path):
        if cell["cell_type"] != "markdown":
            continue
        text = re.sub(r"\]\([^)]*\)", "]", re.sub(r"\$[^$]*\$", "", without_code(cell["source"])))
        for variants, chapter in glossary(glossary_path):
            if chapter not in order or order.index(path.stem) >= order.index(chapter):
                continue  # appendices stand beside the order
            if f"({chapter}.ipynb" in cell["source"]:
                continue
            found = occurrence(variants, text)
            if found:
                wrong.append(f"{found!r} is introduced in {chapter}, and used in cell {start(cell)}")
    return wrong


def introduced(path, glossary_path):
    """Every term of the glossary stands in the text of the notebook that is to introduce it."""
    text = markdown(path)
    return [
        f"{variants[0]!r} does not occur in {path.stem}, which the glossary says introduces it"
        for variants, chapter in glossary(glossary_path)
        if chapter == path.stem and not occurrence(variants, text)
    ]
