"""Models with several inputs and outputs: fit, evaluate and predict on them; losses, weights and metrics by output."""

import warnings

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.losses import LossByOutput

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(24, 4)).astype(np.float32), RNG.normal(size=(24, 3)).astype(np.float32)
KINDS, SWITCH = RNG.integers(0, 3, 24), RNG.integers(0, 2, (24, 1)).astype(np.float32)
LOSSES = ["sparse_categorical_crossentropy", "binary_crossentropy"]


def network(seed=1):
    sn.set_random_seed(seed)
    left, right = sn.Input((4,), name="left"), sn.Input((3,), name="right")
    hidden = sn.Dense(6, activation="relu")(sn.Concatenate()([left, right]))
    kind = sn.Dense(3, activation="softmax", name="kind")(hidden)
    switch = sn.Dense(1, activation="sigmoid", name="switch")(hidden)
    return sn.Model([left, right], [kind, switch])


def compiled(loss=None, **options):
    model = network()
    model.compile(options.pop("optimizer", sn.SGD(0.1)), LOSSES if loss is None else loss, **options)
    return model


def by_hand(model, weights=(1.0, 1.0), steps=1):
    """The losses and weights of some steps with the sum of two losses, written out."""
    model.compile("sgd", "mse") if model.loss is None else None
    optimizer, losses = sn.SGD(0.1), [sn.SparseCategoricalCrossentropy(), sn.BinaryCrossentropy()]
    values = []
    for _ in range(steps):
        outputs = model.forward([A, B], training=True)
        pairs = [loss.value_and_gradient(y, z) for loss, y, z in zip(losses, (KINDS, SWITCH), outputs)]
        values.append([w * value for w, (value, _) in zip(weights, pairs)])
        model.zero_grads()
        model.backward([w * dy for w, (_, dy) in zip(weights, pairs)])
        optimizer.update_model(model)
    return values


@pytest.mark.parametrize("weights", [None, [0.5, 3.0]])
def test_the_losses_add_up_and_so_do_their_gradients(weights):
    model = compiled(loss_weights=weights)
    history = model.fit([A, B], [KINDS, SWITCH], batch_size=24, epochs=3, shuffle=False, verbose=0).history
    other = network()
    other.compile("sgd", LOSSES)
    values = by_hand(other, weights or (1.0, 1.0), steps=3)
    np.testing.assert_allclose(history["loss"], [sum(two) for two in values], rtol=1e-5)
    for name, place in (("kind_loss", 0), ("switch_loss", 1)):
        w = 1.0 if weights is None else weights[place]
        np.testing.assert_allclose(history[name], [two[place] / w for two in values], rtol=1e-5)
    for ours, theirs in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


FORMS = {
    "lists": ([A, B], [KINDS, SWITCH]),
    "tuples": ((A, B), (KINDS, SWITCH)),
    "dicts": ({"right": B, "left": A}, {"switch": SWITCH, "kind": KINDS}),
    "dict with more": ({"right": B, "left": A, "other": B}, [KINDS, SWITCH]),
    "lists of lists": ([A.tolist(), B.tolist()], [KINDS.tolist(), SWITCH.tolist()]),
}


@pytest.mark.parametrize("form", FORMS)
def test_inputs_and_outputs_in_every_form(form):
    x, y = FORMS[form]
    model, same = compiled(), compiled()
    model.fit(x, y, batch_size=8, verbose=0, shuffle=False)
    same.fit([A, B], [KINDS, SWITCH], batch_size=8, verbose=0, shuffle=False)
    np.testing.assert_array_equal(model.get_weights()[0], same.get_weights()[0])
    assert model.evaluate(x, y, verbose=0) == same.evaluate([A, B], [KINDS, SWITCH], verbose=0)
    for ours, theirs in zip(model.predict(x, batch_size=5), same.forward([A, B])):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    for ours, theirs in zip(model.predict_on_batch(x), same.forward([A, B])):
        np.testing.assert_array_equal(ours, theirs)
    before = model.get_weights()[0].copy()
    assert model.test_on_batch(x, y) == pytest.approx(model.evaluate(x, y, verbose=0))
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert model.train_on_batch(x, y) == pytest.approx(same.evaluate([A, B], [KINDS, SWITCH], verbose=0))
    assert (model.get_weights()[0] != before).any()


def test_streams_of_several_arrays():
    model, same = compiled(), compiled()
    parts = [slice(0, 10), slice(10, 24)]
    model.fit(iter([((A[p], B[p]), (KINDS[p], SWITCH[p])) for p in parts]), verbose=0)
    for p in parts:
        same.train_on_batch([A[p], B[p]], [KINDS[p], SWITCH[p]])
    np.testing.assert_array_equal(model.get_weights()[0], same.get_weights()[0])
    batch = ({"left": A, "right": B}, {"kind": KINDS, "switch": SWITCH}, {"switch": np.zeros(24)})
    assert model.evaluate(iter([batch]), verbose=0, return_dict=True)["switch_loss"] == 0


NAMES = {
    "loss alone": ({}, ["loss", "kind_loss", "switch_loss"]),
    "one each": (
        {"metrics": ["accuracy", "accuracy"]},
        ["loss", "kind_loss", "switch_loss", "kind_accuracy", "switch_accuracy"],
    ),
    "lists": (
        {"metrics": [["accuracy", "top_2_accuracy"], []]},
        ["loss", "kind_loss", "switch_loss", "kind_accuracy", "kind_top_2_accuracy"],
    ),
    "twice": (
        {"metrics": [["accuracy", "accuracy"], None]},
        ["loss", "kind_loss", "switch_loss", "kind_accuracy", "kind_accuracy_1"],
    ),
    "dict": ({"metrics": {"switch": "accuracy"}}, ["loss", "kind_loss", "switch_loss", "switch_accuracy"]),
    "weighted": (
        {"metrics": {"kind": ["accuracy"]}, "weighted_metrics": {"kind": ["accuracy"], "switch": ["accuracy"]}},
        ["loss", "kind_loss", "switch_loss", "kind_accuracy", "kind_weighted_accuracy", "switch_accuracy"],
    ),
    "dict of losses": ({"loss": {"switch": "mse", "kind": LOSSES[0]}}, ["loss", "kind_loss", "switch_loss"]),
    "one loss for all": ({"loss": "mse"}, ["loss", "kind_loss", "switch_loss"]),
    "one without a loss": ({"loss": [LOSSES[0], None]}, ["loss"]),
}


@pytest.mark.parametrize("case", NAMES)
def test_the_names_of_keras(case):
    options, names = NAMES[case]
    model = compiled(**options)
    kinds = np.eye(3, dtype=np.float32)[KINDS] if options.get("loss") == "mse" else KINDS
    history = model.fit([A, B], [kinds, SWITCH], validation_split=0.25, verbose=0).history
    assert set(history) == {*names, *(f"val_{name}" for name in names)}
    assert model.metrics_names == names
    values = model.evaluate([A, B], [kinds, SWITCH], verbose=0)
    logs = model.evaluate([A, B], [kinds, SWITCH], verbose=0, return_dict=True)
    assert list(logs) == names
    assert list(logs.values()) == (values if len(names) > 1 else [values])


def test_an_output_without_a_loss_needs_no_labels_and_moves_nothing():
    model = compiled([None, "binary_crossentropy"])
    before = model.get_layer("kind").get_weights()[0].copy()
    for y in ([None, SWITCH], {"switch": SWITCH}, [KINDS, SWITCH]):
        model.fit([A, B], y, verbose=0)
    np.testing.assert_array_equal(model.get_layer("kind").get_weights()[0], before)


def test_weights_of_examples_by_output():
    half = (np.arange(24) < 12).astype(float)
    model = compiled(weighted_metrics=[["accuracy"], None], metrics=[["accuracy"], None])
    logs = {}
    for name, weight in (("one", half), ("list", [half, None]), ("dict", {"kind": half}), ("both", (half, half))):
        logs[name] = model.evaluate([A, B], [KINDS, SWITCH], sample_weight=weight, verbose=0, return_dict=True)
    plain = model.evaluate([A, B], [KINDS, SWITCH], verbose=0, return_dict=True)
    first = model.evaluate([A[:12], B[:12]], [KINDS[:12], SWITCH[:12]], verbose=0, return_dict=True)
    assert logs["one"] == logs["both"]
    assert logs["list"] == logs["dict"]
    assert logs["list"]["switch_loss"] == plain["switch_loss"]
    assert logs["one"]["switch_loss"] == pytest.approx(first["switch_loss"] / 2, rel=1e-5)
    assert logs["one"]["kind_loss"] == pytest.approx(first["kind_loss"] / 2, rel=1e-5)
    assert logs["one"]["kind_accuracy"] == plain["kind_accuracy"]
    assert logs["one"]["kind_weighted_accuracy"] == pytest.approx(first["kind_accuracy"])


def test_what_is_wrong_is_named():
    for options, message in (
        ({"loss": {"kind": "mse"}}, "loss has no entry for the output 'switch'. None leaves it out"),
        (
            {"loss": {"kind": "mse", "swich": "mse"}},
            "expected loss by the names of the outputs, .*got 'swich'",
        ),
        ({"loss": ["mse"]}, "expected loss as a list with one entry for each of the outputs kind, switch"),
        ({"loss": [None, None]}, "needs a loss"),
        ({"loss_weights": [1.0]}, "expected loss_weights as a list with one entry for each"),
        ({"loss_weights": [1.0, np.inf]}, "expected loss_weights to be finite numbers, got inf"),
        ({"metrics": ["accuracy"]}, "expected metrics as a list with one entry for each"),
        ({"metrics": {"a": "accuracy"}}, "expected metrics by the names of the outputs, .*got 'a'"),
    ):
        with pytest.raises(ValueError, match=message):
            compiled(**options)
    model = compiled()
    for x, y, message in (
        (A, [KINDS, SWITCH], r"expected x as a list of 2 arrays, .*'left', 'right', got one array of shape \(24, 4\)"),
        ([A], [KINDS, SWITCH], "got a list of 1"),
        ({"left": A}, [KINDS, SWITCH], "x for 'right' is missing"),
        ([A, B], KINDS, r"expected y as a list of 2 arrays, .*got one array of shape \(24,\)"),
        ([A, B], [KINDS, None], r"y\['switch'\]"),
        ([A, B[:3]], [KINDS, SWITCH], "equally many examples in all of x and y"),
        ([B, A], [KINDS, SWITCH], r"expected x\['left'\] of shape \(N, 4\)"),
        ([A, B * np.nan], [KINDS, SWITCH], r"NaN or infinity in x\['right'\]"),
        ([A, B], [KINDS + 2, SWITCH], "labels from 0 to 2, got"),
    ):
        for method in (model.fit, model.evaluate, model.train_on_batch):
            with pytest.raises(ValueError, match=message):
                method(x, y)
    with pytest.raises(ValueError, match="class_weight goes with one output"):
        model.fit([A, B], [KINDS, SWITCH], class_weight={0: 1.0}, verbose=0)


def test_softmax_twice_is_mentioned_for_an_output():
    model = compiled([sn.SparseCategoricalCrossentropy(from_logits=True), "binary_crossentropy"])
    with pytest.warns(UserWarning, match="ends in softmax, and its loss has from_logits=True"):
        model.fit([A, B], [KINDS, SWITCH], verbose=0)


def test_dicts_of_inputs_and_outputs():
    a, b = sn.Input((4,), name="left"), sn.Input((3,), name="right")
    hidden = sn.Concatenate()([a, b])
    model = sn.Model(
        {"left": a, "right": b}, {"u": sn.Dense(3, activation="softmax")(hidden), "v": sn.Dense(1)(hidden)}
    )
    model.compile("sgd", {"u": LOSSES[0], "v": "mse"}, metrics={"u": ["accuracy"]})
    history = model.fit({"left": A, "right": B}, {"u": KINDS, "v": SWITCH}, verbose=0).history
    assert set(history) == {"loss", "u_loss", "v_loss", "u_accuracy"}
    found = model.predict({"left": A, "right": B}, batch_size=7)
    assert {name: array.shape for name, array in found.items()} == {"u": (24, 3), "v": (24, 1)}


def test_one_input_and_output_in_lists():
    x = sn.Input((4,))
    model = sn.Model([x], [sn.Dense(3, activation="softmax", name="kind")(x)])
    model.compile("sgd", [LOSSES[0]], metrics=[["accuracy"]], loss_weights=[0.5])
    assert set(model.fit([A], [KINDS], verbose=0).history) == {"loss", "accuracy"}
    half, accuracy = model.evaluate(A, {"kind": KINDS}, verbose=0)
    assert model.predict([A]).shape == (24, 3)
    model.compile("sgd", {"kind": LOSSES[0]}, metrics={"kind": "accuracy"})
    assert model.evaluate(A, KINDS, verbose=0) == pytest.approx([2 * half, accuracy])


def test_a_model_comes_back_from_a_file_with_its_losses_and_metrics(tmp_path):
    options = {"loss_weights": {"kind": 0.5, "switch": 2.0}, "metrics": [["accuracy"], ["accuracy"]]}
    model = compiled(optimizer=sn.Adam(0.01), weighted_metrics=[["accuracy"], []], **options)
    model.fit([A, B], [KINDS, SWITCH], verbose=0)
    model.save(tmp_path / "model.safetensors")
    back = sn.load_model(tmp_path / "model.safetensors")
    assert back.metrics_names == model.metrics_names
    for one in (model, back):
        sn.set_random_seed(3)
        one.fit([A, B], [KINDS, SWITCH], batch_size=5, verbose=0)
    for ours, theirs in zip(back.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


class Stop(Exception):
    pass


def test_a_run_is_resumed_to_the_same_bits(tmp_path):
    def run(folder, stop=None):
        class Break(sn.Callback):
            every_batch = True

            def on_train_batch_end(self, batch, logs=None):
                if (self.model.training_loop.epoch, batch) == stop:
                    raise Stop

        model = compiled(metrics=["accuracy", "accuracy"])
        model.fit(
            [A, B], [KINDS, SWITCH], 5, 3, 0, [sn.BackupAndRestore(folder, save_freq=1), Break()], validation_split=0.25
        )
        return model

    whole = run(tmp_path / "whole")
    with pytest.raises(Stop):
        run(tmp_path / "part", (1, 2))
    again = run(tmp_path / "part")
    assert again.history.history == whole.history.history
    for ours, theirs in zip(again.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(Stop):
        run(tmp_path / "part", (1, 2))
    model = compiled(loss_weights=[1.0, 2.0], metrics=["accuracy", "accuracy"])
    with pytest.raises(ValueError, match="is the backup of another run: its loss"):
        model.fit([A, B], [KINDS, SWITCH], 5, 3, 0, [sn.BackupAndRestore(tmp_path / "part")], validation_split=0.25)


def test_a_watched_metric_of_an_output_knows_its_direction():
    model = compiled(metrics=["accuracy", "accuracy"])
    stopping = sn.EarlyStopping("val_kind_accuracy", patience=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit([A, B], [KINDS, SWITCH], epochs=2, validation_split=0.25, callbacks=stopping, verbose=0)
    assert stopping.larger_is_better
    stopping = sn.EarlyStopping("val_kind_loss", patience=1)
    model.fit([A, B], [KINDS, SWITCH], epochs=2, validation_split=0.25, callbacks=stopping, verbose=0)
    assert not stopping.larger_is_better


def test_a_loss_that_diverges_is_said_and_the_weights_are_back():
    model = compiled(["mse", "mse"], optimizer=sn.SGD(1e25))
    with pytest.raises(sn.DivergedError, match=r"inputs of about -1 to 1 \(here they go from -"):
        model.fit([A, B], [np.eye(3)[KINDS] * 1e30, SWITCH], epochs=30, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_the_sum_of_losses_by_itself():
    z = [RNG.random((5, 3)).astype(np.float32), RNG.random((5, 1)).astype(np.float32)]
    y = [np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]], np.ones((5, 1), np.float32)]
    loss = LossByOutput([sn.MeanSquaredError(), sn.MeanSquaredError()], [2.0, 0.5])
    value, gradients = loss.value_and_gradient(y, z)
    singles = [sn.MeanSquaredError().value_and_gradient(*pair) for pair in zip(y, z)]
    assert value == loss(y, z) == pytest.approx(2 * singles[0][0] + 0.5 * singles[1][0])
    np.testing.assert_allclose(gradients[0], 2 * singles[0][1])
    np.testing.assert_allclose(gradients[1], 0.5 * singles[1][1])
    for losses, weights in (([], None), ([None], None), ([sn.MeanSquaredError()], [1, 2]), (["mse"], None)):
        with pytest.raises(ValueError, match="LossByOutput: expected"):
            LossByOutput(losses, weights)
