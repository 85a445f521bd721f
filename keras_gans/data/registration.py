"""Data sets of one's own by name, and the embedded ones for TensorFlow Datasets."""

import importlib
from collections.abc import Callable

from keras_gans.data.source import Source
from keras_gans.registry import sources


def register_source(name: str) -> Callable[[Callable[..., Source]], Callable[..., Source]]:
    """Decorator: files a function that opens data under a name, which `open_source` and `--data` then take.

        @kg.data.register_source("pairs")
        def pairs(*, split="train", **options):
            return kg.data.Source.of({"first": ..., "second": ...}, name="pairs", split=split)

    Args:
        name: of the data; it comes before any of TensorFlow Datasets' names.

    The function gets `split`, `image_size`, `channels` and `progress` as keywords, and returns a `Source`. Where it has
    no such split it raises `keras_gans.errors.NoSplitError`: then a share of its rows is held out to measure with.

    Raises:
        ValueError: the name is taken.
    """
    return sources.register(name)


def register_with_tfds() -> None:
    """Makes `tfds.load` know the embedded data sets: "digits", "ring" and "grid"."""
    importlib.import_module("keras_gans.data.builders")
