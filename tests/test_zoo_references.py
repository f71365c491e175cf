"""The networks of the article's references: their numbers of parameters, and that small ones take a step."""

from functools import partial

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.zoo.efficientnet import round_filters, round_repeats
from scratchnet.zoo.se_resnet import squeeze_excitation

# Each network as it is by default, with its number of parameters.
PARAMETERS = {
    "alexnet": 60_965_224,
    "densenet_40": 1_037_818,
    "densenet_121": 8_062_504,
    "efficientnet_b0": 5_330_571,
    "efficientnet_small": 485_686,
    "inception_small": 267_138,
    "inception_v3": 23_851_784,
    "resnet_20": 274_042,
    "resnet_50": 25_636_712,
    "resnet_56": 860_026,
    "se_resnet_20": 276_415,
    "se_resnet_50": 28_167_704,
}
# Each with pictures and classes so few that a step takes a moment.
SMALL = {
    "alexnet": lambda: sn.zoo.alexnet((67, 67, 3), 10),
    "densenet_40": lambda: sn.zoo.densenet_40((12, 8, 3), 10),
    "densenet_40, nothing concatenated": lambda: sn.zoo.densenet_40((12, 8, 3), 10, concatenate=False),
    "efficientnet_small": lambda: sn.zoo.efficientnet_small((12, 8, 3), 10, stochastic_depth=0),
    "efficientnet_small, full": lambda: sn.zoo.efficientnet_small((12, 8, 3), depthwise=False, stochastic_depth=0),
    "inception_small": lambda: sn.zoo.inception_small((12, 8, 3), 10),
    "inception_small, no branches": lambda: sn.zoo.inception_small((12, 8, 3), 10, branches=False),
    "resnet_20": lambda: sn.zoo.resnet_20((12, 8, 3), 10),
    "resnet_20, no shortcuts": lambda: sn.zoo.resnet_20((12, 8, 3), 10, shortcuts=False),
    "resnet_20, pre-activation": lambda: sn.zoo.resnet_20((12, 8, 3), 10, pre_activation=True),
    "se_resnet_20": lambda: sn.zoo.se_resnet_20((12, 8, 3), 10, reduction=2),
}
# Those for pictures of 32 x 32, whole.
CIFAR = ["densenet_40", "efficientnet_small", "inception_small", "resnet_20", "se_resnet_20"]


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


@pytest.mark.parametrize("name", CIFAR)
def test_a_step_lowers_the_loss_of_its_batch(name):
    sn.set_random_seed(0)
    model = getattr(sn.zoo, name)(first=[sn.Rescaling(1 / 255)])
    (x, y), _ = sn.datasets.shapes10.load_data(8, 0, seed=0)
    model.compile(sn.SGD(0.01), "sparse_categorical_crossentropy")
    before = model.train_on_batch(x, y)
    assert model.train_on_batch(x, y) < before


@pytest.mark.parametrize("name", SMALL)
def test_saved_and_loaded(name, tmp_path):
    model = SMALL[name]()
    x = np.random.default_rng(0).normal(size=(2, *model.input_shape[1:])).astype(np.float32)
    model.forward(x, training=True)  # moves the averages
    model.save(tmp_path / "m.safetensors")
    again = sn.load_model(tmp_path / "m.safetensors")
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def kinds(model):
    return {type(layer) for layer in model.layers}


def test_without_shortcuts():
    plain, residual = sn.zoo.resnet_56(shortcuts=False), sn.zoo.resnet_56()
    assert kinds(residual) - kinds(plain) == {sn.layers.Add}
    # What is missing besides: two shortcuts' convolutions 1 x 1 and their normalizations.
    assert residual.count_params() - plain.count_params() == 16 * 32 + 32 * 64 + 4 * (32 + 64)


def test_densenet_40_without_concatenation_costs_the_same():
    plain, dense = sn.zoo.densenet_40(concatenate=False), sn.zoo.densenet_40()
    assert kinds(dense) - kinds(plain) == {sn.layers.Concatenate}
    count = [sum(isinstance(layer, sn.Conv2D) for layer in model.layers) for model in (plain, dense)]
    assert count == [39, 39]  # and the dense layer
    assert plain.multiply_adds() == pytest.approx(dense.multiply_adds(), rel=0.01)
    assert plain.count_params() == pytest.approx(dense.count_params(), rel=0.02)


def test_a_dense_layers_input_is_all_that_was_before():
    convolutions = [layer for layer in sn.zoo.densenet_40().layers if isinstance(layer, sn.Conv2D)]
    channels = [layer.params["kernel"].shape[2] for layer in convolutions]
    blocks = [list(range(start, start + 144, 12)) for start in (16, 160, 304)]
    assert channels == [3, *blocks[0], 160, *blocks[1], 304, *blocks[2]]


def test_se_resnet_20_is_resnet_20_and_what_is_named():
    excited, residual = sn.zoo.se_resnet_20(), sn.zoo.resnet_20()
    assert kinds(excited) - kinds(residual) == {sn.layers.Multiply}
    added = 3 * sum(2 * c * c // 16 + c // 16 + c for c in (16, 32, 64))
    assert excited.count_params() - residual.count_params() == added


def test_squeeze_excitation_is_its_formula():
    inputs = sn.Input((5, 4, 6))
    model = sn.Model(inputs, squeeze_excitation(inputs, 2))
    rng = np.random.default_rng(0)
    w_1, b_1, w_2, b_2 = weights = [rng.normal(size=w.shape).astype(np.float32) for w in model.get_weights()]
    model.set_weights(weights)
    x = rng.normal(size=(3, 5, 4, 6)).astype(np.float32)
    z = x.mean(axis=(1, 2))
    s = 1 / (1 + np.exp(-(np.maximum(z @ w_1 + b_1, 0) @ w_2 + b_2)))
    assert w_1.shape == (6, 3)
    np.testing.assert_allclose(model.predict(x), x * s[:, None, None], rtol=1e-5, atol=1e-6)
    assert sn.gradcheck(model, x.astype(np.float64)).passed


@pytest.mark.parametrize("reduction", [0, -1, 1.5])
def test_no_such_reduction(reduction):
    with pytest.raises((TypeError, ValueError), match="reduction"):
        sn.zoo.se_resnet_20(reduction=reduction)


@pytest.mark.parametrize(
    ("plain", "whole", "layer"),
    [
        (partial(sn.zoo.inception_small, branches=False), sn.zoo.inception_small, sn.layers.Concatenate),
        (partial(sn.zoo.efficientnet_small, depthwise=False), sn.zoo.efficientnet_small, sn.layers.DepthwiseConv2D),
    ],
)
def test_without_the_idea_the_work_is_the_same(plain, whole, layer):
    plain, whole = plain(), whole()
    assert layer in kinds(whole) - kinds(plain)
    assert plain.multiply_adds() == pytest.approx(whole.multiply_adds(), rel=0.01)


def test_compound_scaling():
    assert sn.zoo.compound_scaling(0) == (1, 1, 1)
    assert sn.zoo.compound_scaling(1) == (1.2, 1.1, 1.15)
    assert sn.zoo.compound_scaling(2, 1.5, 1.0, 2.0) == (2.25, 1, 4)
    depth, width, resolution = sn.zoo.compound_scaling(1)
    assert depth * width**2 * resolution**2 == pytest.approx(1.92, abs=0.005)
    with pytest.raises(ValueError, match="beta to be a finite number of at least 1, got"):
        sn.zoo.compound_scaling(1, beta=0.5)


def test_round_filters_and_repeats():
    assert [round_filters(filters, 1.1) for filters in (16, 24, 32, 40, 112, 320, 1280)] == [
        16, 24, 32, 48, 120, 352, 1408,
    ]  # fmt: skip
    assert round_filters(24, 0.5) == 16  # 12 would go to 8, a third less
    assert [round_repeats(repeats, 1.2) for repeats in (1, 2, 3, 4)] == [2, 3, 4, 5]


@pytest.mark.parametrize(("size", "depth", "width", "count"), [(240, 1.1, 1.0, 7_856_239), (260, 1.2, 1.1, 9_177_569)])
def test_the_larger_efficientnets_have_keras_s_numbers(size, depth, width, count):
    assert sn.zoo.efficientnet_b0((size, size, 3), depth=depth, width=width).count_params() == count


def test_the_farther_on_the_more_often_a_branch_is_left_out():
    layers = sn.zoo.efficientnet_b0().layers
    rates = [layer.rate for layer in layers if isinstance(layer, sn.layers.StochasticDepth)]
    assert rates == pytest.approx([0.2 * block / 16 for block in (2, 4, 6, 7, 9, 10, 12, 13, 14)])


def test_inceptions_auxiliary_classifier_learns_beside_the_other():
    model = sn.zoo.inception_v3((107, 107, 3), 10, auxiliary=True)
    assert [layer.name for layer in model.layers if isinstance(layer, sn.Dense)] == ["predictions", "auxiliary"]
    assert model.get_layer("auxiliary").input_shape == (None, 768)
    model.compile(sn.SGD(0.01), "sparse_categorical_crossentropy", loss_weights=[1, 0.4])
    before = [layer.get_weights()[0] for layer in (model.get_layer("auxiliary"), model.get_layer("predictions"))]
    x, y = np.random.default_rng(0).normal(size=(2, 107, 107, 3)).astype(np.float32), np.array([3, 7])
    assert np.isfinite(model.train_on_batch(x, [y, y])).all()
    after = [layer.get_weights()[0] for layer in (model.get_layer("auxiliary"), model.get_layer("predictions"))]
    assert not any(np.array_equal(a, b) for a, b in zip(before, after))


def test_inceptions_parameters_with_the_auxiliary_classifier(monkeypatch):
    for kind in (sn.initializers.RandomNormal, sn.initializers.VarianceScaling):
        monkeypatch.setattr(kind, "draw", lambda self, shape, rng: np.broadcast_to(np.float32(0), shape))
    monkeypatch.setattr(sn.initializers.TruncatedNormal, "draw", sn.initializers.RandomNormal.draw)
    model = sn.zoo.inception_v3(auxiliary=True)
    assert model.count_params() == 27_179_376
