"""Layers as Keras's guide has readers write them, with their backward; and what is said where it is missing."""

import copy

import numpy as np
import pytest

import scratchnet as sn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype(np.float32)
Y = np.arange(12) % 3


class Linear(sn.layers.Layer):
    """The guide's first: weights in build, no training argument, no output shape."""

    def __init__(self, units=8, **options):
        super().__init__(**options)
        self.units = units

    def build(self, input_shape):
        super().build(input_shape)
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True, name="b")

    def call(self, inputs):
        self.x = inputs
        return inputs @ self.w + self.b

    def call_backward(self, dy):
        self.grads["weight"] += self.x.T @ dy
        self.grads["b"] += dy.sum(axis=0)
        return dy @ self.w.T


class AtOnce(sn.layers.Layer):
    """Weights in the constructor, and the rest in the package's own way."""

    def __init__(self, units, input_dim, **options):
        super().__init__(**options)
        self.w = self.add_weight(shape=(input_dim, units), initializer="glorot_uniform", name="w")

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.w.shape[-1])

    def call(self, x, training):
        self.x = x
        return x @ self.w

    def call_backward(self, dy, param_grads, input_grad):
        if param_grads:
            self.grads["w"] += self.x.T @ dy
        return dy @ self.w.T if input_grad else None


class Doubled(sn.layers.Layer):
    """No weights, another shape."""

    def call(self, x):
        return np.concatenate([x, -x], axis=-1)

    def call_backward(self, dy):
        half = dy.shape[-1] // 2
        return dy[..., :half] - dy[..., half:]


class ComputeSum(sn.layers.Layer):
    """A weight that is not trained, as the guide's running total."""

    def build(self, input_shape):
        self.total = self.add_weight(shape=(input_shape[-1],), initializer="zeros", trainable=False, name="total")

    def call(self, x):
        self.total += x.sum(axis=0)
        return x * 1

    def call_backward(self, dy):
        return dy


class ResidualBlock(sn.layers.Layer):
    """A layer of layers that goes through them by hand."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.first, self.second = sn.Dense(units, activation="relu"), sn.Dense(units)

    def build(self, input_shape):
        for name in ("first", "second"):
            layer = getattr(self, name)
            layer.astype(self.dtype)
            layer.build(input_shape)
            for key in layer.params:
                self.params[f"{name}/{key}"], self.grads[f"{name}/{key}"] = layer.params[key], layer.grads[key]

    def call(self, x, training):
        for name in ("first", "second"):
            layer = getattr(self, name)
            for key in layer.params:
                layer.params[key], layer.grads[key] = self.params[f"{name}/{key}"], self.grads[f"{name}/{key}"]
        return x + self.second.forward(self.first.forward(x, training), training)

    def call_backward(self, dy, param_grads, input_grad):
        return dy + self.first.backward(self.second.backward(dy, param_grads), param_grads)


@pytest.mark.parametrize("make", [lambda: Linear(3), lambda: AtOnce(3, 4), Doubled, lambda: ResidualBlock(4)])
def test_gradients(make):
    report = sn.gradcheck(make(), X.astype(np.float64))
    assert report, report


def test_the_shape_is_found_by_a_call():
    layer = Linear(5)
    layer.build((None, 4))
    assert layer.output_shape == (None, 5)
    assert list(layer.params) == ["weight", "b"]
    assert Doubled()(sn.Input((3, 4))).shape == (None, 3, 8)
    chain = sn.Sequential([sn.Input((4,)), Linear(6), Doubled(), sn.Dense(3)])
    assert [one.output_shape for one in chain.layers] == [(None, 6), (None, 12), (None, 3)]
    assert chain.layers[0].count_params() == 30


def test_an_attribute_follows_its_weight():
    layer = Linear(3)
    layer.forward(X)
    assert layer.w is layer.params["weight"]
    layer.forward(X.astype(np.float64))
    assert layer.w is layer.params["weight"]
    assert layer.w.dtype == np.float64
    again = copy.deepcopy(layer)
    assert again.w is again.params["weight"]
    assert again.w is not layer.w
    assert sn.Sequential([sn.Input((4,)), sn.Dense(3)]).layers[0].kernel.shape == (4, 3)
    with pytest.raises(AttributeError, match="Dense has no attribute 'nothing'"):
        _ = sn.Dense(3).nothing


def test_a_weight_that_is_not_trained():
    layer = ComputeSum()
    layer.forward(np.ones((2, 2)))
    layer.forward(np.ones((2, 2)))
    np.testing.assert_array_equal(layer.total, [4, 4])
    np.testing.assert_array_equal(layer.state["total"], [4, 4])
    assert layer.trainable_weights == []


def test_it_trains_is_saved_and_is_held_fixed(tmp_path):
    model = sn.Sequential([sn.Input((4,)), Linear(6, name="mine"), sn.ReLU(), sn.Dense(3, activation="softmax")])
    model.compile(sn.Adam(0.05), "sparse_categorical_crossentropy")
    history = model.fit(X, Y, epochs=30, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
    model.save(tmp_path / "m.safetensors")
    again = sn.load_model(tmp_path / "m.safetensors", custom_objects={"Linear": Linear})
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    again.layers[0].trainable = False
    again.compile("sgd", "sparse_categorical_crossentropy")
    kept = again.layers[0].w.copy()
    again.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(again.layers[0].w, kept)


class Scaled(sn.layers.Layer):
    """One weight that is a single number."""

    def build(self, input_shape):
        super().build(input_shape)
        self.factor = self.add_weight(initializer="ones", name="factor")

    def call(self, x):
        self.x = x
        return x * self.factor

    def call_backward(self, dy):
        self.grads["factor"] += (dy * self.x).sum()
        return dy * self.factor


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_weight_that_is_a_single_number(optimizer, tmp_path):
    model = sn.Sequential([sn.Input((4,)), Scaled(), sn.Dense(3, activation="softmax")])
    assert sn.gradcheck(model, X)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    factor = model.layers[0].factor
    assert factor.shape == ()
    assert factor != 1
    model.save(tmp_path / "m.safetensors")
    again = sn.load_model(tmp_path / "m.safetensors", custom_objects={"Scaled": Scaled})
    assert again.layers[0].factor.shape == ()
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_gradients_that_are_not_asked_for_are_not_added():
    layer = Linear(3)
    layer.forward(X)
    layer.backward(np.ones((12, 3)), param_grads=False)
    assert not layer.grads["weight"].any()


def test_in_a_graph():
    x = sn.Input((4,))
    shared = Linear(4)
    model = sn.Model(x, sn.Dense(2)(sn.Add()([shared(x), shared(shared(x))])))
    report = sn.gradcheck(model, X)
    assert report, report


def test_a_call_without_a_backward_says_so():
    class Half(sn.layers.Layer):
        def call(self, x):
            return x / 2

    layer = Half()
    layer.forward(X)
    with pytest.raises(NotImplementedError, match=r"Half defines call and no call_backward\(self, dy\)"):
        layer.backward(X)
