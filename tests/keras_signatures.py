"""Keras's signatures, of which keras_signatures.txt is the stored table: names of arguments, their order, defaults.

    python tests/keras_signatures.py        writes the table anew, where Keras is installed

NAMES says which function of Keras one of ours stands for. Where the table is read, no Keras is needed.
"""

import functools
import inspect
from pathlib import Path

TABLE = Path(__file__).with_suffix(".txt")

# Ours, from `scratchnet`, and Keras's, from `keras`. A name alone is the same in both, in the module before it.
SAME = {
    "backend": (
        "clear_session epsilon floatx get_uid image_data_format is_keras_tensor set_epsilon set_floatx "
        "set_image_data_format"
    ),
    "layers": (
        "Activation ActivityRegularization Add AlphaDropout Average AveragePooling2D BatchNormalization CenterCrop "
        "Concatenate Conv2D Conv2DTranspose Cropping2D Dense DepthwiseConv2D Dot Dropout Embedding Flatten "
        "GaussianDropout GaussianNoise GlobalAveragePooling2D GlobalMaxPooling2D GroupNormalization Identity "
        "InputLayer Layer LayerNormalization LeakyReLU MaxPooling2D Maximum Minimum Multiply Normalization Permute "
        "ReLU RepeatVector Rescaling Reshape Resizing SeparableConv2D SpatialDropout2D SpectralNormalization Subtract "
        "UnitNormalization UpSampling2D ZeroPadding2D add average concatenate dot maximum minimum multiply subtract"
    ),
    "losses": "BinaryCrossentropy CategoricalCrossentropy Loss MeanSquaredError SparseCategoricalCrossentropy",
    "metrics": (
        "Accuracy BinaryAccuracy CategoricalAccuracy Metric SparseCategoricalAccuracy SparseTopKCategoricalAccuracy "
        "TopKCategoricalAccuracy"
    ),
    "optimizers": "Adam AdamW RMSprop SGD",
    "initializers": (
        "Constant GlorotNormal GlorotUniform HeNormal HeUniform Initializer LecunNormal LecunUniform Ones Orthogonal "
        "RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros"
    ),
    "constraints": "Constraint MaxNorm MinMaxNorm NonNeg UnitNorm",
    "regularizers": "L1 L1L2 L2 OrthogonalRegularizer Regularizer",
    "callbacks": (
        "BackupAndRestore CSVLogger Callback EarlyStopping History LearningRateScheduler ModelCheckpoint "
        "ReduceLROnPlateau"
    ),
}
METHODS = {
    "Sequential": (
        "add build compile count_params evaluate fit get_config get_layer get_weights load_weights pop predict save "
        "save_weights set_weights summary train_on_batch"
    ),
    "layers.Layer": "build count_params get_config get_weights set_weights",
    "layers.Normalization": "adapt",
    "losses.Loss": "__call__",
    "metrics.Metric": "result",
    "initializers.Initializer": "__call__",
    "callbacks.Callback": (
        "on_epoch_begin on_epoch_end on_test_begin on_test_end on_train_batch_begin on_train_batch_end on_train_begin "
        "on_train_end set_model set_params"
    ),
}
IMAGE = "preprocessing.image.ImageDataGenerator"
NAMES = {
    "Input": "Input",
    "KerasTensor": "KerasTensor",
    "Model.get_layer": "Model.get_layer",
    "Sequential": "Sequential",
    "device": "device",
    "load_model": "saving.load_model",
    "set_random_seed": "utils.set_random_seed",
    "schedules.CosineDecay": "optimizers.schedules.CosineDecay",
    "schedules.PiecewiseConstantDecay": "optimizers.schedules.PiecewiseConstantDecay",
    "optimizers.Optimizer": "src.optimizers.base_optimizer.BaseOptimizer",  # that of keras.optimizers has *args
    IMAGE: f"src.legacy.{IMAGE}",
    **{
        f"{IMAGE}.{method}": f"src.legacy.{IMAGE}.{method}"
        for method in ("apply_transform", "fit", "flow", "get_random_transform", "random_transform", "standardize")
    },
    **{
        f"{module}.get": f"{module}.get"
        for module in ("constraints", "initializers", "losses", "metrics", "optimizers", "regularizers")
    },
    **{f"{module}.{name}": f"{module}.{name}" for module, names in SAME.items() for name in names.split()},
    **{f"{owner}.{name}": f"{owner}.{name}" for owner, names in METHODS.items() for name in names.split()},
    **{f"datasets.{name}.load_data": f"datasets.{name}.load_data" for name in ("cifar10", "fashion_mnist")},
}


def signature_of(thing):
    """The signature without self; of a class, that of its __init__, since some of Keras have a __new__ of *args."""
    function = thing.__init__ if inspect.isclass(thing) else thing
    if function is object.__init__:
        return inspect.Signature()
    parameters = list(inspect.signature(function).parameters.values())
    parameters = parameters[1:] if parameters and parameters[0].name == "self" else parameters
    return inspect.Signature([p.replace(annotation=p.empty) for p in parameters])


def find(package, name):
    """The object of that dotted name."""
    return functools.reduce(getattr, name.split("."), package)


def of_keras():
    """{our name: the text of the signature of Keras's} from the installed Keras."""
    import keras
    from keras.src.legacy.preprocessing import image  # noqa: F401 - else keras.src has no such attribute

    return {ours: str(signature_of(find(keras, theirs))) for ours, theirs in NAMES.items()}


def stored():
    """(version of Keras, {our name: the text}) from the table."""
    version, *lines = TABLE.read_text(encoding="utf-8").splitlines()
    return version.split()[-1], dict(line.split(" ", 1) for line in lines)


def parsed(text):
    """A signature from its text; defaults are numbers, words, tuples and None."""
    return inspect.signature(eval(f"lambda {text[1:-1]}: None"))


def main():
    """Write the table."""
    import keras

    lines = [f"{name} {text}" for name, text in sorted(of_keras().items())]
    TABLE.write_text("\n".join([f"Keras {keras.__version__}", *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
