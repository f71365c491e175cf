"""Convolutions, their gradients, and the dense layer, which is a convolution with a kernel of one cell.

From the outside in: `conv2d`, `dense`, `depthwise` and `groups` are what layers call; they choose the fastest way for
the shapes. The ways: `direct` and `weight_grad` on the micro-kernel; for one filter a channel `depthwise_sliding`,
`depthwise_input_grad` and `depthwise_weight_grad`, on the instructions of the three files `sliding`; for other groups
of few channels `narrow` and `narrow_weight_grad`, with the tables of `narrow_plan`, on those of `taps`; `col2im` for
outputs of few channels; `few_rows` for a dense layer with few examples; `pooled_gradient` where a max-pooling follows;
and the room `winograd`.
"""
