"""clone_model and model_from_json: the same layers with weights of their own."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.models import clone_model, model_from_json

X = np.random.default_rng(0).normal(size=(4, 6, 6, 1)).astype(np.float32)


class Double(sn.Layer):
    def call(self, x, training):
        return x * 2

    def call_backward(self, dy, input_grad):
        return dy * 2


def sequential():
    inner = sn.Sequential([sn.Conv2D(2, 3, activation=sn.LeakyReLU(0.1)), sn.Flatten()], name="inner")
    return sn.Sequential([sn.Input((6, 6, 1)), inner, Double(), sn.Dense(2, activation="softmax")])


def functional():
    shared, x = sn.Dense(3, activation="tanh"), sn.Input((6, 6, 1))
    flat = sn.Flatten()(x)
    return sn.Model(x, sn.Concatenate()([shared(flat), shared(Double()(flat))]), name="twice")


@pytest.mark.parametrize("make", [sequential, functional])
def test_the_copy_is_the_same_network_with_its_own_weights(make):
    model = make()
    copy = clone_model(model)
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    assert not {id(layer) for layer in model.layers} & {id(layer) for layer in copy.layers}
    assert any(np.any(a != b) for a, b in zip(model.get_weights(), copy.get_weights(), strict=True))
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))
    before = model.get_weights()
    copy.set_weights([0 * w for w in before])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert copy.loss is None


def test_a_copy_of_a_model_that_was_built_for_its_data():
    model = sn.Sequential([sn.Flatten(), sn.Dense(2)])
    assert not clone_model(model).built
    model.build((None, 6, 6, 1))
    copy = clone_model(model)
    assert copy.input_shape == model.input_shape
    assert copy.count_params() == model.count_params()


def test_what_is_not_a_model():
    with pytest.raises(TypeError, match="clone_model: expected model"):
        clone_model(sn.Dense(2))


@pytest.mark.parametrize("make", [sequential, functional])
def test_a_model_as_text(make):
    model = make()
    with pytest.raises(ValueError, match="class 'Double' that scratchnet does not have"):
        model_from_json(model.to_json())
    copy = model_from_json(model.to_json(), custom_objects={"Double": Double})
    assert copy.to_json() == model.to_json()
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected json_string as model.to_json"),
        ("[1, 2]", "model_from_json"),
        ('{"model": 3, "input_shape": null}', "expected a model, got one int"),
        ('{"model": {"class": "layers.ReLU", "config": {}}, "input_shape": [0]}', "input_shape"),
    ],
)
def test_text_that_is_no_model(text, message):
    with pytest.raises(ValueError, match=message):
        model_from_json(text)


def test_variables_are_weights():
    model = sequential()
    model.layers[0].trainable = False
    for name in ("", "trainable_", "non_trainable_"):
        for one in (model, *model.layers):
            pairs = zip(getattr(one, f"{name}variables"), getattr(one, f"{name}weights"), strict=True)
            assert all(a is b for a, b in pairs)
