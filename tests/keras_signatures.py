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
    "layers": (
        "Activation ActivityRegularization Add AlphaDropout Average AveragePooling2D BatchNormalization CenterCrop "
        "Concatenate Conv2D Conv2DTranspose Cropping2D Dense DepthwiseConv2D Dot Dropout ELU Embedding Flatten "
        "GaussianDropout GaussianNoise GlobalAveragePooling2D GlobalMaxPooling2D GroupNormalization Identity "
        "InputLayer Layer LayerNormalization LeakyReLU MaxPooling2D Maximum Minimum Multiply Normalization PReLU "
        "Permute RandomBrightness RandomContrast RandomCrop RandomFlip RandomRotation RandomTranslation RandomZoom "
        "ReLU RepeatVector Rescaling Reshape Resizing SeparableConv2D Softmax SpatialDropout2D "
        "SpectralNormalization Subtract UnitNormalization UpSampling2D ZeroPadding2D add average concatenate dot "
        "maximum minimum multiply subtract"
    ),
    "losses": (
        "BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy "
        "CategoricalHinge CosineSimilarity Hinge Huber KLDivergence LogCosh Loss MeanAbsoluteError "
        "MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson "
        "SparseCategoricalCrossentropy SquaredHinge binary_crossentropy binary_focal_crossentropy "
        "categorical_crossentropy categorical_focal_crossentropy categorical_hinge cosine_similarity hinge huber "
        "kl_divergence log_cosh mean_absolute_error mean_absolute_percentage_error mean_squared_error "
        "mean_squared_logarithmic_error poisson sparse_categorical_crossentropy squared_hinge"
    ),
    "metrics": (
        "AUC Accuracy BinaryAccuracy BinaryCrossentropy CategoricalAccuracy CategoricalCrossentropy "
        "CategoricalHinge CosineSimilarity F1Score FBetaScore FalseNegatives FalsePositives Hinge KLDivergence "
        "LogCoshError Mean MeanAbsoluteError MeanAbsolutePercentageError MeanMetricWrapper MeanSquaredError "
        "MeanSquaredLogarithmicError Metric Poisson Precision Recall RootMeanSquaredError "
        "SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SquaredHinge "
        "TopKCategoricalAccuracy TrueNegatives TruePositives binary_accuracy categorical_accuracy "
        "sparse_categorical_accuracy sparse_top_k_categorical_accuracy top_k_categorical_accuracy"
    ),
    "optimizers": "Adadelta Adagrad Adam AdamW Adamax Lion Nadam RMSprop SGD",
    "initializers": (
        "Constant GlorotNormal GlorotUniform HeNormal HeUniform Initializer LecunNormal LecunUniform Ones "
        "Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros"
    ),
    "callbacks": (
        "BackupAndRestore CSVLogger Callback EarlyStopping History LambdaCallback LearningRateScheduler "
        "ModelCheckpoint ReduceLROnPlateau TerminateOnNaN"
    ),
    "activations": (
        "celu deserialize elu exponential gelu get hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear "
        "log_sigmoid log_softmax mish relu relu6 selu serialize sigmoid silu soft_shrink softmax softplus softsign "
        "sparse_plus sparse_sigmoid squareplus tanh tanh_shrink"
    ),
    "backend": (
        "clear_session epsilon floatx get_uid image_data_format is_keras_tensor set_epsilon set_floatx "
        "set_image_data_format"
    ),
    "constraints": "Constraint MaxNorm MinMaxNorm NonNeg UnitNorm",
    "regularizers": "L1 L1L2 L2 OrthogonalRegularizer Regularizer",
}
METHODS = {
    "Sequential": (
        "add build compile count_params evaluate fit get_config get_layer get_weights load_weights pop predict "
        "predict_on_batch reset_metrics save save_weights set_weights summary test_on_batch train_on_batch"
    ),
    "layers.Layer": "build count_params get_config get_weights set_weights",
    "layers.Normalization": "adapt",
    "losses.Loss": "__call__",
    "metrics.Metric": "reset_state result",
    "initializers.Initializer": "__call__",
    "callbacks.Callback": (
        "on_batch_begin on_batch_end on_epoch_begin on_epoch_end on_predict_batch_begin on_predict_batch_end "
        "on_predict_begin on_predict_end on_test_batch_begin on_test_batch_end on_test_begin on_test_end "
        "on_train_batch_begin on_train_batch_end on_train_begin on_train_end set_model set_params"
    ),
    "metrics.Mean": "update_state",
}
IMAGE = "preprocessing.image.ImageDataGenerator"
IMAGE_METHODS = "apply_transform fit flow flow_from_directory get_random_transform random_transform standardize"
PICTURES = "array_to_img img_to_array load_img save_img"
UTILS = (
    "PyDataset get_file image_dataset_from_directory normalize plot_model set_random_seed split_dataset to_categorical"
)
DATASETS = "cifar10 cifar100 fashion_mnist mnist"
NAMES = {
    "preprocessing.image_dataset_from_directory": "utils.image_dataset_from_directory",
    **{f"{IMAGE}.{method}": f"src.legacy.{IMAGE}.{method}" for method in IMAGE_METHODS.split()},
    **{f"preprocessing.image.{name}": f"utils.{name}" for name in PICTURES.split()},
    **{f"utils.{name}": f"utils.{name}" for name in f"{PICTURES} {UTILS}".split()},
    **{f"datasets.{name}.load_data": f"datasets.{name}.load_data" for name in DATASETS.split()},
    "Input": "Input",
    "KerasTensor": "KerasTensor",
    "Model.get_layer": "Model.get_layer",
    "Sequential": "Sequential",
    "device": "device",
    "load_model": "saving.load_model",
    "models.clone_model": "models.clone_model",
    "models.model_from_json": "models.model_from_json",
    "set_random_seed": "utils.set_random_seed",
    **{
        f"schedules.{name}": f"optimizers.schedules.{name}"
        for name in (
            *("CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "PiecewiseConstantDecay"),
            "PolynomialDecay",
        )
    },
    "optimizers.Optimizer": "src.optimizers.base_optimizer.BaseOptimizer",  # that of keras.optimizers has *args
    IMAGE: f"src.legacy.{IMAGE}",
    **{
        f"{module}.get": f"{module}.get"
        for module in ("constraints", "initializers", "losses", "metrics", "optimizers", "regularizers")
    },
    **{f"{module}.{name}": f"{module}.{name}" for module, names in SAME.items() for name in names.split()},
    **{f"{owner}.{name}": f"{owner}.{name}" for owner, names in METHODS.items() for name in names.split()},
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
