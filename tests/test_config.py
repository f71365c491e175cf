"""Objects remember what they were made with, and can be made again from text."""

import inspect
import json

import numpy as np
import pytest
from every_layer import EVERY

import scratchnet as sn
from scratchnet import config, schedules


def again(thing, **options):
    return config.make(json.loads(json.dumps(config.describe(thing, "test"))), **options)


@pytest.mark.parametrize("name", EVERY)
def test_every_layer(name):
    make, shape = EVERY[name]
    layer = make()
    layer.build((None, *shape[1:]))
    other = again(layer)
    other.build((None, *shape[1:]))
    other.set_weights(layer.get_weights())
    assert other.name == layer.name
    x = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_array_equal(layer.forward(x), other.forward(x))
    assert config.describe(other, "test") == config.describe(layer, "test")


@pytest.mark.parametrize(
    "thing",
    [
        sn.Adam(sn.WarmUp(sn.CosineDecay(1e-3, 100, alpha=0.1), 5), beta_1=0.5, clipnorm=1.0),
        sn.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=np.float32(0.01)),
        sn.RMSprop(sn.PiecewiseConstantDecay([10, 20], (0.1, 0.01, 0.001)), centered=True),
        sn.AdamW(weight_decay=0.1),
        sn.Adagrad(sn.ExponentialDecay(0.1, 10, 0.5, staircase=True), initial_accumulator_value=0.5),
        sn.Adadelta(sn.InverseTimeDecay(0.1, 10, 0.5)),
        sn.Adamax(sn.PolynomialDecay(0.1, 10, cycle=True)),
        sn.Nadam(sn.CosineDecayRestarts(0.1, 10, t_mul=1.5), beta_1=0.5),
        sn.Lion(weight_decay=0.1),
        sn.Adam(amsgrad=True),
        sn.SparseCategoricalCrossentropy(label_smoothing=0.1),
        sn.BinaryCrossentropy(from_logits=True),
        sn.MeanSquaredError(),
        sn.TopKCategoricalAccuracy(3),
        sn.initializers.HeNormal(seed=3),
        sn.initializers.Constant(0.5),
        schedules.ConstantRate(0.5),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_everything_else(thing):
    other = again(thing)
    assert type(other) is type(thing)
    assert other.get_config().keys() == thing.get_config().keys()
    assert config.describe(other, "test") == config.describe(thing, "test")


def test_defaults_are_written_down():
    assert sn.Adam().get_config()["epsilon"] == 1e-7
    assert sn.Conv2D(3, 2).get_config()["padding"] == "valid"


def test_what_changed_since():
    optimizer = sn.Adam()
    optimizer.learning_rate = 0.5
    assert again(optimizer).learning_rate == 0.5
    model = sn.Sequential([sn.Flatten(input_shape=(2, 2, 1))])
    model.add(sn.Dense(3))
    assert [type(layer) for layer in again(model).layers] == [sn.Flatten, sn.Dense]


def test_arguments_are_still_what_help_shows():
    assert list(inspect.signature(sn.Conv2D).parameters)[:3] == ["filters", "kernel_size", "strides"]
    assert list(inspect.signature(sn.Adam).parameters)[:2] == ["learning_rate", "beta_1"]


class Scaled(sn.Dense):
    def __init__(self, units, by=2.0, **options):
        super().__init__(units, use_bias=False, **options)
        self.by = by

    def call(self, x, training):
        return super().call(x, training) * self.by


def test_classes_of_ones_own():
    layer = Scaled(3, 4.0)
    assert config.describe(layer, "test")["class"] == "Scaled"
    assert again(layer, custom_objects={"Scaled": Scaled}).by == 4.0
    with pytest.raises(ValueError, match="needs a class 'Scaled' that scratchnet does not have"):
        again(layer)


def test_a_class_with_unnamed_arguments():
    class Many(sn.Layer):
        def __init__(self, *sizes):
            super().__init__()

    with pytest.raises(TypeError, match=r"cannot name \*sizes"):
        Many(1, 2).get_config()


def test_what_text_cannot_hold():
    class Squared(sn.initializers.Initializer):
        def __init__(self, function):
            super().__init__()

    with pytest.raises(TypeError, match=r"kernel_initializer: function.*function"):
        config.describe(sn.Dense(3, kernel_initializer=Squared(lambda v: v)), "Dense")


@pytest.mark.parametrize("name", ["builtins.eval", "os.system", "layers.Chain.__init__", "config.make", "Sequential"])
def test_nothing_but_the_packages_own_classes_is_called(name):
    with pytest.raises(ValueError, match="needs a class"):
        config.make({"class": name, "config": {}})


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match=r"arguments for layers.Dense do not fit: .*unknown argument 'colour'"):
        config.make({"class": "layers.Dense", "config": {"units": 3, "colour": 1}})


class Halves(sn.Schedule):
    """A schedule of a reader's, which keeps an array as it came."""

    def __init__(self, steps, rate):
        self.steps, self.rate = steps, rate

    def __call__(self, step):
        return self.rate * 0.5 ** sum(step > one for one in self.steps)


STEPS, RATES = np.array([10, 20]), np.array([1.0, 0.5, 0.25], np.float32)
FROM_ARRAYS = {
    "arrays": lambda: sn.PiecewiseConstantDecay(STEPS, RATES),
    "lists of NumPy's numbers": lambda: sn.PiecewiseConstantDecay(list(STEPS), tuple(RATES)),
    "CosineDecay": lambda: sn.CosineDecay(
        np.float32(0.25), np.int64(10), np.float64(0.5), warmup_target=np.float32(0.5), warmup_steps=np.int32(3)
    ),
    "WarmUp": lambda: sn.WarmUp(np.float32(0.25), np.int64(3)),
    "WarmUp of one": lambda: sn.WarmUp(sn.PiecewiseConstantDecay(STEPS, RATES), np.int64(3)),
    "ConstantRate": lambda: schedules.ConstantRate(np.float32(0.5)),
    "a reader's": lambda: Halves(STEPS, np.float32(0.5)),
}


@pytest.mark.parametrize("kind", FROM_ARRAYS)
def test_schedules_made_from_arrays_go_into_files(kind, tmp_path):
    model = sn.Sequential([sn.Dense(1, input_shape=(2,))])
    model.compile(sn.SGD(FROM_ARRAYS[kind]()), "mse")
    model.fit(np.ones((4, 2)), np.ones(4), 2, verbose=0)
    model.save(tmp_path / "m.safetensors")
    loaded = sn.load_model(tmp_path / "m.safetensors", {"Halves": Halves}).optimizer
    for step in range(25):
        assert loaded.schedule(step) == model.optimizer.schedule(step)
    json.dumps(model.optimizer.schedule.get_config(), default=lambda inner: inner.get_config())


def test_schedules_hold_plain_numbers():
    one = sn.PiecewiseConstantDecay(STEPS, RATES)
    assert (one.boundaries, one.values) == ([10, 20], [1.0, 0.5, 0.25])
    assert {type(value) for value in [*one.boundaries, *one.values]} == {int, float}
    assert one.get_config() == {"boundaries": [10, 20], "values": [1.0, 0.5, 0.25], "name": "PiecewiseConstant"}
    assert type(FROM_ARRAYS["CosineDecay"]()(5)) is float
    assert schedules.StepDecay is sn.StepDecay is sn.PiecewiseConstantDecay


def test_arrays_of_numbers_are_written_as_lists_and_others_refused():
    assert config.describe(np.array([[1, 2], [3, 4]]), "t") == [[1, 2], [3, 4]]
    assert config.describe({"a": (np.float32(0.5), np.array(True))}, "t") == {"a": [0.5, True]}
    for wrong in (np.array(["a"]), np.array([1j]), np.array([None])):
        with pytest.raises(TypeError, match=r"t: .* of type ndarray cannot be written into a file"):
            config.describe(wrong, "t")
