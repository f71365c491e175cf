"""`python -m scratchnet.recipes NAME`: train by a recipe; killed and started again, it goes on to the same bits."""

from __future__ import annotations

import argparse

from scratchnet.recipes.recognition import RECIPES, folder_for, train


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, train for each seed."""
    listing = "\n".join(f"  {name}: {recipe.what}" for name, recipe in RECIPES.items())
    p = argparse.ArgumentParser(
        "python -m scratchnet.recipes",
        description=__doc__,
        epilog=f"recipes:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("name", choices=RECIPES, metavar="NAME", help="see below")
    p.add_argument("--seeds", type=int, nargs="+", default=[0], help="one run for each (0)")
    p.add_argument("--epochs", type=int, help="other than the recipe's")
    p.add_argument("--folder", default="runs", help="for models, backups and results (runs)")
    options = p.parse_args(arguments)
    folder = folder_for(options.folder)
    for seed in options.seeds:
        train(options.name, seed, folder, options.epochs)


if __name__ == "__main__":
    main()
