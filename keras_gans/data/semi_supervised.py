"""Data sets of which only a few items keep their label."""

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from keras_gans.checks import is_whole
from keras_gans.data.pipeline import to_dataset
from keras_gans.data.source import check_labels_per_class
from keras_gans.errors import UserError
from keras_gans.labels import UNLABELLED

if TYPE_CHECKING:
    from keras_gans.data.source import Source


def labelled_subset(source: Any, labels_per_class: float, seed: int = 0) -> "Source":
    """The few items that keep their label: equally many of each class, chosen at random.

    Args:
        source: a `Source` with labels.
        labels_per_class: how many items of each class, on average: 2.5 of ten classes are 25 items, three of each of
            five classes chosen at random and two of each of the others.
        seed: of the choice.

    Returns:
        A `Source` of `labels_per_class` times the number of classes, in order of class.

    Raises:
        UserError: the source has no labels, a class has too few items, or the number of items is not whole.
    """
    source.require_labels()
    random = np.random.default_rng(seed)
    chosen = []
    for label, count in enumerate(_counts(labels_per_class, source.class_count, random)):
        members = np.flatnonzero(source.labels == label)
        if len(members) < count:
            name = source.class_names[label]
            raise UserError(
                f"{source.name!r} ({source.split}) has {len(members)} items of class {name!r}. Received: "
                f"labels_per_class={labels_per_class}, more than that."
            )
        chosen.append(random.choice(members, count, replace=False))
    chosen = np.concatenate(chosen)
    return source.take(chosen)


def _counts(labels_per_class, class_count, random):
    """How many items of each class keep their label."""
    check_labels_per_class(labels_per_class)
    exact = labels_per_class * class_count
    total = round(exact)
    if abs(total - exact) > 1e-6:
        raise UserError(
            f"labels_per_class times {class_count} classes must be a whole number of items. Received: "
            f"{labels_per_class!r}, which makes {exact:g}; {total / class_count:g} makes {total}."
        )
    counts = np.full(class_count, total // class_count)
    if total % class_count:
        counts[random.choice(class_count, total % class_count, replace=False)] += 1
    return counts


def to_semi_supervised_dataset(
    source: Any,
    *,
    labels_per_class: float,
    batch_size: int = 100,
    seed: int = 0,
    repeat: bool = True,
    skip_batches: int = 0,
) -> tf.data.Dataset:
    """Batches of which every other row is one of the few labelled items and the rest are any, without a label.

    The labelled items are drawn again and again, as often as the unlabelled ones (Salimans et al., 2016); the
    unlabelled rows are of the whole source. Each stream goes through all its items in an order of its own before it
    starts again.

    Args:
        source: a `Source` with labels.
        labels_per_class: see `labelled_subset`, which gets the same seed.
        batch_size: rows of a batch, an even number.
        seed: of the choice and the order.
        repeat: must be True: the two streams have no common end.
        skip_batches: see `to_dataset`.

    Returns:
        A `tf.data.Dataset` of (float32 images (batch_size, height, width, channels) in [-1, 1], int64 labels
        (batch_size,), -1 where a row has none).

    Raises:
        UserError: see `labelled_subset`; or an odd batch size.
    """
    if not is_whole(batch_size) or batch_size < 2 or batch_size % 2:
        raise UserError(
            f"Half of a semi-supervised batch is labelled, so batch_size is an even number. Received: {batch_size!r}."
        )
    if not repeat:
        raise UserError("Labelled and unlabelled streams have no common end: use repeat=True and steps_per_epoch.")
    few = _repeated(labelled_subset(source, labels_per_class, seed), batch_size // 2)
    order = {"batch_size": batch_size // 2, "repeat": True, "skip_batches": skip_batches}
    labelled = to_dataset(few, labels=True, seed=seed, **order)
    # Another seed, so that the two orders have nothing in common.
    unlabelled = to_dataset(source, seed=seed + 1, **order)

    @tf.autograph.experimental.do_not_convert
    def woven(labelled_rows, images):
        few_images, labels = labelled_rows
        both = tf.stack([few_images, images], axis=1)
        labels = tf.stack([labels, tf.fill(labels.shape, tf.constant(UNLABELLED, labels.dtype))], axis=1)
        return tf.reshape(both, (batch_size, *images.shape[1:])), tf.reshape(labels, (batch_size,))

    dataset = tf.data.Dataset.zip((labelled, unlabelled)).map(woven, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE)


def _repeated(few, rows):
    """The source itself, or so many copies of it that it fills a batch of `rows`."""
    copies = -(-rows // len(few))
    if copies == 1:
        return few
    return few.take(np.tile(np.arange(len(few)), copies))
