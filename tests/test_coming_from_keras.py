"""What the README tells a Keras user is so: the example runs, and each line of its tables has a test here."""

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.old_names import OldName, warning

SECTION = (
    (Path(__file__).parent.parent / "README.md")
    .read_text("utf-8")
    .partition("## Coming from Keras")[2]
    .partition("\n## ")[0]
)
HERE, DIFFERENT, MISSING = (
    {cells[0].strip(): cells[1] for cells in (row.strip("|").split("|") for row in table.strip().splitlines()[2:])}
    for table in re.findall(r"(?:^\|.*\|\n)+", SECTION, re.MULTILINE)
)
rng = np.random.default_rng(0)
X, Y = rng.random((12, 6, 6, 1), dtype=np.float32), np.arange(12) % 3
LOSS = "sparse_categorical_crossentropy"


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch):
    monkeypatch.setattr(warning, "_told", set())


def network(*more):
    return sn.Sequential([sn.Input((6, 6, 1)), *more, sn.Flatten(), sn.Dense(3, activation="softmax", name="answer")])


def fitted(model, optimizer="sgd", loss=LOSS, metrics=("accuracy",), **options):
    model.compile(optimizer, loss, metrics=list(metrics))
    return model.fit(X, Y, epochs=1, verbose=0, **options).history


def names_of(cell):
    return re.findall(r"`(\w+)`", cell)


def test_the_example_runs(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="plot_model needs the notebooks extra")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(re.search(r"```python\n(.*?)```", SECTION, re.DOTALL)[1], names)
    history = names["model"].fit(np.zeros((4, 28, 28, 1), np.float32), np.arange(4), epochs=1, verbose=0).history
    assert list(history) == ["accuracy", "loss"] or list(history) == ["loss", "accuracy"]
    assert (tmp_path / "model.png").exists()


# What is here.


def datasets(cell):
    assert all(callable(getattr(sn.datasets, name).load_data) for name in names_of(cell))


def layers(cell):
    for activation in ("gelu", sn.activations.gelu, sn.ReLU()):
        assert sn.layers.Dense(3, activation=activation)(X[:, 0, :, 0]).shape == (12, 3)
    assert {
        "Dense",
        "Conv2D",
        "MaxPooling2D",
        "LayerNormalization",
        "GaussianNoise",
        "Concatenate",
        "Embedding",
    } <= set(sn.layers.__all__)


def models(cell):
    a, b, shared = sn.Input((4,), name="a"), sn.Input((4,), name="b"), sn.layers.Dense(3)
    inner = sn.Sequential([sn.Input((3,)), sn.Dense(2)], name="inner")
    both = sn.layers.Concatenate(name="both")([shared(a), shared(b)])
    model = sn.Model([a, b], [inner(shared(a)), both])
    assert [y.shape for y in model.predict([np.ones((5, 4)), np.ones((5, 4))], verbose=0)] == [(5, 2), (5, 6)]
    assert model.get_layer("both").output is both
    lines = []
    model.summary(print_fn=lines.append)
    assert "inner" in lines[0]
    chain = network()
    assert chain.pop().name == "answer"


def trainable(cell):
    model = network(sn.BatchNormalization(trainable=False), sn.Conv2D(2, 3))
    model.layers[1].trainable = False
    before, x = [w.copy() for w in model.get_weights()], X * 5
    fitted(model)
    same = [np.array_equal(old, new) for old, new in zip(before, model.get_weights())]
    assert same == [True] * 6 + [False] * 2
    norm = model.layers[0]
    np.testing.assert_array_equal(norm.forward(x, training=True), norm.forward(x, training=False))


def rules(cell):
    for regularizer, constraint in (("l2", "max_norm"), (sn.regularizers.L1(0.1), sn.constraints.MaxNorm(1))):
        layer = sn.Dense(
            2, kernel_regularizer=regularizer, kernel_constraint=constraint, kernel_initializer="he_normal"
        )
        layer(X[:, 0, :, 0])
        assert len(layer.losses) == 1


def training(cell):
    for metric in ("sparse_categorical_accuracy", sn.metrics.sparse_categorical_accuracy):
        for loss in (LOSS, sn.losses.sparse_categorical_crossentropy, sn.losses.SparseCategoricalCrossentropy()):
            assert "sparse_categorical_accuracy" in fitted(network(), sn.optimizers.Adam(1e-3), loss, [metric])
    x = sn.Input((6, 6, 1))
    flat = sn.Flatten()(x)
    outputs = [sn.Dense(3, activation="softmax", name="kind")(flat), sn.Dense(1, name="size")(flat)]
    model = sn.Model(x, outputs)
    model.compile("sgd", {"kind": LOSS, "size": "mse"}, metrics={"kind": ["accuracy"]})
    assert "kind_accuracy" in model.fit(X, {"kind": Y, "size": Y[:, None] / 3}, verbose=0).history


def feeding(cell):
    class Batches(sn.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, number):
            return X[4 * number : 4 * number + 4], Y[4 * number : 4 * number + 4]

    model = network()
    fitted(model)
    batches = Batches()
    flow = sn.preprocessing.image.ImageDataGenerator(rescale=1.0).flow(X, Y, batch_size=4)
    for source in (batches, flow, (batches[number] for number in range(3))):
        assert "loss" in model.fit(source, steps_per_epoch=3, verbose=0).history
    assert len(model.evaluate(batches, verbose=0)) == 2
    model.train_on_batch(X, Y)
    model.test_on_batch(X, Y)
    np.testing.assert_allclose(model.predict_on_batch(X), model(X), rtol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0), model(X), rtol=1e-5)


def callbacks(cell):
    class Own(sn.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ended.append(epoch)

    ended = []
    assert all(issubclass(getattr(sn.callbacks, name), sn.callbacks.Callback) for name in names_of(cell))
    fitted(network(), callbacks=[Own()])
    assert ended == [0]


def utils(cell):
    assert all(callable(getattr(sn.utils, name)) for name in names_of(cell))
    assert callable(sn.preprocessing.image.ImageDataGenerator)


def saving(cell):
    model = network()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("model.keras", "model.h5"):
            model.save(Path(folder) / name)
            np.testing.assert_array_equal(sn.load_model(Path(folder) / name)(X), model(X))
        model.save_weights(Path(folder) / "model.weights.h5")
        model.load_weights(Path(folder) / "model.weights.h5")


def backend(cell):
    sn.backend.clear_session()
    assert sn.backend.epsilon() == 1e-7
    assert sn.backend.image_data_format() == "channels_last"


def old_names(cell):
    model = network()
    history = fitted(model)
    for old in (
        lambda: sn.optimizers.Adam(lr=1e-3, decay=1e-6),
        lambda: sn.layers.Convolution2D(2, 3, 3),
        lambda: model.fit_generator(iter([(X, Y)]), steps_per_epoch=1, verbose=0),
        lambda: history["acc"],
    ):
        with pytest.warns(OldName):
            old()


checks_of_what_is_here = {
    "`datasets`": datasets,
    "`layers`": layers,
    "`Sequential`, `Input`, `Model`": models,
    "`trainable`": trainable,
    "`regularizers`, `constraints`, `initializers`": rules,
    "`losses`, `metrics`, `optimizers`": training,
    "`fit`, `evaluate`, `predict`": feeding,
    "`callbacks`": callbacks,
    "`utils`, `preprocessing.image`": utils,
    "`save`, `load_model`, `save_weights`": saving,
    "`backend`": backend,
    "old names": old_names,
}


@pytest.mark.parametrize("line", HERE)
@pytest.mark.filterwarnings("ignore::scratchnet.old_names.OldName")
def test_what_is_here(line):
    checks_of_what_is_here[line](HERE[line])


# What is different.


def gradients():
    model, loss = network(), sn.losses.SparseCategoricalCrossentropy()
    _, dy = loss.value_and_gradient(Y, model.forward(X, training=True))
    model.backward(dy)
    assert any(np.abs(g).max() > 0 for g in model.grads.values())
    sn.train_step(model, loss, sn.optimizers.SGD(0.1), X, Y)


def own_layer():
    class Double(sn.layers.Layer):
        def call(self, x, training):
            return 2 * x

        def call_backward(self, dy, param_grads, input_grad):
            return 2 * dy

    assert sn.gradcheck(Double(), X[:1].astype(np.float64))
    assert "loss" in fitted(network(Double()))


def own_loss():
    def squares(y_true, y_pred):
        error = y_pred - np.eye(3, dtype=y_pred.dtype)[y_true.reshape(-1)]
        return (error**2).mean(axis=-1), 2 * error / error.shape[-1]

    assert fitted(network(), loss=squares)["loss"][0] > 0


def channels():
    with pytest.raises(ValueError, match="Channels come last"):
        sn.layers.Conv2D(2, 3, data_format="channels_first")


def by_hand():
    assert isinstance(sn.losses.MeanSquaredError()(np.zeros((2, 3)), np.ones((2, 3))), float)


checks_of_what_is_different = {
    "gradients": gradients,
    "a layer of your own": own_layer,
    "a loss of your own, as a function": own_loss,
    "pictures": channels,
    "loss called by hand": by_hand,
}


@pytest.mark.parametrize("line", DIFFERENT)
def test_what_is_different(line):
    checks_of_what_is_different[line]()


# What is not here.

UNBUILT = {
    "GradientTape": "",
    "Lambda": "layers",
    "LSTM": "layers",
    "GRU": "layers",
    "MultiHeadAttention": "layers",
    "Conv1D": "layers",
    "Conv3D": "layers",
    "applications": "",
    "data": "",
    "ops": "",
}


@pytest.mark.parametrize("name", UNBUILT)
def test_what_is_not_here_says_so(name):
    assert name in " ".join(MISSING)
    with pytest.raises(ImportError, match="is not built"):
        exec(f"from {'.'.join(filter(None, ('scratchnet', UNBUILT[name])))} import {name}")


def test_every_line_of_what_is_not_here_is_tested():
    tested = {*UNBUILT, "TensorBoard", "Model", "train_step", "call", "tf"}
    assert {name for line in MISSING for name in re.findall(r"`(?:tf\.|keras\.)?(\w+)", line)} <= tested


def test_tensorboard_says_what_there_is_instead():
    with pytest.raises(NotImplementedError, match="CSVLogger"):
        sn.callbacks.TensorBoard()


@pytest.mark.parametrize("method", ["call", "train_step"])
def test_a_model_with_a_call_or_a_step_of_its_own_is_refused(method):
    with pytest.raises(TypeError, match=method):
        type("Own", (sn.Model,), {method: lambda self, x: x})
