"""Wrong arguments: every public class and function, every argument, many wrong values.

A call may succeed. If it does not, the error names who was called, the argument, the value and what is expected; and it
is none of Python's or NumPy's own.
"""

import inspect
import re
import types

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.preprocessing import image
from scratchnet.signatures import only_default_names

X = np.random.default_rng(0).random((8, 8, 8, 1)).astype(np.float32)
Y = np.arange(8) % 2
FEATURES = np.random.default_rng(1).normal(size=(40, 4))


class Thing:
    """An object that nothing expects."""

    def __repr__(self):
        return "<thing>"


# Those that the package's users have tried, and their kin.
WRONG = {
    "text": "surprise",
    "empty text": "",
    "a number as text": "3",
    "bytes": b"abc",
    "None": None,
    "True": True,
    "nan": float("nan"),
    "inf": float("inf"),
    "-1": -1,
    "-0.5": -0.5,
    "0": 0,
    "1.5": 1.5,
    "10**30": 10**30,
    "complex": 1 + 2j,
    "an empty list": [],
    "a list of text": ["a", "b"],
    "a list of None": [None, None],
    "a list of numbers": [1.5, -2.0, float("nan")],
    "a ragged list": [[1.0, 2.0], [3.0]],
    "a dict": {"a": 1},
    "a set": {1, 2},
    "an object": Thing(),
    "a class": Thing,
    "a function": len,
    "an array": np.arange(6.0).reshape(2, 3),
    "an array of text": np.array(["a", "b"]),
    "an array of objects": np.array([Thing(), None], object),
    "a masked array": np.ma.masked_array(np.arange(4.0), mask=[0, 1, 0, 0]),
}


class Reached(Exception):
    """The arguments have passed; training would begin here."""


class Stop(sn.Callback):
    def on_train_begin(self, logs=None):
        raise Reached


def model():
    net = sn.Sequential([sn.Flatten(input_shape=(8, 8, 1)), sn.Dense(2, activation="softmax", name="out")], name="net")
    net.compile(sn.SGD(1e-3), sn.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    return net


def gan():
    g = sn.Sequential([sn.Dense(64, "tanh", input_shape=(3,)), sn.Reshape((8, 8, 1))], name="g")
    d = sn.Sequential([sn.Flatten(input_shape=(8, 8, 1)), sn.Dense(1)], name="d")
    made = sn.GAN(g, d, latent_dim=3)
    made.compile()
    made.real_sample = X[:4] * 2 - 1
    return made


def built(layer, shape=(8, 8, 1)):
    layer.build((None, *shape))
    return layer


def graph():
    x = sn.Input((4,))
    return x, sn.Dense(2)(x)


GRAPH = graph()
MERGING = ("add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract")

# What a call needs to be right, where the defaults are not enough. A function is called for a fresh value.
NEEDED = {
    **{name: {"x": X} for name in sn.activations.FUNCTIONS},
    "Activation": {"activation": "relu"},
    "BackupAndRestore": {"backup_dir": "folder"},
    "CSVLogger": {"filename": "log.csv"},
    "CallbackList": {"callbacks": [], "model": model, "params": {}},
    "Chain": {"layers": lambda: [sn.Flatten()]},
    "Conv2D": {"filters": 2, "kernel_size": 3},
    "Conv2DTranspose": {"filters": 2, "kernel_size": 3},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 10},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
    "whitening_filters": {"x": X},
    "CenterCrop": {"height": 2, "width": 2},
    "Dense": {"units": 2},
    "Dot": {"axes": 1},
    "Input": {"shape": (4,)},
    "InputLayer": {"shape": (4,)},
    "KerasTensor": {"shape": (None, 4)},
    "Model": {"inputs": lambda: GRAPH[0], "outputs": lambda: GRAPH[1]},
    **{name: {"inputs": lambda: [sn.Input((4,)), sn.Input((4,))]} for name in MERGING},
    "DepthwiseConv2D": {"kernel_size": 3},
    "AlphaDropout": {"rate": 0.5},
    "Dropout": {"rate": 0.5},
    "Embedding": {"input_dim": 3, "output_dim": 2},
    "FeatureClassifier": {"model": model},
    "FixedNoise": {},
    "ImageDataset": None,  # image_dataset_from_directory makes it
    "PyDataset": None,  # the base of those of one's own
    "Sequence": None,  # its older name
    "array_to_img": {"x": X[0]},
    "FreezeLayers": {"layers": ["dense"], "epoch": 1},
    "GAN": {
        "generator": lambda: gan().generator,
        "discriminator": lambda: gan().discriminator,
        "latent_dim": 3,
    },
    "GaussianDropout": {"rate": 0.5},
    "GaussianNoise": {"stddev": 0.5},
    "GenerationMetrics": {"real": lambda: (np.random.default_rng(0).random((200, 28, 28)) * 255).astype("u1"), "n": 70},
    "InstanceNoise": {"std": 0.1, "steps": 10},
    "LearningRateScheduler": {"schedule": lambda: lambda epoch: 0.1},
    "ModelCheckpoint": {"filepath": "model.safetensors"},
    "LossByOutput": {"losses": lambda: [sn.MeanSquaredError()]},
    "MovingAverage": {"model": model},
    "Optimizer": {"learning_rate": 0.1},
    "Parallel": {"branches": lambda: [[sn.Flatten()], [sn.Flatten()]]},
    "Permute": {"dims": (2, 1)},
    "PiecewiseConstantDecay": {"boundaries": [1, 2], "values": [0.1, 0.2, 0.3]},
    "PiecewiseLinear": {"boundaries": [1, 2], "values": [0.1, 0.2]},
    "StepDecay": {"boundaries": [1, 2], "values": [0.1, 0.2, 0.3]},
    "RepeatVector": {"n": 2},
    "Resizing": {"height": 2, "width": 2},
    "SeparableConv2D": {"filters": 2, "kernel_size": 3},
    "RandomBrightness": {"factor": 0.5},
    "RandomContrast": {"factor": 0.5},
    "RandomCrop": {"height": 2, "width": 2},
    "RandomRotation": {"factor": 0.5},
    "RandomTranslation": {"height_factor": 0.5, "width_factor": 0.5},
    "RandomZoom": {"height_factor": 0.5},
    "SpatialDropout2D": {"rate": 0.5},
    "StochasticDepth": {"rate": 0.5},
    "Rescaling": {"scale": 0.5},
    "Reshape": {"target_shape": (4,)},
    "ScaledLoss": {"loss": lambda: sn.MeanSquaredError(), "weight": 2.0},
    "SpectralNormalization": {"layer": lambda: sn.Dense(2)},
    "Translation": {"pixels": 1},
    "WarmUp": {"after": 0.1, "warmup_steps": 10},
    "class_histogram": {"classes": Y},
    "classifier": {"name": "fashion_mnist"},
    "compound_scaling": {"phi": 1},
    "confusion_matrix": {"y_true": Y, "y_pred": Y},
    "deserialize": {"config": "relu"},
    "device": {"device_name": "cpu"},
    "discriminator_step": {
        "discriminator": lambda: gan().discriminator,
        "loss": sn.gan.Hinge,
        "optimizer": sn.SGD,
        "real": X,
        "fake": X,
    },
    "diversity": {"x": X},
    "entropy": {"counts": [1, 2]},
    "frechet_distance": {"real": FEATURES, "fake": FEATURES},
    "generator_step": None,  # it belongs to a forward before it
    "get": None,  # by check_choice, see tests/test_layers_errors.py
    "gradcheck": {"subject": lambda: sn.Dense(2), "x": X[:1, 0, :, 0]},
    "get_file": {"origin": "http://127.0.0.1:9/x"},
    "image_dataset_from_directory": {"directory": "nowhere"},
    "image_folder": {"path": "nowhere", "size": 8},
    "img_to_array": {"img": X[0]},
    "interpolate": {"gan": gan, "rows": 1, "steps": 2},
    "interpolation": {"gan": gan, "rows": 1, "steps": 2},
    "kernel_distance": {"real": FEATURES, "fake": FEATURES, "subsets": 2},
    "load_img": {"path": "nowhere.png"},
    "load_model": {"filepath": "nowhere.safetensors"},
    "normalize": {"x": X},
    "nearest_training_pictures": {"fake": X, "train": X},
    "plot_model": {"model": model, "to_file": None},
    "precision_recall": {"real": FEATURES, "fake": FEATURES},
    "relative_diversity": {"gan": gan},
    "ring_of_gaussians": {"n": 10},
    "separation": {"gan": gan},
    "serialize": {"activation": "relu"},
    "set_random_seed": {"seed": 1},
    "save_img": {"path": "x.png", "x": X[0]},
    "sheet": {"x": X},
    "spherical": {"a": [1.0, 0.0], "b": [0.0, 1.0], "t": 0.5},
    "split_dataset": {"dataset": X, "left_size": 0.5},
    "to_categorical": {"x": Y},
    "train_step": {"model": model, "loss": sn.SparseCategoricalCrossentropy, "optimizer": sn.SGD, "x": X, "y": Y},
}
METHODS = {
    "Sequential.fit": (model, {"x": X, "y": Y, "callbacks": Stop}),
    "Sequential.evaluate": (model, {"x": X, "y": Y, "verbose": 0}),
    "Sequential.predict": (model, {"x": X}),
    "Sequential.train_on_batch": (model, {"x": X, "y": Y}),
    "Sequential.compile": (model, {"loss": "mse"}),
    "Sequential.add": (model, {"layer": lambda: sn.Dense(2, name="more")}),
    "Sequential.build": (model, {"input_shape": (8, 8, 1)}),
    "Sequential.forward": (model, {"x": X}),
    "Sequential.set_weights": (model, {"weights": lambda: model().get_weights()}),
    "Sequential.save": (model, {"filepath": "model.safetensors"}),
    "Sequential.save_weights": (model, {"filepath": "model.safetensors"}),
    "Sequential.load_weights": (model, {"filepath": "nowhere.safetensors"}),
    "Sequential.to": (model, {"device": "cpu"}),
    "Conv2D.to": (lambda: sn.Conv2D(2, 3), {"device": "cpu"}),
    "Conv2D.forward": (lambda: built(sn.Conv2D(2, 3)), {"x": X}),
    "Conv2D.build": (lambda: sn.Conv2D(2, 3), {"input_shape": (8, 8, 1)}),
    "Normalization.adapt": (lambda: built(sn.Normalization()), {"data": X}),
    "GAN.fit": (gan, {"x": X * 2 - 1, "callbacks": Stop}),
    "GAN.compile": (gan, {}),
    "GAN.to": (gan, {"device": "cpu"}),
    "GAN.train_on_batch": (gan, {"x": X * 2 - 1}),
    "GAN.generate": (gan, {"n": 2}),
    "GAN.latents": (gan, {"n": 2}),
    "GAN.decode": (gan, {"z": np.zeros((2, 3), np.float32)}),
    "GAN.save": (gan, {"filepath": "gan.safetensors"}),
    "GAN.set_weights": (gan, {"weights": lambda: gan().get_weights()}),
    "ImageDataGenerator.flow": (image.ImageDataGenerator, {"x": X}),
    "ImageDataGenerator.fit": (image.ImageDataGenerator, {"x": X}),
    "ImageDataGenerator.flow_from_directory": (image.ImageDataGenerator, {"directory": "nowhere"}),
    "ImageDataGenerator.apply_transform": (image.ImageDataGenerator, {"x": X[0], "transform_parameters": {"theta": 3}}),
    "ImageDataGenerator.random_transform": (image.ImageDataGenerator, {"x": X[0]}),
    "ImageDataGenerator.get_random_transform": (image.ImageDataGenerator, {"img_shape": (8, 8, 1)}),
    "ImageDataGenerator.standardize": (image.ImageDataGenerator, {"x": X[0]}),
    "Augment.__call__": (sn.Augment, {"x": X}),
    "MeanSquaredError.__call__": (sn.MeanSquaredError, {"y_true": X, "y_pred": X}),
    "MeanSquaredError.value_and_gradient": (sn.MeanSquaredError, {"y_true": X, "y_pred": X}),
    "SparseCategoricalCrossentropy.__call__": (
        sn.SparseCategoricalCrossentropy,
        {"y_true": Y, "y_pred": np.full((8, 2), 0.5, np.float32)},
    ),
    "Accuracy.update_state": (sn.Accuracy, {"y_true": Y, "y_pred": np.full((8, 2), 0.5, np.float32)}),
    "Adam.update": (sn.Adam, {"params": lambda: {"w": np.ones(3)}, "grads": lambda: {"w": np.ones(3)}}),
    "GlorotUniform.__call__": (sn.GlorotUniform, {"shape": (3, 4)}),
}
NEEDED |= {
    function.__name__: {
        "y_true": np.ones((8, 1), int),
        "y_pred": np.full((8, 1 + ("sparse" in function.__name__)), 0.5),
    }
    for function in sn.losses.OF_FUNCTION
}
NEEDED["LossFunction"] = {"function": abs}
# What is no constructor or function of the reader's: records that functions return, the exercises, the reference's
# loops, which are to be read and take what they are given.
LEFT_OUT = {"DivergedError", "GradcheckReport", "Report", "Scores", "Verdict", "Exercise", "Diagnosis", "Finding"}
LEFT_OUT |= set(sn.losses.__all__) - set(sn.losses.LOSSES) - set(sn.losses.CLASSES) - {"Loss", "LossFunction", "get"}
LEFT_OUT |= set(sn.losses.SHORT)  # other names of the same functions
LEFT_OUT |= {
    "GPUNotAvailable",
    "Logs",
    "KernelDistance",
    "PrecisionRecall",
    "log_text",
    "progress_bar",
    "timing_text",
    "check_labels",
    "check_weights",
    "diagnose",
    "report",
}
MODULES = [sn, image, sn.activations, sn.gan, sn.generation, sn.callbacks, sn.layers, sn.zoo, sn.datasets]
MODULES += [sn.losses, sn.optimizers, sn.utils, sn.regularizers, sn.constraints]


def public():
    """(name, function or class) of all public ones, each once; those with nothing to hand over are left out."""
    found = {"ImageDataGenerator": image.ImageDataGenerator}
    for module in MODULES:
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            first = getattr(thing, "__name__", name) == name  # MaxPool2D is MaxPooling2D
            if not isinstance(thing, types.ModuleType) and callable(thing) and name not in LEFT_OUT and first:
                found[name] = thing
    return {name: thing for name, thing in found.items() if NEEDED.get(name, {}) is not None and arguments(thing)}


def arguments(function):
    """The arguments that are looked at: those that are there with their default only have tests of their own."""
    code = function.__init__ if inspect.isclass(function) else function
    fixed = only_default_names(code)
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = [p for p in inspect.signature(function).parameters.values() if p.kind not in kinds]
    names = [p.name for p in parameters if p.name not in fixed and p.name != "self"]
    return names + (
        ["input_shape", "name"]
        if inspect.isclass(function) and issubclass(function, sn.Layer) and function is not sn.Sequential
        else []
    )


def fresh(value):
    plain = isinstance(value, types.FunctionType) or value in (sn.SGD, sn.gan.Hinge, sn.SparseCategoricalCrossentropy)
    return value() if plain or value is Stop else value


def needed(values):
    return {name: value if isinstance(value, np.ndarray) else fresh(value) for name, value in values.items()}


def faults(name, function, right, names):
    """(number of calls, what was wrong with the errors) of one function, called with every wrong value."""
    calls, found = 0, []
    last = name.split(".")[-1].replace("__call__", "").replace("__init__", "")
    callers = {part for part in (name.split(".")[0], last) if part}
    for argument in names:
        for what, value in WRONG.items():
            calls += 1
            try:
                function(**{**needed(right), argument: value})
            except (Reached, OSError, MemoryError, ImportError):
                continue
            except Exception as error:
                said = str(error)
                fault = fault_of(error, said, callers, argument, value)
                if fault:
                    found.append(f"{name}({argument}={what}): {fault}: {type(error).__name__}: {said[:160]}")
    return calls, found


def fault_of(error, said, callers, argument, value):
    """What is missing in an error's text; "" for nothing."""
    if not isinstance(error, (ValueError, TypeError, IndexError, RuntimeError)):
        return "another error"
    if not any(caller.lower() in said.lower() for caller in callers) and not NAMES.search(said):
        return "does not say who was called"
    if "Known:" in said:  # "unknown optimizer 'adm'"
        return "" if shown(value, said) else "does not show the value"
    words = argument.replace("_", " ").lower()
    if "x of shape" in said:  # the layers call every array x
        words = "x"
    if not any(word.rstrip("s") in said.lower() for word in (argument.lower(), words, words.rsplit(" ", 1)[-1])):
        return "does not name the argument"
    if "expected" not in said and "Known:" not in said and " needs " not in said and "must" not in said:
        return "does not say what is expected"
    return "" if shown(value, said) else "does not show the value"


def shown(value, said):
    if isinstance(value, np.ndarray):
        texts = {
            str(value.shape),
            str(value.dtype),
            repr(value)[:20],
            str(len(value)),
            repr(value.flat[0]),
            str(value.flat[0]),
        }
        return any(text in said for text in texts | {repr(value[0]), str(value.shape[-1]), type(value).__name__})
    texts = {repr(value)[:60], str(value)[:60], type(value).__name__}
    if isinstance(value, type):
        texts.add(value.__name__)
    if isinstance(value, (int, float)):
        texts.add("got ()")  # its shape, where an array belongs
    if isinstance(value, (list, tuple, str, dict, set)):  # the element that is wrong, or how many there are
        texts |= {repr(one) for one in value} | {f"{len(value)}", f"({len(value)},)", f"({len(value)}, 1)", "(N,"}
    return any(text and text in said for text in texts) or (value == "" and "'.'" in said)  # the folder ""


CONSTRUCTORS = public()
# Some checks are made by a class that another makes: a message that begins with its name, or a layer's, is as good.
NAMES = re.compile(rf"^({'|'.join(CONSTRUCTORS)})\b")


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sn.set_random_seed(0)


@pytest.mark.filterwarnings("ignore")  # of values that are allowed and unwise
@pytest.mark.parametrize("name", sorted(CONSTRUCTORS))
def test_wrong_arguments_of_public_classes_and_functions(name):
    thing = CONSTRUCTORS[name]
    calls, found = faults(name, thing, NEEDED.get(name, {}), arguments(thing))
    assert calls
    assert not found, "\n" + "\n".join(found)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(METHODS))
def test_wrong_arguments_of_methods(name):
    make, right = METHODS[name]
    method = name.split(".")[1]
    names = arguments(getattr(make(), method))
    calls, found = faults(name, lambda **given: getattr(make(), method)(**given), right, names)
    assert calls
    assert not found, "\n" + "\n".join(found)
