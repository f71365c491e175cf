"""The threads that run kernels: a `pool`, on the words, locks and clocks of `atomics`, in place of Numba's threading
`layer`.
"""
