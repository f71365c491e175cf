"""Evaluate and predict: what a network does with data while it learns nothing."""

from __future__ import annotations

import copy
import math
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import kernels, locks
from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.callbacks import Callback, CallbackList, Logs, log_text, timing_text
from scratchnet.devices import to_numpy
from scratchnet.divergence import all_finite
from scratchnet.layers.inference import forward_only
from scratchnet.losses import Loss
from scratchnet.printing import say
from scratchnet.structures import each, joined, leaves, length, parts
from scratchnet.training.checks import check_compiled, check_verbose
from scratchnet.training.compiled import Compiled
from scratchnet.training.data import Feed
from scratchnet.training.memory import Room
from scratchnet.training.sources import make_source
from scratchnet.training.step import RunningMeans, forward_loss, fused_with, returned
from scratchnet.training.streams import Stream, up_to

Verbose = int | str | bool
Callbacks = Callback | Sequence[Callback] | None
MEASURED = 256  # examples at once where nothing is learnt; Keras takes 32


class Nobody:
    """Callbacks, where there are none."""

    def call(self, method: str, *arguments: Any) -> None:
        """Nobody listens."""


class Measuring(Compiled):
    """A compiled network that can be measured: evaluate, predict, and the same on one batch."""

    @checked
    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | Logs:
        """The mean loss on x and y, or [loss, metric, ...] in the order of `metrics_names`. Nothing is learnt.

        Args:
            x, y, sample_weight: as in `fit`.
            batch_size: examples at once; None for 256.
            verbose: 0 for silence, else a line.
            steps: batches that are measured; None for all.
            callbacks: one or several; their on_test_... methods are called.
            return_dict: whether to return {"loss": ..., "accuracy": ..., ...}.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: as in `fit`; or the loss is NaN or infinite.
        """
        loss, _ = check_compiled(self, "evaluate")
        caller = f"{self.full_name}: evaluate"
        size = MEASURED if batch_size is None else check_count(batch_size, "batch_size", caller)
        shown = check_verbose(verbose, caller)
        start, source = time.perf_counter(), make_source(self, "evaluate", loss, x, y, sample_weight)
        source.bring(self._home(source), caller)
        steps, listed = self._with_callbacks(source, steps, size, callbacks, shown, caller)
        means, done = self._measure(source, loss, size, listed, steps=steps, caller=caller)
        if not done:
            raise ValueError(f"{caller}: {source.text} gave no batch. At least one is needed.")
        logs = means.logs()
        if not math.isfinite(logs["loss"]):
            raise ValueError(f"{caller}: the loss is {logs['loss']}. {self._why_not_finite(source)}")
        if shown:
            say(f"{done}/{done} - {timing_text(done, time.perf_counter() - start)} - {log_text(logs)}")
        return returned(logs, return_dict)

    @checked
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
    ) -> Any:
        """The model's outputs for all of x, batch by batch, without training, as a NumPy array; of several a list.

        Many threads may predict at once, also while another one is in `fit`: each batch is computed between two steps,
        and changes nothing. (`forward` itself is for one thread at a time.)

        Args:
            x: examples along the first axis, or a flow or a stream, whose labels are left aside.
            batch_size: examples at once; None for 256.
            verbose: 1 or 2 for a line; "auto" and 0 are silent.
            steps: batches that are predicted; None for all.
            callbacks: one or several; their on_predict_... methods are called.

        Raises:
            ValueError: x is empty or has the wrong shape.
        """
        caller, start = f"{self.full_name}: predict", time.perf_counter()
        shown = 0 if verbose == "auto" else check_verbose(verbose, caller)
        size = MEASURED if batch_size is None else check_count(batch_size, "batch_size", caller)
        source = make_source(self, "predict", None, x)
        source.bring(self._home(source), caller)
        steps, listed = self._with_callbacks(source, steps, size, callbacks, shown, caller)
        room, found = Room([self], size, caller), []
        listed.call("on_predict_begin", {})
        for number, batch in enumerate(up_to(source.batches(size, False), steps, source.once, caller)):
            listed.call("on_predict_batch_begin", number, {})
            with room:
                x = source.take(batch)[0]
                if isinstance(source, Stream):
                    room.batch_size = length(x)
                with locks.MODELS, forward_only():  # layers keep things from one line to the next
                    found.append(_on_cpu(self.forward(x)))
            listed.call("on_predict_batch_end", number, {"outputs": found[-1]})
        listed.call("on_predict_end", {})
        if not found:
            raise ValueError(f"{caller}: {source.text} gave no batch. At least one is needed.")
        _say_early_end(len(found), steps, source, caller)
        if shown:
            say(f"{len(found)}/{len(found)} - {timing_text(len(found), time.perf_counter() - start)}")
        return joined(found)

    @checked
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> float | list[float] | Logs:
        """The loss on one batch, or [loss, metric, ...]; nothing is learnt. Arguments and errors as in `evaluate`."""
        (loss, _), caller = check_compiled(self, "test_on_batch"), f"{self.full_name}: test_on_batch"
        feed = self._one_batch("test_on_batch", loss, x, y, sample_weight)
        feed.bring(self._home(feed), caller)
        means, _ = self._measure(feed, loss, len(feed), Nobody(), caller=caller)
        return returned(means.logs(), return_dict)

    @checked
    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch as a NumPy array; of several outputs a list. Errors as in `predict`."""
        feed, caller = self._one_batch("predict_on_batch", None, x), f"{self.full_name}: predict_on_batch"
        feed.bring(self._home(feed), caller)
        with Room([self], len(feed), caller):
            x = feed.take(np.arange(len(feed)))[0]
            with locks.MODELS, forward_only():
                return _on_cpu(self.forward(x))

    def _one_batch(self, method: str, loss: Loss | None, *data: Any) -> Feed:
        """Arrays that are one batch."""
        source = make_source(self, method, loss, *data)
        if isinstance(source, Stream):
            raise TypeError(
                f"{self.full_name}: {method}: expected x as an array, examples along the first axis, got "
                f"{source.text}. Batches of a stream go one by one: for x, y in batches: model.{method}(x, y)."
            )
        return source

    def _home(self, source: Feed | Stream) -> Any:
        """The device on which the model computes with these data."""
        return self.home(leaves(source.x)[0] if isinstance(source, Feed) else None)

    def _with_callbacks(
        self, source: Feed | Stream, steps: int | None, batch_size: int, callbacks: Callbacks, shown: int, caller: str
    ) -> tuple[int | None, CallbackList | Nobody]:
        """The batches that are wanted, None for all, and the callbacks, which are told."""
        wanted = None if steps is None else check_count(steps, "steps", caller)
        if callbacks is None:  # for one picture, a list of none takes as long as a layer
            return wanted, Nobody()
        known = source.count(batch_size) if wanted is None else wanted
        listed = [callbacks] if isinstance(callbacks, (Callback, type)) else list(callbacks or ())
        return wanted, CallbackList(listed, self, {"epochs": 1, "steps": known, "verbose": shown})

    def _measure(
        self,
        source: Feed | Stream,
        loss: Loss,
        batch_size: int,
        callbacks: CallbackList | Nobody,
        epoch: int = 0,
        steps: int | None = None,
        caller: str = "",
    ) -> tuple[RunningMeans, int]:
        """(the means over the batches, how many there were)."""
        means = RunningMeans(
            copy.deepcopy(self.metrics), self._outputs_with_loss()
        )  # a run in another thread fills the model's own
        room, done = Room([self], batch_size, caller), 0
        callbacks.call("on_test_begin", {})
        source.on_epoch_begin()
        for batch in up_to(source.batches(batch_size, False), steps, source.once, caller):
            callbacks.call("on_test_batch_begin", done, {})
            with room:
                x, y, weight = source.take(batch, epoch)
                if isinstance(source, Stream):
                    room.batch_size = length(x)
                with locks.MODELS, forward_only():
                    value, _, z = forward_loss(self, loss, x, y, False, weight)
                means.update(value, y, self._outputs(z, loss), weight)
            done += 1
            callbacks.call("on_test_batch_end", done - 1, means.logs())
        source.on_epoch_end()
        callbacks.call("on_test_end", means.logs() if done else {})
        _say_early_end(done, steps, source, caller)
        return means, done

    def _why_not_finite(self, source: Feed | Stream) -> str:
        """What to say of a loss that is NaN or infinite."""
        if not all_finite(self):
            return "There is NaN or infinity in the model's weights: load good ones, or build it anew."
        arrays = leaves(source.x) if isinstance(source, Feed) else []
        if not arrays:
            return "The numbers grow too large on their way through the layers."
        low, high = min(float(array.min()) for array in arrays), max(float(array.max()) for array in arrays)
        return f"x goes from {low:g} to {high:g}, and the numbers grow too large on their way through the layers."

    def _outputs(self, z: Any, loss: Loss) -> Any:
        """The model's outputs from what `forward_loss` returned: scores get their softmax or sigmoid."""
        fused, ends = fused_with(self, loss), parts(self.output_activation)
        if isinstance(fused, list):
            return [_activated(one, name) if flag else one for one, name, flag in zip(z, ends, fused)]
        return _activated(z, ends) if fused else z


def _on_cpu(y: Any) -> Any:
    """What a model gave as NumPy arrays: an array, a list of several, or the dict that the model was made with."""
    return {name: to_numpy(one) for name, one in y.items()} if isinstance(y, dict) else each(to_numpy, parts(y))


def _activated(z: Any, activation: Any) -> Any:
    return getattr(kernels.of(z), str(activation))(z)


def _say_early_end(done: int, steps: int | None, source: Feed | Stream, caller: str) -> None:
    if steps is not None and done < steps:
        warnings.warn(
            f"{caller}: {source.text} gave {done} batches, and {steps} were wanted. Leave steps out for all there are.",
            stacklevel=4,
        )
