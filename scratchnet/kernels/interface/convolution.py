"""Convolution and its gradients: ordinary, transposed, depthwise, in groups; and the products of a dense layer."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from scratchnet.shapes import Pads


class Convolution(Protocol):
    """x (N, H, W, C), w (KH, KW, C, F), b (F,), y (N, OH, OW, F).

    strides are (sh, sw), pads ((top, bottom), (left, right)); OH = floor((H + top + bottom - KH) / sh) + 1, OW alike.
    x~ is x with zeros around it. Three functions serve both Conv2D and Conv2DTranspose, whose forward is the other's
    gradient of the input.
    """

    def conv2d(
        self,
        x: np.ndarray,
        w: np.ndarray,
        b: np.ndarray | None,
        strides: tuple[int, int],
        pads: Pads,
        relu: bool = False,
    ) -> np.ndarray:
        """y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,f]; b None counts as 0.

        With relu, y = max(y, 0).
        """

    def conv2d_input_grad(
        self, dy: np.ndarray, w: np.ndarray, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
    ) -> np.ndarray:
        """dx[n,h,v,c] = sum over f and all i, j, k, l with sh*i+k-top = h, sw*j+l-left = v of dy[n,i,j,f] * w[k,l,c,f].

        input_hw is (H, W): where strides leave a rest, several sizes have the same (OH, OW).
        """

    def conv2d_weight_grad(
        self,
        x: np.ndarray,
        dy: np.ndarray,
        kernel_size: tuple[int, int],
        strides: tuple[int, int],
        pads: Pads,
        dw: np.ndarray | None = None,
        db: np.ndarray | None = None,
    ) -> np.ndarray:
        """dw[k,l,c,f] = sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f]; returns dw.

        A dw (KH, KW, C, F) that is given is ADDED to in place, and so is db (F,): db[f] += sum over n, i, j of
        dy[n,i,j,f]. Both are contiguous.
        """

    def conv2d_transpose(
        self,
        x: np.ndarray,
        w: np.ndarray,
        b: np.ndarray | None,
        strides: tuple[int, int],
        pads: Pads,
        output_hw: tuple[int, int],
        relu: bool = False,
    ) -> np.ndarray:
        """y[n, sh*i+k-top, sw*j+l-left, c] += x[n,i,j,f] * w[k,l,c,f] over all i, j, k, l, f; plus b[c].

        x (N, H, W, F), b (C,), y (N, OH, OW, C) with output_hw = (OH, OW). It is `conv2d_input_grad` with a bias:
        strides and pads are those of the convolution that goes the other way, from (OH, OW) to (H, W), and w is
        (KH, KW, C, F), Keras's order for Conv2DTranspose: output channels before input channels. With relu,
        y = max(y, 0). Its gradients are dx = conv2d(dy, w, None, strides, pads), and
        dw = conv2d_weight_grad(dy, x, kernel_size, strides, pads).
        """

    def conv2d_max_pool2d_backward(
        self,
        dy: np.ndarray,
        x: np.ndarray,
        w: np.ndarray,
        argmax: np.ndarray,
        strides: tuple[int, int],
        pads: Pads,
        pooling: tuple[tuple[int, int], tuple[int, int], Pads],
        dw: np.ndarray | None,
        db: np.ndarray | None,
        input_grad: bool,
    ) -> np.ndarray | None:
        """The gradients of `conv2d` where `max_pool2d` follows, fused: most of what lies between the two is zero.

        The same numbers, to rounding, as `max_pool2d_backward`, and then the two gradients of `conv2d` from its result.
        dy and argmax (N, PH, PW, F) are the pooling's: the gradient for its output, and where its maxima were. pooling
        is its (pool_size, strides, pads). dw and db, contiguous, are ADDED to in place where they are given. Returns
        dx, or None without input_grad.
        """

    def bias_grad(self, dy: np.ndarray) -> np.ndarray:
        """db[f] = the sum of dy over all axes but the last: a bias takes part in every place of every example."""


class Depthwise(Protocol):
    """Each channel is filtered by itself: x (N, H, W, C), w (KH, KW, C, M), b (C*M,), y (N, OH, OW, C*M).

    Strides, pads and x~ as for Convolution; output channel c*M+m is the m-th of input channel c.
    """

    def depthwise_conv2d(
        self, x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: tuple[int, int], pads: Pads
    ) -> np.ndarray:
        """y[n,i,j,c*M+m] = b[c*M+m] + sum over k, l of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,m]."""

    def depthwise_conv2d_input_grad(
        self, dy: np.ndarray, w: np.ndarray, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
    ) -> np.ndarray:
        """dx[n,h,v,c] = sum over m and all i, j, k, l that touched x[n,h,v,c] of dy[n,i,j,c*M+m] * w[k,l,c,m]."""

    def depthwise_conv2d_weight_grad(
        self, x: np.ndarray, dy: np.ndarray, kernel_size: tuple[int, int], strides: tuple[int, int], pads: Pads
    ) -> np.ndarray:
        """dw[k,l,c,m] = sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,c*M+m]."""


class Grouped(Protocol):
    """Convolution in groups of channels: x (N, H, W, C), w (KH, KW, I, F), b (F,), y (N, OH, OW, F).

    There are G = C / I groups, and F / G filters in each: filter f sees the I channels from f // (F / G) * I on, and no
    others. Strides, pads and x~ as for Convolution.
    """

    def grouped_conv2d(
        self,
        x: np.ndarray,
        w: np.ndarray,
        b: np.ndarray | None,
        strides: tuple[int, int],
        pads: Pads,
        relu: bool = False,
    ) -> np.ndarray:
        """y[n,i,j,f] = b[f] + sum over k, l and c < I of x~[n, sh*i+k-top, sw*j+l-left, g*I + c] * w[k,l,c,f].

        g = f // (F / G) is the filter's group. With relu, y = max(y, 0).
        """

    def grouped_conv2d_input_grad(
        self,
        dy: np.ndarray,
        w: np.ndarray,
        groups: int,
        input_hw: tuple[int, int],
        strides: tuple[int, int],
        pads: Pads,
    ) -> np.ndarray:
        """dx (N, H, W, groups * I): each product x~ * w of the forward hands dy on to its x~, times w."""

    def grouped_conv2d_weight_grad(
        self,
        x: np.ndarray,
        dy: np.ndarray,
        kernel_size: tuple[int, int],
        strides: tuple[int, int],
        pads: Pads,
        dw: np.ndarray,
        db: np.ndarray | None = None,
    ) -> np.ndarray:
        """dw[k,l,c,f] += sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, g*I + c] * dy[n,i,j,f]; returns dw.

        dw (KH, KW, I, F) says how many groups there are; it is ADDED to in place, and so is db (F,), if given.
        """


class Dense(Protocol):
    """x (N, D), w (D, U), b (U,), y (N, U)."""

    def dense(self, x: np.ndarray, w: np.ndarray, b: np.ndarray | None, relu: bool = False) -> np.ndarray:
        """y[n,u] = b[u] + sum over d of x[n,d] * w[d,u]; b None counts as 0. With relu, y = max(y, 0)."""

    def dense_input_grad(self, dy: np.ndarray, w: np.ndarray) -> np.ndarray:
        """dx[n,d] = sum over u of dy[n,u] * w[d,u]."""

    def dense_weight_grad(
        self, x: np.ndarray, dy: np.ndarray, dw: np.ndarray | None = None, db: np.ndarray | None = None
    ) -> np.ndarray:
        """dw[d,u] = sum over n of x[n,d] * dy[n,u]; returns dw.

        A dw (D, U) that is given is ADDED to in place, and so is db (U,): db[u] += sum over n of dy[n,u]. Both are
        contiguous.
        """
