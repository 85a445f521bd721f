"""From whatever a user calls a data set to a `Source`."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.data import naming, pairs
from keras_gans.data.source import Source, check_image_options
from keras_gans.errors import UserError
from keras_gans.registry import sources

DEFAULT_IMAGE_SIZE = 64
_EXPLICIT_PATHS = ("./", "../", "/", "~", ".\\", "..\\")


def open_source(
    source: Any,
    *,
    split: str = "train",
    image_size: int | None = None,
    channels: int | None = None,
    labels: Any = False,
    data_dir: str | Path | None = None,
    progress: bool = False,
    skip_unreadable: bool = False,
) -> "Source":
    """Opens a data set by name, a folder of images or an array.

    Args:
        source: a name, such as "digits" or any that TensorFlow Datasets knows; the path of a folder of images, as a
            `Path` or str; an array of images or points; or a tuple (array, labels). A str that is both a name and a
            folder is the name: write "./mnist" for the folder. Two collections are `Unpaired` or `Paired`, or strings
            "A + B" and "A = B"; "halves:FOLDER" has images that each hold a pair side by side, see `Halves`;
            "SOURCE[CLASS]" is one class of a source. Names registered by `register_source` come
            first.
        split: name of a split; data sets by name take slices too, such as "train[:80%]".
        image_size: side in pixels of the squares that the images are centre-cropped and resized to. By default
            images keep their shape where they all have the same, and are 64 otherwise; see `folder.KEPT_SIZES`.
        channels: 1 (grey) or 3 (colour); by default whatever the images have.
        labels: whether labels are required.
        data_dir: where prepared data sets lie; for names only. By default $TFDS_DATA_DIR or ~/tensorflow_datasets,
            and for the embedded ones $KERAS_GANS_CACHE or ~/.cache/keras_gans.
        progress: whether to draw progress bars.
        skip_unreadable: whether to leave out image files that cannot be read, which the source's `note` then names;
            for folders only. Otherwise they are an error.

    Returns:
        A `Source`.

    Raises:
        NoSplitError: it has no such split.
        UserError: the source, or a choice about it, cannot be used.
    """
    check_image_options(image_size, channels)
    if isinstance(source, Source):
        return source
    shared = {"image_size": image_size, "channels": channels, "progress": progress}
    if isinstance(source, str) and source in sources:
        _check_skips_files(skip_unreadable, source)
        return sources[source](split=split, **shared)
    shared["skip_unreadable"] = skip_unreadable
    if (halves := pairs.halves_of(source)) is not None:
        from keras_gans.data.folder import open_halves

        return open_halves(halves, split=split, **shared)
    pair = pairs.pair_of(source)
    if isinstance(pair, pairs.Paired):
        return pairs.open_paired(pair, split=split, **shared)
    if pair is not None:
        of_files = [_is_of_files(side, data_dir) for side in (pair.a, pair.b)]
        if not any(of_files):
            _check_skips_files(skip_unreadable, f"{pair.a} + {pair.b}")
        a, b = (
            open_source(
                side,
                split=split,
                labels=labels,
                data_dir=data_dir,
                **{**shared, "skip_unreadable": skip_unreadable and of_file},
            )
            for side, of_file in zip((pair.a, pair.b), of_files, strict=True)
        )
        if image_size is None and _differ_in_size(a, b) and any(of_files):
            # Each kept the size that its own files share.
            return open_source(
                source, split=split, labels=labels, data_dir=data_dir, **{**shared, "image_size": DEFAULT_IMAGE_SIZE}
            )
        return pairs.unpaired_source(pair, a, b)
    source, class_name = pairs.class_of(source)
    if class_name is not None:
        opened = open_source(source, split=split, labels=True, data_dir=data_dir, **shared)
        return pairs.only_class(opened, class_name)
    kind = _kind(source, data_dir)
    if kind != "name" and data_dir is not None:
        raise UserError(f"data_dir is for data sets by name, and the source is of kind {kind!r}. Leave it out.")
    if kind != "folder":
        _check_skips_files(skip_unreadable, source if kind == "name" else "an array")
    options = {"split": split, "image_size": image_size, "channels": channels}
    if kind == "name":
        from keras_gans.data.tfds_source import open_tfds

        opened = open_tfds(source, data_dir=data_dir, progress=progress, **options)
    elif kind == "folder":
        from keras_gans.data.folder import open_folder

        opened = open_folder(source, labels=labels, progress=progress, skip_unreadable=skip_unreadable, **options)
    else:
        from keras_gans.data.arrays import open_array

        opened = open_array(source, **options)
    if labels:
        opened.require_labels()
    return opened


def _check_skips_files(skip_unreadable, source):
    if skip_unreadable:
        raise UserError(
            f"skip_unreadable leaves image files of a folder out, and {source} is no folder: leave --skip-unreadable "
            "out."
        )


def check_source(source: Any, *, data_dir: str | Path | None = None) -> None:
    """Raises `UserError` for a source that `open_source` would refuse at once, in half a second and without TensorFlow.

    A name that passes may still need to be downloaded, and a folder may still hold a damaged image.

    Args:
        source: as for `open_source`.
        data_dir: likewise.
    """
    if isinstance(source, Source) or isinstance(source, str) and source in sources:
        return
    if (halves := pairs.halves_of(source)) is not None:
        from keras_gans.data.folder import check_folder

        check_folder(halves.folder)
        return
    pair = pairs.pair_of(source)
    if isinstance(pair, pairs.Paired):
        pairs.check_paired(pair)
        return
    if pair is not None:
        check_source(pair.a, data_dir=data_dir)
        check_source(pair.b, data_dir=data_dir)
        return
    source, _ = pairs.class_of(source)
    kind = _kind(source, data_dir)
    if kind == "name":
        naming.check_name(source, data_dir)
    elif kind == "folder":
        from keras_gans.data.folder import check_folder

        check_folder(source)
    else:
        from keras_gans.data.arrays import check_array

        check_array(source)


def _differ_in_size(a, b):
    return not (a.is_points or b.is_points) and a.sample_shape[:2] != b.sample_shape[:2]


def _is_of_files(source, data_dir):
    source, _ = pairs.class_of(source)
    return isinstance(source, str | os.PathLike) and is_folder(source, data_dir)


def _kind(source, data_dir):
    """ "name", "folder" or "array"."""
    if isinstance(source, str):
        if not source.strip():
            raise UserError(
                f"A data set's name or folder is needed; . is the folder that you are in. Received: {source!r}."
            )
        return "folder" if is_folder(source, data_dir) else "name"
    if isinstance(source, os.PathLike):
        return "folder"
    if isinstance(source, np.ndarray | list | tuple) or hasattr(source, "__array__"):
        return "array"
    raise UserError(
        "A data set is a name, the path of a folder, an array or a tuple (array, labels). "
        f"Received: {type(source).__name__}."
    )


def is_folder(source: str | Path, data_dir: str | Path | None = None) -> bool:
    """Whether a source by name or path is read as a folder of images."""
    if isinstance(source, os.PathLike):
        return True
    if source.startswith(_EXPLICIT_PATHS) or source in (".", ".."):
        return True
    if naming.is_embedded(source):
        return False
    looks_like_path = os.path.exists(source) or "/" in source or os.sep in source
    return looks_like_path and not naming.is_known_to_tfds(source, data_dir)
