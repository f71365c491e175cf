"""Adversarial training: the loop round `discriminator_step` and `generator_step`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchnet import optimizers
from scratchnet.annotations import checked
from scratchnet.arguments import check_count, shape_text
from scratchnet.augment import Augmentation
from scratchnet.averaging import MovingAverage
from scratchnet.callbacks import Callback, History, Logs
from scratchnet.config import describe, make
from scratchnet.device import like, to_device
from scratchnet.gan import losses
from scratchnet.gan.data import real_pictures, scale_bytes, to_range
from scratchnet.gan.losses import AdversarialLoss
from scratchnet.gan.pair import AdversarialMeans, OptimizerPair, PairGuard
from scratchnet.gan.steps import discriminator_step, generator_step
from scratchnet.gan.tricks import Tricks
from scratchnet.optimizers import Adam, Optimizer
from scratchnet.saving import model_state, set_model_state
from scratchnet.training.data import Feed
from scratchnet.training.loop import TrainingLoop

SAMPLE = 64  # real pictures that are kept for `diagnose`


class Compiled(NamedTuple):
    """What `compile` chose, all of it set."""

    optimizer: OptimizerPair
    loss: AdversarialLoss


class Adversarial:
    """What trains two networks against each other: compile, fit, train_on_batch. See `scratchnet.gan.GAN`."""

    generator: Any  # both are built models, see `GAN`
    discriminator: Any
    average: MovingAverage | None
    compute_dtype: np.dtype
    optimizer: OptimizerPair | None = None
    loss: AdversarialLoss | None = None
    tricks: Tricks
    options: Mapping[str, Any]  # of the tricks, as compile got them
    history: History | None = None
    training_loop: TrainingLoop | None = None  # where `fit` is, or where it ended
    stop_training = False  # a callback may set it; `fit` then ends after the epoch
    real_sample: np.ndarray | None = None  # some real pictures, as D gets them
    d_steps = 1
    steps = 0  # of D since compile

    @property
    def full_name(self) -> str:
        """How errors name this model."""
        raise NotImplementedError

    def latents(self, n: int, seed: int | None = None) -> np.ndarray:
        """(n, latent_dim) normal random numbers, from the package's generator or from a seed."""
        raise NotImplementedError

    @checked
    def compile(
        self,
        generator_optimizer: str | Optimizer | None = None,
        discriminator_optimizer: str | Optimizer | None = None,
        loss: str | AdversarialLoss = "non_saturating",
        real_label: float | None = None,
        d_steps: int = 1,
        instance_noise: float = 0.0,
        noise_steps: int = 1000,
        translation: int = 0,
    ) -> None:
        """Choose how both learn.

        Args:
            generator_optimizer, discriminator_optimizer: names or objects, one for each network; None for the DCGAN
                paper's Adam(2e-4, beta_1=0.5). A faster D (4e-4 to 1e-4 of G) often helps.
            loss: "non_saturating", "minimax", "least_squares", "hinge", or an object of `sn.gan.losses`.
            real_label: the label of real pictures in D's loss, if not 1; 0.9 is one-sided label smoothing.
            d_steps: steps of D for each step of G.
            instance_noise: standard deviation of the noise on all pictures that D sees; it falls linearly to 0.
            noise_steps: steps of D until it is 0.
            translation: the most pixels by which every picture that D sees, real or generated, is moved.

        Raises:
            ValueError: an unknown name, one optimizer for both networks, or a bad option.
        """
        pair = [
            Adam(2e-4, beta_1=0.5) if wanted is None else optimizers.get(wanted)
            for wanted in (generator_optimizer, discriminator_optimizer)
        ]
        if pair[0] is pair[1]:
            raise ValueError(
                f"{self.full_name}: generator and discriminator have the same optimizer object. Make two: each holds "
                "the moments of its own network."
            )
        own = {} if real_label is None else {"real_label": real_label}
        loss, tricks = losses.get(loss, **own), Tricks(instance_noise, noise_steps, translation)
        shape = self.discriminator.input_shape
        if translation and len(shape) != 4:
            raise ValueError(f"{self.full_name}: translation is for pictures, and D takes {shape_text(shape)}.")
        if translation and translation >= min(shape[1:3]):
            raise ValueError(
                f"{self.full_name}: expected a translation below the pictures' {shape[1]} x {shape[2]} pixels, got "
                f"{translation}: nothing would be left of some. An eighth of their size is usual."
            )
        self.d_steps = check_count(d_steps, "d_steps", self.full_name)
        self.optimizer, self.loss, self.tricks = OptimizerPair(*pair), loss, tricks
        self.options = {"instance_noise": instance_noise, "noise_steps": noise_steps, "translation": translation}
        self.steps = 0

    def compiled_with(self) -> dict[str, Any]:
        """Optimizers, loss and options, as compile made them."""
        optimizer, loss = self._compiled("compiled_with")
        options = {"d_steps": self.d_steps, **self.options}
        return {"optimizers": optimizer.both, "loss": loss, "options": options}

    def get_training_state(self) -> dict[str, Any] | None:
        """Optimizers, loss, options and counters as JSON and arrays can hold them; None before compile."""
        if self.loss is None:
            return None
        return {**describe(self.compiled_with(), self.full_name), "progress": self._progress()}

    def set_training_state(self, state: Mapping[str, Any], custom_objects: Mapping[str, type] | None = None) -> None:
        """Compile with what `get_training_state` gave; the optimizers' moments and step counts are restored too."""
        both = {f"{name}_optimizer": make(one, custom_objects) for name, one in state["optimizers"].items()}
        self.compile(**both, loss=make(state["loss"], custom_objects), **state["options"])
        self._set_progress(state["progress"])

    def get_run_state(self) -> dict[str, Any]:
        """What a training run changes in the model: weights, counters, optimizers, and whether it is to end."""
        return {**model_state(self), "progress": self._progress(), "stop_training": self.stop_training}

    def set_run_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `get_run_state` gave, to go on with a run."""
        set_model_state(self, state, f"{self.full_name}: resume")
        self._set_progress(state["progress"])
        self.stop_training = state["stop_training"]

    def _progress(self) -> dict[str, Any]:
        optimizer, _ = self._compiled("get_run_state")
        return {"optimizers": optimizer.get_state(), "tricks": self.tricks.get_state(), "steps": self.steps}

    def _set_progress(self, state: Mapping[str, Any]) -> None:
        optimizer, _ = self._compiled("set_run_state")
        optimizer.set_state(state["optimizers"])
        self.tricks.set_state(state["tricks"])
        self.steps = state["steps"]

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
            RuntimeError: the GAN is not compiled.
            ValueError: pictures of the wrong shape or range.
        """
        self._compiled("train_on_batch")
        real = to_range(real_pictures(x, self, "train_on_batch"), self)
        return self._step(to_device(real, self.discriminator.device))

    def _step(self, real: np.ndarray) -> Logs:
        (optimizer, loss), generator, discriminator = self._compiled("a step"), self.generator, self.discriminator
        fake = generator.forward(like(self.latents(len(real)), real), training=True)
        scores = discriminator_step(discriminator, loss, optimizer.both["discriminator"], real, fake, self.tricks)
        d_real, d_fake = (float(loss.probability(z).mean()) for z in (scores.real, scores.fake))
        logs = {"d_loss": scores.loss, "d_real": d_real, "d_fake": d_fake}
        self.steps += 1
        if self.steps % self.d_steps == 0 and np.isfinite(scores.loss):
            logs["g_loss"] = generator_step(
                generator, discriminator, loss, optimizer.both["generator"], fake, self.tricks
            )
            if self.average is not None:
                self.average.update()
        self.tricks.step_done()
        return logs

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
        over too few.

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
            RuntimeError: the GAN is not compiled.
            ValueError: pictures of the wrong shape or range, NaN among them, or a bad argument.
            TypeError: something among the callbacks that is none.
            DivergedError: a loss became NaN or infinite; the GAN then has its last weights of a finite loss again.
        """
        optimizer, _ = self._compiled("fit")
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
        feed.device, guard = self.discriminator.device, PairGuard(self, optimizer)
        parts = {"means": means, "guard": guard}
        loop = TrainingLoop(self, feed, parts, batch_size, shuffle, epochs, initial_epoch, steps)

        def step(index: np.ndarray, epoch: int, where: str) -> None:
            batch = feed.take(index, epoch)[0]
            if x.dtype == np.uint8:
                batch = scale_bytes(batch, self)
            guard.before_step()
            values = self._step(batch)
            guard.after_step(values["d_loss"] + values.get("g_loss", 0.0), batch, where)
            means.update(values)

        return loop.run(step, callbacks, verbose)

    def _compiled(self, method: str) -> Compiled:
        """What compile chose, or a RuntimeError that names the method which needs it."""
        if self.optimizer is None or self.loss is None:
            raise RuntimeError(f"{self.full_name}: {method} before compile. First say how to learn: gan.compile().")
        return Compiled(self.optimizer, self.loss)
