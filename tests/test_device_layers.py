"""Every layer on a stand-in device, to the bits of the CPU."""

import numpy as np
import pytest
import stand_in
from every_layer import EVERY
from on_both import LABELS, PICTURES, ROWS, SCORES, SEED, assert_same, assert_same_weights, same, twice
from stand_in import Array, put

import scratchnet as sn
from scratchnet import initializers
from scratchnet.activations.kinds import FORMULAS

pytestmark = pytest.mark.usefixtures("stand_in_device")


WITHOUT_KERNEL = (
    *("ActivityRegularization", "Flatten", "Reshape", "ZeroPadding2D", "Activation linear", "Chain of none"),
    *("CenterCrop", "Cropping2D", "RandomBrightness"),
    *("Permute", "RepeatVector", "Identity", "UnitNormalization", "UnitNormalization axes"),
    *("Activation log_softmax", *(f"Activation {name}" for name in FORMULAS)),
)
RANDOM = (
    *("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianNoise", "GaussianDropout", "StochasticDepth"),
    *("Dropout of channels", "AlphaDropout of rows"),
    *(name for name in EVERY if name.startswith("Random")),
)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", EVERY)
def test_every_layer(name, training):
    make, shape = EVERY[name]
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    ours, cpus = twice(make, x, training)
    y = cpus.forward(x, training=training)
    assert_same(ours.forward(put(x), training=training), y)
    dy = np.random.default_rng(2).normal(size=y.shape).astype(np.float32)
    assert_same(ours.backward(put(dy)), cpus.backward(dy))
    assert_same_weights(ours, cpus)
    assert bool(stand_in.reached) != (name in WITHOUT_KERNEL or (name in RANDOM and not training))
    ours.zero_grads()
    assert not any(bool((g != 0).any()) for g in ours.grads.values())


@pytest.mark.parametrize("name", EVERY)
def test_every_layer_turns_to_float64(name):
    make, shape = EVERY[name]
    x = np.random.default_rng(1).normal(size=shape)
    ours, cpus = twice(make, x.astype(np.float32))
    for dtype in (np.float32, np.float64):
        assert_same(ours.forward(put(x, dtype)), cpus.forward(x.astype(dtype)))
    assert_same_weights(ours, cpus)


def test_weights_come_and_go_as_numpy_arrays():
    x = ROWS
    ours, cpus = twice(lambda: sn.Dense(3), x)
    assert all(isinstance(w, np.ndarray) for w in ours.get_weights())
    weights = [w + 1 for w in cpus.get_weights()]
    ours.set_weights(weights)
    cpus.set_weights(weights)
    assert_same(ours.forward(put(x)), cpus.forward(x))


def test_a_layer_that_is_added_follows_the_model():
    """Its weights are made where those are that the model has, also inside of a layer made of layers."""
    x = ROWS
    built, _ = twice(lambda: sn.Dense(4, name="built"), x)
    for first in (sn.Dense(4, name="first"), built):
        model = sn.Sequential([first])
        if not model.built:
            model.forward(put(x))
        assert model.device.name == stand_in.NAME
        model.add(sn.Parallel([[sn.Dense(4)], [sn.Chain([sn.Dense(4)])]]))
        assert all(isinstance(array, Array) for array in model.params.values())
        assert isinstance(model.forward(put(x)), Array)


def test_layers_without_weights_take_arrays_of_any_device():
    model = sn.Sequential([sn.Rescaling(2.0), sn.Flatten(), sn.Activation("relu"), sn.Dropout(0.5, seed=1)])
    for on in (put, same, put):
        y = model.forward(on(PICTURES), training=True)
        assert isinstance(y, type(on(PICTURES)))
        assert isinstance(model.backward(y), type(y))


def test_normalization_adapts_on_the_device():
    ours, cpus = twice(sn.Normalization, PICTURES)
    ours.adapt(put(PICTURES))
    cpus.adapt(PICTURES)
    assert_same(ours.forward(put(PICTURES)), cpus.forward(PICTURES))


def test_every_initializer_draws_the_same_numbers_for_every_device():
    for name in initializers.INITIALIZERS:
        ours, cpus = twice(lambda name=name: sn.Dense(3, kernel_initializer=name), ROWS)
        assert_same_weights(ours, cpus)


def test_moving_statistics_stay_on_the_device():
    ours, cpus = twice(sn.BatchNormalization)
    for part in (PICTURES[:16], PICTURES[16:]):
        ours.forward(put(part), training=True)
        cpus.forward(part, training=True)
    assert set(ours.state) == {"moving_mean", "moving_variance"}
    assert_same_weights(ours, cpus)
    assert_same(ours.forward(put(PICTURES)), cpus.forward(PICTURES))


@pytest.mark.parametrize("name", ["Conv2D same, strides", "Dense softmax", "BatchNormalization", "Parallel multiply"])
def test_gradients_are_checked_on_the_device(name):
    make, shape = EVERY[name]
    sn.set_random_seed(SEED)
    report = sn.gradcheck(make(), put(np.random.default_rng(1).normal(size=shape)), samples=20)
    assert report.passed, report


def test_the_gradients_of_a_loss_are_checked_on_the_device():
    assert sn.gradcheck(sn.SparseCategoricalCrossentropy(True), put(SCORES), y_true=LABELS).passed
