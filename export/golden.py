"""What a model answers in the process that trained or loaded it, for the exported files to be held against."""

import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError
from keras_gans.latent import interpolate_examples, latents_from_seeds

from .full_precision import computes_in_half

ROWS = 16
# Rounding differs between one batch size and another, and far more where a network computes in half precision.
_TOLERANCES = {True: {"float": 2e-2, "levels": 4}, False: {"float": 1e-4, "levels": 1}}


def golden_answers(model):
    """Inputs for each signature of a model and what the model answers to them.

    Computed on the CPU, where the files are checked too: a GPU's shortened float32 would count as their error.

    Args:
        model: `AdversarialModel` with `endpoints()`.

    Returns:
        {signature: ({input name: array of `ROWS` rows}, {output name: array of `ROWS` rows})}.

    Raises:
        UserError: the model has no endpoints, an answer is NaN or infinite, or there is no telling what an input
            should hold.
    """
    if not hasattr(model, "endpoints"):
        raise UserError(f"{type(model).__name__} has no endpoints(), which say what an exported model answers.")
    answers = {}
    for name, (function, specifications) in model.endpoints().items():
        inputs = _example_inputs(model, name, specifications)
        with tf.device("/CPU:0"):
            outputs = function(*(tf.constant(inputs[spec.name], spec.dtype) for spec in specifications))
        outputs = {key: _array(value) for key, value in outputs.items()}
        for key, value in outputs.items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise UserError(
                    f"The model's {key} is NaN or infinite after step {model.steps_taken}, so it was not exported. "
                    "Export an earlier checkpoint."
                )
        answers[name] = (inputs, outputs)
    return answers


def tolerance_of(model):
    """The largest difference from the model that the checks let pass.

    Returns:
        {"float": of floats, times the largest golden magnitude where that exceeds 1, "levels": of uint8 pixels}.
    """
    return _TOLERANCES[computes_in_half(model)]


def save_golden(path, model, answers):
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


def _example_inputs(model, signature, specifications):
    """{input name: array of `ROWS` rows}; a scheme with inputs of its own says what is valid in example_inputs."""
    if hasattr(model, "example_inputs"):
        return {name: np.asarray(value) for name, value in model.example_inputs(signature, ROWS).items()}
    examples = {
        "z": _example_latents,
        "seed": lambda *_: _example_seeds(),
        "label": lambda model, _: np.arange(ROWS, dtype=np.int64) % model.class_count,
        "image": _example_samples,
        "point": _example_samples,
    }
    between = interpolate_examples(ROWS)
    examples |= {name: lambda *_, name=name: between[name] for name in between}
    inputs = {}
    for spec in specifications:
        if spec.name not in examples:
            raise UserError(
                f"Export cannot tell what a valid {spec.name!r} of signature {signature!r} is. Give "
                f"{type(model).__name__} a method example_inputs(signature, rows) that returns {{input: array}}."
            )
        inputs[spec.name] = examples[spec.name](model, spec)
    return inputs


def _example_seeds():
    # A server takes any int64, so both ends are tried.
    limits = np.iinfo(np.int64)
    return np.array([*range(ROWS - 3), -1, limits.min, limits.max], np.int64)


def _example_latents(model, spec):
    return latents_from_seeds(_example_seeds(), spec.shape[-1], getattr(model, "latent_prior", "normal")).numpy()


def _example_samples(model, spec):
    return model(_example_latents(model, tf.TensorSpec((None, model.latent_dim))), training=False).numpy()


def _array(tensor):
    value = tensor.numpy()
    # NumPy stores variable-length bytes without pickle only as fixed-length ones, padded with zeros.
    return value.astype(np.bytes_) if value.dtype == object else value
