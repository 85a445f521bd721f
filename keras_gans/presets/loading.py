"""From a preset's folder to a model. Whatever the folder says is data: names of what keras_gans has, and numbers."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
import tensorflow as tf

import keras_gans.layers
import keras_gans.schemes  # noqa: F401  its import registers them
from keras_gans import registry
from keras_gans.engine.base import AdversarialModel
from keras_gans.errors import UserError
from keras_gans.runs import published
from keras_gans.training.build import build_model
from keras_gans.training.recipe import Recipe

from . import weights
from .describing import fields_in


@registry.readers.register(published.MODEL)
def load_folder(folder: str | Path) -> AdversarialModel:
    """The compiled model of a preset's folder, or of a repository that was pulled.

    Args:
        folder: see `runs.published`.

    Raises:
        UserError: it is damaged, or it is not built of what keras_gans has.
    """
    described = published.check(folder)
    with _reason(f"{folder} has no recipe"):
        recipe = Recipe.from_dict(published.read_json(Path(folder) / published.RECIPE))
        check_is_data(recipe)
    arrays = read_weights(Path(folder) / published.MODEL)
    try:
        with _reason(f"{folder} does not say what its model is made of"):
            model = build_model(recipe, fields_in(described.get("fields")), seeded=False)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise UserError(f"{folder} describes networks that do not fit into memory.") from None
    weights.put(model, arrays)
    model.step.assign(published.step_of(folder))
    return model


@contextlib.contextmanager
def _reason(what):
    """Has whatever Keras raises of nonsense be a user's mistake: foreign files may say anything."""
    try:
        yield
    except (UserError, MemoryError, tf.errors.ResourceExhaustedError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"{what}: {reason}") from error


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file of safetensors, {name: array}.

    Raises:
        UserError: it is none.
    """
    try:
        return safetensors.numpy.load_file(path)
    except (OSError, safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no file of safetensors: {str(error)[:200]}.") from None


def check_is_data(recipe: Recipe) -> None:
    """Raises a `UserError` unless a recipe names nothing but what keras_gans registers, with numbers and words.

    An option that is an object with a class's name would have Keras import whatever it says.
    """
    if ":" in recipe.name:
        raise UserError(f"A preset's recipe names no module to import. Received: {recipe.name[:80]!r}.")
    named = [(registry.schemes, recipe.scheme), *((registry.networks, each) for each in recipe.networks.values())]
    for known, choice in named:
        if not isinstance(choice, Mapping) or "name" not in choice:
            raise UserError(f"A {known.kind} of a recipe is an object with a name. Received: {str(choice)[:80]}.")
        entry = known[choice["name"]]
        if entry.__module__.partition(".")[0] != "keras_gans":
            raise UserError(
                f"A preset is built of what comes with keras_gans, and the {known.kind} {choice['name']!r} is of "
                f"{entry.__module__}."
            )
    for place in (recipe.scheme, recipe.networks, recipe.optimizers, recipe.tokenizer):
        _check_plain(place)


def _check_plain(value):
    if isinstance(value, Mapping):
        for forbidden in ("class_name", "registered_name", "module"):
            if forbidden in value:
                raise UserError(f"A preset's recipe holds numbers and words, and no object with a {forbidden}.")
        for inner in value.values():
            _check_plain(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            _check_plain(inner)
    elif not isinstance(value, str | int | float | bool | None):
        raise UserError(f"A preset's recipe holds numbers and words. Received: {type(value).__name__}.")
