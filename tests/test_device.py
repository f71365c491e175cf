"""Nothing but the type of an array picks the device: all that touches arrays, run on a device that stands in for a GPU.

Its arrays refuse to become NumPy's, as CuPy's do, and its kernels are the CPU's: so each result must be an array of the
device, with the bits of the CPU's.
"""

import copy
import pickle
import re

import numpy as np
import pytest
import stand_in
from every_layer import EVERY
from stand_in import Array, put

import scratchnet as sn
from scratchnet import device, divergence, gan, initializers, kernels, losses, metrics, optimizers
from scratchnet.averaging import MovingAverage

SEED = 3
RNG = np.random.default_rng(0)
PICTURES = RNG.normal(size=(24, 8, 8, 2)).astype(np.float32)
LABELS = np.arange(24) % 3


@pytest.fixture(autouse=True)
def _registered():
    with stand_in.registered():
        yield


def assert_same(ours, cpus):
    """An array of the device, with the dtype and the bits of one of the CPU."""
    assert isinstance(ours, Array)
    assert ours.dtype == cpus.dtype
    np.testing.assert_array_equal(ours.get(), cpus)


def assert_same_weights(ours, cpus):
    for part in ("params", "grads", "state"):
        some, others = getattr(ours, part), getattr(cpus, part)
        assert list(some) == list(others)
        for name in some:
            assert_same(some[name], others[name])


def same(x):
    """Where arrays of the CPU stay."""
    return x


def twice(make, x=None, training=False):
    """(ours, the CPU's): two of the same, with the same random numbers; with an x, run forward once each."""
    pair = []
    for on in (put, same):
        sn.set_random_seed(SEED)
        pair.append(make())
        if x is not None:
            pair[-1].forward(on(x), training=training)
    return pair


def classifier(input_shape=None):
    model = sn.Sequential(
        [
            sn.Conv2D(4, 3, padding="same", use_bias=False, name="conv", input_shape=input_shape),
            sn.BatchNormalization(name="norm"),
            sn.ReLU(name="relu"),
            sn.Parallel([sn.Conv2D(4, 1, name="inner"), sn.Chain([], name="identity")], name="shortcut"),
            sn.MaxPooling2D(name="pool"),
            sn.Dropout(0.3, name="dropout"),
            sn.Flatten(name="flatten"),
            sn.Dense(3, activation="softmax", name="scores"),
        ],
        name="model",
    )
    model.compile(sn.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def classifiers():
    """(ours, the CPU's): a classifier whose weights are on the device, and one on the CPU."""
    return twice(classifier, PICTURES)


# The stand-in, which must be as strict as the device that it stands for.


def test_an_array_of_the_device_never_becomes_one_of_numpy_by_itself():
    x = put(PICTURES)
    for convert in (np.asarray, np.array, np.ascontiguousarray, memoryview, lambda x: np.empty(x.shape)[...] + x):
        with pytest.raises(TypeError):
            convert(x)
    for function in (np.sum, np.exp, np.zeros_like, lambda x: np.concatenate([x]), lambda x: np.may_share_memory(x, x)):
        with pytest.raises(TypeError):
            function(x)
    with pytest.raises(TypeError, match="Implicit conversion"):
        np.zeros(x.shape)[...] = x


def test_arrays_of_two_devices_do_not_mix():
    x, y = put(PICTURES), PICTURES
    for mix in (lambda: x + y, lambda: y + x, lambda: x * y, lambda: y == x, lambda: x < y):
        with pytest.raises(TypeError):
            mix()
    with pytest.raises(TypeError):
        x[...] = y
    with pytest.raises(TypeError):
        x += y
    with pytest.raises(TypeError, match="NumPy array"):
        stand_in.module.stack([x, y])
    with pytest.raises(TypeError, match="NumPy array"):
        kernels.of(x).dense(x.reshape(24, -1), np.zeros((128, 3), np.float32), None)


class Converting(sn.Dense):
    """A layer as nobody should write it."""

    def call(self, x, training):
        return super().call(np.asarray(x), training)


class ConvertingBack(sn.Dense):
    def call_backward(self, dy, param_grads, input_grad):
        return super().call_backward(np.asarray(dy), param_grads, input_grad)


def test_a_layer_that_converts_is_found_out():
    """What these tests are for: one np.asarray in a forward or a backward, and they fail."""
    x = put(PICTURES.reshape(24, -1))
    with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
        Converting(3).forward(x)
    layer = ConvertingBack(3)
    y = layer.forward(x)
    with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
        layer.backward(y)


@pytest.mark.parametrize("room", [losses, metrics, optimizers, divergence, gan.losses])
def test_a_room_that_takes_numpys_functions_is_found_out(room, monkeypatch):
    monkeypatch.setattr(room, "array_module", lambda x: np)
    p, g = {"w": put([1.0, 2.0])}, {"w": put([0.1, 0.2])}
    use = {
        losses: lambda: losses.MeanSquaredError()(put([[1.0]]), put([[2.0]])),
        metrics: lambda: metrics.TopKCategoricalAccuracy(1).update(put([1]), put([[0.2, 0.8]])),
        optimizers: lambda: sn.Adam().update(p, g),
        divergence: lambda: divergence.all_finite(classifiers()[0]),
        gan.losses: lambda: gan.losses.Hinge().real(put([[1.0]])),
    }
    with pytest.raises(TypeError):
        use[room]()


# device.py itself.


def test_what_is_said_of_arrays():
    x, here = put([1.0, 2.0]), device.named(stand_in.NAME)
    assert device.device_of(x) is here
    assert device.array_module(x) is stand_in.module
    assert device.device_of(PICTURES) is device.CPU
    assert device.array_module(PICTURES) is device.array_module([1, 2]) is np
    assert device.device_of([1, 2]) is None
    assert kernels.of(x) is stand_in.kernels
    with pytest.raises(TypeError, match="list"):
        kernels.of([1, 2])


def test_ways_onto_the_device_and_off_it():
    x = put([1.0, 2.0])
    assert device.as_array(x) is x
    assert device.as_array(x, np.float64) is x
    assert device.as_array(x, np.float32).dtype == np.float32
    assert isinstance(device.as_array([1, 2]), np.ndarray)
    assert device.to_numpy(PICTURES) is PICTURES
    np.testing.assert_array_equal(device.to_numpy(x), [1, 2])
    assert device.to_device(x, stand_in.NAME) is x
    assert device.to_device(PICTURES, "cpu") is PICTURES
    for came in ([1, 2], np.array([1, 2])):
        assert_same(device.to_device(came, stand_in.NAME), np.array([1, 2]))
        assert_same(device.like(came, x), np.array([1, 2]))
    for there in (device.to_device(x, device.CPU), device.like(x, PICTURES)):
        assert isinstance(there, np.ndarray)
        np.testing.assert_array_equal(there, [1, 2])


def test_a_device_that_is_not_there():
    with pytest.raises(ValueError, match=r"unknown device 'gpu_7'\. Known: cpu, stand_in"):
        device.to_device(PICTURES, "gpu_7")
    device.unregister(stand_in.NAME)
    with pytest.raises(ValueError, match="unknown device 'stand_in'"):
        device.named(stand_in.NAME)


def test_a_copied_device_is_the_same_one():
    here = device.named(stand_in.NAME)
    assert copy.deepcopy(here) is here
    assert pickle.loads(pickle.dumps(here)) is here


# Layers.

WITHOUT_KERNEL = ("Flatten", "Reshape", "ZeroPadding2D", "Activation linear", "Chain of none")


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
    assert bool(stand_in.reached) != (name in WITHOUT_KERNEL or (name == "Dropout" and not training))
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
    x = PICTURES.reshape(24, -1)
    ours, cpus = twice(lambda: sn.Dense(3), x)
    assert all(isinstance(w, np.ndarray) for w in ours.get_weights())
    weights = [w + 1 for w in cpus.get_weights()]
    ours.set_weights(weights)
    cpus.set_weights(weights)
    assert_same(ours.forward(put(x)), cpus.forward(x))


def test_a_layer_that_is_added_follows_the_model():
    """Its weights are made where those are that the model has, also inside of a layer made of layers."""
    x = PICTURES.reshape(24, -1)
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
        ours, cpus = twice(lambda name=name: sn.Dense(3, kernel_initializer=name), PICTURES.reshape(24, -1))
        assert_same_weights(ours, cpus)


def test_moving_statistics_stay_on_the_device():
    ours, cpus = twice(sn.BatchNormalization)
    for part in (PICTURES[:16], PICTURES[16:]):
        ours.forward(put(part), training=True)
        cpus.forward(part, training=True)
    assert set(ours.state) == {"moving_mean", "moving_variance"}
    assert_same_weights(ours, cpus)
    assert_same(ours.forward(put(PICTURES)), cpus.forward(PICTURES))


# Losses, metrics, optimizers.

SCORES = RNG.normal(size=(24, 3)).astype(np.float32)
SHARES = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
WEIGHTS = RNG.random(24)
LOSSES = {
    "sparse": (sn.SparseCategoricalCrossentropy, LABELS, SHARES),
    "categorical": (sn.CategoricalCrossentropy, np.eye(3)[LABELS], SHARES),
    "binary": (sn.BinaryCrossentropy, (LABELS == 1).astype(float), SHARES[:, :1]),
    "mse": (sn.MeanSquaredError, SCORES[::-1].copy(), SHARES),
}
OPTIONS = [{}, {"from_logits": True}, {"label_smoothing": 0.1}, {"from_logits": True, "label_smoothing": 0.1}]


def test_every_loss_is_among_them():
    assert {loss for loss, _, _ in LOSSES.values()} == set(losses.LOSSES.values())


@pytest.mark.parametrize("weight", [None, WEIGHTS])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name, options, weight):
    make, y, p = LOSSES[name]
    loss = make(**options) if name != "mse" else make()
    value, dy = loss(y, p, weight)
    on_it = None if weight is None else put(weight)
    for arguments in ((put(y), put(p), on_it), (y, put(p), weight), (y.tolist(), put(p), on_it)):
        ours, gradient = loss(*arguments)
        assert isinstance(ours, float)
        assert ours == value
        assert_same(gradient, dy)


def test_labels_on_the_device_follow_predictions_on_the_cpu():
    make, y, p = LOSSES["sparse"]
    value, dy = make()(put(y), p)
    assert isinstance(dy, np.ndarray)
    assert value == make()(y, p)[0]


@pytest.mark.parametrize(
    ("y", "p", "said"),
    [
        ([0, 3], SHARES[:2], "expected labels from 0 to 2, got 3"),
        ([0.5, 1], SHARES[:2], "whole numbers"),
        ([0], SHARES[:2], "as many labels"),
        ([0, 1], 0 * SHARES[:2], "a row with the sum 0"),
    ],
)
def test_a_loss_says_what_is_wrong_on_the_device(y, p, said):
    with pytest.raises(ValueError, match=said):
        sn.SparseCategoricalCrossentropy()(put(y), put(p))


def test_a_loss_says_which_weights_are_wrong_on_the_device():
    with pytest.raises(ValueError, match="got -1 to 1"):
        sn.MeanSquaredError()(put([[1.0], [2.0]]), put([[1.0], [2.0]]), put([-1.0, 1.0]))
    with pytest.raises(ValueError, match="from 0 to 1, got -3 to 2"):
        sn.BinaryCrossentropy()(put([[-3.0], [2.0]]), put([[0.5], [0.5]]))


@pytest.mark.parametrize("make", [metrics.Accuracy, metrics.BinaryAccuracy, lambda: metrics.TopKCategoricalAccuracy(2)])
def test_every_metric(make):
    y, p = ((LABELS == 1)[:, None], SHARES[:, :1]) if make is metrics.BinaryAccuracy else (LABELS, SHARES)
    cpus = make()
    cpus.update(y, p)
    for labels in (y, put(y)):
        ours = make()
        ours.update(labels, put(p))
        assert isinstance(ours.result(), float)
        assert ours.result() == cpus.result()
    assert 0 < cpus.result() < 1


def test_confusion_matrix_is_a_table_for_people():
    table = sn.metrics.confusion_matrix(put(LABELS), put(SHARES))
    assert isinstance(table, np.ndarray)
    np.testing.assert_array_equal(table, sn.metrics.confusion_matrix(LABELS, SHARES))


OPTIMIZERS = {
    "sgd": lambda: sn.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop": lambda: sn.RMSprop(0.1, momentum=0.5, centered=True, clipvalue=0.5),
    "adam": lambda: sn.Adam(0.1, clipnorm=0.5),
    "adamw": lambda: sn.AdamW(0.1, global_clipnorm=0.5),
}


def some_weights(on=same):
    rng = np.random.default_rng(5)
    draw = lambda dtype: {"a": on(rng.normal(size=(3, 4)).astype(dtype)), "b": on(rng.normal(size=4))}  # noqa: E731
    return draw(np.float32), [draw(np.float32) for _ in range(3)]


def test_every_optimizer_is_among_them():
    assert set(OPTIMIZERS) == set(optimizers.OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name):
    ours, cpus = twice(OPTIMIZERS[name])
    (p, gradients), (q, cpus_gradients) = some_weights(put), some_weights()
    before = copy.copy(p)
    for g, h in zip(gradients, cpus_gradients):
        ours.update(p, g)
        cpus.update(q, h)
    for weight in p:
        assert p[weight] is before[weight]  # moved in place
        assert_same(p[weight], q[weight])
        for slot in cpus.memory:
            assert_same(ours.state[weight][slot], cpus.state[weight][slot])
    assert stand_in.reached["adam" if name == "adamw" else name] == 2 * 3  # for float32 and float64, three times


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_on_from_memory_out_of_a_file(name):
    ours, cpus = twice(OPTIMIZERS[name])
    (p, gradients), (q, cpus_gradients) = some_weights(put), some_weights()
    cpus.update(q, cpus_gradients[0])
    ours.set_state(cpus.get_state())
    for weight in p:
        p[weight][...] = put(q[weight])
    ours.update(p, gradients[1])
    cpus.update(q, cpus_gradients[1])
    for weight in p:
        assert_same(p[weight], q[weight])
        for slot in cpus.memory:
            assert_same(ours.state[weight][slot], cpus.state[weight][slot])


# Training.


def test_train_step():
    ours, cpus = classifiers()
    optimizer, cpus_optimizer = twice(lambda: sn.Adam(0.01))
    for start in (0, 8, 16):
        x, y = PICTURES[start : start + 8], LABELS[start : start + 8]
        value, z = sn.train_step(cpus, cpus.loss, cpus_optimizer, x, y)
        own, scores = sn.train_step(ours, ours.loss, optimizer, put(x), put(y))
        assert own == value
        assert_same(scores, z)
    assert_same_weights(ours, cpus)


@pytest.mark.parametrize("data", ["data on the CPU", "data on the device"])
def test_train_on_batch_evaluate_and_predict(data):
    """A model on the device takes examples from anywhere."""
    ours, cpus = classifiers()
    x, y, weight = (PICTURES, LABELS, WEIGHTS) if "CPU" in data else (put(PICTURES), put(LABELS), put(WEIGHTS))
    for _ in range(2):
        logs = ours.train_on_batch(x, y, sample_weight=weight, class_weight={1: 2.0})
        assert logs == cpus.train_on_batch(PICTURES, LABELS, sample_weight=WEIGHTS, class_weight={1: 2.0})
    assert_same_weights(ours, cpus)
    found = ours.evaluate(x, y, batch_size=7, verbose=0, sample_weight=weight)
    assert found == cpus.evaluate(PICTURES, LABELS, batch_size=7, verbose=0, sample_weight=WEIGHTS)
    predicted = ours.predict(x, batch_size=7)
    assert isinstance(predicted, np.ndarray)
    np.testing.assert_array_equal(predicted, cpus.predict(PICTURES, batch_size=7))


def fit(model, x, y, **options):
    sn.set_random_seed(SEED)
    options = {"validation_split": 0.25, "augment": sn.Augment(1, value_range=(-4, 4)), **options}
    return model.fit(x, y, epochs=2, batch_size=8, verbose=0, **options).history


@pytest.mark.parametrize("input_shape", [None, (8, 8, 2)])
def test_fit(input_shape):
    """With the examples on the device, a model that is not built is built there; one on the CPU stays there."""
    ours, cpus = twice(lambda: classifier(input_shape))
    watchers = lambda: [sn.ExponentialMovingAverage(0.9), sn.EarlyStopping(restore_best_weights=True)]  # noqa: E731
    history = fit(ours, put(PICTURES), put(LABELS), callbacks=watchers())
    assert history == fit(cpus, PICTURES, LABELS, callbacks=watchers())
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    if input_shape is None:
        assert_same_weights(ours, cpus)
        assert all(isinstance(a, Array) for memory in ours.optimizer.state.values() for a in memory.values())
    else:
        assert all(isinstance(array, np.ndarray) for array in ours.params.values())
    for some, others in zip(ours.get_weights(), cpus.get_weights()):
        np.testing.assert_array_equal(some, others)


@pytest.mark.parametrize("validation", [{}, {"validation_split": 0, "validation_data": (PICTURES[:9], LABELS[:9])}])
def test_fit_brings_batches_to_the_device_of_the_model(validation):
    ours, cpus = classifiers()
    stand_in.reached.clear()
    assert fit(ours, PICTURES, LABELS, **validation) == fit(cpus, PICTURES, LABELS, **validation)
    assert_same_weights(ours, cpus)
    assert stand_in.reached["adam"] == 2 * 3


def test_what_fit_says_of_bad_data_on_the_device():
    model = classifier()
    x = PICTURES.copy()
    x[5, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match=re.escape("NaN or infinity in x, first in x[5]")):
        model.fit(put(x), put(LABELS), verbose=0)
    with pytest.warns(UserWarning, match=r"whole numbers \(uint8, up to 9\)"):
        model.predict(put(np.arange(10, dtype=np.uint8).repeat(64).reshape(5, 8, 8, 2)))


def test_a_run_that_diverges_goes_back():
    """The last good weights are brought back, and the fault is found, on the device as on the CPU."""
    said = []
    for model, on in zip(classifiers(), (put, same)):
        before = model.get_weights()
        model.layers[-1].params["kernel"][0, 0] = np.inf
        with pytest.raises(sn.DivergedError) as caught:
            model.fit(on(PICTURES), on(LABELS), verbose=0)
        said.append(str(caught.value))
        assert [w.shape for w in before] == [w.shape for w in model.get_weights()]
    assert said[0] == said[1]
    assert "in kernel of Dense 'scores'" in said[0]


def test_moving_average():
    ours, cpus = classifiers()
    average, cpus_average = MovingAverage(ours, 0.9), MovingAverage(cpus, 0.9)
    for model, one, on in ((ours, average, put), (cpus, cpus_average, same)):
        for _ in range(2):
            model.train_on_batch(on(PICTURES), on(LABELS))
            one.update()
    for name in average.average:
        assert_same(average.average[name], cpus_average.average[name])
    with average.in_place(), cpus_average.in_place():
        assert_same_weights(ours, cpus)
    assert_same_weights(ours, cpus)
    assert stand_in.reached["moving_average"] == 2


# Files.


def test_saved_on_the_device_and_loaded_on_the_cpu_and_back(tmp_path):
    ours, cpus = classifiers()
    for model, name in ((ours, "ours"), (cpus, "cpus")):
        fit(model, PICTURES, LABELS)
        model.save(tmp_path / name)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "cpus").read_bytes()
    loaded = sn.load_model(tmp_path / "ours")
    assert all(isinstance(array, np.ndarray) for array in {**loaded.params, **loaded.state}.values())
    np.testing.assert_array_equal(loaded.predict(PICTURES), ours.predict(PICTURES))
    back, _ = classifiers()
    back.load_weights(tmp_path / "cpus")
    for part in ("params", "state"):
        for name, array in getattr(cpus, part).items():
            assert_same(getattr(back, part)[name], array)


class Stopped(Exception):
    """What ends a run in the middle."""


class Stops(sn.Callback):
    runs_last = True

    def __init__(self, after):
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if not self.after:
            raise Stopped


def callbacks(folder, *more):
    return [sn.ExponentialMovingAverage(0.9), sn.BackupAndRestore(folder, save_freq=1), *more]


def test_a_run_is_resumed_on_the_device(tmp_path):
    whole, _ = classifiers()
    history = fit(whole, PICTURES, LABELS, callbacks=callbacks(tmp_path / "whole"))
    with pytest.raises(Stopped):
        fit(classifiers()[0], PICTURES, LABELS, callbacks=callbacks(tmp_path / "broken", Stops(4)))
    resumed, _ = classifiers()
    rest = [sn.ExponentialMovingAverage(0.9), sn.BackupAndRestore(tmp_path / "broken", save_freq=1), Stops(100)]
    assert fit(resumed, PICTURES, LABELS, callbacks=rest) == history
    assert_same_weights(resumed, _on_cpu(whole))


def _on_cpu(model):
    """The weights of a model on the device, as NumPy arrays."""

    class Weights:
        params, grads, state = (
            {name: array.get() for name, array in getattr(model, part).items()} for part in ("params", "grads", "state")
        )

    return Weights


# GANs.


def networks():
    generator = sn.Sequential(
        [
            sn.Dense(32, name="g1", use_bias=False),
            sn.BatchNormalization(name="g2"),
            sn.ReLU(name="g3"),
            sn.Reshape((4, 4, 2), name="g4"),
            sn.Conv2DTranspose(2, 4, strides=2, padding="same", activation="tanh", name="g5"),
        ],
        name="g",
    )
    discriminator = sn.Sequential(
        [
            sn.SpectralNormalization(sn.Conv2D(4, 3, strides=2, activation="leaky_relu", name="d0"), name="d1"),
            sn.Flatten(name="d2"),
            sn.Dense(1, name="d3"),
        ],
        name="d",
    )
    return generator, discriminator


def make_gan(on, **options):
    sn.set_random_seed(SEED)
    generator, discriminator = networks()
    generator.forward(on(np.zeros((2, 5), np.float32)))
    discriminator.forward(on(np.zeros((2, 8, 8, 2), np.float32)))
    both = sn.GAN(generator, discriminator, latent_dim=5, average=0.9)
    both.compile(instance_noise=0.1, translation=1, **options)
    return both


REAL = np.clip(PICTURES, -1, 1)


@pytest.mark.parametrize("loss", gan.losses.LOSSES)
def test_gan_losses(loss):
    loss = gan.losses.get(loss)
    z = RNG.normal(size=(6, 1)).astype(np.float32)
    for part in (loss.real, loss.fake, loss.generator):
        value, dz = part(z)
        own, gradient = part(put(z))
        assert isinstance(own, float)
        assert own == value
        assert_same(gradient, dz)
    assert_same(loss.probability(put(z)), loss.probability(z))


@pytest.mark.parametrize("loss", gan.losses.LOSSES)
def test_gan_steps(loss):
    ours, cpus = make_gan(put, loss=loss), make_gan(same, loss=loss)
    found = []
    for both, on in ((ours, put), (cpus, same)):
        sn.set_random_seed(SEED)
        fake = both.generator.forward(on(both.latents(24)), training=True)
        optimizers = both.optimizer.both
        step = gan.discriminator_step
        judged = step(both.discriminator, both.loss, optimizers["discriminator"], on(REAL), fake, both.tricks)
        g_loss = gan.generator_step(
            both.generator, both.discriminator, both.loss, optimizers["generator"], fake, both.tricks
        )
        found.append((judged.loss, g_loss))
    assert found[0] == found[1]
    assert_same_weights(ours.generator, cpus.generator)
    assert_same_weights(ours.discriminator, cpus.discriminator)


@pytest.mark.parametrize("real", [REAL, (REAL * 127 + 127).astype(np.uint8)])
def test_gan_training(real, tmp_path):
    ours, cpus = make_gan(put), make_gan(same)
    for batch in (real, put(real)):
        sn.set_random_seed(SEED)
        logs = ours.train_on_batch(batch)
        sn.set_random_seed(SEED)
        assert logs == cpus.train_on_batch(real)
    histories = []
    for both in (ours, cpus):
        sn.set_random_seed(SEED)
        monitor = gan.GANMonitor(n=8, verbose=0)
        histories.append(both.fit(real, epochs=2, batch_size=8, callbacks=[monitor], verbose=0).history)
    assert histories[0] == histories[1]
    for role in ("generator", "discriminator"):
        assert_same_weights(getattr(ours, role), getattr(cpus, role))
    for name, array in cpus.state.items():
        assert_same(ours.state[name], array)  # the average of G among them
    pictures = ours.generate(7, seed=1)
    assert isinstance(pictures, np.ndarray)
    np.testing.assert_array_equal(pictures, cpus.generate(7, seed=1))
    ours.save(tmp_path / "gan")
    np.testing.assert_array_equal(sn.load_model(tmp_path / "gan").generate(7, seed=1), pictures)


def test_what_the_doctor_measures_of_pictures_on_the_device():
    ours, cpus = make_gan(put), make_gan(same)
    for both, on in ((ours, put), (cpus, same)):
        sn.set_random_seed(SEED)
        both.fit(on(REAL), epochs=1, batch_size=8, verbose=0)
    for measure in (gan.relative_diversity, gan.separation):
        assert measure(ours) == measure(cpus)
    assert repr(gan.diagnose(ours)) == repr(gan.diagnose(cpus))


# Arrays of two devices.


def test_a_layer_says_that_its_input_is_on_another_device():
    x = PICTURES.reshape(24, -1)
    for layer, first, then, names in (
        (sn.Dense(3, name="dense"), put(x), x, ("'stand_in'", "'cpu'")),
        (sn.Dense(3, name="dense"), x, put(x), ("'cpu'", "'stand_in'")),
    ):
        y = layer.forward(first)
        with pytest.raises(TypeError, match=f"Dense 'dense': expected x on {names[0]}.*{names[1]}.*Bring"):
            layer.forward(then)
        dy = put(y) if isinstance(y, np.ndarray) else y.get()
        with pytest.raises(TypeError, match=f"Dense 'dense': expected dy on {names[0]}.*{names[1]}.*Bring"):
            layer.backward(dy)


def test_a_model_says_that_its_input_is_on_another_device():
    with pytest.raises(TypeError, match=r"'stand_in'.*'cpu'.*Bring"):
        classifiers()[0].forward(PICTURES)


def test_an_optimizer_says_that_gradients_are_on_another_device():
    said = "Adam: the gradient of 'w' is on 'cpu', expected it on 'stand_in', where the weights are. Bring it there"
    with pytest.raises(TypeError, match=said):
        sn.Adam().update({"w": put([1.0])}, {"w": np.array([1.0])})


# Gradients.


@pytest.mark.parametrize("name", ["Conv2D same, strides", "Dense softmax", "BatchNormalization", "Parallel multiply"])
def test_gradients_are_checked_on_the_device(name):
    make, shape = EVERY[name]
    sn.set_random_seed(SEED)
    report = sn.gradcheck(make(), put(np.random.default_rng(1).normal(size=shape)), samples=20)
    assert report.passed, report


def test_the_gradients_of_a_loss_are_checked_on_the_device():
    assert sn.gradcheck(sn.SparseCategoricalCrossentropy(True), put(SCORES), y_true=LABELS).passed
