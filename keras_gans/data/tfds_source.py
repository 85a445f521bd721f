"""TensorFlow Datasets: the embedded builders, and whatever else it knows by name."""

import contextlib
import functools
import hashlib
import io
import os
import re
from itertools import islice
from pathlib import Path

import numpy as np

from keras_gans.autotuning import without_autotuning
from keras_gans.data import cache, embedded, network, pictures
from keras_gans.data.naming import base_name, check_name, is_embedded, tfds_folder
from keras_gans.data.source import Column, Source, check_no_image_options, class_column, sample_column, unpaired
from keras_gans.data.texts import TextArray
from keras_gans.errors import NoSplitError, UserError
from keras_gans.fields import Texts
from keras_gans.private_apis import no_progress_bars

_DEFAULT_IMAGE_SIZE = 64
_CHUNK = 256
_HINT = "TensorFlow Datasets has no whole-numbered feature 'label' for it, or withholds it in this split."


def open_tfds(
    name: str,
    *,
    split: str = "train",
    image_size: int | None = None,
    channels: int | None = None,
    data_dir: str | Path | None = None,
    progress: bool = False,
) -> "Source":
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
    kinds = _kinds_of_features(builder, name)
    if "image" not in kinds.values():
        check_no_image_options(name, image_size, channels)
    if not Path(builder.data_dir, "dataset_info.json").is_file():
        prepare = _prepare_embedded if is_embedded(name) else _prepare_tfds
        builder = prepare(builder, name, progress)
    if split not in builder.info.splits and {f"{split}A", f"{split}B"} <= set(builder.info.splits):
        sides = [_side(builder, f"{split}{side}", kinds, image_size, channels, progress) for side in "AB"]
        return Source(name, split, unpaired(*sides), _HINT)
    _check_split(builder, name, split)
    if is_embedded(name) and set(kinds.values()) == {"point", "class"}:
        return Source(name, split, _columns_of_points(builder, split, kinds, progress), _HINT)
    return Source(name, split, _columns(builder, split, kinds, image_size, channels, progress), _HINT)


def splits_of(name: str, data_dir: str | Path | None = None) -> list[str]:
    """Names of the splits of a data set that TensorFlow Datasets knows; none where nothing is prepared yet."""
    builder = _embedded_builder(name, data_dir) if is_embedded(name) else _tfds_builder(name, data_dir)
    return list(builder.info.splits)


def _kinds_of_features(builder, name):
    """{feature: "image", "class", "point", "text", "texts" or "translation"} of those that can be used."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    found = dict(features) if isinstance(features, tfds.features.FeaturesDict) else {}
    kinds = {key: kind for key, feature in found.items() if (kind := _kind_of(key, feature))}
    if isinstance(features, tfds.features.Translation):
        kinds = {"translation": "translation"}
    if not set(kinds.values()) - {"class"}:
        described = ", ".join(f"{key}: {feature.shape} {feature.np_dtype}" for key, feature in found.items())
        raise UserError(
            f"The data set {name!r} has no feature 'image' of 8-bit images with 1 or 3 channels, and no vectors, texts "
            f"or translations. Its features: {described or features}."
        )
    return kinds


def _kind_of(key, feature):
    import tensorflow_datasets as tfds

    if isinstance(feature, tfds.features.Image):
        return "image" if feature.np_dtype == np.uint8 and feature.shape[-1] in (1, 3) else None
    if isinstance(feature, tfds.features.Translation):
        return "translation"
    if isinstance(feature, tfds.features.Text):
        return "text"
    if isinstance(feature, tfds.features.Sequence):
        return "texts" if _text_within(feature) is not None else None
    is_scalar = feature.shape == () and np.issubdtype(feature.np_dtype, np.integer)
    if isinstance(feature, tfds.features.ClassLabel) or key == "label" and is_scalar:
        return "class"
    is_vector = isinstance(feature, tfds.features.Tensor) and len(feature.shape) == 1 and feature.shape[0] is not None
    return "point" if is_vector and np.issubdtype(feature.np_dtype, np.floating) else None


def _text_within(sequence):
    """Where a sequence holds its texts: "" for texts themselves, the name of its only such part, or None."""
    import tensorflow_datasets as tfds

    inner = sequence.feature
    if isinstance(inner, tfds.features.Text):
        return ""
    parts = dict(inner) if isinstance(inner, tfds.features.FeaturesDict) else {}
    texts = [key for key, part in parts.items() if isinstance(part, tfds.features.Text)]
    return texts[0] if len(texts) == 1 else None


def _side(builder, split, kinds, image_size, channels, progress):
    """One of two collections: its images, and where it has them their classes, as a `Source`."""
    grey = (builder.info.metadata or {}).get("grey_splits", ())
    channels = channels or (1 if split in grey else None)
    kept = {key: kind for key, kind in kinds.items() if kind in ("image", "class")}
    return Source(split, split, _columns(builder, split, kept, image_size, channels, progress), _HINT)


def _columns(builder, split, kinds, image_size, channels, progress):
    """{field: `Column`} of a split's features."""
    count, features = builder.info.splits[split].num_examples, builder.info.features
    large = [key for key, kind in kinds.items() if kind in ("image", "point")]
    others = [key for key in kinds if key not in large]
    read, arrays = {}, {}
    for key in large:

        def fill(array, key=key):
            # All else comes along with the first of these.
            read.update(_read(builder, split, key, array, [name for name in others if name not in read], progress))

        arrays[key] = cache.filled_array(
            (count, *_item_shape(features[key], image_size, channels)),
            np.uint8 if kinds[key] == "image" else np.float32,
            fill,
            lambda key=key: " ".join([str(Path(builder.data_dir).resolve()), split, *_own_name(key)]),
        )
    if others and not read:  # These were found in the cache, which holds nothing else, or there are none.
        read = _read(builder, split, None, (), others, progress)
    columns = {key: sample_column(array) for key, array in arrays.items()}
    for key in others:
        columns |= _small_columns(key, kinds[key], read[key], features)
    return columns


def _columns_of_points(builder, split, kinds, progress):
    """The same of embedded points, kept as arrays beside the prepared records, which take seconds to parse."""
    file = Path(builder.data_dir) / f"{hashlib.sha256(split.encode()).hexdigest()[:16]}.npz"
    arrays = cache.kept_arrays(file, kinds)
    if arrays is not None:
        names = builder.info.features
        return {
            key: class_column(arrays[key], names[key].names) if kind == "class" else sample_column(arrays[key])
            for key, kind in kinds.items()
        }
    columns = _columns(builder, split, kinds, None, None, progress)
    cache.keep_arrays(file, {key: column.values for key, column in columns.items()})
    return columns


def _own_name(key):
    """What tells a feature's file in the cache from the others'; none for the usual only ones."""
    return [] if key in ("image", "point") else [key]


def _small_columns(key, kind, rows, features):
    """{field: `Column`} of a feature of classes or texts, of its rows as NumPy has them."""
    if kind == "class":
        labels = np.asarray(rows, np.int64)
        # So TensorFlow Datasets marks a split whose labels are withheld.
        return {} if labels.min() < 0 else {key: class_column(labels, getattr(features[key], "names", None))}
    if kind == "text":
        texts = [row.decode(errors="replace") for row in rows]
        return {} if _are_names(texts) else {key: _text_column(texts)}
    if kind == "texts":
        part = _text_within(features[key])
        several = [row[part] if part else row for row in rows]
        return {key: _text_column([[text.decode(errors="replace") for text in row] for row in several])}
    languages = (features if key == "translation" else features[key]).languages[:2]
    return {
        field: _text_column([row[language].decode(errors="replace") for row in rows])
        for field, language in zip(("source", "target"), languages, strict=True)
    }


def _are_names(texts):
    """Whether texts tell the rows apart, as CIFAR-10's "id" does, and say nothing of them."""
    return len(set(texts)) == len(texts) and not any(re.search(r"\s", text) for text in texts)


def _text_column(rows):
    return Column(Texts(), TextArray.of(rows))


def _embedded_builder(name, data_dir):
    from keras_gans.data.builders import BUILDERS

    base, _, config = name.partition("/")
    options = {"config": config} if config else {}
    return BUILDERS[base](data_dir=str(data_dir or cache.cache_path("tfds")), **options)


def _prepare_embedded(builder, name, progress):
    target = Path(builder.data_dir)
    with cache.made_atomically(target) as workshop:
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

    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with no_progress_bars(), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(verbosity)


def _check_split(builder, name, split):
    try:
        if builder.info.splits[split].num_examples:
            return
        problem = f"The split {split!r} of {name!r} is empty."
    except (KeyError, ValueError):
        problem = f"The data set {name!r} has no split {split!r}."
    raise NoSplitError(f"{problem} It has: {', '.join(builder.info.splits)}; a slice is written 'train[:80%]'.")


def _item_shape(feature, image_size, channels):
    if len(feature.shape) == 1:
        return feature.shape
    height, width, own_channels = feature.shape
    if image_size is None and None in (height, width):
        image_size = _DEFAULT_IMAGE_SIZE
    size = (height, width) if image_size is None else (image_size, image_size)
    return (*size, channels or own_channels)


def _examples(builder, split, wanted):
    """A dataset of {feature: value} of each example, in a fixed order, without decoding what is not wanted."""
    import tensorflow_datasets as tfds

    is_translation = isinstance(builder.info.features, tfds.features.Translation)
    decoders = None if is_translation else tfds.decode.PartialDecoding(dict.fromkeys(wanted, True))
    with _hushed():
        dataset = builder.as_dataset(split=split, decoders=decoders, read_config=tfds.ReadConfig(try_autocache=False))
    return dataset.map(lambda example: {"translation": example}) if is_translation else dataset


def _read(builder, split, key, items, others, progress):
    """Writes the images or vectors of one feature, cropped and resized where that differs; returns {other: its rows}.

    Args:
        builder, split: what to read.
        key: name of the feature to write, or None for none.
        items: array to fill with it.
        others: names of the further features.
        progress: whether to draw a bar.
    """
    read = {other: [] for other in others}
    examples = _examples(builder, split, [*([key] if key else []), *others])
    as_it_is = not key or tuple(examples.element_spec[key].shape) == items.shape[1:]
    fit = None if as_it_is else functools.partial(pictures.fit_array, size=items.shape[1], channels=items.shape[-1])
    done = 0
    with (
        pictures.decoding_pool() as pool,
        pictures.progress_bar("Reading images", len(items), progress and key is not None) as advance,
    ):
        for chunk in _chunks(examples):
            for other in others:
                read[other].extend(_rows_of(chunk[other]))
            if key:
                rows = chunk[key]
                items[done : done + len(rows)] = rows if as_it_is else list(pool.map(fit, rows))
                done += len(rows)
                advance(len(rows))
    return read


def _chunks(examples):
    """Chunks of examples, {feature: rows}; those of which two can differ in shape are read one by one."""
    import tensorflow as tf

    examples = without_autotuning(examples)
    specifications = tf.nest.flatten(examples.element_spec)
    if all(spec.shape.is_fully_defined() for spec in specifications):
        yield from examples.batch(_CHUNK).as_numpy_iterator()
        return
    one_by_one = examples.as_numpy_iterator()
    while chunk := list(islice(one_by_one, _CHUNK)):
        yield {key: [example[key] for example in chunk] for key in chunk[0]}


def _rows_of(values):
    """The rows of a batch: of a dictionary of columns, a dictionary each."""
    if not isinstance(values, dict):
        return list(values)
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
