"""Which names data sets have, found out without TensorFlow."""

import os
import re
from pathlib import Path

from keras_gans.data import embedded, shapes
from keras_gans.errors import UserError, nearest, unknown_name
from keras_gans.files import at_home


def base_name(name: str) -> str:
    """A name without its configuration and version: of "ring/wide" it is "ring"."""
    return re.split("[/:]", name)[0]


def is_embedded(name: str) -> bool:
    """True for the name of an embedded data set, with or without a configuration."""
    return base_name(name) in map(base_name, embedded.names())


def check_name(name: str, data_dir: str | Path | None = None) -> None:
    """Raises `UserError`, naming the nearest names, unless `name` is embedded or known to TensorFlow Datasets.

    It takes half a second: TensorFlow Datasets is imported, TensorFlow is not.
    """
    if is_embedded(name):
        configs = {"ring": embedded.RING_RADII, "shapes": shapes.SIZES}
        known = {*embedded.names(), *(f"{base}/{config}" for base, every in configs.items() for config in every)}
        if name not in known:
            raise unknown_name("data set", name, known)
    elif not is_known_to_tfds(name, data_dir):
        wanted = base_name(name)
        few = {*embedded.names(), *nearest(wanted, {*_tfds_names(), *map(base_name, embedded.names())})}
        raise UserError(
            f"{unknown_name('data set', wanted, few)} These are the embedded and the nearest ones; any other name that "
            "tfds.list_builders() lists will do, and so will the path of a folder of images."
        )


def is_known_to_tfds(name: str, data_dir: str | Path | None = None) -> bool:
    """True where TensorFlow Datasets has the code of the data set, or `data_dir` its prepared files."""
    folder, base = tfds_folder(data_dir), base_name(name)
    # "./photos" begins with a folder that is always there.
    prepared = folder is not None and base.isidentifier() and os.path.isdir(at_home(folder) / base)
    return base in _tfds_names() or prepared


def _tfds_names():
    import tensorflow_datasets as tfds

    return frozenset(tfds.list_builders(with_community_datasets=False))


def tfds_folder(data_dir: str | Path | None) -> str | Path | None:
    """Where prepared data sets lie, or None for TensorFlow Datasets' own default."""
    return data_dir or os.environ.get("TFDS_DATA_DIR") or None
