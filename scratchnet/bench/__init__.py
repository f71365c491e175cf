"""How fast: `python -m scratchnet.bench`. Contestants run in processes of their own and take turns; see `race`."""
