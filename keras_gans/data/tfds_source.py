"""TensorFlow Datasets: the embedded builders, and whatever else it knows by name."""

import contextlib
import functools
import io
import os
from itertools import islice
from pathlib import Path

import numpy as np

from keras_gans.data import cache, embedded, network, pictures
from keras_gans.data.naming import base_name, check_name, is_embedded, tfds_folder
from keras_gans.data.source import Source, check_no_image_options
from keras_gans.errors import UserError

_DEFAULT_IMAGE_SIZE = 64
_CHUNK = 256
_HINT = "TensorFlow Datasets has no whole-numbered feature 'label' for it, or withholds it in this split."


def open_tfds(name, *, split="train", image_size=None, channels=None, data_dir=None, progress=False):
    """Opens a data set by its name, preparing it first where that has not been done.

    Args:
        name: of an embedded data set, or any that TensorFlow Datasets takes: "mnist", "cycle_gan/horse2zebra".
        split: name of a split, or a slice of it such as "train[:80%]".
        image_size: side of the squares to crop and resize to; None keeps the images' shape, or means 64 where they
            differ in shape.
        channels: 1 or 3; None keeps the images'.
        data_dir: where prepared data sets lie; by default the cache folder for the embedded ones, and for the others
            $TFDS_DATA_DIR or ~/tensorflow_datasets, as TensorFlow Datasets has it.
        progress: whether to draw progress bars.

    Returns:
        A `Source`, with labels where the data set has a feature "label".

    Raises:
        UserError: no such name, configuration or split; no images in it; or it is not prepared and cannot be.
    """
    check_name(name, data_dir)
    builder = _embedded_builder(name, data_dir) if is_embedded(name) else _tfds_builder(name, data_dir)
    feature = _item_feature(builder, name)
    if feature == "point":
        check_no_image_options(name, image_size, channels)
    if not Path(builder.data_dir, "dataset_info.json").is_file():
        prepare = _prepare_embedded if is_embedded(name) else _prepare_tfds
        builder = prepare(builder, name, progress)
    _check_split(builder, name, split)
    count = builder.info.splits[split].num_examples
    label_feature = _label_feature(builder)
    labels = np.full(count, -1, "int64") if label_feature else None
    items = cache.filled_array(
        (count, *_item_shape(builder.info.features[feature], image_size, channels)),
        builder.info.features[feature].np_dtype,
        lambda array: _read_into(array, labels, _examples(builder, split, feature, label_feature), progress),
        lambda: f"{Path(builder.data_dir).resolve()} {split}",
    )
    if labels is not None and labels[0] < 0:  # The items were found in the cache, which holds no labels.
        _read_labels_into(labels, _examples(builder, split, label_feature))
    if labels is not None and labels.min() < 0:  # So TensorFlow Datasets marks a split whose labels are withheld.
        labels = None
    return Source(name, split, items, labels, _class_names(builder, label_feature), _HINT)


def _embedded_builder(name, data_dir):
    from keras_gans.data.builders import BUILDERS

    base, _, config = name.partition("/")
    options = {"config": config} if config else {}
    return BUILDERS[base](data_dir=str(data_dir or cache.cache_path("tfds")), **options)


def _prepare_embedded(builder, name, progress):
    target = Path(builder.data_dir)
    with cache.appearing_whole(target) as workshop:
        made = _embedded_builder(name, workshop)
        _download_and_prepare(made, progress)
        os.rename(made.data_dir, workshop / target.name)
    return _embedded_builder(name, builder.data_dir_root)


def _tfds_builder(name, data_dir):
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=tfds_folder(data_dir), try_gcs=False)
    except Exception as error:  # A builder's constructor is anybody's code and raises anything.
        known = sorted(getattr(tfds.builder_cls(base_name(name)), "builder_configs", ()))
        configs = f" Its configurations: {', '.join(known)}." if known else ""
        raise UserError(f"TensorFlow Datasets cannot open {name!r}.{configs} It says: {error}") from error


def _prepare_tfds(builder, name, progress):
    # A data set that the user's own code defines may not need to download anything, and one whose files the user
    # fetches by hand says so at once.
    downloads = type(builder).__module__.startswith("tensorflow_datasets.")
    if downloads and not builder.MANUAL_DOWNLOAD_INSTRUCTIONS and not network.is_reachable():
        raise UserError(
            f"The data set {name!r} is not prepared in {builder.data_dir_root}, and there is no network to download "
            f"it. Set the environment variable TFDS_DATA_DIR to a folder that holds it, or use one that needs no "
            f"network: {', '.join(embedded.names())}."
        )
    try:
        _download_and_prepare(builder, progress)
    except Exception as error:  # Any host, archive, disk or optional library of 445 data sets may be at fault.
        raise UserError(
            f"TensorFlow Datasets could not prepare {name!r} in {builder.data_dir_root}. It says: "
            f"{type(error).__name__}: {error}"
        ) from error
    return builder


def _download_and_prepare(builder, progress):
    import tensorflow_datasets as tfds

    configuration = tfds.download.DownloadConfig(try_download_gcs=False)
    with contextlib.nullcontext() if progress else _hushed():
        builder.download_and_prepare(download_config=configuration)


@contextlib.contextmanager
def _hushed():
    """Keeps TensorFlow Datasets from announcing on stdout, in bars and in its log what nobody asked for."""
    from absl import logging
    from tensorflow_datasets.core.utils import tqdm_utils

    shown, verbosity = tqdm_utils._active, logging.get_verbosity()
    tqdm_utils.display_progress_bar(False)
    logging.set_verbosity(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tqdm_utils.display_progress_bar(shown)
        logging.set_verbosity(verbosity)


def _item_feature(builder, name):
    import tensorflow_datasets as tfds

    features = builder.info.features
    found = dict(features) if isinstance(features, tfds.features.FeaturesDict) else {}
    if is_embedded(name) and "point" in found:
        return "point"
    image = found.get("image")
    if not isinstance(image, tfds.features.Image) or image.np_dtype != np.uint8 or image.shape[-1] not in (1, 3):
        described = ", ".join(f"{key}: {feature.shape} {feature.np_dtype}" for key, feature in found.items())
        raise UserError(
            f"The data set {name!r} has no feature 'image' of 8-bit images with 1 or 3 channels. "
            f"Its features: {described or features}."
        )
    return "image"


def _check_split(builder, name, split):
    try:
        if builder.info.splits[split].num_examples:
            return
        problem = f"The split {split!r} of {name!r} is empty."
    except (KeyError, ValueError):
        problem = f"The data set {name!r} has no split {split!r}."
    raise UserError(f"{problem} It has: {', '.join(builder.info.splits)}; a slice is written 'train[:80%]'.")


def _label_feature(builder):
    """ "label" where the data set has such a feature, of one whole number, else None."""
    features = builder.info.features
    if "label" not in features or features["label"].shape != ():
        return None
    return "label" if np.issubdtype(features["label"].np_dtype, np.integer) else None


def _class_names(builder, label_feature):
    names = getattr(builder.info.features[label_feature], "names", None) if label_feature else None
    return tuple(names) if names else None


def _item_shape(feature, image_size, channels):
    if len(feature.shape) == 1:
        return feature.shape
    height, width, own_channels = feature.shape
    if image_size is None and None in (height, width):
        image_size = _DEFAULT_IMAGE_SIZE
    size = (height, width) if image_size is None else (image_size, image_size)
    return (*size, channels or own_channels)


def _examples(builder, split, *features):
    """A dataset of tuples of these features of each example, None among them left out, in a fixed order."""
    import tensorflow_datasets as tfds

    wanted = [feature for feature in features if feature]
    with _hushed():
        dataset = builder.as_dataset(
            split=split,
            decoders=tfds.decode.PartialDecoding(dict.fromkeys(wanted, True)),
            read_config=tfds.ReadConfig(try_autocache=False),
        )
    return dataset.map(lambda example: tuple(example[feature] for feature in wanted))


def _read_labels_into(labels, examples):
    batches = examples.batch(_CHUNK).as_numpy_iterator()
    labels[:] = np.concatenate([numbers for (numbers,) in batches])


def _read_into(items, labels, examples, progress):
    """Writes the items of `examples`, cropped and resized where that differs, and their labels unless None."""
    spec = examples.element_spec[0]
    as_it_is = tuple(spec.shape) == items.shape[1:]
    if None in spec.shape:
        one_by_one = examples.as_numpy_iterator()
        chunks = (tuple(zip(*chunk, strict=True)) for chunk in iter(lambda: list(islice(one_by_one, _CHUNK)), []))
    else:
        chunks = examples.batch(_CHUNK).as_numpy_iterator()
    fit = functools.partial(pictures.fit_array, size=items.shape[1], channels=items.shape[-1])
    done = 0
    with (
        pictures.decoding_pool() as pool,
        pictures.progress_bar("Reading images", len(items), progress) as advance,
    ):
        for chunk, *numbers in chunks:
            rows = slice(done, done + len(chunk))
            items[rows] = chunk if as_it_is else list(pool.map(fit, chunk))
            if labels is not None:
                labels[rows] = numbers[0]
            done = rows.stop
            advance(len(chunk))
