"""Adversarial training: the loop round `discriminator_step` and `generator_step`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import locks, replay
from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.augment import Augmentation
from scratchnet.callbacks import Callback, History, Logs
from scratchnet.devices import array_module, like, to_device, to_numpy
from scratchnet.gan.compiled import CompiledGAN
from scratchnet.gan.data import real_pictures, scale_bytes, to_range
from scratchnet.gan.pair import AdversarialMeans, PairGuard
from scratchnet.gan.steps import discriminator_step, generator_step
from scratchnet.training.data import Feed
from scratchnet.training.loop import TrainingLoop, check_free
from scratchnet.training.memory import Room

SAMPLE = 64  # real pictures that are kept for `diagnose`


class Adversarial(CompiledGAN):
    """What trains two networks against each other: fit, train_on_batch. See `scratchnet.gan.GAN`."""

    history: History | None = None
    training_loop: TrainingLoop | None = None  # where `fit` is, or where it ended
    real_sample: np.ndarray | None = None  # some real pictures, as D gets them

    def latents(self, n: int, seed: int | None = None) -> np.ndarray:
        """(n, latent_dim) normal random numbers, from the package's generator or from a seed."""
        raise NotImplementedError

    @checked
    def train_on_batch(self, x: np.ndarray) -> Logs:
        """One step of D, and every d_steps-th time one of G: `fit` does this for each batch, and nothing else.

        Args:
            x: a batch of real pictures, as for `fit`.

        Returns:
            d_loss; d_real and d_fake, the means of D's probabilities that the real and the generated pictures are
            real; and g_loss where G learnt. A loss that is NaN or infinite is returned as it is and moves no weight:
            `fit`, which keeps earlier weights to go back to, raises DivergedError instead.

        Raises:
            RuntimeError: the GAN is not compiled, or is in `fit` in another thread.
            ValueError: pictures of the wrong shape or range.
        """
        self._compiled("train_on_batch")
        check_free(self, "train_on_batch")
        real = real_pictures(x, self, "train_on_batch")
        with self._room(len(real), "train_on_batch"):
            return self._step(to_range(to_device(real, self.discriminator.device), self))  # bytes are copied as bytes

    def _room(self, batch_size: int, method: str) -> Room:
        return Room((self.generator, self.discriminator), batch_size, f"{self.full_name}: {method}")

    def _step(self, real: np.ndarray) -> Logs:
        with locks.MODELS:  # between both networks' forward and backward no other thread may use them
            return self._whole_step(real)

    def _whole_step(self, real: np.ndarray) -> Logs:
        (optimizer, loss), generator, discriminator = self._compiled("a step"), self.generator, self.discriminator
        fake = generator.forward(like(replay.fresh(lambda: self.latents(len(real))), real), training=True)
        scores = discriminator_step(discriminator, loss, optimizer.both["discriminator"], real, fake, self.tricks)
        d_real, d_fake = (replay.number(loss.probability(z).mean()) for z in (scores.real, scores.fake))
        logs = {"d_loss": scores.loss, "d_real": d_real, "d_fake": d_fake}
        replay.also(self._count_step)
        if self.steps % self.d_steps == 0 and replay.finite(scores.loss):
            logs["g_loss"] = generator_step(
                generator, discriminator, loss, optimizer.both["generator"], fake, self.tricks
            )
            if self.average is not None:
                self.average.update()
        self.tricks.step_done()
        return logs

    def _count_step(self) -> None:
        self.steps += 1

    @checked
    def fit(
        self,
        x: np.ndarray,
        batch_size: int = 64,
        epochs: int = 1,
        verbose: int | str | bool = "auto",
        callbacks: Callback | Sequence[Callback] | None = None,
        *,
        shuffle: bool = True,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        augment: Augmentation | None = None,
    ) -> History:
        """Train: for each epoch, for each batch of real pictures, what `train_on_batch` does.

        The arguments have the order of `Sequential.fit`, without the labels.

        Ctrl-C ends training after the current step; callbacks and verbose are those of `Sequential.fit`. Pictures at
        the end of an epoch that do not fill a batch are left out: BatchNormalization in D would take its statistics
        over too few. The data of a GAN on the GPU are treated as those of `Sequential.fit` are.

        Args:
            x: real pictures (N, H, W, C). uint8 from 0 to 255 is brought to G's range, -1 to 1 (0 to 1 where G ends in
                a sigmoid). Floats must be in that range already. Where G ends in neither, any range will do.
            batch_size: real pictures a step; as many are generated. There are no labels before it: a GAN learns from
                pictures alone.
            epochs: passes over the data, or over steps_per_epoch batches of it.
            verbose: 0 for silence, 1 or "auto" for a bar and a line an epoch, 2 for the line alone.
            callbacks: one or several; they see d_loss, g_loss, d_real and d_fake.
            shuffle: whether each epoch goes through the data in a new order.
            initial_epoch: the epoch to begin with, to go on with a run; `epochs` is where it ends.
            steps_per_epoch: batches an epoch, if not all.
            augment: what is done to the real pictures, such as sn.Augment(crop_padding=0) for mirroring; G learns to
                generate pictures of that kind. Changes to both real and generated ones: compile's `translation`.

        Returns:
            A History of d_loss, g_loss, d_real and d_fake, also as gan.history.

        Raises:
            RuntimeError: the GAN is not compiled, or is in `fit` in another thread.
            ValueError: pictures of the wrong shape or range, NaN among them, or a bad argument.
            TypeError: something among the callbacks that is none.
            DivergedError: a loss became NaN or infinite; the GAN then has its last weights of a finite loss again.
            MemoryError: a batch is too large for the GPU's memory; the text says which batch_size would fit.
        """
        optimizer, _ = self._compiled("fit")
        check_free(self, "fit")
        self.check_layers()
        caller = f"{self.full_name}: fit"
        x, epochs = real_pictures(x, self, "fit"), check_count(epochs, "epochs", caller)
        batch_size = min(check_count(batch_size, "batch_size", caller), len(x))
        steps = len(x) // batch_size
        if steps_per_epoch is not None and check_count(steps_per_epoch, "steps_per_epoch", caller) > steps:
            raise ValueError(
                f"{caller}: expected steps_per_epoch from 1 to {steps}, the batches that {len(x)} pictures give, got "
                f"{steps_per_epoch}."
            )
        steps = steps_per_epoch or steps
        # Evenly spaced and not the first ones: pictures may be sorted by class.
        sample = np.linspace(0, len(x) - 1, min(SAMPLE, len(x))).astype(np.int64)
        self.real_sample = to_range(x[sample], self)
        feed, means = Feed(x, None, None, self.compute_dtype, augment), AdversarialMeans()
        feed.bring(self.discriminator.device, caller)
        guard, room = PairGuard(self, optimizer), self._room(batch_size, "fit")
        parts = {"means": means, "guard": guard}
        loop = TrainingLoop(self, feed, parts, batch_size, shuffle, epochs, initial_epoch, steps)

        return loop.run(AdversarialSteps(self, feed, guard, means, room), callbacks, verbose)


class AdversarialSteps:
    """The steps of `GAN.fit`; see `scratchnet.training.recorded` for its methods.

    Args:
        gan: what learns.
        feed: real pictures.
        guard, means: what takes note of each step.
        room: says which batch would fit, where one does not.
    """

    def __init__(self, gan: Adversarial, feed: Feed, guard: PairGuard, means: AdversarialMeans, room: Room) -> None:
        self.gan, self.feed, self.guard, self.means, self.room = gan, feed, guard, means, room
        self.multiple = gan.d_steps  # so that G learns in the same steps of each group

    def one(self, index: np.ndarray, epoch: int, where: str) -> None:
        """A step by itself."""
        with self.room:
            real = self.take(index, epoch)[0]
            self.before(1)
            values = self.gan._step(real)
        self._note(values, real, where)

    def take(self, index: np.ndarray, epoch: int) -> tuple[np.ndarray]:
        """Real pictures, as D gets them."""
        batch = self.feed.take(index, epoch)[0]
        return (scale_bytes(batch, self.gan) if self.feed.x.dtype == np.uint8 else batch,)

    def train(self, real: np.ndarray) -> Logs:
        """The values of a recorded step, on the device."""
        return self.gan._step(real)

    def before(self, count: int) -> None:
        """Keep a copy of the weights now and then."""
        self.guard.before_step(count)

    def done(self, values: list[Any], batch: tuple[np.ndarray], where: Sequence[str]) -> None:
        """The values of all steps come to the CPU by one copy."""
        xp, size = array_module(batch[0]), len(batch[0]) // len(values)
        numbers = to_numpy(xp.stack([value.astype(np.float64) for step in values for value in step.values()])).tolist()
        for number, (step, place) in enumerate(zip(values, where)):
            logs = {name: numbers.pop(0) for name in step}
            self._note(logs, batch[0][number * size : (number + 1) * size], place)

    def _note(self, values: Logs, real: np.ndarray, where: str) -> None:
        self.guard.after_step(values["d_loss"] + values.get("g_loss", 0.0), real, where)
        self.means.update(values)
