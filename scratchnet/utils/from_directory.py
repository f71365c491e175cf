"""`image_dataset_from_directory`: pictures in folders, one a class, as batches to train on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from scratchnet import random
from scratchnet.annotations import checked
from scratchnet.arguments import check_choice, check_count, check_number, check_sizes, pair, shortened
from scratchnet.datasets.pictures import as_bytes, pillow_for
from scratchnet.printing import say
from scratchnet.signatures import OnlyDefault
from scratchnet.utils.image_dataset import ImageDataset
from scratchnet.utils.listing import Listing, classes_in, files_below, listing, one_hot
from scratchnet.utils.pictures import MODES, open_picture
from scratchnet.utils.resizing import METHODS, cropped, padded, resized

CALLER = "image_dataset_from_directory"
ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


@checked
def image_dataset_from_directory(
    directory: str | os.PathLike,
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: int | tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: OnlyDefault = None,
    format: OnlyDefault = "tf",
    verbose: bool = True,
) -> Any:
    """Pictures in a folder of folders, one a class, as batches (x, y) that are read when they are asked for.

    x is float32 (N, H, W, C), from 0 to 255. Classes are numbered by the names of their folders; pictures may lie
    deeper within. What begins with a dot, and what is no .bmp, .gif, .jpeg, .jpg or .png, is passed over. Files, their
    order before it shuffles and their split are Keras's.

    Args:
        directory: the folder.
        labels: "inferred" from the folders; a list of whole numbers, one for each file by the files' order; or None.
        label_mode: "int" for y (N,) of int32; "categorical" for (N, classes), "binary", of two classes, for (N, 1), of
            float32; None for x alone.
        class_names: the folders to take, in the order of their numbers.
        color_mode: "grayscale", "rgb" or "rgba": C is 1, 3 or 4.
        batch_size: pictures a batch; None for single pictures (H, W, C).
        image_size: (height, width) in pixels, or one number for both.
        shuffle: whether the files are put into random order, and each pass has another one.
        seed: of that order; with validation_split it must be given.
        validation_split: the share of the files, at the end, that is for validation.
        subset: "training", "validation", or "both" for a list of both data sets.
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian" or "mitchellcubic".
        follow_links: whether folders that are links are gone into.
        crop_to_aspect_ratio: whether the middle is cut out in the proportions of image_size, instead of stretched.
        pad_to_aspect_ratio: whether the picture keeps its proportions, with zeros around it.
        data_format, format: channels come last, and what is returned is an `ImageDataset`.
        verbose: whether the numbers of files and classes are printed.

    Returns:
        An `ImageDataset`, or a list of two.

    Raises:
        NotADirectoryError: there is no such folder.
        ValueError: bad arguments, no pictures; and, when a batch is taken, a file that cannot be read: it is named.
        ImportError: Pillow is missing.
    """
    pillow_for(CALLER)
    mode = None if labels is None or label_mode is None else check_choice(label_mode, LABELS, "label_mode")
    size = (image_size, image_size) if isinstance(image_size, (int, np.integer)) else image_size
    read = _reader(
        check_choice(color_mode, MODES, "color_mode"),
        pair(size, "image_size", CALLER),
        check_choice(interpolation, METHODS, "interpolation"),
        crop_to_aspect_ratio,
        pad_to_aspect_ratio,
    )
    if batch_size is not None:
        check_count(batch_size, "batch_size", CALLER)
    share = _checked_split(validation_split, subset, shuffle, seed)
    if seed is not None:
        check_count(seed, "seed", CALLER, 0, 2**32 - 1)
    found = _found(os.fspath(directory), labels if mode else None, class_names, bool(follow_links))
    if verbose:
        say(f"Found {len(found.paths)} files" + (f" belonging to {len(found.names)} classes." if mode else "."))
    if mode == "binary" and len(found.names) != 2:
        raise ValueError(f'{CALLER}: label_mode="binary" needs two classes, got {shortened(found.names)}.')
    paths, numbers = found.paths, found.labels
    if shuffle:
        order = np.arange(len(paths))
        # With a seed by NumPy's old generator, as in Keras: the same files for training and for validation.
        shuffler = random.generator() if seed is None else np.random.RandomState(seed)
        shuffler.shuffle(order)
        paths, numbers = [paths[i] for i in order], numbers[order]
    y = None if mode is None else LABELS[mode](numbers, len(found.names))
    kept = len(paths) - int(share * len(paths))
    made = []
    for name, files in (("training", slice(kept)), ("validation", slice(kept, None))):
        if subset not in (name, "both", None):
            continue
        files = slice(None) if subset is None else files
        if not paths[files]:
            which = f" for {name}, of {len(paths)} in all" if paths else f". Read are {' '.join(ENDINGS)}"
            raise ValueError(f"{CALLER}: no pictures in {os.fspath(directory)!r}{which}.")
        if verbose and subset:
            say(f"Using {len(paths[files])} files for {name}.")
        again = shuffle and (subset, name) != ("both", "validation")  # there, as in Keras, the order stays
        labels_of_it, names = (None, None) if y is None else (y[files], found.names)
        made.append(ImageDataset(paths[files], labels_of_it, read, batch_size, again, seed, names))
    return made if subset == "both" else made[0]


LABELS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "int": lambda labels, count: labels,
    "binary": lambda labels, count: labels[:, None].astype(np.float32),
    "categorical": one_hot,
}


def _checked_split(share: float | None, subset: str | None, shuffle: bool, seed: int | None) -> float:
    if share is not None and share != 0:
        check_number(share, "validation_split", CALLER, 0, 1, above=True, below=True)
    if subset is not None:
        check_choice(subset, ("both", "training", "validation"), "subset")
    if bool(share) != (subset is not None):
        raise ValueError(
            f"{CALLER}: validation_split and subset must be given together, such as validation_split=0.2 and "
            f'subset="training"; got validation_split={share!r} and subset={subset!r}.'
        )
    if share and shuffle and seed is None:
        raise ValueError(
            f"{CALLER}: with validation_split and shuffle a seed must be given, such as seed=0, or the training and "
            "the validation set overlap."
        )
    return share or 0.0


def _found(directory: str, labels: Any, class_names: Sequence[str] | None, follow_links: bool) -> Listing:
    """The files, their labels, and the classes' names."""
    if isinstance(labels, str):
        if labels != "inferred":
            raise ValueError(
                f'{CALLER}: expected labels to be "inferred", a list of whole numbers, or None, got '
                f"{shortened(labels)}."
            )
        return listing(directory, classes_in(directory, class_names, CALLER, "class_names"), ENDINGS, follow_links)
    if class_names is not None:
        raise ValueError(f'{CALLER}: class_names needs labels="inferred", got class_names={shortened(class_names)}.')
    if not os.path.isdir(directory):
        raise NotADirectoryError(f"{CALLER}: expected directory to be a folder of pictures; {directory!r} is none.")
    paths = list(files_below(directory, ENDINGS, follow_links))
    if labels is None:
        return Listing(paths, np.zeros(len(paths), np.int32), [])
    numbers = check_sizes(labels, "labels", CALLER, 0)
    if len(numbers) != len(paths):
        raise ValueError(
            f"{CALLER}: expected labels to be one for each of the {len(paths)} files in {directory!r}, got "
            f"{len(numbers)}."
        )
    return Listing(paths, np.array(numbers, np.int32), [str(number) for number in sorted(set(numbers))])


def _reader(color_mode: str, size: tuple[int, int], method: str, crop: bool, pad: bool) -> Callable[[str], np.ndarray]:
    if crop and pad:
        raise ValueError(f"{CALLER}: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True, got both.")
    return partial(_read, color_mode=color_mode, size=size, method=method, crop=crop, pad=pad)


def _read(path: str, color_mode: str, size: tuple[int, int], method: str, crop: bool, pad: bool) -> np.ndarray:
    image = open_picture(path, color_mode, CALLER)
    x = as_bytes(image, image.mode) if image.mode.startswith("I") else np.asarray(image)
    x = x[..., None] if x.ndim == 2 else x
    if pad:
        return padded(x, size, method)
    return resized(cropped(x, size) if crop else x, size, method)
