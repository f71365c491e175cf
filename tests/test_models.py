"""Sequential: adding, building, weights, summary, and the article's network."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.layers import Activation, BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D


def article():
    """The network of the article's listing 4.1."""
    model = sn.Sequential(name="article")
    model.add(Conv2D(32, kernel_size=(3, 3), activation="relu", input_shape=(32, 32, 3)))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Conv2D(64, kernel_size=(3, 3), activation="relu"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Flatten())
    model.add(Dense(128, activation="relu"))
    model.add(Dense(10, activation="softmax"))
    return model


def test_the_articles_network():
    model = article()
    assert model.built  # the first layer said its input's shape
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 10)
    assert model.count_params() == 315_722
    shapes = [layer.output_shape[1:] for layer in model.layers]
    assert shapes == [(30, 30, 32), (15, 15, 32), (13, 13, 64), (6, 6, 64), (2304,), (128,), (10,)]
    work = 30 * 30 * 27 * 32 + 13 * 13 * 288 * 64 + 2304 * 128 + 128 * 10
    assert model.multiply_adds() == work == 4_188_800


def test_summary(capsys):
    article().summary()
    text = capsys.readouterr().out
    for part in ("article", "Conv2D", "(N, 13, 13, 64)", "18,496", "295,040", "315,722", "4,188,800"):
        assert part in text
    widths = {len(line) for line in text.splitlines()[1:]}
    assert len(widths) == 1  # columns that stand under one another
    model = sn.Sequential([Conv2D(2, 1, input_shape=(4, 4, 1)), BatchNormalization()])
    model.summary()
    assert "8 parameters are trained, 4 are moving averages" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="summary before build"):
        sn.Sequential([Dense(3)]).summary()


def test_built_at_once_at_build_or_at_the_first_forward():
    x = np.ones((2, 6), np.float32)
    models = []
    for how in ("input_shape", "build", "forward"):
        sn.set_random_seed(4)
        model = sn.Sequential([Dense(4, **({"input_shape": (6,)} if how == "input_shape" else {})), Dense(3)])
        assert model.built == (how == "input_shape")
        if how == "build":
            model.build((None, 6))
            assert model.built
        models.append(model)
        assert model.forward(x).shape == (2, 3)
    for model in models[1:]:
        for a, b in zip(models[0].get_weights(), model.get_weights()):
            np.testing.assert_array_equal(a, b)


def test_layers_in_a_list_or_one_by_one():
    sn.set_random_seed(0)
    a = sn.Sequential([Dense(4, input_shape=(6,)), Dense(3)])
    sn.set_random_seed(0)
    b = sn.Sequential()
    b.add(Dense(4, input_shape=(6,)))
    b.add(Dense(3))
    for one, other in zip(a.get_weights(), b.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_weights_round_trip_in_keras_order():
    model = sn.Sequential([Conv2D(2, 3, input_shape=(5, 5, 1)), BatchNormalization(), Flatten(), Dense(3)])
    weights = model.get_weights()
    assert [w.shape for w in weights] == [(3, 3, 1, 2), (2,), (2,), (2,), (2,), (2,), (18, 3), (3,)]
    other = sn.Sequential([Conv2D(2, 3, input_shape=(5, 5, 1)), BatchNormalization(), Flatten(), Dense(3)])
    other.set_weights(weights)
    x = np.random.default_rng(0).normal(size=(4, 5, 5, 1)).astype(np.float32)
    np.testing.assert_array_equal(model.forward(x), other.forward(x))
    weights[0][...] = 0  # copies
    assert model.get_weights()[0].any()


def test_params_and_grads_have_the_same_names_and_shapes():
    model = article()
    assert list(model.params) == list(model.grads)
    assert {k: v.shape for k, v in model.params.items()} == {k: v.shape for k, v in model.grads.items()}
    assert sum(p.size for p in model.params.values()) == 315_722


def test_backward_adds_up_and_zero_grads_clears():
    sn.set_random_seed(0)
    model = sn.Sequential([Dense(4, activation="tanh", input_shape=(3,)), Dense(2)])
    x, dy = np.ones((2, 3)), np.ones((2, 2))
    model.forward(x)
    dx = model.backward(dy)
    assert dx.shape == x.shape
    once = {k: g.copy() for k, g in model.grads.items()}
    model.backward(dy)
    for name, g in model.grads.items():
        np.testing.assert_allclose(g, 2 * once[name])
    model.zero_grads()
    assert not any(g.any() for g in model.grads.values())
    model.backward(dy, param_grads=False)
    assert not any(g.any() for g in model.grads.values())
    assert model.backward(dy, input_grad=False) is None


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_logits_stop_before_the_last_activation(activation):
    sn.set_random_seed(0)
    inside = sn.Sequential([Dense(3, activation=activation, input_shape=(4,))])
    behind = sn.Sequential([Dense(3, input_shape=(4,)), Activation(activation)])
    behind.set_weights(inside.get_weights())
    x = np.random.default_rng(0).normal(size=(5, 4))
    dz = np.random.default_rng(1).normal(size=(5, 3))
    for model in (inside, behind):
        assert model.output_activation == activation
        np.testing.assert_allclose(model.forward(x, logits=True), x @ inside.get_weights()[0], atol=1e-12)
        np.testing.assert_allclose(model.backward(dz, logits=True), dz @ inside.get_weights()[0].T, atol=1e-12)
    np.testing.assert_array_equal(inside.forward(x), behind.forward(x))
    assert sn.Sequential([Dense(3, input_shape=(4,))]).output_activation is None


def test_a_model_is_a_layer():
    sn.set_random_seed(0)
    inner = sn.Sequential([Dense(4, activation="relu"), Dense(4)])
    model = sn.Sequential([Dense(4, input_shape=(3,)), inner, Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = np.random.default_rng(0).normal(size=(16, 3)), np.arange(16) % 2
    before = inner.get_weights()
    first = model.train_on_batch(x, y)
    for _ in range(50):
        last = model.train_on_batch(x, y)
    assert last < first
    assert any((a != b).any() for a, b in zip(before, inner.get_weights()))


def test_training_is_told_to_the_layers():
    sn.set_random_seed(0)
    model = sn.Sequential([Dropout(0.5, input_shape=(100,))])
    x = np.ones((4, 100), np.float32)
    np.testing.assert_array_equal(model.forward(x), x)
    assert (model.forward(x, training=True) == 0).any()


def test_gradients_of_a_whole_model():
    sn.set_random_seed(0)
    layers = [Conv2D(2, 3, activation="tanh", input_shape=(6, 6, 2)), MaxPooling2D(2), BatchNormalization(), Flatten()]
    model = sn.Sequential([*layers, Dense(3, activation="softmax")])
    assert sn.gradcheck(model, np.random.default_rng(0).normal(size=(3, 6, 6, 2)), samples=30)


def test_what_is_no_layer_is_refused_and_the_model_stays():
    model = sn.Sequential([Dense(4, input_shape=(6,))])
    with pytest.raises(TypeError, match="A class needs its brackets"):
        model.add(Flatten)
    with pytest.raises(ValueError, match="two layers are named 'twin'"):
        sn.Sequential([Dense(1, name="twin"), Dense(1, name="twin")])
    with pytest.raises(ValueError, match="expected"):
        model.add(Conv2D(2, 3))  # needs pictures, gets rows
    assert len(model.layers) == 1
    assert model.forward(np.ones((1, 6))).shape == (1, 4)
    with pytest.raises(ValueError, match=r"unknown dtype 'float16'"):
        sn.Sequential(dtype="float16")


def test_a_kernel_larger_than_what_is_left_of_the_picture():
    with pytest.raises(ValueError, match="does not fit into pictures of 2 x 2"):
        sn.Sequential([MaxPooling2D(2, input_shape=(4, 4, 1)), Conv2D(2, 3)])
