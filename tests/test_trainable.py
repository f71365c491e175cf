"""layer.trainable and model.trainable: what an optimizer moves, taken over at compile; frozen batch normalization."""

import copy

import numpy as np
import pytest

import scratchnet as sn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype(np.float32)
Y = np.arange(12) % 3


def network():
    sn.set_random_seed(0)
    model = sn.Sequential(
        [sn.Input((4,)), sn.Dense(5, activation="relu"), sn.BatchNormalization(), sn.Dense(3, activation="softmax")]
    )
    return model


def weights(model):
    return [w.copy() for w in model.weights]


def moved(model, before):
    return [not np.array_equal(w, kept) for w, kept in zip(model.weights, before)]


def compiled(model, optimizer="sgd"):
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("optimizer", ["sgd", "adam", lambda: sn.AdamW(weight_decay=0.1)])
def test_what_is_held_fixed_does_not_move(optimizer):
    model = network()
    model.layers[0].trainable = False
    compiled(model, optimizer if isinstance(optimizer, str) else optimizer())
    before = weights(model)
    model.fit(X, Y, epochs=3, verbose=0)
    assert moved(model, before) == [False, False, True, True, True, True, True, True]
    assert len(model.trainable_weights) == 4
    assert len(model.non_trainable_weights) == 4
    assert model.layers[0].trainable_weights == []
    assert all(name.startswith(("1_", "2_")) for name in model.optimizer.state)


def test_the_gradient_passes_through_what_is_held_fixed():
    """With the last layer frozen the first learns as if the last were not."""
    free, held = network(), network()
    held.layers[-1].trainable = False
    for model in (free, held):
        compiled(model).train_on_batch(X, Y)
    np.testing.assert_array_equal(free.layers[0].params["kernel"], held.layers[0].params["kernel"])
    assert not np.array_equal(free.layers[-1].params["kernel"], held.layers[-1].params["kernel"])


def test_a_frozen_normalization_goes_by_its_moving_averages():
    model = network()
    norm = model.layers[1]
    norm.trainable = False
    compiled(model)
    before = copy.deepcopy(norm.state)
    y = model.forward(X, training=True)
    np.testing.assert_array_equal(y, model.forward(X, training=False))
    model.fit(X, Y, verbose=0)
    for name, array in before.items():
        np.testing.assert_array_equal(norm.state[name], array)
    report = sn.gradcheck(norm, RNG.normal(size=(6, 5)))
    assert report, report


def test_nested_models_are_held_fixed_as_a_whole():
    base = sn.Sequential([sn.Input((4,)), sn.Dense(5), sn.BatchNormalization()])
    model = sn.Sequential([base, sn.Dense(3, activation="softmax")])
    base.trainable = False
    assert [layer.trainable for layer in base.layers] == [False, False]
    assert model.trainable
    compiled(model)
    before = weights(model)
    model.fit(X, Y, verbose=0)
    assert moved(model, before) == [False] * 6 + [True] * 2
    base.trainable = True
    base.layers[0].trainable = False
    compiled(model)
    before = weights(model)
    model.fit(X, Y, verbose=0)
    assert moved(model, before) == [False] * 2 + [True] * 6


def test_a_part_of_what_is_held_fixed_is_held_fixed():
    """As in Keras: an outer trainable = False counts more than an inner True."""
    base = sn.Sequential([sn.Input((4,)), sn.Dense(5)])
    base.trainable = False
    base.layers[0].trainable = True
    assert base.trainable_weights == []
    assert len(base.layers[0].trainable_weights) == 2


def test_compile_takes_it_over():
    """What is set between compile and fit counts from the next compile on."""
    model = compiled(network())
    model.layers[0].trainable = False
    before = weights(model)
    model.fit(X, Y, verbose=0)
    assert all(moved(model, before))
    assert model.layers[0].trainable is False
    compiled(model)
    before = weights(model)
    model.fit(X, Y, verbose=0)
    assert moved(model, before)[:3] == [False, False, True]
    model.trainable = True
    before = weights(model)
    model.fit(X, Y, verbose=0)
    assert moved(model, before)[:3] == [False, False, True]


def test_the_pattern_of_keras_gans():
    """D is compiled, then held fixed, then put into the combined model: each step moves one of the two."""
    sn.set_random_seed(0)
    d = sn.Sequential([sn.Input((4,)), sn.Dense(5), sn.BatchNormalization(), sn.Dense(1, activation="sigmoid")])
    d.compile("adam", "binary_crossentropy")
    g = sn.Sequential([sn.Input((2,)), sn.Dense(4), sn.BatchNormalization()])
    d.trainable = False
    z = sn.Input((2,))
    combined = sn.Model(z, d(g(z)))
    combined.compile("adam", "binary_crossentropy")
    noise = RNG.normal(size=(12, 2)).astype(np.float32)
    for _ in range(3):
        of_d, of_g = weights(d), weights(g)
        d.train_on_batch(X, np.ones((12, 1)))
        assert all(moved(d, of_d))
        assert not any(moved(g, of_g))
        of_d = weights(d)
        combined.train_on_batch(noise, np.ones((12, 1)))
        assert not any(moved(d, of_d))
        assert all(moved(g, of_g))


def test_by_argument_and_in_files(tmp_path):
    model = sn.Sequential([sn.Input((4,)), sn.Dense(5, trainable=False), sn.Dense(3, activation="softmax")])
    compiled(model)
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.safetensors")
    again = sn.load_model(tmp_path / "m.safetensors")
    assert [layer.trainable for layer in again.layers] == [False, True]
    before = weights(again)
    again.fit(X, Y, verbose=0)
    assert moved(again, before) == [False, False, True, True]
    assert sn.Sequential([sn.Input((4,)), sn.Dense(5)], trainable=False).trainable_weights == []


def test_all_held_fixed_is_no_error():
    model = network()
    model.trainable = False
    compiled(model)
    before = weights(model)
    with pytest.warns(UserWarning, match="no weight of it is trained"):
        model.fit(X, Y, verbose=0)
    assert not any(moved(model, before))


def test_summary_counts_what_is_held_fixed(capsys):
    model = network()
    model.layers[0].trainable = False
    model.summary()
    assert "28 parameters are trained, 25 are held fixed, 10 are moving averages" in capsys.readouterr().out
