"""Bad input to ImageDataGenerator: the message says what came and what to do."""

import numpy as np
import pytest

from scratchnet.preprocessing.image import ImageDataGenerator

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)
Y = np.arange(30)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"data_format": "channels_first"}, r"data_format='channels_first' is not there.*x.transpose\(0, 2, 3, 1\)"),
        ({"interpolation_order": 3}, "interpolation_order=3 is not there, .* bilinearly"),
        ({"validation_split": 1.0}, "validation_split from 0 to below 1"),
        ({"zoom_range": (1.2, 0.8)}, r"zoom_range as \(lowest, highest\)"),
        ({"zoom_range": 2}, "zoom_range as"),
        ({"brightness_range": 0.5}, "brightness_range to be 2 numbers in brackets or None, got 0.5"),
        ({"rotation_range": np.inf}, "rotation_range as a finite number"),
        ({"fill_mode": "neerest"}, "Did you mean 'nearest'"),
        ({"rescale": (1, 2)}, r"rescale to be a number or None, got \(1, 2\)"),
        ({"zoom_range": "a"}, "zoom_range to be a number or 2 numbers in brackets, got 'a'"),
        ({"zoom_range": []}, r"zoom_range to be .* got \[\]"),
        ({"zoom_range": np.nan}, "zoom_range to be .* got nan"),
        ({"brightness_range": ("a", "b")}, r"brightness_range to be 2 numbers in brackets or None, got \('a', 'b'\)"),
        ({"width_shift_range": "a"}, "width_shift_range as a finite number, or a list of some, got 'a'"),
        ({"height_shift_range": []}, r"height_shift_range as a finite number, or a list of some, got \[\]"),
        ({"height_shift_range": np.nan}, "height_shift_range as a finite number"),
        ({"rotation_range": "a"}, "rotation_range to be a number, got 'a'"),
        ({"validation_split": "a"}, "validation_split to be a number, got 'a'"),
        ({"dtype": "uint8"}, "dtype float32 or float64, got 'uint8'"),
        ({"value_range": (1, 0)}, r"value_range as \(black, white\), got \(1, 0\)"),
    ],
)
def test_bad_settings(settings, match):
    with pytest.raises(ValueError, match=match):
        ImageDataGenerator(**settings)


def test_what_is_no_function():
    with pytest.raises(TypeError, match="preprocessing_function to be a function or None, got 3"):
        ImageDataGenerator(preprocessing_function=3)


def test_bad_pictures_and_labels():
    generator = ImageDataGenerator()
    with pytest.raises(ValueError, match=r"pictures of shape \(N, H, W, C\), got \(30, 8, 8\). Grey"):
        generator.flow(X[..., 0], Y)
    with pytest.raises(ValueError, match="a label for each of 30 pictures, got 29"):
        generator.flow(X, Y[1:])
    with pytest.raises(ValueError, match="batch_size to be a whole number of at least 1, got 0"):
        generator.flow(X, Y, 0)
    with pytest.raises(ValueError, match="flow: expected seed"):
        generator.flow(X, Y, seed=-3)


def test_what_goes_wrong_later_is_said_in_words():
    with pytest.raises(ValueError, match="rounds to be a whole number of at least 1, got 0"):
        ImageDataGenerator(featurewise_center=True).fit(X, augment=True, rounds=0)
    for function, came in ((lambda p: None, "returned None"), (lambda p: p[:4], r"returned shape \(4, 8, 3\)")):
        with pytest.raises(ValueError, match=rf"return a picture of shape \(8, 8, 3\), .*{came}"):
            ImageDataGenerator(preprocessing_function=function)(X)
    generator = ImageDataGenerator(featurewise_center=True)
    generator.fit(X)
    for use in (generator, generator.standardize):
        with pytest.raises(ValueError, match="the mean is of 3 channels, the pictures have 2"):
            use(X[..., :2])
    with pytest.raises(ValueError, match=r"unknown parameter of apply_transform 'thet'. Did you mean 'theta'"):
        generator.apply_transform(X[0], {"thet": 3})


def test_keras_s_other_arguments_of_flow():
    generator = ImageDataGenerator()
    generator.flow(X, Y, save_to_dir=None, save_prefix="", save_format="png", ignore_class_split=False)
    with pytest.raises(ValueError, match=r"save_to_dir='here' is not there, .* Write pictures"):
        generator.flow(X, Y, save_to_dir="here")
    with pytest.raises(ValueError, match="ignore_class_split=True is not there"):
        generator.flow(X, Y, ignore_class_split=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'sufle'"):
        generator.flow(X, Y, sufle=True)


@pytest.mark.parametrize("subset", ["training", "validation"])
def test_a_subset_hides_no_wrong_length(subset):
    generator = ImageDataGenerator(validation_split=0.2)
    for wrong in (Y[:-1], np.arange(31)):
        with pytest.raises(ValueError, match=f"a label for each of 30 pictures, got {len(wrong)}"):
            generator.flow(X, wrong, subset=subset)
        with pytest.raises(ValueError, match=f"a weight for each of 30 pictures, got {len(wrong)}"):
            generator.flow(X, Y, sample_weight=wrong, subset=subset)
