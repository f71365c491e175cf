"""A layer object at two places of a network is refused, wherever they are; in two networks it is right."""

import copy
import re

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.layers import Chain

X = np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32)
Y = np.arange(8) % 3


def places(make):
    """The two places of the layer 'shared' that the error of `make` names."""
    with pytest.raises(ValueError, match="Make a new layer") as caught:
        make()
    return re.search(r"Dense 'shared' is at two places, (\S+) and (\S+)\. ", str(caught.value)).groups()


@pytest.fixture
def shared():
    return sn.Dense(4, name="shared")


def test_two_places_of_one_chain(shared):
    assert places(lambda: Chain([shared, sn.ReLU(), shared])) == ("layers[0]", "layers[2]")
    assert places(lambda: sn.Sequential([shared, sn.ReLU(), shared])) == ("layers[0]", "layers[2]")


def test_nested_chains(shared):
    inner, deeper = Chain([sn.ReLU(), shared]), sn.Sequential([Chain([shared])])
    assert places(lambda: sn.Sequential([shared, inner])) == ("layers[0]", "layers[1].layers[1]")
    assert places(lambda: sn.Sequential([deeper, inner])) == ("layers[0].layers[0].layers[0]", "layers[1].layers[1]")


def test_branches(shared):
    assert places(lambda: sn.Parallel([shared, shared])) == ("layers[0]", "layers[1]")
    assert places(lambda: sn.Parallel([[shared], [sn.ReLU(), shared]])) == (
        "layers[0].layers[0]",
        "layers[1].layers[1]",
    )
    assert places(lambda: sn.Sequential([shared, sn.Parallel([[shared], []])])) == (
        "layers[0]",
        "layers[1].layers[0].layers[0]",
    )


def test_a_wrapped_layer(shared):
    wrapped = sn.SpectralNormalization(shared)
    assert places(lambda: sn.Sequential([shared, wrapped])) == ("layers[0]", "layers[1].layer")
    assert places(lambda: Chain([sn.SpectralNormalization(shared), wrapped])) == ("layers[0].layer", "layers[1].layer")


def test_add_leaves_the_model_as_it_was(shared):
    model = sn.Sequential([shared, sn.Dense(3, name="head")])
    assert places(lambda: model.add(shared)) == ("layers[0]", "layers[2]")
    assert [layer.name for layer in model.layers] == ["shared", "head"]
    model.forward(X)


def test_a_model_is_no_layer_of_itself():
    model = sn.Sequential([sn.Dense(3)], name="m")
    with pytest.raises(ValueError, match=r"Sequential 'm' is at two places, the network itself and layers\[1\]"):
        model.add(model)


def test_what_is_put_into_the_list_by_hand(shared):
    model = sn.Sequential([shared, sn.Parallel([[sn.ReLU()], []])])
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    model.layers.append(shared)
    for run in (model.forward, model.predict):
        assert places(lambda run=run: run(X)) == ("layers[0]", "layers[2]")
    model.layers.pop()
    model.layers[1].layers[0].layers.append(shared)  # deeper than the model's own plan looks
    before = shared.params["kernel"].copy()
    assert places(lambda: model.fit(X, X, verbose=0)) == ("layers[0]", "layers[1].layers[0].layers[1]")
    np.testing.assert_array_equal(before, shared.params["kernel"])


@pytest.mark.parametrize("build", [lambda m: m.build((None, 4)), lambda m: m.forward(X)])
def test_what_is_put_there_before_it_is_built(shared, build):
    model = sn.Sequential([sn.Dense(4), shared])
    model.layers.insert(0, shared)
    assert places(lambda: build(model)) == ("layers[0]", "layers[2]")
    branches = sn.Parallel([shared, []])
    branches.layers.append(shared)
    assert places(lambda: branches.build((None, 4))) == ("layers[0]", "layers[2]")


def test_generator_and_discriminator(shared):
    generator = sn.Sequential([sn.Dense(4), shared], name="g")
    assert places(lambda: sn.GAN(generator, sn.Sequential([sn.Parallel([shared, []]), sn.Dense(1)]), 4)) == (
        "generator.layers[1]",
        "discriminator.layers[0].layers[0]",
    )
    discriminator = sn.Sequential([sn.Dense(1)])
    gan = sn.GAN(generator, discriminator, 4)
    gan.compile()
    discriminator.layers.insert(0, shared)
    assert places(lambda: gan.fit(X, 8, verbose=0)) == ("generator.layers[1]", "discriminator.layers[0]")


def test_features_go_from_one_model_into_another():
    """Both models hold the same layers, and each trains right while the other does not."""
    features = sn.Sequential([sn.Dense(5, activation="relu", input_shape=(4,))])
    first = sn.Sequential([features, sn.Dense(3, activation="softmax")])
    first.compile("sgd", "sparse_categorical_crossentropy")
    first.fit(X, Y, epochs=2, verbose=0)
    second = sn.Sequential([features, sn.Dense(2, activation="softmax")])
    alone = copy.deepcopy(second)
    for model in (second, alone):
        model.compile(sn.Adam(0.01), "sparse_categorical_crossentropy")
        model.fit(X, Y % 2, epochs=3, shuffle=False, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(second.get_weights(), alone.get_weights()))
    np.testing.assert_array_equal(first.layers[0].forward(X), second.layers[0].forward(X))
    first.fit(X, Y, verbose=0)


def trained():
    model = sn.Sequential([sn.Dense(8, activation="relu", input_shape=(4,)), sn.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    return model


def test_a_new_head_after_pop():
    model = trained()
    kept = model.layers[0].get_weights()
    model.layers.pop()
    assert model.output_shape == (None, 8)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], kept[0])
    model.add(sn.Dense(5, activation="softmax"))
    assert model.output_shape == (None, 5)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, np.arange(8) % 5, verbose=0)
    assert model.predict(X).shape == (8, 5)


def test_an_optimizer_of_the_old_head_says_so():
    model = trained()
    model.layers.pop()
    model.add(sn.Dense(5, activation="softmax"))
    with pytest.raises(ValueError, match=r"Adam: expected '1_dense/kernel' of shape \(8, 3\), as its momentum .*anew"):
        model.fit(X, np.arange(8) % 5, verbose=0)


def test_a_head_that_is_put_there_by_hand():
    model = trained()
    model.layers[-1] = sn.Dense(5, activation="softmax")
    assert model.output_shape == (None, 5)
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="from 0 to 4"):
        model.fit(X, Y + 5, verbose=0)
    model.fit(X, np.arange(8) % 5, verbose=0)
    assert model.layers[-1].built


def test_all_layers_can_be_replaced():
    model = trained()
    while model.layers:
        model.layers.pop()
    model.add(sn.Dense(2))
    assert model.output_shape == (None, 2)
    assert model.predict(X).shape == (8, 2)
