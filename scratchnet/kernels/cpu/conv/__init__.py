"""Convolutions, their gradients, and the dense layer, which is a convolution with a kernel of one cell.

From the outside in: `conv2d`, `dense` and `depthwise` are what layers call; they choose the fastest way for the shapes.
The ways: `direct` and `weight_grad` on the micro-kernel; `col2im` for outputs of few channels; `few_rows` for a dense
layer with few examples; `pooled_gradient` where a max-pooling follows; and the room `winograd`.
"""
