"""Where networks are built, and how they are brought from one device to another: `sn.device` and `to`.

The stand-in device (`stand_in.py`) is known as the GPU here.
"""

import asyncio
import copy
import re
import threading

import numpy as np
import pytest
import stand_in
from every_layer import EVERY
from on_both import LABELS, PICTURES, ROWS, SEED, assert_same, assert_same_weights, classifier, fit, twice
from stand_in import Array, put
from test_device_gan import REAL, networks

import scratchnet as sn
from scratchnet import devices, kernels, placement
from scratchnet.averaging import MovingAverage

pytestmark = pytest.mark.usefixtures("gpu")


def on_gpu(model):
    """Whether all its arrays are there."""
    return all(isinstance(a, Array) for part in (model.params, model.grads, model.state) for a in part.values())


def on_cpu(model):
    return all(isinstance(a, np.ndarray) for part in (model.params, model.grads, model.state) for a in part.values())


# The context.


def test_a_network_is_built_on_the_device_of_the_context():
    with sn.device("gpu") as chosen:
        inside = classifier((8, 8, 2))
    outside = classifier((8, 8, 2))
    assert chosen.name == inside.device.name == "gpu"
    assert on_gpu(inside)
    assert outside.device is kernels.CPU
    assert on_cpu(outside)


def test_first_weights_are_the_same_on_every_device():
    made = []
    for name in ("gpu", "cpu"):
        sn.set_random_seed(SEED)
        with sn.device(name):
            made.append(classifier((8, 8, 2)))
    assert_same_weights(*made)


@pytest.mark.parametrize(
    "first_input",
    [
        lambda model: model.fit(PICTURES, LABELS, verbose=0),
        lambda model: model.predict(PICTURES),
        lambda model: model.evaluate(PICTURES, LABELS, verbose=0),
        lambda model: model.train_on_batch(PICTURES, LABELS),
        lambda model: model.forward(PICTURES),
        lambda model: model.forward(put(PICTURES)),
        lambda model: model.build((None, 8, 8, 2)),
    ],
)
def test_a_network_without_input_shape_is_built_there_at_its_first_input(first_input):
    model = classifier()
    with sn.device("gpu"):
        first_input(model)
    assert model.built
    assert on_gpu(model)


@pytest.mark.parametrize("name", EVERY)
def test_every_layer_in_the_context(name):
    """By hand, with NumPy's arrays: they are brought to the device, and what comes out stays there."""
    make, shape = EVERY[name]
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    found = []
    for device in ("cpu", "gpu"):
        sn.set_random_seed(SEED)
        layer = make()
        with sn.device(device):
            layer.forward(x, training=True)  # builds
            y = layer.forward(x, training=True)
            found.append((layer, y, layer.backward(devices.to_numpy(y))))
    (cpus, *results), (ours, *own) = found
    for some, others in zip(own, results):
        assert_same(some, others)
    assert_same_weights(ours, cpus)


def test_what_is_there_already_stays_where_it_is():
    model = classifier((8, 8, 2))
    with sn.device("gpu"):
        assert isinstance(model.forward(PICTURES), np.ndarray)
        model.fit(PICTURES, LABELS, verbose=0)
        model.add(sn.Dense(2))  # and the rest of a network is where its weights are
    assert on_cpu(model)
    with sn.device("gpu"):
        wider = sn.Sequential([model, sn.Dense(4)])
        wider.build((None, 8, 8, 2))
    assert on_cpu(wider)


def test_spectral_normalization_of_a_layer_that_is_built():
    inner = sn.Dense(3)
    inner.build((None, 5))
    with sn.device("gpu"):
        layer = sn.SpectralNormalization(inner)
        layer.build((None, 5))
    assert on_cpu(layer)


def test_an_input_elsewhere_is_refused_before_anything_is_made():
    model = sn.Sequential([sn.Dense(3)], name="model").to("gpu")
    with pytest.raises(TypeError, match=r"Sequential 'model': expected x on 'gpu'.*got an array on 'cpu'.*Bring"):
        model.forward(ROWS)
    assert not model.built
    with sn.device("cpu"), pytest.raises(TypeError, match="expected x on 'gpu'"):
        model.forward(ROWS)


def test_contexts_in_contexts():
    with sn.device("gpu"):
        with sn.device("cpu") as inner:
            assert inner.name == "cpu"
            assert on_cpu(classifier((8, 8, 2)))
        assert on_gpu(classifier((8, 8, 2)))
        with pytest.raises(KeyError), sn.device("cpu"):
            raise KeyError
        assert placement.current().name == "gpu"
    assert placement.current() is None


def test_a_context_holds_for_one_thread():
    found = {}

    def work(name, meet):
        with sn.device(name) if name else sn.device("gpu"):
            meet.wait(10)
            found[name] = placement.current().name
            meet.wait(10)

    meet = threading.Barrier(3)
    with sn.device("gpu"):
        threads = [threading.Thread(target=work, args=(name, meet)) for name in ("cpu", "gpu")]
        for thread in threads:
            thread.start()
        meet.wait(10)
        meet.wait(10)
        for thread in threads:
            thread.join()
        assert placement.current().name == "gpu"
    assert found == {"cpu": "cpu", "gpu": "gpu"}
    with sn.device("gpu"):
        other = threading.Thread(target=lambda: found.update(fresh=placement.current()))
        other.start()
        other.join()
    assert found["fresh"] is None


def test_a_context_holds_for_one_task():
    async def work(name):
        with sn.device(name):
            await asyncio.sleep(0)
            return placement.current().name

    async def both():
        return await asyncio.gather(work("gpu"), work("cpu"))

    assert asyncio.run(both()) == ["gpu", "cpu"]


def test_auto_takes_the_gpu_where_there_is_one(capsys):
    with sn.device("auto") as chosen:
        assert chosen.name == "gpu"
    assert sn.Dense(3).to("auto").device.name == "gpu"
    assert capsys.readouterr() == ("", "")


def test_auto_takes_the_cpu_where_there_is_none(monkeypatch, capsys):
    devices.unregister("gpu")
    monkeypatch.setitem(devices._later, "gpu", ("cupy", no_gpu))
    with sn.device("auto") as chosen:
        assert chosen.name == "cpu"
        assert on_cpu(classifier((8, 8, 2)))
    assert capsys.readouterr() == ("", "")
    for ask in (lambda: sn.device("gpu"), lambda: sn.Dense(3).to("gpu")):
        with pytest.raises(sn.GPUNotAvailable, match="no driver here"):
            ask()


def no_gpu():
    raise sn.GPUNotAvailable("the GPU cannot be used: no driver here.")


@pytest.mark.parametrize("ask", [sn.device, lambda name: sn.Dense(3).to(name), lambda name: classifier().to(name)])
def test_a_device_that_is_not_there(ask):
    with pytest.raises(
        ValueError, match=re.escape("unknown device 'gpu_7'. Did you mean 'gpu'? Known: auto, cpu, gpu")
    ):
        ask("gpu_7")
    for name in ("cuda", "cuda:1", "GPU:0"):  # PyTorch's and Keras's
        with pytest.raises(ValueError, match=rf"unknown device '{name}'. Did you mean 'gpu'\? .*CUDA_VISIBLE_DEVICES"):
            ask(name)
    with pytest.raises((TypeError, ValueError), match=r"expected device.* got 7"):
        ask(7)


# to.


@pytest.mark.parametrize("name", EVERY)
def test_every_layer_goes_there_and_back(name):
    make, shape = EVERY[name]
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    ours, cpus = twice(make, x, training=True)
    for device, on in (("cpu", np.array), ("gpu", put), ("gpu", put), ("cpu", np.array)):
        assert ours.to(device) is ours
        assert ours.device.name == device
        for training in (True, False):
            y, expected = ours.forward(on(x), training=training), cpus.forward(x, training=training)
            dx, expected_dx = ours.backward(on(expected)), cpus.backward(expected)
            for array, other in ((y, expected), (dx, expected_dx)):
                assert type(array) is (Array if device == "gpu" else np.ndarray)
                np.testing.assert_array_equal(devices.to_numpy(array), other)
        assert (on_gpu if device == "gpu" else on_cpu)(ours)
    for part in ("params", "grads", "state"):
        for array, other in zip(getattr(ours, part).values(), getattr(cpus, part).values()):
            np.testing.assert_array_equal(array, other)


def test_a_backward_does_not_follow_a_forward_on_another_device():
    layer = sn.Dense(3, name="dense")
    y = layer.forward(ROWS)
    layer.to("gpu")
    with pytest.raises(RuntimeError, match="Dense 'dense': backward before forward"):
        layer.backward(put(y))


@pytest.mark.parametrize("make", [lambda: sn.Dense(3), lambda: classifier(), lambda: sn.Parallel([sn.Dense(3), []])])
def test_what_is_not_built_yet_is_built_where_it_was_sent(make):
    layer = make().to("gpu")
    layer.build((None, 8, 8, 2) if isinstance(layer, sn.Sequential) else (None, 3))
    assert on_gpu(layer)
    assert layer.device.name == "gpu"


def test_fit_builds_where_the_model_was_sent():
    model = classifier().to("gpu")
    model.fit(PICTURES, LABELS, verbose=0)
    assert on_gpu(model)
    other = classifier().to("gpu").to("cpu")
    other.fit(PICTURES, LABELS, verbose=0)
    assert on_cpu(other)


def test_the_optimizer_goes_with_its_model():
    """Half of the training on the CPU, half on the device: the numbers of a training on one."""
    ours, cpus = twice(lambda: classifier((8, 8, 2)))
    for model in (ours, cpus):
        first = fit(model, PICTURES, LABELS)
    ours.to("gpu")
    memory = [a for known in ours.optimizer.state.values() for a in known.values()]
    assert memory
    assert all(isinstance(array, Array) for array in memory)
    assert fit(ours, PICTURES, LABELS) == fit(cpus, PICTURES, LABELS) != first
    assert_same_weights(ours, cpus)


def test_a_copy_is_where_its_model_is():
    model = classifier((8, 8, 2)).to("gpu")
    assert on_gpu(copy.deepcopy(model))


def test_a_model_is_not_moved_while_it_is_in_fit():
    class Mover(sn.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.to("gpu")

    model = classifier((8, 8, 2))
    with pytest.raises(RuntimeError, match=r"Sequential 'model': to while it is in fit.*before or after"):
        model.fit(PICTURES, LABELS, callbacks=Mover(), verbose=0)
    assert on_cpu(model)
    assert on_gpu(model.to("gpu"))


@pytest.mark.parametrize("make", [lambda: classifier((8, 8, 2)), lambda: gan_of()])
def test_weights_that_do_not_fit_stay_where_they_are(make, monkeypatch):
    model, calls = make(), []

    def full(x, dtype=None):
        calls.append(x)
        if len(calls) > 9:
            raise MemoryError
        return put(x, dtype)

    monkeypatch.setattr(stand_in.module, "asarray", full)
    said = rf"{model.name}': to: out of memory on 'gpu': asked for 0.0 MB, free are 1,000.0 MB."
    with pytest.raises(MemoryError, match=said):
        model.to("gpu")
    for part in gan_networks(model) if isinstance(model, sn.GAN) else [model]:
        assert on_cpu(part)
    assert model.device.name == "cpu"
    model.get_weights()


def test_a_loaded_model_is_where_the_context_says(tmp_path):
    model = classifier((8, 8, 2))
    model.fit(PICTURES, LABELS, verbose=0)
    model.save(tmp_path / "model")
    with sn.device("gpu"):
        loaded = sn.load_model(tmp_path / "model")
    assert on_gpu(loaded)
    assert all(isinstance(a, Array) for known in loaded.optimizer.state.values() for a in known.values())
    np.testing.assert_array_equal(loaded.predict(PICTURES), model.predict(PICTURES))


def test_an_average_follows():
    ours, cpus = twice(lambda: classifier((8, 8, 2)))
    averages = [MovingAverage(model, 0.5) for model in (ours, cpus)]
    ours.to("gpu")
    for model, average in zip((ours, cpus), averages):
        model.train_on_batch(PICTURES, LABELS)
        average.update()
        average.swap()
    assert_same_weights(ours, cpus)


# GANs.


def gan_of(**options):
    sn.set_random_seed(SEED)
    gan = sn.GAN(*networks(), latent_dim=5, average=0.9)
    gan.compile(instance_noise=0.1, translation=1, **options)
    return gan


def gan_networks(gan):
    return gan.generator, gan.discriminator


def test_a_gan_is_built_in_the_context():
    cpus = gan_of()
    with sn.device("gpu"):
        ours = gan_of()
    assert ours.device.name == "gpu"
    assert all(map(on_gpu, gan_networks(ours)))
    assert all(isinstance(array, Array) for array in ours.average.average.values())
    train(ours, cpus)


def train(ours, cpus):
    histories = []
    for gan in (ours, cpus):
        sn.set_random_seed(SEED)
        histories.append(gan.fit(REAL, epochs=2, batch_size=8, verbose=0).history)
    assert histories[0] == histories[1]
    assert all(type(value) is float for values in histories[0].values() for value in values)
    for some, others in zip(gan_networks(ours), gan_networks(cpus)):
        assert_same_weights(some, others)
    pictures = ours.generate(5, seed=1)
    assert isinstance(pictures, np.ndarray)
    np.testing.assert_array_equal(pictures, cpus.generate(5, seed=1))


def test_a_gan_goes_there_and_back():
    ours, cpus = gan_of(), gan_of()
    for gan in (ours, cpus):
        sn.set_random_seed(SEED)
        gan.fit(REAL, epochs=1, batch_size=8, verbose=0)
    assert ours.to("gpu") is ours
    assert all(map(on_gpu, gan_networks(ours)))
    assert all(isinstance(array, Array) for array in ours.average.average.values())
    for optimizer in ours.optimizer.both.values():
        assert all(isinstance(a, Array) for known in optimizer.state.values() for a in known.values())
    train(ours, cpus)
    assert all(isinstance(array, np.ndarray) for array in ours.get_weights())
    ours.set_weights(ours.get_weights())
    ours.to("cpu")
    assert all(map(on_cpu, gan_networks(ours)))
    np.testing.assert_array_equal(ours.generate(5, seed=1), cpus.generate(5, seed=1))


def test_networks_of_a_gan_are_in_one_place():
    generator, discriminator = networks()
    generator.build((None, 5))
    with sn.device("gpu"):
        gan = sn.GAN(generator, discriminator, latent_dim=5)
    assert on_cpu(gan.discriminator)
    generator, discriminator = networks()
    generator.build((None, 5))
    discriminator.to("gpu").build((None, 8, 8, 2))
    with pytest.raises(
        ValueError, match=r"generator is on 'cpu', the discriminator on 'gpu'.*discriminator.to\('cpu'\)"
    ):
        sn.GAN(generator, discriminator, latent_dim=5)


def test_a_gan_is_not_moved_while_it_is_in_fit():
    class Mover(sn.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.to("gpu")

    gan = gan_of()
    with pytest.raises(RuntimeError, match="GAN 'gan': to while it is in fit"):
        gan.fit(REAL, callbacks=Mover(), verbose=0)
    assert all(map(on_cpu, gan_networks(gan)))
