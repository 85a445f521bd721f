"""From latents to samples, as every tool of this package does it: with the generator in inference mode."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError
from keras_gans.fields import Texts
from keras_gans.hints import Tensor
from keras_gans.latent.draw import latents_from_seeds
from keras_gans.pixels import to_uint8

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


_BATCH = 256


def decode(model: "AdversarialModel", latents: np.ndarray, labels: Any = None) -> Tensor:
    """What the generator makes of latents, batch normalization in inference mode.

    Args:
        model: `AdversarialModel` that maps latents, or [latents, labels], to samples.
        latents: float tensor (n, latent_dim).
        labels: int tensor (n,) where the model is class-conditional, the texts' tokens (n, length) where it draws to
            texts, else None.

    Returns:
        float32 tensor (n, *sample_shape), images in [-1, 1].
    """
    inputs = latents if labels is None else [latents, labels]
    return tf.cast(model(inputs, training=False), tf.float32)


def draws_to_texts(model: "AdversarialModel | type[AdversarialModel]") -> bool:
    """Whether a model, or those of a scheme, take a text for each sample that they make."""
    return model.makes == "sample" and Texts in model.takes.get("text", ())


def decode_array(
    model: "AdversarialModel", latents: np.ndarray, labels: Any = None, texts: str | Sequence[str] | None = None
) -> np.ndarray:
    """The samples of latents, as `sample()` returns them.

    Args:
        model: see `decode`.
        latents: float array (n, latent_dim).
        labels: see `labels_for`.
        texts: one for all or one for each, where the model draws to texts.

    Returns:
        uint8 array (n, height, width, channels) of images; float32 array (n, d) of points.

    Raises:
        UserError: latents of the wrong shape, texts for a model that takes none or none for one that takes them, or see
            `labels_for`.
    """
    latents = np.asarray(latents, np.float32)
    if latents.ndim != 2 or latents.shape[1] != model.latent_dim or not len(latents):
        raise UserError(f"Latents are an array (n, {model.latent_dim}), n of 1 or more. Received: {latents.shape}.")
    labels = labels_for(model, labels, len(latents))
    if draws_to_texts(model):
        if texts is None:
            raise UserError(f"{type(model).__name__} draws to texts: say which.")
        labels = model.tokenizer.encode(model.texts_for(len(latents), texts=texts))
    elif texts is not None:
        raise UserError(f"{type(model).__name__} draws to no texts: leave them out. Received: {texts!r}.")
    specifications = [tf.TensorSpec((None, model.latent_dim), tf.float32)]
    if labels is not None:
        specifications.append(tf.TensorSpec((None, *labels.shape[1:]), labels.dtype))

    def decoded(*inputs):
        samples = decode(model, *inputs)
        return to_uint8(samples) if model.makes_images else samples

    graph = tf.function(decoded, autograph=False).get_concrete_function(*specifications)
    given = [latents] if labels is None else [latents, labels]
    batches = [slice(start, start + _BATCH) for start in range(0, len(latents), _BATCH)]
    return np.concatenate([graph(*(tf.constant(part[rows]) for part in given)).numpy() for rows in batches])


def labels_for(model: "AdversarialModel", labels: Any, count: int) -> np.ndarray | None:
    """The labels that go with `count` latents of a model.

    Args:
        model: `AdversarialModel`.
        labels: one class for all or one for each, numbers or names; None where the model is not class-conditional.
        count: how many.

    Returns:
        int64 array (count,), or None where the model is not class-conditional.

    Raises:
        UserError: labels for a model that takes none or none for one that takes them, a wrong number of them, or a
            class that there is not.
    """
    if not model.takes_labels:
        if labels is not None:
            raise UserError(f"{type(model).__name__} is not class-conditional: leave the labels out.")
        return None
    if labels is None:
        raise UserError(
            "This model is class-conditional: say which class, by labels=... or on the command line by --label. It has "
            f"{', '.join(model.class_names)}."
        )
    labels = model.label_of(labels)
    if labels.shape not in ((), (count,)):
        raise UserError(f"Labels are one class for all, or {count} of them. Received: an array of {labels.shape}.")
    return np.broadcast_to(labels, (count,)).astype(np.int64)


def seed_latents(model: "AdversarialModel", seeds: np.ndarray) -> np.ndarray:
    """The latents that `model.sample` and the exported `sample` give to seeds.

    Args:
        model: `AdversarialModel`.
        seeds: integers (n,), each any int64.

    Returns:
        float32 array (n, latent_dim).

    Raises:
        UserError: a seed that is no whole number of 64 bits.
    """
    values = np.asarray(seeds)
    if values.size and (values.dtype.kind not in "iu" or (values > 2**63 - 1).any()):
        raise UserError(f"Seeds are whole numbers of 64 bits, from -2**63 to 2**63 - 1. Received: {str(seeds):.80}.")
    return latents_from_seeds(values.astype(np.int64), model.latent_dim, model.latent_prior).numpy()
