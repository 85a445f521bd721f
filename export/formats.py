"""The formats and the options of an export, checked before anything slow is imported."""

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

from keras_gans.errors import UserError, unknown_name

DEFAULT_FORMATS = ("saved_model", "tflite")
FORMATS = (*DEFAULT_FORMATS, "onnx")


def check_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """The formats without repetition, in the order of `FORMATS`.

    Raises:
        UserError: none, one that does not exist, or one that needs what is not installed.
    """
    for name in formats:
        if name not in FORMATS:
            raise unknown_name("export format", name, FORMATS)
    if not formats:
        raise UserError(f"An export needs at least one format of {', '.join(FORMATS)}. Received none.")
    missing = [name for name in ("tf2onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
    if "onnx" in formats and missing:
        raise UserError(f"ONNX needs {' and '.join(missing)}: pip install 'keras_gans[onnx]'.")
    return tuple(name for name in FORMATS if name in formats)


def check_batch_sizes(batch_sizes: Sequence[int]) -> tuple[int, ...]:
    """The fixed batch sizes of TFLite files as a tuple.

    Raises:
        UserError: none, one twice, or one that is no positive integer.
    """
    is_valid = all(isinstance(size, int) and size >= 1 for size in batch_sizes)
    if not batch_sizes or not is_valid or len(set(batch_sizes)) < len(batch_sizes):
        raise UserError(
            f"TFLite batch sizes are distinct integers of 1 or more, such as 1 or 1,16. Received: {batch_sizes!r}."
        )
    return tuple(batch_sizes)


def model_name(folder: Path) -> str:
    """The name under which a folder of versions is served, unless another is given: the folder's, as paths allow it."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", folder.absolute().name) or "generator"


def check_target(to: str | Path) -> None:
    """Refuses a target that is, or lies under, something other than a folder."""
    for path in (to.absolute(), *to.absolute().parents):
        if path.exists():
            if not path.is_dir():
                raise UserError(f"Versions go into a folder, but {path} is a file. Name another target.")
            return
