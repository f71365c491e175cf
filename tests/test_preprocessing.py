"""ImageDataGenerator: Keras's arguments mean what they say, flows hold every picture once, statistics are right."""

import tracemalloc

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.augment import USES
from scratchnet.preprocessing.image import ImageDataGenerator
from scratchnet.preprocessing.statistics import EPSILON

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)
Y = np.arange(30)


def test_the_article_s_import():
    """tensorflow.keras.preprocessing.image -> scratchnet.preprocessing.image."""
    assert sn.preprocessing.image.ImageDataGenerator is ImageDataGenerator


# Standardization.


def test_without_settings_nothing_changes():
    np.testing.assert_array_equal(ImageDataGenerator()(X), X)
    np.testing.assert_array_equal(ImageDataGenerator().standardize(X), X)


@pytest.mark.parametrize("brightness", [None, (1.0, 1.0)])  # the kernel's own scale, and NumPy's
def test_featurewise(brightness):
    generator = ImageDataGenerator(
        featurewise_center=True, featurewise_std_normalization=True, rescale=1 / 255, brightness_range=brightness
    )
    generator.fit(X)
    x = X / 255
    expected = (x - x.mean((0, 1, 2))) / (x.std((0, 1, 2)) + EPSILON)
    np.testing.assert_allclose(generator(X), expected, atol=1e-5)
    np.testing.assert_allclose(generator.standardize(X), expected, atol=1e-5)
    np.testing.assert_allclose(generator.standardize(X[3]), expected[3], atol=1e-5)


def test_samplewise_each_picture_by_itself():
    generator = ImageDataGenerator(samplewise_std_normalization=True)
    axes = (1, 2, 3)
    expected = (X - X.mean(axes, keepdims=True)) / (X.std(axes, keepdims=True) + EPSILON)
    np.testing.assert_allclose(generator(X), expected, atol=1e-5)
    np.testing.assert_allclose(generator.standardize(X), expected, atol=1e-5)


def test_whitened_pixels_are_uncorrelated():
    x = RNG.normal(size=(200, 3, 3, 1)).cumsum(axis=1).cumsum(axis=2)
    generator = ImageDataGenerator(zca_whitening=True)
    generator.fit(x)
    white = generator(x, dtype=np.float64).reshape(200, 9)
    np.testing.assert_allclose(white.T @ white / 200, np.eye(9), atol=1e-4)


def test_preprocessing_function_sees_moved_pictures_that_are_not_rescaled():
    seen = []

    def function(picture):
        seen.append(picture.copy())
        return 255 - picture

    generator = ImageDataGenerator(preprocessing_function=function, rescale=0.5, horizontal_flip=True)
    y = generator(X, key=1)
    moved = ImageDataGenerator(horizontal_flip=True)(X, key=1)
    np.testing.assert_array_equal(seen, moved)
    np.testing.assert_array_equal(y, (255 - moved) / 2)


def test_fit_takes_little_memory_and_keeps_its_digits():
    x = RNG.integers(0, 256, (2000, 16, 16, 3), dtype=np.uint8)
    generator = ImageDataGenerator(featurewise_std_normalization=True, rescale=1 / 255)
    tracemalloc.start()
    generator.fit(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * x.nbytes  # all of it in float64 takes 8 times that, and its deviations as much again
    whole = x / 255
    np.testing.assert_allclose(generator.mean, whole.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(generator.std, whole.std((0, 1, 2)), rtol=1e-12)
    far = 1e8 + RNG.normal(size=(600, 4, 4, 2))  # the mean of squares would leave no digit of the deviation
    generator = ImageDataGenerator(featurewise_std_normalization=True)
    generator.fit(far)
    np.testing.assert_allclose(generator.std, far.std((0, 1, 2)), rtol=1e-6)


def test_fit_on_changed_pictures():
    generator = ImageDataGenerator(featurewise_center=True, width_shift_range=[3], fill_mode="constant")
    generator.fit(X, augment=True, rounds=4, seed=1)
    expected = X[:, :, :5].mean((0, 1, 2)) * 5 / 8  # three columns are zeros, on one side or the other
    np.testing.assert_allclose(generator.mean, expected, rtol=0.05)


def test_fit_is_missing():
    generator = ImageDataGenerator(featurewise_std_normalization=True)
    for use in (generator, generator.standardize, generator.flow):
        with pytest.raises(ValueError, match=r"Call datagen.fit\(x_train\) first"):
            use(X)


# Changes.


def transforms(count=400, **settings):
    generator = ImageDataGenerator(**settings)
    drawn = [generator.get_random_transform((10, 20, 3), seed) for seed in range(count)]
    return {name: np.array([d[name] for d in drawn]) for name in drawn[0]}


def assert_spread(values, low, high):
    """All of the range, nothing beyond."""
    assert low <= values.min() <= low + 0.05 * (high - low)
    assert high - 0.05 * (high - low) <= values.max() <= high


def test_ranges():
    drawn = transforms(
        rotation_range=30,
        width_shift_range=0.1,
        height_shift_range=0.1,
        shear_range=5,
        zoom_range=0.25,
        channel_shift_range=7.0,
        brightness_range=(0.5, 2),
        horizontal_flip=True,
    )
    assert_spread(drawn["theta"], -30, 30)
    assert_spread(drawn["tx"], -1, 1)  # rows of 10
    assert_spread(drawn["ty"], -2, 2)  # columns of 20
    assert_spread(drawn["shear"], -5, 5)
    assert_spread(drawn["zx"], 0.75, 1.25)
    assert_spread(drawn["zy"], 0.75, 1.25)
    assert abs(np.corrcoef(drawn["zx"], drawn["zy"])[0, 1]) < 0.2
    assert_spread(drawn["channel_shift_intensity"], -7, 7)
    assert_spread(drawn["brightness"], 0.5, 2)
    assert 0.4 < drawn["flip_horizontal"].mean() < 0.6
    assert not drawn["flip_vertical"].any()


def test_shift_ranges_in_pixels():
    assert set(transforms(width_shift_range=3)["ty"]) == {-2, -1, 0, 1, 2}
    assert set(transforms(height_shift_range=1)["tx"]) == {0}
    assert set(transforms(height_shift_range=[1, 4])["tx"]) == {-4, -1, 1, 4}
    assert set(transforms(height_shift_range=[0.1, 0.2])["tx"]) == {-2, -1, 1, 2}
    assert_spread(transforms(width_shift_range=2.5)["ty"], -2.5, 2.5)


def test_apply_transform_moves_recolours_and_keeps_the_range():
    generator = ImageDataGenerator(fill_mode="constant", cval=9)
    moved = generator.apply_transform(X[0], {"tx": 2, "ty": -1})
    np.testing.assert_array_equal(moved[:-2, 1:], X[0, 2:, :-1])
    assert (moved[-2:] == 9).all()
    np.testing.assert_array_equal(generator.apply_transform(X[0], {"flip_vertical": True}), X[0, ::-1])
    shifted = generator.apply_transform(X[0], {"channel_shift_intensity": 50})
    np.testing.assert_array_equal(shifted, np.clip(X[0] + 50.0, X[0].min(), X[0].max()))
    for x, top in ((X[0], 255), (X[0] / 255, 1), (X[0].astype(np.float32), 255)):
        bright = generator.apply_transform(x, {"brightness": 2.0})
        np.testing.assert_allclose(bright, np.clip(2.0 * x, 0, top), rtol=1e-6)


def test_random_transform_follows_its_seed():
    generator = ImageDataGenerator(rotation_range=30, zoom_range=0.2)
    one, two = (generator.random_transform(X[0], seed=s) for s in (1, 2))
    assert (one != two).any()
    np.testing.assert_array_equal(generator.random_transform(X[0], seed=1), one)
    np.testing.assert_array_equal(
        generator.apply_transform(X[0], generator.get_random_transform((8, 8, 3), seed=1)), one
    )
    assert generator.get_random_transform((8, 8, 3)) != generator.get_random_transform((8, 8, 3))


def test_each_change_has_its_own_random_number():
    everything = transforms(
        50,
        rotation_range=1,
        width_shift_range=0.1,
        height_shift_range=0.1,
        shear_range=1,
        zoom_range=0.1,
        channel_shift_range=1.0,
        brightness_range=(0.5, 1.5),
    )
    numbers = [v for v in everything.values() if v.dtype == np.float64]
    correlations = np.abs(np.corrcoef(numbers))[~np.eye(len(numbers), dtype=bool)]
    assert len(numbers) == 8 <= len(USES)
    assert correlations.max() < 0.6


# Flows.


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_pass_of_a_flow_holds_every_picture_once(shuffle):
    flow = ImageDataGenerator().flow(X, Y, 8, shuffle=shuffle, sample_weight=Y / 2, seed=3)
    assert len(flow) == 4
    for _ in range(2):
        batches = [next(flow) for _ in range(4)]
        assert [len(x) for x, _, _ in batches] == [8, 8, 8, 6]
        x, y, w = (np.concatenate(parts) for parts in zip(*batches))
        np.testing.assert_array_equal(x, X[y])
        np.testing.assert_array_equal(w, y / 2)
        np.testing.assert_array_equal(np.sort(y), Y)
        assert (y != Y).any() == shuffle


def test_a_flow_s_seed_repeats_order_and_changes():
    def passes(seed):
        sn.set_random_seed(0)
        flow = ImageDataGenerator(rotation_range=20).flow(X, Y, 10, seed=seed)
        return [next(flow) for _ in range(6)]

    for (x, y), (x_again, y_again), (x_other, y_other) in zip(passes(1), passes(1), passes(2)):
        np.testing.assert_array_equal(x, x_again)
        np.testing.assert_array_equal(y, y_again)
        assert (y != y_other).any()
        assert (x != x_other).any()
    first = passes(1)
    assert not any(np.array_equal(a[0], b[0]) for a, b in zip(first[:3], first[3:]))


def test_each_pass_of_a_seed_has_its_own_order():
    flow = ImageDataGenerator().flow(X, Y, 30, seed=3)
    orders = [next(flow)[1] for _ in range(3)]
    assert len({tuple(order) for order in orders}) == 3
    again = ImageDataGenerator().flow(X, Y, 30, seed=3)
    np.testing.assert_array_equal(orders, [next(again)[1] for _ in range(3)])


def test_a_flow_without_labels_and_by_number():
    flow = ImageDataGenerator().flow(X, batch_size=8, shuffle=False)
    np.testing.assert_array_equal(flow[3], X[24:])
    for number in (4, -1):
        with pytest.raises(IndexError, match=f"number of a batch from 0 to 3, got {number}"):
            flow[number]


def test_subsets():
    generator = ImageDataGenerator(validation_split=0.2)
    parts = {subset: generator.flow(X, Y, subset=subset).y for subset in ("training", "validation")}
    np.testing.assert_array_equal(parts["validation"], Y[:6])
    np.testing.assert_array_equal(parts["training"], Y[6:])
    with pytest.raises(ValueError, match=r"needs ImageDataGenerator\(validation_split=\.\.\.\)"):
        ImageDataGenerator().flow(X, Y, subset="training")
    with pytest.raises(ValueError, match="unknown subset 'test'"):
        generator.flow(X, Y, subset="test")


def test_its_identity_holds_settings_and_statistics():
    one, two = ImageDataGenerator(featurewise_center=True), ImageDataGenerator(featurewise_center=True)
    assert one.identity() == two.identity() != ImageDataGenerator().identity()
    one.fit(X)
    assert one.identity() != two.identity()
    assert "clip" in ImageDataGenerator(preprocessing_function=np.clip).identity()
