"""Numbers that are none, or out of range, are refused with the value: rates, moments, masks, sizes, labels."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Protocol

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.annotations import checked
from scratchnet.config import Configurable

RNG = np.random.default_rng(0)


def small(shape=(8, 8, 1), tail=sn.Flatten, **options):
    sn.set_random_seed(0)
    model = sn.Sequential([sn.Conv2D(2, 3, input_shape=shape), tail(), sn.Dense(2, activation="softmax")], **options)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


X, Y = RNG.random((6, 8, 8, 1)).astype(np.float32), np.arange(6) % 2


# Optimizers.


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: sn.Adam(epsilon=-1), "Adam: expected epsilon .* of at least 0, got -1"),
        (lambda: sn.RMSprop(momentum=-1), "RMSprop: expected momentum .* from 0 to 1, got -1"),
        (lambda: sn.RMSprop(rho=1.0), "RMSprop: expected rho .* from 0 to below 1, got 1.0"),
        (lambda: sn.RMSprop(epsilon=np.inf), "RMSprop: expected epsilon .*, got inf"),
        (lambda: sn.SGD(momentum=1.5), "SGD: expected momentum .* from 0 to 1, got 1.5"),
        (lambda: sn.Adam(beta_1=1 - 1e-9), "Adam: expected beta_1 from 0 to below 1, also as float32, got 0.99999999"),
        (lambda: sn.Adam(beta_2=1 - 1e-9), "Adam: expected beta_2 from 0 to below 1, also as float32"),
        (lambda: sn.Adam(True), "Adam: expected learning_rate .*, got True"),
        (lambda: sn.SGD(weight_decay=-0.1), "SGD: expected weight_decay .* of at least 0, got -0.1"),
        (lambda: sn.SGD(clipnorm="1"), "SGD: expected clipnorm to be a number or None, got '1'"),
    ],
)
def test_settings_of_optimizers(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_the_largest_betas_that_float32_has_divide_by_no_zero():
    p = np.ones(3, np.float32)
    sn.Adam(beta_1=1 - 1e-7, beta_2=1 - 1e-7).update({"p": p}, {"p": np.ones(3, np.float32)})
    assert np.isfinite(p).all()


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float16, bool])
def test_weights_that_an_update_cannot_move(dtype):
    with pytest.raises(ValueError, match="SGD: expected weights of float32 or float64, got 'p' of"):
        sn.SGD(0.1).update({"p": np.ones(3, dtype)}, {"p": np.ones(3, dtype)})
    masked = np.ma.masked_array(np.ones(3, np.float32), mask=[0, 1, 0])
    with pytest.raises(ValueError, match="SGD: expected p without a mask, got a masked array of shape"):
        sn.SGD(0.1).update({"p": masked}, {"p": np.ones(3, np.float32)})


# Rates.


@pytest.mark.parametrize(
    "make",
    [
        lambda rate: sn.CosineDecay(rate, 10),
        lambda rate: sn.CosineDecay(0.1, 10, alpha=rate),
        lambda rate: sn.CosineDecay(0.1, 10, warmup_target=rate, warmup_steps=3),
        lambda rate: sn.PiecewiseConstantDecay([3], [0.1, rate]),
        lambda rate: sn.WarmUp(rate, 3),
        lambda rate: sn.SGD(rate),
    ],
)
@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf"), "0.1", None, [0.1]])
def test_rates_that_are_none(make, rate):
    if rate is None and make(0.1).get_config().get("warmup_steps"):
        pytest.skip("no target is a target left out")
    with pytest.raises(ValueError, match="expected"):
        make(rate)


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf"), "0.1", None, True])
def test_a_schedule_of_ones_own_that_gives_no_rate(rate):
    class Mine(sn.Schedule):
        def __call__(self, step):
            return rate

    before = np.ones(3, np.float32)
    with pytest.raises(ValueError, match=f"SGD: expected Mine to give a learning rate of at least 0.*got {rate!r} for"):
        sn.SGD(Mine()).update({"p": before}, {"p": np.ones(3, np.float32)})
    assert (before == 1).all()


def test_a_schedule_may_give_a_number_of_numpy_s():
    class Mine(sn.Schedule):
        def __call__(self, step):
            return np.where(step < 3, 0.5, 0.25)

    p = np.ones(1, np.float32)
    sn.SGD(Mine()).update({"p": p}, {"p": np.ones(1, np.float32)})
    assert p == 0.5


@pytest.mark.parametrize("rate", [-0.1, float("nan"), "0.1", None, [0.1, 0.2], True])
def test_a_scheduler_s_function_that_returns_no_rate(rate):
    model = small()
    before = model.get_weights()
    with pytest.raises(TypeError, match="LearningRateScheduler: expected schedule to return a rate of at least 0"):
        model.fit(X, Y, verbose=0, callbacks=sn.LearningRateScheduler(lambda epoch: rate))
    assert all((a == b).all() for a, b in zip(before, model.get_weights()))


# Data.


@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch"])
def test_masked_arrays(call):
    model, masked = small(), np.ma.masked_array(X, mask=X > 0.5)
    with pytest.raises(ValueError, match=r"x without a mask, got a masked array.*x.filled\(0\)"):
        getattr(model, call)(masked, Y)
    with pytest.raises(ValueError, match="y without a mask, got a masked array"):
        getattr(model, call)(X, np.ma.masked_array(Y, mask=Y == 1))
    with pytest.raises(ValueError, match="x without a mask"):
        model.predict(masked)
    with pytest.raises(ValueError, match="x without a mask"):
        model.forward(masked)


def test_negative_one_hot_labels():
    loss = sn.CategoricalCrossentropy()
    with pytest.raises(ValueError, match="expected one-hot labels, or shares of at least 0, got -1 in y_true"):
        loss(np.array([[-1, 1]]), np.array([[0.5, 0.5]]))


def test_numbers_that_float32_cannot_hold():
    large = X.astype(np.float64)
    large[3] = 1e300
    with pytest.raises(ValueError, match=r"found 1e\+300 in x, first in x\[3\]: more than float32 can hold"):
        small().evaluate(large, Y)
    small(dtype="float64").train_on_batch(X.astype(np.float64), Y)


def test_evaluate_gives_no_nan():
    model = small()
    model.layers[0].params["kernel"][0] = np.nan
    with pytest.raises(ValueError, match="evaluate: the loss is nan"):
        model.evaluate(X, Y, verbose=0)
    model = sn.Sequential([sn.Dense(1, input_shape=(1,), use_bias=False)])
    model.compile("sgd", "mse")
    model.set_weights([np.full((1, 1), 1e30)])
    with pytest.raises(
        ValueError, match=r"evaluate: the loss is (inf|nan)\. x goes from 1e\+20 to 1e\+20, and the numbers grow too"
    ):
        model.evaluate(np.full((2, 1), 1e20), np.ones((2, 1)), verbose=0)


@pytest.mark.parametrize("tail", [sn.Flatten, sn.GlobalAveragePooling2D])
@pytest.mark.parametrize("call", ["fit", "evaluate", "predict", "train_on_batch"])
def test_pictures_of_another_size_than_the_model_s(tail, call):
    model, larger = small(tail=tail), np.zeros((6, 9, 9, 1), np.float32)
    given = (larger,) if call == "predict" else (larger, Y)
    with pytest.raises(ValueError, match=r"expected x of shape \(N, 8, 8, 1\), for which .*, got \(6, 9, 9, 1\)"):
        getattr(model, call)(*given)


def test_forward_by_hand_takes_what_the_layers_take():
    assert small(tail=sn.GlobalAveragePooling2D).forward(np.zeros((6, 9, 9, 1), np.float32)).shape == (6, 2)


# Sizes, flags and paths.


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda: sn.Dense(3, input_shape=(8.9, 8, 1)),
            r"Dense: expected input_shape .*whole.*got \(8.9, 8, 1\)",
        ),
        (
            lambda: sn.Dense(3, input_shape=(0, 8)),
            r"input_shape to be whole numbers of at least 1.*got \(0, 8\)",
        ),
        (lambda: sn.Conv2D(10**30, 3), "expected filters to be a whole number of at least 1 and at most 2147483647"),
        (
            lambda: small().fit(X, Y, shuffle="no"),
            "fit: expected shuffle to be True or False, got 'no'",
        ),
        (lambda: sn.Augment(cutout=100)(X), "Augment: expected a cutout smaller than the pictures, which have 8 x 8"),
        (lambda: sn.ModelCheckpoint(None), "ModelCheckpoint: expected filepath to be text or a path, got None"),
        (lambda: sn.ReLU(max_value=float("nan")), "ReLU: expected max_value to be a number or None, got nan"),
        (lambda: sn.Dense(2, kernel_initializer="glorot"), "Dense: unknown initializer 'glorot'. Did you mean"),
        (lambda: small().compile("adm", "mse"), "compile: unknown optimizer 'adm'. Did you mean 'adam'"),
        (lambda: sn.RandomUniform(2, 1), "RandomUniform: expected minval up to maxval, got 2 and 1"),
        (lambda: sn.GlorotUniform(seed=-1), "GlorotUniform: expected seed to be a whole number of at least 0, got -1"),
    ],
)
def test_values_are_refused_by_name(call, match):
    with pytest.raises(ValueError, match=match):
        call()


# Annotations: what a new class gets without a line of its own.


def test_a_layer_of_ones_own_is_checked():
    class Mine(sn.Layer):
        """Nothing.

        Args:
            rate: the share that stays.
        """

        def __init__(self, rate: float, size: int | None = None, flag: bool = False, names=None, **options):
            super().__init__(**options)

    Mine(1, 3, True, names=object())
    Mine(np.float32(0.5), np.int64(3), np.bool_(True), name="mine")
    for arguments, text in (
        ({"rate": "a"}, "Mine: expected rate to be a number, got 'a'. rate: the share that stays."),
        ({"rate": True}, "Mine: expected rate to be a number, got True"),
        ({"rate": 1.0, "size": 2.0}, "Mine: expected size to be a whole number or None, got 2.0"),
        ({"rate": 1.0, "flag": 2}, "Mine: expected flag to be True or False, got 2"),
        ({"rate": 1.0, "name": 3}, "Mine: expected name to be text or None, got 3"),
    ):
        with pytest.raises(ValueError, match=f"^{re.escape(text)}"):
            Mine(**arguments)


def test_a_callback_of_ones_own_is_checked():
    class Mine(sn.Callback):
        def __init__(self, every: int = 1):
            self.every = every

    with pytest.raises(ValueError, match="Mine: expected every to be a whole number, got 'x'"):
        Mine("x")


def test_what_annotations_say_of_lists_functions_and_objects():
    @checked
    def f(a: list[int] = (), b: tuple[float, float] = (0, 1), c: Configurable | None = None, d: "unknown" = 0):  # noqa: F821
        return a

    assert f(d=object()) == ()
    assert f(np.array([1, 2])).tolist() == [1, 2]
    f([1, 2], (1, 2.5), sn.Adam())
    for arguments, error, text in (
        ({"a": [1.5]}, ValueError, r"f: expected a to be a list of whole numbers, got \[1.5\]"),
        ({"a": "12"}, ValueError, "f: expected a to be a list of whole numbers, got '12'"),
        ({"b": (1, 2, 3)}, ValueError, r"f: expected b to be 2 numbers in brackets, got \(1, 2, 3\)"),
        ({"c": 3}, TypeError, "f: expected c to be a Configurable or None, got 3"),
        ({"c": sn.Adam}, TypeError, r"A class needs its brackets: Adam\(\)"),
    ):
        with pytest.raises(error, match=text):
            f(**arguments)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ((np.ones(3), 0.1), (np.ones(3), np.nan)),
        ((np.ones(3),), (np.array(1.0),)),
        ((np.ones(3),), (np.array(["a"]),)),
        ((np.ones(3),), (np.ma.masked_array(np.ones(3), [0, 1, 0]),)),
        (([1, 2],), (["a", "b"],)),
        ((np.ones(3), 0.1, 1), (np.ones(3), 0.1, 2)),
        ((np.ones(3), 0.1, True), (np.ones(3), 0.1, "True")),
        ((np.ones(3), 0.1, True, [1]), (np.ones(3), 0.1, True, [1.5])),
    ],
)
def test_a_call_that_was_right_speaks_for_no_other_that_is_wrong(right, wrong):
    """What was found right by its types is not looked at again, and that must not hold for what its value decides."""

    @checked
    def f(x: np.ndarray, rate: float = 0.5, flag: bool = False, sizes: Sequence[int] = ()) -> bool:
        return True

    for _ in range(2):
        assert f(*right)
        with pytest.raises(ValueError, match="expected"):
            f(*wrong)


def test_annotations_that_say_nothing_here_are_passed_over():
    class Sized(Protocol):
        size: int

    def f(a: Sized, b: Annotated[str, {"not": ["hashable"]}], c, d: Any = 1, e: object = 2, *rest: int, **more: int):
        return a

    f.__annotations__["c"] = "what comes"
    g = checked(f)
    assert g("a", "b", "c", None, None, "x", y="z") == "a"
    with pytest.raises(ValueError, match="f: expected b to be text, got 3"):
        g("a", 3, "c")


def test_long_values_are_cut():
    with pytest.raises(ValueError, match=r"^Dense: expected units to be a whole number, got 'x{76}\.\.\."):
        sn.Dense("x" * 10**6)
    with pytest.raises(ValueError, match="a number of 16610 bits"):
        sn.Dense(10**5000)
