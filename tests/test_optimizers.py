"""Optimizers against Keras 3's formulas written out in NumPy, and schedules against theirs."""

import numpy as np
import pytest

from scratchnet import optimizers
from scratchnet.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, Nadam, RMSprop
from scratchnet.schedules import (
    ConstantRate,
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    Schedule,
    WarmUp,
)

STEPS = 20


def sgd(lr=0.01, momentum=0.0, nesterov=False):
    m = 0

    def step(p, g, t):
        nonlocal m
        m = momentum * m - lr * g
        return p + (momentum * m - lr * g if nesterov else m)

    return step


def rmsprop(lr=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    v = mean = m = 0

    def step(p, g, t):
        nonlocal v, mean, m
        v = rho * v + (1 - rho) * g**2
        mean = rho * mean + (1 - rho) * g
        under = v - mean**2 if centered else v
        m = momentum * m + lr * g / np.sqrt(under + epsilon)
        return p - m

    return step


def adam(lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=0.0, amsgrad=False):
    m = v = top = 0

    def step(p, g, t):
        nonlocal m, v, top
        p = p - lr * weight_decay * p
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        first, second = (float(np.float32(beta)) for beta in (beta_1, beta_2))  # rounded here, as in Keras
        top = np.maximum(top, v)
        return p - lr * np.sqrt(1 - second**t) / (1 - first**t) * m / (np.sqrt(top if amsgrad else v) + epsilon)

    return step


def adagrad(lr=0.001, start=0.1, epsilon=1e-7, weight_decay=0.0):
    a = start

    def step(p, g, t):
        nonlocal a
        a = a + g**2
        return p - lr * weight_decay * p - lr * g / np.sqrt(a + epsilon)

    return step


def adadelta(lr=0.001, rho=0.95, epsilon=1e-7):
    a = d = 0

    def step(p, g, t):
        nonlocal a, d
        a = rho * a + (1 - rho) * g**2
        u = -np.sqrt(d + epsilon) * g / np.sqrt(a + epsilon)
        d = rho * d + (1 - rho) * u**2
        return p + lr * u

    return step


def adamax(lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = u = 0

    def step(p, g, t):
        nonlocal m, u
        m = m + (g - m) * (1 - beta_1)
        u = np.maximum(beta_2 * u, np.abs(g))
        return p - lr * m / ((1 - float(np.float32(beta_1)) ** t) * (u + epsilon))

    return step


def nadam(lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    beta_1, beta_2 = float(np.float32(beta_1)), float(np.float32(beta_2))
    m, v, product = 0, 0, 1

    def step(p, g, t):
        nonlocal m, v, product
        now, ahead = (beta_1 * (1 - 0.5 * 0.96**n) for n in (t, t + 1))
        product *= now
        m, v = m + (g - m) * (1 - beta_1), v + (g**2 - v) * (1 - beta_2)
        m_hat = ahead * m / (1 - product * ahead) + (1 - now) * g / (1 - product)
        return p - m_hat * lr / (np.sqrt(v / (1 - beta_2**t)) + epsilon)

    return step


def lion(lr=0.001, beta_1=0.9, beta_2=0.99):
    beta_1, beta_2 = float(np.float32(beta_1)), float(np.float32(beta_2))
    m = 0

    def step(p, g, t):
        nonlocal m
        p = p - lr * np.sign(m * beta_1 + g * (1 - beta_1))
        m = m * beta_2 + g * (1 - beta_2)
        return p

    return step


# Makers, not objects: both sides remember, and every array needs a formula with nothing remembered.
PAIRS = {
    "sgd": (SGD, sgd),
    "momentum": (lambda: SGD(0.1, momentum=0.9), lambda: sgd(0.1, 0.9)),
    "nesterov": (lambda: SGD(0.1, momentum=0.9, nesterov=True), lambda: sgd(0.1, 0.9, True)),
    "rmsprop": (RMSprop, rmsprop),
    "rmsprop all": (lambda: RMSprop(0.01, 0.8, 0.5, 1e-3, True), lambda: rmsprop(0.01, 0.8, 0.5, 1e-3, True)),
    "adam": (Adam, adam),
    "adam for a GAN": (lambda: Adam(2e-4, beta_1=0.5), lambda: adam(2e-4, 0.5)),
    "adamw": (AdamW, lambda: adam(weight_decay=0.004)),
    "adamw all": (lambda: AdamW(0.01, 0.1, 0.8, 0.9, 1e-3), lambda: adam(0.01, 0.8, 0.9, 1e-3, 0.1)),
    "amsgrad": (lambda: Adam(0.01, 0.8, 0.9, amsgrad=True), lambda: adam(0.01, 0.8, 0.9, amsgrad=True)),
    "adagrad": (Adagrad, adagrad),
    "adagrad all": (lambda: Adagrad(0.1, 0.5, 1e-3, 0.1), lambda: adagrad(0.1, 0.5, 1e-3, 0.1)),
    "adadelta": (Adadelta, adadelta),
    "adadelta all": (lambda: Adadelta(1.0, 0.9, 1e-3), lambda: adadelta(1.0, 0.9, 1e-3)),
    "adamax": (Adamax, adamax),
    "adamax all": (lambda: Adamax(0.01, 0.8, 0.9, 1e-3), lambda: adamax(0.01, 0.8, 0.9, 1e-3)),
    "nadam": (Nadam, nadam),
    "nadam all": (lambda: Nadam(0.01, 0.8, 0.9, 1e-3), lambda: nadam(0.01, 0.8, 0.9, 1e-3)),
    "lion": (Lion, lion),
    "lion all": (lambda: Lion(0.01, 0.8, 0.9), lambda: lion(0.01, 0.8, 0.9)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PAIRS)
def test_twenty_updates_follow_keras_formulas(name, dtype):
    make, formula = PAIRS[name]
    optimizer, rng = make(), np.random.default_rng(0)
    params = {"kernel": rng.normal(size=(3, 3, 2, 5)).astype(dtype), "bias": rng.normal(size=5).astype(dtype)}
    expected = {key: p.astype(np.float64) for key, p in params.items()}
    steps = {key: formula() for key in params}
    for t in range(1, STEPS + 1):
        grads = {key: rng.normal(size=p.shape).astype(dtype) for key, p in params.items()}
        optimizer.update(params, grads)
        expected = {key: steps[key](p, grads[key].astype(np.float64), t) for key, p in expected.items()}
    assert optimizer.iterations == STEPS
    for key, p in params.items():
        assert p.dtype == dtype
        np.testing.assert_allclose(p, expected[key], rtol=0, atol=3e-6 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("make", optimizers.OPTIMIZERS.values())
def test_updates_are_in_place_and_leave_the_gradients(make):
    w, g = np.ones(5000, np.float32), np.full(5000, 0.5, np.float32)  # more than one block of the kernel
    params = {"w": w}
    make().update(params, {"w": g})
    assert params["w"] is w
    assert (w < 1).all()
    assert (w == w[0]).all()
    assert (g == 0.5).all()


BOWLS = [lambda: SGD(0.1, 0.9), lambda: RMSprop(0.1), lambda: Adam(0.3), lambda: Adam(0.3, amsgrad=True)]
BOWLS += [lambda: Adagrad(1.0), lambda: Adadelta(30.0), lambda: Adamax(0.3), lambda: Nadam(0.3), lambda: Lion(0.03)]


@pytest.mark.parametrize("make", BOWLS)
def test_each_finds_the_bottom_of_a_bowl(make):
    optimizer, w, steep = make(), np.array([3.0, -2.0]), np.array([1.0, 4.0])
    for _ in range(300):
        optimizer.update({"w": w}, {"w": steep * w})
    assert np.abs(w).max() < 0.1


def test_memory_is_by_name_and_follows_the_weights_dtype():
    optimizer = Adam()
    optimizer.update({"w": np.ones(3, np.float32)}, {"w": np.ones(3, np.float32)})
    assert set(optimizer.state) == {"w"}
    assert len(optimizer.state["w"]) == 2
    assert all(a.dtype == np.float32 and a.shape == (3,) for a in optimizer.state["w"].values())
    optimizer.update({"w": np.ones(3)}, {"w": np.ones(3)})
    assert all(a.dtype == np.float64 for a in optimizer.state["w"].values())
    assert optimizer.iterations == 2


def test_what_does_not_fit_is_refused_before_any_weight_moves():
    optimizer, w = SGD(), {"a": np.ones(3), "b": np.ones(3)}
    with pytest.raises(ValueError, match=r"different ones: \['b'\]"):
        optimizer.update(w, {"a": np.ones(3)})
    with pytest.raises(ValueError, match=r"for 'b', got shapes \(3,\) and \(4,\)"):
        optimizer.update(w, {"a": np.ones(3), "b": np.ones(4)})
    with pytest.raises(ValueError, match="contiguous"):
        optimizer.update({"a": np.ones((4, 2)).T}, {"a": np.ones((2, 4))})
    assert optimizer.iterations == 0
    assert all((array == 1).all() for array in w.values())


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf"), "fast", None])
def test_rates_that_are_none(rate):
    with pytest.raises(ValueError, match="expected learning_rate to be a"):
        Adam(rate)
    optimizer = SGD()
    with pytest.raises(ValueError, match="expected learning_rate to be a"):
        optimizer.learning_rate = rate


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=-0.5), "momentum"),
        (lambda: SGD(momentum=1.5), "momentum"),
        (lambda: Adam(beta_1=1.0), "beta_1"),
        (lambda: AdamW(beta_2=-0.1), "beta_2"),
        (lambda: AdamW(weight_decay=-1.0), "weight_decay"),
        (lambda: Adagrad(initial_accumulator_value=-0.1), "Adagrad: expected initial_accumulator_value"),
        (lambda: Adagrad(epsilon=-1.0), "Adagrad: expected epsilon"),
        (lambda: Adadelta(rho=1.0), "Adadelta: expected rho"),
        (lambda: Adadelta(epsilon=-1.0), "Adadelta: expected epsilon"),
        (lambda: Adamax(beta_1=1.0), "Adamax: expected beta_1"),
        (lambda: Adamax(epsilon=-1.0), "Adamax: expected epsilon"),
        (lambda: Nadam(beta_2=1 - 1e-9), "Nadam: expected beta_2 from 0 to below 1, also as float32"),
        (lambda: Nadam(epsilon=-1.0), "Nadam: expected epsilon"),
        (lambda: Lion(beta_1=0.0), "Lion: expected beta_1"),
        (lambda: Lion(beta_2=1.5), "Lion: expected beta_2"),
    ],
)
def test_arguments_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_defaults_are_those_of_keras():
    assert (SGD().learning_rate, SGD().momentum, SGD().nesterov) == (0.01, 0.0, False)
    r, a = RMSprop(), Adam()
    assert (r.learning_rate, r.rho, r.momentum, r.epsilon, r.centered) == (0.001, 0.9, 0.0, 1e-7, False)
    assert (a.learning_rate, a.beta_1, a.beta_2, a.epsilon) == (0.001, 0.9, 0.999, 1e-7)
    assert (AdamW().learning_rate, AdamW().weight_decay) == (0.001, 0.004)


def test_names():
    for kind in (SGD, RMSprop, Adam, AdamW, Adagrad, Adadelta, Adamax, Nadam, Lion):
        assert type(optimizers.get(kind.__name__)) is type(optimizers.get(kind.__name__.lower())) is kind
    optimizer = Adam()
    assert optimizers.get(optimizer) is optimizer
    with pytest.raises(ValueError, match=r"unknown optimizer 'adm'\. Did you mean 'adam'"):
        optimizers.get("adm")


def test_the_rate_follows_its_schedule_and_can_be_set():
    optimizer, seen = SGD(PiecewiseConstantDecay([1, 3], [1.0, 0.5, 0.25])), []
    w = np.zeros(1)
    for _ in range(6):
        seen.append(optimizer.learning_rate)
        optimizer.update({"w": w}, {"w": np.ones(1)})
    assert seen == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    assert w[0] == pytest.approx(-sum(seen))
    optimizer.learning_rate = 0.125
    assert optimizer.learning_rate == 0.125


@pytest.mark.parametrize("make", [Nadam, lambda: Adagrad(0.1, 0.7), lambda: Adam(amsgrad=True)])
@pytest.mark.parametrize("wait", [0, 3])
def test_a_run_goes_on_from_its_state_as_if_it_had_not_been_cut(make, wait):
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=(2, 3)) for _ in range(9)]
    whole, first, second = {"w": np.ones((2, 3))}, {"w": np.ones((2, 3))}, {"w": np.ones((2, 3))}
    at_once, before, after = make(), make(), make()
    for g in gradients[:wait]:  # another run's
        after.update(second, {"w": g})
    for g in gradients[:5]:
        at_once.update(whole, {"w": g})
        before.update(first, {"w": g})
    after.set_state(before.get_state())
    for g in gradients[5:]:
        at_once.update(whole, {"w": g})
        after.update(first, {"w": g})
    np.testing.assert_array_equal(whole["w"], first["w"])


def test_memory_of_another_setting_is_refused():
    optimizer = Adam(amsgrad=True)
    optimizer.update({"w": np.ones(2)}, {"w": np.ones(2)})
    with pytest.raises(ValueError, match="velocity_hat"):
        Adam().set_state(optimizer.get_state())


def test_cosine():
    rate = CosineDecay(0.2, decay_steps=10, alpha=0.1)
    for step in range(15):
        share = (1 + np.cos(np.pi * min(step, 10) / 10)) / 2
        assert rate(step) == pytest.approx(0.2 * (0.9 * share + 0.1))
    assert rate(0) == pytest.approx(0.2)
    assert rate(5) == pytest.approx(0.11)
    assert rate(10) == rate(1000) == pytest.approx(0.02)


def test_cosine_after_a_warm_up():
    rate = CosineDecay(0.2, decay_steps=10, alpha=0.1, warmup_target=1.0, warmup_steps=4)
    assert [rate(step) for step in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rate(9) == pytest.approx(0.55)
    assert rate(14) == rate(100) == pytest.approx(0.1)
    at_once = CosineDecay(0.2, 10, warmup_target=1.0)
    assert at_once(0) == 1.0


def test_warm_up_of_another_schedule():
    assert [WarmUp(0.4, 4)(step) for step in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    rate, after = WarmUp(CosineDecay(1.0, 10), 2), CosineDecay(1.0, 10)
    assert rate(0) == pytest.approx(0.5)
    assert rate(7) == after(7)
    assert isinstance(rate.after, Schedule)
    assert ConstantRate(0.3)(99) == 0.3


def test_cosine_with_restarts():
    rate = CosineDecayRestarts(0.8, 2, t_mul=2.0, m_mul=0.5)
    assert [rate(step) for step in (0, 1, 2, 4, 6, 10)] == pytest.approx([0.8, 0.4, 0.4, 0.2, 0.2, 0.1])
    even = CosineDecayRestarts(0.8, 2, t_mul=1.0, alpha=0.5)
    assert [even(step) for step in (0, 1, 2, 3, 1000)] == pytest.approx([0.8, 0.6, 0.8, 0.6, 0.8])


def test_exponential_decay():
    assert [ExponentialDecay(0.8, 2, 0.25)(step) for step in range(5)] == pytest.approx([0.8, 0.4, 0.2, 0.1, 0.05])
    stairs = ExponentialDecay(0.8, 2, 0.25, staircase=True)
    assert [stairs(step) for step in range(5)] == pytest.approx([0.8, 0.8, 0.2, 0.2, 0.05])


def test_inverse_time_decay():
    rate, stairs = InverseTimeDecay(0.6, 2, 1.0), InverseTimeDecay(0.6, 2, 1.0, staircase=True)
    assert [rate(step) for step in (0, 1, 2, 4)] == pytest.approx([0.6, 0.4, 0.3, 0.2])
    assert [stairs(step) for step in (0, 1, 2, 4)] == pytest.approx([0.6, 0.6, 0.3, 0.2])


def test_polynomial_decay():
    rate, again = PolynomialDecay(1.0, 4, 0.2, power=2), PolynomialDecay(1.0, 4, 0.2, cycle=True)
    assert [rate(step) for step in (0, 2, 4, 9)] == pytest.approx([1.0, 0.4, 0.2, 0.2])
    assert [again(step) for step in (0, 2, 4, 5, 8, 9)] == pytest.approx([1.0, 0.6, 0.2, 0.5, 0.2, 0.4])


def test_schedules_stand_where_keras_has_them():
    from scratchnet import schedules as ours
    from scratchnet.optimizers import schedules
    from scratchnet.optimizers.schedules import ExponentialDecay, LearningRateSchedule

    assert ExponentialDecay is ours.ExponentialDecay
    assert LearningRateSchedule is Schedule
    assert optimizers.schedules is schedules


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CosineDecayRestarts(0.1, 0), "first_decay_steps"),
        (lambda: CosineDecayRestarts(0.1, 1, t_mul=0.5), "t_mul"),
        (lambda: CosineDecayRestarts(0.1, 1, m_mul=-0.5), "m_mul"),
        (lambda: ExponentialDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda: ExponentialDecay(-0.1, 1, 0.5), "initial_learning_rate"),
        (lambda: InverseTimeDecay(0.1, 1, -0.5), "decay_rate"),
        (lambda: PolynomialDecay(0.1, 1, -0.5), "end_learning_rate"),
        (lambda: PolynomialDecay(0.1, 1, power=-1), "power"),
        (lambda: CosineDecay(0.1, 0), "decay_steps"),
        (lambda: CosineDecay(0.1, 10, warmup_steps=-1), "warmup_steps"),
        (lambda: CosineDecay(0.1, 10, warmup_steps=3), "expected warmup_target, .* beside warmup_steps=3"),
        (lambda: PiecewiseConstantDecay([3, 1], [1, 2, 3]), "rising boundaries"),
        (lambda: PiecewiseConstantDecay([3], [1.0]), "one value more"),
        (lambda: WarmUp(0.1, 0), "warmup_steps"),
    ],
)
def test_schedules_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()
