"""GAN: a generator and a discriminator as one model, that is trained, saved and asked for pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet import locks, placement, random, saving
from scratchnet.annotations import checked
from scratchnet.arguments import check_count, shape_text
from scratchnet.averaging import MovingAverage
from scratchnet.config import Configurable
from scratchnet.devices import Device, as_array, to_numpy
from scratchnet.gan.steps import ends_in_sigmoid
from scratchnet.gan.training import Adversarial
from scratchnet.layers.sharing import check_places
from scratchnet.models import Model
from scratchnet.saving import PathLike
from scratchnet.training.loop import check_not_training

ROLES = ("generator", "discriminator")
RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}


def _with_prefix(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{role}/{name}": value for role, part in parts.items() for name, value in part.items()}


def _of(role: str, values: Mapping[str, Any]) -> dict[str, Any]:
    start = f"{role}/"
    return {name[len(start) :]: value for name, value in values.items() if name.startswith(start)}


class GAN(Adversarial, Configurable):
    """Two networks that learn against each other: G turns noise into pictures, D tells them from real ones.

        gan = sn.GAN(generator, discriminator, latent_dim=100)
        gan.compile()
        gan.fit(x, batch_size=64, epochs=20)
        pictures = gan.generate(16, seed=0)

    G goes from (N, latent_dim) to a batch of D's input shape; D goes from there to one score a picture (or one for
    each part of it, (N, H, W, 1)), large for "real". A sigmoid at D's end is allowed; losses leave it out.

    Args:
        generator, discriminator: models of one input and one output; they are built, if they are not yet.
        latent_dim: how many normal random numbers a picture is made from.
        average: momentum of a moving average of G's weights and normalization statistics, such as 0.999, whose
            pictures are steadier than G's own; `generate` then uses it. None for no average.
        name: of the model.

    Attributes:
        params, state: of both networks by name, "generator/0_dense/kernel", ...; the average is part of the state.

    Raises:
        ValueError: G does not take latent_dim numbers, its pictures do not fit D, D gives no scores, a layer object is
            in both, or a bad argument.
        TypeError: a generator or discriminator that is no model.

    Source: Goodfellow et al., arXiv 1406.2661; `gan/compiled.py` says what its own networks and settings were.
    """

    built = True

    def __init__(
        self, generator: Any, discriminator: Any, latent_dim: int, average: float | None = None, name: str = "gan"
    ):
        self.name = name
        self.latent_dim = check_count(latent_dim, "latent_dim", self.full_name)
        for role, network in zip(ROLES, (generator, discriminator)):
            if not isinstance(network, Model):
                raise TypeError(
                    f"{self.full_name}: expected a model as {role}, got {network!r} of type {type(network).__name__}. "
                    "Layers become one by sn.Sequential([...])."
                )
            if isinstance(network.input_shape, list) or isinstance(network.output_shape, list):
                raise ValueError(
                    f"{self.full_name}: expected a {role} of one input and one output, got {network!r}. With several, "
                    "as for labels, write the two steps by hand: model.forward, loss.value_and_gradient, backward."
                )
        if generator is discriminator:
            raise ValueError(f"{self.full_name}: generator and discriminator are the same model.")
        self.generator, self.discriminator = generator, discriminator
        self.check_layers()
        self.compute_dtype = generator.compute_dtype
        if discriminator.compute_dtype != self.compute_dtype:
            raise ValueError(
                f"{self.full_name}: the generator computes in {self.compute_dtype}, the discriminator in "
                f"{discriminator.compute_dtype}. Make both with the same dtype."
            )
        self._build()
        self.input_shape = (None, self.latent_dim)
        self.average = None if average is None else MovingAverage(generator, average)

    def check_layers(self) -> None:
        """Raise a ValueError where both networks, or two places of one, hold the same layer object."""
        check_places(self.full_name, [(role, getattr(self, role)) for role in ROLES], apart=True)

    def _build(self) -> None:
        generator, discriminator = self.generator, self.discriminator
        if not generator.built:
            generator.astype(self.compute_dtype)
            generator.build((None, self.latent_dim))
        if generator.input_shape[1:] != (self.latent_dim,):
            raise ValueError(
                f"{self.full_name}: expected a generator for inputs of shape (N, {self.latent_dim}), as latent_dim="
                f"{self.latent_dim} has it, got one for {shape_text(generator.input_shape)}."
            )
        if not discriminator.built:
            discriminator.astype(self.compute_dtype)
            with placement.use(generator.device):
                discriminator.build(generator.output_shape)
        if discriminator.input_shape[1:] != generator.output_shape[1:]:
            raise ValueError(
                f"{self.full_name}: the generator makes {shape_text(generator.output_shape)}, and the discriminator "
                f"takes {shape_text(discriminator.input_shape)}. They must be the same; compare the two summary()."
            )
        if discriminator.output_shape[-1] != 1:
            raise ValueError(
                f"{self.full_name}: expected a discriminator that gives one score a picture, (N, 1), got "
                f"{shape_text(discriminator.output_shape)}. End it in Dense(1)."
            )
        if discriminator.device is not generator.device:
            raise ValueError(
                f"{self.full_name}: the generator is on {generator.device.name!r}, the discriminator on "
                f"{discriminator.device.name!r}. Bring one to the other: discriminator.to({generator.device.name!r})."
            )
        ends_in_sigmoid(discriminator)  # raises where D ends in an activation that the losses cannot leave out

    @property
    def full_name(self) -> str:
        """How errors name this model."""
        return f"{type(self).__name__} {self.name!r}"

    def __repr__(self) -> str:
        return f"<{self.full_name}, {self.latent_dim} numbers -> {shape_text(self.generator.output_shape)}>"

    @property
    def picture_range(self) -> tuple[float, float] | None:
        """(black, white) of G's pictures: (-1, 1) after a tanh, (0, 1) after a sigmoid; None without such a limit.

        Layers after the activation that only move numbers, such as Reshape, keep the range.
        """
        return RANGES.get(self.generator.last_activation)

    # Weights: the methods that saving, checkpoints and the guard call on every model.

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The trained weights of both."""
        return _with_prefix({role: getattr(self, role).params for role in ROLES})

    @property
    def state(self) -> dict[str, np.ndarray]:
        """What is saved and not trained: normalization statistics, and the average of G."""
        own = _with_prefix({role: getattr(self, role).state for role in ROLES})
        return own if self.average is None else {**own, **_with_prefix({"average": self.average.average})}

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Nothing: a GAN is built when it is made."""

    @checked
    def astype(self, dtype: Any) -> None:
        """Turn all weights into float32 or float64."""
        for role in ROLES:
            getattr(self, role).astype(dtype)
        if self.average is not None:
            self.average.average = {name: array.astype(dtype) for name, array in self.average.average.items()}

    @property
    def device(self) -> Device:
        """Where both networks are."""
        return self.generator.device

    @checked
    def to(self, device: str) -> GAN:
        """Bring both networks, their optimizers and the average to a device, as `Sequential.to` does; returns itself.

        Raises:
            ValueError, GPUNotAvailable, RuntimeError, MemoryError: as there.
        """
        there, before = placement.chosen(device), self.device
        with locks.MODELS:
            check_not_training(self, "to")
            try:
                self._bring(there)
            except MemoryError as error:
                self._bring(before)  # all or nothing
                raise MemoryError(f"{self.full_name}: to: {error}") from error
        return self

    def _bring(self, device: Device) -> None:
        for part in (self.generator, self.discriminator, self.average, self.optimizer):
            if part is not None:
                part.bring(device)

    def get_weights(self) -> list[np.ndarray]:
        """NumPy copies of all weights: those of G, of D, and the average of G."""
        return [np.array(to_numpy(array)) for array in {**self.params, **self.state}.values()]

    @checked
    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Take over weights in the order of `get_weights`.

        Raises:
            ValueError: the number of arrays or one of their shapes is wrong; then no weight is changed.
        """
        names = list({**self.params, **self.state})
        if len(names) != len(weights):
            raise ValueError(f"{self.full_name}: expected weights as {len(names)} arrays, got {len(weights)}.")
        saving.set_weights(self, dict(zip(names, map(as_array, weights))), f"{self.full_name}: set_weights")

    def get_counters(self) -> dict[str, int]:
        """Whole numbers beside the weights: those of the layers, and how often the average was updated."""
        own = _with_prefix({role: getattr(self, role).get_counters() for role in ROLES})
        return own if self.average is None else {**own, "average/updates": self.average.updates}

    def set_counters(self, counters: Mapping[str, int]) -> None:
        """Take over what `get_counters` gave."""
        for role in ROLES:
            getattr(self, role).set_counters(_of(role, counters))
        if self.average is not None:
            self.average.updates = counters["average/updates"]

    def count_params(self) -> int:
        """Numbers in the weights of both networks."""
        return self.generator.count_params() + self.discriminator.count_params()

    # Pictures.

    @checked
    def latents(self, n: int, seed: int | None = None) -> np.ndarray:
        """(n, latent_dim) normal random numbers, what G makes n pictures from; the same for the same seed.

        Without a seed they come from the package's generator, see `sn.set_random_seed`.
        """
        rng = (
            random.generator()
            if seed is None
            else np.random.default_rng(check_count(seed, "seed", self.full_name, 0, None))
        )
        return rng.standard_normal((check_count(n, "n", self.full_name), self.latent_dim), dtype=self.compute_dtype)

    @checked
    def generate(self, n: int = 16, seed: int | None = None, batch_size: int = 256) -> np.ndarray:
        """n new pictures, (n, H, W, C), in the range that G gives them, see `picture_range`.

        They are those of the averaged G, where the GAN has one. The same seed gives the same latents. Many threads may
        ask at once, also while another one is in `fit`; a run goes on as without them, where they give a seed.
        """
        return self.decode(self.latents(n, seed), batch_size)

    @checked
    def decode(self, z: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """G's pictures for latents z (N, latent_dim), by the averaged G where there is one, without training.

        Raises:
            ValueError: z has another shape.
        """
        z = as_array(z, self.compute_dtype)
        if z.ndim != 2 or z.shape[1] != self.latent_dim or len(z) == 0:
            raise ValueError(f"{self.full_name}: expected z, latents of shape (N, {self.latent_dim}), got {z.shape}.")
        with locks.MODELS:  # all pictures by the same weights
            generator = self.generator if self.average is None else self.average.copied_model()
            return generator.predict(z, batch_size)

    # Files.

    @checked
    def save(self, filepath: PathLike) -> None:
        """Write both networks, the average, and where the GAN is compiled both optimizers; `sn.load_model` reads it.

        Raises:
            TypeError: a layer was made with an argument that JSON cannot hold.
            OSError: the folder or the disk does not let us.
        """
        saving.save_model(self, filepath)

    @checked
    def save_weights(self, filepath: PathLike) -> None:
        """Write the weights alone, of both networks and the average."""
        saving.save_weights(self, filepath)

    @checked
    def load_weights(self, filepath: PathLike) -> None:
        """Take over the weights from a file of `save_weights` or `save`. Errors as for Sequential.load_weights."""
        saving.load_weights(self, filepath)

    def summary(self) -> None:
        """Print both networks' tables."""
        for role in ROLES:
            getattr(self, role).summary()


def check_gan(model: Any, caller: str) -> None:
    """Raise a TypeError for a model that is no GAN; `caller` is the callback that is for nothing else."""
    if not isinstance(model, GAN):
        raise TypeError(f"{caller}: expected a GAN, got {type(model).__name__}. This callback is for sn.GAN's fit.")
