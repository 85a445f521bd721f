"""What a model answers in the process that trained or loaded it, for the exported files to be held against."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.engine.base import AdversarialModel
from keras_gans.engine.validity import VALID, served_endpoints
from keras_gans.errors import UserError

from .full_precision import computes_in_half

ROWS = 16
# Of those, the rows that go with the version: the last seeds are the smallest and the largest.
_STORED_ROWS = [0, 1, -2, -1]
# Rounding differs between one batch size and another, and far more where a network computes in half precision.
_TOLERANCES = {True: {"float": 2e-2, "levels": 4}, False: {"float": 1e-4, "levels": 1}}


def golden_answers(
    model: "AdversarialModel", rows: int = ROWS, signatures: Sequence[str] | None = None
) -> dict[str, tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Inputs for each signature of a model and what the model answers to them.

    Computed on the CPU, where the files are checked too: a GPU's shortened float32 would count as their error.

    Args:
        model: `AdversarialModel` with `endpoints()`.
        rows: of the inputs.
        signatures: names of those to ask; all unless given.

    Returns:
        {signature: ({input name: array of so many rows}, {output name: array of so many rows})}.

    Raises:
        UserError: the model has no endpoints, an answer is NaN or infinite, there is no telling what an input should
            hold, or the model finds its own example of one invalid.
    """
    endpoints = served_endpoints(model) if isinstance(model, AdversarialModel) else {}
    if not endpoints:
        raise UserError(f"{type(model).__name__} has no endpoints(), which say what an exported model answers.")
    answers = {}
    for name in endpoints if signatures is None else signatures:
        function, specifications = endpoints[name]
        inputs = {key: _storable(np.asarray(value)) for key, value in model.example_inputs(name, rows).items()}
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
                    "Export an earlier checkpoint, with --checkpoint STEP."
                )
        answers[name] = (inputs, outputs)
    return answers


def distances(answers: dict[str, Any], others: dict[str, Any]) -> dict[str, float]:
    """{signature: the largest absolute difference of numbers} between two golden answers to the same inputs."""
    found = {}
    for signature in answers.keys() & others.keys():
        pairs = [(value, others[signature][1][name]) for name, value in answers[signature][1].items()]
        numbers = [(a.astype(np.float64), b.astype(np.float64)) for a, b in pairs if a.dtype.kind in "iuf"]
        if numbers and all(a.shape == b.shape for a, b in numbers):
            found[signature] = max(float(np.max(np.abs(a - b), initial=0.0)) for a, b in numbers)
    return dict(sorted(found.items()))


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
    np.savez(path, **_arrays(answers))
    return {"golden": str(path), "tolerance": tolerance_of(model)}


def store(
    path: Path, model: "AdversarialModel", answers: dict[str, Any], others: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Writes a few rows of golden answers beside the files that gave them, for `replay` on another machine.

    Args:
        path: of the .npz file; its folder is made.
        model: `AdversarialModel` that answered.
        answers: as `golden_answers` returns them.
        others: likewise, of signatures that no file answers by itself, of which one row suffices; those in `answers`
            do not count.

    Returns:
        {"file": the path within the version, "tolerance": ...}.
    """
    path.parent.mkdir(exist_ok=True)
    rows = dict.fromkeys(others or {}, _STORED_ROWS[:1]) | dict.fromkeys(answers, _STORED_ROWS)
    few = {
        signature: tuple(
            {name: value[kept] for name, value in tensors.items()}
            for tensors in (answers[signature] if signature in answers else others[signature])
        )
        for signature, kept in rows.items()
    }
    np.savez_compressed(path, **_arrays(few))
    return {"file": f"{path.parent.name}/{path.name}", "tolerance": tolerance_of(model)}


def _arrays(answers):
    arrays = {}
    for signature, sides in answers.items():
        for side, tensors in zip(("inputs", "outputs"), sides, strict=True):
            arrays.update({f"{signature}/{side}/{name}": value for name, value in tensors.items()})
    return arrays


def _storable(value):
    # NumPy stores variable-length bytes without pickle only as fixed-length ones, padded with zeros.
    return value.astype(np.bytes_) if value.dtype == object else value
