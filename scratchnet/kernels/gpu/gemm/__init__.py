"""Matrix products on the GPU, with which all convolutions and dense layers are computed.

The headers are the rungs of a ladder: a tile of the product in shared memory, in registers, on the tensor cores; and
`operands.cuh`, how a tile reads its factors, which for a convolution are never written down. `parts` cuts long sums.
"""
