"""An exported version's ONNX and TFLite files, each asked as a function of arrays; neither needs TensorFlow."""

import importlib.util
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.errors import UserError
from keras_gans.quiet import held_back

from .edge import PARTS, tflite_entries
from .report import read_report

# A file asked: {input: array (rows, ...)} -> {output: array (rows, ...)}, whatever the number of rows.
Network = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]
# What files can be asked without TensorFlow, and what they are called.
PORTABLE = {"onnx": "ONNX", "tflite": "TFLite"}
# By which a version may be served, the first that it has unless one is chosen.
FORMATS, AUTO = ("saved_model", *PORTABLE), "auto"
# What people call them.
WORDS = {"saved_model": "SavedModel"} | {name: f"{word} files" for name, word in PORTABLE.items()}
SAVED_MODEL_FILE = "saved_model.pb"
# Of TFLite files, the likest to the model first.
_KINDS = ("float32", "float16", "weight_int8", "dynamic_int8", "full_int8")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ONNXNetwork:
    """A signature's .onnx file; may be called by several threads at once.

    Args:
        file: path of it.
        outputs_of: {its output: the name of that in the signature}.
        threads: that one call may use.
    """

    def __init__(self, file: str | Path, outputs_of: Mapping[str, str], threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Else it warns of attributes that the converter has chosen.
        onnxruntime.set_default_logger_severity(3)
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        # Else it would burn the processor's time while it waits for the next request.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._outputs_of = dict(outputs_of)

    def __call__(self, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        answers = self._session.run(list(self._outputs_of), dict(tensors))
        return dict(zip(self._outputs_of.values(), answers, strict=True))


class TFLiteNetwork:
    """A .tflite file of a fixed batch, asked so often as there are rows; one thread at a time.

    Args:
        file: path of it.
        threads: that one call may use.

    Attributes:
        inputs: {name: details, as LiteRT has them}.
    """

    def __init__(self, file: str | Path, threads: int) -> None:
        self._file, self._threads, self._asking = file, threads, threading.Lock()
        self._open()
        self.inputs = self._runner.get_input_details()
        self._rows = int(next(iter(self.inputs.values()))["shape"][0])

    def _open(self):
        from ai_edge_litert.interpreter import Interpreter

        # LiteRT says which kernels it takes. A runner holds no reference to its interpreter, without which it cannot be
        # called.
        with held_back():
            self._interpreter = Interpreter(str(self._file), num_threads=self._threads)
            self._interpreter.allocate_tensors()
            self._runner = self._interpreter.get_signature_runner("serving_default")

    def __call__(self, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        count = len(next(iter(tensors.values())))
        order = np.arange(-(-count // self._rows) * self._rows) % count
        rows = {name: np.asarray(tensors[name], details["dtype"]) for name, details in self.inputs.items()}
        with self._asking:
            try:
                answers = [
                    self._runner(**{name: values[chunk] for name, values in rows.items()})
                    for chunk in order.reshape(-1, self._rows)
                ]
            except RuntimeError:
                # What an interpreter has in memory after a call that failed need not be whole.
                self._open()
                raise
        return {name: np.concatenate([answer[name] for answer in answers])[:count] for name in answers[0]}

    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one row of the only output."""
        (details,) = self._runner.get_output_details().values()
        return tuple(int(size) for size in details["shape"][1:])


def formats_in(report: Mapping[str, Any]) -> list[str]:
    """Which of `PORTABLE` a version has files of."""
    return [name for name, files in (("onnx", report.get("onnx")), ("tflite", tflite_entries(report))) if files]


def formats_of(version: str | Path) -> list[str]:
    """Which of `FORMATS` a version has files of, in their order.

    Raises:
        UserError: it has no SavedModel, which could do without, and its report cannot be read.
    """
    found = ["saved_model"] if (Path(version) / SAVED_MODEL_FILE).is_file() else []
    try:
        report = read_report(version) or {}
    except UserError:
        if not found:
            raise
        return found
    # Without the signatures nobody knows what the networks are for.
    return found + (formats_in(report) if report.get("signatures") else [])


def missing_runtime(format: str) -> str | None:
    """What a format cannot be asked without and is not installed, in words."""
    if format == "onnx" and importlib.util.find_spec("onnxruntime") is None:
        return "ONNX files need onnxruntime: pip install 'keras_gans[onnx]'."
    return None


def kind_of(kinds: Mapping[str, Any]) -> str:
    """The one of several kinds of TFLite files that is likest to the model."""
    return next(kind for kind in _KINDS if kind in kinds)


def networks_of(version: str | Path, report: Mapping[str, Any], format: str, threads: int) -> dict[str, Network]:
    """The files of a version by the signatures that they answer.

    Args:
        version: folder of it.
        report: of it.
        format: one of `PORTABLE`.
        threads: that one call may use.

    Raises:
        UserError: a file cannot be loaded.
    """
    folder = Path(version)
    found: dict[str, Network] = {}
    try:
        if format == "onnx":
            for signature, entry in report["onnx"].items():
                found[signature] = ONNXNetwork(folder / entry["file"], entry["outputs_of"], threads)
        else:
            for key, kinds in tflite_entries(report).items():
                part = "generator" if key == "tflite" else key.removeprefix("tflite_")
                found[PARTS[part]] = TFLiteNetwork(folder / kinds[kind_of(kinds)]["file"], threads)
    except (ImportError, KeyError):
        raise
    except Exception as error:
        # Each runtime has errors of its own, without a common kind.
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"The {PORTABLE[format]} files of {folder} cannot be loaded: {reason}") from error
    return found
