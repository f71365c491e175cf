"""A convolution's gradients through the max-pooling behind it, against the reference's loops for the two layers."""

import numpy as np
import pytest
from compare import Unchanged, assert_close, at_least, dtypes, layouts, normal, seeds, windows
from hypothesis import given, settings
from hypothesis import strategies as st

import scratchnet as sn
from scratchnet import reference
from scratchnet.kernels import cpu
from scratchnet.kernels.cpu.conv import pooled_gradient
from scratchnet.kernels.cpu.gemm.operands import Window
from scratchnet.layers import Chain, Conv2D, LeakyReLU, MaxPooling2D, ReLU
from scratchnet.shapes import output_hw

NONE = ((0, 0), (0, 0))


@pytest.fixture
def calls(monkeypatch):
    """The calls that went this way."""
    called = []

    def call(*arguments):
        called.append(arguments)
        return original(*arguments)

    original = pooled_gradient.pooled_gradients
    monkeypatch.setattr(pooled_gradient, "pooled_gradients", call)
    return called


@pytest.fixture
def everywhere(monkeypatch):
    """This way wherever it can go, also where it is not faster."""
    monkeypatch.setattr(pooled_gradient, "_LARGEST_PART", np.inf)


@st.composite
def poolings(draw, hw):
    """(pool_size, strides, pads) of windows that fit into a picture of height and width hw; they may overlap."""
    axes = []
    for size in hw:
        pool = draw(st.integers(1, min(3, size)))
        pads = draw(st.integers(0, pool - 1)), draw(st.integers(0, pool - 1))
        axes.append((pool, draw(st.integers(1, 3)), pads))
    return tuple(zip(*axes))


@settings(max_examples=at_least(150))
@given(
    windows(),
    st.integers(1, 40),
    st.integers(1, 6),
    st.data(),
    st.sampled_from(["every", "none", "ties"]),
    st.booleans(),
    st.booleans(),
    dtypes,
    layouts,
    seeds,
)
def test_all_gradients(window, C, F, data, kind, everywhere, many, dtype, layout, seed):
    """everywhere: this way also where it is not faster; many: pictures for lists and parts of several."""
    N, hw, size, strides, pads = window
    N = 9 * N if many else N
    rng, OHW = np.random.default_rng(seed), output_hw(hw, size, strides, pads)
    pooling = data.draw(poolings(OHW))
    x, w = normal(rng, (N, *hw, C), dtype, layout), normal(rng, (*size, C, F), dtype, layout)
    y = normal(rng, (N, *OHW, F), dtype)
    y = {"every": y, "none": -np.abs(y), "ties": np.sign(y)}[kind]  # what the convolution may have given
    pooled, argmax = cpu.max_pool2d(np.maximum(y, 0), *pooling, True)
    dy, dw, db = normal(rng, pooled.shape, dtype, layout), normal(rng, w.shape, dtype), normal(rng, (F,), dtype)
    before = dw.copy(), db.copy()
    with pytest.MonkeyPatch.context() as patch, Unchanged(x, w, dy, argmax):
        called = calls.__wrapped__(patch)
        if everywhere:
            patch.setattr(pooled_gradient, "_LARGEST_PART", np.inf)
        dx = cpu.conv2d_max_pool2d_backward(dy, x, w, argmax, strides, pads, pooling, dw, db, True)
        assert len(called) == 1 or not everywhere or size[1] > pooled_gradient.COLUMNS
        only_dx = cpu.conv2d_max_pool2d_backward(dy, x, w, argmax, strides, pads, pooling, None, None, True)
        only_dw = np.zeros_like(dw)
        assert cpu.conv2d_max_pool2d_backward(dy, x, w, argmax, strides, pads, pooling, only_dw, None, False) is None
    x, w, dy = (a.astype(np.float64) for a in (x, w, dy))
    # ReLU behind the convolution: nothing goes back to where it gave 0.
    back = reference.max_pool2d_backward(dy, reference.max_pool2d(np.maximum(y, 0), *pooling)[1], y.shape[1:3]) * (
        y > 0
    )
    expected = reference.conv2d_backward(back, x, w, strides, pads)
    assert_close(dx, expected[0], dtype)
    assert_close(only_dx, expected[0], dtype)
    assert_close(dw, before[0] + expected[1], dtype)
    assert_close(only_dw, expected[1], dtype)
    assert_close(db, before[1] + expected[2], dtype)


@pytest.mark.parametrize("C", [32, 64, 80])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_usual_layers_go_this_way(C, padding, calls):
    """Without being asked to, and with the numbers of the layers one by one."""
    rng = np.random.default_rng(0)
    layers = [Conv2D(48, 3, padding=padding, activation="relu"), MaxPooling2D()]
    chain, x = Chain(layers), normal(rng, (20, 11, 10, C), np.float32)
    dy = normal(rng, chain.forward(x, training=True).shape, np.float32)
    chain.zero_grads()
    dx = chain.backward(dy)
    grads = [g.copy() for g in chain.grads.values()]
    assert len(calls) == 1
    chain.zero_grads()
    chain.forward(x, training=True)
    one_by_one = layers[1].forward(layers[0].forward(x))
    assert one_by_one.shape == dy.shape
    expected = layers[0].backward(layers[1].backward(dy))
    assert len(calls) == 1
    assert_close(dx, expected, np.float32)
    for gradient, separate in zip(grads, chain.grads.values()):
        assert_close(gradient, separate, np.float32)


@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
@pytest.mark.parametrize("layer", [None, ReLU, LeakyReLU])
@pytest.mark.parametrize(
    "pool", [{}, {"pool_size": 3, "strides": 2}, {"pool_size": 3, "strides": 2, "padding": "same"}]
)
@pytest.mark.parametrize("which", [(True, True), (True, False), (False, True)])
def test_a_chain_with_or_without_an_activation(activation, layer, pool, which, everywhere, calls):
    rng, (param_grads, input_grad) = np.random.default_rng(1), which
    between = [] if layer is None else [layer()]
    layers = [Conv2D(4, 3, activation=activation), *between, MaxPooling2D(**pool)]
    chain, x = Chain(layers), rng.normal(size=(3, 9, 8, 16))
    dy = rng.normal(size=chain.forward(x).shape)
    chain.zero_grads()
    dx = chain.backward(dy, param_grads=param_grads, input_grad=input_grad)
    grads = [g.copy() for g in chain.grads.values()]
    chain.zero_grads()
    for one in layers:
        x = one.forward(x)
    for one in reversed(layers[1:]):
        dy = one.backward(dy)
    expected = layers[0].backward(dy, param_grads=param_grads, input_grad=input_grad)
    assert len(calls) == (activation != "tanh" and layer is not LeakyReLU and not (activation and layer))
    if input_grad:
        assert_close(dx, expected)
    else:
        assert dx is None
    for gradient, separate in zip(grads, chain.grads.values()):
        assert_close(gradient, separate)
        assert np.any(gradient) == param_grads


@pytest.mark.parametrize("wrong", [False, True])
def test_against_a_numerical_gradient(wrong, calls, monkeypatch):
    """Which also sees a backward that forgets one place in twenty."""
    x = np.random.default_rng(4).normal(size=(3, 8, 7, 24))
    chain = Chain([Conv2D(5, 3, padding="same", activation="relu"), MaxPooling2D()])
    chain.forward(x)
    if wrong:
        right = chain.layers[1].check_gradient

        def forgetful(dy):
            dy = right(dy).copy()
            dy.reshape(-1)[::20] = 0
            return dy

        monkeypatch.setattr(chain.layers[1], "check_gradient", forgetful)
    assert sn.gradcheck(chain, x, samples=30).passed != wrong
    assert calls


def test_a_class_made_from_a_layer_keeps_its_own_backward():
    class Halved(Conv2D):
        def call_backward(self, dy, param_grads, input_grad):
            return super().call_backward(dy / 2, param_grads, input_grad)

    rng = np.random.default_rng(2)
    x, gradients = rng.normal(size=(2, 6, 6, 32)), []
    for kind in (Conv2D, Halved):
        chain = Chain([kind(3, 3, kernel_initializer="ones"), MaxPooling2D()])
        chain.forward(x)
        gradients.append(chain.backward(np.ones((2, 2, 2, 3))))
    assert_close(gradients[1], gradients[0] / 2)


@pytest.mark.parametrize(
    ("window", "hw", "pooled"),
    [
        (Window(3, 3, 1, 1, 1, 1), (12, 12), (12, 12)),  # a pooling that sends back as much as it gets
        (Window(1, 1, 1, 1, 0, 0), (12, 12), (6, 6)),  # a block is nine times as large as the kernel
        (Window(9, 9, 1, 1, 4, 4), (12, 12), (6, 6)),  # a line of the kernel is longer than a block
    ],
)
def test_where_it_does_not_go(window, hw, pooled):
    assert not pooled_gradient.is_faster((32, 12, 12, 32), window, hw, (32, *pooled, 64), 4)


def test_lists_that_would_fill_the_memory_are_not_made():
    window = Window(3, 3, 1, 1, 1, 1)
    assert pooled_gradient.is_faster((1, 224, 224, 64), window, (224, 224), (1, 112, 112, 64), 4)
    assert not pooled_gradient.is_faster((1, 1024, 1024, 64), window, (1024, 1024), (1, 512, 512, 64), 4)


def test_a_single_channel_does_not_go_this_way():
    assert not pooled_gradient.is_faster((32, 12, 12, 1), Window(3, 3, 1, 1, 1, 1), (12, 12), (32, 6, 6, 64), 4)


def test_what_is_not_finite_is_seen():
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(2, 8, 8, 32)), rng.normal(size=(3, 3, 32, 8))
    _, argmax = cpu.max_pool2d(rng.normal(size=(2, 6, 6, 8)), (2, 2), (2, 2), NONE)
    dy = rng.normal(size=argmax.shape)
    dy[0, 0, 0, 0] = np.nan
    dw, db, pooling = np.zeros_like(w), np.zeros(8), ((2, 2), (2, 2), NONE)
    dx = cpu.conv2d_max_pool2d_backward(dy, x, w, argmax, (1, 1), NONE, pooling, dw, db, True)
    assert np.isnan(dw[..., 0]).all()
    assert not np.isnan(dw[..., 1:]).any()
    assert np.isnan(db).tolist() == [True] + [False] * 7
    assert np.isnan(dx[0]).any()
    assert not np.isnan(dx[1]).any()
