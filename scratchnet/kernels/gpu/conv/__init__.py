"""Convolution, its gradients and the dense layer on the GPU.

`rungs` is a ladder: the same kernels from one thread an output up to the tensor cores, all of which can be called.
`conv2d` and `dense` take the uppermost of float32 or, where `runtime.precision` allows it, of the tensor cores.
"""
