"""`python -m scratchnet.recipes NAME`: train by a recipe; killed and started again, it goes on to the same bits.

For a first look: `python -m scratchnet.recipes fashion_article`, which needs no download and half a minute.
"""

from __future__ import annotations

import argparse

from scratchnet.recipes import (
    garments,
    generation,
    order,
    recognition,
    record_run,
    references,
    ring,
    scaling,
    shapes,
    sharing,
)
from scratchnet.recipes.record import folder_for

ROOMS = {
    name: room
    for room in (recognition, order, shapes, generation, garments, ring, scaling, sharing, references, record_run)
    for name in room.RECIPES
}


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, train for each seed."""
    listing = "\n".join(f"  {name}: {room.RECIPES[name].what}" for name, room in ROOMS.items())
    p = argparse.ArgumentParser(
        "python -m scratchnet.recipes",
        description=__doc__,
        epilog=f"recipes:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("name", choices=ROOMS, metavar="NAME", help="see below")
    p.add_argument("--seeds", type=int, nargs="+", default=[0], help="one run for each (0)")
    p.add_argument("--epochs", type=int, help="other than the recipe's")
    p.add_argument("--folder", default="runs", help="for models, backups and results (runs)")
    p.add_argument("--torch-python", metavar="PYTHON", help="train a DCGAN or record with this Python's PyTorch")
    p.add_argument("--keras-python", metavar="PYTHON", help="train cifar10_order with this Python's Keras instead")
    options = p.parse_args(arguments)
    if options.epochs is not None and options.epochs < 1:
        p.error(f"expected --epochs of at least 1, got {options.epochs}. Leave it out for the recipe's own number.")
    room = ROOMS[options.name]
    if options.epochs is not None and (
        room in (references, scaling, shapes, sharing) or options.name == "record_tricks"
    ):
        p.error(f"--epochs is not for {options.name}, whose networks learn for fixed numbers of steps or epochs.")
    if options.torch_python and room is not generation and options.name != "record":
        p.error("--torch-python is for the DCGANs and record; python -m scratchnet.bench compares the classifiers.")
    if options.keras_python and options.name != "cifar10_order":
        p.error("--keras-python is for cifar10_order; python -m scratchnet.bench compares the speed of classifiers.")
    folder = folder_for(options.folder)
    for seed in options.seeds:
        if options.torch_python:
            room.train_with_torch(options.name, seed, folder, options.torch_python, options.epochs)
        elif options.keras_python:
            order.train(options.name, seed, folder, options.epochs, options.keras_python)
        else:
            room.train(options.name, seed, folder, options.epochs)


if __name__ == "__main__":
    main()
