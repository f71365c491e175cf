"""What all kernels stand on: `jit` compiles and launches them, `cache` keeps what is compiled on disk, `caches` knows
the processor's memory close by, `memory` lends the arrays that they write to.
"""
