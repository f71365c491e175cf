"""How fast: `python -m scratchnet.bench`. Each contestant has a process of its own, and they take turns; see `race`."""
