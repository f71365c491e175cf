"""predict and evaluate keep nothing of what a backward would need; forward keeps it, with or without training."""

import gc
import weakref

import numpy as np
import pytest
from every_layer import EVERY

import scratchnet as sn
from scratchnet.layers.inference import forward_only, keeps_nothing
from scratchnet.layers.sharing import all_parts

RNG = np.random.default_rng(0)
N = 211  # prime: an array whose size it divides is one of examples


def arrays(value, depth=0):
    """All NumPy arrays that an object holds, but for what is in its weights."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from arrays(one, depth)
    elif isinstance(value, dict) or (hasattr(value, "__dict__") and depth < 3):
        own = value if isinstance(value, dict) else vars(value)
        for name, one in own.items():
            if name not in ("params", "grads", "state", "layer", "layers", "device", "_noted_calls"):
                yield from arrays(one, depth + 1)


def of_examples(model):
    """[(layer, shape)] of what the layers hold of the last batch."""
    return [(part.name, a.shape) for part in all_parts(model) for a in arrays(part) if a.size and a.size % N == 0]


@pytest.mark.parametrize("name", EVERY)
def test_every_layer_forgets(name):
    make, (_, *shape) = EVERY[name]
    sn.set_random_seed(1)
    model = sn.Sequential([make()])
    x = RNG.uniform(0, 1, (N, *shape)).astype(np.float32)
    expected = model.forward(x)
    np.testing.assert_array_equal(model.predict(x, batch_size=N), expected)
    if all(part.activity_regularizer is None for part in all_parts(model)):  # `losses` tells of the others' outputs
        assert of_examples(model) == []
    model.forward(x)
    model.backward(np.ones_like(expected))


def network(fuse=True):
    """A fork, a sum, a product, a concatenation, a pooling behind a convolution, and a layer at two places."""
    x = sn.Input((8, 8, 2))
    again = sn.Conv2D(4, 3, padding="same", activation="silu")
    y = again(sn.Conv2D(4, 3, padding="same", activation="relu")(x))
    y = sn.ReLU()(sn.Add()([y, sn.BatchNormalization()(again(y))]))
    y = sn.Multiply()([y, sn.Dense(4, activation="sigmoid")(sn.GlobalAveragePooling2D(keepdims=True)(y))])
    y = sn.Concatenate()([sn.MaxPooling2D()(sn.Conv2D(3, 3, padding="same")(y)), sn.AveragePooling2D()(y)])
    inner = sn.Sequential([sn.Input((4, 4, 7)), sn.Conv2D(5, 3), sn.BatchNormalization(), sn.ReLU(), sn.Flatten()])
    return sn.Model(x, sn.Dense(3, activation="softmax")(inner(y)), fuse=fuse)


@pytest.mark.parametrize("fuse", [True, False])
def test_a_graph_forgets_and_gives_the_same_bits(fuse):
    model, x = network(fuse), RNG.normal(size=(N, 8, 8, 2)).astype(np.float32)
    expected = model.forward(x)
    assert of_examples(model) != []
    dx = model.backward(np.ones_like(expected))  # after a forward without training, as saliency maps ask for it
    np.testing.assert_array_equal(model.predict(x, batch_size=N), expected)
    np.testing.assert_array_equal(model.predict_on_batch(x), expected)
    assert of_examples(model) == []
    with pytest.raises(RuntimeError, match="predict and evaluate keep nothing for a backward"):
        model.backward(np.ones_like(expected))
    np.testing.assert_array_equal(model.forward(x), expected)
    np.testing.assert_array_equal(model.backward(np.ones_like(expected)), dx)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.evaluate(x, np.arange(N) % 3, batch_size=N, verbose=0)
    assert of_examples(model) == []


class Watched(sn.Layer):
    """y = 2x; counts how many of the arrays that such layers gave are alive."""

    alive = []  # noqa: RUF012 - of all of them
    most = 0

    def call(self, x, training):
        y = 2 * x
        Watched.alive = [one for one in Watched.alive if one() is not None] + [weakref.ref(y)]
        Watched.most = max(Watched.most, len(Watched.alive))
        return y

    def call_backward(self, dy, param_grads, input_grad):
        return 2 * dy


def test_a_value_goes_with_its_last_user():
    x = sn.Input((3,))
    y = x
    for _ in range(4):
        fork = Watched()(y)
        y = sn.Add()([fork, Watched()(Watched()(fork))])
    model = sn.Model(x, y)
    gc.collect()
    Watched.alive, Watched.most = [], 0
    model.predict(np.ones((2, 3), np.float32))
    assert Watched.most == 3  # the fork, and a layer's input and output


def test_the_mode_ends_with_its_block():
    assert not keeps_nothing()
    with forward_only():
        assert keeps_nothing()
    assert not keeps_nothing()
    x = RNG.normal(size=(2, 7, 7, 2)).astype(np.float32)
    with pytest.raises(ValueError, match="expected x of shape"):
        network().predict(x)
    assert not keeps_nothing()


def test_forget_after_training():
    model, x = network(), RNG.normal(size=(N, 8, 8, 2)).astype(np.float32)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(x, np.arange(N) % 3)
    assert of_examples(model) != []
    model.forget()
    assert of_examples(model) == []


def test_gradients_take_no_memory_before_they_are_written():
    resource = pytest.importorskip("resource", reason="pages cannot be counted on this system")
    layer = sn.Dense(4096, kernel_initializer="zeros")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    layer.build((None, 4096))
    gradient = layer.grads["kernel"]
    assert (gradient.shape, gradient.dtype) == ((4096, 4096), np.float32)
    assert gradient.flags.writeable
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 3 * 4096 * 4096 * 4 // 4096
    assert not gradient[::512].any()
