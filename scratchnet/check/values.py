"""Values of exercises compared and shown: what counts as equal, how two of them differ, how a number is printed."""

from __future__ import annotations

import math
import numbers
import re
from typing import Any

import numpy as np

TOLERANCE = 1e-5  # of the largest number of an array: who computes in float32 is right too
ZERO = 1e-7  # where all numbers of an array are 0
LONGEST = 24  # numbers of an array or list that are printed
WIDEST = 300  # characters of anything else
_NUMBERS = "biufc"  # numpy's kinds: bool, whole, natural, float, complex


def difference(
    actual: Any, expected: Any, dtype: Any = None, strict: bool = False, names: tuple[str, ...] = ()
) -> str | None:
    """How `actual` differs from `expected`: None if it does not, a hint if its kind is wrong, else an empty string.

    Lists, tuples, numbers and arrays of any type of float count as the array that they spell. A tuple that is expected
    is several values, which may come as a list or stacked in an array.

    Args:
        actual: what a reader's function returned.
        expected: what the right one returns.
        dtype: the type of numbers that the exercise asks for, if it does.
        strict: True and False are not taken for 1 and 0 where truth values are expected.
        names: those of the values, where there are several.
    """
    if isinstance(expected, tuple):
        return _difference_of_tuples(actual, expected, dtype, strict, names)
    if isinstance(expected, str):
        same = isinstance(actual, str) and actual.strip().casefold() == expected.strip().casefold()
        return None if same else "" if isinstance(actual, str) else "Expected a text."
    e = as_numbers(expected)
    if e is None:
        try:
            return None if bool(actual == expected) else ""
        except Exception:
            return ""
    if hint := _kind(actual):
        return hint
    a = as_numbers(actual, limit=1_000_000 + e.size)
    if a is None:
        return "Expected numbers." if e.ndim else "Expected a number."
    if a.dtype.kind == "b" and e.dtype.kind != "b":
        return "True and False are no numbers yet: .astype(np.float32) makes 1 and 0 of them."
    if e.dtype.kind == "b" and a.dtype.kind != "b" and strict:
        return "Expected True or False."
    return _difference_of_arrays(a, e, actual, dtype)


def as_numbers(value: Any, limit: float = math.inf) -> np.ndarray | None:
    """The value as an array of numbers; None where it is none, or would have more than `limit` of them."""
    try:
        if not isinstance(value, np.ndarray) and _size(value) > limit:
            return None
        array = np.asarray(value)
        if array.dtype.kind == "O" and all(isinstance(item, numbers.Number) for item in array.flat):
            array = array.astype(np.float64)
    except Exception:  # whatever an object of the reader's raises
        return None
    return array if array.dtype.kind in _NUMBERS else None


def is_close(a: np.ndarray, e: np.ndarray) -> bool:
    """The same shape and, within the tolerance, the same numbers; whole ones exactly."""
    return a.shape == e.shape and relative_error(a, e) <= TOLERANCE and (e.dtype.kind not in "iu" or _whole(a, e))


def relative_error(a: np.ndarray, e: np.ndarray) -> float:
    """max |a - e| / max |e|, over the finite numbers of e; infinite where a is not finite and e is, or otherwise."""
    a, e = (v.astype(np.complex128 if v.dtype.kind == "c" else np.float64) for v in (a, e))
    if a.shape != e.shape:
        return math.inf
    finite = np.isfinite(e)
    odd = ~finite & ~((a == e) | (np.isnan(a) & np.isnan(e)))
    if odd.any() or not np.isfinite(a[finite]).all():
        return math.inf
    if not finite.any():
        return 0.0
    scale = float(np.abs(e[finite]).max())
    error = float(np.abs(a[finite] - e[finite]).max())
    return error / scale if scale > 1e-12 else error * TOLERANCE / ZERO


def show(value: Any, digits: int = 6, depth: int = 0) -> str:
    """A value as text, cut where it is long: numbers with so many digits, arrays without the word array."""
    if isinstance(value, np.ndarray) and value.ndim:
        return _show_array(value, digits)
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.item()
    if isinstance(value, float):
        text = f"{value + 0.0:.{digits}g}"
        return text if set(text) & set(".en") else text + ".0"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 200:
        return f"a whole number of {int(value.bit_length() * math.log10(2)) + 1} digits"
    if isinstance(value, (tuple, list)):
        if depth > 3:
            return "..."
        parts = [show(item, digits, depth + 1) for item in value[:LONGEST]] + ["..."] * (len(value) > LONGEST)
        left, right = "()" if isinstance(value, tuple) else "[]"
        lines = any("\n" in part for part in parts)
        inside = ",\n ".join(part.replace("\n", "\n ") for part in parts) if lines else ", ".join(parts)
        return left + inside + ("," if isinstance(value, tuple) and len(value) == 1 else "") + right
    if isinstance(value, str):
        return repr(value[:WIDEST]) + "..." * (len(value) > WIDEST)
    if isinstance(value, (dict, set, frozenset, range)) and len(value) > LONGEST:
        return f"a {type(value).__name__} of {len(value)}"
    return _cut(_safe_repr(value))


def show_apart(expected: Any, actual: Any) -> tuple[str, str]:
    """Both as text, in the same format, with as many digits as tell them apart."""
    if isinstance(expected, tuple) and (several := parts_of(actual, len(expected))) is not None:
        actual = tuple(np.asarray(a) if _alike(a, e) else a for a, e in zip(several, expected))
    elif _alike(actual, expected):
        actual = np.asarray(actual)
    for digits in (6, 9, 12, 17):
        texts = show(expected, digits), show(actual, digits)
        if texts[0] != texts[1]:
            break
    return texts


def parts_of(value: Any, count: int) -> list[Any] | None:
    """What a function returned that returns several values, in a tuple, a list or stacked; None if not so many."""
    if isinstance(value, (tuple, list, np.ndarray)) and np.ndim(value if isinstance(value, np.ndarray) else [0]):
        return list(value) if len(value) == count else None
    return None


def type_of_numbers(value: Any) -> str:
    """The type of an array's numbers, such as "float32"; of anything else, what it is itself, such as "a list"."""
    return str(value.dtype) if isinstance(value, (np.ndarray, np.generic)) else f"a {type(value).__name__}"


def _alike(actual: Any, expected: Any) -> bool:
    """Whether the actual value is a list that is best shown as an array, as the expected one is."""
    array = isinstance(actual, (list, tuple)) and isinstance(expected, np.ndarray)
    return array and as_numbers(actual, limit=100_000) is not None


def _difference_of_tuples(actual: Any, expected: tuple, dtype: Any, strict: bool, names: tuple[str, ...]) -> str | None:
    several = parts_of(actual, len(expected))
    if several is None:
        count = len(actual) if isinstance(actual, (tuple, list)) else 1
        example = f"`return {', '.join(names)}`." if names else "`return a, b` returns two."
        return _kind(actual) or f"Expected {len(expected)} values, got {count}: {example}"
    found = [difference(a, e, dtype, strict) for a, e in zip(several, expected)]
    if all(f is None for f in found):
        return None
    wrong = [n for n, f in enumerate(found) if f is not None]
    if len(wrong) == len(found):
        return found[0]
    kind = next((f for f in found if f), "")
    which = names[wrong[0]] if names else f"number {wrong[0] + 1} of the {len(found)} values"
    if len(wrong) > 1:
        which = ", ".join(names[n] if names else str(n + 1) for n in wrong)
        which = which if names else f"numbers {which} of the {len(found)} values"
    return f"Only {which} differ{'s' * (len(wrong) == 1)}.{' ' * bool(kind)}{kind}"


def _difference_of_arrays(a: np.ndarray, e: np.ndarray, actual: Any, dtype: Any) -> str | None:
    if a.shape != e.shape:
        return _difference_of_shapes(a, e)
    if not is_close(a, e):
        if np.isnan(a).any() and not np.isnan(e).any():
            return "The answer holds nan: 0 / 0, the root or logarithm of a negative number, arccos outside -1 to 1."
        if np.isinf(a).any() and not np.isinf(e).any():
            return "The answer holds inf: a number divided by 0, or the logarithm of 0."
        return ""
    if dtype is not None and type_of_numbers(actual) != str(np.dtype(dtype)):
        return f"The numbers are right, their type is not: expected {np.dtype(dtype)}, got {type_of_numbers(actual)}."
    return None


def _difference_of_shapes(a: np.ndarray, e: np.ndarray) -> str:
    expected = f"expected the shape {e.shape}" if e.ndim else "expected a single number"
    if a.size == e.size and is_close(a.ravel(), e.ravel()):
        return f"The numbers are right, the shape is not: {expected}, got {a.shape}."
    if a.ndim == e.ndim and a.T.shape == e.shape and is_close(a.T, e):
        return f"Rows and columns are swapped: {expected}, got {a.shape}."
    return f"E{expected[1:]}, got {f'the shape {a.shape}' if a.ndim else 'a single number'}."


def _whole(a: np.ndarray, e: np.ndarray) -> bool:
    """Whether whole numbers are met: exactly by whole ones, by floats to what float32 can hold."""
    if a.dtype.kind in "iu":
        return bool(np.array_equal(a, e))
    return bool((np.abs(a - e) <= np.maximum(1e-5, 1e-7 * np.abs(e.astype(np.float64)))).all())


def _kind(actual: Any) -> str:
    """What to say of a value that is no number at all."""
    if actual is None or actual is Ellipsis:
        return "The function returns nothing: does it end with `return`?"
    if isinstance(actual, (str, bytes)) or (isinstance(actual, np.ndarray) and actual.dtype.kind in "US"):
        return "That is a text. Return the number itself: no quotes, no str(), no f-string."
    if isinstance(actual, (list, tuple)) and actual and isinstance(actual[0], (str, bytes)):
        return "These are texts. Return the numbers themselves: no quotes, no str(), no f-string."
    if callable(actual) and not hasattr(actual, "__array__"):
        return "That is a function: are the brackets of a call missing, as in x.mean()?"
    if hasattr(actual, "__next__"):
        return "That is an iterator, whose values are not made yet: list(...) makes them."
    return ""


def _size(value: Any) -> float:
    """How many numbers a nested list or a range holds, judged by the first of each."""
    size = 1.0
    for _ in range(32):
        if not isinstance(value, (list, tuple, range)) or not len(value):
            break
        size, value = size * len(value), value[0]
    return size


def _show_array(value: np.ndarray, digits: int) -> str:
    small = value.astype(np.float64) if value.dtype.kind == "f" and value.size < 1000 else np.zeros(0)
    sizes = np.abs(small[np.isfinite(small) & (small != 0)])
    plain = sizes.size > 0 and np.max(sizes) >= 0.01 and np.max(sizes) < 1e5 * np.min(sizes)  # no 1.0e-01
    text = np.array2string(
        value, precision=digits - 2, suppress_small=plain, separator=", ", threshold=LONGEST, max_line_width=100
    )
    text = re.sub(r"\n\s*\n", "\n", text)  # no empty lines between the blocks of an array of more than two axes
    return text + ("" if value.size <= LONGEST else f" of shape {value.shape}")


def _safe_repr(value: Any) -> str:
    try:
        return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))
    except Exception:
        return f"a {type(value).__name__}"


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else text[:WIDEST] + "..."
