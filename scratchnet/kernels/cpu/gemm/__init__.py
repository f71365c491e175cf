"""The building block of all convolutions and dense layers: a small matrix product whose sums stay in registers.

From the outside in: `operands` says where the numbers of a product or a convolution lie in flat arrays; `packing` puts
weights in the order in which they are read; `micro_kernel` is the product, for tiles of several heights; `simd` are the
vector instructions that it is written in.
"""
