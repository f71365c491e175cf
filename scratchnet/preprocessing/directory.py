"""Pictures in a folder of folders, read and augmented batch by batch: what `flow_from_directory` gives."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from scratchnet.arguments import check_choice
from scratchnet.augment import Augmentation, key_of
from scratchnet.datasets.pictures import pillow_for
from scratchnet.printing import say
from scratchnet.training.streams import PyDataset
from scratchnet.utils.listing import Listing, classes_in, listing, one_hot
from scratchnet.utils.pictures import img_to_array, load_img
from scratchnet.utils.reading import pass_order, read_all

CALLER = "flow_from_directory"
ENDINGS = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff")
CLASS_MODES = ("binary", "categorical", "input", "sparse")
Pixels = tuple[tuple[int, int], str, str, bool]  # target_size, color_mode, interpolation, keep_aspect_ratio


class DirectoryFlow(PyDataset):
    """Augmented pictures of a folder of folders, in batches, as Keras's DirectoryIterator.

    `model.fit(flow)` trains on it, and `evaluate` and `predict` take it. By hand, `flow[i]` is batch i of the pass, and
    `for x, y in flow` goes round for ever, as in Keras: break out of it after len(flow) batches.

    Attributes:
        class_indices: dict, the number of each class by its folder's name.
        classes, labels: (n,), int32, the class's number of each file.
        filenames, filepaths: of the files: class/name.jpg, and with the folder.
        n, samples: how many files.
        num_classes, image_shape, target_size, color_mode, class_mode, batch_size.

    Args:
        augment: the ImageDataGenerator.
        found: the files and their classes.
        directory: where they were found.
        pixels: (target_size, color_mode, interpolation, keep_aspect_ratio) of `load_img`.
        class_mode: "categorical", "binary", "sparse", "input" or None; see `flow_from_directory`.
        batch_size: pictures a batch.
        shuffle: whether each pass has an order of its own.
        seed: for order and changes; None for newly drawn ones.
        dtype: of pictures and labels, float32 or float64.
    """

    def __init__(
        self,
        augment: Augmentation,
        found: Listing,
        directory: str | os.PathLike,
        pixels: Pixels,
        class_mode: str | None,
        batch_size: int,
        shuffle: bool,
        seed: int | None,
        dtype: np.dtype,
    ):
        super().__init__()
        self.class_mode = None if class_mode is None else check_choice(class_mode, CLASS_MODES, "class_mode")
        (self.target_size, self.color_mode, interpolation, keep) = pixels
        self.image_shape = (*self.target_size, {"grayscale": 1, "rgb": 3, "rgba": 4}[self.color_mode])
        self._read = partial(_read, pixels=(self.target_size, self.color_mode, interpolation, keep))
        self.augment, self.directory = augment, os.fspath(directory)
        self.filepaths, self.classes = found.paths, found.labels
        self.filenames = [os.path.relpath(path, self.directory) for path in found.paths]
        self.class_indices = {name: number for number, name in enumerate(found.names)}
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self.dtype, self.key, self.passes, self._place = dtype, key_of(seed), 0, 0
        self._order = self._new_order()

    def _new_order(self) -> np.ndarray:
        return pass_order(self.n, self.shuffle, self.seed, self.passes)

    @property
    def n(self) -> int:
        """How many files."""
        return len(self.filepaths)

    samples = n

    @property
    def num_classes(self) -> int:
        """How many classes."""
        return len(self.class_indices)

    @property
    def labels(self) -> np.ndarray:
        """The class's number of each file."""
        return self.classes

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"{CALLER}: expected the number of a batch from 0 to {len(self) - 1}, got {index}.")
        chosen = self._order[index * self.batch_size :][: self.batch_size]
        pictures = read_all(self._read, [self.filepaths[i] for i in chosen])
        # Each batch of each pass has random numbers of its own.
        x = self.augment(pictures, None, self.passes * len(self) + index, self.key, self.dtype)
        if self.class_mode is None:
            return x
        if self.class_mode == "input":
            return x, x.copy()
        numbers = self.classes[chosen]
        y = one_hot(numbers, self.num_classes) if self.class_mode == "categorical" else numbers
        return x, y.astype(x.dtype)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        batch = self[self._place]
        self._place += 1
        if self._place == len(self):
            self.on_epoch_end()
        return batch

    next = __next__

    def reset(self) -> None:
        """Go on with the first batch of this pass."""
        self._place = 0

    def on_epoch_end(self) -> None:
        """Begin another pass: a new order, other changes."""
        self._place, self.passes = 0, self.passes + 1
        self._order = self._new_order()


def _read(path: str, pixels: Pixels) -> np.ndarray:
    size, color_mode, interpolation, keep = pixels
    return img_to_array(load_img(path, color_mode, size, interpolation, keep))


def find(
    directory: str | os.PathLike, classes: Sequence[str] | None, follow_links: bool, share: tuple[float, float]
) -> Listing:
    """The files of each class from the first to the second share of them, in order.

    Raises:
        NotADirectoryError: there is no such folder.
        ValueError: it has none of the classes, or no pictures.
        ImportError: Pillow is missing.
    """
    pillow_for(CALLER)
    folder = os.fspath(directory)
    wanted = None if classes is None or len(classes) == 0 else classes
    whole = listing(folder, classes_in(folder, wanted, CALLER, "classes"), ENDINGS, bool(follow_links))
    kept: list[int] = []
    for number in range(len(whole.names)):
        files = np.flatnonzero(whole.labels == number).tolist()
        kept += files[slice(*(int(part * len(files)) for part in share))]
    if not kept:
        raise ValueError(
            f"{CALLER}: no pictures in {folder!r}, of {len(whole.paths)} in all. Read are {' '.join(ENDINGS)}."
        )
    say(f"Found {len(kept)} images belonging to {len(whole.names)} classes.")
    return Listing([whole.paths[i] for i in kept], whole.labels[kept], whole.names)
