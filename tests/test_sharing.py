"""A layer object at two places of a network has the same weights, and a memory for each call; also in two networks."""

import copy
import re

import numpy as np
import pytest
from every_layer import EVERY

import scratchnet as sn
from scratchnet.layers import Chain

X = np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32)
Y = np.arange(8) % 3


def places(make):
    """The two places of a layer that the error of `make` names."""
    with pytest.raises(ValueError, match="Make a new layer") as caught:
        make()
    return re.search(r"'shared' is at two places, (\S+) and (\S+)\. ", str(caught.value)).groups()


@pytest.fixture
def shared():
    return sn.Dense(4, activation="tanh", name="shared")


def check_right(network, arrays):
    """The gradients of a network with a layer at several places are right, and each array is there once."""
    x = X[:3].astype(np.float64)
    report = sn.gradcheck(network, x)
    assert report, report
    network.forward(x)
    assert len(network.params) == len(network.grads) == arrays
    assert len({id(array) for array in network.params.values()}) == arrays


def test_two_places_of_one_chain(shared):
    check_right(Chain([shared, sn.ReLU(), shared]), 2)
    check_right(Chain([shared, sn.ReLU(), shared], fuse=False), 2)
    check_right(sn.Sequential([shared, sn.BatchNormalization(), shared, sn.Dense(2)]), 6)
    relu = sn.ReLU()
    check_right(Chain([relu, sn.Dense(4), relu, sn.Dense(3), relu]), 4)


def test_nested_chains(shared):
    inner, deeper = Chain([sn.ReLU(), shared]), sn.Sequential([Chain([shared])])
    check_right(sn.Sequential([shared, inner]), 2)
    check_right(sn.Sequential([deeper, inner, shared, inner]), 2)


def test_branches(shared):
    check_right(sn.Parallel([shared, shared]), 2)
    check_right(sn.Parallel([[shared], [sn.ReLU(), shared], []]), 2)
    check_right(sn.Sequential([shared, sn.Parallel([[shared], []])]), 2)


@pytest.mark.parametrize("name", EVERY)
def test_every_layer_at_two_places(name):
    """Each call has a memory of its own, whatever a layer keeps of it."""
    make, shape = EVERY[name]
    layer, x = make(), np.random.default_rng(1).uniform(-1, 1, shape)
    if isinstance(layer, sn.Normalization) and not layer.mean:
        layer.adapt(x)
    merged = sn.Parallel([layer, [sn.Rescaling(-0.7, 0.1), layer]], merge="concat")
    report = sn.gradcheck(merged, x, training=True, samples=20)
    assert report, report


def test_what_comes_out_can_be_changed(shared):
    """The caller's array is no part of what any call of a layer keeps."""
    relu = sn.ReLU()
    chain, x = Chain([relu, shared, relu]), X.astype(np.float64)
    y = chain.forward(x)
    dy = np.ones_like(y)
    expected = chain.backward(dy)
    y = chain.forward(x)
    y[...] = -1
    np.testing.assert_array_equal(chain.backward(dy), expected)


def test_saved_with_one_set_of_weights(shared, tmp_path):
    model = sn.Sequential([shared, Chain([sn.ReLU(), shared]), sn.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.safetensors")
    again = sn.load_model(tmp_path / "m.safetensors")
    assert again.layers[0] is again.layers[1].layers[1]
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    for one in (model, again):
        one.fit(X, Y, verbose=0, shuffle=False)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_wrapped_layer(shared):
    wrapped = sn.SpectralNormalization(shared)
    assert places(lambda: sn.Sequential([shared, wrapped])) == ("layers[0]", "layers[1].layer")
    assert places(lambda: Chain([sn.SpectralNormalization(shared), wrapped])) == ("layers[0].layer", "layers[1].layer")
    Chain([wrapped, sn.ReLU(), wrapped]).forward(X)


def test_add_leaves_the_model_as_it_was(shared):
    model = sn.Sequential([shared, sn.Dense(3, name="head")])
    wrapped = sn.SpectralNormalization(shared)
    assert places(lambda: model.add(wrapped)) == ("layers[0]", "layers[2].layer")
    assert [layer.name for layer in model.layers] == ["shared", "head"]
    model.forward(X)


def test_a_model_is_no_layer_of_itself():
    model = sn.Sequential([sn.Dense(3)], name="m")
    with pytest.raises(ValueError, match=r"Sequential 'm' is at two places, the network itself and layers\[1\]"):
        model.add(model)


def test_what_is_put_into_the_list_by_hand(shared):
    """The plan is made anew, however deep the layer is."""
    model = sn.Sequential([shared, sn.Parallel([[sn.ReLU()], []])])
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    model.layers.append(shared)
    check_right(model, 2)
    model.layers.pop()
    model.layers[1].layers[0].layers.append(shared)
    check_right(model, 2)


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
