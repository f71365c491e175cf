"""The networks that PyTorch is measured with are those of the zoo, layer by layer; read without PyTorch."""

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest
import stand_in_torch

import scratchnet as sn
from scratchnet import zoo
from scratchnet.bench import ours
from scratchnet.bench.shapes import NETWORKS, network
from scratchnet.recipes.generation import RECIPES, torch_settings

PACKAGE = Path(sn.__file__).parent


@pytest.fixture
def load(monkeypatch):
    """Runs a file of the package on the stand-in for PyTorch, as a Python without scratchnet does."""

    def run(name):
        stand_in_torch.install(monkeypatch)
        monkeypatch.syspath_prepend(str((PACKAGE / name).parent))
        for sibling in ("shapes", "with_torch", "torch_dcgan"):
            monkeypatch.delitem(sys.modules, sibling, raising=False)
        spec = importlib.util.spec_from_file_location("under_test", PACKAGE / name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules.pop("shapes", None)
        return module

    return run


def sizes(model):
    """[(output shape, parameters)] of all layers that have parameters, as the stand-in gives it."""
    return [
        (layer.output_shape[1:], sum(array.size for array in layer.params.values()))
        for layer in model.layers
        if layer.params
    ]


def count(model):
    return sum(parameters for _, parameters in sizes(model))


def test_the_classifier_of_the_bench(load):
    theirs = load("bench/with_torch.py").article_cnn()
    assert theirs.sizes((3, 32, 32)) == sizes(zoo.article_cnn())
    assert count(zoo.article_cnn()) == 315_722


def test_the_dcgan_of_the_bench(load):
    generator, discriminator = load("bench/with_torch.py").dcgan()
    our_generator, our_discriminator = ours.dcgan()
    assert generator.sizes((100,)) == sizes(our_generator)
    assert discriminator.sizes((3, 32, 32)) == sizes(our_discriminator)
    # What README.md's times were measured on. They compare with other numbers only while this stays.
    assert (count(our_generator), count(our_discriminator)) == (1_329_475, 374_913)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_dcgan_of_the_recipes(load, name, channels):
    settings = torch_settings(RECIPES[name], seed=0, epochs=1, count=1)
    size, latent_dim, width = 32, settings["latent_dim"], settings["width"]
    generator, discriminator = load("recipes/torch_dcgan.py").networks(size, channels, latent_dim, width)
    our_generator, our_discriminator = zoo.dcgan(size, channels, latent_dim, width)
    assert generator.sizes((latent_dim,)) == sizes(our_generator)
    assert discriminator.sizes((channels, size, size)) == sizes(our_discriminator)


def test_another_network_is_noticed(load):
    _, discriminator = load("bench/with_torch.py").dcgan()
    assert discriminator.sizes((3, 32, 32)) != sizes(zoo.dcgan()[1])


TRAINED = {  # the numbers of the papers and of keras.applications, without moving averages
    "alexnet": 60_965_224,
    "densenet_40": 1_019_722,
    "densenet_121": 7_978_856,
    "efficientnet_b0": 5_288_548,
    "inception_v3": 23_817_352 + 17_216,  # PyTorch's normalizations have factors
    "resnet_20": 272_474,
    "resnet_50": 25_583_592,
    "se_resnet_50": 28_114_584,
}


@pytest.mark.parametrize("task", NETWORKS)
def test_the_references_networks(monkeypatch, task):
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(PACKAGE / "bench"))
    name, _, _, size = network(task)
    model = getattr(importlib.import_module("torch_networks"), name)()
    assert sum(parameter.numel() for parameter in model.parameters()) == TRAINED[name]
    with torch.inference_mode():
        assert model.eval()(torch.zeros(1, 3, size, size)).shape == (1, 10 if size == 32 else 1000)
