"""The SavedModel and the warmup requests that TensorFlow Serving replays before it takes traffic."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from keras_gans.limits import BATCH_LIMIT

from .formats import WARMUP_FILE as WARMUP_FILE
from .golden import ROWS

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


WARMUP_BATCH_SIZES = (1, 4, 16)


def write_saved_model(
    model: "AdversarialModel", folder: str | Path, answers: dict[str, Any], batch_limit: int = BATCH_LIMIT
) -> None:
    """Writes a model's SavedModel with warmup requests for each signature at each of `WARMUP_BATCH_SIZES`.

    Args:
        model: `AdversarialModel` with `export()`.
        folder: pathlib.Path to write into.
        answers: golden answers, whose inputs become the requests.
        batch_limit: rows that one call may have.
    """
    model.export(str(folder), batch_limit=batch_limit, verbose=False)
    write_warmup(folder, {signature: inputs for signature, (inputs, _) in answers.items()}, batch_limit)


def write_warmup(folder: str | Path, examples: Any, batch_limit: int = BATCH_LIMIT) -> None:
    """Writes the warmup file of a SavedModel.

    Args:
        folder: pathlib.Path of the SavedModel.
        examples: {signature: {input name: array of at least one row}}.
        batch_limit: rows that one call may have; larger sizes are left out.
    """
    sizes = sorted({min(size, ROWS, batch_limit) for size in WARMUP_BATCH_SIZES})
    path = folder / WARMUP_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in examples.items():
            for batch_size in sizes:
                writer.write(_request_log(signature, inputs, batch_size).SerializeToString())


def _request_log(signature, inputs, batch_size):
    from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

    # The model's name stays empty: the server that loads the file knows it.
    request = predict_pb2.PredictRequest(model_spec=model_pb2.ModelSpec(signature_name=signature))
    for name, rows in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(rows[:batch_size]))
    return prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
