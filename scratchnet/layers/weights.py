"""What holds weights: parameters with their gradients, and arrays that are kept but not trained."""

from __future__ import annotations

import contextlib
import math
import mmap
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from scratchnet import initializers, locks, placement
from scratchnet.annotations import checked
from scratchnet.arguments import is_array, shortened
from scratchnet.constraints import Bound
from scratchnet.devices import Device, array_module, device_of, to_device, to_numpy
from scratchnet.kernels import CPU
from scratchnet.layers.own import Adapting
from scratchnet.layers.penalties import Penalties
from scratchnet.regularizers import Regularizer
from scratchnet.signatures import OnlyDefault

_LARGE = 1 << 20  # bytes of a gradient that has pages of its own
W = TypeVar("W", bound="Weights")

_left: ContextVar[int | None] = ContextVar("_left", default=None)  # numbers that may still be asked for; None: any


@contextlib.contextmanager
def limited_weights(numbers: int) -> Iterator[None]:
    """Within it, layers get so many numbers for their weights and no more: as many as a file has, from which they come.

    Raises:
        ValueError: a layer asks for more; before the array is made.
    """
    token = _left.set(numbers)
    try:
        yield
    finally:
        _left.reset(token)


class Weights(Adapting, Penalties):
    """The weights of one layer, by name.

    Attributes:
        params: what is trained.
        grads: their gradients, same names and shapes.
        state: arrays that are kept but not trained, such as moving averages.
        dtype: of all of them, float32 or float64.
        device: where they are.
    """

    _in_build = _has_weights = _of_a_reader = False  # for layers of the reader's own, see `layers/own.py`
    _kept_as: Mapping[str, str] = {}  # attributes that hold what `add_weight` gave, by its name

    def _keeps(self, name: str, value: Any) -> bool:
        """An attribute that is set to an array of `params` or `state` is that one, whatever array it becomes."""
        own = vars(self)
        if self._of_a_reader and isinstance(value, np.ndarray) and not name.startswith("_"):
            for arrays in (own.get("params"), own.get("state")):
                for key, array in (arrays or {}).items():
                    if array is value:
                        own["_kept_as"] = {**self._kept_as, name: key}
                        return True
        return False

    def __getattr__(self, name: str) -> Any:
        """layer.kernel is layer.params["kernel"], and so on."""
        own = vars(self)
        key = self._kept_as.get(name, name)
        for arrays in (own.get("params"), own.get("state")):
            if arrays and key in arrays:
                return arrays[key]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")

    def __init__(self) -> None:
        super().__init__()
        self.built, self._trainable = False, True
        self.dtype = np.dtype(np.float32)
        self.device: Device = CPU
        self._asked: Device | None = None  # by `to`, before there were weights
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self.state: dict[str, np.ndarray] = {}

    @checked
    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: OnlyDefault = None,
        trainable: bool = True,
        autocast: OnlyDefault = True,
        regularizer: str | Regularizer | None = None,
        constraint: str | Bound | None = None,
        aggregation: OnlyDefault = "none",
        overwrite_with_gradient: OnlyDefault = False,
        name: str | None = None,
    ) -> np.ndarray:
        """Make one array: a parameter with its gradient, or with trainable=False a piece of state.

        The first numbers are drawn on the CPU, so that they are the same on every device.

        Args:
            shape: None for a single number, ().
            initializer: None for "glorot_uniform".
            trainable: whether it goes to `params` and `grads`, or else to `state`.
            regularizer: a penalty on it: a name or an object, see `scratchnet.regularizers`.
            constraint: what it is brought to after each update: see `scratchnet.constraints`.
            name: its key there; None for "weight", "weight_1", ...

        Returns:
            The array. It can be kept, `self.w = self.add_weight((3, 4), name="w")`: the attribute then always stands
            for what `params` or `state` has under that name, also when that is another array, of another dtype say.

        Raises:
            ValueError: the model comes from a file that has no such array; see `limited_weights`.
        """
        shape = tuple(() if shape is None else shape)
        initializer = "glorot_uniform" if initializer is None else initializer
        number = len(self.params) + len(self.state)
        name = (f"weight_{number}" if number else "weight") if name is None else name
        left, wanted = _left.get(), math.prod(shape)
        if left is not None:
            if wanted > left:
                raise ValueError(
                    f"{self.full_name}: {name!r} of shape {tuple(shape)} has {wanted:,} numbers, and of the file's "
                    f"arrays {left:,} are left for it. The file's layers are not those that its arrays come from."
                )
            _left.set(left - wanted)
        value = to_device(initializers.get(initializer)(shape, dtype=self.dtype.type), self.device)
        self.rule(name, regularizer, constraint)
        if trainable:
            self.params[name], self.grads[name] = value, _zeros_like(value)
        else:
            self.state[name] = value
        return value

    def astype(self, dtype: Any) -> None:
        """Turn weights, gradients and state into float32 or float64.

        Raises:
            ValueError: another dtype.
        """
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"{self.full_name}: expected dtype float32 or float64, got {np.dtype(dtype)}.")
        self.dtype = np.dtype(dtype)
        for arrays in (self.params, self.grads, self.state):
            for name in arrays:
                arrays[name] = arrays[name].astype(self.dtype, copy=False)

    # Where it is.

    @checked
    def to(self: W, device: str) -> W:
        """Bring weights, gradients and state to a device; one that is not built yet will make them there.

        A model's optimizer goes with it, with what it remembers of each weight, and so do a GAN's averaged weights.
        What the last forward has kept for its backward does not: the next call is a forward.

        Args:
            device: "cpu", "gpu" or "auto", see `sn.device`.

        Returns:
            Itself: `model = sn.Sequential([...]).to("gpu")`.

        Raises:
            ValueError: there is no such device.
            GPUNotAvailable: "gpu", and it cannot be used; the message says why.
            RuntimeError: the model is in `fit`.
            MemoryError: its memory does not hold the weights; then they stay where they are.
        """
        there = placement.chosen(device)
        with locks.MODELS:
            before = self.device
            try:
                self.bring(there)
            except MemoryError as error:
                self.bring(before)  # all or nothing
                raise MemoryError(f"{self.full_name}: to: {error}") from error
        return self

    def bring(self, device: Device) -> None:
        """What `to` does, for a device that is known to be there."""
        for arrays in (self.params, self.grads, self.state):
            arrays.update({name: to_device(array, device) for name, array in arrays.items()})
        self.device = self._asked = device

    @property
    def holds_weights(self) -> bool:
        """Whether there are any in it."""
        return bool(self.params or self.state)

    def home(self, x: Any = None) -> Device:
        """Where the weights are, or, before there are any, where they will be made.

        That is where `to` or `with sn.device(...)` has them; else where x, the first input, is.
        """
        if self.holds_weights:
            return self.device
        asked = None if self.built else self._asked or placement.current()
        return asked or (self.device if x is None else device_of(x) or CPU)

    def brought(self, x: Any) -> Any:
        """The array x; within `with sn.device(...)` on that device, where the weights are, or will be, there."""
        wanted = placement.current()
        if wanted is None:
            return x
        there = self.device if self.holds_weights else self._asked or wanted
        return to_device(x, wanted) if there is wanted else x

    def check_device(self, x: Any) -> None:
        """Weights are made on the device of the first x, if nobody has asked for another; then x must come on theirs.

        Raises:
            TypeError: x is on another device.
        """
        self.device = self.home(x)
        self.require_device(x, "x")

    def require_device(self, array: Any, name: str) -> None:
        """Raise a TypeError unless the array is where this layer is."""
        device = device_of(array) or CPU
        if device is not self.device:
            raise TypeError(
                f"{self.full_name}: expected {name} on {self.device.name!r}, where this layer is, got an array on "
                f"{device.name!r}. Bring it there first: scratchnet.devices.to_device({name}, {self.device.name!r})."
            )

    def zero_grads(self) -> None:
        """Set all gradients to zero, before the next batch."""
        for gradient in self.grads.values():
            gradient[...] = 0

    def get_weights(self) -> list[np.ndarray]:
        """NumPy copies of all weights in Keras's order: those that are trained, then the state."""
        return [np.array(to_numpy(w)) for w in (*self.params.values(), *self.state.values())]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Take over weights in the order of `get_weights`; float64 ones are kept as float64.

        Raises:
            ValueError: the number of arrays or one of their shapes is wrong; then no weight is changed.
            RuntimeError: the layer is not built, so that it has no shapes yet.
        """
        if not self.built:
            raise RuntimeError(f"{self.full_name}: set_weights before build. Call layer.build(input_shape) first.")
        arrays = arrays_of(weights, self.full_name)
        own = [(group, name) for group in (self.params, self.state) for name in group]
        if len(arrays) != len(own):
            raise ValueError(
                f"{self.full_name}: expected weights as {len(own)} arrays ({', '.join(n for _, n in own)}), got "
                f"{len(arrays)}."
            )
        for (group, name), array in zip(own, arrays):
            if array.shape != group[name].shape:
                raise ValueError(
                    f"{self.full_name}: expected {name} of shape {group[name].shape}, got {array.shape}. "
                    "Weights fit only a layer with the same arguments and input channels."
                )
        if arrays:
            self.astype(np.float64 if any(a.dtype == np.float64 for a in arrays) else np.float32)
        for (group, name), array in zip(own, arrays):
            group[name] = self.device.module.asarray(np.array(array, self.dtype, order="C"))

    def get_counters(self) -> dict[str, int]:
        """Whole numbers beside the weights that a run needs to go on as if it had never stopped; see Dropout."""
        return {}

    def set_counters(self, counters: Mapping[str, int]) -> None:
        """Take over what `get_counters` gave."""

    def count_params(self) -> int:
        """Numbers in all weights, the state included, as Keras counts."""
        return sum(math.prod(w.shape) for w in (*self.params.values(), *self.state.values()))


def _zeros_like(value: Any) -> Any:
    """A gradient of zeros. Where nothing is trained nobody writes to it, and until then a large one takes no memory.

    Pages that come from the operating system are zeros that exist once they are touched. NumPy's own zeros are such
    pages only where the C library has no used memory at hand.
    """
    if isinstance(value, np.ndarray) and value.nbytes >= _LARGE:
        return np.frombuffer(mmap.mmap(-1, value.nbytes), value.dtype).reshape(value.shape)
    return array_module(value).zeros(value.shape, value.dtype)


def arrays_of(weights: Sequence[Any], caller: str) -> list[np.ndarray]:
    """A list of arrays as `get_weights` gives it, on the CPU; a ValueError for anything else."""
    if not isinstance(weights, (list, tuple)):
        raise ValueError(f"{caller}: expected weights as a list of arrays, got {shortened(weights)}.")
    for place, array in enumerate(weights):
        if not isinstance(array, (int, float)) and not is_array(array) and np.ndim(array):
            raise ValueError(f"{caller}: expected weights[{place}] as an array of numbers, got {shortened(array)}.")
    return [to_numpy(w) for w in weights]
