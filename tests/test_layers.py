"""What holds for every layer: the protocol of forward and backward, dtypes, weights and shapes."""

import numpy as np
import pytest
from every_layer import EVERY

import scratchnet as sn
from scratchnet import layers
from scratchnet.layers.merging import Merge


@pytest.fixture(params=EVERY)
def case(request):
    """(layer, x, dy), the layer run forward once in training; float64."""
    sn.set_random_seed(7)
    make, shape = EVERY[request.param]
    rng = np.random.default_rng(1)
    layer, x = make(), rng.normal(size=shape)
    dy = rng.normal(size=layer.forward(x, training=True).shape)
    return layer, x, dy


def copies(arrays):
    return {name: array.copy() for name, array in arrays.items()}


def assert_same(some, others):
    assert some.keys() == others.keys()
    for name in some:
        np.testing.assert_array_equal(some[name], others[name])


def test_every_public_layer_is_among_them():
    tried = {type(make()).__name__ for make, _ in EVERY.values()}
    kinds = {name for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    several = {name for name in kinds if issubclass(getattr(layers, name), Merge)}  # test_merging.py has those
    assert tried == kinds - several - {"Embedding", "InputLayer", "Layer"}  # test_embedding.py: whole numbers


def test_gradients_of_every_layer_are_right(case):
    layer, x, _ = case
    for training in (True, False):
        report = sn.gradcheck(layer, x, training=training, samples=30)
        assert report.passed, f"training={training}\n{report}"


def test_grads_have_the_names_shapes_and_dtype_of_params(case):
    layer, x, dy = case
    layer.backward(dy)
    assert list(layer.grads) == list(layer.params)
    for name, gradient in layer.grads.items():
        assert gradient.shape == layer.params[name].shape
        assert gradient.dtype == x.dtype
        assert np.any(gradient)


def test_gradients_add_up_until_they_are_zeroed(case):
    layer, _, dy = case
    dx = layer.backward(dy)
    once = copies(layer.grads)
    again = layer.backward(dy)
    np.testing.assert_array_equal(dx, again)
    assert_same(layer.grads, {name: 2 * gradient for name, gradient in once.items()})
    layer.zero_grads()
    assert_same(layer.grads, {name: np.zeros_like(gradient) for name, gradient in once.items()})


def test_backward_that_leaves_out_a_part(case):
    layer, _, dy = case
    dx = layer.backward(dy)
    grads = copies(layer.grads)
    np.testing.assert_array_equal(layer.backward(dy, param_grads=False), dx)
    assert_same(layer.grads, grads)
    layer.zero_grads()
    assert layer.backward(dy, input_grad=False) is None
    assert_same(layer.grads, grads)


def test_arguments_are_not_changed_and_results_are_the_callers(case):
    layer, x, dy = case
    x_before, dy_before = x.copy(), dy.copy()
    y = layer.forward(x)
    dx = layer.backward(dy)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(dy, dy_before)
    for result in (y, dx):
        assert result.flags.writeable
        assert not np.may_share_memory(result, x)
        assert not np.may_share_memory(result, dy)
    # Whatever the caller does with the results, the next backward is the same.
    expected, y[...] = dx.copy(), np.nan
    dx[...] = np.nan
    np.testing.assert_array_equal(layer.backward(dy), expected)


def test_results_of_one_call_outlive_the_next(case):
    layer, x, dy = case
    y, dx = layer.forward(x), layer.backward(dy)
    y_before, dx_before = y.copy(), dx.copy()
    layer.forward(x + 1)
    layer.backward(dy + 1)
    np.testing.assert_array_equal(y, y_before)
    np.testing.assert_array_equal(dx, dx_before)


def test_inputs_that_are_not_contiguous(case):
    layer, x, dy = case
    layer.zero_grads()
    y, dx = layer.forward(x), layer.backward(dy)
    grads = copies(layer.grads)
    layer.zero_grads()
    np.testing.assert_array_equal(layer.forward(np.asfortranarray(x)), y)
    np.testing.assert_array_equal(layer.backward(np.repeat(dy, 2, axis=-1)[..., ::2]), dx)
    assert_same(layer.grads, grads)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_inputs_dtype_throughout(case, dtype):
    layer, x, dy = case
    for training in (True, False):
        y = layer.forward(x.astype(dtype), training=training)
        dx = layer.backward(dy)
        arrays = [y, dx, *layer.params.values(), *layer.grads.values(), *layer.state.values()]
        assert {a.dtype for a in arrays} == {np.dtype(dtype)}


def test_float32_is_float64_rounded(case):
    layer, x, dy = case
    layer.zero_grads()
    expected = [layer.forward(x), layer.backward(dy), *copies(layer.grads).values()]
    layer.zero_grads()
    actual = [layer.forward(x.astype(np.float32)), layer.backward(dy.astype(np.float32)), *layer.grads.values()]
    for a, e in zip(actual, expected):
        np.testing.assert_allclose(a, e, rtol=0, atol=2e-6 * max(1, np.abs(e).max()))


def test_other_dtypes_become_float32(case):
    layer, x, _ = case
    whole = np.random.default_rng(0).integers(0, 256, x.shape, dtype=np.uint8)
    y = layer.forward(whole)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, layer.forward(whole.astype(np.float32)))
    assert layer.forward(whole.tolist()).dtype == np.float32


def test_shapes_are_known_before_they_are_computed(case):
    layer, x, dy = case
    assert layer.built
    assert layer.input_shape == (None, *x.shape[1:])
    assert layer.output_shape == (None, *dy.shape[1:])
    assert layer.compute_output_shape(layer.input_shape) == layer.output_shape
    assert layer.forward(x[:1]).shape == (1, *dy.shape[1:])


def test_weights_round_trip(case):
    layer, x, _ = case
    y = layer.forward(x)
    weights = layer.get_weights()
    assert len(weights) == len(layer.params) + len(layer.state)
    assert layer.count_params() == sum(w.size for w in weights)
    for w in weights:
        w += 1  # a copy
    np.testing.assert_array_equal(layer.forward(x), y)
    layer.set_weights(weights)
    for w, expected in zip(layer.get_weights(), weights):
        np.testing.assert_array_equal(w, expected)
    for w in weights:
        w[...] = np.nan  # still a copy
    assert not any(np.isnan(w).any() for w in layer.get_weights())


def test_backward_before_forward(case):
    layer, _, dy = case
    fresh = type(layer).__new__(type(layer))
    fresh.__dict__.update(layer.__dict__, _output_shape_now=None)
    with pytest.raises(RuntimeError, match=f"{type(layer).__name__} '.*': backward before forward. Call y = "):
        fresh.backward(dy)


def test_dy_of_a_wrong_shape(case):
    layer, _, dy = case
    for wrong in (dy[:-1], dy[..., None], dy.reshape(-1)):
        with pytest.raises(ValueError, match=r"expected dy of the output's shape \(.*\), got \(") as caught:
            layer.backward(wrong)
        assert str(wrong.shape) in str(caught.value)


def test_a_single_example_needs_a_batch_axis(case):
    layer, x, _ = case
    with pytest.raises(ValueError, match="expected"):
        layer.forward(x.reshape(-1)[:2])
    with pytest.raises(ValueError, match="at least"):
        layer.forward(x[:0])
