"""Model(inputs, outputs): forward and backward through forks and merges, order, errors, files, features."""

import copy
import gc
import weakref

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import layers
from scratchnet.models import Functional, Model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 6, 6, 2)).astype(np.float32)
Y = np.arange(12) % 3


def residual(fuse=True):
    """A small network with a fork, a sum, a squeeze-excite product and a concatenation."""
    x = sn.Input((6, 6, 2))
    y = sn.Conv2D(4, 3, padding="same", activation="relu")(x)
    z = sn.ReLU()(sn.BatchNormalization()(sn.Conv2D(4, 3, padding="same")(y)))
    y = sn.Add()([y, z])
    scale = sn.Dense(4, activation="sigmoid")(sn.GlobalAveragePooling2D(keepdims=True)(y))
    y = sn.Multiply()([y, scale])
    y = sn.Concatenate()([sn.MaxPooling2D()(y), sn.AveragePooling2D()(y)])
    return sn.Model(x, sn.Dense(3, activation="softmax")(sn.Flatten()(y)), name="residual", fuse=fuse)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("fuse", [True, False])
def test_gradients(fuse, training):
    sn.set_random_seed(1)
    report = sn.gradcheck(residual(fuse), X[:3], training=training, samples=30)
    assert report, report


def test_a_path_has_the_bits_of_sequential():
    sn.set_random_seed(2)
    chain = sn.Sequential(
        [
            sn.Input((6, 6, 2)),
            sn.Conv2D(4, 3, activation="relu"),
            sn.MaxPooling2D(),
            sn.BatchNormalization(),
            sn.ReLU(),
            sn.Flatten(),
            sn.Dropout(0.3, seed=1),
            sn.Dense(3, activation="softmax"),
        ]
    )
    x = sn.Input((6, 6, 2))
    y = x
    for layer in copy.deepcopy(chain).layers:
        y = layer(y)
    graph = sn.Model(x, y)
    assert [repr(call.step).split(":")[0] for call in graph.plan()] == [repr(s).split(":")[0] for s in chain.plan()]
    for model in (chain, graph):
        sn.set_random_seed(3)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(X, Y, batch_size=5, epochs=3, verbose=0)
    for one, other in zip(chain.get_weights(), graph.get_weights()):
        np.testing.assert_array_equal(one, other)
    assert chain.history.history["loss"] == graph.history.history["loss"]


def test_shared_layers_and_two_inputs():
    """A siamese network: one set of weights, and the gradients of both calls in it."""
    base = sn.Sequential([sn.Input((5,)), sn.Dense(4, activation="tanh"), sn.Dense(3)])
    a, b = sn.Input((5,)), sn.Input((5,))
    model = sn.Model([a, b], sn.Dense(1)(sn.Subtract()([base(a), base(b)])))
    assert len(model.params) == 6
    report = sn.gradcheck(model, [RNG.normal(size=(4, 5)), RNG.normal(size=(4, 5))])
    assert report, report


def test_a_layer_called_three_times_in_a_row():
    x = sn.Input((4,))
    layer, y = sn.Dense(4, activation="tanh"), x
    for _ in range(3):
        y = layer(y)
    model = sn.Model(x, y)
    assert len(model.layers) == 2
    report = sn.gradcheck(model, RNG.normal(size=(3, 4)))
    assert report, report


def test_several_outputs_one_of_them_on_the_way():
    x = sn.Input((4,))
    middle = sn.Dense(5, activation="relu")(x)
    model = sn.Model(x, [middle, sn.Dense(2)(middle), x])
    values = model.forward(RNG.normal(size=(3, 4)))
    assert [value.shape for value in values] == [(3, 5), (3, 2), (3, 4)]
    report = sn.gradcheck(model, RNG.normal(size=(3, 4)))
    assert report, report
    values = model.forward(np.ones((3, 4)))
    dys = [np.ones_like(value) for value in values]
    expected = model.backward(dys)
    values = model.forward(np.ones((3, 4)))
    for value in values:
        value[...] = -5  # the caller's, also where a layer behind it has taken it in
    np.testing.assert_array_equal(model.backward(dys), expected)


def test_a_gradient_of_none_is_that_of_a_loss_which_does_not_depend_on_it():
    x = sn.Input((4,))
    a, b = sn.Dense(2)(x), sn.Dense(3)(x)
    model = sn.Model(x, [a, b])
    model.forward(np.ones((2, 4)))
    left = model.backward([np.ones((2, 2)), None])
    np.testing.assert_array_equal(left, model.backward([np.ones((2, 2)), np.zeros((2, 3))]))
    with pytest.raises(ValueError, match="expected a gradient for one output at least"):
        model.backward([None, None])


def test_dicts_of_inputs_and_outputs():
    a, b = sn.Input((3,), name="left"), sn.Input((2,), name="right")
    y = sn.Dense(4)(sn.Concatenate()([a, b]))
    model = sn.Model({"right": b, "left": a}, {"sum": y, "same": a})
    assert model.input_names == ["left", "right"]
    assert model.output_names == ["same", "sum"]
    left, right = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
    y = model.forward({"left": left, "right": right})
    np.testing.assert_array_equal(y["same"], left)
    back = model.backward({"sum": np.ones((5, 4)), "same": np.zeros((5, 3))})
    assert {key: value.shape for key, value in back.items()} == {"left": (5, 3), "right": (5, 2)}
    with pytest.raises(ValueError, match=r"expected x with the keys \['left', 'right'\], got \['left'\]"):
        model.forward({"left": left})


def test_nested_models_and_features():
    inner = residual()
    x = sn.Input((6, 6, 2))
    outer = sn.Model(x, sn.Dense(2)(inner(sn.Rescaling(0.5)(x))))
    report = sn.gradcheck(outer, X[:2], samples=20)
    assert report, report
    features = sn.Model(inner.input, inner.get_layer(index=1).output)
    np.testing.assert_array_equal(features.predict(X), inner.layers[1].forward(X))
    chain = sn.Sequential([sn.Input((6, 6, 2)), sn.Conv2D(3, 3), sn.Flatten(), sn.Dense(2)])
    both = sn.Model(chain.input, [layer.output for layer in chain.layers])
    assert [y.shape for y in both.predict(X)] == [(12, 4, 4, 3), (12, 48), (12, 2)]
    tail = sn.Model(chain.layers[1].output, chain.output)  # beginning in the middle
    np.testing.assert_allclose(tail.predict(both.predict(X)[1]), chain.predict(X), rtol=1e-6)


def test_training_said_at_the_call_holds_whatever_the_model_does():
    """base(x, training=False) is how a pretrained batch normalization is kept as it is."""
    norm = sn.BatchNormalization()
    x = sn.Input((4,))
    model = sn.Model(x, sn.Dense(1)(norm(x, training=False)))
    before = copy.deepcopy(norm.state)
    model.forward(RNG.normal(size=(8, 4)), training=True)
    for name, array in before.items():
        np.testing.assert_array_equal(norm.state[name], array)
    model = sn.Model(x, norm(x))
    model.forward(RNG.normal(size=(8, 4)), training=True)
    assert not np.array_equal(norm.state["moving_mean"], before["moving_mean"])


def test_no_gradient_is_computed_that_nobody_needs(monkeypatch):
    sn.set_random_seed(0)
    model = residual()
    conv = model.layers[1]
    asked = []
    original = sn.Conv2D.call_backward

    def noted(self, dy, param_grads, input_grad):
        asked.append((self.name, param_grads, input_grad))
        return original(self, dy, param_grads, input_grad)

    monkeypatch.setattr(sn.Conv2D, "call_backward", noted)
    model.forward(X, training=True)
    model.backward(np.ones((12, 3), np.float32), input_grad=False)
    assert (conv.name, True, False) in asked
    for layer in model.layers[:3]:
        layer.trainable = False
    asked.clear()
    model.forward(X, training=True)
    model.backward(np.ones((12, 3), np.float32), input_grad=False)
    assert asked == []  # behind the frozen ones nothing goes back


def test_signs_between_symbolic_tensors():
    x = sn.Input((4,))
    y = sn.Dense(4)(x)
    model = sn.Model(x, [x + y, y - x, x * y, 2 * x + 1, 1 - x, -x, x / 4])
    values = RNG.normal(size=(3, 4))
    y = model.layers[1].forward(values)
    for found, expected in zip(
        model.forward(values), [values + y, y - values, values * y, 2 * values + 1, 1 - values, -values, values / 4]
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    for wrong in (lambda: x / y, lambda: x + "a", lambda: x**2):
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.parametrize("make", [residual, lambda: residual(fuse=False)])
def test_saved_loaded_copied(make, tmp_path):
    sn.set_random_seed(4)
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.safetensors")
    again, copied = sn.load_model(tmp_path / "m.safetensors"), copy.deepcopy(model)
    assert isinstance(again, Functional)
    assert again.name == "residual"
    for one in (again, copied):
        sn.set_random_seed(5)
        model_weights = [w.copy() for w in model.get_weights()]
        np.testing.assert_array_equal(one.predict(X), model.predict(X))
        one.fit(X, Y, epochs=2, verbose=0)
        assert not np.array_equal(one.get_weights()[0], model.get_weights()[0])
        for w, kept in zip(model.get_weights(), model_weights):
            np.testing.assert_array_equal(w, kept)
    np.testing.assert_array_equal(again.predict(X), copied.predict(X))


def test_saved_with_shared_layers_and_dicts(tmp_path):
    shared = sn.Dense(3, activation="relu")
    a, b = sn.Input((4,), name="a"), sn.Input((4,), name="b")
    model = Model({"a": a, "b": b}, [sn.Add()([shared(a), shared(b)]), shared(a)])
    model.save(tmp_path / "m.safetensors")
    again = sn.load_model(tmp_path / "m.safetensors")
    data = {"a": RNG.normal(size=(2, 4)).astype(np.float32), "b": RNG.normal(size=(2, 4)).astype(np.float32)}
    for one, other in zip(again.forward(data), model.forward(data)):
        np.testing.assert_array_equal(one, other)


def test_a_model_that_nobody_holds_is_gone_at_once():
    gc.disable()
    try:
        model = residual()
        model.compile("adam", "sparse_categorical_crossentropy")
        model.forward(X)
        gone = [weakref.ref(one) for one in (model, model.layers[1], model.layers[-1])]
        del model
        assert [ref() for ref in gone] == [None] * 3
    finally:
        gc.enable()


def networks(noise=8):
    """A generator and a discriminator, each with a fork."""
    z, x = sn.Input((noise,)), sn.Input((4, 4, 1))
    h = sn.Dense(16, activation="relu")(z)
    g = sn.Reshape((4, 4, 1))(sn.Dense(16, activation="tanh")(sn.Add()([h, sn.Dense(16)(h)])))
    y = sn.Flatten()(x)
    y = sn.Concatenate()([sn.Dense(8, activation="leaky_relu")(y), sn.Dense(8)(y)])
    return sn.Model(z, g, name="g"), sn.Model(x, sn.Dense(1, activation="sigmoid")(y), name="d")


def test_a_gan_of_graphs(tmp_path):
    sn.set_random_seed(0)
    gan = sn.GAN(*networks(), latent_dim=8)
    gan.compile()
    pictures = RNG.uniform(-1, 1, (64, 4, 4, 1)).astype(np.float32)
    gan.fit(pictures, 16, 2, verbose=0)
    gan.save(tmp_path / "gan.safetensors")
    again = sn.load_model(tmp_path / "gan.safetensors")
    for one in (gan, again):
        sn.set_random_seed(1)
        one.fit(pictures, 16, 1, verbose=0)
    for w, other in zip(gan.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(w, other)
    a, b = sn.Input((8,)), sn.Input((8,))
    two = sn.Model([a, b], networks(8)[0](sn.Add()([a, b])))
    with pytest.raises(ValueError, match="expected a generator of one input and one output"):
        sn.GAN(two, networks()[1], latent_dim=8)


def test_what_is_wrong():
    x, other = sn.Input((4,), name="x"), sn.Input((4,), name="other")
    y = sn.Dense(3)(x)
    with pytest.raises(ValueError, match="depends on the input 'other', which is not among the model's inputs"):
        sn.Model(x, sn.Add()([y, sn.Dense(3)(other)]))
    with pytest.raises(TypeError, match="expected outputs as symbolic tensors"):
        sn.Model(x, 3)
    with pytest.raises(TypeError, match="expected inputs as symbolic tensors"):
        sn.Model(sn.Dense(3), y)
    with pytest.raises(TypeError, match="called on symbolic tensors and on 3 at once"):
        sn.Add()([x, 3])
    with pytest.raises(ValueError, match="x"):
        sn.Dense(3)(3)
    with pytest.raises(ValueError, match="two layers are named 'same'"):
        sn.Model(x, sn.Dense(2, name="same")(sn.Dense(2, name="same")(x)))
    with pytest.raises(TypeError, match="stands for an array that comes when the model runs"):
        np.sum(x)
    with pytest.raises(TypeError, match="would need an autograd, and there is none"):

        class Mine(Model):
            def call(self, x):
                return x

    with pytest.raises(TypeError, match="there is no GradientTape"):

        class Stepping(Model):
            def train_step(self, data):
                return {}

    model = sn.Model([x, other], sn.Add()([x, other]))
    for wrong, message in [
        (np.ones((2, 4)), "expected x as a list of 2 arrays"),
        ([np.ones((2, 4))] * 3, "as a list of 2 arrays, for x, other, got 3"),
        ([np.ones((2, 4)), np.ones((2, 5))], r"got \(2, 5\)"),
        ([np.ones((2, 4)), np.ones((3, 4))], "as many examples in each input"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.forward(wrong)
    with pytest.raises(RuntimeError, match="backward before forward"):
        sn.Model(x, y).backward(np.ones((2, 3)))
    model.forward([np.ones((2, 4))] * 2)
    with pytest.raises(ValueError, match="expected dy of the output's shape"):
        model.backward(np.ones((2, 3)))
    with pytest.raises(RuntimeError, match="is in no model that knows its input's shape"):
        _ = sn.Dense(3).output


def test_sequential_begins_with_an_input():
    for first in (sn.Input((4,)), layers.InputLayer((4,)), layers.InputLayer(input_shape=(4,))):
        model = sn.Sequential([first, sn.Dense(3), sn.Dense(2)])
        assert model.built
        assert [type(layer).__name__ for layer in model.layers] == ["Dense", "Dense"]
        with pytest.raises(ValueError, match="an Input comes before all layers"):
            model.add(sn.Input((3,)))
    assert sn.Sequential([sn.Dense(3, input_dim=7)]).input_shape == (None, 7)
    with pytest.raises(TypeError, match="Add the layer itself"):
        model.add(model.output)
    last = model.pop()
    assert model.output_shape == (None, 3)
    assert model.output.shape == (None, 3)
    model.add(last)
    assert model.output.shape == (None, 2)
    assert model.get_layer(last.name) is model.get_layer(index=-1) is last
    for wrong in ({"name": "none"}, {"index": 2}, {}, {"name": "a", "index": 0}):
        with pytest.raises(ValueError, match="layer"):
            model.get_layer(**wrong)


def test_summary_says_from_where(capsys):
    model = residual()
    model.summary(show_trainable=True)
    text = capsys.readouterr().out
    add = next(layer.name for layer in model.layers if isinstance(layer, sn.Add))
    line = next(line for line in text.splitlines() if line.startswith(add))
    assert "conv2d" in line
    assert "re_lu" in line
    assert "yes" in line
    lines = []
    model.summary(print_fn=lines.append)
    assert "residual" in lines[0]


def test_a_call_of_a_layer_on_numbers_is_forward():
    layer, x = sn.Dense(3), RNG.normal(size=(2, 4))
    np.testing.assert_array_equal(layer(x), layer.forward(x))
    model = residual()
    np.testing.assert_array_equal(model(X), model.forward(X))
    np.testing.assert_array_equal(model(X, training=False), model.predict(X))
