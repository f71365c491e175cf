"""Steps of training recorded as a CUDA graph and replayed: the numbers of step by step, and what is not recorded."""

import warnings

import cuda_on_cpu
import numpy as np
import pytest
from devices import gpu_registered

import scratchnet as sn
from scratchnet import replay
from scratchnet.training import recorded

RNG = np.random.default_rng(0)
PICTURES = RNG.normal(size=(52, 6, 6, 2)).astype(np.float32)  # 13 batches of 4
LABELS = RNG.integers(0, 3, 52)


@pytest.fixture
def gpu():
    with gpu_registered() as there:
        yield there.kernels()


@pytest.fixture
def graphs(gpu, monkeypatch):
    """How often graphs were recorded and replayed; groups have four steps."""
    seen = {"record": 0, "replay": 0}
    for name in seen:
        before = getattr(gpu.GRAPH, name)

        def counted(self, *args, name=name, before=before):
            seen[name] += 1
            return before(self, *args)

        monkeypatch.setattr(gpu.GRAPH, name, counted)
    monkeypatch.setattr(recorded, "STEPS", 4)
    return seen


def classifier(optimizer="adam", loss="sparse_categorical_crossentropy", filters=3):
    sn.set_random_seed(1)
    model = sn.Sequential(
        [
            sn.Conv2D(filters, 3, activation="relu", input_shape=(6, 6, 2)),
            sn.BatchNormalization(),
            sn.Dropout(0.3),
            sn.Flatten(),
            sn.Dense(3, activation="softmax"),
        ],
        name="model",
    )
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def trained(model, **options):
    """(history, weights) of two epochs of 13 batches."""
    sn.set_random_seed(2)
    options = {"x": PICTURES, "y": LABELS, "batch_size": 4, "epochs": 2, "verbose": 0, **options}
    return model.fit(**options).history, model.get_weights()


def assert_same(ours, others, **tolerance):
    for name, values in others[0].items():
        np.testing.assert_allclose(ours[0][name], values, **tolerance)
    for a, b in zip(ours[1], others[1]):
        np.testing.assert_allclose(a, b, **tolerance)


def on_gpu(make, *args, **options):
    with sn.device("gpu"):
        return make(*args, **options)


def step_by_step(monkeypatch):
    monkeypatch.setattr(recorded.Group, "look_at", lambda group, *_: setattr(group, "size", 1))


OPTIMIZERS = {
    "adam": lambda: sn.Adam(0.01),
    "adamw, a falling rate": lambda: sn.AdamW(sn.CosineDecay(0.02, 20)),
    "sgd, decay": lambda: sn.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop, clipped": lambda: sn.RMSprop(0.01, global_clipnorm=0.5),
    "adam, amsgrad": lambda: sn.Adam(0.01, amsgrad=True),
    "adagrad, decay": lambda: sn.Adagrad(0.1, weight_decay=0.01),
    "adadelta": lambda: sn.Adadelta(1.0),
    "adamax": lambda: sn.Adamax(0.01),
    "nadam, a falling rate": lambda: sn.Nadam(sn.ExponentialDecay(0.01, 10, 0.5)),
    "lion": lambda: sn.Lion(1e-4),
    "sgd, factors": lambda: sn.SGD(sn.CosineDecay(0.1, 20), 0.9, rate_factors={"*/bias": 4.0, "0_*/kernel": 0.0}),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_recorded_run_has_the_numbers_of_one_step_by_step(optimizer, graphs, monkeypatch):
    recorded_run = trained(on_gpu(classifier, OPTIMIZERS[optimizer]()))
    assert graphs == {"record": 2, "replay": 2 + 3}  # of three groups an epoch, the first of all is run step by step
    step_by_step(monkeypatch)
    single = trained(on_gpu(classifier, OPTIMIZERS[optimizer]()))
    assert graphs["replay"] == 5
    assert_same(recorded_run, single, rtol=0, atol=0)
    assert_same(single, trained(classifier(OPTIMIZERS[optimizer]())), rtol=1e-3, atol=1e-5)


def noisy():
    """Layers that draw, convolve in groups and with gaps, and resize."""
    return [
        sn.RandomFlip(input_shape=(6, 6, 2)),
        sn.RandomContrast(0.2, (-5, 5)),
        sn.GaussianNoise(0.1),
        sn.Conv2D(2, 3, padding="same"),
        sn.RandomRotation(0.1),
        sn.RandomBrightness(0.1, (-5, 5)),
        sn.RandomZoom(0.2, interpolation="nearest", fill_mode="constant"),
        sn.RandomCrop(5, 5),
        sn.UpSampling2D(interpolation="bilinear"),
        sn.Conv2D(4, 3, groups=2, dilation_rate=2, activation="relu"),
        sn.SpatialDropout2D(0.2),
        sn.LocalResponseNormalization(),
        sn.StochasticDepth(0.2),
        sn.SeparableConv2D(4, 3),
        sn.LayerNormalization(),
        sn.AlphaDropout(0.2),
        sn.GlobalMaxPooling2D(),
        sn.GaussianDropout(0.1),
        sn.UnitNormalization(),
        sn.Dense(3, activation="softmax"),
    ]


def numbers():
    """A table of rows, which `x` picks from."""
    return [sn.Embedding(5, 4, input_shape=(3,)), sn.Flatten(), sn.Dense(3, activation="softmax")]


@pytest.mark.parametrize(("make", "x"), [(noisy, PICTURES), (numbers, RNG.integers(0, 5, (52, 3)))])
def test_layers_that_draw_and_those_made_of_several_kernels(make, x, graphs, monkeypatch):
    def model():
        sn.set_random_seed(1)
        made = sn.Sequential(make(), name="model")
        made.compile(sn.SGD(0.1), "sparse_categorical_crossentropy")
        return made

    together = trained(on_gpu(model), x=x)
    assert graphs == {"record": 2, "replay": 2 + 3}
    step_by_step(monkeypatch)
    single = trained(on_gpu(model), x=x)
    assert_same(together, single, rtol=0, atol=0)
    assert_same(single, trained(model(), x=x), rtol=1e-3, atol=1e-4)


LOSSES = {
    "one-hot, smoothed": (sn.CategoricalCrossentropy(label_smoothing=0.1), np.eye(3)[LABELS]),
    "shares of weighted examples": (sn.SparseCategoricalCrossentropy(), LABELS),
    "yes or no, each": (sn.BinaryCrossentropy(), np.eye(3)[LABELS]),
    "squares": (sn.MeanSquaredError(), np.eye(3)[LABELS]),
    "yes or no, focal": (sn.losses.BinaryFocalCrossentropy(), np.eye(3)[LABELS]),
    "classes, focal": (sn.losses.CategoricalFocalCrossentropy(), np.eye(3)[LABELS]),
    "margin": (sn.losses.Hinge(), np.eye(3)[LABELS]),
    "margin of classes": (sn.losses.CategoricalHinge(), np.eye(3)[LABELS]),
    "angles": (sn.losses.CosineSimilarity(), np.eye(3)[LABELS]),
    "divergence": (sn.losses.KLDivergence(), np.eye(3)[LABELS]),
    "sum of log cosh": (sn.losses.LogCosh(reduction="sum"), np.eye(3)[LABELS]),
    "weighted mean of absolutes": (sn.losses.MeanAbsoluteError("mean_with_sample_weight"), np.eye(3)[LABELS]),
}


def two_outputs(weights=(1.0, 0.5)):
    sn.set_random_seed(1)
    left, right = sn.Input((6, 6, 2), name="left"), sn.Input((3,), name="right")
    flat = sn.Flatten()(sn.Conv2D(3, 3, activation="relu")(left))
    hidden = sn.Dropout(0.3)(sn.Concatenate()([flat, right]))
    ends = [
        sn.Dense(3, activation="softmax", name="kind")(hidden),
        sn.Dense(1, activation="sigmoid", name="yes")(hidden),
    ]
    model = sn.Model([left, right], ends, name="model")
    losses = ["sparse_categorical_crossentropy", "binary_crossentropy"]
    model.compile(sn.Adam(0.01), losses, list(weights), [["accuracy"], []], weighted_metrics=[[], ["accuracy"]])
    return model


def test_several_inputs_and_outputs_are_recorded(graphs, monkeypatch):
    x, y = [PICTURES, RNG.normal(size=(52, 3)).astype(np.float32)], [LABELS, (LABELS > 1).astype(np.float32)]
    options = {"x": x, "y": y, "sample_weight": [None, RNG.random(52)]}
    recorded_run = trained(on_gpu(two_outputs), **options)
    assert graphs == {"record": 2, "replay": 2 + 3}
    step_by_step(monkeypatch)
    single = trained(on_gpu(two_outputs), **options)
    assert_same(recorded_run, single, rtol=1e-14, atol=0)  # a group's shares of weights are summed up at once
    for one, other in zip(recorded_run[1], single[1]):
        np.testing.assert_array_equal(one, other)
    assert_same(single, trained(two_outputs(), **options), rtol=1e-3, atol=1e-5)
    assert len(single[0]) == 5  # loss, those of both outputs, and two metrics


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_recorded(loss, graphs, monkeypatch):
    function, y = LOSSES[loss]
    options = {"y": y, "epochs": 1, "sample_weight": RNG.random(52), "augment": sn.Augment(1, value_range=(-4, 4))}
    together = trained(on_gpu(classifier, loss=function), **options)
    assert graphs == {"record": 1, "replay": 2}
    step_by_step(monkeypatch)
    assert_same(together, trained(on_gpu(classifier, loss=function), **options), rtol=0, atol=0)


class Counts(sn.Callback):
    """Looks into every batch."""

    def __init__(self):
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)


class Now(Counts):
    """Counts, and can do with fewer calls."""

    every_batch = False


def test_a_callback_that_looks_into_each_batch_has_them_one_by_one(graphs):
    counts = Counts()
    with pytest.warns(UserWarning, match=r"'model': fit: the steps are not recorded .* GPU. Counts must be called for"):
        single = trained(on_gpu(classifier), callbacks=counts)
    assert counts.batches == [*range(13)] * 2
    assert graphs == {"record": 0, "replay": 0}
    groups = Now()
    assert_same(trained(on_gpu(classifier), callbacks=groups), single, rtol=0, atol=0)
    assert groups.batches == [3, 7, 11, 12] * 2


class Looking(sn.MeanSquaredError):
    """A loss as a reader may write it: Python looks at the value."""

    def compute(self, y_true, y_pred, weight=None):
        value, slopes = super().compute(y_true, y_pred, weight)
        return float(value), slopes


def test_what_cannot_be_recorded_runs_step_by_step(graphs, monkeypatch):
    options = {"y": np.eye(3)[LABELS], "epochs": 2}
    with pytest.warns(UserWarning, match="not recorded as a graph but run one by one") as said:
        given_up = trained(on_gpu(classifier, loss=Looking()), **options)
    assert len(said) == 1
    assert graphs == {"record": 1, "replay": 0}
    step_by_step(monkeypatch)
    assert_same(given_up, trained(on_gpu(classifier, loss=Looking()), **options), rtol=0, atol=0)


@pytest.mark.parametrize("adapted", [False, True])
def test_layers_of_constants_are_recorded(adapted, graphs, monkeypatch):
    def made():
        sn.set_random_seed(1)
        first = [sn.Rescaling([0.5, 0.25], [1.0, -1.0], input_shape=(6, 6, 2)), sn.Rescaling(2.0)]
        first.append(sn.Normalization() if adapted else sn.Normalization(mean=[0.5, 0.0], variance=[2.0, 0.0]))
        model = sn.Sequential([*first, sn.Flatten(), sn.Dense(3, activation="softmax")], name="model")
        if adapted:
            first[-1].adapt(PICTURES)
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    ours, cpus = trained(on_gpu(made)), trained(made())
    assert graphs["record"] == 2
    assert graphs["replay"] > 0
    step_by_step(monkeypatch)
    assert_same(ours, trained(on_gpu(made)), rtol=0, atol=0)
    assert_same(ours, cpus, rtol=1e-4, atol=1e-5)


def test_on_the_cpu_nothing_is_said():
    with warnings.catch_warnings(record=True) as said:
        trained(classifier(), callbacks=Counts())
    assert said == []


def test_a_callback_changes_the_rate_between_epochs(graphs, monkeypatch):
    slower = sn.LearningRateScheduler(lambda epoch: 0.01 / (1 + 9 * epoch))
    together = trained(on_gpu(classifier), callbacks=slower, epochs=3)
    step_by_step(monkeypatch)
    assert_same(together, trained(on_gpu(classifier), callbacks=slower, epochs=3), rtol=0, atol=0)


def test_a_loss_that_is_not_finite_is_found_in_its_step(graphs, monkeypatch):
    """In batch 10, the second of a replay, the examples count so much that their loss is beyond float32."""
    weights = np.where(np.arange(52) < 36, 1, 1e38)
    for _ in range(2):
        model = on_gpu(classifier, sn.SGD(0.01))
        with pytest.raises(sn.DivergedError, match=r"the loss became inf in step 10 \(epoch 1, batch 10\)"):
            trained(model, shuffle=False, sample_weight=weights)
        assert all(np.isfinite(array).all() for array in model.get_weights())
        step_by_step(monkeypatch)
    assert graphs["replay"] == 2


def gan(average=None):
    sn.set_random_seed(1)
    generator = sn.Sequential([sn.Dense(32, input_shape=(5,)), sn.BatchNormalization(), sn.ReLU()])
    generator.add(sn.Dense(72, activation="tanh"))
    generator.add(sn.Reshape((6, 6, 2)))
    discriminator = sn.Sequential([sn.Conv2D(4, 3, strides=2), sn.LeakyReLU(0.2), sn.Flatten(), sn.Dense(1)])
    return sn.GAN(generator, discriminator, 5, average)


GANS = {
    "as it is": {},
    "every second step, an average": {"d_steps": 2, "average": 0.9},
    "noise that ends, translation": {"instance_noise": 0.3, "noise_steps": 9, "translation": 1},
    "hinge": {"loss": "hinge"},
    "least squares": {"loss": "least_squares"},
}


def trained_gan(options, device):
    with sn.device(device):
        model = gan(options.get("average"))
    model.compile(**{name: value for name, value in options.items() if name != "average"})
    sn.set_random_seed(2)
    bytes_ = (np.abs(PICTURES) * 60).clip(0, 255).astype(np.uint8)
    return model.fit(bytes_, 4, epochs=2, verbose=0).history, model.get_weights()


@pytest.mark.parametrize("options", GANS)
def test_the_steps_of_a_gan_are_recorded(options, graphs, monkeypatch):
    together = trained_gan(GANS[options], "gpu")
    assert graphs == {"record": 2, "replay": 5}
    step_by_step(monkeypatch)
    single = trained_gan(GANS[options], "gpu")
    assert graphs["replay"] == 5
    assert_same(together, single, rtol=0, atol=0)
    assert_same(single, trained_gan(GANS[options], "cpu"), rtol=2e-2, atol=1e-3)


# Both models of the article, in all orders in which threads and copies can happen.


def articles_network():
    """Weights after six steps, of which three are recorded, on pictures of 10 x 10."""
    sn.set_random_seed(1)
    with sn.device("gpu"):
        model = sn.zoo.article_cnn((10, 10, 3))
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).random((12, 10, 10, 3), np.float32)
    model.fit(x, np.arange(12) % 10, 4, epochs=2, verbose=0)
    return model.get_weights()


def articles_gan():
    """Weights of a small DCGAN after six steps, of which three are recorded."""
    sn.set_random_seed(1)
    with sn.device("gpu"):
        model = sn.GAN(*sn.zoo.dcgan(8, 1, 5, 4), latent_dim=5, average=0.9)
    model.compile(instance_noise=0.1)
    model.fit(np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), np.uint8), 4, epochs=2, verbose=0)
    return model.get_weights()


@pytest.mark.parametrize("weights_of", [articles_network, articles_gan])
def test_steps_of_both_models_have_the_same_bits_in_every_schedule(weights_of, graphs, monkeypatch):
    monkeypatch.setattr(recorded, "STEPS", 3)
    runs = []
    for schedule in cuda_on_cpu.SCHEDULES:
        with cuda_on_cpu.scheduled(schedule):
            runs.append(weights_of())
    assert graphs["replay"] == len(runs) == 4
    for run in runs[1:]:
        for some, others in zip(run, runs[0]):
            np.testing.assert_array_equal(some, others)


# replay.py itself.


def test_outside_of_a_recording_all_is_as_usual():
    counted = []
    assert replay.fresh(lambda: (3, 0.5)) == (3, 0.5)
    replay.also(lambda: counted.append(1))
    assert counted == [1]
    assert replay.finite(1.0)
    assert not replay.finite(np.nan)
    assert not replay.unchecked()
    assert type(replay.number(np.float64(2))) is float


def test_a_recording_holds_no_other(gpu):
    def inner():
        with replay.into(gpu.GRAPH()):
            pass

    with pytest.raises(replay.NotRecorded, match="a recording within a recording"):
        gpu.GRAPH().record(inner)
    assert replay.recording() is None


def test_each_replay_makes_its_numbers_anew_in_their_order(gpu):
    made, xp = iter(range(100)), gpu.ARRAY_MODULE

    def steps():
        first, (second, table) = (
            replay.fresh(lambda: next(made)),
            replay.fresh(lambda: (next(made), np.full(3000, next(made)))),
        )
        return first + second, table + 0

    graph = gpu.GRAPH()
    total, table = graph.record(steps)
    for expected, filled in ((0 + 1, 2), (3 + 4, 5), (6 + 7, 8)):
        graph.replay()
        assert gpu.TO_NUMPY(total) == expected
        assert (gpu.TO_NUMPY(table) == filled).all()
    assert xp.ndarray is type(total)


def test_a_replay_waits_for_what_was_begun_before_it(gpu, monkeypatch):
    """A batch is gathered on the stream of all else; a stream that records does not wait for that one by itself."""
    if gpu.ARRAY_MODULE is not cuda_on_cpu.cupy:
        pytest.skip("CuPy's own streams cannot be replaced")
    cuda, graph, order = gpu.ARRAY_MODULE.cuda, gpu.GRAPH(), []
    kept = graph.record(lambda: replay.fresh(lambda: 1.0) + 1)
    waits, launches = cuda.Stream.synchronize, cuda.Graph.launch
    monkeypatch.setattr(
        cuda.Stream, "synchronize", lambda stream: order.append(stream is graph.stream) or waits(stream)
    )
    monkeypatch.setattr(cuda.Graph, "launch", lambda *given: order.append("launch") or launches(*given))
    graph.replay()
    assert order == [False, "launch", True]
    assert gpu.TO_NUMPY(kept) == 2


def test_the_precision_of_a_context_is_recorded(graphs):
    """Three digits of each factor, on the tensor cores; with three products for one, float32's digits."""
    runs = {}
    for precision in ("float32", "tf32", "3xtf32"):
        with sn.device("gpu", precision=precision):
            runs[precision] = trained(classifier(sn.SGD(0.01), filters=20), epochs=1)  # fewer stay in float32
    assert graphs["replay"] == 3 * 2
    assert_same(runs["tf32"], runs["float32"], rtol=3e-2, atol=3e-2)
    assert_same(runs["3xtf32"], runs["float32"], rtol=1e-3, atol=1e-4)
    difference = [abs(a - b).max() for a, b in zip(runs["tf32"][1], runs["float32"][1])]
    assert max(difference) > 1e-5


def test_precisions_that_there_are_not(gpu):
    with pytest.raises(ValueError, match=r"precision 'fp16'.*float32"):
        sn.device("gpu", precision="fp16")
    with pytest.raises(ValueError, match=r"expected precision 'float32' on the CPU, got 'tf32'"):
        sn.device("cpu", precision="tf32")
