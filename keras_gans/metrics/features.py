"""Feature extractors: the networks in whose features samples are compared with data.

`inception` is Inception-v3 as published with Keras, which the literature's figures are closest to; it is downloaded
once. `digits`, `mnist`, `fashion_mnist` and `cifar10` are small classifiers that the project trains itself on that
data set and keeps in its cache folder. Of any other images `own_classes` is a classifier of the data's own classes,
where there are some, `patches` a network of what is common among their patches, and `random` one of random weights.
Figures of two extractors have nothing to do with each other: each carries its `identity`.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.data import embedded, naming, network
from keras_gans.data.arrays import check_array
from keras_gans.data.holding_out import held_out_of
from keras_gans.data.opening import open_source
from keras_gans.data.source import Source
from keras_gans.errors import UserError, unknown_name
from keras_gans.metrics import classifiers, patches
from keras_gans.pixels import as_float

if TYPE_CHECKING:
    import keras

    from keras_gans.hints import Tensor


RESIZE_RULE = "grey repeated or colour by ITU-R 601 luma, then stretched bilinearly with antialiasing"
RANDOM, PATCHES, OWN_CLASSES = "random", "patches", "own_classes"
_FOR_THE_DATA = (RANDOM, PATCHES, OWN_CLASSES)
# Those made for the data that classify nothing.
WITHOUT_CLASSES = (RANDOM, PATCHES)
# Of so many on average a classifier's features still rank samples better than random ones do.
_FEWEST_OF_A_CLASS = 30
_RANDOM_FEATURES = 64
_INCEPTION_WEIGHTS = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"


class Extractor:
    """A network that maps images to features and, where it classifies, to class probabilities.

    Images of another shape than the network's are fitted by one rule: grey images are repeated over the channels,
    colour images become grey by the ITU-R 601 luma; then they are stretched to the network's height and width,
    bilinearly with antialiasing, in float32 without rounding.

    Args:
        name: of the extractor.
        network: keras.Model from float32 images in [-1, 1] to (features, probabilities), or to features alone.
        accuracy: of the classifier on the test split, in [0, 1], or None where it was not measured.
        class_names: tuple of str, one for each probability, or None.

    Attributes:
        identity: first 16 hexadecimal digits of the SHA-256 of architecture and weights.
        dimensions: number of features.
        image_shape: (height, width, channels) that the network takes.
    """

    def __init__(
        self,
        name: str,
        network: "keras.Model",
        *,
        accuracy: float | None = None,
        class_names: Sequence[str] | None = None,
    ):
        import tensorflow as tf

        outputs = network.outputs
        self.name = name
        self.identity = classifiers.identity_of(network)
        self.accuracy = accuracy
        self.class_names = None if class_names is None else tuple(class_names)
        self.dimensions = outputs[0].shape[-1]
        self.image_shape = tuple(network.input_shape[1:])
        self.class_count = outputs[1].shape[-1] if len(outputs) > 1 else 0
        signature = tf.TensorSpec((None, *self.image_shape), tf.float32)
        graph = tf.function(lambda images: network(images, training=False), autograph=False)
        # Traced once for each extractor, which TensorFlow would take for one function traced again and again.
        self._network = graph.get_concrete_function(signature)

    def __repr__(self):
        classes = f", {self.class_count} classes" if self.class_count else ""
        accuracy = "" if self.accuracy is None else f", test accuracy {self.accuracy:.4f}"
        return f"Extractor({self.name!r}, {self.identity}: {self.dimensions} features{classes}{accuracy})"

    def features(self, images: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """The features of images.

        Args:
            images: uint8 (n, height, width, 1 or 3) in 0..255, or float of that shape in [-1, 1].
            batch_size: images in one pass.

        Returns:
            float32 array (n, dimensions). The project's own classifiers scale them to a mean square of 1 over their
            training images.

        Raises:
            UserError: `images` are points, or no images at all.
        """
        return self._over_batches(images, batch_size)[0]

    def probabilities(self, images: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """The class probabilities of images; arguments as for `features`.

        Returns:
            float32 array (n, classes), each row summing to 1.

        Raises:
            UserError: `images` are no images, or this extractor is no classifier.
        """
        return self.features_and_probabilities(images, batch_size)[1]

    def features_and_probabilities(self, images: np.ndarray, batch_size: int = 256) -> tuple[np.ndarray, np.ndarray]:
        """What `features` and `probabilities` return, in one pass."""
        if not self.class_count:
            raise UserError(
                f"The extractor {self.name!r} has no classifier, so there are no class probabilities. Choose among: "
                f"{', '.join(BY_NAME)}."
            )
        features, probabilities = self._over_batches(images, batch_size)
        return features, probabilities

    def _over_batches(self, images, batch_size):
        images, _ = check_array(images)
        if images.ndim != 4:
            raise UserError(
                f"An extractor takes images (n, height, width, 1 or 3), not points. Received: {images.shape}."
            )
        batches = [self._of_batch(images[at : at + batch_size]) for at in range(0, len(images), batch_size)]
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]

    def _of_batch(self, images):
        outputs = self._network(fitted(images, self.image_shape))
        return [output.numpy() for output in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


def fitted(images: np.ndarray, image_shape: Sequence[int]) -> "Tensor":
    """Images with the shape that a network takes, by the rule that `Extractor` states.

    Args:
        images: uint8 in 0..255 or float in [-1, 1], (n, height, width, 1 or 3).
        image_shape: (height, width, 1 or 3).

    Returns:
        float32 tensor (n, *image_shape) in [-1, 1].
    """
    import tensorflow as tf

    images = as_float(images)
    if images.shape[-1] != image_shape[-1]:
        convert = tf.image.rgb_to_grayscale if image_shape[-1] == 1 else tf.image.grayscale_to_rgb
        images = convert(images)
    if tuple(images.shape[1:3]) != tuple(image_shape[:2]):
        images = tf.image.resize(images, image_shape[:2], "bilinear", antialias=True)
    return images


def extractor(name: str, *, data_dir: str | Path | None = None, progress: bool = False) -> "Extractor":
    """The extractor of that name; a classifier that is not in the cache yet is trained first.

    Args:
        name: "digits", "mnist", "fashion_mnist", "cifar10" or "inception".
        data_dir: where prepared data sets lie, as `keras_gans.data.open_source` has it.
        progress: whether to draw progress bars.

    Returns:
        Extractor.

    Raises:
        UserError: there is no such extractor, or its data set or weights are not there and cannot be fetched.
    """
    check_name(name)
    if name in _FOR_THE_DATA:
        made_for = {
            RANDOM: "the shape of the images: random_extractor(image_shape)",
            PATCHES: "a source of images: patches_extractor(source)",
            OWN_CLASSES: "labelled images: own_classes_extractor(source)",
        }
        raise UserError(
            f"The extractor {name!r} is made for {made_for[name]}. By name alone there are: {', '.join(BY_NAME)}."
        )
    if name == "inception":
        return Extractor(name, _inception())
    trained, record = classifiers.load_or_train(name, data_dir, progress)
    return Extractor(name, trained, accuracy=record["accuracy"], class_names=record["class_names"])


def check_name(name: str) -> None:
    """Raises `UserError`, naming the nearest, unless there is an extractor of that name; needs no TensorFlow."""
    if name not in EXTRACTORS:
        raise unknown_name("extractor", name, EXTRACTORS)


def extractor_for(data_name: Any, *, data_dir: str | Path | None = None, progress: bool = False) -> "Extractor":
    """The extractor that fits a data set; see `name_for`.

    Args:
        data_name: a `Source`, or whatever `keras_gans.data.open_source` takes.
        data_dir, progress: as for `extractor`.

    Returns:
        Extractor.

    Raises:
        UserError: the data set holds points; or as `extractor`.
    """
    source = data_name
    if not isinstance(source, Source):
        if isinstance(source, str) and (own := _of_the_project(source)):
            return extractor(own, data_dir=data_dir, progress=progress)
        source = open_source(source, data_dir=data_dir, progress=progress)
    return made_for(source, name_for(source), data_dir=data_dir, progress=progress)


def made_for(source: Source, name: str, *, data_dir: str | Path | None = None, progress: bool = False) -> "Extractor":
    """The extractor of that name, for a data set.

    Args:
        source: a `Source` of images.
        name: one of `EXTRACTORS`.
        data_dir, progress: as for `extractor`.

    Raises:
        UserError: as `extractor` and `own_classes_extractor`.
    """
    if name == RANDOM:
        return random_extractor(source.sample_shape)
    if name == PATCHES:
        return patches_extractor(source, progress=progress)
    if name == OWN_CLASSES:
        return own_classes_extractor(source, data_dir=data_dir, progress=progress)
    return extractor(name, data_dir=data_dir, progress=progress)


def patches_extractor(source: Source, *, progress: bool = False) -> "Extractor":
    """What is common among the patches of the data's images, found once and kept in the cache folder.

    It puts the samples of generators in a classifier's order as well as `random_extractor` or better, and sees what is
    blurred; altered grey images it orders less well (docs/evaluate.md). Its figures are of these images alone, not to
    be compared with those of others.

    Args:
        source: the training data; up to 3,000 images are learned from.
        progress: whether to draw a progress bar.

    Returns:
        Extractor of 64 features, without class probabilities.

    Raises:
        UserError: the cache cannot be written or read.
    """
    network, _ = patches.for_images(source, progress)
    return Extractor(PATCHES, network)


def own_classes_extractor(source: Source, *, data_dir: str | Path | None = None, progress: bool = False) -> "Extractor":
    """A classifier of the data's own classes, trained on the labelled images once and kept in the cache folder.

    Args:
        source: the training data, with labels: 30 images a class or more, on average.
        data_dir, progress: as for `extractor`.

    Returns:
        Extractor of 64 features, whose `accuracy` is that on the data's held-out images; None where these have classes
        that the training data do not.

    Raises:
        UserError: too few labelled images, or the cache cannot be written or read.
    """
    check_own_classes(source)
    network, record = classifiers.for_images(source, progress)
    held_out = held_out_of(source, labels=True, data_dir=data_dir)
    # A classifier that never saw a class is not asked for it.
    is_asked = held_out is not None and set(held_out.class_names) <= set(source.class_names)
    accuracy = classifiers.accuracy_on(network, held_out) if is_asked else None
    return Extractor(OWN_CLASSES, network, accuracy=accuracy, class_names=record["class_names"])


def check_own_classes(source: Source) -> None:
    """Raises a `UserError` unless there are enough labelled images for a classifier of their own."""
    if not _has_own_classes(source):
        count = f"{len(source):,} of {source.class_count} classes" if source.class_count else "none"
        raise UserError(
            f"The extractor {OWN_CLASSES!r} learns from images with labels: two classes or more, and of each "
            f"{_FEWEST_OF_A_CLASS} on average. {source.name!r} has {count}. Choose {RANDOM!r}, {PATCHES!r}, or one of: "
            f"{', '.join(BY_NAME)}."
        )


def _has_own_classes(source):
    return source.class_count >= 2 and len(source) >= _FEWEST_OF_A_CLASS * source.class_count


def random_extractor(image_shape: Sequence[int], seed: int = 0) -> "Extractor":
    """An extractor for any images, which needs neither a network nor training: convolutions with random weights.

    Such features rank grey samples about as soundly as any that were learned without labels, those in colour less than
    `patches_extractor`, and hardly see blur (docs/evaluate.md; Naeem et al., "Reliable Fidelity and Diversity Metrics
    for Generative Models", 2020). Where things are in an image is kept, to about an eighth of its side.

    Args:
        image_shape: (height, width, channels).
        seed: of the weights, which depend on nothing else: figures of all images of one shape may be compared.

    Returns:
        Extractor of 64 features, without class probabilities.
    """
    import keras
    from keras import layers

    draw = (keras.initializers.HeNormal(seed=1000 * seed + index) for index in range(100))
    kind = {"dtype": "float32"}
    inputs = values = keras.Input(tuple(image_shape), name="image", **kind)
    # Down to 8 pixels a side or fewer, and three times at the least: of small images too, shapes are what counts.
    halvings = next(number for number in range(12) if max(image_shape[:2]) >> number <= 8)
    for index in range(max(3, halvings)):
        options = {"activation": "relu", "kernel_initializer": next(draw), **kind}
        filters = 32 if index == 0 else 64
        values = layers.Conv2D(filters, 3, padding="same", name=f"convolution_{index}", **options)(values)
        values = layers.AveragePooling2D(2, padding="same", name=f"pooling_{index}", **kind)(values)
    values = layers.Flatten(name="flat", **kind)(values)
    outputs = layers.Dense(_RANDOM_FEATURES, kernel_initializer=next(draw), name="features", **kind)(values)
    return Extractor(RANDOM, keras.Model(inputs, outputs))


def name_for(source: Any) -> str:
    """The name of the extractor that fits a data set.

    The project's own classifier of that very data set where there is one; else a classifier of the data's own classes
    where there are enough images of them; else what is common among the images' patches, of 65 images and 8 pixels a
    side on; else random weights. Features that were learned by telling rotations or by contrast failed on few images
    (docs/evaluate.md).

    Args:
        source: a `Source`, or the name of a data set, of which nothing is known but its name.

    Raises:
        UserError: the data set holds points.
    """
    is_open = isinstance(source, Source)
    name = source.name if is_open else str(source)
    if naming.base_name(name) in embedded.POINTS or is_open and source.is_points:
        raise UserError(
            f"{name!r} holds points, which need no extractor: they are compared as they are. Extractors are for "
            f"images: {', '.join(EXTRACTORS)}."
        )
    if own := _of_the_project(name):
        return own
    if is_open and _has_own_classes(source):
        return OWN_CLASSES
    return PATCHES if not is_open or patches.are_found_in(source) else RANDOM


def _of_the_project(data_name):
    """The name of the project's own classifier of a data set, or None."""
    base = naming.base_name(data_name)
    return base if base in classifiers.CLASSIFIERS else None


def _inception():
    """Inception-v3 with ImageNet's weights: images in [-1, 1] to (2048 pooled features, 1000 probabilities)."""
    import keras

    weights = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")).expanduser() / "models" / _INCEPTION_WEIGHTS
    hint = (
        f"Put {_INCEPTION_WEIGHTS} into {weights.parent}, or choose an extractor that the project trains itself: "
        f"{', '.join(classifiers.CLASSIFIERS)}."
    )
    # Keras waits and tries again for minutes where nothing answers.
    if not weights.is_file() and not network.is_reachable():
        raise UserError(f"The weights of Inception-v3 are not on this machine, and there is no network. {hint}")
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        whole = keras.applications.InceptionV3(weights="imagenet", input_shape=(299, 299, 3))
    except Exception as error:  # Any host, proxy or disk may be at fault.
        raise UserError(f"Keras could not fetch the weights of Inception-v3. It says: {error}. {hint}") from error
    finally:
        keras.config.set_dtype_policy(policy)
    return keras.Model(whole.input, [whole.get_layer("avg_pool").output, whole.output])


BY_NAME = (*classifiers.CLASSIFIERS, "inception")
EXTRACTORS = (*classifiers.CLASSIFIERS, *_FOR_THE_DATA, "inception")
