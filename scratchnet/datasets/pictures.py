"""One picture from a file, by Pillow, which is asked for when the first one is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

# Pillow's modes that become red, green and blue; beside them grey of more than 8 bits, and floats.
MODES = frozenset(("1", "CMYK", "HSV", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr"))


def pillow_for(caller: str) -> Any:
    """Pillow's package.

    Raises:
        ImportError: it is not there; what to install.
    """
    try:
        import PIL.Image
        import PIL.ImageOps
    except ImportError as error:
        raise ImportError(
            f'{caller} reads pictures with Pillow, which is not there: {error}. pip install "scratchnet[images]".'
        ) from error
    return PIL


def as_bytes(image: Any, mode: str) -> np.ndarray:
    """A grey picture of more than 8 bits, or of floats, as bytes; Pillow itself would cut off all above 255.

    16 bits become their upper 8. In pictures of 32-bit whole numbers, white is 255; where a number is above 255, it is
    65535. In those of floats it is the same, and 1 where no number is larger.

    Raises:
        ValueError: numbers below 0, above 65535, NaN or infinity.
    """
    grey = np.asarray(image).astype(np.float64)
    if not (grey >= 0).all() or not (grey <= 65535).all():
        raise ValueError(
            f"expected grey numbers of mode {mode} from 0 to 1, 255 or 65535, got {grey.min() + 0:g} to "
            f"{grey.max() + 0:g}: what is black and what is white is not known"
        )
    if mode.startswith("I;16") or grey.max(initial=0) > 255:
        grey = np.floor(grey / 256)
    elif mode == "F" and grey.max(initial=0) <= 1:
        grey = np.rint(grey * 255)
    return np.rint(grey).astype(np.uint8)


def to_rgb(image: Any, pillow: Any) -> Any:
    """The picture in red, green and blue: transparent places white, grey of 16 bits or of floats as 8 bits.

    Raises:
        ValueError: a mode that cannot be converted, such as LAB.
    """
    mode = image.mode
    if mode == "F" or mode.startswith("I"):
        return pillow.Image.fromarray(as_bytes(image, mode)).convert("RGB")
    if mode in ("La", "RGBa"):  # colours that are multiplied by the transparency already
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[mode])
    if mode not in MODES:
        raise ValueError(f"pictures of mode {mode} are not read; save it as RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = pillow.Image.alpha_composite(pillow.Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def read_image(path: Path, height: int, width: int) -> np.ndarray:
    """One picture, uint8 (height, width, 3), its shorter side scaled to fit and the rest of the longer one cut off.

    Raises:
        Exception: whatever Pillow raises for a file it cannot read.
    """
    pillow = pillow_for("image_folder")
    with pillow.Image.open(path) as image:
        # A JPEG file can be decoded smaller at once; twice the size is kept, so that scaling has something to average.
        image.draft(None, (2 * max(height, width),) * 2)
        upright = pillow.ImageOps.exif_transpose(image)  # as the camera was held
        rgb = to_rgb(upright, pillow)
    return np.asarray(pillow.ImageOps.fit(rgb, (width, height), method=pillow.Image.Resampling.BICUBIC))
