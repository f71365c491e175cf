"""What holds for every layer: the protocol of forward and backward, dtypes, weights, shapes and names."""

import numpy as np
import pytest
from every_layer import EVERY, PICTURES

import scratchnet as sn
from scratchnet import layers
from scratchnet.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Layer, LeakyReLU, MaxPooling2D, ReLU


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
    assert tried == set(layers.__all__) - {"Layer"}


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
    fresh.__dict__.update(layer.__dict__, _expected_dy=None)
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


def test_logits_leave_the_last_activation_out():
    x, rng = np.random.default_rng(0).normal(size=(4, 5)), np.random.default_rng(1)
    layer = Dense(3, activation="softmax")
    assert layer.head == "softmax"
    z = layer.forward(x, logits=True)
    np.testing.assert_allclose(z, x @ layer.params["kernel"] + layer.params["bias"], rtol=1e-12)
    dz = rng.normal(size=z.shape)
    np.testing.assert_allclose(layer.backward(dz, logits=True), dz @ layer.params["kernel"].T, rtol=1e-12)
    np.testing.assert_allclose(layer.grads["kernel"], x.T @ dz, rtol=1e-12)
    assert Dense(3).head is None
    assert layers.Activation("sigmoid").head == "sigmoid"
    np.testing.assert_array_equal(layers.Activation("sigmoid").forward(x, logits=True), x)


def test_build_with_and_without_the_batch_axis():
    for shape in ((None, 6, 5, 4), (6, 5, 4), [6, 5, 4], (8, 6, 5, 4)):
        layer = Conv2D(2, 3)
        layer.build(shape)
        assert layer.input_shape == (None, 6, 5, 4)
        assert layer.output_shape == (None, 4, 3, 2)
        assert layer.params["kernel"].dtype == np.float32
        np.testing.assert_array_equal(layer.params["bias"], np.zeros(2))


def test_a_built_layer_keeps_its_weights():
    layer = Conv2D(2, 3)
    layer.build((None, 6, 5, 4))
    kernel = layer.params["kernel"]
    layer.build((None, 9, 9, 4))
    assert layer.params["kernel"] is kernel
    assert layer.output_shape == (None, 7, 7, 2)
    with pytest.raises(ValueError, match=r"expected x of shape \(N, H, W, 4\)"):
        layer.build((None, 9, 9, 5))
    chain = layers.Chain([layer, Flatten(), Dense(2)])
    chain.forward(np.ones((1, 5, 5, 4), np.float32))
    assert chain.params["0_conv2d/kernel"] is kernel


def test_float64_weights_are_kept_by_a_float64_input():
    layer = Dense(2)
    layer.build((None, 3))
    kernel = np.random.default_rng(0).normal(size=(3, 2))
    layer.set_weights([kernel, np.zeros(2)])
    layer.forward(np.ones((1, 3)))
    np.testing.assert_array_equal(layer.params["kernel"], kernel)
    # An input that is refused changes nothing either.
    with pytest.raises(ValueError, match="expected x"):
        layer.forward(np.ones((1, 4), np.float32))
    np.testing.assert_array_equal(layer.params["kernel"], kernel)


def test_names_are_counted_as_in_keras():
    one, two = Conv2D(1, 1), Conv2D(1, 1)
    first, second = (int((layer.name + "_0").split("_")[1]) for layer in (one, two))
    assert second == first + 1
    assert Conv2D(1, 1, name="edges").who == "Conv2D 'edges'"
    stems = {ReLU: "re_lu", LeakyReLU: "leaky_re_lu", BatchNormalization: "batch_normalization", Flatten: "flatten"}
    stems |= {MaxPooling2D: "max_pooling2d", layers.Conv2DTranspose: "conv2d_transpose"}
    stems |= {layers.DepthwiseConv2D: "depthwise_conv2d", layers.UpSampling2D: "up_sampling2d"}
    for kind, stem in stems.items():
        arguments = {"filters": 1, "kernel_size": 1} if kind is layers.Conv2DTranspose else {}
        arguments = {"kernel_size": 1} if kind is layers.DepthwiseConv2D else arguments
        assert kind(**arguments).name.startswith(stem)


def test_counts_of_parameters_and_multiply_adds():
    for make, count, work in (
        (lambda: Conv2D(8, (3, 2), padding="same"), 3 * 2 * 4 * 8 + 8, 6 * 5 * 3 * 2 * 4 * 8),
        (lambda: Conv2D(8, 3, strides=2, use_bias=False), 9 * 4 * 8, 2 * 2 * 9 * 4 * 8),
        (lambda: layers.Conv2DTranspose(8, 3, strides=2), 9 * 4 * 8 + 8, 6 * 5 * 9 * 4 * 8),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), 9 * 8 + 8, 4 * 3 * 9 * 8),
        (lambda: Dense(3), 4 * 3 + 3, 6 * 5 * 4 * 3),
        (lambda: BatchNormalization(), 16, 0),
        (lambda: MaxPooling2D(), 0, 0),
    ):
        layer = make()
        layer.build((None, *PICTURES[1:]))
        assert layer.count_params() == count
        assert layer.multiply_adds() == work


def test_batch_normalizations_moving_averages():
    layer = BatchNormalization(momentum=0.9)
    rng = np.random.default_rng(3)
    mean, var = np.zeros(4), np.ones(4)
    for _ in range(3):
        x = rng.normal(2, 3, PICTURES)
        layer.forward(x, training=True)
        mean = 0.9 * mean + 0.1 * x.mean((0, 1, 2))
        var = 0.9 * var + 0.1 * x.var((0, 1, 2))
    np.testing.assert_allclose(layer.state["moving_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(layer.state["moving_variance"], var, rtol=1e-12)
    y = layer.forward(x)  # moves nothing
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(var + 1e-3), rtol=1e-10)
    np.testing.assert_allclose(layer.state["moving_mean"], mean, rtol=1e-12)
    assert list(layer.params) == ["gamma", "beta"]


def test_dropout_drops_in_training_only_and_each_batch_differently():
    sn.set_random_seed(0)
    layer, x = Dropout(0.25), np.ones((200, 50))
    np.testing.assert_array_equal(layer.forward(x), x)
    y = layer.forward(x, training=True)
    assert set(np.unique(y)) == {0, 1 / 0.75}
    assert abs((y == 0).mean() - 0.25) < 0.02
    np.testing.assert_array_equal(layer.backward(x), y)  # the same mask
    assert np.any(layer.forward(x, training=True) != y)
    fresh = Dropout(0.25, seed=3), Dropout(0.25, seed=3)
    np.testing.assert_array_equal(*(layer.forward(x, training=True) for layer in fresh))
    np.testing.assert_array_equal(Dropout(0.0).forward(x, training=True), x)


def test_dropouts_mask_is_the_same_in_float32():
    x = np.ones((20, 30))
    wide, narrow = (Dropout(0.5, seed=1).forward(x.astype(t), training=True) for t in (np.float64, np.float32))
    np.testing.assert_array_equal(wide, narrow)


def test_a_layer_of_ones_own():
    class Square(Layer):
        def compute(self, x, training):
            self.x = x
            return x * x

        def differentiate(self, dy, param_grads, input_grad):
            return 2 * self.x * dy

    assert sn.gradcheck(Square(), np.random.default_rng(0).normal(size=(2, 3))).passed
    assert Square().name.startswith("square")
