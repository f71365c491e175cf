"""Compile: how both networks of a GAN are to learn, and what of that goes into files.

The settings by default are the DCGAN paper's. The first paper's, Goodfellow et al., arXiv 1406.2661, were others:

| | the first paper | its code for MNIST | here, by default |
|---|---|---|---|
| G | ReLU and sigmoid layers | 1200 and 1200 of ReLU, 784 of sigmoid | the reader's, such as `zoo.dcgan` |
| D | maxout layers, with dropout | two of 240 maxout units of 5 pieces; 0.2, 0.5 dropped | the reader's |
| noise | in G's first layer alone | 100 normal numbers | `latent_dim` normal numbers |
| updates | with momentum | SGD, 0.1 falling slowly, momentum 0.5 up to 0.7 | Adam(2e-4, beta_1=0.5) |
| steps of D for one of G | 1 | 1 | d_steps=1 |
| batches | | 100 | the reader's |

For CIFAR-10 that code has convolutions as well: 5 x 5 with strides of 3 in G; 8 x 8, 8 x 8 and 5 x 5, with pooling, in
D. It is https://github.com/goodfeli/adversarial: mnist.yaml, cifar10_convolutional.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scratchnet import optimizers
from scratchnet.annotations import checked
from scratchnet.arguments import check_count, shape_text
from scratchnet.averaging import MovingAverage
from scratchnet.config import describe, make
from scratchnet.gan import losses
from scratchnet.gan.losses import AdversarialLoss
from scratchnet.gan.pair import PROGRESS, RUN, TRAINING, OptimizerPair
from scratchnet.gan.tricks import Tricks
from scratchnet.optimizers import Adam, Optimizer
from scratchnet.saving import check_model_state, model_state, set_model_state


class Compiled(NamedTuple):
    """What `compile` chose, all of it set."""

    optimizer: OptimizerPair
    loss: AdversarialLoss


class CompiledGAN:
    """Two networks with optimizers, a loss and tricks; see `Adversarial` for what it does with them."""

    generator: Any  # both are built models, see `GAN`
    discriminator: Any
    average: MovingAverage | None
    compute_dtype: np.dtype
    optimizer: OptimizerPair | None = None
    loss: AdversarialLoss | None = None
    tricks: Tricks
    options: Mapping[str, Any]  # of the tricks, as compile got them
    stop_training = False  # a callback may set it; `fit` then ends after the epoch
    d_steps = 1
    steps = 0  # of D since compile

    @property
    def full_name(self) -> str:
        """How errors name this model."""
        raise NotImplementedError

    def check_layers(self) -> None:
        """Raise a ValueError where a layer object is at two places."""
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
                paper's Adam(2e-4, beta_1=0.5); the first paper had SGD with momentum. A faster D (4e-4 to 1e-4 of G)
                often helps.
            loss: "non_saturating", "minimax", "least_squares", "hinge", or an object of `sn.gan.losses`.
            real_label: the label of real pictures in D's loss, if not 1; 0.9 is one-sided label smoothing.
            d_steps: steps of D for each step of G, k in the first paper, where it is 1 as well.
            instance_noise: standard deviation of the noise on all pictures that D sees; it falls linearly to 0.
            noise_steps: steps of D until it is 0.
            translation: the most pixels by which every picture that D sees, real or generated, is moved.

        Raises:
            ValueError: an unknown name, one optimizer for both networks or one of another model, or a bad option.
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
        for one, network in zip(pair, (self.generator, self.discriminator)):
            one.check_model(network)
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
        """Compile with what `get_training_state` gave; the optimizers' moments and step counts are restored too.

        Raises:
            ValueError: a field that is missing or not as it should be.
        """
        TRAINING(state, "training")
        both = {
            f"{name}_optimizer": make(one, custom_objects, f"training.optimizers.{name}")
            for name, one in state["optimizers"].items()
        }
        self.compile(**both, loss=make(state["loss"], custom_objects, "training.loss"), **state["options"])
        self._set_progress(state["progress"], "training.progress")

    def get_run_state(self) -> dict[str, Any]:
        """What a training run changes in the model: weights, counters, optimizers, and whether it is to end."""
        return {**model_state(self), "progress": self._progress(), "stop_training": self.stop_training}

    def set_run_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `get_run_state` gave, to go on with a run.

        Raises:
            ValueError: a field that is missing or not as it should be.
        """
        self.check_run_state(state, "state.model")
        set_model_state(self, state, "state.model")
        self._set_progress(state["progress"], "state.model.progress")
        self.stop_training = state["stop_training"]

    def check_run_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_run_state` can take it."""
        RUN(state, where)
        check_model_state(self, state, where)
        self._check_progress(state["progress"], f"{where}.progress")

    def _progress(self) -> dict[str, Any]:
        optimizers = self._compiled("get_run_state").optimizer.get_state(self._trained())
        return {"optimizers": optimizers, "tricks": self.tricks.get_state(), "steps": self.steps}

    def _trained(self) -> dict[str, Mapping[str, np.ndarray]]:
        return {"generator": self.generator.params, "discriminator": self.discriminator.params}

    def _set_progress(self, state: Mapping[str, Any], where: str) -> None:
        self._check_progress(state, where)
        self._compiled("set_run_state").optimizer.set_state(state["optimizers"], self._trained())
        self.tricks.set_state(state["tricks"])
        self.steps = state["steps"]

    def _check_progress(self, state: Mapping[str, Any], where: str) -> None:
        PROGRESS(state, where)
        self._compiled("set_run_state").optimizer.check_state(
            state["optimizers"], self._trained(), f"{where}.optimizers"
        )

    def _compiled(self, method: str) -> Compiled:
        """What compile chose, or a RuntimeError that names the method which needs it."""
        if self.optimizer is None or self.loss is None:
            raise RuntimeError(f"{self.full_name}: {method} before compile. First say how to learn: gan.compile().")
        return Compiled(self.optimizer, self.loss)
