"""GANMonitor: a callback that measures a GAN after each epoch and prints what `diagnose` finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scratchnet.arguments import check_count
from scratchnet.callbacks import Callback, Logs
from scratchnet.fields import count, list_of, mapping, number, record, text
from scratchnet.gan.diagnosis import diagnose
from scratchnet.gan.measures import gradient_norm, relative_diversity, separation
from scratchnet.gan.model import check_gan
from scratchnet.printing import say

FIRST = 3  # epochs before GANMonitor prints anything: at the start every generator is bad


class GANMonitor(Callback):
    """After each epoch puts into the logs what `diagnose` looks at, and prints what it finds.

    It adds d_gradient and g_gradient (gradient_norm, the mean over the epoch's steps), diversity (relative_diversity),
    separation, and, where a metric is given, its value under its name. Give it before callbacks that watch these
    names, such as ModelCheckpoint("best.safetensors", "fcd", save_best_only=True).

    Args:
        metric: a function of the GAN that returns a number, or a dict of numbers by name. For fcd, kid and the like put
            the callback sn.generation.GenerationMetrics(real) beside this one.
        name: of the metric's value, where that is one number.
        every: epochs from one measurement of the metric to the next; in between its last value is repeated.
        n: pictures for the diversity, at least 2.
        verbose: 0 for silence, 1 to print each finding once, when it is first seen.

    Raises:
        ValueError: every below 1, or n below 2.
        TypeError: a metric that is no function; on training, a model that is no GAN.
    """

    def __init__(
        self,
        metric: Callable[[Any], float | Mapping[str, float]] | None = None,
        name: str = "metric",
        every: int = 1,
        n: int = 64,
        verbose: int | bool = 1,
    ):
        self.metric, self.name, self.verbose = metric, name, verbose
        self.every = check_count(every, "every", "GANMonitor")
        self.n = check_count(n, "n", "GANMonitor", smallest=2)  # one picture differs from no other
        self._begin()

    def _begin(self) -> None:
        self.printed: list[str] = []  # names of findings
        self.measured: dict[str, float] = {}
        self.curves: dict[str, list[float]] = {}
        self.norms = {"d_gradient": 0.0, "g_gradient": 0.0}  # summed over this epoch's steps
        self.steps = {"d_gradient": 0, "g_gradient": 0}

    def get_state(self) -> dict[str, Any]:
        """The curves so far, the last value of the metric, what was printed, and this epoch's sums."""
        return {name: getattr(self, name) for name in ("printed", "measured", "curves", "norms", "steps")}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        names = ("d_gradient", "g_gradient")
        record(
            printed=list_of(text),
            measured=mapping(number(finite=False)),
            curves=mapping(list_of(number(finite=False))),
            norms=record(**dict.fromkeys(names, number(finite=False))),
            steps=record(**dict.fromkeys(names, count())),
        )(state, where)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `get_state` gave."""
        for name, value in state.items():
            setattr(self, name, value)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Check that the model is a GAN, and forget the last run."""
        check_gan(self.model, "GANMonitor")
        self._begin()

    @property
    def every_batch(self) -> bool:
        """Where several steps are one launch, the norms of the last step's gradients stand for all of them."""
        return False

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Add up the norms of this step's gradients."""
        gan = self.model
        for name, network, every in (("d_gradient", gan.discriminator, 1), ("g_gradient", gan.generator, gan.d_steps)):
            if gan.steps % every == 0:  # in other steps G did not learn: its gradients are old
                self.norms[name] += gradient_norm(network)
                self.steps[name] += 1

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Measure, add to the logs, and print each finding that is new."""
        gan, logs = self.model, {} if logs is None else logs
        logs |= {name: total / max(1, self.steps[name]) for name, total in self.norms.items()}
        self.norms, self.steps = dict.fromkeys(self.norms, 0.0), dict.fromkeys(self.steps, 0)
        logs["diversity"], logs["separation"] = relative_diversity(gan, self.n), separation(gan, self.n)
        if self.metric is not None:
            if epoch % self.every == 0 or not self.measured:
                value = self.metric(gan)
                values = value if isinstance(value, Mapping) else {self.name: value}
                self.measured = {name: float(one) for name, one in values.items()}
            logs |= self.measured
        for name, value in logs.items():
            self.curves.setdefault(name, []).append(value)
        if self.verbose and len(self.curves["d_loss"]) >= FIRST:
            for finding in diagnose(self.curves, gan):
                if finding.name not in self.printed:
                    self.printed.append(finding.name)
                    say(f"Epoch {epoch + 1}: {finding.name}: {finding.fact}\n    {finding.advice}")
