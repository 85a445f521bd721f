"""What a version is answered by: its SavedModel in TensorFlow, or its ONNX or TFLite files without it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from keras_gans.errors import UserError
from keras_gans.limits import BATCH_LIMIT
from keras_gans.quiet import import_quietly

from ..formats import WARMUP_FILE
from ..portable import PortableVersion
from ..protos import meta_graph_pb2, prediction_log_pb2, saved_model_pb2
from ..report import read_report
from ..runtimes import AUTO, SAVED_MODEL_FILE, WORDS, formats_of, missing_runtime
from .refusal import Refusal
from .tensor_protos import array_of, number_of
from .tensors import Input


class Backend(Protocol):
    """A version that is open.

    Attributes:
        format: one of `runtimes.FORMATS`.
        inputs: {signature: {input: `Input`}}.
        definitions: {signature: `tensorflow.SignatureDef`}.
        left_out: {name of a further signature of the version: why it is not answered}.
    """

    format: str
    inputs: dict[str, dict[str, Input]]
    definitions: dict[str, Any]
    left_out: dict[str, str]

    def warmup(self) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        """(signature, arrays) of requests to be answered before others are."""

    def answer(self, signature: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """{output: array} of a signature, in the order of the names; the arrays are of its types and shapes."""


def opened(version: Path, format: str = AUTO) -> Backend:
    """Opens a version.

    Args:
        version: pathlib.Path of it.
        format: one of `runtimes.FORMATS`, or `runtimes.AUTO`.

    Raises:
        Refusal: it has no such files, or they cannot be loaded.
    """
    try:
        there = formats_of(version)
    except UserError as error:
        raise Refusal("FAILED_PRECONDITION", str(error)) from None
    if format == AUTO:
        usable = [name for name in there if missing_runtime(name) is None]
        if not there:
            raise Refusal("NOT_FOUND", f"There is no {SAVED_MODEL_FILE} in {version}, and no ONNX or TFLite file.")
        format = usable[0] if usable else there[0]
    if format not in there:
        raise Refusal(
            "NOT_FOUND", f"There are no {WORDS[format]} in {version}, which has {', '.join(there) or 'none'}."
        )
    if (missing := missing_runtime(format)) is not None:
        raise Refusal("FAILED_PRECONDITION", missing)
    if format == "saved_model":
        return SavedModelBackend(version)
    try:
        return PortableBackend(version, format)
    except UserError as error:
        raise Refusal("FAILED_PRECONDITION", str(error)) from None


class SavedModelBackend:
    """A `Backend` of a version's SavedModel, in TensorFlow, which is imported for it.

    Args:
        version: pathlib.Path of it.
    """

    format = "saved_model"

    def __init__(self, version: Path):
        self._tf = import_quietly("tensorflow")
        graph = saved_model_pb2.SavedModel.FromString((version / SAVED_MODEL_FILE).read_bytes()).meta_graphs[0]
        self.definitions = dict(graph.signature_def)
        self.left_out: dict[str, str] = {}
        # Signatures alone would let go of their variables.
        self._loaded = self._tf.saved_model.load(str(version))
        self._signatures = dict(self._loaded.signatures)
        self.inputs = {
            name: {key: Input(spec.dtype.name, tuple(spec.shape)) for key, spec in _specifications(function).items()}
            for name, function in self._signatures.items()
        }
        self._warmup = version / WARMUP_FILE

    def warmup(self) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        """The requests that TensorFlow Serving replays."""
        if not self._warmup.is_file():
            return
        for record in self._tf.data.TFRecordDataset(str(self._warmup)).as_numpy_iterator():
            request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
            arrays = {name: array_of(name, value) for name, value in request.inputs.items()}
            yield request.model_spec.signature_name, arrays

    def answer(self, signature: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """By TensorFlow, which raises its own errors."""
        function = self._signatures[signature]
        specifications = _specifications(function)
        answer = function(
            **{name: self._tf.constant(value, specifications[name].dtype) for name, value in arrays.items()}
        )
        return {name: answer[name].numpy() for name in sorted(answer)}


class PortableBackend:
    """A `Backend` of a version's ONNX or TFLite files, see `portable.PortableVersion`.

    Args:
        version: pathlib.Path of it.
        format: "onnx" or "tflite".
        threads: that one call may use; all cores unless given.

    Raises:
        UserError: a file cannot be loaded.
    """

    def __init__(self, version: Path, format: str, threads: int | None = None):
        report = read_report(version)
        self.format = format
        self._limit = report.get("batch_limit", BATCH_LIMIT)
        self._version = PortableVersion(version, report, format, threads)
        # Which is its warmup.
        self._version.replay()
        has_saved_model = (version / SAVED_MODEL_FILE).is_file()
        advice = "serve it --format saved_model" if has_saved_model else "export it with --formats saved_model"
        self.left_out = {name: f"{reason}: {advice}" for name, reason in self._version.left_out.items()}
        self.inputs = {
            name: {key: Input(spec["dtype"], tuple(spec["shape"])) for key, spec in described["inputs"].items()}
            for name, described in self._version.signatures.items()
        }
        self.definitions = {name: _definition(described) for name, described in self._version.signatures.items()}

    def warmup(self) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        """Nothing further: golden answers were asked for already."""
        return iter(())

    def answer(self, signature: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """As `PortableVersion.answer`.

        Raises:
            Refusal: unequally many rows, too many, or rows of nothing.
        """
        for name, values in arrays.items():
            if 0 in values.shape[1:]:
                # By LiteRT such an input is written beyond what it has of memory.
                raise Refusal("INVALID_ARGUMENT", f"{name} has rows of nothing. Received: {list(values.shape)}.")
        counts = {name: len(values) for name, values in arrays.items()}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise Refusal("INVALID_ARGUMENT", f"All inputs have equally many rows. Received: {listed}.")
        if max(counts.values()) > self._limit:
            message = f"A call has {self._limit} rows at the most, not {max(counts.values())}."
            raise Refusal("INVALID_ARGUMENT", message)
        return self._version.answer(signature, arrays)


def _definition(described):
    """The `tensorflow.SignatureDef` of a signature that no graph has."""
    definition = meta_graph_pb2.SignatureDef(method_name="tensorflow/serving/predict")
    for side in ("inputs", "outputs"):
        for name, specification in described[side].items():
            tensor = getattr(definition, side)[name]
            tensor.name, tensor.dtype = name, number_of(specification["dtype"])
            for size in specification["shape"]:
                tensor.tensor_shape.dim.add(size=-1 if size is None else size)
    return definition


def _specifications(function):
    return function.structured_input_signature[1]
