"""Activations: functions of arrays, and all that a layer takes for its argument `activation`."""

import inspect
import math

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import activations
from scratchnet.activations.kinds import FORMULAS
from scratchnet.activations.names import MAKERS
from scratchnet.layers.fusion import KernelReLU, NormalizationReLU

RNG = np.random.default_rng(0)
NAMES = sorted(activations.FUNCTIONS)
ROWS = ("softmax", "log_softmax")  # not elementwise
X = RNG.normal(size=(3, 7)) * 2


# As functions of arrays.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_the_layer(name, dtype):
    x = X.astype(dtype)
    before, y = x.copy(), getattr(activations, name)(x)
    np.testing.assert_array_equal(y, sn.Activation(name).forward(x))
    assert y.dtype == dtype
    assert not np.may_share_memory(x, y)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("name", NAMES)
def test_settings_have_their_defaults_once(name):
    """Those of the function, which Keras has, and those of what a name makes."""
    given = {n: p.default for n, p in inspect.signature(getattr(activations, name)).parameters.items() if n != "x"}
    made = {} if MAKERS[name] is None else inspect.signature(MAKERS[name]).parameters
    assert given == {n: p.default for n, p in made.items()}


def test_lists_numbers_and_whole_numbers():
    assert activations.relu([-1, 2]).tolist() == [0, 2]
    assert activations.relu([-1, 2]).dtype == np.float32
    assert float(activations.softsign(3.0)) == 0.75
    assert activations.log_sigmoid(0.0).shape == ()
    assert activations.linear(X).tolist() == X.tolist()


def test_settings():
    x = np.array([-2.0, -0.3, 0.0, 0.3, 5.0])
    assert activations.relu(x, negative_slope=0.5, max_value=4).tolist() == [-1, -0.15, 0, 0.3, 4]
    assert activations.relu(x, threshold=1).tolist() == [0, 0, 0, 0, 5]
    assert activations.leaky_relu(x, 0.5).tolist() == [-1, -0.15, 0, 0.3, 5]
    np.testing.assert_allclose(activations.elu(x, 0.5)[:2], 0.5 * np.expm1(x[:2]))
    np.testing.assert_allclose(activations.celu(x, 0.5)[:2], 0.5 * np.expm1(x[:2] / 0.5))
    assert activations.hard_shrink(x, 1).tolist() == [-2, 0, 0, 0, 5]
    assert activations.soft_shrink(x, 1).tolist() == [-1, 0, 0, 0, 4]
    np.testing.assert_allclose(activations.squareplus(x, 1.0), (x + np.sqrt(x * x + 1)) / 2)
    np.testing.assert_allclose(activations.softmax(X, axis=0).sum(axis=0), 1)
    np.testing.assert_allclose(activations.log_softmax(X, axis=0), np.log(activations.softmax(X, axis=0)))


BY_HAND = {
    "exponential": math.exp,
    "hard_shrink": lambda v: v if abs(v) > 0.5 else 0,
    "hard_tanh": lambda v: min(max(v, -1), 1),
    "log_sigmoid": lambda v: math.log(1 / (1 + math.exp(-v))),
    "relu6": lambda v: min(max(v, 0), 6),
    "soft_shrink": lambda v: v - 0.5 if v > 0.5 else v + 0.5 if v < -0.5 else 0,
    "softsign": lambda v: v / (1 + abs(v)),
    "sparse_plus": lambda v: 0 if v <= -1 else v if v >= 1 else (v + 1) ** 2 / 4,
    "sparse_sigmoid": lambda v: min(max((v + 1) / 2, 0), 1),
    "squareplus": lambda v: (v + math.sqrt(v * v + 4)) / 2,
    "tanh_shrink": lambda v: v - math.tanh(v),
}


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_what_is_put_together_from_array_operations(name):
    """The others are kernels, which have tests and reference loops of their own."""
    x = np.concatenate([np.linspace(-7, 7, 57), [0.5, -0.5]])
    np.testing.assert_allclose(getattr(activations, name)(x), [BY_HAND[name](v) for v in x.tolist()], atol=1e-15)
    assert FORMULAS.keys() <= BY_HAND.keys()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_large_numbers_and_nan(name, dtype):
    """Without a warning, which would be an error here."""
    huge = np.finfo(dtype).max
    x = np.array([[-huge, -1e4, np.nan, 1e4, huge]], dtype)
    if name in ROWS:
        x[0, 2] = 0
    layer = sn.Activation(name)
    y = layer.forward(x)
    dx = layer.backward(np.ones_like(y))
    assert np.isnan(y).tolist() == [[False, False, name not in ROWS, False, False]]
    finite = np.isfinite(np.delete(y, 2))
    assert finite.all() or name in ("exponential", "log_softmax", "selu")
    assert not np.isnan(np.delete(dx, 2)).any()


def test_a_row_of_log_softmax_that_has_no_maximum():
    y = activations.log_softmax(np.array([[-np.inf, -np.inf], [-np.inf, 0.0]]))
    assert np.isnan(y[0]).all()
    assert y[1].tolist() == [-np.inf, 0]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: activations.celu(X, 0.0), "celu: expected alpha to be a finite number above 0, got 0.0"),
        (lambda: activations.softmax(X, 2), "softmax: expected axis from -2 to 1.* for an x of 2 axes, got 2"),
        (lambda: activations.relu("x"), "relu: expected x to be an array of numbers, got 'x'"),
        (lambda: activations.log_softmax(np.zeros((2, 0))), "log_softmax: expected x with numbers along its axis"),
    ],
)
def test_wrong_arguments_of_functions(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_what_stands_for_an_array_is_asked():
    class Tensor:
        def activated(self, name, settings):
            return name, settings

    assert activations.gelu(Tensor(), approximate=True) == ("gelu", {"approximate": True})
    assert activations.linear(Tensor()) == ("linear", {})


# Names, functions, and back.


def test_get_serialize_deserialize():
    assert activations.get(None) is activations.get("linear") is activations.linear
    assert activations.get("ReLU") is activations.relu
    assert activations.get("swish") is activations.swish is activations.silu
    assert activations.get(activations.gelu) is activations.gelu
    assert activations.serialize(activations.hard_swish) == "hard_silu"
    for name in NAMES:
        assert activations.deserialize(activations.serialize(getattr(activations, name))) is getattr(activations, name)
    written = activations.serialize(Power(3))
    assert written == {"class": "Power", "config": {"exponent": 3}}
    assert activations.deserialize(written, {"Power": Power}).exponent == 3
    with pytest.raises(ValueError, match=r"get: unknown activation 'rleu'. Did you mean 'relu'"):
        activations.get("rleu")


class Power(activations.Function):
    """One of a reader's own, as the docstring of Function shows it."""

    def __init__(self, exponent=2):
        self.exponent = exponent

    def forward(self, x):
        self.kept = x
        return x**self.exponent

    def backward(self, dy):
        return self.exponent * self.kept ** (self.exponent - 1) * dy


class Cube:
    """An object of no class of ours, which keeps its output, and forgets about float32."""

    def forward(self, x):
        self.y = np.asarray(x, np.float64) ** 3
        return self.y

    def backward(self, dy):
        return 3 * np.cbrt(self.y) ** 2 * dy


class Cubic(sn.Layer):
    """A layer of a reader's own."""

    def call(self, x, training):
        self.x = x
        return x**3

    def call_backward(self, dy, param_grads, input_grad):
        return 3 * self.x**2 * dy


GIVEN = {
    "a function": (lambda: activations.gelu, "gelu"),
    "get": (lambda: activations.get("tanh"), "tanh"),
    "swish": (lambda: activations.swish, "silu"),
    "a layer": (lambda: sn.LeakyReLU(0.3), "leaky_relu"),
    "a layer with alpha": (lambda: sn.LeakyReLU(alpha=0.1), "leaky_relu"),
    "ReLU": (lambda: sn.ReLU(max_value=1.0), "relu"),
    "ELU": (lambda: sn.ELU(0.5), "elu"),
    "Softmax": (lambda: sn.Softmax(), "softmax"),
    "Activation": (lambda: sn.Activation("mish"), "mish"),
    "Function": (lambda: Power(3), "Power()"),
    "an object": (Cube, "Cube()"),
    "a layer of one's own": (Cubic, "Cubic()"),
    "nothing": (lambda: activations.linear, None),
    "a layer that does nothing": (lambda: sn.Activation("linear"), None),
}


@pytest.mark.parametrize("make", [lambda a: sn.Dense(4, activation=a), sn.Activation], ids=["Dense", "Activation"])
@pytest.mark.parametrize("kind", GIVEN)
def test_what_a_layer_takes(kind, make):
    given, name = GIVEN[kind]
    layer = make(given())
    assert layer.output_activation == name
    assert sn.gradcheck(layer, X), kind
    y = layer.forward(X.astype(np.float32))
    assert y.dtype == layer.backward(y).dtype == np.float32


@pytest.mark.parametrize("layer", [sn.LeakyReLU, sn.ELU, lambda: Power(3), Cube, Cubic])
def test_two_layers_may_get_one_object(layer):
    def model(one, other):
        sn.set_random_seed(0)
        return sn.Sequential([sn.Dense(4, activation=one, input_shape=(7,)), sn.Dense(3, activation=other)])

    shared, x, dy = layer(), X[:3], RNG.normal(size=(3, 3))
    together, apart = model(shared, shared), model(layer(), layer())
    np.testing.assert_array_equal(together.forward(x), apart.forward(x))
    np.testing.assert_array_equal(together.backward(dy), apart.backward(dy))


def test_what_a_caller_does_to_an_output_does_not_change_the_gradient():
    for given, _ in GIVEN.values():
        layer = sn.Activation(given())
        layer.forward(X)
        expected = layer.backward(X)
        layer.forward(X)[...] = -1
        np.testing.assert_array_equal(layer.backward(X), expected)


@pytest.mark.parametrize("kind", [kind for kind in GIVEN if kind not in ("an object",)])
def test_what_a_layer_takes_goes_into_files(kind, tmp_path):
    model = sn.Sequential([sn.Dense(4, activation=GIVEN[kind][0](), input_shape=(7,)), sn.Activation(GIVEN[kind][0]())])
    model.save(tmp_path / "m.safetensors")
    loaded = sn.load_model(tmp_path / "m.safetensors", {"Power": Power, "Cubic": Cubic})
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert loaded.output_activation == model.output_activation


def test_a_function_is_written_by_its_name():
    assert sn.Dense(3, activation=activations.hard_swish).get_config()["activation"] == "hard_silu"
    assert sn.Activation(activations.selu).get_config()["activation"] == "selu"


def test_an_object_of_no_class_of_ours_cannot_be_written(tmp_path):
    model = sn.Sequential([sn.Dense(4, activation=Cube(), input_shape=(7,))])
    with pytest.raises(TypeError, match=r"activation: .*Cube.* cannot be written into a file"):
        model.save(tmp_path / "m.safetensors")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (lambda x: x, "got <function <lambda> at .*, a function without its backward. There is no autograd that finds"),
        (np.tanh, "There is no autograd .* shows how to write it. Here it is activation='tanh'."),
        (Power, "got <class .*Power'>. A class needs its brackets: Power()"),
        (sn.PReLU(name="p"), "got <PReLU 'p'>. Put it behind: model.add"),
        (sn.Dropout(0.5, name="d"), "got <Dropout 'd'>. Put it behind: model.add"),
        (3, "expected activation to be a name such as 'relu', .* got 3"),
        ("rleu", "unknown activation 'rleu'. Did you mean 'relu'"),
    ],
)
def test_what_a_layer_does_not_take(given, text):
    with pytest.raises(ValueError, match=text) as caught:
        sn.Dense(3, activation=given)
    assert str(caught.value).startswith("Dense: ")


class WithWeights(sn.Layer):
    def create_weights(self, input_shape):
        self.add_weight((1,), "ones", name="a")


class Wrong:
    def __init__(self, forward, backward=lambda dy: dy):
        self.forward, self.backward = forward, backward


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (WithWeights(), r"WithWeights\(\): expected activation to have no weights, got a, which the model would not"),
        (Wrong(lambda x: x[:, :1]), r"Wrong\(\): expected forward to return an array like .* \(3, 7\), got ndarray of"),
        (Wrong(lambda x: None), r"expected forward to return an array like .* got NoneType"),
        (Wrong(lambda x: x, lambda dy: dy.sum()), r"expected backward to return an array like the one it gets, of"),
        (activations.Function(), r"Function: define forward\(self, x\), which returns y"),
    ],
)
def test_objects_that_are_no_activation_after_all(given, text):
    layer = sn.Activation(given)
    with pytest.raises((ValueError, NotImplementedError), match=text):
        layer.backward(layer.forward(X))


def test_a_function_without_backward_says_so_when_it_is_needed():
    class Half(activations.Function):
        def forward(self, x):
            return x / 2

    layer = sn.Activation(Half())
    layer.forward(X)
    with pytest.raises(NotImplementedError, match=r"Half: define backward\(self, dy\), .* there is no autograd"):
        layer.backward(X)


# Functions are as good as names: what runs as one, and what a loss takes in.


@pytest.mark.parametrize("relu", ["relu", activations.relu, activations.get("relu"), sn.ReLU()])
def test_relu_is_fused_however_it_is_given(relu):
    chain = sn.Chain([sn.Conv2D(2, 3, activation=relu), sn.BatchNormalization(), sn.Activation(relu)])
    assert [type(step) for step in chain.plan()] == [KernelReLU, NormalizationReLU]


@pytest.mark.parametrize("relu", [sn.ReLU(max_value=1), sn.LeakyReLU(0.1), activations.relu6])
def test_other_rectifiers_are_not(relu):
    assert KernelReLU not in [type(step) for step in sn.Chain([sn.Conv2D(2, 3, activation=relu)]).plan()]


@pytest.mark.parametrize(
    ("names", "loss", "y"),
    [
        (["softmax", activations.softmax, sn.Softmax()], "sparse_categorical_crossentropy", np.arange(12) % 3),
        (["sigmoid", activations.sigmoid], "binary_crossentropy", RNG.random((12, 3))),
    ],
)
def test_a_loss_takes_in_the_activation_however_it_is_given(names, loss, y):
    x, weights = RNG.normal(size=(12, 7)), []
    for name in names:
        sn.set_random_seed(0)
        model = sn.Sequential([sn.Dense(3, activation=name)])
        model.compile("sgd", loss)
        model.fit(x * 100, y, batch_size=4, epochs=2, verbose=0)  # scores so large that log(softmax) would be -inf
        weights.append(model.get_weights())
        assert model.output_activation == ("softmax" if loss[0] == "s" else "sigmoid")
    for other in weights[1:]:
        for one, two in zip(weights[0], other):
            np.testing.assert_array_equal(one, two)


def test_a_loss_takes_in_no_softmax_along_another_axis():
    layer = sn.Softmax(axis=1)
    assert layer.output_activation == "softmax along axis 1"
    model = sn.Sequential([sn.Dense(3), layer])
    model.compile("sgd", "mse")
    model.fit(RNG.normal(size=(4, 5, 7)), RNG.random((4, 5, 3)), verbose=0)
    np.testing.assert_allclose(model.predict(RNG.normal(size=(4, 5, 7)), verbose=0).sum(axis=1), 1, rtol=1e-5)


# The layers.


def test_softmax_along_axes():
    x = RNG.normal(size=(2, 3, 4, 5))
    np.testing.assert_allclose(sn.Softmax([1, -2]).forward(x).sum(axis=(1, 2)), 1)
    np.testing.assert_allclose(sn.Softmax(1).forward(x), np.moveaxis(sn.Softmax().forward(np.moveaxis(x, 1, 3)), 3, 1))
    for wrong in (4, [1, 1], [1, -3]):
        with pytest.raises(ValueError, match="softmax: expected axis from -4 to 3, each at most once"):
            sn.Softmax(wrong).build((None, 3, 4, 5))


@pytest.mark.parametrize(
    ("shared", "shape"),
    [(None, (4, 5, 3)), ([1, 2], (1, 1, 3)), ([1], (1, 5, 3)), (3, (4, 5, 1)), ([1, 2, 3], (1, 1, 1))],
)
def test_the_shapes_of_prelu(shared, shape):
    layer = sn.PReLU("random_uniform", shared_axes=shared)
    x = RNG.normal(size=(2, 4, 5, 3))
    y = layer.forward(x)
    alpha = layer.params["alpha"]
    assert alpha.shape == shape
    np.testing.assert_array_equal(y, np.where(x > 0, x, alpha * x))
    dy = RNG.normal(size=x.shape)
    np.testing.assert_array_equal(layer.backward(dy), np.where(x > 0, dy, alpha * dy))
    axes = (0, *(axis for axis, size in enumerate(shape, start=1) if size == 1))
    np.testing.assert_allclose(
        layer.grads["alpha"], np.where(x > 0, 0, dy * x).sum(axis=axes, keepdims=True)[0], rtol=1e-12
    )


def test_prelu_of_channels_takes_pictures_of_any_size():
    layer = sn.PReLU(shared_axes=[1, 2], name="p")
    layer.build((None, 4, 5, 3))
    assert layer.forward(np.ones((2, 7, 6, 3))).shape == (2, 7, 6, 3)
    with pytest.raises(ValueError, match=r"PReLU 'p': expected x of shape \(N, H, W, 3\), got \(2, 7, 6, 4\)"):
        layer.forward(np.ones((2, 7, 6, 4)))
    with pytest.raises(ValueError, match=r"PReLU 'p': expected shared_axes from 1 to 1 .*, got \[1, 2\]"):
        sn.PReLU(shared_axes=[1, 2], name="p").build((None, 3))


def test_layers_learn():
    x = RNG.normal(size=(64, 5)).astype(np.float32)
    model = sn.Sequential([sn.Dense(8, activation=sn.LeakyReLU(0.2)), sn.Dense(8), sn.PReLU(), sn.Dense(1)])
    model.compile(sn.Adam(0.01), "mse")
    history = model.fit(x, np.abs(x).sum(axis=1), epochs=40, verbose=0).history["loss"]
    assert history[-1] < history[0] / 5
    assert not (model.layers[2].params["alpha"] == 0).any()


# In a graph.


def test_functions_on_symbolic_tensors_are_layers():
    x = sn.Input((7,))
    y = activations.relu(sn.Dense(5)(x), max_value=1.0)
    y = activations.leaky_relu(sn.Dense(4)(y), negative_slope=0.1)
    y = activations.gelu(activations.linear(y))
    model = sn.Model(x, activations.softmax(y))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer", "Dense", "ReLU", "Dense", "LeakyReLU", "Activation", "Activation", "Softmax"]
    assert model.output_activation == "softmax"
    assert sn.gradcheck(model, X)
    with pytest.raises(ValueError, match="gelu: expected approximate to have the default for a symbolic tensor"):
        activations.gelu(x, approximate=True)
