"""Models in files: what comes back is what was saved, and a file that is not right is named."""

import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import scratchnet as sn
from scratchnet import optimizers, random, saving, trees
from scratchnet.config import describe
from scratchnet.layers import Chain

X = np.random.default_rng(0).normal(size=(24, 8, 8, 2)).astype(np.float32)
Y = np.arange(24) % 3


def residual():
    return sn.Parallel([[sn.Conv2D(4, 3, padding="same"), sn.BatchNormalization(), sn.ReLU()], []])


def make(optimizer=None):
    model = sn.Sequential(
        [
            sn.Conv2D(4, 3, padding="same", activation="relu", input_shape=(8, 8, 2)),
            residual(),
            sn.MaxPooling2D(),
            sn.Dropout(0.3),
            sn.Flatten(),
            sn.Dense(3, activation="softmax"),
        ]
    )
    loss = sn.SparseCategoricalCrossentropy(label_smoothing=0.1)
    model.compile(optimizer or sn.Adam(sn.CosineDecay(0.01, 50)), loss, metrics=["accuracy"])
    return model


def same(a, b):
    return len(a) == len(b) and all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in zip(a, b))


@pytest.fixture
def model():
    sn.set_random_seed(1)
    model = make()
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    return model


@pytest.fixture
def path(tmp_path, model):
    model.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_training_goes_on_as_from_the_model_itself(model, path):
    other = sn.load_model(path)
    assert same(model.get_weights(), other.get_weights())
    assert np.array_equal(model.predict(X), other.predict(X))
    histories = []
    for m in (model, other):
        sn.set_random_seed(2)
        histories.append(m.fit(X, Y, epochs=3, batch_size=8, verbose=0).history)
    assert histories[0] == histories[1]
    assert "accuracy" in histories[0]
    assert same(model.get_weights(), other.get_weights())
    assert other.optimizer.iterations == 15


@pytest.mark.parametrize("optimizer", [*optimizers.OPTIMIZERS, sn.Adam(0.01, amsgrad=True), sn.Adagrad(0.1, 0.5)])
def test_every_optimizer_goes_on_from_a_file(optimizer, tmp_path):
    one = sn.Sequential([sn.Dense(4, activation="relu", input_shape=(6,)), sn.Dense(3, activation="softmax")])
    one.compile(optimizer, "sparse_categorical_crossentropy")
    x = X.reshape(24, -1)[:, :6]
    for _ in range(3):
        one.train_on_batch(x, Y)
    one.save(tmp_path / "model.safetensors")
    other = sn.load_model(tmp_path / "model.safetensors")
    assert type(other.optimizer) is type(one.optimizer)
    for _ in range(3):
        assert one.train_on_batch(x, Y) == other.train_on_batch(x, Y)
    assert same(one.get_weights(), other.get_weights())


def test_loading_draws_no_random_numbers(path):
    before = random.get_state()
    sn.load_model(path)
    assert random.get_state() == before


def test_without_compile(path):
    other = sn.load_model(path, compile=False)
    with pytest.raises(RuntimeError, match="before compile"):
        other.fit(X, Y)


def test_a_model_that_was_never_compiled_and_float64(tmp_path):
    model = sn.Sequential([sn.Dense(2, input_shape=(3,))], dtype="float64")
    model.astype(np.float64)
    model.save(tmp_path / "m.safetensors")
    other = sn.load_model(tmp_path / "m.safetensors")
    assert other.compute_dtype == np.float64
    assert same(model.get_weights(), other.get_weights())
    assert other.loss is None


def test_any_safetensors_reader_sees_the_weights(model, path):
    arrays = load_file(path)
    np.testing.assert_array_equal(arrays["weights/0_conv2d/kernel"], model.layers[0].params["kernel"])
    memory = model.optimizer.state["5_dense/bias"]["velocity"]
    np.testing.assert_array_equal(arrays["training/optimizer_state/memory/5_dense/bias/velocity"], memory)


def test_the_same_model_gives_the_same_bytes(model, tmp_path):
    for n in range(8):
        model.save(tmp_path / str(n))
    assert len({(tmp_path / str(n)).read_bytes() for n in range(8)}) == 1


def test_layers_of_ones_own(tmp_path):
    class Doubled(sn.Layer):
        def call(self, x, training):
            return 2 * x

    model = sn.Sequential([Doubled(input_shape=(3,)), sn.Dense(2)])
    model.save(tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match="custom_objects="):
        sn.load_model(tmp_path / "m.safetensors")
    other = sn.load_model(tmp_path / "m.safetensors", custom_objects={"Doubled": Doubled})
    np.testing.assert_array_equal(
        other.predict(X[:, 0, 0, :1].repeat(3, 1)), model.predict(X[:, 0, 0, :1].repeat(3, 1))
    )


def test_weights_alone(model, path, tmp_path):
    model.save_weights(tmp_path / "w.safetensors")
    for file in (tmp_path / "w.safetensors", path):
        other = make()
        other.load_weights(file)
        assert same(model.get_weights(), other.get_weights())
    with pytest.raises(ValueError, match="expected a model, got weights alone"):
        sn.load_model(tmp_path / "w.safetensors")


@pytest.mark.parametrize("whole", [True, False])
def test_files_from_before_a_normalization_had_a_count(tmp_path, whole):
    normalization = sn.Normalization()
    normalization.adapt(np.random.default_rng(0).random((10, 4), dtype=np.float32))
    model = sn.Sequential([normalization, sn.Dense(3)])
    model.build((None, 4))
    model.save(tmp_path / "new.safetensors")
    tree = trees.read(tmp_path / "new.safetensors", "model")
    assert tree["weights"].pop("0_normalization/count").shape == ()
    trees.write(tmp_path / "old.safetensors", "model", tree)
    if whole:
        again = sn.load_model(tmp_path / "old.safetensors")
    else:
        again = sn.Sequential([sn.Normalization(), sn.Dense(3)])
        again.build((None, 4))
        again.load_weights(tmp_path / "old.safetensors")
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_weights_of_another_model(model, tmp_path):
    model.save_weights(tmp_path / "w.safetensors")
    for other, message in (
        (sn.Sequential([sn.Dense(3, input_shape=(4,))]), "has an array '0_conv2d/bias', the model has not"),
        (Chain([*make().layers[:5], sn.Dense(4)]), r"shape \(64, 3\) in the file and \(64, 4\)"),
    ):
        if not other.built:
            other.build((None, 8, 8, 2))
        before = other.get_weights()
        with pytest.raises(ValueError, match=message):
            saving.load_weights(other, tmp_path / "w.safetensors")
        assert same(before, other.get_weights())


def test_before_build(tmp_path):
    model = sn.Sequential([sn.Dense(3)])
    for method in (model.save, model.save_weights, model.load_weights):
        with pytest.raises(RuntimeError, match="before build"):
            method(tmp_path / "m.safetensors")


def test_a_save_that_fails_leaves_the_old_file(model, path):
    whole = path.read_bytes()
    model.layers[1].name = print
    with pytest.raises(TypeError, match="cannot be written into a file"):
        model.save(path)
    assert path.read_bytes() == whole


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(tmp_path_factory, where, bit):
    data = bytearray(DATA())
    data[int(where * len(data))] ^= 1 << bit
    path = tmp_path_factory.mktemp("damaged") / "m.safetensors"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"damaged|not one that scratchnet wrote|written in version|expected a file"):
        sn.load_model(path)


@given(share=st.floats(0, 1, exclude_max=True))
def test_any_cut_is_noticed(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("cut") / "m.safetensors"
    path.write_bytes(DATA()[: int(share * len(DATA()))])
    with pytest.raises(ValueError, match="damaged or cut off"):
        sn.load_model(path)


_data = []


def DATA():
    """A small saved model's bytes."""
    if not _data:
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            model = sn.Sequential([sn.Dense(2, input_shape=(3,)), sn.Dropout(0.5)])
            model.compile("sgd", "mse")
            model.save(Path(folder) / "m.safetensors")
            _data.append((Path(folder) / "m.safetensors").read_bytes())
    return _data[0]


def header_changed(path, **changes):
    """The file with other values in its header."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    ours = json.loads(header["__metadata__"]["scratchnet"]) | changes
    header["__metadata__"]["scratchnet"] = json.dumps(ours)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


def test_another_version(path):
    header_changed(path, version=7)
    with pytest.raises(ValueError, match=r"written in version 7 .* reads version 1"):
        sn.load_model(path)


def test_text_that_was_changed(path):
    header_changed(path, kind="weights")
    with pytest.raises(ValueError, match="do not have its checksum"):
        sn.load_model(path)


def test_files_of_others(tmp_path):
    for start, message in ((b"\x89HDF\r\n", "HDF5"), (b"PK\x03\x04", "zip archive"), (b"", "damaged or cut off")):
        (tmp_path / "other").write_bytes(start + b"\0" * 100 * bool(start))
        with pytest.raises(ValueError, match=message):
            sn.load_model(tmp_path / "other")
    save_file({"w": np.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="not one that scratchnet wrote"):
        sn.load_model(tmp_path / "other.safetensors")
    with pytest.raises(FileNotFoundError, match=r"no such file. Beside it: other.safetensors"):
        sn.load_model(tmp_path / "none")


def test_a_tree(tmp_path):
    tree = {"a": [1, 2.5, None, True, "x", [np.arange(3)]], "b": {"c/d": np.zeros((0, 2))}, "b/c": {"d": np.ones(1)}}
    trees.write(tmp_path / "t", "run", tree)
    back = trees.read(tmp_path / "t", "run")
    assert back["a"][:5] == tree["a"][:5]
    np.testing.assert_array_equal(back["a"][5][0], np.arange(3))
    assert back["b"]["c/d"].shape == (0, 2)
    assert back["b/c"]["d"].tolist() == [1]
    with pytest.raises(TypeError, match="cannot be written"):
        trees.write(tmp_path / "t", "run", {"a": {1: 2}})


def test_a_layer_can_be_added_to_a_model_from_a_file(tmp_path):
    """In a new process, whose automatic names begin anew."""
    code = (
        "import sys, scratchnet as sn\n"
        "if len(sys.argv) > 2: sn.Sequential([sn.Dense(5, input_shape=(4,)), sn.Dense(2)]).save(sys.argv[1])\n"
        "else:\n"
        "    model = sn.load_model(sys.argv[1])\n"
        "    model.add(sn.Dense(3))\n"
        "    print(*(layer.name for layer in model.layers))"
    )
    for more, printed in ((["save"], ""), ([], "dense dense_1 dense_2\n")):
        command = [sys.executable, "-c", code, str(tmp_path / "m.safetensors"), *more]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == printed


@pytest.mark.parametrize(
    "tree",
    [
        {"array": np.arange(3)},
        {"array": "a"},
        {"array": {"array": {"dict": 1}}},
        {"dict": {"array": np.ones(2)}},
        {"x": [{"array": 0}, {"dict": {}}], "dict": None},
        {"x": sn.Normalization(name="n", mean=[0.1], variance=[1.0]).get_config() | {"y": {"array": 1}}},
    ],
)
def test_trees_that_look_like_what_stands_for_arrays(tmp_path, tree):
    trees.write(tmp_path / "t.safetensors", "run", tree)
    found = trees.read(tmp_path / "t.safetensors", "run")
    expected = {k: v if not isinstance(v, sn.PiecewiseConstantDecay) else describe(v, "t") for k, v in tree.items()}
    np.testing.assert_equal(found, expected)
