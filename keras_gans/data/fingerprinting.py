"""What tells one data set from another, so that a run goes on with the data that it began with."""

import hashlib
from typing import Any

import numpy as np

from keras_gans.data.source import Column, Source
from keras_gans.data.texts import TextArray
from keras_gans.fields import Classes

# What is read whole; of more than that, so many rows.
_WHOLE_BYTES = 2**28
_ROWS = 1024


def fingerprint(source: Source) -> dict[str, Any]:
    """{"FIELD.rows": their number, "FIELD.kind": text, "FIELD.content": sixteen digits} of each field of a source.

    The content's digits come from all values, in their order, with the classes' names; of more than 256 MiB they come
    from the first row, the last and 1,022 evenly between.

    Args:
        source: a `Source`.
    """
    found = {}
    for name, column in source.columns.items():
        found[f"{name}.rows"] = len(column)
        found[f"{name}.kind"] = column.field.describe()
        found[f"{name}.content"] = _content(column)
    return found


def _content(column: Column) -> str:
    digest = hashlib.blake2b(digest_size=8)
    if isinstance(column.field, Classes):
        digest.update("\0".join(column.field.names).encode("utf-8", "surrogateescape"))
    values = column.values
    arrays = (values.characters, values.starts, values.rows) if isinstance(values, TextArray) else (values,)
    for array in arrays:
        chosen = array if array.nbytes <= _WHOLE_BYTES else array[np.linspace(0, len(array) - 1, _ROWS).astype(int)]
        digest.update(str(array.dtype).encode())
        digest.update(np.ascontiguousarray(chosen).data if chosen.size else b"")
    return digest.hexdigest()
