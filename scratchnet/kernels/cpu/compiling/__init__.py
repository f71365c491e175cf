"""How kernels are compiled: `compiled` by Numba with the project's settings, kept on disk by `cache`, behind a `bar`.

Once a machine, and in less time than Numba would take: `linking` leaves out machine code that nothing runs; `rehearsal`
finds out which kernels a training needs, so that a second process can compile some of them, by `sharing`.
"""
