"""The networks of the article's references: their numbers of parameters, and that small ones take a step."""

import numpy as np
import pytest

import scratchnet as sn

# Each network as it is by default, with its number of parameters.
PARAMETERS = {
    "alexnet": 60_965_224,
}
# Each with pictures and classes so few that a step takes a moment.
SMALL = {
    "alexnet": lambda: sn.zoo.alexnet((67, 67, 3), 10),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_number_of_parameters(name, monkeypatch):
    for kind in (sn.initializers.RandomNormal, sn.initializers.VarianceScaling):  # drawing them takes long
        monkeypatch.setattr(kind, "draw", lambda self, shape, rng: np.broadcast_to(np.float32(0), shape))
    assert getattr(sn.zoo, name)().count_params() == PARAMETERS[name]


def loss_of(model, x, y, gradient=False):
    loss = sn.SparseCategoricalCrossentropy()
    value, dy = loss.value_and_gradient(y, model.forward(x))
    if gradient:
        model.backward(dy, input_grad=False)
    return value


@pytest.mark.parametrize("name", SMALL)
def test_the_gradient_is_the_slope(name):
    """Along the gradient g itself, in float64, all weights moved at once: the loss changes by |g| times the way."""
    sn.set_random_seed(0)
    model = SMALL[name]()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, *model.input_shape[1:])), np.array([3, 7])
    loss_of(model, x, y, gradient=True)
    assert all(np.isfinite(g).all() and g.any() for g in model.grads.values())
    size = np.sqrt(sum((g**2).sum() for g in model.grads.values()))
    way, values = 1e-6, []
    for step in (way, -2 * way):
        for key, g in model.grads.items():
            array = model.params[key]
            array += step / size * g
        values.append(loss_of(model, x, y))
    assert (values[0] - values[1]) / (2 * way) == pytest.approx(size, rel=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_a_step_moves_every_weight(name):
    sn.set_random_seed(0)
    model = SMALL[name]()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, *model.input_shape[1:])).astype(np.float32), np.array([3, 7])
    model.compile(sn.SGD(1e-3), "sparse_categorical_crossentropy")
    before = {key: array.copy() for key, array in model.params.items()}
    assert np.isfinite(model.train_on_batch(x, y))
    for key, array in model.params.items():
        assert np.isfinite(array).all()
        assert not np.array_equal(array, before[key]), key


def test_alexnet_is_the_papers_layer_by_layer():
    model = sn.zoo.alexnet((67, 67, 3), 10)
    convolutions = [layer for layer in model.layers if isinstance(layer, sn.Conv2D)]
    shapes = [layer.params["kernel"].shape for layer in convolutions]
    assert shapes == [(11, 11, 3, 96), (5, 5, 48, 256), (3, 3, 256, 384), (3, 3, 192, 384), (3, 3, 192, 256)]
    dense = [layer for layer in model.layers if isinstance(layer, sn.Dense)]
    with_weights = convolutions + dense
    assert [float(layer.params["bias"].min()) for layer in with_weights] == [0, 1, 0, 1, 1, 1, 1, 0]
    for layer in with_weights:
        assert layer.params["kernel"].std() == pytest.approx(0.01, rel=0.05)
    at_full_size = [layer.compute_output_shape((None, 227, 227, 3)) for layer in convolutions[:1]]
    assert at_full_size == [(None, 55, 55, 96)]
