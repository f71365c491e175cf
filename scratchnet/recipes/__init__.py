"""Runs of training on whole data sets, whose results the notebooks show: `python -m scratchnet.recipes`."""
