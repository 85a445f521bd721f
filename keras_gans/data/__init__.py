"""Data sets: whatever holds images, points, classes or texts becomes a `tf.data.Dataset` of them.

    import keras_gans as kg

    images = kg.data.load("digits", batch_size=64)            # embedded: works on a bare machine
    images = kg.data.load("mnist", image_size=32)             # any TensorFlow Datasets name
    images = kg.data.load("~/photos", image_size=64)          # any folder of images
    images = kg.data.load(array, labels=False)                # uint8 NumPy images

`load` is `open_source` (a plain `Source`: named columns, each of one kind) followed by `to_dataset` (their order,
batches and range). Two collections of images are "A + B", two that belong together "A = B", and one class of a source
is "A[cat]":

    two = kg.data.open_source("photos[cat] + photos[dog]")    # fields image_a and image_b
    text = kg.data.open_source("train.en = train.de")         # fields source and target
    halves = kg.data.open_source("halves:facades")            # images of two halves: fields image_a and image_b
    captions = kg.data.open_source("~/birds")                 # with metadata.csv: fields image and text

Importing this package imports neither TensorFlow nor TensorFlow Datasets.
"""

from typing import TYPE_CHECKING

from keras_gans.lazy import public_names as _public_names

if TYPE_CHECKING:
    from keras_gans.data.bucketing import to_bucketed_dataset as to_bucketed_dataset
    from keras_gans.data.embedded import GRID_SIGMA as GRID_SIGMA
    from keras_gans.data.embedded import RING_RADII as RING_RADII
    from keras_gans.data.embedded import RING_SIGMAS as RING_SIGMAS
    from keras_gans.data.embedded import grid_centres as grid_centres
    from keras_gans.data.embedded import names as names
    from keras_gans.data.embedded import ring_centres as ring_centres
    from keras_gans.data.fingerprinting import fingerprint as fingerprint
    from keras_gans.data.holding_out import hold_out as hold_out
    from keras_gans.data.opening import check_source as check_source
    from keras_gans.data.opening import open_source as open_source
    from keras_gans.data.pairs import Halves as Halves
    from keras_gans.data.pairs import Paired as Paired
    from keras_gans.data.pairs import Unpaired as Unpaired
    from keras_gans.data.pipeline import load as load
    from keras_gans.data.pipeline import to_dataset as to_dataset
    from keras_gans.data.registration import register_source as register_source
    from keras_gans.data.registration import register_with_tfds as register_with_tfds
    from keras_gans.data.semi_supervised import labelled_subset as labelled_subset
    from keras_gans.data.semi_supervised import to_semi_supervised_dataset as to_semi_supervised_dataset
    from keras_gans.data.service import check_service as check_service
    from keras_gans.data.service import through_service as through_service
    from keras_gans.data.source import Column as Column
    from keras_gans.data.source import Source as Source
    from keras_gans.data.texts import TextArray as TextArray

_HOMES = {
    "Column": "keras_gans.data.source",
    "GRID_SIGMA": "keras_gans.data.embedded",
    "Halves": "keras_gans.data.pairs",
    "Paired": "keras_gans.data.pairs",
    "RING_RADII": "keras_gans.data.embedded",
    "RING_SIGMAS": "keras_gans.data.embedded",
    "Source": "keras_gans.data.source",
    "TextArray": "keras_gans.data.texts",
    "Unpaired": "keras_gans.data.pairs",
    "check_service": "keras_gans.data.service",
    "check_source": "keras_gans.data.opening",
    "fingerprint": "keras_gans.data.fingerprinting",
    "grid_centres": "keras_gans.data.embedded",
    "hold_out": "keras_gans.data.holding_out",
    "labelled_subset": "keras_gans.data.semi_supervised",
    "load": "keras_gans.data.pipeline",
    "names": "keras_gans.data.embedded",
    "open_source": "keras_gans.data.opening",
    "register_source": "keras_gans.data.registration",
    "register_with_tfds": "keras_gans.data.registration",
    "ring_centres": "keras_gans.data.embedded",
    "through_service": "keras_gans.data.service",
    "to_bucketed_dataset": "keras_gans.data.bucketing",
    "to_dataset": "keras_gans.data.pipeline",
    "to_semi_supervised_dataset": "keras_gans.data.semi_supervised",
}

if not TYPE_CHECKING:
    # To a type checker, which reads the imports above, this would be any name at all.
    __getattr__, __dir__, __all__ = _public_names(__name__, _HOMES)
