"""Inversion: the latent whose sample comes nearest to a given image, and how near that is."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError
from keras_gans.fields import sample_of
from keras_gans.latent.decoding import decode, labels_for
from keras_gans.latent.draw import prior_named
from keras_gans.pixels import from_uint8
from keras_gans.randomness import root_seed

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


STEPS = 200
LEARNING_RATE = 0.05
START = 0.01
_DECAY = 0.9
_EPSILON = 1e-6
_BATCH = 256


class Inversion(NamedTuple):
    """Latents float32 (n, latent_dim), and the mean squared error of each one's sample, float32 (n,)."""

    latents: np.ndarray
    errors: np.ndarray


class ReconstructionLoss(NamedTuple):
    """Each image's error, float32 (n,); their mean; and the standard error of that mean over images."""

    errors: np.ndarray
    mean: float
    standard_error: float


def invert(
    model: "AdversarialModel",
    images: np.ndarray,
    steps: int = STEPS,
    *,
    restarts: int = 1,
    learning_rate: float = LEARNING_RATE,
    labels: Any = None,
    seed: int = 0,
) -> Inversion:
    """For each image, the nearest latent that gradient descent finds from the best of several starts.

    Args:
        model, images, steps, learning_rate, labels, seed: see `invert_each`.
        restarts: starts; each image keeps the one that ends nearest to it.

    Returns:
        Inversion.
    """
    return best_of(
        *invert_each(model, images, steps, restarts=restarts, learning_rate=learning_rate, labels=labels, seed=seed)
    )


def best_of(latents: np.ndarray, errors: Any) -> Inversion:
    """The `Inversion` that keeps the nearest of each image's latents (starts, n, latent_dim) by errors (starts, n)."""
    best, columns = errors.argmin(axis=0), np.arange(errors.shape[1])
    return Inversion(latents[best, columns], errors[best, columns])


def reconstruction_loss(
    model: "AdversarialModel",
    images: np.ndarray,
    steps: int = STEPS,
    *,
    restarts: int = 1,
    learning_rate: float = LEARNING_RATE,
    labels: Any = None,
    seed: int = 0,
) -> ReconstructionLoss:
    """How near a generator comes to images, on average: low where it can make each of them.

    Xiang and Li, "On the Effects of Batch and Weight Normalization in Generative Adversarial Networks" (2017),
    section 4. Of held-out images it is the measure; the same of training images that is much lower means memorising.

    Args:
        model, images, steps, learning_rate, labels, seed: see `invert_each`.
        restarts: see `invert`. More of them lower the error: compare figures of one number only.

    Returns:
        ReconstructionLoss, of mean squared errors of pixels in [-1, 1].
    """
    return summary(
        invert(model, images, steps, restarts=restarts, learning_rate=learning_rate, labels=labels, seed=seed).errors
    )


def summary(errors: Any) -> ReconstructionLoss:
    """A `ReconstructionLoss` of errors (n,)."""
    deviation = float(np.std(errors, ddof=1)) if len(errors) > 1 else 0.0
    return ReconstructionLoss(errors, float(np.mean(errors)), deviation / float(np.sqrt(len(errors))))


def invert_each(
    model: "AdversarialModel",
    images: np.ndarray,
    steps: int = STEPS,
    *,
    restarts: int = 1,
    learning_rate: float = LEARNING_RATE,
    labels: Any = None,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient descent on latents, each image's by itself, from each of several starts.

    RMSProp moves the latents down the gradient of the sum over images of mean (G(z) - x)^2; the generator is in
    inference mode and is not changed. Latents start from N(0, 0.01^2 I) in the first start: at 0 exactly, an
    untrained generator of rectifiers and batch normalization has no gradient. Further starts are
    from the model's prior.
    Nothing holds the latents to the prior: the measure asks whether the generator can, not how often it would.

    Args:
        model: `AdversarialModel` that maps latents to samples.
        images: uint8 (n, height, width, channels), or floats in [-1, 1]; or points, float (n, d).
        steps: of RMSProp; 0 gives the errors of the starts.
        restarts: starts, 1 or more.
        learning_rate: of RMSProp.
        labels: of the images, where the model is class-conditional; see `labels_for`.
        seed: of the starts. An image's are functions of it, of the start and of the image's place.

    Returns:
        (latents float32 (restarts, n, latent_dim), errors float32 (restarts, n)).

    Raises:
        UserError: images that are not of the model's shape or range, labels that do not fit, steps below 0, or
            restarts below 1.
    """
    if steps < 0 or restarts < 1:
        raise UserError(f"steps is 0 or more and restarts 1 or more. Received: steps={steps!r}, restarts={restarts!r}.")
    targets = _targets(model, images)
    labels = labels_for(model, labels, len(targets))
    descend = _descent(model, labels is not None)
    latents = np.empty((restarts, len(targets), model.latent_dim), np.float32)
    errors = np.empty((restarts, len(targets)), np.float32)
    for start in range(restarts):
        first = _starts(model, len(targets), start, seed)
        for begin in range(0, len(targets), _BATCH):
            rows = slice(begin, begin + _BATCH)
            given = () if labels is None else (tf.constant(labels[rows]),)
            latents[start, rows], errors[start, rows] = descend(
                first[rows], tf.constant(targets[rows]), tf.constant(steps), tf.constant(learning_rate), *given
            )
    return latents, errors


def _starts(model, count, start, seed):
    shape, key = (count, model.latent_dim), root_seed(seed, start)
    return prior_named("normal")(shape, key) * START if start == 0 else prior_named(model.latent_prior)(shape, key)


def _targets(model, images):
    """Images or points as float32, found to be of the model's shape and range."""
    images = np.asarray(images)
    if images.dtype == np.uint8 and images.ndim == 4:
        images = from_uint8(images).numpy()
    if not len(images):
        raise UserError("There is no image to invert.")
    sample_of(model.sample_shape()).check(np.asarray(images), "samples")
    return images.astype(np.float32)


def _descent(model, has_labels):
    """The whole descent as one graph: (latents, targets, steps, learning rate, labels if any) -> (latents, errors)."""

    def errors_of(latents, targets, labels):
        squares = tf.square(decode(model, latents, *labels) - targets)
        return tf.reduce_mean(tf.reshape(squares, (tf.shape(squares)[0], -1)), axis=1)

    @tf.function
    def descend(latents, targets, steps, rate, *labels):
        squares = tf.zeros_like(latents)
        for _ in tf.range(steps):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(latents)
                # The sum, not the mean: how far a latent moves must not depend on how many others there are.
                total = tf.reduce_sum(errors_of(latents, targets, labels))
            gradient = tape.gradient(total, latents)
            # RMSProp with the authors' constants and their epsilon outside of the root.
            squares = _DECAY * squares + (1.0 - _DECAY) * tf.square(gradient)
            latents = latents - rate * gradient / (tf.sqrt(squares) + _EPSILON)
        return latents, errors_of(latents, targets, labels)

    return descend.get_concrete_function(
        tf.TensorSpec((None, model.latent_dim), tf.float32),
        tf.TensorSpec((None, *model.sample_shape()), tf.float32),
        tf.TensorSpec((), tf.int32),
        tf.TensorSpec((), tf.float32),
        *([tf.TensorSpec((None,), tf.int64)] if has_labels else []),
    )
