"""Whole runs of training, from the data to a table of results: `python -m scratchnet.recipes`."""
