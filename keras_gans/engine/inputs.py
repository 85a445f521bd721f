"""What fit() accepts: checked before the first step, and cut into the batches that a training step consumes."""

import warnings

import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError


def prepare(x, y, batch_size, model, *, shuffle, replicas):
    """The dataset that `fit` hands to Keras.

    Args:
        x: tf.data.Dataset of batches, or a NumPy array.
        y: labels of an array, or None.
        batch_size: of an array; 32 unless given.
        model: an `AdversarialModel`.
        shuffle: whether to shuffle an array.
        replicas: number of replicas that share a batch.

    Returns:
        tf.data.Dataset whose elements hold `model.batches_per_step()` batches.

    Raises:
        UserError: see `AdversarialModel.fit`.
    """
    if isinstance(x, tf.data.Dataset):
        if y is not None or batch_size is not None:
            raise UserError("A tf.data.Dataset brings its own labels and batches; leave y and batch_size out of fit().")
        dataset = x
    else:
        dataset = _from_array(x, y, batch_size or 32, shuffle, model)
    first, *labels = _first_batch(dataset)
    check_samples(first, model.sample_shape())
    model.check_labels(labels[0].numpy() if labels else None)
    dataset = _merge_batches(dataset, len(first), model.batches_per_step(), replicas)
    options = tf.data.Options()
    # Each of several machines takes its part of every batch; by files, which TensorFlow would try first, it cannot.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options)


def _from_array(x, y, batch_size, shuffle, model):
    if not isinstance(x, np.ndarray) and not tf.is_tensor(x):
        raise UserError(
            f"fit() takes a tf.data.Dataset or a NumPy array of samples. Received: {type(x).__name__}. "
            "keras_gans.data.load makes a dataset of a name, a folder or an array."
        )
    # Checked here already, so that a batch of an array of no use is never taken.
    check_samples(x[:1], model.sample_shape())
    if len(x) < batch_size:
        raise UserError(f"The array holds {len(x)} samples, fewer than one batch of {batch_size}. Lower batch_size.")
    dataset = tf.data.Dataset.from_tensor_slices(x if y is None else (x, y))
    if shuffle:
        dataset = dataset.shuffle(len(x), seed=model.seed)
    return dataset.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def _first_batch(dataset):
    """The first element as a tuple: samples, and labels where there are any."""
    for element in dataset.take(1):
        return tuple(element) if isinstance(element, (tuple, list)) else (element,)
    raise UserError("The dataset is empty: there is not one batch to train on.")


def check_samples(samples, sample_shape):
    """Raises a `UserError` unless `samples` are a batch of finite floats of `sample_shape`, images in [-1, 1].

    Args:
        samples: array or tensor, the batch first.
        sample_shape: (height, width, channels) of images, or (d,) of points.
    """
    shape = tuple(samples.shape)
    expected = ("batch", *sample_shape)
    if shape[1:] != tuple(sample_shape):
        raise UserError(
            f"The networks take samples of shape ({', '.join(map(str, expected))}). Received: {shape}."
            + _shape_hint(shape, tuple(sample_shape))
        )
    values = np.asarray(samples)
    if not np.issubdtype(values.dtype, np.floating):
        raise UserError(
            f"Samples must be floats in [-1, 1]. Received: {values.dtype} from {values.min()} to {values.max()}. "
            "keras_gans.data.load scales them; by hand, x / 127.5 - 1 for uint8."
        )
    if not np.isfinite(values).all():
        raise UserError(f"The first batch holds {np.count_nonzero(~np.isfinite(values))} NaN or infinite values.")
    is_image = len(sample_shape) == 3
    if is_image and (values.min() < -1.001 or values.max() > 1.001):
        raise UserError(
            f"Images must lie in [-1, 1], the generator's range. Received: {values.min():.4g} to {values.max():.4g}. "
            "keras_gans.data.load scales them; by hand, x / 127.5 - 1 for 0 to 255."
        )
    if is_image and len(values) > 1 and values.min() >= 0.0 and values.max() > 0.0:
        warnings.warn(
            f"The first batch lies in [{values.min():.3g}, {values.max():.3g}], as if scaled to [0, 1]; the "
            "generator's range is [-1, 1]: 2 * x - 1 maps one to the other.",
            stacklevel=4,
        )


def _shape_hint(shape, sample_shape):
    if shape == sample_shape:
        return " There is no batch axis: batch the dataset first."
    if shape[1:] == sample_shape[:-1] and sample_shape[-1] == 1:
        return " The channel axis is missing: x[..., None] adds it."
    if len(shape) == 5:
        return " There are two batch axes: the dataset is batched twice."
    return ""


def _merge_batches(dataset, batch_size, batches_per_step, replicas):
    """Joins the batches of one training step, so that each of the discriminator's steps has a batch of its own."""
    if batch_size % replicas:
        nearest = max(replicas, round(batch_size / replicas) * replicas)
        raise UserError(
            f"A batch of {batch_size} does not divide among {replicas} replicas. The nearest that does is {nearest}."
        )
    if batches_per_step == 1:
        return dataset if replicas == 1 else _even_batches(dataset, replicas)
    batches = int(dataset.cardinality())
    if 0 <= batches < batches_per_step:
        raise UserError(
            f"One training step takes {batches_per_step} batches of {batch_size} (a batch for each of the "
            f"discriminator's steps), but the dataset holds {batches}. A batch size of at most "
            f"{max(1, batches * batch_size // batches_per_step)} fits."
        )
    dataset = dataset.rebatch(batches_per_step * batch_size, drop_remainder=True)
    weave = tf.autograph.experimental.do_not_convert(lambda *parts: _woven(parts, batches_per_step))
    dataset = dataset.map(weave, num_parallel_calls=tf.data.AUTOTUNE)
    if batches > 0:
        # Rebatching forgets the length, and Keras's progress bar needs it.
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(batches // batches_per_step))
    return dataset.prefetch(tf.data.AUTOTUNE)


def _even_batches(dataset, replicas):
    """The dataset without a last batch that cannot be shared: a replica with no row, or with fewer, would err."""
    first = dataset.element_spec[0] if isinstance(dataset.element_spec, tuple) else dataset.element_spec
    if first.shape[0] is not None:
        return dataset
    return dataset.filter(lambda samples, *labels: tf.shape(samples)[0] % replicas == 0)


def _woven(parts, count):
    """The rows of `count` batches in turn: the first of each, the second of each, and so on.

    However many replicas share the rows out, every `count`-th row that a replica gets is of the same batch.
    """

    def weave(rows):
        stacked = tf.reshape(rows, (count, rows.shape[0] // count, *rows.shape[1:]))
        return tf.reshape(tf.experimental.numpy.swapaxes(stacked, 0, 1), rows.shape)

    return tf.nest.map_structure(weave, parts[0] if len(parts) == 1 else parts)
