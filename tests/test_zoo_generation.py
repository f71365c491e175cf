"""The networks of the zoo: shapes, sizes that fit, and the settings they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratchnet as sn
from scratchnet import zoo


@given(start=st.integers(4, 7), doublings=st.integers(1, 3), channels=st.integers(1, 4), width=st.integers(1, 5))
def test_dcgan_of_any_size(start, doublings, channels, width):
    size = start * 2**doublings
    generator, discriminator = zoo.dcgan(size, channels, 7, width)
    assert generator.input_shape == (None, 7)
    assert generator.output_shape == discriminator.input_shape == (None, size, size, channels)
    assert discriminator.output_shape == (None, 1)
    sn.GAN(generator, discriminator, 7)


@pytest.mark.parametrize(("size", "near"), [(30, "28 or 32"), (7, "8"), (9, "8 or 10"), (100, "96 or 112"), (1, "8")])
def test_sizes_that_cannot_be_had(size, near):
    with pytest.raises(ValueError, match=f"got {size}. The nearest: {near}. Pad or cut"):
        zoo.dcgan(size)


def test_other_arguments():
    with pytest.raises(ValueError, match="width"):
        zoo.dcgan(32, width=0)
    with pytest.raises(ValueError, match="normalization"):
        zoo.dcgan(32, normalization="layer")


def test_dcgan_has_the_papers_settings():
    sn.set_random_seed(0)
    generator, discriminator = zoo.dcgan(64, 3, 100, 64)
    assert [layer.filters for layer in discriminator.layers if isinstance(layer, sn.Conv2D)] == [64, 128, 256, 512]
    assert [layer.filters for layer in generator.layers if isinstance(layer, sn.Conv2DTranspose)] == [256, 128, 64, 3]
    assert generator.output_activation == "tanh"
    assert discriminator.output_activation is None
    for model in (generator, discriminator):
        for layer in model.layers:
            if "kernel" in layer.params and layer.params["kernel"].size > 1000:
                assert abs(layer.params["kernel"].std() - 0.02) < 0.001
                if layer.params["kernel"].ndim == 4:
                    assert (layer.kernel_size, layer.strides, layer.padding) == ((4, 4), (2, 2), "same")
        behind = [b for a, b in zip(model.layers, model.layers[1:]) if getattr(a, "use_bias", True) is False]
        assert all(isinstance(layer, (sn.BatchNormalization, sn.Reshape)) for layer in behind)
    assert not isinstance(discriminator.layers[1], sn.BatchNormalization)


def test_spectral_normalization_in_place_of_batches():
    _, discriminator = zoo.dcgan(16, 1, 5, 4, normalization="spectral")
    kinds = [type(layer).__name__ for layer in discriminator.layers]
    assert kinds.count("SpectralNormalization") == 3
    assert "BatchNormalization" not in kinds
    _, discriminator = zoo.dcgan(16, 1, 5, 4, normalization="none")
    assert {type(layer).__name__ for layer in discriminator.layers} == {"Conv2D", "LeakyReLU", "Flatten", "Dense"}


def test_the_articles_networks_play():
    sn.set_random_seed(0)
    generator, discriminator = zoo.article_generator(), zoo.article_discriminator()
    noise = np.random.default_rng(0).normal(size=(2, 100)).astype(np.float32)
    pictures = generator.predict(noise)
    assert pictures.shape == (2, 32, 32, 3)
    assert np.abs(pictures).max() <= 1
    scores = discriminator.predict(pictures)
    assert scores.shape == (2, 1)
    assert ((scores > 0) & (scores < 1)).all()
    gan = sn.GAN(generator, discriminator, 100)
    gan.compile()
    x = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3)).astype(np.uint8)
    assert np.isfinite(list(gan.train_on_batch(x).values())).all()
