"""Winograd's F(m, r): convolutions with fewer multiplications, for layers of many channels.

From the outside in: `conv2d` is the convolution and chooses m and r; `weight_grad` is the gradient of its weights;
`magnitude` tells for which numbers it is not right; `transforms` has the matrices of the input, filter and output
transforms.
"""
