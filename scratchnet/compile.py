"""`python -m scratchnet.compile`: compile ahead what a first start would compile, so that later ones begin at once.

Without arguments: the kernels of the article's network and of both networks of notebook 00, which are also those of
`python -m scratchnet.recipes fashion_article`. With --all: those of all recipes for recognition and generation and of
the whole zoo. Two processes compile, where there are two processors. See `kernels/cpu/compiling/rehearsal.py`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

import scratchnet as sn
from scratchnet.kernels.cpu.compiling import bar, cache, rehearsal, sharing
from scratchnet.kernels.cpu.threads import layer
from scratchnet.printing import say, usable

_BATCH = 32


def _fit(
    model: Any, size: int, channels: int, dtype: str = "float32", augment: Any = None, batch: int = _BATCH
) -> None:
    """What `fit` and `predict` need for pictures of this size."""
    # A last batch that is smaller, and one picture: other ways through the products.
    x, y = np.zeros((2 * batch + 8, size, size, channels), dtype), np.zeros(2 * batch + 8, np.int64)
    model.fit(x, y, batch_size=batch, epochs=1, validation_data=(x, y), verbose=0, augment=augment)
    model.predict(x, verbose=0)
    model.predict(x[:1], verbose=0)


def _article_cnn() -> None:
    """The article's network, on the pictures of CIFAR-10 and on grey ones, as bytes and as numbers."""
    for size, channels in ((32, 3), (28, 1)):
        for first, dtype in (([sn.Rescaling(1 / 255)], "uint8"), ([], "float32")):
            model = sn.zoo.article_cnn((size, size, channels), first=first)
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            _fit(model, size, channels, dtype)


def _gan_steps(gan: Any, size: int, channels: int, batch: int) -> None:
    gan.compile()
    gan.train_on_batch(np.full((batch, size, size, channels), -1, np.float32))


def _article_gan() -> None:
    """The article's networks that draw, and the usual kernels of 4 x 4."""
    for generator in (sn.zoo.article_generator(), sn.zoo.article_generator(kernel_size=4, activate_projection=False)):
        _gan_steps(sn.GAN(generator, sn.zoo.article_discriminator(), latent_dim=100), 32, 3, 64)


def _notebook_00() -> None:
    """The small pair of notebook 00."""
    up = partial(sn.Conv2DTranspose, kernel_size=4, strides=2, padding="same")
    down = partial(sn.Conv2D, kernel_size=4, strides=2, padding="same")
    normal = partial(sn.BatchNormalization, momentum=0.9)
    first = [sn.Dense(7 * 7 * 32, use_bias=False, input_shape=(32,)), normal(), sn.ReLU(), sn.Reshape((7, 7, 32))]
    last = [up(16, use_bias=False), normal(), sn.ReLU(), up(1, activation="tanh")]
    slope = partial(sn.LeakyReLU, 0.2)
    judge = [down(16, input_shape=(28, 28, 1)), slope(), down(32), slope(), sn.Flatten(), sn.Dense(1)]
    generator = sn.Sequential([*first, *last])
    _gan_steps(sn.GAN(generator, sn.Sequential(judge), latent_dim=32), 28, 1, 16)
    for count in (20, 500):
        generator.forward(np.zeros((count, 32), np.float32))


def _recipes() -> None:
    """The recipes for recognition and generation."""
    from scratchnet.recipes import generation, recognition

    for name, recipe in recognition.RECIPES.items():
        size, channels = (28, 1) if name.startswith("fashion") else (32, 3)
        _fit(recipe.make(10), size, channels, "uint8", recipe.augment, recipe.batch_size)
    for name, drawing in generation.RECIPES.items():
        channels = 1 if name.startswith("fashion") else 3
        _gan_steps(generation.make(drawing, channels), generation.SIZE, channels, drawing.batch_size)


def _zoo() -> None:
    """A step of each network for small pictures, inference of each for large ones, and DCGANs."""
    names = ["small_cnn", "resnet_20", "resnet_56", "se_resnet_20", "densenet_40", "efficientnet_small"]
    for name in [*names, "inception_small"]:
        model = getattr(sn.zoo, name)()
        model.compile(sn.SGD(0.1, 0.9, nesterov=True), "sparse_categorical_crossentropy", metrics=["accuracy"])
        _fit(model, 32, 3)
    sizes = {"alexnet": 227, "inception_v3": 299, "resnet_50": 224, "densenet_121": 224, "se_resnet_50": 224}
    for name, size in {**sizes, "efficientnet_b0": 224}.items():
        getattr(sn.zoo, name)().predict_on_batch(np.zeros((1, size, size, 3), np.float32))
    _gan_steps(sn.GAN(*sn.zoo.dcgan(), latent_dim=100), 32, 3, 64)


WORKS: dict[str, Callable[[], None]] = {
    "the article's network": _article_cnn,
    "the article's GAN": _article_gan,
    "notebook 00": _notebook_00,
    "recipes": _recipes,
    "zoo": _zoo,
}
FIRST = ["the article's network", "notebook 00"]


def _end_with_parent(folder: Path) -> None:
    """End this process when the one that began it ends, which closes its end of the pipe; the folder goes too."""
    parent = os.getppid()

    def end() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    def watch_input() -> None:
        sys.stdin.buffer.read()
        end()

    def watch_parent() -> None:  # a process forked from the parent may hold the pipe open
        while os.getppid() == parent:
            time.sleep(1)
        end()

    for watch in (watch_input, watch_parent):
        threading.Thread(target=watch, daemon=True).start()


def help_to_compile() -> None:
    """The second process of `sharing.py`; at its end the folder goes that it shares."""
    try:
        _help(*sys.argv[2:6])
    finally:
        shutil.rmtree(sys.argv[2], ignore_errors=True)


def _help(folder: str, sources: str, done: str, works: str) -> None:
    """Compile from the end what the first process may need."""
    if sources != cache.SOURCES:  # another scratchnet was found than the first process runs
        return
    for one in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C and the like are for the first process, whose end is ours
        signal.signal(one, signal.SIG_IGN)
    _end_with_parent(Path(folder))
    sharing.share(Path(folder))
    rehearsal.begin()
    if works:
        for work in works.split(";"):
            WORKS[work]()
        _compile_all(backwards=True)
        return
    try:
        for work in ("the article's network", "the article's GAN"):
            if work == "the article's network" or sharing.needs_more(rehearsal.planned or {}):
                WORKS[work]()
                _compile_all(backwards=True)
    finally:
        Path(done).touch()


def _compile_all(backwards: bool) -> None:
    for _ in rehearsal.compile_planned(backwards, lambda kernel: sharing.is_taken(kernel._cache)):
        if cache.trouble is not None:  # nobody would find it
            break


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, compile, and say where the kernels are."""
    p = argparse.ArgumentParser("python -m scratchnet.compile", description=__doc__.split("\n", 1)[0])
    p.add_argument("--all", action="store_true", help="also what the recipes and the zoo need; takes some minutes")
    works = list(WORKS) if p.parse_args(arguments).all else FIRST
    started = time.perf_counter()
    bar.progress.visible = False  # the bar below has a total
    if cache.folder() is not None:
        sharing.start(cache.first_folder(), cache.SOURCES, cache.SOURCES, ";".join(works))
    layer.start()  # compiles what runs the kernels, which no rehearsal comes upon
    rehearsal.begin()
    for work in works:
        WORKS[work]()
    plan = rehearsal.planned or {}
    kernels = rehearsal.compile_planned(False, lambda kernel: sharing.is_taken(kernel._cache))
    for _ in tqdm(kernels, total=len(plan), desc=bar.TITLE, unit="kernel", disable=not usable(sys.stderr)):
        pass
    sharing.wait()
    _compile_all(backwards=False)  # finds what the second process has compiled
    seconds, folder = time.perf_counter() - started, cache.folder()
    if folder is None or cache.trouble is not None:
        say(f"{len(plan)} kernels compiled in {seconds:.0f} s, and not kept: {cache.trouble or 'no folder was found'}.")
        sys.exit("Set NUMBA_CACHE_DIR to a folder of yours with free space.")
    files = [file.stat().st_size for file in folder.rglob("*.nbc")]
    say(f"{len(plan)} kernels are compiled, which took {seconds:.0f} s.")
    say(f"They are kept in {folder}: {len(files)} files, {sum(files) / 1e6:.1f} MB.")


if __name__ == "__main__":
    main()
