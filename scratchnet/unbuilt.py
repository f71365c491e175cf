"""What Keras and TensorFlow have and this package has not: the error says what there is instead.

    from scratchnet import GradientTape     ImportError: scratchnet.GradientTape is not built. There is no autograd ...
    sn.layers.LSTM                          AttributeError: scratchnet.layers.LSTM is not built. ...

UNBUILT has the sentences. A name that a module does not have is asked for in three ways, and each must end well:
an attribute, which `ask` answers with an AttributeError, so that `hasattr` is False; and `from module import name` or
`import module.name`, which `Finder` answers with an ImportError, the only one whose text Python shows there.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from scratchnet.old_names import names

PACKAGE = __name__.partition(".")[0]

_GRADIENT = (
    "There is no autograd here: every layer and every loss has its backward by hand. value, dy = "
    "loss.value_and_gradient(y, model.forward(x, training=True)) and model.backward(dy) put the gradients into "
    "model.grads; sn.train_step(model, loss, optimizer, x, y) is all of a step; sn.gradcheck(layer, x) looks whether a "
    "backward is right."
)
_ARRAYS = "Layers take and give NumPy arrays, CuPy's on the GPU: compute with NumPy."
_BY_HAND = (
    "Without autograd a function alone has no gradient: write a class of sn.Layer with call and call_backward, as in "
    "scratchnet/layers/activation.py."
)
_DATA = (
    "fit takes arrays, generators of batches, sn.utils.PyDataset and datagen.flow(x, y); "
    "sn.utils.image_dataset_from_directory reads folders."
)
_EAGER = "Nothing needs to be compiled: layers are plain Python, their kernels are compiled already. Leave it out."
_SEQUENCES = "This package is about pictures: there are no layers for sequences and none with memory from step to step."
_ONE_AXIS = "Only pictures are convolved, (N, H, W, C): x[:, None] makes sequences pictures one row high."
_THREE_AXES = "Only pictures are convolved, (N, H, W, C); there are no volumes and no films."
_TEXT = "There is no text here; numbers for words go into an Embedding."
_WEIGHTS = (
    "There are no weights of ImageNet to load. sn.zoo has the networks, resnet_50() for ResNet50(weights=None): "
    "set_weights takes what Keras's get_weights gives. It also has small ones that train on a laptop."
)
_RANDOM = "Numbers are drawn by NumPy: np.random.default_rng(seed).normal(size=shape)."

_OF_PICTURES = (
    *("AveragePooling", "AvgPool", "Conv", "Convolution", "Cropping", "DepthwiseConv", "MaxPool"),
    *("GlobalAveragePooling", "GlobalAvgPool", "GlobalMaxPool", "GlobalMaxPooling", "MaxPooling", "SeparableConv"),
    *("SpatialDropout", "UpSampling", "ZeroPadding"),
)
_LAYERS = {
    "Lambda": _BY_HAND,
    **dict.fromkeys(
        ("LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM2D", "Bidirectional", "TimeDistributed", "Masking"), _SEQUENCES
    ),
    **dict.fromkeys(("MultiHeadAttention", "Attention", "AdditiveAttention"), _SEQUENCES),
    **{f"{kind}1D": _ONE_AXIS for kind in _OF_PICTURES},
    **{f"{kind}3D": _THREE_AXES for kind in _OF_PICTURES},
    **dict.fromkeys(("TextVectorization", "StringLookup", "IntegerLookup"), _TEXT),
    **{f"Conv{axes}Transpose": text for axes, text in (("1D", _ONE_AXIS), ("3D", _THREE_AXES))},
    "InputSpec": "A layer's class says it: rank = 4, and `check` for what else it wants of x.",
    "LocallyConnected2D": "Keras 3 has it no more either; Conv2D shares its filters over all places.",
    "Merge": "Take Concatenate, Add, Multiply, ...: Concatenate()([a, b]).",
}

# In each room, "" for the package itself.
UNBUILT: dict[str, dict[str, str]] = {
    "": {
        "GradientTape": _GRADIENT,
        "Tensor": _ARRAYS,
        "Variable": f"A layer makes its weights by add_weight. {_ARRAYS}",
        "applications": _WEIGHTS,
        "compat": _ARRAYS,
        "data": _DATA,
        "distribute": "One machine and one device train a model.",
        "estimator": "A model is made of layers: sn.Sequential, sn.Model.",
        "function": _EAGER,
        "gradients": _GRADIENT,
        "image": "sn.preprocessing.image has pictures from files, sn.layers has Resizing and RandomFlip.",
        "io": "Pictures are read by sn.utils.load_img, datasets by sn.datasets.",
        "keras": "The package itself stands for it: import scratchnet as keras.",
        "linalg": _ARRAYS,
        "math": _ARRAYS,
        "mixed_precision": "All is computed in float32 or float64. sn.device('gpu', precision='tf32') is faster.",
        "nn": f"Activations are in sn.activations, layers in sn.layers. {_ARRAYS}",
        "ops": f"{_ARRAYS} {_BY_HAND}",
        "wrappers": "fit, predict and evaluate take NumPy arrays, as scikit-learn's do.",
        "saved_model": "model.save and sn.load_model keep models.",
        "tensorflow": "The package itself stands for it: import scratchnet as keras.",
        "train": "A model is kept by model.save, a run by sn.BackupAndRestore.",
        **dict.fromkeys(
            ("cast", "concat", "constant", "convert_to_tensor", "expand_dims", "ones", "ones_like", "reduce_mean"),
            _ARRAYS,
        ),
        **dict.fromkeys(("reduce_sum", "reshape", "shape", "square", "zeros", "zeros_like"), _ARRAYS),
    },
    "callbacks": {
        "RemoteMonitor": "sn.LiveCurve draws the curve while it trains, sn.CSVLogger writes it.",
        "SwapEMAWeights": "sn.ExponentialMovingAverage(0.999) keeps the average of the weights.",
    },
    "layers": _LAYERS,
    "optimizers": {
        "Adafactor": "It saves memory in networks far larger than these: take Adam.",
        "Ftrl": "It is made for millions of rare inputs: take Adagrad.",
        "LossScaleOptimizer": "All is computed in float32 or float64, whose gradients do not vanish: leave it out.",
        "Muon": "Take AdamW.",
    },
    "preprocessing": {"sequence": _SEQUENCES, "text": _TEXT},
    "random": dict.fromkeys(("normal", "set_seed", "shuffle", "truncated_normal", "uniform"), _RANDOM),
    "utils": {
        "multi_gpu_model": "One device trains a model.",
        "custom_object_scope": "Hand the classes over: sn.load_model(path, custom_objects={'MyLayer': MyLayer}).",
    },
}


def sentence(room: str, name: str) -> str | None:
    """What is said of a name that is not built; None where nobody would look for it here."""
    said = UNBUILT.get(room, {}).get(name)
    return None if said is None else f"{_full(room, name)} is not built. {said}"


def _full(*parts: str) -> str:
    return ".".join(part for part in (PACKAGE, *parts) if part)


def ask(room: str, first: Callable[[str], Any] | None = None) -> Callable[[str], Any]:
    """The `__getattr__` of a room: an old name's object, or an AttributeError; `first` is one that it has already."""

    def __getattr__(name: str) -> Any:
        if first is not None:
            with contextlib.suppress(AttributeError):
                return first(name)
        if f"{room}.{name}".lstrip(".") in names.MODULES:
            return importlib.import_module(_full(room, name))
        if name in names.NAMES.get(room, {}):
            with contextlib.suppress(LookupError):
                return names.find(room, name)
        text = sentence(room, name) or f"module {_full(room)!r} has no attribute {name!r}"
        raise AttributeError(text, name=name, obj=sys.modules[_full(room)])

    return __getattr__


class CalledModule(ModuleType):
    """A module that has the name of a function of an earlier Keras, and can be called as that: optimizers.sgd(0.1)."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function did."""
        room, _, name = self.__name__.partition(".")[2].rpartition(".")
        return names.find(room, name)(*args, **kwargs)


class OldModule(CalledModule):
    """A module of an earlier Keras; its names are looked up in the rooms that have them today."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []  # a package, so that Finder is asked for its names, too

    def __getattr__(self, name: str) -> Any:
        module = self.__name__.partition(".")[2]
        if name == "__all__":
            today = importlib.import_module(_full(names.MODULES[module][0]))
            return getattr(today, "__all__", [one for one in vars(today) if not one.startswith("_")])
        if name.startswith("__"):
            raise AttributeError(name)
        if f"{module}.{name}" in names.MODULES:
            return importlib.import_module(_full(module, name))
        return names.find_in_module(module, name)


class Finder(MetaPathFinder, Loader):
    """Is asked by `import` for modules of the package that have no file, after all others."""

    def find_spec(self, full: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """An old module, an ImportError for what is not built, None for what nobody knows."""
        package, _, module = full.partition(".")
        if package != PACKAGE:
            return None
        if module in names.MODULES:
            return ModuleSpec(full, self, is_package=True)
        room, _, name = module.rpartition(".")
        for place in names.MODULES.get(room, (room,)):
            if said := sentence(place, name):
                raise ImportError(said, name=full)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty one."""
        return OldModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is run."""


def install() -> None:
    """Have the rooms that are imported, and `import`, ask here."""
    if any(isinstance(finder, Finder) for finder in sys.meta_path):
        return
    sys.meta_path.append(Finder())
    for room in {*UNBUILT, *names.NAMES, *(old.rpartition(".")[0] for old in names.MODULES)}:
        if (module := sys.modules.get(_full(room))) is not None:
            vars(module)["__getattr__"] = ask(room, vars(module).get("__getattr__"))
    for old in names.MODULES:  # where `import` finds none, since the module above it has a file and no folder
        parent = sys.modules.get(_full(old.rpartition(".")[0]))
        if parent is not None and not hasattr(parent, "__path__"):
            sys.modules[_full(old)] = OldModule(_full(old))
    for room, known in names.NAMES.items():
        for name in known:
            if type(module := sys.modules.get(_full(room, name))) is ModuleType:
                module.__class__ = CalledModule
