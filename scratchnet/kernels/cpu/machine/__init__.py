"""What this machine has: `processors` for threads to run on, and the processor's `caches`, which tiles have to fit."""
