"""Chain and Parallel: the same numbers as their parts by hand, their weights' names, what they refuse."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.layers import (
    Activation,
    BatchNormalization,
    Chain,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Parallel,
    ReLU,
)

X = np.random.default_rng(0).normal(size=(3, 5, 4, 2))


def gradient_like(y):
    return np.random.default_rng(1).normal(size=y.shape)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("relu", [ReLU(), Activation("relu")])
@pytest.mark.parametrize("after", [[], [Conv2D(2, 2)]])
def test_normalization_and_the_relu_behind_it_are_one_kernel_with_the_same_numbers(relu, after, training):
    layers = [Conv2D(3, 2), BatchNormalization(beta_initializer="glorot_uniform"), relu, *after]
    chain = Chain(layers)
    y = chain.forward(X, training=training)
    dy = gradient_like(y)
    chain.zero_grads()
    dx = chain.backward(dy)
    grads = {name: g.copy() for name, g in chain.grads.items()}
    chain.zero_grads()
    one_by_one = X
    for layer in layers:
        one_by_one = layer.forward(one_by_one, training=training)
    np.testing.assert_array_equal(y, one_by_one)
    for layer in reversed(layers):
        dy = layer.backward(dy)
    np.testing.assert_allclose(dx, dy, rtol=1e-12, atol=1e-15)
    for name, g in chain.grads.items():
        np.testing.assert_allclose(grads[name], g, rtol=1e-12, atol=1e-14)


def test_a_relu_that_is_left_out_as_the_head_stays_out():
    chain = Chain([Conv2D(3, 2), BatchNormalization(), ReLU()])
    z = chain.forward(X, training=True, logits=True)
    assert z.min() < 0
    dx = chain.backward(np.ones_like(z), logits=True)
    assert np.abs(dx).max() < 1e-9  # all outputs moved together are a direction that normalization takes away
    np.testing.assert_array_equal(chain.forward(X, training=True), np.maximum(z, 0))


def test_a_chain_is_its_layers_one_after_the_other():
    conv, flat, dense = Conv2D(3, 2, activation="relu"), Flatten(), Dense(2)
    chain = Chain([conv, flat, dense])
    y = chain.forward(X)
    dy = gradient_like(y)
    dx = chain.backward(dy)
    grads = {name: g.copy() for name, g in chain.grads.items()}
    assert list(grads) == ["0_conv2d/kernel", "0_conv2d/bias", "2_dense/kernel", "2_dense/bias"]
    assert chain.params["0_conv2d/kernel"] is conv.params["kernel"]
    assert chain.grads["2_dense/bias"] is dense.grads["bias"]
    chain.zero_grads()
    np.testing.assert_array_equal(dense.forward(flat.forward(conv.forward(X))), y)
    np.testing.assert_array_equal(conv.backward(flat.backward(dense.backward(dy))), dx)
    for name, g in chain.grads.items():
        np.testing.assert_array_equal(g, grads[name])
    assert chain.multiply_adds() == 4 * 3 * 2 * 2 * 2 * 3 + 36 * 2


def test_the_first_layers_input_gradient_is_left_out(monkeypatch):
    first = Dense(3)
    chain = Chain([first, ReLU(), Dense(2)])
    y = chain.forward(np.ones((2, 4)))
    asked = []
    compute = Dense.call_backward
    monkeypatch.setattr(Dense, "call_backward", lambda *a: asked.append(a[3]) or compute(*a))
    assert chain.backward(gradient_like(y), input_grad=False) is None
    assert asked == [True, False]
    empty = Chain([])
    np.testing.assert_array_equal(empty.forward(X), X)
    assert empty.backward(X, input_grad=False) is None


def test_state_and_weights_stand_in_keras_order():
    chain = Chain([Conv2D(3, 2), BatchNormalization(), Chain([ReLU(), Conv2D(2, 1)])])
    chain.build((None, 5, 4, 2))
    assert list(chain.params) == [
        *("0_conv2d/kernel", "0_conv2d/bias", "1_batch_normalization/gamma", "1_batch_normalization/beta"),
        *("2_chain/1_conv2d/kernel", "2_chain/1_conv2d/bias"),
    ]
    assert list(chain.state) == ["1_batch_normalization/moving_mean", "1_batch_normalization/moving_variance"]
    shapes = [(2, 2, 2, 3), (3,), (3,), (3,), (3,), (3,), (1, 1, 3, 2), (2,)]
    assert [w.shape for w in chain.get_weights()] == shapes


def test_weights_are_taken_over_all_or_none():
    chain = Chain([Dense(3), Dense(2)])
    with pytest.raises(RuntimeError, match="set_weights before build"):
        chain.set_weights([])
    chain.forward(np.ones((1, 4)))
    before = chain.get_weights()
    bad = [w + 1 for w in before]
    bad[2] = bad[2].T
    with pytest.raises(ValueError, match=r"Dense '.*': expected kernel of shape \(3, 2\), got \(2, 3\)"):
        chain.set_weights(bad)
    with pytest.raises(ValueError, match="expected weights as 4 arrays, got 3"):
        chain.set_weights(before[:3])
    for now, then in zip(chain.get_weights(), before):
        np.testing.assert_array_equal(now, then)


def test_errors_name_the_layer_that_refused():
    chain = Chain([Conv2D(3, 2, name="first"), Flatten(), Dense(2, name="last")])
    with pytest.raises(ValueError, match=r"Conv2D 'first': expected x of shape \(N, H, W, C\), got \(3, 5\)"):
        chain.forward(np.ones((3, 5)))
    assert not chain.built
    chain.forward(X)
    with pytest.raises(ValueError, match=r"Conv2D 'first': .* Channels come last"):
        chain.forward(X.transpose(0, 3, 1, 2))
    with pytest.raises(ValueError, match=r"Dense 'last': expected x of shape \(N, 36\), got \(3, 45\)"):
        chain.forward(np.ones((3, 6, 4, 2)))
    with pytest.raises(ValueError, match=r"Chain 'chain.*': expected dy of the output's shape"):
        chain.backward(np.ones((3, 3)))


def test_what_is_no_layer_is_refused():
    with pytest.raises(
        TypeError, match=r"expected layers to be a list of Layers, got .*Flatten'>.* brackets: Flatten\(\)"
    ):
        Chain([Flatten])
    with pytest.raises(ValueError, match="two layers are named 'a'"):
        Chain([Dense(1, name="a"), Dense(1, name="a")])


def test_the_head_of_a_chain():
    assert Chain([Dense(2), Activation("softmax")]).output_activation == "softmax"
    assert Chain([Dense(2, activation="sigmoid")]).output_activation == "sigmoid"
    assert Chain([Chain([Dense(2, activation="softmax")])]).output_activation == "softmax"
    assert Chain([Dense(2, activation="softmax"), Flatten()]).output_activation is None
    assert Chain([]).output_activation is None
    chain = Chain([Dense(3, activation="tanh"), Chain([Dense(2, activation="softmax")])])
    x = np.ones((2, 4))
    z, y = chain.forward(x, logits=True), chain.forward(x)
    np.testing.assert_allclose(np.exp(z) / np.exp(z).sum(1, keepdims=True), y, rtol=1e-12)
    chain.forward(x, logits=True)
    with_logits = chain.backward(z, logits=True)
    inner = chain.layers[1].layers[0]
    np.testing.assert_allclose(with_logits, chain.layers[0].backward(z @ inner.params["kernel"].T), rtol=1e-12)


def test_a_residual_block():
    conv = Conv2D(2, 3, padding="same")
    block = Parallel([conv, []], merge="add")
    y = block.forward(X)
    np.testing.assert_allclose(y, conv.forward(X) + X, rtol=1e-12)
    dy = gradient_like(y)
    dx = block.backward(dy)
    np.testing.assert_allclose(dx, conv.backward(dy) + dy, rtol=1e-12)
    assert list(block.params) == ["0_conv2d/kernel", "0_conv2d/bias"]
    assert block.backward(dy, input_grad=False) is None


def test_branches_side_by_side():
    one, two = Conv2D(3, 1), Conv2D(4, 1)
    block = Parallel([one, [two, ReLU()], []], merge="concat")
    y = block.forward(X)
    assert y.shape == (3, 5, 4, 9)
    assert block.output_shape == (None, 5, 4, 9)
    np.testing.assert_array_equal(y, np.concatenate([one.forward(X), np.maximum(two.forward(X), 0), X], -1))
    dy = gradient_like(y)
    dx = block.backward(dy)
    block.zero_grads()
    expected = one.backward(dy[..., :3]) + two.backward(dy[..., 3:7] * (y[..., 3:7] > 0)) + dy[..., 7:]
    np.testing.assert_allclose(dx, expected, rtol=1e-12)
    assert list(block.params)[2] == "1_chain/0_conv2d/kernel"


def test_squeeze_and_excite():
    squeeze = [GlobalAveragePooling2D(keepdims=True), Dense(3, activation="relu"), Dense(2, activation="sigmoid")]
    block = Parallel([[], squeeze], merge="multiply")
    y = block.forward(X)
    scale = y[:, 0, 0] / X[:, 0, 0]
    np.testing.assert_allclose(y, X * scale[:, None, None], rtol=1e-10)
    assert sn.gradcheck(block, X).passed


def test_three_factors_and_zeros():
    x = X.copy()
    x[0, 0, 0] = 0  # the gradient of a product is no product divided by a factor
    block = Parallel([[], [], Activation("tanh")], merge="multiply")
    y = block.forward(x)
    np.testing.assert_allclose(y, x * x * np.tanh(x), rtol=1e-12)
    dy = gradient_like(y)
    expected = dy * (2 * x * np.tanh(x) + x * x * (1 - np.tanh(x) ** 2))
    np.testing.assert_allclose(block.backward(dy), expected, rtol=1e-10, atol=1e-15)


def test_branches_that_do_not_fit_together():
    with pytest.raises(ValueError, match=r"do not fit for merge='add': \(N, 5, 4, 3\), \(N, 5, 4, 2\)"):
        Parallel([Conv2D(3, 1), []]).build((None, 5, 4, 2))
    with pytest.raises(ValueError, match=r"do not fit for merge='concat': \(N, 4, 3, 3\), \(N, 5, 4, 2\)"):
        Parallel([Conv2D(3, 2), []], merge="concat").forward(X)
    with pytest.raises(ValueError, match="do not fit for merge='add'"):
        Parallel([Flatten(), []]).build((None, 5, 4, 2))
    with pytest.raises(ValueError, match=r"unknown merge 'ad'\. Did you mean 'add'"):
        Parallel([[]], merge="ad")
    with pytest.raises(ValueError, match="expected branches, at least one"):
        Parallel([])
    with pytest.raises(TypeError, match="expected branches to be a list of Layers or lists of Layers"):
        Parallel([[Flatten]])
    with pytest.raises(ValueError, match=r"Conv2D '.*': expected x .* channel axis"):
        Parallel([[], Conv2D(2, 1)]).forward(np.ones((2, 5, 4)))


def test_layers_with_weights_keep_them_in_a_chain():
    dense = Dense(2)
    dense.build((None, 4))
    weights = dense.get_weights()
    for whole in (Chain([Dense(4), dense]), Parallel([dense, Dense(2)])):
        whole.forward(np.ones((2, 4), np.float32))
        for now, then in zip(dense.get_weights(), weights):
            np.testing.assert_array_equal(now, then)
    with pytest.raises(ValueError, match=r"expected x of shape \(N, 4\)"):
        Chain([Dense(5), dense]).build((None, 4))
