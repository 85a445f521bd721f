"""Data sets: whatever holds images becomes a `tf.data.Dataset` of them.

    import keras_gans as kg

    images = kg.data.load("digits", batch_size=64)            # embedded: works on a bare machine
    images = kg.data.load("mnist", image_size=32)             # any TensorFlow Datasets name
    images = kg.data.load("~/photos", image_size=64)          # any folder of images
    images = kg.data.load(array, labels=False)                # uint8 NumPy images

`load` is `open_source` (a plain `Source`: the images as one array) followed by `to_dataset` (their order, batches
and range). Importing this package imports neither TensorFlow nor TensorFlow Datasets; importing TensorFlow
Datasets before or after it makes `tfds.load("digits")`, `"ring"` and `"grid"` work too.
"""

import importlib

from keras_gans.data import registration

_HOMES = {
    "load": "pipeline",
    "to_dataset": "pipeline",
    "to_semi_supervised_dataset": "semi_supervised",
    "labelled_subset": "semi_supervised",
    "open_source": "opening",
    "check_source": "opening",
    "check_service": "service",
    "through_service": "service",
    "Source": "source",
    "names": "embedded",
    "ring_centres": "embedded",
    "grid_centres": "embedded",
    "RING_SIGMAS": "embedded",
    "RING_RADII": "embedded",
    "GRID_SIGMA": "embedded",
}

__all__ = list(_HOMES)


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"keras_gans.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'keras_gans.data' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])


registration.register_with_tfds()
