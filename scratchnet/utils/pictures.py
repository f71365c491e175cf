"""One picture from a file, to an array, and back, as Keras does it.

What Keras leaves to Pillow is left to it here: transparency is dropped, and a picture is not turned upright.
`datasets.image_folder` does both otherwise.
"""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_choice, pair, shortened
from scratchnet.datasets.pictures import as_bytes, pillow_for
from scratchnet.devices import to_numpy
from scratchnet.files import whole_file
from scratchnet.signatures import OnlyDefault

MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}  # color_mode, and what Pillow calls it
INTERPOLATIONS = ("bicubic", "bilinear", "box", "hamming", "lanczos", "nearest")


def open_picture(file: Any, color_mode: str, caller: str) -> Any:
    """The whole picture in a file, in a mode of MODES; grey of more than 8 bits stays as it is in "grayscale".

    Raises:
        ValueError: no picture, a damaged one, or one whose colours cannot be converted; it is named.
        OSError: there is no such file, or it cannot be read.
    """
    pillow = pillow_for(caller)
    data = file.read() if hasattr(file, "read") else Path(os.fsdecode(file)).read_bytes()
    name = getattr(file, "name", "the file") if hasattr(file, "read") else os.fsdecode(file)
    try:
        with pillow.Image.open(io.BytesIO(data)) as image:
            return _converted(image, color_mode, pillow)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers raise anything, SyntaxError and struct.error among them
        reason = str(error) or type(error).__name__
        raise ValueError(f"{caller}: {name} cannot be read as a picture: {reason}. Mend or remove it.") from error


def _converted(image: Any, color_mode: str, pillow: Any) -> Any:
    if color_mode == "grayscale" and image.mode in ("L", "I;16", "I"):
        image.load()
        return image
    if image.mode == "F" or image.mode.startswith("I"):
        image = pillow.Image.fromarray(as_bytes(image, image.mode))
    image.load()
    return image if image.mode == MODES[color_mode] else image.convert(MODES[color_mode])


@checked
def load_img(
    path: str | os.PathLike | bytes | io.BytesIO,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """A picture as Pillow's `Image`.

    Args:
        path: the file, or a BytesIO.
        color_mode: "rgb"; "grayscale", which keeps grey of 16 and 32 bits; or "rgba".
        target_size: (height, width) to bring it to; None for its own.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos", "box" or "hamming", Pillow's ways.
        keep_aspect_ratio: whether the middle is cut out in the target's proportions, instead of stretched.

    Raises:
        ValueError: a bad argument, or the file is no picture or a damaged one; it is named.
        OSError: there is no such file, or it cannot be read.
        ImportError: Pillow is missing.
    """
    mode = check_choice(color_mode, MODES, "color_mode")
    how = check_choice(interpolation, INTERPOLATIONS, "interpolation")
    size = None if target_size is None else pair(target_size, "target_size", "load_img")
    image = open_picture(path, mode, "load_img")
    if size is None or image.size == size[::-1]:
        return image
    box = _middle(image.size, size[::-1]) if keep_aspect_ratio else None
    resampling = getattr(pillow_for("load_img").Image.Resampling, how.upper())
    return image.resize(size[::-1], resampling, box=box)


def _middle(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int, int, int]:
    """The largest box in the middle of a picture of (width, height) with the target's proportions."""
    (width, height), (target_width, target_height) = size, target
    high = max(min(height, width * target_height // target_width), 1)
    wide = max(min(width, height * target_width // target_height), 1)
    left, top = (width - wide) // 2, (height - high) // 2
    return left, top, left + wide, top + high


@checked
def img_to_array(img: Any, data_format: OnlyDefault = None, dtype: Any = None) -> np.ndarray:
    """A picture of Pillow's, or an array (H, W, C) or (H, W), as an array (H, W, C) of float32, or of dtype.

    Raises:
        ValueError: another shape, or no dtype of numbers.
    """
    kind = _dtype(dtype, "img_to_array")
    try:
        x = np.asarray(to_numpy(img))
    except ValueError:  # rows of different lengths
        x = np.empty(0)
    if x.ndim not in (2, 3) or x.dtype.kind not in "biuf":
        raise ValueError(
            "img_to_array: expected img as a picture of Pillow's or an array (H, W, C) or (H, W), got "
            f"{shortened(img)}."
        )
    return np.asarray(x[..., None] if x.ndim == 2 else x, kind)


@checked
def array_to_img(x: np.ndarray, data_format: OnlyDefault = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array (H, W, C) as a picture of Pillow's: C is 1 for grey, 3 for colours, 4 with transparency.

    Args:
        x: the numbers.
        data_format: channels come last.
        scale: whether the smallest number becomes 0 and the largest 255. Without it numbers are taken as they are,
            below 0 as 0 and, of colours, above 255 as 255; grey with numbers above 255 becomes a picture of 32 bits.
        dtype: in which it is computed; float32.

    Raises:
        ValueError: another shape, or numbers that are not finite.
        ImportError: Pillow is missing.
    """
    pillow = pillow_for("array_to_img")
    pixels = np.array(to_numpy(x), _dtype(dtype, "array_to_img"))
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or not pixels.size:
        hint = " Grey pictures need a channel axis: x[..., None]." if pixels.ndim == 2 else ""
        raise ValueError(
            f"array_to_img: expected x of shape (H, W, 1), (H, W, 3) or (H, W, 4), got {pixels.shape}.{hint}"
        )
    if not np.isfinite(pixels).all():
        raise ValueError("array_to_img: expected x to be finite numbers, got NaN or infinity among them.")
    if scale:
        pixels = pixels - pixels.min()
        most = pixels.max()
        pixels = (pixels / most if most else pixels) * 255
    if pixels.shape[2] == 1 and pixels.max() > 255:
        return pillow.Image.fromarray(np.clip(pixels[..., 0], -(2**31), 2**31 - 1).astype(np.int32))
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    return pillow.Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


@checked
def save_img(
    path: Any,
    x: np.ndarray,
    data_format: OnlyDefault = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array (H, W, C) as a picture; the file is written whole or not at all.

    Args:
        path: where to; or a file that is open for writing bytes.
        x, data_format, scale: as in `array_to_img`.
        file_format: such as "png"; None for what the path's ending says.
        kwargs: for Pillow's `Image.save`, such as quality=90.

    Raises:
        ValueError: a bad array, or no format of that name.
        OSError: the file cannot be written.
        ImportError: Pillow is missing.
    """
    image = array_to_img(x, scale=scale)
    is_path = isinstance(path, (str, os.PathLike))
    if not is_path and not hasattr(path, "write"):
        raise ValueError(
            f"save_img: expected path as text or a path, or a file open for writing, got {shortened(path)}."
        )
    ending = f".{file_format}" if file_format else Path(path).suffix if is_path else ""
    known = pillow_for("save_img").Image.registered_extensions()
    if ending.lower() not in known:
        raise ValueError(
            f"save_img: expected a picture's ending on path, or file_format, such as 'png' or 'jpg', got "
            f"{shortened(path if file_format is None else file_format)}."
        )
    kind = known[ending.lower()]
    if kind == "JPEG" and image.mode != "L":
        if image.mode == "RGBA":
            warnings.warn("save_img: JPEG has no transparency, which is dropped.", UserWarning, stacklevel=3)
        image = image.convert("RGB" if image.mode == "RGBA" else image.mode)
    if is_path:
        with whole_file(path) as file:
            image.save(file, format=kind, **kwargs)
    else:
        image.save(path, format=kind, **kwargs)


def _dtype(dtype: Any, caller: str) -> np.dtype:
    try:
        kind = np.dtype(np.float32 if dtype is None else dtype)
    except TypeError:
        kind = np.dtype(object)
    if kind.kind not in "iuf":
        raise ValueError(f"{caller}: expected dtype to be one of numbers, such as 'float32' or 'uint8', got {dtype!r}.")
    return kind
