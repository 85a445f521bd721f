"""TensorFlow's message of a tensor to an array and back, by NumPy alone."""

from typing import Any

import numpy as np

from ..protos import tensor_pb2, types_pb2
from .refusal import Refusal

# A message of a few bytes may claim a tensor of any size.
_LARGEST = 256 * 2**20
# {NumPy's name of a type: the field that holds its numbers where they are not in `tensor_content`}.
_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int8": "int_val",
    "int16": "int_val",
    "int32": "int_val",
    "int64": "int64_val",
    "uint8": "int_val",
    "uint16": "int_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "float16": "half_val",
    "string": "string_val",
}
_TENSORFLOW_NAMES = {"float32": "FLOAT", "float64": "DOUBLE", "float16": "HALF"}


def number_of(dtype: str) -> int:
    """TensorFlow's number of a type that NumPy calls so; "string" for bytes.

    Raises:
        KeyError: it is none of those that are known here.
    """
    if dtype not in _FIELDS:
        raise KeyError(dtype)
    return types_pb2.DataType.Value(f"DT_{_TENSORFLOW_NAMES.get(dtype, dtype.upper())}")


_DTYPES = {number_of(name): name for name in _FIELDS}


def tensor_of(array: np.ndarray) -> Any:
    """The message of an array; bytes are objects."""
    dtype = "string" if array.dtype.kind in "OSU" else array.dtype.name
    tensor = tensor_pb2.TensorProto(dtype=number_of(dtype))
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if dtype == "string":
        texts = (value.encode() if isinstance(value, str) else bytes(value) for value in array.ravel().tolist())
        tensor.string_val.extend(texts)
    elif array.size == 1 and dtype != "float16":
        # Where clients look that read a number without a library.
        getattr(tensor, _FIELDS[dtype]).append(array.item())
    else:
        tensor.tensor_content = np.ascontiguousarray(array).tobytes()
    return tensor


def array_of(name: str, tensor: Any) -> np.ndarray:
    """The array of a client's message, which may be wrong in any way; bytes are objects.

    Args:
        name: of the input, for the message.
        tensor: `tensor_pb2.TensorProto`.

    Raises:
        Refusal: it is no tensor, or claims too many numbers.
    """

    def refused(reason):
        return Refusal("INVALID_ARGUMENT", f"{name} is no tensor: {reason}")

    sizes = [dimension.size for dimension in tensor.tensor_shape.dim]
    if tensor.tensor_shape.unknown_rank or any(size < 0 for size in sizes):
        raise refused("its shape is not known")
    if tensor.dtype not in _DTYPES:
        raise refused(f"its type is {tensor.dtype}, which is none of {', '.join(_FIELDS)}")
    dtype = _DTYPES[tensor.dtype]
    itemsize = 1 if dtype == "string" else np.dtype(dtype).itemsize
    count = 1
    for size in sizes:
        count *= size
    if count * itemsize > _LARGEST or len(sizes) > 32:
        raise refused(f"it claims {count} numbers in {len(sizes)} dimensions")
    if tensor.tensor_content:
        if dtype == "string" or len(tensor.tensor_content) != count * itemsize:
            raise refused(f"it has {len(tensor.tensor_content)} bytes for {count} values of {dtype}")
        return np.frombuffer(tensor.tensor_content, dtype).reshape(sizes)
    values = list(getattr(tensor, _FIELDS[dtype]))
    if len(values) > count:
        raise refused(f"it has {len(values)} values for {count}")
    # As TensorFlow reads it, the last value stands for all that are missing.
    filler = values[-1] if values else b"" if dtype == "string" else 0
    if dtype == "string":
        array = np.empty(count, object)
        array[:] = values + [filler] * (count - len(values))
        return array.reshape(sizes)
    try:
        if dtype == "float16":
            numbers = np.array(values, np.uint16).view(np.float16)
        else:
            numbers = np.array(values, dtype)
    except (OverflowError, ValueError) as error:
        raise refused(str(error)) from None
    padding = np.full(count - len(numbers), numbers[-1] if len(numbers) else 0, dtype)
    return np.concatenate([numbers, padding]).reshape(sizes)
