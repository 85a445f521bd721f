"""What samples are compared with: a split that the data set has for it, or a share of the rows, set aside in time."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.data import cache, naming, pairs
from keras_gans.data.opening import is_folder, open_source
from keras_gans.data.pairs import class_of, pair_of
from keras_gans.data.source import Source
from keras_gans.data.texts import TextArray
from keras_gans.errors import NoLabelsError, NoSplitError, UserError
from keras_gans.fields import Classes, Images
from keras_gans.files import at_home
from keras_gans.registry import sources

_CHUNK = 1024
HELD_OUT_SPLITS = ("test", "validation", "val")


def hold_out(source: Source, share: float, data_dir: str | Path | None = None) -> Source:
    """Sets a share of the rows aside, unless the data set has a split for it.

    Which rows is a function of what they hold: of an image's pixels, of a point or a text. It depends neither on a seed
    nor on the other rows, and copies of one image stay on one side.

    Args:
        source: the training data.
        share: of the rows, from 0 for none to below 1.
        data_dir: where prepared data sets lie.

    Returns:
        The `Source` to train on, whose `held_out` is the `Source` of the others; the given one where nothing is held
        out: a share of 0, a data set that has its own split, and data that come along.

    Raises:
        UserError: a share that is none, or too few different rows to share out.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
        raise UserError(
            f"hold_out is a share of the data, from 0 for none to below 1, such as 0.1. Received: {share!r}."
        )
    # An array has no name by which another split could be found.
    if share == 0 or source.name != "array" and has_held_out_split(source.name, data_dir):
        return source
    kept, held = {}, {}
    for group in source.groups:
        columns = {name: column for name, column in source.columns.items() if column.group == group}
        places = _places(next(iter(columns.values())).values)
        if len(np.unique(places)) < 2:
            raise UserError(
                f"{source.name!r} has {len(places)} row(s), all alike, so that none can be held out to measure with. "
                "Give more data, or hold_out=0 (--hold-out 0) to train on all of them."
            )
        # At least one of either, however few there are.
        limit = np.clip(share, places.min(), np.max(places[places < places.max()]))
        for side, rows in ((held, places <= limit), (kept, places > limit)):
            side.update({name: _taken(name, column, np.flatnonzero(rows)) for name, column in columns.items()})
    order = list(source.columns)
    return dataclasses.replace(
        source,
        columns={name: kept[name] for name in order},
        held_out=dataclasses.replace(
            source, split=f"held out of {source.split}", columns={name: held[name] for name in order}
        ),
    )


def _taken(name, column, rows):
    """Some rows of a column; of a memory map, which may not fit in memory, as another one."""
    values = column.values
    if not isinstance(values, np.memmap):
        return column.take(rows)

    def fill(array):
        for start in range(0, len(rows), _CHUNK):
            array[start : start + _CHUNK] = values[rows[start : start + _CHUNK]]

    def identity():
        # Both halves of images lie in one file.
        return f"{name} in {values.filename} {hashlib.sha256(rows.tobytes()).hexdigest()}"

    kept = cache.filled_array((len(rows), *values.shape[1:]), values.dtype, fill, identity)
    return dataclasses.replace(column, values=kept)


def _places(values: Any) -> np.ndarray:
    """A number in [0, 1) for each row, the same for rows that hold the same, and otherwise as if drawn at random."""
    if isinstance(values, TextArray):
        rows = ("\0".join(values[row]).encode() for row in range(len(values)))
    else:
        rows = (np.ascontiguousarray(row).tobytes() for row in values)
    digests = (hashlib.blake2b(row, digest_size=8, person=b"held out").digest() for row in rows)
    return np.array([int.from_bytes(digest, "big") / 2**64 for digest in digests])


def held_out_of(source: Source, labels: bool = False, data_dir: str | Path | None = None) -> Source | None:
    """What samples are to be compared with: what was set aside, else the split "test" or "validation", else None.

    Images have the size and channels of those that are trained on, and labels its numbers of classes, see
    `in_classes_of`.

    Args:
        source: the training data.
        labels: whether labels are needed; a split without them is passed over.
        data_dir: where prepared data sets lie.

    Raises:
        UserError: there is such a split and it cannot be opened, such as for an image that cannot be read: other
            rows in its place would be another measurement.
    """
    if source.held_out is not None:
        return source.held_out
    if _is_of_arrays(source.name):
        return None
    shapes = [column.field.shape for column in source.columns.values() if isinstance(column.field, Images)]
    options = {"skip_unreadable": source.skip_unreadable}
    if shapes:
        # What all collections agree in was asked for, or will come of itself.
        height, width, channels = (sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes, strict=True))
        options |= {"image_size": height if height == width else None, "channels": channels}
    for split in HELD_OUT_SPLITS:
        if split == source.split:
            continue
        try:
            found = open_source(source.name, split=split, labels=labels, data_dir=data_dir, **options)
            if labels:
                found.require_labels()
        except (NoSplitError, NoLabelsError):
            continue
        if all(name in found.columns and found.fields[name].shape == field.shape for name, field in _fixed(source)):
            return in_classes_of(source, found)
    return None


def in_classes_of(source: Source, other: Source) -> Source:
    """Another source, its labels in the numbers that the classes have in the first: folders number their own.

    Labels among which are classes that the first does not have stay as they are; their field's names tell.
    """
    columns = dict(other.columns)
    for name, column in columns.items():
        own = source.fields.get(name)
        if not (isinstance(own, Classes) and isinstance(column.field, Classes)) or own.names == column.field.names:
            continue
        if set(column.field.names) <= set(own.names):
            numbers = np.array([own.names.index(each) for each in column.field.names], np.int64)
            values = np.asarray(column.values)
            values = np.where(values < 0, values, numbers[values])
            columns[name] = dataclasses.replace(column, field=own, values=values)
    return dataclasses.replace(other, columns=columns)


def _is_of_arrays(name):
    """Whether a source, or one side of it, came as an array, which has no splits."""
    pair = pair_of(name)
    sides = (pair.a, pair.b) if pair else (name,)
    return any(class_of(side)[0] == "array" for side in sides)


def _fixed(source):
    """(name, field) of the columns that are measured."""
    return [(name, field) for name, field in source.fields.items() if field.shape]


def has_held_out_split(name: Any, data_dir: str | Path | None = None) -> bool:
    """Whether a data set of that name, as `open_source` takes it, has a split "test" or "validation" of its own."""
    if isinstance(name, str) and name in sources:
        return _opens(name)
    if (halves := pairs.halves_of(name)) is not None:
        return _folder_has(halves.folder)
    pair = pairs.pair_of(name)
    if isinstance(pair, pairs.Paired):
        return any(_paired_has(pair, split) for split in HELD_OUT_SPLITS)
    if pair is not None:
        return all(has_held_out_split(side, data_dir) for side in (pair.a, pair.b))
    name, _ = pairs.class_of(name)
    if not isinstance(name, str | Path):
        return False
    if is_folder(name, data_dir):
        return _folder_has(name)
    if naming.is_embedded(name):
        return True
    from keras_gans.data.tfds_source import splits_of

    return bool({*HELD_OUT_SPLITS, "testA", "validationA"} & set(splits_of(name, data_dir)))


def _opens(name):
    for split in HELD_OUT_SPLITS:
        try:
            open_source(name, split=split)
            return True
        except NoSplitError:
            continue
    return False


def _folder_has(folder):
    from keras_gans.data.folder import split_folders

    root = at_home(folder)
    found = split_folders(root) if root.is_dir() else {}
    return any(split in found or {f"{split}A", f"{split}B"} <= set(found) for split in HELD_OUT_SPLITS)


def _paired_has(pair, split):
    try:
        paths = pairs.check_paired(pair, split)
    except NoSplitError:
        return False
    return all(path.exists() for path in paths)
