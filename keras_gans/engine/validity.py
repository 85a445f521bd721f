"""What the exported model makes of wrong input: its row is answered as invalid, and the rows beside it as ever.

A server merges the requests of several clients into one batch, so whatever fails in the graph fails for all of them. No
row's content may do so: a row that cannot be answered is answered by a filler, and `valid` says that it is one. What
fails is a request whose very shape is wrong, which a server refuses before it merges anything.
"""

import functools
from typing import TYPE_CHECKING

import tensorflow as tf

from keras_gans.engine.kinds import Endpoints
from keras_gans.fields import UNLABELLED
from keras_gans.limits import BATCH_LIMIT, IMAGE_LIMIT, TEXT_LIMIT, check_batch_limit

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


VALID = "valid"
# What stands where there is no answer: 0, "" or, of a label, the number that is no class.
_FILLERS = {"label": UNLABELLED}


def within(values: tf.Tensor, lowest: float, highest: float) -> tf.Tensor:
    """Which rows hold numbers from `lowest` to `highest` only, and neither NaN nor infinities, bool (batch,).

    Args:
        values: tensor (batch, ...).
        lowest: bound, included.
        highest: bound, included.
    """
    # Of comparisons alone, which TFLite and ONNX know too; NaN is on neither side of a bound.
    return _all_of_row(tf.logical_and(values >= lowest, values <= highest))


def valid_rows(model: "AdversarialModel", specification: tf.TensorSpec, values: tf.Tensor) -> tf.Tensor | None:
    """Which rows of an input can be answered, told by the input's name; see `Asking.valid_rows`.

    Args:
        model: which knows the classes.
        specification: of the input.
        values: tensor (batch, ...).
    """
    name, dtype = specification.name, specification.dtype
    if name == "label" and dtype.is_integer:
        return within(values, 0, len(model.class_names) - 1)
    if name == "text":
        return tf.strings.length(values) <= TEXT_LIMIT
    if not dtype.is_floating:
        return None
    lowest, highest = {"image": (-IMAGE_LIMIT, IMAGE_LIMIT), "fraction": (0.0, 1.0)}.get(name, (dtype.min, dtype.max))
    return within(values, lowest, highest)


def served_endpoints(model: "AdversarialModel", batch_limit: int = BATCH_LIMIT) -> Endpoints:
    """The endpoints of a model as strangers may call them, which is what the SavedModel holds.

    Where a row's content may be wrong (`Asking.valid_rows`), there is one more output, `valid`, bool (batch,). Where it
    is False, the other outputs hold zeros, empty strings and, as `label`, -1; no other row is touched. Inputs of
    unequal lengths, and more rows than `batch_limit`, are refused with a message.

    Args:
        model: whose `endpoints()` these are.
        batch_limit: rows that one call may have.

    Raises:
        UserError: a limit that is none.
    """
    check_batch_limit(batch_limit)
    return {
        name: (_served(model, function, tuple(specifications), batch_limit), specifications)
        for name, (function, specifications) in model.endpoints().items()
    }


def _served(model, function, specifications, batch_limit):
    def answer(*tensors):
        tensors = _alike(specifications, tensors, batch_limit)
        pairs = zip(specifications, tensors, strict=True)
        verdicts = [model.valid_rows(specification, tensor) for specification, tensor in pairs]
        pairs = zip(tensors, verdicts, strict=True)
        # Zeros can always be answered; what is wrong might fail, or spoil a sum over the batch.
        outputs = dict(function(*(tensor if rows is None else _where(rows, tensor, 0) for tensor, rows in pairs)))
        # Of files, whether they can be read shows only as they are read.
        verdicts.append(outputs.pop(VALID, None))
        known = [rows for rows in verdicts if rows is not None]
        if not known:
            return outputs
        valid = functools.reduce(tf.logical_and, known)
        masked = {name: _where(valid, value, _FILLERS.get(name, 0)) for name, value in outputs.items()}
        return {**masked, VALID: valid}

    return answer


def _alike(specifications, tensors, batch_limit):
    """The same tensors, in a graph that refuses them unless they have equally many rows, and not too many."""
    first, *others = (tf.shape(tensor)[0] for tensor in tensors)
    refusals = [tf.debugging.Assert(first <= batch_limit, [f"A call has {batch_limit} rows at the most, not", first])]
    for specification, rows in zip(specifications[1:], others, strict=True):
        message = [f"{specifications[0].name} and {specification.name} have equally many rows, not", first, rows]
        refusals.append(tf.debugging.Assert(tf.equal(first, rows), message))
    # Eagerly there is nothing to wait for.
    with tf.control_dependencies([each for each in refusals if each is not None]):
        return [tf.identity(tensor) for tensor in tensors]


def _where(rows, values, filler):
    filler = "" if values.dtype == tf.string else tf.cast(filler, values.dtype)
    return tf.where(tf.reshape(rows, (-1, *(1 for _ in values.shape[1:]))), values, filler)


def _all_of_row(good):
    return tf.reduce_all(good, axis=list(range(1, len(good.shape)))) if len(good.shape) > 1 else good
