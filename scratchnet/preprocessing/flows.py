"""Batches of augmented pictures: of arrays, and of files in folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_choice, check_count, check_seed, is_number, pair
from scratchnet.augment import check_pictures
from scratchnet.devices import as_array
from scratchnet.preprocessing.directory import DirectoryFlow, find
from scratchnet.preprocessing.statistics import Standardization
from scratchnet.signatures import OnlyDefault
from scratchnet.training.data import Flow, check_lengths
from scratchnet.utils.pictures import INTERPOLATIONS, MODES


class Flows(Standardization):
    """What `ImageDataGenerator` makes of pictures: `flow` and `flow_from_directory`.

    Args:
        validation_split: the share of the pictures, at the beginning, that is for validation.
        others: as in Standardization.
    """

    dtype: np.dtype

    def __init__(
        self,
        caller: str,
        featurewise: tuple[bool, bool],
        samplewise: tuple[bool, bool],
        zca: tuple[bool, float],
        rescale: float | None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None,
        validation_split: float,
    ):
        if not is_number(validation_split) or not 0 <= validation_split < 1:
            raise ValueError(f"{caller}: expected validation_split from 0 to below 1, got {validation_split!r}.")
        super().__init__(caller, featurewise, samplewise, zca, rescale, preprocessing_function)
        self.validation_split = validation_split

    @checked
    def flow(
        self,
        x: np.ndarray,
        y: np.ndarray | None = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: np.ndarray | None = None,
        seed: int | None = None,
        save_to_dir: OnlyDefault = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: OnlyDefault = False,
        subset: str | None = None,
    ) -> Flow:
        """Batches of augmented pictures, for `fit`, `evaluate`, `predict`, or a loop; see Flow.

        Args:
            x: pictures (N, H, W, C).
            y: labels, or None.
            batch_size, shuffle, sample_weight: as in `model.fit`.
            seed: for order and changes; None for newly drawn ones.
            subset: "training" or "validation", of validation_split; None for all.
            save_prefix, save_format: belong to save_to_dir, which is not there; they ask for nothing.

        Raises:
            ValueError: no pictures, not as many labels, an unknown subset, or `fit` is missing.
        """
        x = as_array(x)
        check_pictures(x, "ImageDataGenerator")
        check_seed(seed, "flow")
        self.check_fitted()
        if subset is not None:
            part = slice(*(int(len(x) * share) for share in self._share(subset, "flow")))
            check_lengths(len(x), y, sample_weight)  # what is cut off would hide it
            x = x[part]
            y, sample_weight = (None if a is None else as_array(a)[part] for a in (y, sample_weight))
        return Flow(x, y, self, batch_size, shuffle, sample_weight, seed, self.dtype)

    @checked
    def flow_from_directory(
        self,
        directory: str | os.PathLike,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: OnlyDefault = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryFlow:
        """Batches of augmented pictures from a folder of folders, one a class, read when they are asked for.

        Args:
            directory: the folder.
            target_size, color_mode, interpolation, keep_aspect_ratio: as in `load_img`.
            classes: the folders to take, in the order of their numbers; None for all, by name.
            class_mode: "categorical" for labels (N, classes), "binary" or "sparse" for (N,), "input" for the pictures
                themselves, all of dtype; None for pictures alone.
            batch_size, shuffle, seed: as in `flow`.
            follow_links: whether folders that are links are gone into.
            subset: "training" or "validation": of each class its first files, validation_split of them, are the latter.
            save_prefix, save_format: belong to save_to_dir, which is not there; they ask for nothing.

        Raises:
            NotADirectoryError: there is no such folder.
            ValueError: bad arguments, no pictures, or `fit` is missing; and, when a batch is taken, a file that cannot
                be read: it is named.
            ImportError: Pillow is missing.
        """
        self.check_fitted()
        check_seed(seed, "flow_from_directory")
        pixels = (
            pair(target_size, "target_size", "flow_from_directory"),
            check_choice(color_mode, MODES, "color_mode"),
            check_choice(interpolation, INTERPOLATIONS, "interpolation"),
            keep_aspect_ratio,
        )
        return DirectoryFlow(
            self,
            find(directory, classes, follow_links, self._share(subset, "flow_from_directory")),
            directory,
            pixels,
            class_mode,
            check_count(batch_size, "batch_size", "flow_from_directory"),
            shuffle,
            seed,
            self.dtype,
        )

    def _share(self, subset: str | None, caller: str) -> tuple[float, float]:
        """Which part of the files or pictures a subset is, from 0 to 1."""
        if subset is None:
            return 0, 1
        if check_choice(subset, ("training", "validation"), "subset") and not self.validation_split:
            raise ValueError(
                f"{caller}: subset={subset!r} needs ImageDataGenerator(validation_split=...), such as 0.2."
            )
        return (0, self.validation_split) if subset == "validation" else (self.validation_split, 1)
