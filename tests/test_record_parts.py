"""What the record run is made of: rate factors, lines of rates, Lookahead, frozen layers, flips, whitening."""

import copy

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import zoo

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 6)).astype(np.float32), np.arange(20) % 3


def network(optimizer="sgd", seed=0):
    sn.set_random_seed(seed)
    layers = [
        sn.Dense(5, activation="relu", input_shape=(6,), name="first"),
        sn.BatchNormalization(name="norm"),
        sn.Dense(3, activation="softmax", name="last"),
    ]
    model = sn.Sequential(layers)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def weights(model):
    return {name: array.copy() for name, array in {**model.params, **model.state}.items()}


# SGD's rate_factors


def test_the_first_pattern_that_fits_says_how_fast_a_weight_learns():
    params = {name: RNG.normal(size=(3, 2)) for name in ("0_dense/kernel", "0_dense/bias", "1_dense/bias")}
    grads = {name: RNG.normal(size=(3, 2)) for name in params}
    before = copy.deepcopy(params)
    sn.SGD(0.1, rate_factors={"0_dense/bias": 0.0, "*/bias": 8.0}).update(params, grads)
    for name, rate in (("0_dense/kernel", 0.1), ("0_dense/bias", 0.0), ("1_dense/bias", 0.8)):
        np.testing.assert_allclose(params[name], before[name] - rate * grads[name], rtol=1e-12)


def test_a_factor_is_a_rate_with_momentum_too_and_leaves_the_decay():
    params, other = {"a": np.ones(3)}, {"a": np.ones(3)}
    fast = sn.SGD(0.1, 0.9, nesterov=True, weight_decay=0.5, rate_factors={"a": 4.0})
    plain = sn.SGD(0.4, 0.9, nesterov=True, weight_decay=0.125)  # rate * weight_decay is the same
    for _ in range(4):
        grads = {"a": RNG.normal(size=3)}
        fast.update(params, grads)
        plain.update(other, grads)
    np.testing.assert_allclose(params["a"], other["a"], rtol=1e-12)


def test_a_weight_with_factor_0_stays_to_the_last_bit():
    model = network(sn.SGD(0.1, 0.9, weight_decay=0.1, rate_factors={"0_dense/*": 0.0}))
    before = weights(model)
    model.fit(X, Y, 5, 2, verbose=0)
    for name, array in model.params.items():
        assert np.array_equal(array, before[name]) == name.startswith("0_dense/")


def test_what_is_no_factor_is_refused():
    with pytest.raises(ValueError, match=r"rate_factors\['a'\] to be"):
        sn.SGD(rate_factors={"a": -1.0})
    model = network(sn.SGD(rate_factors={"*/gain": 2.0}))
    with pytest.raises(ValueError, match=r"got '\*/gain', which fits none of 0_dense/kernel"):
        model.train_on_batch(X, Y)


def test_factors_are_in_the_config():
    made = sn.SGD.from_config(sn.SGD(rate_factors={"*/bias": 2}).get_config())
    assert made.rate_factors == {"*/bias": 2.0}


# PiecewiseLinear


def test_straight_lines_through_points():
    rate = sn.PiecewiseLinear([10, 20, 60], [0.2, 1.0, 0.0])
    expected = {0: 0.2, 10: 0.2, 15: 0.6, 20: 1.0, 30: 0.75, 50: 0.25, 60: 0.0, 99: 0.0}
    for step, value in expected.items():
        assert rate(step) == pytest.approx(value)
    assert sn.PiecewiseLinear.from_config(rate.get_config())(15) == rate(15)


@pytest.mark.parametrize("points", [([], []), ([1, 1], [1, 2]), ([1, 2], [1]), ([2, 1], [1, 2]), ([1, 2], [1, -1])])
def test_points_that_make_no_line(points):
    with pytest.raises(ValueError, match="PiecewiseLinear: expected"):
        sn.PiecewiseLinear(*points)


# Lookahead


class Fast(sn.Callback):
    """Remembers what each step makes of the weights, before Lookahead sees them."""

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(weights(self.model))


@pytest.mark.parametrize("size", [0.5, lambda t: 1 - t / 100])
def test_the_weights_go_back_to_their_average(size):
    model, fast = network(), Fast()
    slow, share = weights(model), size if callable(size) else lambda t: size
    after = Fast()
    model.fit(X, Y, 4, 2, verbose=0, callbacks=[fast, sn.Lookahead(3, size), after])  # 10 steps
    for t, (before, now) in enumerate(zip(fast.seen, after.seen), 1):
        if t % 3 == 0:
            slow = {name: slow[name] + share(t) * (array - slow[name]) for name, array in before.items()}
            before = slow
        for name, array in now.items():
            np.testing.assert_allclose(array, before[name], rtol=1e-5, atol=1e-6)
    for name, array in weights(model).items():
        np.testing.assert_allclose(array, slow[name], rtol=1e-5, atol=1e-6)


def test_statistics_are_averaged_too():
    assert any("moving_mean" in name for name in sn.averaging.MovingAverage(network()).average)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sn.Lookahead(0), "sync_period"),
        (lambda: sn.Lookahead(5, 1.5), "slow_step_size to be a finite number from 0 to 1"),
    ],
)
def test_lookahead_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_function_of_wrong_numbers_is_refused():
    with pytest.raises(ValueError, match="Lookahead: expected slow_step_size"):
        network().fit(X, Y, 5, verbose=0, callbacks=[sn.Lookahead(2, lambda t: 2.0)])


# FreezeLayers


def test_layers_learn_until_their_epoch():
    model, seen = network(), []

    class Watch(sn.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(weights(self.model))

    model.fit(X, Y, 5, 4, verbose=0, callbacks=[sn.FreezeLayers(["first"], 2), Watch()])
    first = [array["0_dense/kernel"] for array in seen]
    assert not np.array_equal(first[0], first[1])
    assert np.array_equal(first[1], first[2])
    assert np.array_equal(first[2], first[3])
    assert not np.array_equal(seen[2]["2_dense/kernel"], seen[3]["2_dense/kernel"])
    model.fit(X, Y, 5, 1, verbose=0, callbacks=sn.FreezeLayers(["first"], 2))  # another run begins anew
    assert not np.array_equal(model.params["0_dense/kernel"], first[3])


def test_a_layer_that_is_not_there():
    with pytest.raises(ValueError, match="second"):
        network().fit(X, Y, verbose=0, callbacks=[sn.FreezeLayers(["second"], 1)])


class Stop(Exception):
    pass


class StopsAt(sn.Callback):
    runs_last = True

    def __init__(self, step):
        self.left = step

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise Stop


@pytest.mark.parametrize("step", [3, 8, 9, 13])
def test_a_run_that_was_cut_off_ends_at_the_same_bits(tmp_path, step):
    pictures = RNG.integers(0, 256, (20, 8, 8, 1)).astype(np.uint8)

    def run(where, *more):
        sn.set_random_seed(1)
        first = [sn.Rescaling(1 / 255, input_shape=(8, 8, 1)), sn.Conv2D(3, 2, name="first")]
        rest = [sn.BatchNormalization(), sn.Flatten(), sn.Dense(3, activation="softmax")]
        model = sn.Sequential([*first, *rest])
        rate = sn.PiecewiseLinear([0, 5, 16], [0.0, 0.01, 0.0])
        model.compile(sn.SGD(rate, 0.9, rate_factors={"*/beta": 3.0}), "sparse_categorical_crossentropy")
        backup = sn.BackupAndRestore(where, save_freq=1, delete_checkpoint=False)
        callbacks = [sn.Lookahead(3, lambda t: 1 - t / 20), sn.FreezeLayers(["first"], 2), backup, *more]
        augment = sn.Augment(1, "alternating")
        model.fit(pictures, Y, 5, 4, verbose=0, callbacks=callbacks, augment=augment)
        return weights(model)

    whole = run(tmp_path / "whole")
    with pytest.raises(Stop):
        run(tmp_path / "cut", StopsAt(step))
    for name, array in run(tmp_path / "cut").items():
        np.testing.assert_array_equal(array, whole[name])


# Augment's alternating flips


def test_two_passes_show_each_picture_both_ways():
    x = RNG.integers(0, 256, (300, 4, 4, 2)).astype(np.uint8)
    augment = sn.Augment(0, "alternating", seed=3)
    passes = [augment(x, step=step) for step in range(4)]
    mirrored = (passes[0] == x[:, :, ::-1]).all(axis=(1, 2, 3))
    assert 0.4 < mirrored.mean() < 0.6
    np.testing.assert_array_equal(passes[1], passes[0][:, :, ::-1])
    np.testing.assert_array_equal(passes[2], passes[0])
    np.testing.assert_array_equal(passes[3], passes[1])
    np.testing.assert_array_equal(augment(x, np.arange(7), step=1), passes[1][:7])  # whatever batch it is in
    np.testing.assert_array_equal(passes[0], sn.Augment(0, True, seed=3)(x))  # the first draw is the usual one


def test_crops_are_drawn_anew_in_each_pass():
    x = RNG.integers(0, 256, (100, 6, 6, 1)).astype(np.uint8)
    augment = sn.Augment(2, "alternating", seed=3)
    assert not np.array_equal(augment(x, step=0), augment(x, step=2))


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="horizontal_flip"):
        sn.Augment(horizontal_flip="sometimes")


# The network and its whitening


def test_whitened_patches_are_uncorrelated():
    x = np.cumsum(RNG.normal(size=(40, 12, 12, 3)), axis=2)  # neighbours are alike
    kernel = zoo.whitening_filters(x, epsilon=1e-9)
    assert kernel.shape == (2, 2, 3, 24)
    layer = sn.Conv2D(24, 2, use_bias=False, input_shape=(12, 12, 3))
    layer.build((None, 12, 12, 3))
    layer.set_weights([kernel])
    y = layer.forward(x.astype(np.float32)).reshape(-1, 24)
    moments = y.T @ y / len(y)
    np.testing.assert_allclose(moments[:12, :12], np.eye(12), atol=1e-3)
    np.testing.assert_allclose(moments[12:, :12], -np.eye(12), atol=1e-3)
    powers = [float(np.mean(np.square(x[:, :-1, :-1] @ kernel[0, 0, :, i]))) for i in (0, 11)]
    assert powers[0] < powers[1]  # the largest eigenvalue comes first: the smallest filter


@pytest.mark.parametrize("x", [np.zeros((3, 4, 4)), np.zeros((3, 1, 4, 3)), np.zeros((0, 4, 4, 3))])
def test_what_cannot_be_whitened(x):
    with pytest.raises(ValueError, match="whitening_filters: expected x, pictures"):
        zoo.whitening_filters(x)


def test_its_layers_and_parameters():
    model = zoo.airbench()
    assert model.count_params() == 1_973_944
    assert sum(array.size for array in model.params.values()) == 1_971_640
    assert [layer.output_shape[1:] for layer in model.layers if layer.params] == [
        (31, 31, 24), (31, 31, 64), (15, 15, 64), (15, 15, 64), (15, 15, 64), (15, 15, 256), (7, 7, 256), (7, 7, 256),
        (7, 7, 256), (7, 7, 256), (3, 3, 256), (3, 3, 256), (3, 3, 256), (10,),
    ]  # fmt: skip


def test_identity_filters_pass_their_channels_on():
    model = zoo.airbench(widths=(8, 32, 32))
    kernels = [layer.params["kernel"] for layer in model.layers if isinstance(layer, sn.Conv2D)][1:]
    for kernel in kernels:
        channels, filters = kernel.shape[2:]
        x = RNG.normal(size=(2, 5, 5, channels)).astype(np.float32)
        layer = sn.Conv2D(filters, 3, padding="same", use_bias=False)
        layer.build((None, 5, 5, channels))
        layer.set_weights([kernel])
        passed = min(channels, filters)
        np.testing.assert_array_equal(layer.forward(x)[..., :passed], x[..., :passed])
        if filters > channels:
            rest = kernel[..., channels:]
            assert np.abs(rest).max() < 1 / np.sqrt(9 * channels)
            assert rest.std() == pytest.approx(1 / np.sqrt(27 * channels), rel=0.05)
    other = zoo.airbench(widths=(8, 32, 32), identity=False)
    assert not (other.layers[3].params["kernel"] == 0).any()


def test_the_given_whitening_is_the_first_kernel():
    kernel = RNG.normal(size=(2, 2, 3, 24)).astype(np.float32)
    model = zoo.airbench(widths=(2, 2, 2), first=[sn.Rescaling(1 / 255)], whitening=kernel)
    np.testing.assert_array_equal(model.params[next(iter(model.params))], kernel)
    np.testing.assert_array_equal(model.get_layer("whitening").params["kernel"], kernel)
    with pytest.raises(ValueError, match=r"airbench: expected whitening of shape \(2, 2, 3, 24\), got \(2, 2, 1, 8\)"):
        zoo.airbench(whitening=kernel[:, :, :1, :8])


def test_its_gradients():
    sn.set_random_seed(0)
    model = zoo.airbench((25, 25, 1), 3, widths=(3, 3, 4), identity=False)
    assert sn.gradcheck(model, RNG.normal(size=(3, 25, 25, 1)), samples=2).passed
