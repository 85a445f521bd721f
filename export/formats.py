"""The formats and the options of an export, checked before anything slow is imported."""

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

from keras_gans.errors import UserError, unknown_name

DEFAULT_FORMATS = ("saved_model", "tflite")
FORMATS = (*DEFAULT_FORMATS, "onnx", "web")
# Of numbers in TFLite files: "dynamic_int8" rounds weights and, layer by layer, what goes into them; "weight_int8" the
# weights alone; "full_int8" everything, by ranges taken from examples.
TFLITE_KINDS = ("float32", "float16", "dynamic_int8", "weight_int8", "full_int8")
DEFAULT_TFLITE_KINDS = ("float32", "float16", "dynamic_int8")
# Which a page in a browser runs, the first that there is: those that compute in float32.
WEB_KINDS = ("float16", "float32", "weight_int8")
# What takes the place of a file of int8 that loses too much: as small, computed in float32.
FALLBACK = "weight_int8"
# The least peak signal to noise of pictures in dB, for a trained generator; and the least share of equal labels.
FLOORS_DB = {"float16": 60.0, "dynamic_int8": 45.0, "weight_int8": 45.0, "full_int8": 40.0}
LEAST_AGREEMENT = 0.99
# Where TensorFlow Serving looks for requests to replay before it takes traffic.
WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
# One word or character a line, the number of the first being 0.
VOCABULARY_FILE = "vocabulary.txt"


def check_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """The formats without repetition, in the order of `FORMATS`; "web" brings "tflite", whose files it runs.

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
    return tuple(name for name in FORMATS if name in formats or (name == "tflite" and "web" in formats))


def check_tflite_kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    """The kinds of TFLite files without repetition, in the order of `TFLITE_KINDS`.

    Raises:
        UserError: none, one that does not exist, or "full_int8" where ai-edge-quantizer is not installed.
    """
    for name in kinds:
        if name not in TFLITE_KINDS:
            raise unknown_name("kind of TFLite file", name, TFLITE_KINDS)
    if not kinds:
        raise UserError(f"TFLite files are of at least one kind of {', '.join(TFLITE_KINDS)}. Received none.")
    if "full_int8" in kinds and importlib.util.find_spec("ai_edge_quantizer") is None:
        raise UserError("full_int8 is made by ai-edge-quantizer, which is not here: pip install 'keras_gans[int8]'.")
    return tuple(name for name in TFLITE_KINDS if name in kinds)


def check_web(formats: Sequence[str], kinds: Sequence[str], batch_sizes: Sequence[int]) -> None:
    """Refuses a page without a kind of TFLite file, or a batch, that it runs, or whose runtime cannot be had.

    The runtime is fetched into the cache where it is not there yet, see `web_runtime`.

    Raises:
        UserError: one of these.
    """
    if "web" not in formats:
        return
    if not set(kinds) & set(WEB_KINDS):
        raise UserError(
            f"A page for browsers runs TFLite files of {', '.join(WEB_KINDS)}. Received the kinds: {', '.join(kinds)}."
        )
    if batch_sizes[0] != 1:
        raise UserError(f"A page asks for one row at a time: the first TFLite batch is 1. Received: {batch_sizes[0]}.")
    from .web_runtime import require_runtime

    require_runtime()


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


def model_name(folder: str | Path) -> str:
    """The name under which a folder of versions is served, unless another is given: the folder's, as paths allow it."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", Path(folder).absolute().name) or "generator"


def check_target(to: str | Path) -> None:
    """Refuses a target that has no name, or that is, or lies under, something other than a folder."""
    if to == "":
        raise UserError("Versions go into a folder of their own, such as 'exported/dcgan'. Received: ''.")
    to = Path(to)
    for path in (to.absolute(), *to.absolute().parents):
        if path.exists():
            if not path.is_dir():
                raise UserError(f"Versions go into a folder, but {path} is a file. Name another target.")
            return


def check_keep(keep: int | None) -> None:
    """Refuses a number of versions to keep that is none, unless it is None, for all."""
    if keep is not None and (isinstance(keep, bool) or not isinstance(keep, int) or keep < 1):
        raise UserError(f"keep is how many versions stay, 1 or more. Received: {keep!r}.")


def check_stage(stage: bool, formats: Sequence[str]) -> None:
    """Refuses to stage a version that TensorFlow Serving could not load."""
    if stage and "saved_model" not in formats:
        raise UserError(f"Only a version with a saved_model can be staged. Received the formats: {', '.join(formats)}.")
