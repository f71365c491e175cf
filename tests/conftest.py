"""Settings of all tests: the same examples in every run, and no limit on an example that has to compile first."""

from hypothesis import settings

settings.register_profile("scratchnet", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("scratchnet")
