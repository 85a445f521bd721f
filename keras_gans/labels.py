"""Class labels: which are known, under which names, and means over those rows that have one."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.checks import check_whole
from keras_gans.errors import UserError, nearest
from keras_gans.fields import UNLABELLED as UNLABELLED
from keras_gans.hints import Tensor


def check_class_count(count: int) -> int:
    """The number of classes.

    Raises:
        UserError: it is not a whole number of 2 or more.
    """
    return check_whole("class_count", count, 2)


def check_class_names(names: Any, count: int) -> tuple[str, ...]:
    """`count` names as a tuple of str, the numbers where `names` is None.

    Raises:
        UserError: another number of names.
    """
    names = tuple(map(str, range(count) if names is None else names))
    if len(names) != count:
        raise UserError(f"class_names must name {count} classes. Received: {len(names)} names.")
    return names


def check_prior(prior: Any, count: int) -> list[float]:
    """`count` probabilities as a list of float, uniform where `prior` is None.

    Raises:
        UserError: they are not probabilities of `count` classes.
    """
    prior = np.full(count, 1.0 / count) if prior is None else np.asarray(prior, np.float64)
    if prior.shape != (count,) or not (prior >= 0).all() or not abs(prior.sum() - 1.0) < 1e-3:
        raise UserError(f"class_prior must be {count} probabilities that sum to 1. Received: {prior.tolist()}.")
    return [float(value) for value in prior]


def labels_of(labels: Any, names: Any) -> np.ndarray:
    """An int64 array of labels from numbers or class names, or a list of them.

    Raises:
        UserError: a label that is no class.
    """
    flat = [_label_of(label, names) for label in np.ravel(np.asarray(labels, object))]
    return np.asarray(flat, np.int64).reshape(np.shape(labels))


def _label_of(label, names):
    if isinstance(label, str):
        if label in names:
            return names.index(label)
        if not label.isdecimal():
            close = nearest(label, names)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise UserError(f"Unknown class {label!r}.{hint} Known: {', '.join(names)}.")
        label = int(label)
    if not isinstance(label, int | np.integer) or isinstance(label, bool) or not 0 <= label < len(names):
        raise UserError(
            f"A label is a whole number from 0 to {len(names) - 1}, or a class name. Received: {label!r}. The classes "
            f"are {', '.join(names)}."
        )
    return int(label)


def is_right(labels: Any, logits: Tensor) -> Tensor:
    """1 for each row whose largest logit is its label's and 0 for the others, float32 (batch,)."""
    return tf.cast(tf.equal(tf.argmax(logits, axis=-1), tf.cast(labels, tf.int64)), tf.float32)
