"""What fit() accepts: checked before the first step, and cut into the batches that a training step consumes."""

import inspect
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans.autotuning import without_autotuning
from keras_gans.checks import check_whole
from keras_gans.errors import UserError
from keras_gans.fields import sample_of
from keras_gans.pixels import from_uint8

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


def in_order(batch: Any, takes: Iterable[str]) -> tuple[Any, ...]:
    """A batch's fields as a tuple in the order of `takes`.

    Args:
        batch: a tensor, the only field; a tuple or list in that order, of which the first count; or {field: tensor}.
        takes: names of the fields.

    Raises:
        UserError: a field is missing.
    """
    takes = tuple(takes)
    if isinstance(batch, Mapping):
        if any(name not in batch for name in takes):
            raise UserError(f"A batch holds the fields {', '.join(takes)}. Received one with {', '.join(batch)}.")
        return tuple(batch[name] for name in takes)
    batch = tuple(batch) if isinstance(batch, tuple | list) else (batch,)
    if len(batch) < len(takes):
        raise UserError(_missing(takes, batch))
    return batch[: len(takes)]


def _missing(takes, batch):
    if takes[len(batch)] == "label":
        return (
            "This scheme trains on labels, and fit() received none. keras_gans.data.load(..., labels=True) gives "
            "(images, labels); by hand, fit takes such a dataset or x, y."
        )
    return f"This scheme takes batches of ({', '.join(takes)}). Received: {len(batch)} in place of {len(takes)}."


# Begin an error of TensorFlow's that is told as another.
_OUT_OF_LIMITS = "keras_gans: out of its limits: "
_OTHER_SHAPE = "keras_gans: of another shape: "
_EACH_BATCH = "A batch holds a row or more, all of one shape; keras_gans.data.load makes it so."
# What Keras's fit() takes and an adversarial scheme cannot use, and what does that work here.
_INSTEAD = {
    "validation_data": "the losses of two players say nothing on other data. Measure samples against data that were "
    "held out with callbacks.Evaluate, or afterwards with metrics.evaluate",
    "validation_split": "the losses of two players say nothing on other data. data.hold_out sets rows aside, and "
    "metrics.evaluate measures samples against them",
    "class_weight": "each player's loss is the paper's. Draw the classes as often as they are to count, before fit()",
    "sample_weight": "each player's loss is the paper's. Draw the rows as often as they are to count, before fit()",
}


def refuse_options(options: Mapping[str, Any]) -> None:
    """Raises a `UserError` for an option of Keras's `fit` that would be ignored, saying what to do instead."""
    for name, instead in _INSTEAD.items():
        value = options.get(name)
        if not (value is None or isinstance(value, float) and value == 0.0):
            raise UserError(f"fit() takes no {name}: {instead}.")


def _refuse_weights(batch, takes):
    """Raises a `UserError` for a batch of (x, y, sample_weight), as Keras has them, whose weights would be ignored."""
    if isinstance(batch, tuple | list) and len(batch) > max(len(takes), 2):
        raise UserError(
            f"This scheme takes batches of ({', '.join(takes)}). Received {len(batch)} parts, of which Keras takes the "
            f"third for sample_weight: {_INSTEAD['sample_weight']}."
        )


def _refuse_no_row(first):
    """Raises a `UserError` for a first batch, {field: rows}, that is empty."""
    if any(0 in np.shape(values)[:1] for values in first.values()):
        raise UserError("The first batch holds no row. Every batch holds one or more.")


def check_counts(epochs: Any, options: Mapping[str, Any]) -> None:
    """Raises a `UserError` for numbers of epochs or steps that Keras's `fit` takes for no training at all.

    0 epochs, or an `initial_epoch` that is not before their end, are nothing left to train, as Keras defines it: a run
    that is taken up again after its last epoch has so many.

    Args:
        epochs: of `fit`.
        options: its further arguments.
    """
    check_whole("epochs", epochs, 0)
    check_whole("initial_epoch", options.get("initial_epoch", 0), 0)
    if options.get("steps_per_epoch") is not None:
        check_whole("steps_per_epoch", options["steps_per_epoch"], why=", or None for all batches there are")


def refuse_compile_options(options: Mapping[str, Any], players: Iterable[str]) -> None:
    """Raises a `UserError` for an option of Keras's `compile` that has no meaning for several players."""
    named = ", ".join(f"{player!r}: ..." for player in players)
    instead = {
        "optimizer": f"each player has its own: compile(optimizers={{{named}}})",
        "loss": "each player's loss is the scheme's own; other losses are other schemes, or penalties=[...]",
        "loss_weights": "weights of terms are arguments of the scheme's constructor",
        "metrics": "samples are measured by callbacks.Evaluate and metrics.evaluate",
        "weighted_metrics": "samples are measured by callbacks.Evaluate and metrics.evaluate",
    }
    for name, why in instead.items():
        if options.get(name) is not None:
            raise UserError(f"compile() takes no {name} here: {why}. Received: {name}={options[name]!r}.")


def prepare(
    x: Any,
    y: Any,
    batch_size: int | None,
    model: "AdversarialModel",
    *,
    shuffle: bool,
    replicas: int,
    raised: list[Exception] | None = None,
) -> tf.data.Dataset:
    """The dataset that `fit` hands to Keras.

    Args:
        x: tf.data.Dataset of batches; or NumPy arrays: one, a tuple or {field: array}.
        y: labels of an array, or None.
        batch_size: of arrays; 32 unless given.
        model: an `AdversarialModel`.
        shuffle: whether to shuffle arrays.
        replicas: number of replicas that share a batch.
        raised: takes what a generator or a `PyDataset` raises later, which TensorFlow wraps into an error of its own.

    Returns:
        tf.data.Dataset whose elements hold `model.batches_per_step()` batches.

    Raises:
        UserError: see `AdversarialModel.fit`.
    """
    if isinstance(x, tf.data.Dataset):
        if y is not None or batch_size is not None:
            raise UserError("A tf.data.Dataset brings its own labels and batches; leave y and batch_size out of fit().")
        dataset = x
    elif isinstance(x, keras.utils.PyDataset) or inspect.isgenerator(x):
        if y is not None or batch_size is not None:
            raise UserError(f"A {type(x).__name__} brings its own labels and batches; leave y and batch_size out.")
        dataset = _from_python(x, model.takes, [] if raised is None else raised)
    else:
        if batch_size is not None:
            check_whole("batch_size", batch_size)
        dataset = _from_arrays(x, y, batch_size or 32, shuffle, model)
    dataset = without_autotuning(dataset)
    batch = _first_batch(dataset)
    _refuse_weights(batch, model.takes)
    first = dict(zip(model.takes, in_order(batch, model.takes), strict=True))
    _refuse_no_row(first)
    model.check_batch({name: np.asarray(values) for name, values in first.items()})
    dataset = _like_the_first(dataset, first, model)
    dataset = _merge_batches(dataset, len(next(iter(first.values()))), model.batches_per_step(), replicas)
    options = tf.data.Options()
    # Each of several machines takes its part of every batch; by files, which TensorFlow would try first, it cannot.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    # The next batch is made while a step is taken; TensorFlow would see to it by itself only where it tunes.
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)


def _like_the_first(dataset, first, model):
    """The dataset, which ends with an error at a later batch of another shape or no row, or of numbers out of limits.

    NaN and infinity pass: the step that meets them is taken back.
    """
    limits = {name: field.limits for name, field in model.fields().items() if field.limits}
    specifications = dict(zip(model.takes, in_order(dataset.element_spec, model.takes), strict=True))
    shapes = {
        name: specification.shape.merge_with((None, *np.shape(first[name])[1:]))
        for name, specification in specifications.items()
        if not specification.shape.is_fully_defined()
    }

    def check(*parts):
        batch, checked = parts[0] if len(parts) == 1 else parts, {}
        for name, values in zip(model.takes, in_order(batch, model.takes), strict=True):
            if name in shapes:
                shape, expected = tf.shape(values), tf.constant(shapes[name][1:].as_list(), "int32")
                is_alike = (tf.size(shape) == tf.size(expected) + 1) & tf.reduce_all(shape[1:] == expected)
                is_alike &= tf.reduce_all(shape[:1] > 0)
                received = tf.strings.reduce_join(tf.strings.as_string(shape), separator=", ")
                told = tf.debugging.Assert(is_alike, [f"{_OTHER_SHAPE}{shown_name(name)};", received])
                with tf.control_dependencies([told]):
                    values = tf.ensure_shape(values, shapes[name])
            if name in limits:
                lowest, highest = (tf.cast(limit, values.dtype) for limit in limits[name])
                ends = tf.reduce_min(values), tf.reduce_max(values)
                is_out = [ends[0] < lowest, ends[1] > highest] & tf.math.is_finite(tf.cast(ends, tf.float32))
                tf.debugging.Assert(~tf.reduce_any(is_out), [f"{_OUT_OF_LIMITS}{shown_name(name)};", *ends])
            checked[name] = values
        if isinstance(batch, Mapping):
            return {**batch, **checked}
        return (*checked.values(), *batch[len(checked) :]) if isinstance(batch, tuple) else values

    # The assertions are held to by the map's graph, in which what has an effect is run.
    return dataset.map(tf.autograph.experimental.do_not_convert(check)) if limits or shapes else dataset


def unlike_the_first(error: Exception, step: int, model: "AdversarialModel") -> UserError | None:
    """What a user is told where a batch was not like the first; None where `error` is another.

    Args:
        error: of TensorFlow, raised by the dataset that `prepare` gives.
        step: the last one taken.
        model: that is trained.
    """
    fields = {shown_name(name): field for name, field in model.fields().items()}
    if found := re.search(rf"{_OTHER_SHAPE}(.+?);\] \[(.*?)\]", str(error)):
        name, shape = found.groups()
        return UserError(
            f"Near step {step + 1} a batch holds {name} of shape ({shape}), and those before it had "
            f"{_of_batch(fields[name].shape)}. {_EACH_BATCH}"
        )
    if found := re.search(rf"{_OUT_OF_LIMITS}(.+?);\] \[(.+?)\] \[(.+?)\]", str(error)):
        name, lowest, highest = found.groups()
        limits = fields[name].limits
        return UserError(
            f"Near step {step + 1} a batch holds {name} from {lowest} to {highest}, and they lie from {limits[0]:.0f} "
            f"to {limits[1]:.0f}, as in the batches before. Look at the data there."
        )
    return None


def _of_batch(shape):
    return f"({', '.join(map(str, ('batch', *shape)))})"


def _from_arrays(x, y, batch_size, shuffle, model):
    if y is not None and isinstance(x, Mapping | tuple):
        raise UserError("Several fields bring their labels with them: leave y out of fit().")
    arrays = x if isinstance(x, Mapping | tuple) else (x,) if y is None else (x, y)
    parts = list(arrays.values()) if isinstance(arrays, Mapping) else list(arrays)
    if not parts or any(not isinstance(part, np.ndarray) and not tf.is_tensor(part) for part in parts):
        raise UserError(
            f"fit() takes a tf.data.Dataset or NumPy arrays of samples. Received: {type(x).__name__}. "
            "keras_gans.data.load makes a dataset of a name, a folder or an array."
        )
    if not all(len(part) for part in parts):
        raise UserError("fit() takes arrays of one sample or more. Received an empty one.")
    # Checked here already, so that a batch of arrays of no use is never taken.
    name, field = next(iter(model.fields().items()))
    field.check(np.asarray(in_order(arrays, model.takes)[0][:1]), shown_name(name))
    counts = [len(part) for part in parts]
    if len(set(counts)) > 1:
        raise UserError(f"A row's fields lie at one place of each array. Received arrays of {counts} rows.")
    if counts[0] < batch_size:
        raise UserError(f"The array holds {counts[0]} samples, fewer than one batch of {batch_size}. Lower batch_size.")
    dataset = tf.data.Dataset.from_tensor_slices(arrays if len(parts) > 1 else parts[0])
    if shuffle:
        dataset = dataset.shuffle(counts[0], seed=model.seed)
    return dataset.batch(batch_size, drop_remainder=True)


def _from_python(batches, takes, raised):
    """The dataset of a `keras.utils.PyDataset`, which begins anew with each epoch, or of a generator, which ends.

    What either raises at a later batch goes to the list `raised` too.
    """
    if isinstance(batches, keras.utils.PyDataset):
        count = batches.num_batches
        first = batches[0]

        def draw():
            for index in itertools.count() if count is None else range(count):
                batch = batches[index]
                if index + 1 == count:
                    # Not after it: who has as many batches as there are asks for no more.
                    batches.on_epoch_end()
                yield batch
    else:
        count, first = None, next(batches, None)
        if first is None:
            raise UserError("The generator is empty: there is not one batch to train on.")

        def draw():
            return itertools.chain([first], batches)

    _refuse_weights(first, takes)
    expected = {name: np.asarray(part) for name, part in zip(takes, in_order(first, takes), strict=True)}
    _refuse_no_row(expected)

    def arranged():
        try:
            for number, batch in enumerate(draw(), 1):
                parts = {name: np.asarray(part) for name, part in zip(takes, in_order(batch, takes), strict=True)}
                for name, values in parts.items():
                    _check_as_before(shown_name(name), values, expected[name], number)
                yield tuple(parts.values()) if len(parts) > 1 else next(iter(parts.values()))
        except Exception as error:
            raised.append(error)
            raise

    signature = tuple(tf.TensorSpec((None, *values.shape[1:]), values.dtype) for values in expected.values())
    dataset = tf.data.Dataset.from_generator(
        arranged, output_signature=signature if len(signature) > 1 else signature[0]
    )
    return dataset if count is None else dataset.apply(tf.data.experimental.assert_cardinality(count))


def _check_as_before(name, values, expected, number):
    """Raises a `UserError` where a later batch's field has another shape or kind of number than the first one's."""
    if values.ndim != expected.ndim or values.shape[1:] != expected.shape[1:] or not len(values):
        raise UserError(
            f"Batch {number} holds {name} of shape {values.shape}, and those before it had "
            f"{_of_batch(expected.shape[1:])}. {_EACH_BATCH}"
        )
    if not np.can_cast(values.dtype, expected.dtype, "same_kind"):
        raise UserError(f"Batch {number} holds {name} of {values.dtype}, and those before it were {expected.dtype}.")


def _first_batch(dataset):
    for element in dataset.take(1):
        return element
    raise UserError("The dataset is empty: there is not one batch to train on.")


def first_rows(data: Any, takes: Iterable[str], count: int) -> dict[str, np.ndarray]:
    """The first rows of data, {field: array of `count` rows or as many as there are}.

    Args:
        data: arrays or a tf.data.Dataset of batches, of one field, or in any form that `in_order` takes.
        takes: names of the fields; of a single array, which is the first one, the others are left out.
        count: how many.

    Raises:
        UserError: there is none, or a field is missing.
    """
    if isinstance(data, tf.data.Dataset):
        rows = list(without_autotuning(data.unbatch().take(count)).as_numpy_iterator())
        if not rows:
            raise UserError("The dataset is empty: there is not one row to look at.")
        parts = zip(*(in_order(row, takes) for row in rows), strict=True)
        return {name: np.stack(part) for name, part in zip(takes, parts, strict=True)}
    if isinstance(data, Mapping):
        return {name: data[name][:count] for name in takes if name in data}
    parts = data if isinstance(data, tuple) else (data,)
    return {name: np.asarray(part[:count]) for name, part in zip(takes, parts, strict=False)}


def shown_name(field: str) -> str:
    """A field's name as messages have it."""
    return "samples" if field == "sample" else field


def check_samples(samples: Any, sample_shape: Sequence[int], name: str = "samples") -> None:
    """Raises a `UserError` unless `samples` are a batch of finite floats of `sample_shape`, images in [-1, 1].

    Args:
        samples: array or tensor, the batch first.
        sample_shape: (height, width, channels) of images, or (d,) of points.
        name: what they are called where the user passed them.
    """
    sample_of(sample_shape).check(np.asarray(samples), name)


def floats_of(samples: Any, sample_shape: Sequence[int], name: str = "samples") -> np.ndarray:
    """Samples of `sample_shape` as networks take them, float32: uint8 images scaled to [-1, 1], others as they are.

    Args:
        samples: array or tensor, the batch first; it may be empty.
        sample_shape, name: see `check_samples`.

    Raises:
        UserError: see `check_samples`.
    """
    samples = np.asarray(samples)
    if samples.dtype == np.uint8 and len(sample_shape) == 3:
        samples = from_uint8(samples).numpy()
    check_samples(samples, sample_shape, name)
    return samples.astype(np.float32)


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
    return dataset


def _even_batches(dataset, replicas):
    """The dataset without a last batch that cannot be shared: a replica with no row, or with fewer, would err."""
    if tf.nest.flatten(dataset.element_spec)[0].shape[0] is not None:
        return dataset
    return dataset.filter(lambda *parts: tf.shape(tf.nest.flatten(parts)[0])[0] % replicas == 0)


def _woven(parts, count):
    """The rows of `count` batches in turn: the first of each, the second of each, and so on.

    However many replicas share the rows out, every `count`-th row that a replica gets is of the same batch.
    """

    def weave(rows):
        stacked = tf.reshape(rows, (count, rows.shape[0] // count, *rows.shape[1:]))
        return tf.reshape(tf.experimental.numpy.swapaxes(stacked, 0, 1), rows.shape)

    return tf.nest.map_structure(weave, parts[0] if len(parts) == 1 else parts)
