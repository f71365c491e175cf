"""Layers that run as one: the same numbers as one by one, for every rule; and which backward runs in which mode."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratchnet as sn
from scratchnet.layers import (
    Activation,
    BatchNormalization,
    Chain,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Flatten,
    LeakyReLU,
    MaxPooling2D,
    Parallel,
    ReLU,
    fusion,
)


def normalization():
    return BatchNormalization(beta_initializer="glorot_uniform")


# For each step: layers that it takes, made anew at each call, from a kernel size, strides, a padding and a pool size.
MAKERS = {
    "ConvolutionPooling": [
        lambda k, s, p, w: [Conv2D(5, k, s, p), MaxPooling2D(w, padding=p)],
        lambda k, s, p, w: [Conv2D(9, k, s, p, activation="relu"), MaxPooling2D(w, 1, p)],
        lambda k, s, p, w: [Conv2D(3, k, s, p), ReLU(), MaxPooling2D(w, padding=p)],
        lambda k, s, p, w: [Conv2D(3, k, s, p, use_bias=False), Activation("relu"), MaxPooling2D(w, padding=p)],
    ],
    "NormalizationReLUPooling": [lambda k, s, p, w: [normalization(), ReLU(), MaxPooling2D(w, padding=p)]],
    "NormalizationReLU": [
        lambda k, s, p, w: [normalization(), ReLU()],
        lambda k, s, p, w: [BatchNormalization(center=False, scale=False), Activation("relu")],
    ],
    "ReLUPooling": [
        lambda k, s, p, w: [ReLU(), MaxPooling2D(w, padding=p)],
        lambda k, s, p, w: [Conv2DTranspose(3, k, s, p, activation="relu"), MaxPooling2D(w, padding=p)],
        lambda k, s, p, w: [Dense(3, activation="relu"), MaxPooling2D(w, padding=p)],
        lambda k, s, p, w: [Conv2D(4, k, 1, "same", dilation_rate=2, activation="relu"), MaxPooling2D(w, padding=p)],
    ],
    "KernelReLU": [
        lambda k, s, p, w: [Conv2D(5, k, s, p, activation="relu")],
        lambda k, s, p, w: [Conv2DTranspose(5, k, s, p, activation="relu")],
        lambda k, s, p, w: [Dense(5, activation="relu")],
        lambda k, s, p, w: [Conv2D(4, k, 1, "same", dilation_rate=(1, 2), activation="relu")],
    ],
}
EVERY = [(name, number) for name, makers in MAKERS.items() for number in range(len(makers))]


def chain_of(name, number, fuse, kernel=2, strides=1, padding="same", window=2, behind=()):
    return Chain([*MAKERS[name][number](kernel, strides, padding, window), *behind], fuse=fuse)


def run(chain, x, training, param_grads=True, logits=False):
    """(y, dx, gradients) for a gradient from above that is random, but the same for all."""
    y = chain.forward(x, training, logits)
    dy = np.random.default_rng(1).normal(size=y.shape).astype(y.dtype)
    chain.zero_grads()
    dx = chain.backward(dy, param_grads, logits=logits)
    return [y, dx, *(g.copy() for g in chain.grads.values())]


def assert_same(some, others, rounding=1e-12):
    assert len(some) == len(others)
    for one, other in zip(some, others):
        scale = max(1.0, float(np.abs(other).max(initial=0)))
        np.testing.assert_allclose(one, other, rtol=0, atol=rounding * scale)


def test_every_rule_is_tried():
    assert {step.__name__ for _, step in fusion.RULES} == {*MAKERS, "SumReLU"}  # a sum stands in graphs, see below
    for name, number in EVERY:
        steps = chain_of(name, number, fuse=True).plan()
        assert [type(step).__name__ for step in steps] == [name]


@pytest.mark.parametrize(("name", "number"), EVERY)
@given(
    seed=st.integers(0, 1000),
    sizes=st.tuples(st.integers(1, 4), st.integers(5, 9), st.integers(5, 9), st.integers(1, 20)),
    kernel=st.integers(1, 3),
    strides=st.integers(1, 2),
    padding=st.sampled_from(["same", "valid"]),
    window=st.integers(1, 2),
    training=st.booleans(),
    param_grads=st.booleans(),
)
def test_as_one_and_one_by_one_agree(
    name, number, seed, sizes, kernel, strides, padding, window, training, param_grads
):
    x = np.random.default_rng(seed).normal(size=sizes)
    fused, single = (chain_of(name, number, fuse, kernel, strides, padding, window) for fuse in (True, False))
    for chain in (fused, single):
        chain.build((None, *sizes[1:]))
        chain.astype(np.float64)
    single.set_weights(fused.get_weights())
    assert_same(run(fused, x, training, param_grads), run(single, x, training, param_grads))
    assert_same(fused.get_weights(), single.get_weights())  # moving averages, too


@pytest.mark.parametrize("more", [{"groups": 2}, {"dilation_rate": 2}, {"groups": 2, "dilation_rate": (1, 2)}])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_groups_and_dilation_do_not_go_back_with_the_pooling_by_one_kernel(more, activation):
    x = np.random.default_rng(0).normal(size=(3, 8, 7, 4))
    layers = [Conv2D(6, 3, padding="same", activation=activation, **more), ReLU(), MaxPooling2D(2)]
    fused = Chain(layers[:1] + layers[2:] if activation else layers)
    actual = run(fused, x, training=True)
    assert "ConvolutionPooling" not in {type(step).__name__ for step in fused.plan()}
    fused.fuse = False
    assert_same(actual, run(fused, x, training=True))


@pytest.mark.parametrize(("name", "number"), EVERY)
def test_one_by_one_each_step_is_a_layer(name, number):
    chain = chain_of(name, number, fuse=False)
    assert [type(step) for step in chain.plan()] == [fusion.Step] * len(chain.layers)


def summed(fuse, shapes=((6, 5, 3), (6, 5, 3)), relu=ReLU, behind=()):
    """ReLU of a sum, in a graph."""
    inputs = [sn.Input(shape) for shape in shapes]
    y = relu()(sn.Add()(inputs))
    for layer in behind:
        y = layer(y)
    return sn.Model(inputs, y, fuse=fuse)


@pytest.mark.parametrize("shapes", [[(6, 5, 3)] * 2, [(6, 5, 3)] * 3, [(4,)], [(1, 1, 3), (6, 5, 3), (1, 1, 1)]])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("behind", [False, True])
def test_a_sum_and_relu_as_one(shapes, training, behind):
    rng, more = np.random.default_rng(0), [Flatten(), Dense(3)] if behind else []
    x = [rng.normal(size=(7, *shape)) for shape in shapes]
    fused, single = (summed(fuse, shapes, behind=more) for fuse in (True, False))
    assert type(fused.plan()[0].step).__name__ == "SumReLU"
    assert type(single.plan()[0].step).__name__ == "Step"
    x[0][0] = np.nan
    ys = [model.forward(x, training) for model in (fused, single)]
    np.testing.assert_array_equal(*ys)
    dy = rng.normal(size=ys[0].shape)
    for one, other in zip(*(model.backward(dy) for model in (fused, single))):
        np.testing.assert_array_equal(one, other)


def test_a_sum_and_relu_without_its_activation():
    x, model = [np.random.default_rng(n).normal(size=(2, 6, 5, 3)) for n in (0, 1)], summed(fuse=True)
    np.testing.assert_array_equal(model.forward(x, logits=True), x[0] + x[1])
    assert (model.backward(np.ones((2, 6, 5, 3)), logits=True)[0] == 1).all()


def test_what_is_no_plain_sum_and_relu_runs_by_itself():
    for relu in (LeakyReLU, lambda: ReLU(max_value=6)):
        assert type(summed(True, relu=relu).plan()[0].step).__name__ == "Step"
    a = sn.Input((3,))
    assert type(sn.Model(a, ReLU()(sn.Average()([a, a]))).plan()[0].step).__name__ == "Step"
    y = sn.Add()([a, a])
    assert type(sn.Model(a, [ReLU()(y), y]).plan()[0].step).__name__ == "Step"  # the sum is looked at, too


# Which backward runs.


class Calls:
    """Notes which layers' own `call_backward` runs."""

    def __init__(self, monkeypatch, layers):
        self.names = []
        for layer in layers:
            monkeypatch.setattr(layer, "call_backward", self.noted(layer, layer.call_backward))

    def noted(self, layer, own):
        def call_backward(*args):
            self.names.append(type(layer).__name__)
            return own(*args)

        return call_backward


BACKWARD = {  # of those that run as one; one by one, all do
    "ConvolutionPooling": {0: [], 1: [], 2: [], 3: []},
    "NormalizationReLUPooling": {0: ["MaxPooling2D", "BatchNormalization"]},
    "NormalizationReLU": {0: ["BatchNormalization"], 1: ["BatchNormalization"]},
    "ReLUPooling": {
        0: ["MaxPooling2D", "ReLU"],
        1: ["MaxPooling2D", "Conv2DTranspose"],
        2: ["MaxPooling2D", "Dense"],
        3: ["MaxPooling2D", "Conv2D"],
    },
    "KernelReLU": {0: ["Conv2D"], 1: ["Conv2DTranspose"], 2: ["Dense"], 3: ["Conv2D"]},
}


@pytest.mark.parametrize(("name", "number"), EVERY)
@pytest.mark.parametrize("fuse", [True, False])
def test_which_layers_own_backward_runs(name, number, fuse, monkeypatch):
    chain = chain_of(name, number, fuse)
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3))
    chain.forward(x)
    calls = Calls(monkeypatch, chain.layers)
    run(chain, x, training=True)
    every = [type(layer).__name__ for layer in reversed(chain.layers)]
    assert calls.names == (BACKWARD[name][number] if fuse else every)


def test_in_the_readmes_network_a_breakpoint_stops_with_fuse_false(monkeypatch):
    names = {}
    for fuse in (True, False):
        layers = [
            Conv2D(4, 3, activation="relu"), MaxPooling2D(), Conv2D(4, 3, activation="relu"), MaxPooling2D(),
            Flatten(), Dense(8, activation="relu"), Dense(10, activation="softmax"),
        ]  # fmt: skip
        model = sn.Sequential(layers, fuse=fuse)
        x = np.random.default_rng(0).normal(size=(2, 12, 12, 1))
        model.forward(x)
        calls = Calls(monkeypatch, layers)
        run(model, x, training=True)
        names[fuse] = calls.names
    assert names[True] == ["Dense", "Dense", "Flatten"]
    both = ["MaxPooling2D", "Conv2D"]
    assert names[False] == ["Dense", "Dense", "Flatten", *both, *both]


@pytest.mark.parametrize(("name", "number"), EVERY)
def test_after_a_fused_forward_the_layers_go_back_by_hand(name, number):
    chain = chain_of(name, number, fuse=True)
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3))
    whole = run(chain, x, training=True)
    chain.zero_grads()
    dy = np.random.default_rng(1).normal(size=whole[0].shape)
    for layer in reversed(chain.layers):
        dy = layer.backward(dy)
    assert_same([whole[0], dy, *chain.grads.values()], whole)


# What is left out, what is no rule's.


@pytest.mark.parametrize("last", [lambda: [normalization(), ReLU()], lambda: [Dense(4, activation="relu")]])
def test_an_activation_that_is_left_out_is_in_no_step(last):
    fused, single = Chain(last()), Chain(last(), fuse=False)
    x = np.random.default_rng(0).normal(size=(5, 3))
    fused.forward(x), single.forward(x)
    single.set_weights(fused.get_weights())
    assert_same(run(fused, x, True, logits=True), run(single, x, True, logits=True))
    assert fused.forward(x, logits=True).min() < 0


@pytest.mark.parametrize("last", [lambda: [normalization(), ReLU()], lambda: [Dense(4, activation="relu")]])
def test_a_gradient_for_the_scores_may_come_after_a_forward_with_the_activation(last):
    fused, single = Chain(last()), Chain(last(), fuse=False)
    x = np.random.default_rng(0).normal(size=(5, 3))
    fused.forward(x), single.forward(x)
    single.set_weights(fused.get_weights())
    found = []
    for chain in (fused, single):
        dy = np.random.default_rng(1).normal(size=chain.forward(x, training=True).shape)
        found.append(chain.backward(dy, logits=True))
    assert_same(found[:1], found[1:])


@pytest.mark.parametrize(
    "layers",
    [
        [Conv2D(3, 2, activation="tanh"), MaxPooling2D()],
        [normalization(), LeakyReLU()],
        [normalization(), ReLU(max_value=1.0)],
        [ReLU(), Flatten()],
    ],
)
def test_what_no_rule_is_for(layers):
    assert all(type(step) is fusion.Step for step in Chain(layers).plan())


def test_a_relu_between_two_belongs_to_the_convolution_or_to_the_pooling_but_not_to_both():
    plan = Chain([Conv2D(3, 2, activation="relu"), ReLU(), MaxPooling2D()]).plan()
    assert [type(step).__name__ for step in plan] == ["KernelReLU", "ReLUPooling"]


def test_a_class_with_a_call_of_its_own_is_left_alone():
    class Doubled(Conv2D):
        def call(self, x, training):
            return 2 * super().call(x, training)

    class Seen(MaxPooling2D):
        def call(self, x, training):
            return super().call(x, training)

    layers = [Doubled(3, 2, activation="relu"), Seen()]
    assert all(type(step) is fusion.Step for step in Chain(layers).plan())
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 1))
    y = Chain(layers).forward(x)
    assert_same([y], [layers[1].forward(layers[0].forward(x))])


# The switch and the plan.


def test_the_plan_is_made_once_and_anew_where_a_layer_has_changed():
    chain = Chain([Conv2D(3, 2, activation="relu"), MaxPooling2D()])
    assert chain.plan() is chain.plan()
    assert repr(chain.plan()[0]).startswith("<ConvolutionPooling: conv2d")
    chain.layers[0].activation = sn.layers.activation.get("tanh")
    assert [type(step).__name__ for step in chain.plan()] == ["Step", "Step"]
    chain.layers.pop()
    assert len(chain.plan()) == 1
    chain.fuse = False
    assert chain.plan(logits=True) is not chain.plan()


def test_fuse_false_reaches_what_is_inside():
    inner = Chain([normalization(), ReLU()])
    branches = Parallel([[Conv2D(2, 1, activation="relu"), MaxPooling2D()], [MaxPooling2D()]], merge="concat")
    model = sn.Sequential([inner, branches], fuse=False)
    assert not inner.fuse
    assert not branches.layers[0].fuse
    assert len(inner.plan()) == len(branches.layers[0].plan()) == 2
    model.fuse = True
    assert len(inner.plan()) == len(branches.layers[0].plan()) == 1
    model.fuse = False
    model.add(added := Chain([normalization(), ReLU()]))
    assert not added.fuse


def test_the_switch_is_saved(tmp_path):
    for fuse in (True, False):
        model = sn.Sequential([Dense(2, activation="relu", input_shape=(3,))], fuse=fuse)
        model.save(tmp_path / "model.safetensors")
        assert sn.load_model(tmp_path / "model.safetensors").fuse is fuse


@pytest.mark.parametrize("kind", [Conv2D, Conv2DTranspose, Dense, MaxPooling2D, BatchNormalization, Activation, ReLU])
def test_a_layer_that_may_be_taken_in_says_so(kind):
    assert "layers/fusion.py" in kind.__doc__
