"""A misspelt attribute raises, whatever it is of; what a class of a reader's own sets for itself does not."""

import copy
import pickle
import weakref

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.attributes import OTHER_NAMES

X = np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32)


def gan():
    return sn.GAN(sn.Sequential([sn.Dense(2)]), sn.Sequential([sn.Dense(1)]), 3)


def compiled_gan():
    model = gan()
    model.compile()
    return model


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (sn.Adam, "lr", "Adam has no attribute 'lr'. Did you mean 'learning_rate'?"),
        (sn.Adam, "learning_rates", "Adam has no attribute 'learning_rates'. Did you mean 'learning_rate'?"),
        (sn.SGD, "momentun", "Did you mean 'momentum'?"),
        (sn.SGD, "decay", "Did you mean 'weight_decay'?"),
        (sn.AdamW, "eps", "Did you mean 'epsilon'?"),
        (lambda: sn.Dense(3), "kernel", "Did you mean 'params'?"),
        (lambda: sn.Dropout(0.5), "rat", "Did you mean 'rate'?"),
        (
            sn.Sequential,
            "stop_trainning",
            "Sequential has no attribute 'stop_trainning'. Did you mean 'stop_training'?",
        ),
        (sn.Sequential, "optimiser", "Did you mean 'optimizer'?"),
        (gan, "d_step", "GAN has no attribute 'd_step'. Did you mean 'd_steps'?"),
        (lambda: compiled_gan().optimizer, "lr", "OptimizerPair has no attribute 'lr'. Did you mean 'learning_rate'?"),
        (sn.EarlyStopping, "patients", "EarlyStopping has no attribute 'patients'. Did you mean 'patience'?"),
        (lambda: sn.ModelCheckpoint("m"), "file_path", "Did you mean 'filepath'?"),
        (lambda: sn.CosineDecay(0.1, 10), "alfa", "Did you mean 'alpha'?"),
        (sn.BinaryCrossentropy, "from_logit", "Did you mean 'from_logits'?"),
        (lambda: sn.PiecewiseConstantDecay([1], [1, 2]), "zzz", "It has boundaries, name, values."),
    ],
)
def test_a_name_that_there_is_not(make, name, message):
    one = make()
    with pytest.raises(AttributeError, match=message):
        setattr(one, name, 1.0)
    assert not hasattr(one, name)


def test_names_of_others_lead_to_names_that_there_are():
    known = {name for one in (sn.Adam(), sn.Dense(1), sn.Sequential()) for name in dir(one)}
    assert set(OTHER_NAMES.values()) <= known


def test_what_is_there_can_be_set():
    optimizer = sn.Adam(0.1)
    optimizer.learning_rate = 0.5
    optimizer.beta_1 = 0.5
    assert (optimizer.learning_rate, optimizer.get_state()["learning_rate"], optimizer.beta_1) == (0.5, 0.5, 0.5)
    model = sn.Sequential([sn.Dense(3)])
    model.stop_training = True  # so far in the class only
    model.fuse = False
    model.layers[0].name = "other"
    assert (model.stop_training, sn.Sequential.stop_training, model.layers[0].name) == (True, False, "other")
    with pytest.raises(ValueError, match="learning_rate to be a finite number of at least 0"):
        optimizer.learning_rate = -1


class Mine(sn.layers.Layer):
    """As a reader writes it: attributes appear where they are needed."""

    def call(self, x, training):
        self.x = x
        self.helpers = [self.note(i) for i in range(2)]
        (lambda: setattr(self, "from_within", 1))()
        return x * 2

    def note(self, i):
        setattr(self, f"note_{i}", i)
        return i

    def call_backward(self, dy, param_grads, input_grad):
        self.dy = dy
        return dy * 2


def test_a_layer_of_a_reader_s_sets_what_it_likes():
    layer = Mine()
    layer.backward(layer.forward(X))
    assert layer.x.shape == layer.dy.shape == X.shape
    assert (layer.note_0, layer.note_1, layer.from_within) == (0, 1, 1)
    layer.remark = "from outside, and like no name that there is"
    with pytest.raises(AttributeError, match="Mine has no attribute 'input_shap'"):
        layer.input_shap = (3,)
    layer.trainable = False
    assert not layer.trainable


def test_a_callback_of_a_reader_s_sets_what_it_likes():
    class Watch(sn.Callback):
        def __init__(self):  # without super().__init__(), as most are written
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            self.last = logs["loss"]
            self.seen.append(epoch)

    model, watch = sn.Sequential([sn.Dense(4)]), Watch()
    model.compile("sgd", "mse")
    model.fit(X, X, epochs=2, verbose=0, callbacks=watch)
    assert watch.seen == [0, 1]
    assert watch.last == model.history.history["loss"][-1]


def test_a_function_is_no_method():
    def set_rate(optimizer, rate):
        optimizer.lr = rate

    with pytest.raises(AttributeError, match="learning_rate"):
        set_rate(sn.Adam(), 0.1)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies(again):
    for one in (sn.Adam(0.5), sn.Dense(3, name="d"), sn.EarlyStopping(patience=3), sn.CosineDecay(0.1, 10)):
        twin = again(one)
        assert vars(twin).keys() == vars(one).keys()
        with pytest.raises(AttributeError):
            twin.lr_ = 1


# An optimizer belongs to one model.


def model(units=4, optimizer="adam"):
    sn.set_random_seed(0)
    made = sn.Sequential([sn.Dense(units, activation="relu", input_shape=(4,)), sn.Dense(1)])
    made.compile(optimizer, "mse")
    return made


def fit(one):
    one.fit(X, X[:, :1], epochs=2, shuffle=False, verbose=0)
    return one


@pytest.mark.parametrize("units", [4, 7])
@pytest.mark.parametrize("alive", [True, False])
def test_an_optimizer_of_another_model_is_refused(units, alive):
    optimizer = sn.Adam(0.01)
    first = fit(model(4, optimizer))
    whom, gone = first.full_name, weakref.ref(first)
    if not alive:
        first.history = None  # which holds the model
        del first
        assert gone() is None
        whom = "another model"
    with pytest.raises(ValueError, match=f"this Adam optimizer has made 2 updates of {whom}, .* Make a new one"):
        model(units, optimizer)


def test_an_optimizer_that_two_models_were_compiled_with():
    """Compiling alone moves nothing: a model made anew before it is trained may have the old one's optimizer."""
    optimizer = sn.SGD(0.01)
    first, second = model(4, optimizer), model(4, optimizer)
    fit(second)
    before = first.get_weights()
    for train in (fit, lambda one: one.train_on_batch(X, X[:, :1])):
        with pytest.raises(ValueError, match="this SGD optimizer has made 2 updates of Sequential"):
            train(first)
    assert all(np.array_equal(a, b) for a, b in zip(before, first.get_weights()))


def test_the_same_model_may_compile_again():
    one = fit(model(4, sn.Adam(0.01)))
    one.compile(one.optimizer, "mse")
    fit(one)
    assert one.optimizer.iterations == 4


def test_copies_and_files_go_on(tmp_path):
    one = fit(model(4, sn.Adam(0.01)))
    one.save(tmp_path / "m.safetensors")
    twins = [copy.deepcopy(one), sn.load_model(tmp_path / "m.safetensors")]
    fit(one)
    for twin in twins:
        twin.compile(twin.optimizer, "mse")
        fit(twin)
        assert twin.optimizer.iterations == 4
        assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), twin.get_weights()))


def test_optimizers_of_a_gan():
    used = compiled_gan()
    used.fit(X[:, :2], 8, verbose=0)
    used.compile(*used.optimizer.both.values())  # its own
    used.fit(X[:, :2], 8, verbose=0)
    for place in range(2):
        pair = [sn.Adam(), sn.Adam()]
        pair[place] = list(used.optimizer.both.values())[place]
        with pytest.raises(ValueError, match="this Adam optimizer has made 2 updates of Sequential"):
            gan().compile(*pair)
    with pytest.raises(ValueError, match="this Adam optimizer has made"):
        used.compile(*reversed(used.optimizer.both.values()))
    fit_by_hand = sn.Sequential([sn.Dense(1)])
    with pytest.raises(ValueError, match="this Adam optimizer has made"):
        fit_by_hand.compile(used.optimizer.both["discriminator"], "mse")
