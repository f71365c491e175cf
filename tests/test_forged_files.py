"""Forged files: each is refused by a ValueError that names the file and the field, or gives a model that works.

Nothing takes more memory than the file is worth, and what refuses a file stays as it was.
"""

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest
from every_layer import EVERY
from forged_files import DEEP, closed, forged, opened

import scratchnet as sn
from scratchnet import trees
from scratchnet.layers import Chain
from scratchnet.layers.weights import limited_weights

X = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
Y = np.arange(12) % 3
MEMORY = 1 << 29  # bytes that a process may take more than it has; the files here have some 10,000
BATCHES = 3  # of an epoch


@pytest.fixture(autouse=True)
def bounded():
    """Who asks for more memory than that gets a MemoryError, where the system can be told so."""
    resource = pytest.importorskip("resource") if Path("/proc/self/statm").exists() else None
    if resource is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, about numbers that overflow; the numbers are forged
        yield


def network():
    sn.set_random_seed(1)
    layers = [sn.Dense(5, activation="relu", input_shape=(4,)), sn.BatchNormalization(), sn.Dropout(0.3)]
    model = sn.Sequential([*layers, sn.Dense(3, activation="softmax")])
    model.compile(sn.Adam(0.01), sn.SparseCategoricalCrossentropy(label_smoothing=0.1), metrics=["accuracy"])
    return model


def gan():
    sn.set_random_seed(1)
    generator = sn.Sequential([sn.Dense(6, activation="tanh", input_shape=(2,)), sn.Dense(4)])
    layers = [sn.Dense(5, activation="leaky_relu", input_shape=(4,)), sn.Dropout(0.1), sn.Dense(1)]
    model = sn.GAN(generator, sn.Sequential(layers), 2, average=0.9)
    model.compile(instance_noise=0.1)
    return model


class Halt(Exception):
    """In the place of a kill."""


class Halted(sn.Callback):
    runs_last = True

    def on_train_batch_end(self, batch, logs=None):
        if len(self.model.history.epoch) == 1 and batch == 1:
            raise Halt


def run_of_network(path, extra=()):
    """A run with all callbacks that remember something; goes on where `path` says. Returns the model."""
    model = network()
    watchers = [
        sn.ExponentialMovingAverage(0.9),
        sn.Lookahead(2),
        sn.EarlyStopping("loss", patience=50, restore_best_weights=True),
        sn.ReduceLROnPlateau("loss"),
        sn.ModelCheckpoint(path.with_name("best"), "loss", save_best_only=True),
        sn.CSVLogger(path.with_name("log.csv")),
        sn.BackupAndRestore(path, 1),
    ]
    return resumed(model, (X, Y), [*watchers, *extra])


def run_of_gan(path, extra=()):
    return resumed(gan(), (X,), [sn.gan.GANMonitor(verbose=0), sn.BackupAndRestore(path, 1), *extra])


def resumed(model, data, callbacks):
    """Train; where the backup is refused, see that nothing has changed."""
    before = everything(model)
    try:
        model.fit(*data, epochs=3, batch_size=4, callbacks=callbacks, verbose=0)
    except ValueError:
        assert everything(model) == before
        raise
    return model


def everything(model):
    """All bits of a model's weights, counters and optimizer."""
    optimizer = model.optimizer.state, model.optimizer.iterations, model.optimizer.learning_rate
    return [w.tobytes() for w in model.get_weights()], model.get_counters(), repr(optimizer)


def weights_into_network(path):
    model = network()
    before = everything(model)
    try:
        model.load_weights(path)
    except ValueError:
        assert everything(model) == before
        raise
    model.predict(X)


def load_and_use(path):
    model = sn.load_model(path)
    if isinstance(model, sn.GAN):
        assert len(model.generate(3)) == 3
    elif largest(model) < 10**6:  # a valid file may ask for pictures that no memory holds
        assert len(model.predict(np.zeros((2, *model.input_shape[1:]), np.float32))) == 2
    return model


def largest(model):
    """Numbers in the largest output of a layer, for one example."""
    sizes = [np.prod([s or 1 for s in model.input_shape], dtype=object)]
    for layer in model.layers:
        sizes.append(np.prod([s or 1 for s in layer.output_shape], dtype=object))
        if hasattr(layer, "layers"):
            sizes.append(largest(layer))
    return max(sizes)


def valid(folder):
    """Bytes of each kind of file, and what uses it."""
    model = network()
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(folder / "model")
    model.save_weights(folder / "weights")
    pair = gan()
    pair.fit(X, epochs=1, batch_size=4, verbose=0)
    pair.save(folder / "gan")
    for name, run in (("run.safetensors", run_of_network), ("run_of_gan.safetensors", run_of_gan)):
        with pytest.raises(Halt):
            run(folder / name, [Halted()])
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return valid(tmp_path_factory.mktemp("valid"))


USES = {
    "model": load_and_use,
    "weights": weights_into_network,
    "gan": load_and_use,
    "run.safetensors": run_of_network,
    "run_of_gan.safetensors": run_of_gan,
}


def try_all(data, count, seed, path, use):
    """(accepted, refused): how many forged files did what."""
    accepted = 0
    for number, forgery in enumerate(forged(data, count, seed)):
        path.write_bytes(forgery)
        try:
            with contextlib.suppress(sn.DivergedError):  # such as by a forged rate of 1e60
                use(path)
        except Exception as error:
            if not isinstance(error, ValueError) or path.name not in str(error):
                raise AssertionError(f"forgery {number}: {type(error).__name__}: {error}") from error
        else:
            accepted += 1
    return accepted, count - accepted


@pytest.mark.parametrize("name", USES)
def test_forged(files, tmp_path, name):
    accepted, refused = try_all(files[name], 250, 3, tmp_path / "forged.safetensors", USES[name])
    assert accepted > 5
    assert refused > 150


def test_forged_models_of_every_layer(tmp_path):
    total = np.zeros(2, int)
    for seed, (make, shape) in enumerate(EVERY.values()):
        model = sn.Sequential([make()])
        model.build((None, *shape[1:]))
        model.save(tmp_path / "valid")
        load_and_use(tmp_path / "valid")
        path = tmp_path / "forged.safetensors"
        total += try_all((tmp_path / "valid").read_bytes(), 12, seed, path, load_and_use)
    assert total.min() > 40


# One by one: what each field's fault is called.


def changed(data, place, value):
    """The file with another value at a place such as ("tree", "model", "config"); `...` takes the field out."""
    header, arrays = opened(data)
    holder = header
    for key in place[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    return closed(header, arrays)


CONFIG = ("tree", "model", "config")
LAYER = (*CONFIG, "layers", 0, "config")
TRAINING = ("tree", "training")
STATE = ("tree", "state")


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("model", ("kind",), ["model"], r"expected a model, got \['model'\]"),
        ("model", ("kind",), ..., "expected a model, got None"),
        ("model", ("version",), 1e999, "written in version inf"),
        ("model", ("tree",), ..., "expected fields with names in it, got None"),
        ("model", ("tree", "weights"), ..., r"refers to its array|weights: this field is missing"),
        ("model", ("tree", "counters"), ..., "counters: this field is missing"),
        ("model", ("tree", "extra"), 1, "extra: there is no such field"),
        ("model", ("tree", "counters", "2_dropout/step"), "ten", "counters.2_dropout/step: expected a whole number"),
        ("model", ("tree", "counters", "2_dropout/step"), -1, "counters.2_dropout/step: expected .* got -1"),
        ("model", ("tree", "counters", "2_dropout/step"), True, "counters.2_dropout/step: expected .* got True"),
        ("model", ("tree", "counters", "9_x/step"), 1, "counters.9_x/step: there is no such field"),
        ("model", ("tree", "input_shape"), [None, 4.5], r"input_shape\[1\]: expected a whole number .* got 4.5"),
        ("model", ("tree", "input_shape"), [None, 9], "input_shape: the model cannot be built for"),
        ("model", ("tree", "model"), 3, "model: expected a model, got one int"),
        ("model", (*CONFIG, "layers"), [{"class": "layers.ReLU", "config": {}}] * 3000, "at most 1000 parts, got 3000"),
        ("model", (*CONFIG, "layers"), DEEP, "expected at most 200 levels"),
        ("model", (*LAYER, "units"), "many", r"model.config.layers\[0\].config: .* do not fit: .*units.*'many'"),
        ("model", (*LAYER, "units"), 3 * 10**7, r"Dense '\w+': 'kernel' of shape \(4, 30000000\) has 120,000,000 num"),
        ("model", (*LAYER, "units"), 2**63, r"model.config.layers\[0\].config.units: expected a whole number of at mo"),
        ("model", (*LAYER, "units"), 10**400, "expected whole numbers of at most 256 bits, got a whole number of 1329"),
        (
            "model",
            (*LAYER, "kernel_initializer"),
            {"class": "os.system", "config": {}},
            r"kernel_initializer: the file needs a class",
        ),
        (
            "model",
            (*LAYER, "bias_initializer"),
            {"class": "initializers.Zeros", "config": [1]},
            r"bias_initializer.config: expected the arguments",
        ),
        ("model", (*TRAINING, "metrics"), 3, "training.metrics: expected a list, got 3"),
        ("model", (*TRAINING, "loss"), ..., "training.loss: this field is missing"),
        ("model", (*TRAINING, "optimizer_state", "iterations"), -1, "training.optimizer_state.iterations: .* got -1"),
        ("model", (*TRAINING, "optimizer_state", "learning_rate"), float("nan"), "learning_rate: expected a finite"),
        ("model", (*TRAINING, "optimizer_state", "memory", "0_dense/kernel"), {}, "refers to its array"),
        ("gan", (*TRAINING, "progress", "steps"), 1.5, "training.progress.steps: expected a whole number .* got 1.5"),
        ("gan", (*TRAINING, "options", "translation"), "x", "expected translation to be a whole number"),
        ("gan", (*TRAINING, "options", "noise"), 1, "training.options.noise: there is no such field"),
        ("gan", ("tree", "counters", "average/updates"), None, "counters.average/updates: expected a whole number"),
        ("run.safetensors", ("tree", "identity"), 3, "identity: expected fields with names, got 3"),
        ("run.safetensors", (*STATE, "epoch"), -5, "state.epoch: expected a whole number .* got -5"),
        ("run.safetensors", (*STATE, "epoch"), 10**12, "state.epoch: expected 1, .* got 1000000000000"),
        ("run.safetensors", (*STATE, "batch"), BATCHES + 1, "state.batch: expected a whole number from 0 to 3, got 4"),
        ("run.safetensors", (*STATE, "logs"), {"loss": "low"}, "state.logs.loss: expected a number, got 'low'"),
        ("run.safetensors", (*STATE, "random", "state", "inc"), 2, "state.random: expected the state of a PCG64"),
        ("run.safetensors", (*STATE, "random_at_pass"), {}, "state.random_at_pass.bit_generator: .* missing"),
        ("run.safetensors", (*STATE, "model", "stop_training"), 0, "state.model.stop_training: expected true or false"),
        ("run.safetensors", (*STATE, "parts", "means", "metrics"), [], "state.parts.means.metrics: expected the sums"),
        (
            "run.safetensors",
            (*STATE, "parts", "means", "metrics", 0, "total"),
            "x",
            r"metrics\[0\].total: expected a n",
        ),
        ("run.safetensors", (*STATE, "parts", "means", "metrics", 0, "update"), 1, r"metrics\[0\].update: there is no"),
        ("run.safetensors", (*STATE, "parts", "guard", "step"), "x", "state.parts.guard.step: expected a whole number"),
        ("run.safetensors", (*STATE, "parts", "feed", "key"), 3, "state.parts.feed.key: expected none, got 3"),
        (
            "run.safetensors",
            (*STATE, "callbacks", "EarlyStopping", "wait"),
            "x",
            "EarlyStopping.wait: expected a whole",
        ),
        (
            "run.safetensors",
            (*STATE, "callbacks", "EarlyStopping", "patience"),
            1,
            "EarlyStopping.patience: there is no",
        ),
        (
            "run.safetensors",
            (*STATE, "callbacks", "ReduceLROnPlateau", "best"),
            [],
            "ReduceLROnPlateau.best: expected a",
        ),
        (
            "run.safetensors",
            (*STATE, "callbacks", "CSVLogger", "rows"),
            [[1]],
            r"CSVLogger.rows\[0\]\[0\]: expected te",
        ),
        ("run.safetensors", (*STATE, "callbacks", "History"), ..., "state.callbacks: History was not among those"),
        ("run.safetensors", (*STATE, "callbacks", "Other"), {}, "state.callbacks: Other of the run are missing"),
        ("run_of_gan.safetensors", (*STATE, "parts", "means", "counts", "g_loss"), -1, "counts.g_loss: expected a who"),
        ("run_of_gan.safetensors", (*STATE, "callbacks", "GANMonitor", "curves"), [1], "GANMonitor.curves: expected f"),
    ],
)
def test_each_fault_names_file_and_field(files, tmp_path, name, place, value, message):
    path = tmp_path / "forged.safetensors"
    path.write_bytes(changed(files[name], place, value))
    with pytest.raises(ValueError, match=rf"(?s)forged.safetensors: .*{message}"):
        USES[name](path)


@pytest.mark.parametrize("name", ["model", "run.safetensors"])
def test_an_optimizer_s_memory_must_fit_its_weights(files, tmp_path, name):
    path = tmp_path / "forged.safetensors"
    for change, message in (
        (lambda a: a[:-1].copy(), r"0_dense/kernel.velocity: expected the shape \(4, 5\), got \(3, 5\)"),
        (lambda a: a.astype(np.int32), "0_dense/kernel.velocity: expected an array of float32 or float64, got an arr"),
    ):
        header, arrays = opened(files[name])
        (place,) = (place for place in arrays if place.endswith("memory/0_dense/kernel/velocity"))
        path.write_bytes(closed(header, {**arrays, place: change(arrays[place])}))
        with pytest.raises(ValueError, match=rf"forged.safetensors: .*memory.{message}"):
            USES[name](path)


def test_text_with_a_name_twice_and_arrays_that_stand_twice(files, tmp_path):
    path = tmp_path / "forged.safetensors"
    header, arrays = opened(files["model"])
    path.write_bytes(closed({**header, "tree": {**header["tree"], "\0twice": 1}}, arrays))
    with pytest.raises(ValueError, match=r"forged.safetensors: .*'model' stands in one place twice"):
        sn.load_model(path)
    path.write_bytes(changed(files["model"], ("tree", "weights", "more"), {"array": "weights/0_dense/kernel"}))
    with pytest.raises(ValueError, match=r"refers to an array 'weights/0_dense/kernel' that it has not, or has used"):
        sn.load_model(path)


def test_layers_get_no_more_numbers_than_there_are():
    with limited_weights(100):
        sn.Dense(10).build((None, 9))  # 90 and 10
        with pytest.raises(ValueError, match=r"of shape \(1, 1\) has 1 numbers, and of the file's arrays 0 are left"):
            sn.Dense(1, use_bias=False).build((None, 1))
    sn.Dense(10).build((None, 11))


def test_layers_within_layers(tmp_path):
    for depth in (60, 70):
        layer = sn.Dense(2)
        for _ in range(depth):
            layer = Chain([layer])
        model = sn.Sequential([layer])
        model.build((None, 4))
        if depth == 60:
            model.save(tmp_path / "m")
            np.testing.assert_array_equal(load_and_use(tmp_path / "m").predict(X), model.predict(X))
            continue
        with pytest.raises(ValueError, match="at most 200 levels"):
            model.save(tmp_path / "m")


def test_what_is_too_deep_is_not_written_either(tmp_path):
    for depth in (300, 5000):
        tree = {}
        for _ in range(depth):
            tree = {"a": tree}
        with pytest.raises(ValueError, match="at most 200 levels"):
            trees.write(tmp_path / "t", "run", tree)
    assert not (tmp_path / "t").exists()


def test_an_optimizer_says_nothing_of_weights_that_are_not_there_any_more():
    weights = {"a": np.ones(3, np.float32), "b": np.ones(2, np.float32), "c": np.ones(4, np.float32)}
    optimizer = sn.SGD(momentum=0.5)
    optimizer.update(weights, weights)
    state = optimizer.get_state({"a": weights["a"], "c": np.ones(5, np.float32)})
    assert state["memory"].keys() == {"a"}
    assert optimizer.get_state()["memory"].keys() == weights.keys()
    with pytest.raises(ValueError, match=r"optimizer.memory.b: the model has no weight of that name"):
        optimizer.set_state(optimizer.get_state(), {"a": weights["a"]})


def test_a_callback_of_ones_own_that_cannot_take_its_state(tmp_path):
    class Own(sn.Callback):
        def get_state(self):
            return {"a": 1}

        def set_state(self, state):
            self.b = state["b"]

    path = tmp_path / "run.safetensors"
    with pytest.raises(Halt):
        resumed(network(), (X, Y), [Own(), sn.BackupAndRestore(path, 1), Halted()])
    with pytest.raises(ValueError, match=r"run.safetensors: callbacks.Own: it cannot take this state: KeyError\('b'\)"):
        resumed(network(), (X, Y), [Own(), sn.BackupAndRestore(path, 1)])
