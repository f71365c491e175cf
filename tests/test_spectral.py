"""Spectral normalization: the power iteration against NumPy's singular values and against loops, by hand."""

import numpy as np
import pytest

import scratchnet as sn

LAYERS = {
    "Dense": (lambda: sn.Dense(4), (3, 6)),
    "Conv2D": (lambda: sn.Conv2D(4, (2, 3), strides=2, padding="same"), (2, 5, 6, 3)),
    "Conv2DTranspose": (lambda: sn.Conv2DTranspose(4, 4, strides=2, padding="same"), (2, 3, 3, 5)),
}


@pytest.fixture(params=LAYERS)
def case(request):
    """(layer, x in float64), built."""
    sn.set_random_seed(3)
    make, shape = LAYERS[request.param]
    layer, x = sn.SpectralNormalization(make()), np.random.default_rng(1).normal(size=shape)
    layer.forward(x)
    return layer, x


def matrix(layer, kernel):
    """The kernel with a column for each output, by loops."""
    transposed = isinstance(layer.layer, sn.Conv2DTranspose)
    outputs = kernel.shape[-2 if transposed else -1]
    columns = [(kernel[..., f, :] if transposed else kernel[..., f]).reshape(-1) for f in range(outputs)]
    return np.stack(columns, axis=1)


def iterate(m, u):
    """One power iteration by loops: (v, u, sigma)."""
    rows, columns = m.shape
    v = [sum(m[r, c] * u[c] for c in range(columns)) for r in range(rows)]
    v = [e / sum(a * a for a in v) ** 0.5 for e in v]
    u = [sum(m[r, c] * v[r] for r in range(rows)) for c in range(columns)]
    u = [e / sum(a * a for a in u) ** 0.5 for e in u]
    return v, u, sum(v[r] * m[r, c] * u[c] for r in range(rows) for c in range(columns))


def test_one_iteration_is_that_of_the_loops(case):
    layer, x = case
    for _ in range(3):
        v, u, sigma = iterate(matrix(layer, layer.params["kernel"]), layer.state["u"])
        y = layer.forward(x, training=True)
        np.testing.assert_allclose(layer.state["u"], u, rtol=1e-10)
        np.testing.assert_allclose(layer.v, v, rtol=1e-10)
        np.testing.assert_allclose(layer.sigma, sigma, rtol=1e-10)
    plain = LAYERS[type(layer.layer).__name__][0]()
    plain.build((None, *x.shape[1:]))
    plain.set_weights([layer.params["kernel"] / sigma, layer.params["bias"]])
    np.testing.assert_allclose(y, plain.forward(x), rtol=1e-10, atol=1e-12)


def test_sigma_comes_to_the_largest_singular_value(case):
    layer, x = case
    for _ in range(200):
        layer.forward(x, training=True)
    largest = np.linalg.norm(matrix(layer, layer.params["kernel"]), 2)
    np.testing.assert_allclose(layer.sigma, largest, rtol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(matrix(layer, layer.w_bar), 2), 1, rtol=1e-8)
    layer.forward(x)
    np.testing.assert_allclose(layer.sigma, largest, rtol=1e-8)


def test_gradient_for_the_kernel_is_the_formula(case):
    layer, x = case
    y = layer.forward(x, training=True)
    dy = np.random.default_rng(2).normal(size=y.shape)
    layer.zero_grads()
    layer.backward(dy)
    plain = LAYERS[type(layer.layer).__name__][0]()
    plain.build((None, *x.shape[1:]))
    plain.set_weights([layer.w_bar, layer.params["bias"]])
    plain.forward(x)
    plain.zero_grads()
    plain.backward(dy)
    dw_bar, w_bar = matrix(layer, plain.grads["kernel"]), matrix(layer, layer.w_bar)
    expected = (dw_bar - np.sum(dw_bar * w_bar) * np.outer(layer.v, layer.u)) / layer.sigma
    np.testing.assert_allclose(matrix(layer, layer.grads["kernel"]), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(layer.grads["bias"], plain.grads["bias"], rtol=1e-12)


def test_u_moves_in_training_only(case):
    layer, x = case
    u = layer.state["u"].copy()
    layer.forward(x)
    np.testing.assert_array_equal(layer.state["u"], u)
    layer.forward(x, training=True)
    assert not np.array_equal(layer.state["u"], u)


def test_held_fixed_it_takes_no_gradients(case):
    layer, x = case
    y = layer.forward(x, training=True)
    layer.zero_grads()
    dx = layer.backward(y, param_grads=False)
    assert np.any(dx)
    assert not any(np.any(g) for g in layer.grads.values())


def test_it_trains_is_saved_and_loaded(tmp_path):
    sn.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 6, 6, 2)).astype(np.float32)
    y = (x.mean(axis=(1, 2, 3)) > 0).astype(np.float32)
    model = sn.Sequential([sn.SpectralNormalization(sn.Conv2D(8, 3, activation="relu", input_shape=(6, 6, 2)))])
    for layer in (sn.Flatten(), sn.SpectralNormalization(sn.Dense(1, activation="sigmoid"), power_iterations=2)):
        model.add(layer)
    model.compile(sn.Adam(0.01), "binary_crossentropy")
    losses = model.fit(x, y, 16, 5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.output_activation == "sigmoid"  # the loss works from the scores before it
    model.summary()
    model.save(tmp_path / "m.safetensors")
    other = sn.load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(other.predict(x), model.predict(x))
    assert other.layers[2].power_iterations == 2
    for m in (model, other):
        sn.set_random_seed(1)
        m.fit(x, y, 16, 1, verbose=0)
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_errors():
    with pytest.raises(TypeError, match="expected a Dense, Conv2D or Conv2DTranspose"):
        sn.SpectralNormalization(sn.BatchNormalization())
    with pytest.raises(ValueError, match="power_iterations"):
        sn.SpectralNormalization(sn.Dense(2), 0)
    layer = sn.SpectralNormalization(sn.Dense(2, kernel_initializer="zeros"))
    assert np.isfinite(layer.forward(np.ones((2, 3), np.float32), training=True)).all()
    with pytest.raises(RuntimeError, match="backward before forward"):
        sn.SpectralNormalization(sn.Dense(2)).backward(np.ones((2, 2)))


def gain(layer):
    """The largest singular value of the kernel that the layer computes with."""
    return np.linalg.norm(matrix(layer, layer.w_bar).astype(np.float64), 2)


def rank_one(rows, columns):
    rng = np.random.default_rng(4)
    return rng.normal(size=(rows, 1)) @ rng.normal(size=(1, columns))


KERNELS = {
    "of rank one": rank_one(40, 60),
    "of two directions": np.diag([1.0, 1.2] + [0.0] * 38) @ np.ones((40, 60)) + np.eye(40, 60),
    "with one large row": np.diag([100.0, *[1.0] * 39]) @ np.eye(40, 60),
    "random": np.random.default_rng(5).normal(size=(40, 60)),
    "tiny": rank_one(40, 60) * 1e-6,
}


@pytest.mark.parametrize("kernel", KERNELS)
def test_inference_before_training_is_by_the_largest_singular_value(kernel):
    layer = sn.SpectralNormalization(sn.Dense(60, use_bias=False))
    layer.build((None, 40))
    x = np.ones((2, 40), np.float32)
    layer.forward(x)
    assert abs(gain(layer) - 1) < 0.02
    layer.set_weights([KERNELS[kernel].astype(np.float32), layer.state["u"]])
    y = layer.forward(x)
    assert abs(gain(layer) - 1) < 0.02
    np.testing.assert_array_equal(layer.forward(x), y)
    layer.params["kernel"] *= 3  # in place: y must not change, but to rounding
    np.testing.assert_allclose(layer.forward(x), y, rtol=1e-3, atol=1e-5)


def test_a_vector_of_another_kernel_does_not_mislead_inference():
    """u along the second singular vector: iterations from it alone would stay there."""
    layer = sn.SpectralNormalization(sn.Dense(3, use_bias=False))
    layer.build((None, 3))
    layer.set_weights([np.diag([1.0, 100.0, 2.0]).astype(np.float32), np.array([1.0, 0, 0], np.float32)])
    layer.forward(np.ones((1, 3), np.float32))
    np.testing.assert_allclose(layer.sigma, 100, rtol=1e-4)
    np.testing.assert_array_equal(layer.state["u"], [1, 0, 0])


def test_a_kernel_of_zeros_starts_to_learn_and_does_not_diverge():
    sn.set_random_seed(0)
    layer = sn.SpectralNormalization(sn.Dense(4, kernel_initializer="zeros", use_bias=False))
    x, optimizer = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32), sn.SGD(0.1)
    for _ in range(30):
        y = layer.forward(x, training=True)
        layer.zero_grads()
        layer.backward((y - x[:, :4]) / 8)
        optimizer.update(layer.params, layer.grads)
        assert np.abs(layer.params["kernel"]).max() < 100
    layer.forward(x)
    np.testing.assert_allclose(gain(layer), 1, rtol=1e-3)
