"""What a model answers in the process that trained or loaded it, for the exported files to be held against."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.engine.base import AdversarialModel
from keras_gans.engine.validity import VALID, served_endpoints
from keras_gans.errors import UserError

from .full_precision import computes_in_half

ROWS = 16
# Rounding differs between one batch size and another, and far more where a network computes in half precision.
_TOLERANCES = {True: {"float": 2e-2, "levels": 4}, False: {"float": 1e-4, "levels": 1}}


def golden_answers(model: "AdversarialModel") -> dict[str, tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Inputs for each signature of a model and what the model answers to them.

    Computed on the CPU, where the files are checked too: a GPU's shortened float32 would count as their error.

    Args:
        model: `AdversarialModel` with `endpoints()`.

    Returns:
        {signature: ({input name: array of `ROWS` rows}, {output name: array of `ROWS` rows})}.

    Raises:
        UserError: the model has no endpoints, an answer is NaN or infinite, there is no telling what an input should
            hold, or the model finds its own example of one invalid.
    """
    endpoints = served_endpoints(model) if isinstance(model, AdversarialModel) else {}
    if not endpoints:
        raise UserError(f"{type(model).__name__} has no endpoints(), which say what an exported model answers.")
    answers = {}
    for name, (function, specifications) in endpoints.items():
        inputs = {key: _storable(np.asarray(value)) for key, value in model.example_inputs(name, ROWS).items()}
        with tf.device("/CPU:0"):
            outputs = function(*(tf.constant(inputs[spec.name], spec.dtype) for spec in specifications))
        outputs = {key: _storable(value.numpy()) for key, value in outputs.items()}
        if not outputs.get(VALID, np.True_).all():
            raise UserError(
                f"{type(model).__name__} finds its own examples of {', '.join(inputs)} invalid. Let its "
                "valid_rows(specification, values) accept what its example_input(specification, rows) returns."
            )
        for key, value in outputs.items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise UserError(
                    f"The model's {key} is NaN or infinite after step {model.steps_taken}, so it was not exported. "
                    "Export an earlier checkpoint."
                )
        answers[name] = (inputs, outputs)
    return answers


def tolerance_of(model: "AdversarialModel") -> dict[str, float]:
    """The largest difference from the model that the checks let pass.

    Returns:
        {"float": of floats, times the largest golden magnitude where that exceeds 1, "levels": of uint8 pixels}.
    """
    return _TOLERANCES[computes_in_half(model)]


def save_golden(path: str | Path, model: "AdversarialModel", answers: dict[str, Any]) -> dict[str, Any]:
    """Writes golden answers as an .npz file whose names are signature/inputs|outputs/tensor.

    Returns:
        {"golden": path, "tolerance": ...}, as verify.py takes them.
    """
    arrays = {}
    for signature, (inputs, outputs) in answers.items():
        for side, tensors in (("inputs", inputs), ("outputs", outputs)):
            arrays.update({f"{signature}/{side}/{name}": value for name, value in tensors.items()})
    np.savez(path, **arrays)
    return {"golden": str(path), "tolerance": tolerance_of(model)}


def _storable(value):
    # NumPy stores variable-length bytes without pickle only as fixed-length ones, padded with zeros.
    return value.astype(np.bytes_) if value.dtype == object else value
