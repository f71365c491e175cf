"""Recipe for the ring of eight Gaussians: what collapses, and what decides it. Notebook 3.2 draws its results.

One run for each combination of instance noise on or off, beta_1 of Adam, and learning rates, good or bad. For good
rates there are five values of beta_1, for bad ones two. A seed is fourteen runs, a few minutes on one core.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scratchnet.callbacks import Callback, Logs
from scratchnet.datasets.ring import Coverage, centres, coverage
from scratchnet.gan.ring import EPOCHS, STEPS_PER_EPOCH, play
from scratchnet.optimizers import Adam
from scratchnet.recipes.record import write_result

NOISE = (0.0, 0.5)  # standard deviation at the first step; it falls to 0 in 1,500 steps
RATES = {"good": (2e-3, 4e-3), "bad": (1e-2, 1e-3)}  # of G and of D
BETAS = {"good": (0.0, 0.25, 0.5, 0.75, 0.9), "bad": (0.5, 0.9)}
COUNTED = 25  # steps from one count of G's points by clouds to the next
SHOWN = (100, 300, 600, 1000, 1500, 2500)  # steps after which points are written down
COUNTED_POINTS, SHOWN_POINTS, FINAL_POINTS = 200, 100, 5000


class Recipe(NamedTuple):
    """What a recipe is, in a few words, and its epochs of a hundred steps."""

    what: str
    epochs: int = EPOCHS


RECIPES = {"ring_ablation": Recipe("a GAN on eight clouds: noise, beta_1 and learning rates, each on and off")}


class Watch(Callback):
    """Counts which of the clouds G's points are nearest to, and writes some of the points down, as they are."""

    def __init__(self) -> None:
        self.step = 0
        self.nearest: list[list[int]] = []
        self.points: dict[str, list[list[int]]] = {}

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Count, and write down, where it is time for it."""
        self.step += 1
        gan = self.model
        if self.step % COUNTED == 0:
            points = gan.generator.predict(gan.latents(COUNTED_POINTS, seed=1))
            distances = np.linalg.norm(points[:, None] - centres(), axis=2)
            self.nearest.append(np.bincount(distances.argmin(axis=1), minlength=len(centres())).tolist())
        if self.step in SHOWN:
            self.points[str(self.step)] = hundredths(gan.generator.predict(gan.latents(SHOWN_POINTS, seed=1)))


def hundredths(points: np.ndarray) -> list[list[int]]:
    """Points (N, 2) as whole hundredths, which take little room in a file."""
    return np.rint(100 * points).astype(int).tolist()


def train(name: str, seed: int, folder: Path, epochs: int | None = None) -> dict[str, Any]:
    """Train all combinations from this seed, printing one line for each.

    Args:
        name: one of RECIPES.
        seed: of the weights, the points and the latents.
        folder: where the results go, as NAME_SEED.json.
        epochs: of a hundred steps each; other than the recipe's.

    Returns:
        What the JSON file holds: a list of runs, see `one`; the file also has the date and the machine.
    """
    epochs = epochs or RECIPES[name].epochs
    runs = [
        one(noise, beta_1, rates, seed, epochs) for rates, betas in BETAS.items() for beta_1 in betas for noise in NOISE
    ]
    result = {"recipe": name, "what": RECIPES[name].what, "seed": seed, "steps": STEPS_PER_EPOCH * epochs, "runs": runs}
    write_result(folder / f"{name}_{seed}", result)
    return result


def one(noise: float, beta_1: float, rates: str, seed: int, epochs: int) -> dict[str, Any]:
    """One run: its settings and what came of it.

    Returns:
        noise, beta_1, rates: the settings. averaged and current: modes and share of `coverage`, of the averaged G and
        of G as it is after the last step. nearest: every 25 steps, how many of 200 points are nearest to each cloud.
        points: by the step, a hundred points of G in hundredths. final: 200 points of the averaged G.
    """
    for_g, for_d = RATES[rates]
    watch = Watch()
    gan = play(
        seed,
        epochs,
        [watch],
        instance_noise=noise,
        generator_optimizer=Adam(for_g, beta_1),
        discriminator_optimizer=Adam(for_d, beta_1),
    )
    z = gan.latents(FINAL_POINTS, seed=2)
    averaged = gan.decode(z)
    found = {"averaged": coverage(averaged), "current": coverage(gan.generator.predict(z))}
    print(f"seed {seed}: noise {noise}, beta_1 {beta_1}, {rates} rates: {_told(found['averaged'])}")
    return {
        "noise": noise,
        "beta_1": beta_1,
        "rates": rates,
        **{how: {"modes": c.modes, "share": round(c.share, 3)} for how, c in found.items()},
        "nearest": watch.nearest,
        "points": watch.points,
        "final": hundredths(averaged[: 2 * SHOWN_POINTS]),
    }


def _told(found: Coverage) -> str:
    return f"{found.modes} clouds, {found.share:.0%} of the points near one"
