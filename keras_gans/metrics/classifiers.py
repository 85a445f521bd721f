"""Small classifiers that the project trains itself, so that samples can be measured with no network.

Each is trained once on the training split of its data set, in under two minutes on two cores, tested on the test
split, and kept whole in the cache folder with a record of what it is and how well it classifies.
"""

import dataclasses
import hashlib
import json
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.data import cache, naming
from keras_gans.data.opening import open_source
from keras_gans.data.pictures import progress_bar
from keras_gans.data.source import Source
from keras_gans.errors import UserError

if TYPE_CHECKING:
    import keras


_SEED = 0
_VERSION = 1
# Of a classifier of any source.
_FEWEST_STEPS = 300
# What decides a layer's result besides its weights.
_IDENTIFYING = ("activation", "strides", "padding", "pool_size", "epsilon", "negative_slope", "scale")


@dataclasses.dataclass(frozen=True)
class Classifier:
    """How one of the classifiers is built and trained.

    Attributes:
        data: name of the data set.
        blocks: (filters, kernel size, stride) of each convolution, followed by batch normalization and ReLU.
        pooled: whether the last convolution is averaged over its places, instead of flattened.
        features: units of the last hidden layer, whose outputs are the features.
        dropout: share of the features hidden from the last layer while training.
        epochs: times through the training images.
        batch_size: images a training step.
        learning_rate: Adam's, falling to 0 along a cosine.
    """

    data: str
    blocks: tuple
    pooled: bool = False
    features: int = 64
    dropout: float = 0.3
    epochs: int = 3
    batch_size: int = 128
    learning_rate: float = 2e-3


_DOWN_TWICE = ((32, 5, 2), (64, 3, 1), (64, 3, 2))
CLASSIFIERS = {
    "digits": Classifier("digits", ((32, 3, 1), (64, 3, 1), (64, 3, 2)), epochs=20, batch_size=64),
    "mnist": Classifier("mnist", _DOWN_TWICE),
    "fashion_mnist": Classifier("fashion_mnist", _DOWN_TWICE),
    "cifar10": Classifier(
        "cifar10",
        ((32, 3, 1), (32, 3, 2), (64, 3, 1), (64, 3, 2), (128, 3, 1)),
        pooled=True,
        features=128,
        dropout=0.0,
        epochs=2,
        learning_rate=3e-3,
    ),
}


def load_or_train(
    name: str, data_dir: str | Path | None = None, progress: bool = False
) -> "tuple[keras.Model, dict[str, Any]]":
    """A classifier from the cache, trained first where it is not there yet.

    Args:
        name: a key of `CLASSIFIERS`.
        data_dir: where prepared data sets lie, as `keras_gans.data.open_source` has it.
        progress: whether to draw progress bars.

    Returns:
        (network, record): a keras.Model from float images in [-1, 1] to (features, probabilities), and a dict with
        `identity`, `accuracy` on the test split, `class_names`, `train_images`, `test_images`, `seconds`.

    Raises:
        UserError: the data set is not there and cannot be fetched, or the cache cannot be written or read.
    """
    definition = CLASSIFIERS[name]
    folder = _folder(name, definition, data_dir)
    if not folder.exists():
        keep(folder, *train(definition, data_dir=data_dir, progress=progress))
    return kept(folder)


def keep(folder: Path, network: "keras.Model", record: dict[str, Any]) -> None:
    """Keeps a network and its record, which holds its `identity`, in a folder of the cache, whole or not at all.

    Raises:
        UserError: the cache cannot be written.
    """
    with cache.made_atomically(folder) as workshop:
        made = workshop / folder.name
        made.mkdir()
        network.save(made / "network.keras")
        (made / "record.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _folder(name, definition, data_dir):
    # Two folders of prepared data may hold two versions of a data set.
    source = None if naming.is_embedded(definition.data) else str(naming.tfds_folder(data_dir))
    described = json.dumps([_VERSION, _SEED, dataclasses.asdict(definition), source])
    return cache.cache_path("classifiers", f"{name}-{hashlib.sha256(described.encode()).hexdigest()[:12]}")


def kept(folder: Path) -> "tuple[keras.Model, dict[str, Any]]":
    """(network, record) of what `keep` kept.

    Raises:
        UserError: they cannot be read, or are not what was kept.
    """
    import keras

    try:
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        network = keras.saving.load_model(folder / "network.keras", compile=False)
        if identity_of(network) == record["identity"]:
            return network, record
        reason = "its weights are not those that were recorded"
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0]
    raise UserError(f"The network in {folder} cannot be used: {reason}. Delete that folder; it is made again.")


def train(
    definition: Any, *, data_dir: str | Path | None = None, progress: bool = False, seed: int = _SEED
) -> "tuple[keras.Model, dict[str, Any]]":
    """Trains a classifier and tests it.

    Args:
        definition: a `Classifier`.
        data_dir: where prepared data sets lie.
        progress: whether to draw progress bars.
        seed: of the weights, the order of the images and the dropout.

    Returns:
        (network, record); see `load_or_train`.

    Raises:
        UserError: the data set cannot be opened.
    """
    options = {"labels": True, "data_dir": None if naming.is_embedded(definition.data) else data_dir}
    train_source, test_source = (
        open_source(definition.data, split=split, progress=progress, **options) for split in ("train", "test")
    )
    steps = definition.epochs * len(train_source) // definition.batch_size
    network, record = _train_on(definition, train_source, steps, progress, seed)
    return network, record | {"accuracy": accuracy_on(network, test_source), "test_images": len(test_source)}


def _train_on(definition, source, steps, progress, seed):
    """(network, record) of so many steps on a `Source` with labels."""
    import keras
    import tensorflow as tf

    from keras_gans.data.pipeline import to_dataset

    started = time.perf_counter()
    hidden, logits = build(definition, source.sample_shape, source.class_count, seed)
    logits.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(definition.learning_rate, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    images = to_dataset(source, batch_size=definition.batch_size, labels=True, seed=seed, repeat=True)
    with progress_bar(f"Training the {definition.data} classifier, once", steps, progress) as advance:
        each = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: advance(1))
        logits.fit(images, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False, callbacks=[each])
    network = _with_scaled_features(hidden, logits, source)
    record = {
        "data": definition.data,
        "identity": identity_of(network),
        "class_names": source.class_names,
        "train_images": len(source),
        "seconds": round(time.perf_counter() - started, 1),
        "seed": seed,
        "definition": dataclasses.asdict(definition),
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__},
    }
    return network, record


def for_images(source: Source, progress: bool = False) -> "tuple[keras.Model, dict[str, Any]]":
    """A classifier of the labelled images of any source, from the cache, trained on all of them first.

    Args:
        source: a `Source` of images with labels.
        progress: whether to draw progress bars.

    Returns:
        (network, record) as `load_or_train`, without figures of a test split.

    Raises:
        UserError: there are no labels, or the cache cannot be written or read.
    """
    source.require_labels()
    side, count = min(source.sample_shape[:2]), len(source)
    # Down to 8 pixels or fewer, then averaged where there are more than a few.
    halvings = next(number for number in range(12) if side >> number <= 8)
    down = tuple((min(128, 32 * 2**number), 3, 2) for number in range(halvings))
    blocks = ((32, 3, 1), *down, (64, 3, 1), (64, 3, 2))
    definition = Classifier(f"{source.name} ({source.split})", blocks, batch_size=min(64, count))
    steps = min(1200, max(_FEWEST_STEPS, 20 * count // definition.batch_size))
    digest = hashlib.sha256(json.dumps([_VERSION, _SEED, dataclasses.asdict(definition), steps]).encode())
    digest.update(np.ascontiguousarray(source.samples))
    digest.update(np.ascontiguousarray(source.labels))
    folder = cache.cache_path("classifiers", f"images-{digest.hexdigest()[:12]}")
    if not folder.exists():
        keep(folder, *_train_on(definition, source, steps, progress, _SEED))
    return kept(folder)


def build(
    definition: Any, image_shape: Sequence[int], class_count: int | None, seed: int
) -> "tuple[keras.Model, keras.Model]":
    """The layers up to the features, and those to the logits over them: two keras.Model in float32.

    Args:
        definition: a `Classifier`.
        image_shape: (height, width, channels).
        class_count: how many classes.
        seed: of the weights and the dropout; the global random state is left alone.
    """
    import keras
    from keras import layers

    kind = {"dtype": "float32"}
    seeds = (1000 * seed + index for index in range(1000))
    inputs = values = keras.Input(image_shape, name="image", **kind)
    for index, (filters, size, stride) in enumerate(definition.blocks):
        options = {"use_bias": False, "kernel_initializer": keras.initializers.HeNormal(seed=next(seeds)), **kind}
        values = layers.Conv2D(filters, size, stride, "same", name=f"convolution_{index}", **options)(values)
        # The default momentum needs more steps than these networks take.
        values = layers.BatchNormalization(momentum=0.9, name=f"normalization_{index}", **kind)(values)
        values = layers.ReLU(name=f"relu_{index}", **kind)(values)
    pooling = layers.GlobalAveragePooling2D if definition.pooled else layers.Flatten
    values = pooling(name="flat", **kind)(values)
    options = {"kernel_initializer": keras.initializers.HeNormal(seed=next(seeds)), **kind}
    hidden = layers.Dense(definition.features, activation="relu", name="hidden", **options)(values)
    values = layers.Dropout(definition.dropout, seed=next(seeds), name="dropout", **kind)(hidden)
    options = {"kernel_initializer": keras.initializers.GlorotUniform(seed=next(seeds)), **kind}
    logits = layers.Dense(class_count, name="logits", **options)(values)
    return keras.Model(inputs, hidden), keras.Model(inputs, logits)


def _with_scaled_features(hidden, logits, source):
    """The network to (features, probabilities); the features' mean square over the training images is 1.

    The polynomial kernel of the kernel distance adds 1 to a mean of products and is meant for features of this size.
    """
    import keras

    from keras_gans.data.pipeline import to_dataset

    images = to_dataset(source, batch_size=min(256, len(source)), shuffle=False)
    square = np.mean([np.mean(np.square(hidden(batch, training=False))) for batch in images])
    scaled = keras.layers.Rescaling(float(1.0 / np.sqrt(square)), name="features", dtype="float32")(hidden.output)
    probabilities = keras.layers.Softmax(name="probabilities", dtype="float32")(logits.output)
    return keras.Model(hidden.input, [scaled, probabilities])


def accuracy_on(network: "keras.Model", source: Source) -> float:
    """The share of a source's labelled images that a classifier finds right."""
    from keras_gans.data.pipeline import to_dataset

    right = 0
    for images, labels in to_dataset(source, batch_size=1, labels=True, shuffle=False).unbatch().batch(256):
        _, probabilities = network(images, training=False)
        right += int((np.argmax(probabilities, axis=1) == np.asarray(labels)).sum())
    return right / len(source)


def identity_of(network: "keras.Model") -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a network: its layers' kinds and settings, and every weight."""
    digest = hashlib.sha256()
    for layer in network.layers:
        settings = layer.get_config()
        kept = {key: str(settings[key]) for key in _IDENTIFYING if key in settings}
        digest.update(f"{type(layer).__name__} {json.dumps(kept, sort_keys=True)}".encode())
    for weight in network.get_weights():
        digest.update(f"{weight.dtype} {weight.shape}".encode())
        digest.update(np.ascontiguousarray(weight))
    return digest.hexdigest()[:16]
