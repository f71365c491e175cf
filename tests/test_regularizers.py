"""Regularizers and constraints: penalties, their gradients, what a step of training makes of them."""

import copy
import inspect

import numpy as np
import pytest
from devices import gpu_registered
from hypothesis import given, settings
from hypothesis import strategies as st

import scratchnet as sn
from scratchnet import constraints, regularizers
from scratchnet.devices import to_device, to_numpy
from scratchnet.layers import fusion
from scratchnet.layers.penalties import activity_penalties
from scratchnet.optimizers import Optimizer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 8, 8, 2)).astype(np.float32)
Y = np.arange(6) % 3
PENALTIES = {
    "l1": lambda: regularizers.l1(0.3),
    "l2": lambda: regularizers.l2(0.2),
    "l1_l2": lambda: regularizers.l1_l2(0.1, 0.2),
    "orthogonal rows": lambda: regularizers.OrthogonalRegularizer(2.0),
    "orthogonal columns": lambda: regularizers.orthogonal_regularizer(0.5, mode="columns"),
}
BOUNDS = {
    "max_norm": lambda: constraints.max_norm(0.5),
    "max_norm of filters": lambda: constraints.MaxNorm(0.5, axis=[0, 1]),
    "non_neg": lambda: constraints.non_neg(),
    "unit_norm": lambda: constraints.unit_norm(axis=1),
    "min_max_norm": lambda: constraints.min_max_norm(0.5, 0.8, rate=0.7),
}


# By themselves.


@pytest.mark.parametrize("kind", PENALTIES)
@settings(max_examples=20, deadline=None)
@given(shape=st.tuples(st.integers(1, 5), st.integers(1, 5)), seed=st.integers(0, 99))
def test_the_gradient_is_that_of_the_penalty(kind, shape, seed):
    penalty, x = PENALTIES[kind](), np.random.default_rng(seed).normal(size=shape)
    x += 0.01 * np.sign(x)  # away from the kink of |x|
    gradient, numeric, step = penalty.gradient(x), np.empty(shape), 1e-6
    for place in np.ndindex(shape):
        above, below = x.copy(), x.copy()
        above[place] += step
        below[place] -= step
        numeric[place] = (penalty(above) - penalty(below)) / (2 * step)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-7)


def test_penalties_by_hand():
    x = np.array([[1.0, -2.0], [0.0, 4.0]], np.float32)
    assert regularizers.l1(0.5)(x) == 3.5
    assert regularizers.l2(0.5)(x) == 10.5
    assert regularizers.l1_l2(1.0, 1.0)(x) == 28.0
    np.testing.assert_array_equal(regularizers.l1(0.5).gradient(x), [[0.5, -0.5], [0.0, 0.5]])  # 0 at the kink
    right_angle, same = np.array([[3.0, 0.0], [0.0, 2.0]]), np.array([[3.0, 0.0], [2.0, 0.0]])
    assert regularizers.OrthogonalRegularizer(0.5)(right_angle) == 0
    assert regularizers.OrthogonalRegularizer(0.5)(same) == 0.5
    assert regularizers.OrthogonalRegularizer(0.5)(same[:1]) == 0
    assert (regularizers.OrthogonalRegularizer(0.5).gradient(right_angle) == 0).all()  # a kink, too
    zeros = np.zeros((3, 2), np.float32)
    assert np.isfinite(regularizers.OrthogonalRegularizer().gradient(zeros)).all()


@pytest.mark.parametrize("kind", PENALTIES)
def test_dtypes_slices_and_nan(kind):
    penalty, x = PENALTIES[kind](), RNG.normal(size=(6, 10)).astype(np.float32)
    part = x[::2, 1::3]
    assert penalty.gradient(part).dtype == np.float32
    assert penalty(part) == pytest.approx(penalty(part.astype(np.float64)), rel=1e-5)
    np.testing.assert_array_equal(penalty.gradient(part), penalty.gradient(part.copy()))
    x[1, 2] = np.nan
    assert np.isnan(penalty(x))
    assert np.isnan(penalty.gradient(x)[1, 2])


@pytest.mark.parametrize("kind", [*PENALTIES, *BOUNDS])
def test_the_same_on_the_gpu(kind):
    x = RNG.normal(size=(5, 7)).astype(np.float32)
    before = x.copy()
    with gpu_registered():
        there = to_device(x, "gpu")
        if kind in PENALTIES:
            penalty = PENALTIES[kind]()
            assert penalty(there) == pytest.approx(penalty(x), rel=1e-5)
            ours, cpus = penalty.gradient(there), penalty.gradient(x)
        else:
            bound = BOUNDS[kind]()
            ours, cpus = bound(there), bound(x)
        np.testing.assert_allclose(to_numpy(ours), cpus, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(to_numpy(there), before)


def test_bounds_by_hand():
    w = np.array([[3.0, 0.3, 0.0], [-4.0, 0.4, 0.0]])
    length = lambda x: np.sqrt((x * x).sum(axis=0))  # noqa: E731
    np.testing.assert_allclose(length(constraints.max_norm(1.0)(w)), [1, 0.5, 0], atol=1e-6)
    np.testing.assert_allclose(length(constraints.unit_norm()(w)), [1, 1, 0], atol=1e-6)
    np.testing.assert_allclose(length(constraints.min_max_norm(1.0, 2.0)(w)), [2, 1, 0], atol=1e-5)
    np.testing.assert_allclose(length(constraints.min_max_norm(1.0, 2.0, rate=0.5)(w)), [3.5, 0.75, 0], atol=1e-5)
    np.testing.assert_array_equal(constraints.non_neg()(w), [[3, 0.3, 0], [0, 0.4, 0]])
    np.testing.assert_allclose(constraints.max_norm(1.0, [0, 1])(w), w / np.sqrt((w * w).sum()), rtol=1e-6)
    assert np.isnan(constraints.non_neg()(np.array([np.nan, -1.0]))).tolist() == [True, False]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: regularizers.l2(-1), "L2: expected l2 to be a finite number of at least 0, got -1"),
        (lambda: regularizers.l1("a"), "L1: expected l1 to be a number, got 'a'"),
        (lambda: regularizers.get("l3"), "unknown regularizer 'l3'. Did you mean"),
        (lambda: regularizers.OrthogonalRegularizer(mode="row"), "unknown mode 'row'. Did you mean 'rows'"),
        (lambda: regularizers.OrthogonalRegularizer()(np.ones(3)), r"expected a matrix.*shape \(3,\)"),
        (lambda: constraints.max_norm(-1), "MaxNorm: expected max_value .* of at least 0, got -1"),
        (lambda: constraints.max_norm(axis=[]), "MaxNorm: expected axis"),
        (lambda: constraints.max_norm(axis=2)(np.ones((2, 2))), r"MaxNorm: expected axis within .*\(2, 2\)"),
        (lambda: constraints.min_max_norm(2, 1), "MinMaxNorm: expected min_value up to max_value, got 2 and 1"),
        (lambda: constraints.get("maxnorm"), "unknown constraint 'maxnorm'. Did you mean 'max_norm'"),
        (lambda: constraints.get(constraints.MaxNorm), r"A class needs its brackets: MaxNorm\(\)"),
        (lambda: sn.Dense(2, kernel_regularizer="l3"), "unknown regularizer 'l3'"),
        (lambda: sn.Sequential([], activity_regularizer="l2"), "unexpected|activity_regularizer"),
    ],
)
def test_wrong_arguments(make, match):
    with pytest.raises((ValueError, TypeError), match=match):
        make()


def test_names():
    assert regularizers.get(None) is None
    assert regularizers.get("L1").get_config() == {"l1": 0.01}
    assert regularizers.get("l1_l2").get_config() == {"l1": 0.01, "l2": 0.01}
    assert regularizers.L1L2().get_config() == {"l1": 0.0, "l2": 0.0}
    assert constraints.get("max_norm").get_config() == {"max_value": 2, "axis": 0}
    assert constraints.get(np.abs) is np.abs


# In layers and steps.


def network(fuse=True, head=None, **options):
    sn.set_random_seed(0)
    model = sn.Sequential(
        [
            sn.Conv2D(4, 3, activation="relu", name="conv", input_shape=(8, 8, 2), **options),
            sn.MaxPooling2D(name="pool"),
            sn.BatchNormalization(name="norm"),
            sn.ReLU(name="relu"),
            sn.Flatten(name="flatten"),
            sn.Dense(3, activation="softmax", name="scores", **(options if head is None else head)),
        ],
        fuse=fuse,
    )
    model.compile(sn.SGD(0.1), "sparse_categorical_crossentropy")
    return model


def arguments_of_layers(end):
    """(layer, argument) of all layers' arguments with that ending, but for those that every layer takes."""
    return [
        (name, argument)
        for name in sn.layers.__all__
        for argument in inspect.signature(getattr(sn.layers, name)).parameters
        if argument.endswith(end) and argument != "activity_regularizer"
    ]


MADE = {"filters": 3, "kernel_size": 2, "units": 3, "groups": 1, "input_dim": 5, "output_dim": 2}


@pytest.mark.parametrize(
    ("name", "argument"), [*arguments_of_layers("_regularizer"), *arguments_of_layers("_constraint")]
)
def test_every_argument_of_every_layer_reaches_its_weight(name, argument):
    """A weight that is penalized, or bounded, and no other."""
    kind = getattr(sn.layers, name)
    parameters = inspect.signature(kind).parameters
    needed = {one: value for one, value in MADE.items() if one in parameters}
    start, bounded = argument.rsplit("_", 1)[0], argument.endswith("_constraint")
    layer = kind(**needed, **{argument: constraints.max_norm(0.0) if bounded else "l1"})
    model = sn.Sequential([layer, sn.Flatten()])
    x = np.ones((2, 4, 4, 2), np.float32)
    model.compile(sn.SGD(0.0), "mse")
    model.train_on_batch(x, np.zeros_like(model.forward(x)))
    (weight,) = [
        one for one in layer.params if one in (start, "kernel", f"{start}_kernel") and one in layer_rules(layer)
    ]
    if bounded:
        assert (layer.params[weight] == 0).all()
    else:
        assert layer.losses == pytest.approx([0.01 * np.abs(layer.params[weight]).sum()])


def layer_rules(layer):
    return {*layer.regularizers, *layer.constraints}


def test_a_step_adds_the_penalties_and_their_gradients():
    plain, model = network(), network(kernel_regularizer=regularizers.l2(0.05), bias_regularizer="l1")
    kernels = [layer.params["kernel"].copy() for layer in model.layers if "kernel" in layer.params]
    wanted = plain.train_on_batch(X, Y) + 0.05 * sum((w.astype(np.float64) ** 2).sum() for w in kernels)
    assert model.losses == pytest.approx([*(0.05 * (w * w).sum() for w in kernels[:1]), 0.0,
                                          *(0.05 * (w * w).sum() for w in kernels[1:]), 0.0])  # fmt: skip
    assert model.train_on_batch(X, Y) == pytest.approx(wanted, rel=1e-6)
    for name, place in (("conv", 0), ("scores", -1)):
        ours, theirs = model.get_layer(name).params, plain.get_layer(name).params
        np.testing.assert_allclose(ours["kernel"], theirs["kernel"] - 0.1 * 0.1 * kernels[place], atol=1e-6)
        np.testing.assert_array_equal(ours["bias"], theirs["bias"])  # they were 0, where |b| has its kink
    assert model.evaluate(X, Y, verbose=0) > sum(model.losses) > 0


def test_frozen_weights_are_neither_penalized_nor_bounded():
    model = network(kernel_regularizer="l2", kernel_constraint="unit_norm")
    model.get_layer("conv").trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_layer("conv").params["kernel"].copy()
    assert len(model.losses) == 1
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(model.get_layer("conv").params["kernel"], before)
    kernel = model.get_layer("scores").params["kernel"]
    np.testing.assert_allclose((kernel * kernel).sum(axis=0), 1, atol=1e-5)
    model.trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.losses == []


@pytest.mark.parametrize("kind", ["l1", "l2", "l1_l2"])
@pytest.mark.parametrize("fuse", [True, False])
def test_activity_penalties_go_back_through_the_layers(kind, fuse):
    model = network(fuse, activity_regularizer=PENALTIES[kind]())
    report = sn.gradcheck(model, X[:2], tolerance=1e-6, samples=20)
    assert report.passed, report


def test_no_fused_step_takes_in_a_penalized_layer():
    model = network(head={})
    assert [type(step).__name__ for step in model.plan()][:2] == ["ConvolutionPooling", "NormalizationReLU"]
    model.get_layer("conv").activity_regularizer = "l2"  # the plan is made anew
    model.get_layer("relu").activity_regularizer = "l2"
    assert {type(step) for step in model.plan()} == {fusion.Step}
    assert sn.gradcheck(model, X[:2], tolerance=1e-6, samples=20)


@pytest.mark.parametrize("logits", [True, False])
def test_a_penalized_layer_whose_activation_is_left_out(logits):
    """The loss may take in the softmax: the penalty is on its output all the same."""
    layer = sn.Dense(3, activation="softmax", activity_regularizer=regularizers.l2(0.7))
    x = RNG.normal(size=(4, 5))
    dy = RNG.normal(size=(4, 3))

    def total(x):
        with activity_penalties() as found:
            y = layer.forward(x, logits=logits)
        return (y * dy).sum() + sum(found)

    total(x)
    probabilities = layer.forward(x)
    layer.forward(x, logits=logits)
    assert layer.losses == pytest.approx([0.7 * (probabilities**2).sum() / 4])
    dx = layer.backward(dy, logits=logits)
    step, place = 1e-6, (2, 3)
    above, below = x.copy(), x.copy()
    above[place] += step
    below[place] -= step
    assert dx[place] == pytest.approx((total(above) - total(below)) / (2 * step), rel=1e-5)


def test_a_layer_at_two_places_is_penalized_for_each_call_and_once_for_its_weights():
    shared = sn.Dense(4, activation="tanh", activity_regularizer="l2", kernel_regularizer="l2")
    model = sn.Sequential([shared, shared], name="twice")
    x = RNG.normal(size=(3, 4)).astype(np.float32)
    with activity_penalties() as found:
        y = model.forward(x)
    first = shared.forward(x)
    assert found == pytest.approx([0.01 * (first**2).sum() / 3, 0.01 * (y**2).sum() / 3], rel=1e-5)
    assert model.weights_penalty() == pytest.approx(0.01 * (shared.params["kernel"] ** 2).sum(), rel=1e-5)
    assert sn.gradcheck(model, x, tolerance=1e-6)


def test_functional_models_and_layers_of_layers():
    x = sn.Input((4,))
    h = sn.Dense(3, activation="relu", kernel_regularizer="l2", activity_regularizer="l1", name="inner")(x)
    inner = sn.Sequential([sn.Dense(3, kernel_regularizer="l1", kernel_constraint="non_neg", name="deep")])
    model = sn.Model(x, sn.layers.ActivityRegularization(l2=0.1)(sn.layers.Add()([h, inner(h)])))
    model.compile("sgd", "mse")
    assert model.ruled
    data = RNG.normal(size=(5, 4)).astype(np.float32)
    assert sn.gradcheck(model, data, tolerance=1e-6)
    value = model.train_on_batch(data, np.zeros((5, 3), np.float32))
    assert len(model.losses) == 4
    assert value > 0
    assert (inner.layers[0].params["kernel"] >= 0).all()


def test_rules_of_layers_that_are_added_later_are_seen():
    inner = sn.Sequential([sn.Dense(3)])
    model = sn.Sequential([sn.Dense(3, input_shape=(4,)), inner])
    assert not model.ruled
    model.forward(np.ones((1, 4)))
    assert not model.ruled
    inner.add(sn.Dense(2, kernel_regularizer="l2"))
    assert model.ruled
    inner.pop()
    assert not model.ruled
    model.add(sn.Dense(2, kernel_constraint="non_neg"))
    assert model.ruled


def test_a_model_without_rules_is_asked_once():
    model = network()
    model.train_on_batch(X, Y)
    known = model._ruled
    assert not model.ruled
    assert model._ruled is known
    model.get_layer("conv").rule("kernel", "l2", "non_neg")  # and anew, where something changed
    assert model.ruled
    model.train_on_batch(X, Y)
    assert (model.get_layer("conv").params["kernel"] >= 0).all()
    assert len(model.losses) == 1
    with pytest.raises(TypeError, match="does not support item assignment"):
        model.get_layer("conv").regularizers["kernel"] = regularizers.l2()


def test_a_layer_of_ones_own_adds_weights_with_rules():
    class Scale(sn.Layer):
        def create_weights(self, input_shape):
            self.s = self.add_weight(input_shape[-1:], "ones", regularizer="l2", constraint=lambda w: w.clip(0, 0.5))

        def call(self, x, training):
            self.x = x
            return x * self.s

        def call_backward(self, dy, param_grads, input_grad):
            if param_grads:
                self.grads["weight"] += (dy * self.x).sum(axis=0)
            return dy * self.s

    layer = Scale()
    model = sn.Sequential([layer])
    model.compile(sn.SGD(0.1), "mse")
    assert model.train_on_batch(np.ones((2, 3)), np.ones((2, 3))) == pytest.approx(0.03)
    np.testing.assert_array_equal(layer.params["weight"], np.float32(0.5))


class Cubes(regularizers.Regularizer):
    """One of one's own."""

    def __init__(self, factor=0.01):
        self.factor = factor

    def __call__(self, x):
        return self.factor * float((abs(x) ** 3).sum())

    def gradient(self, x):
        return self.factor * 3 * x * abs(x)


class Rounded(constraints.Constraint):
    """One of one's own."""

    def __call__(self, w):
        return w.round(2)


def test_ones_own_and_files(tmp_path):
    model = network(kernel_regularizer=Cubes(0.1), kernel_constraint=Rounded(), activity_regularizer="l2")
    model.train_on_batch(X, Y)
    assert (model.layers[0].params["kernel"] == model.layers[0].params["kernel"].round(2)).all()
    path = tmp_path / "model.safetensors"
    model.save(path)
    with pytest.raises(ValueError, match="Cubes"):
        sn.load_model(path)
    again = sn.load_model(path, custom_objects={"Cubes": Cubes, "Rounded": Rounded})
    assert again.layers[0].regularizers["kernel"].factor == 0.1
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    for _ in range(2):
        assert again.train_on_batch(X, Y) == model.train_on_batch(X, Y)
    with pytest.raises(TypeError, match="Lazy: a regularizer defines `gradient"):

        class Lazy(regularizers.Regularizer):
            def __call__(self, x):
                return 0.0


def test_rules_that_give_other_shapes():
    model = network(kernel_constraint=lambda w: w[:1])
    with pytest.raises(ValueError, match=r"Conv2D 'conv': the constraint of 'kernel': expected .*\(3, 3, 2, 4\), got"):
        model.train_on_batch(X, Y)
    with pytest.raises(ValueError, match="got NoneType"):
        network(kernel_constraint=lambda w: None).train_on_batch(X, Y)

    class Wrong(regularizers.Regularizer):
        def gradient(self, x):
            return x.sum()

    with pytest.raises(ValueError, match=r"Conv2D 'conv': the regularizer of 'kernel': expected"):
        network(kernel_regularizer=Wrong()).train_on_batch(X, Y)


def test_saving_and_loading(tmp_path):
    model = network(
        kernel_regularizer=regularizers.l1_l2(0.01, 0.02), kernel_constraint=constraints.max_norm(1.0, [0]),
        bias_constraint="non_neg", activity_regularizer=regularizers.l1(0.01),
    )  # fmt: skip
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    model.save(tmp_path / "model.safetensors")
    again = sn.load_model(tmp_path / "model.safetensors")
    assert again.get_config() is not None
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    assert again.train_on_batch(X, Y) == model.train_on_batch(X, Y)
    for ours, theirs in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    twin = copy.deepcopy(model)
    assert twin.train_on_batch(X, Y) == model.train_on_batch(X, Y)


def test_a_run_that_was_cut_off_goes_on(tmp_path):
    class CutOff(sn.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise RuntimeError("cut off")

    options = {"kernel_regularizer": "l2", "kernel_constraint": "max_norm", "activity_regularizer": "l2"}
    sn.set_random_seed(1)
    whole, cut = network(**options), network(**options)
    sn.set_random_seed(1)
    wanted = whole.fit(X, Y, batch_size=2, epochs=4, verbose=0).history["loss"]
    sn.set_random_seed(1)
    with pytest.raises(RuntimeError, match="cut off"):
        cut.fit(X, Y, batch_size=2, epochs=4, verbose=0, callbacks=[sn.BackupAndRestore(tmp_path / "run"), CutOff()])
    again = network(**options)
    again.fit(X, Y, batch_size=2, epochs=4, verbose=0, callbacks=[sn.BackupAndRestore(tmp_path / "run")])
    np.testing.assert_array_equal(again.get_weights()[0], whole.get_weights()[0])
    assert wanted[-1] == pytest.approx(again.history.history["loss"][-1])


def test_spectral_normalization_takes_over_the_rules_of_its_layer():
    dense = sn.Dense(3, kernel_regularizer="l2", kernel_constraint="non_neg", activity_regularizer="l2")
    model = sn.Sequential([sn.SpectralNormalization(dense)])
    model.compile("sgd", "mse")
    data = RNG.normal(size=(5, 4)).astype(np.float32)
    model.train_on_batch(data, np.zeros((5, 3), np.float32))
    assert len(model.losses) == 2
    assert (model.layers[0].params["kernel"] >= 0).all()
    with pytest.raises(ValueError, match="activity_regularizer is for single layers"):
        sn.SpectralNormalization(sn.Dense(3), activity_regularizer="l2")
    with pytest.raises(ValueError, match="activity_regularizer is for single layers"):
        sn.Chain([sn.Dense(3)], activity_regularizer="l2")


def test_what_is_returned_may_be_changed():
    layer = sn.layers.ActivityRegularization(l2=0.5)
    x = RNG.normal(size=(2, 3))
    y = layer.forward(x)
    wanted = layer.losses
    y[...] = 0
    assert layer.losses == wanted == pytest.approx([0.5 * (x * x).sum() / 2])


# GANs.


def test_both_steps_of_a_gan():
    def gan(**options):
        sn.set_random_seed(0)
        g = sn.Sequential([sn.Dense(4, name="g", input_shape=(3,), **options)])
        d = sn.Sequential([sn.Dense(1, name="d", input_shape=(4,), **options)])
        made = sn.GAN(g, d, latent_dim=3)
        made.compile(sn.SGD(0.1), sn.SGD(0.1))
        return made

    real = RNG.normal(size=(8, 4)).astype(np.float32)
    plain, penalized = gan(), gan(kernel_regularizer=regularizers.l2(0.5))
    before = {name: getattr(plain, name).get_weights()[0] for name in ("generator", "discriminator")}
    extra = {name: 0.5 * (w.astype(np.float64) ** 2).sum() for name, w in before.items()}
    sn.set_random_seed(1)
    wanted = plain.train_on_batch(real)
    sn.set_random_seed(1)
    found = penalized.train_on_batch(real)
    assert found["d_loss"] == pytest.approx(wanted["d_loss"] + extra["discriminator"], rel=1e-5)
    ours, theirs = (one.discriminator.get_weights()[0] for one in (penalized, plain))
    np.testing.assert_allclose(ours, theirs - 0.1 * before["discriminator"], atol=1e-6)
    assert found["g_loss"] > extra["generator"]

    bounded = gan(kernel_constraint="unit_norm", activity_regularizer="l2")
    logs = bounded.train_on_batch(real)
    assert logs["g_loss"] > 0
    for network in (bounded.generator, bounded.discriminator):
        kernel = network.get_weights()[0]
        np.testing.assert_allclose((kernel * kernel).sum(axis=0), 1, atol=1e-5)


# On a device that records.


def test_recorded_steps_are_those_one_by_one():
    data, labels = RNG.normal(size=(320, 12)).astype(np.float32), np.arange(320) % 3

    def train(device):
        sn.set_random_seed(0)
        model = sn.Sequential(
            [
                sn.Dense(8, "relu", kernel_regularizer="l1_l2", activity_regularizer="l2", input_shape=(12,)),
                sn.Dense(3, activation="softmax", kernel_regularizer=regularizers.OrthogonalRegularizer(0.1),
                         kernel_constraint="max_norm"),
            ]
        )  # fmt: skip
        model.compile(sn.SGD(0.1), "sparse_categorical_crossentropy")
        model.to(device)
        losses = model.fit(data, labels, batch_size=4, epochs=2, verbose=0).history["loss"]
        return losses, model.get_weights()

    with gpu_registered():
        losses, weights = train("gpu")
    wanted, cpus = train("cpu")
    assert losses == pytest.approx(wanted, rel=1e-5)
    for ours, theirs in zip(weights, cpus):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_optimizers_by_hand_know_no_rules():
    """`update` moves arrays; it is `update_model` that knows the layers."""
    model = network(kernel_constraint="unit_norm")
    model.zero_grads()
    before = model.get_weights()
    optimizer: Optimizer = sn.SGD(0.1)
    optimizer.update(*model.trained())
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    optimizer.update_model(model)
    assert (model.get_weights()[0] != before[0]).any()
