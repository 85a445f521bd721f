"""Requests and answers of TensorFlow Serving's REST as arrays: rows ("instances"), columns ("inputs"), and base64."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .refusal import Refusal

_SUFFIX = "_bytes"
# A whole number that float32 holds exactly.
_FLOAT_INTEGERS = 2**24
# Of an array; NumPy has no more, and images have four.
_MOST_DIMENSIONS = 32
# Rows of values are shown in messages, but not all of them.
_SHOWN = 80


class Input(NamedTuple):
    """What a signature says of one of its inputs.

    Attributes:
        dtype: NumPy's name of it; "string" for bytes.
        shape: sizes, None for any.
    """

    dtype: str
    shape: tuple[int | None, ...]


class Asked(NamedTuple):
    """A request to predict.

    Attributes:
        signature: its name, "" for the default one.
        format: "instances" or "inputs".
        body: what stands under that key.
    """

    signature: str
    format: str
    body: Any


def parse(content: bytes) -> Asked:
    """What a request's body asks for.

    Args:
        content: JSON.

    Raises:
        Refusal: it is no JSON, or not of this form.
    """
    try:
        document = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits and what is no UTF-8 are among them.
        raise _invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise _invalid(f"JSON Value: {_short(document)} Is not object")
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise _invalid(
            f"JSON Value: {_short(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    known = [key for key in ("instances", "inputs") if key in document]
    if not known:
        raise _invalid("Missing 'inputs' or 'instances' key")
    if len(known) > 1:
        raise _invalid("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    return Asked(signature, known[0], document[known[0]])


def inputs_of(asked: Asked, inputs: Mapping[str, Input]) -> dict[str, np.ndarray]:
    """A request's arrays.

    Args:
        asked: of `parse`.
        inputs: {name: what the signature says of it}.

    Returns:
        {name: array}, bytes as objects; of whatever shape the request has, see `check_shapes`.

    Raises:
        Refusal: values of another type, ragged lists, other names.
    """
    return (_of_rows if asked.format == "instances" else _of_columns)(asked.body, inputs)


def _of_columns(body, inputs):
    if not isinstance(body, dict) or _is_base64(body):
        if len(inputs) > 1:
            raise _invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required: "
                + ", ".join(sorted(inputs))
            )
        ((name, info),) = inputs.items()
        return {name: _array(body, info.dtype)}
    for name in inputs:
        if name not in body:
            raise _invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _array(body[name], info.dtype) for name, info in inputs.items()}


def _of_rows(body, inputs):
    if not isinstance(body, list):
        raise _invalid(f"JSON Value: {_short(body)} Expecting 'instances' to be a list/array")
    if not body:
        raise _invalid("No values in 'instances' array")
    named = _is_named(body[0])
    if not named and len(inputs) > 1:
        raise _invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required: "
            + ", ".join(sorted(inputs))
        )
    rows = {name: [] for name in inputs}
    for place, element in enumerate(body):
        if _is_named(element) != named:
            expected, found = ("object", "value/list") if named else ("value/list", "object")
            raise _invalid(f"Expecting {expected} but got {found} at item {place} of input list")
        if named and element.keys() != inputs.keys():
            raise _invalid(
                f"Failed to process element: {place} of 'instances' list. JSON object: {_short(element)} keys must be "
                f"equal to: {','.join(sorted(inputs))}"
            )
        for name, info in inputs.items():
            try:
                row = _array(element[name] if named else element, info.dtype)
                if rows[name] and row.shape != rows[name][0].shape:
                    raise _invalid(f"Expecting shape {list(rows[name][0].shape)} but got: {list(row.shape)}")
            except Refusal as refusal:
                raise _invalid(
                    f"Failed to process element: {place} key: {name} of 'instances' list. Error: {refusal.message}"
                ) from None
            rows[name].append(row)
    return {name: np.stack(values) for name, values in rows.items()}


def check_shapes(arrays: Mapping[str, np.ndarray], inputs: Mapping[str, Input]) -> None:
    """Refuses arrays that a signature does not take.

    Args:
        arrays: {name: array}.
        inputs: {name: what the signature says of it}.

    Raises:
        Refusal: other names, another type, or another shape.
    """
    if arrays.keys() != inputs.keys():
        raise _invalid(f"The inputs are {', '.join(sorted(inputs))}. Received: {', '.join(sorted(arrays)) or 'none'}.")
    for name, info in inputs.items():
        array = arrays[name]
        dtype = "string" if array.dtype.kind in "OSU" else array.dtype.name
        if dtype != info.dtype:
            raise _invalid(f"{name} is of type {info.dtype}. Received: {dtype}.")
        pairs = zip(array.shape, info.shape, strict=False)
        if array.ndim != len(info.shape) or any(size not in (None, found) for found, size in pairs):
            wanted = ["?" if size is None else size for size in info.shape]
            raise _invalid(f"{name} is of shape [{', '.join(map(str, wanted))}]. Received: {list(array.shape)}.")


def answer_of(outputs: Mapping[str, np.ndarray], format: str) -> bytes:
    """An answer as JSON: "predictions", a row each, to instances; "outputs", an array each, to inputs.

    With one output its values stand by themselves, with several they are named. Where a name ends in `_bytes`, strings
    are {"b64": base64}.

    Args:
        outputs: {name: array (batch, ...)}.
        format: "instances" or "inputs".
    """
    texts = {name: _written(np.asarray(values), name.endswith(_SUFFIX)) for name, values in outputs.items()}
    if format == "inputs":
        text = (
            _joined(texts)
            if len(texts) == 1
            else _object({name: f"[{','.join(rows)}]" for name, rows in texts.items()})
        )
        return f'{{"outputs": {text}}}'.encode()
    if len(texts) == 1:
        return f'{{"predictions": {_joined(texts)}}}'.encode()
    rows = [_object(dict(zip(texts, row, strict=True))) for row in zip(*texts.values(), strict=True)]
    return f'{{"predictions": [{",".join(rows)}]}}'.encode()


def _joined(texts):
    ((_, rows),) = texts.items()
    return f"[{','.join(rows)}]"


def _object(texts):
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in texts.items()) + "}"


# Values ---------------------------------------------------------------------------------------------------------


def _invalid(message):
    return Refusal("INVALID_ARGUMENT", message)


def _short(value):
    try:
        text = json.dumps(value)
    except (ValueError, RecursionError):
        return "..."
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _is_base64(value):
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _is_named(value):
    return isinstance(value, dict) and not _is_base64(value)


def _array(value, dtype):
    """An array of nested lists, whose leaves are all at one depth."""
    shape, first = [], value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
    if len(shape) > _MOST_DIMENSIONS:
        raise _invalid(
            f"Encountered {len(shape)} lists within each other; a tensor has {_MOST_DIMENSIONS} at the most."
        )
    leaves = []
    _gather(value, tuple(shape), 0, leaves)
    return _typed(leaves, dtype).reshape(shape)


def _gather(value, shape, level, leaves):
    if level == len(shape):
        if isinstance(value, list):
            raise _invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
        leaves.append(value)
        return
    if not isinstance(value, list):
        raise _invalid(
            f"JSON Value: {_short(value)} found at incorrect level: {level + 1} in the JSON DOM. Expected at level: "
            f"{len(shape)}"
        )
    if len(value) != shape[level]:
        raise _invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    if level == len(shape) - 1 and list not in set(map(type, value)):
        leaves.extend(value)
        return
    for element in value:
        _gather(element, shape, level + 1, leaves)


def _typed(leaves, dtype):
    if dtype == "string":
        array = np.empty(len(leaves), object)
        array[:] = [_bytes_of(leaf) for leaf in leaves]
        return array
    kind = np.dtype(dtype).kind
    # A bool is an int to Python, but no number to JSON.
    allowed = {"f": {int, float}, "b": {bool}}.get(kind, {int})
    for leaf in leaves if set(map(type, leaves)) - allowed else ():
        if type(leaf) not in allowed:
            raise _invalid(f"JSON Value: {_short(leaf)} Type: {type(leaf).__name__} is not of expected type: {dtype}")
    if kind in "iu":
        limits = np.iinfo(dtype)
        for leaf in (min(leaves, default=0), max(leaves, default=0)):
            if not limits.min <= leaf <= limits.max:
                raise _invalid(f"JSON Value: {_short(leaf)} Type: Number is not of expected type: {dtype}")
        return np.array(leaves, dtype)
    if kind == "f":
        largest = float(np.finfo(dtype).max)
        whole = 2**53 if dtype == "float64" else _FLOAT_INTEGERS
        for leaf in leaves:
            if type(leaf) is int and not -whole < leaf < whole or largest < abs(leaf) < float("inf"):
                raise _invalid(f"Cannot convert JSON value: {_short(leaf)} to {dtype} without loss of precision.")
    return np.array(leaves, dtype)


def _bytes_of(value):
    if isinstance(value, str):
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError:
            raise _invalid("JSON Parse error: The surrogate pair in string is invalid.") from None
    if not _is_base64(value):
        raise _invalid(f"JSON Value: {_short(value)} is neither a string nor an object of base64 data")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("Unable to base64 decode") from None


def _written(array, as_base64):
    """The rows of an array, each as JSON text."""
    if array.ndim == 0:
        return [_leaves(array.reshape(1), as_base64)[0]]
    texts = _leaves(array.reshape(-1), as_base64)
    for size in array.shape[:0:-1]:
        texts = [f"[{','.join(texts[start : start + size])}]" for start in range(0, len(texts), size)] if size else []
    return texts if array.size or array.ndim == 1 else ["[]"] * array.shape[0]


def _leaves(values, as_base64):
    if values.dtype.kind in "OSU":
        return [_text_of(value, as_base64) for value in values.tolist()]
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    if values.dtype.kind in "iu":
        return list(map(str, values.tolist()))
    # NumPy's own text is the shortest that gives the same float32 again; by way of Python's it would have 17 digits.
    named = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return [named.get(text, text) for text in values.astype("U32").tolist()]


def _text_of(value, as_base64):
    value = value.encode() if isinstance(value, str) else bytes(value)
    if as_base64:
        return f'{{"b64": "{base64.b64encode(value).decode()}"}}'
    return json.dumps(value.decode("utf-8", "replace"), ensure_ascii=False)
