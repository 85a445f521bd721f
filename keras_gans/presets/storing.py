"""From a trained model to a preset's folder."""

import importlib.metadata
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from keras_gans.engine.base import AdversarialModel
from keras_gans.errors import UserError
from keras_gans.export import card, run_record
from keras_gans.export.report import describe_model, scores_without_folders, without_folders
from keras_gans.runs import published, run_directory
from keras_gans.training.recipe import Recipe

from . import weights
from .describing import fields_of
from .loading import check_is_data, load_folder

_LIBRARIES = ("keras_gans", "keras", "tensorflow")
_COMPARED, _PROBED = 64, 8


def store(
    run: str | Path,
    folder: str | Path,
    *,
    name: str,
    draws: str | None = None,
    half: bool = True,
    checkpoint: str = "latest",
    command: str | None = None,
    measure: Callable[[Path], None] | None = None,
) -> dict[str, Any]:
    """Writes a run's model as a preset's folder: weights, recipe, card and picture.

    Args:
        run: path of the run directory.
        folder: where to; what is there already is replaced, file by file, the description last.
        name: of the preset.
        draws: what it draws or does, in a few words; the recipe's summary unless given.
        half: whether weights are float16. The card says what that does to what the model makes.
        checkpoint: see `runs.run_directory.checkpoint_file`.
        command: that made it, for the card.
        measure: writes evaluation.json into the folder, of the weights as they are there; that of the run is copied, if
            it is of the step, unless given.

    Returns:
        What `preset.json` says.

    Raises:
        UserError: the run is of a scheme or networks of the user's own, which no preset holds; or it has no checkpoint.
    """
    run = Path(run)
    recipe = Recipe.from_dict(run_directory.read_recipe(run))
    recipe = recipe.replace(name=recipe.name.rpartition(":")[2])
    model = run_directory.load_chosen(run, checkpoint)
    check_is_data(recipe)
    with tempfile.TemporaryDirectory() as scratch:
        described = _written(Path(scratch), run, recipe, model, name, draws or recipe.summary, half, command, measure)
        published.copy(Path(scratch), Path(folder))
    return described


def _written(folder, run, recipe, model, name, draws, half, command, measure):
    """Fills a folder, and returns what its `preset.json` says."""
    passed_on = recipe.replace(data=without_folders(recipe.data))
    (folder / published.RECIPE).write_text(passed_on.to_json(), encoding="utf-8")
    arrays = weights.weights_of(model, half)
    (folder / published.MODEL).write_bytes(safetensors.numpy.save(arrays, metadata={"format": "keras_gans"}))
    described = _describe(model, recipe, folder, arrays, name, draws)
    _write(folder, described)
    loaded = load_folder(folder)
    described["probe"] = probe(loaded)
    if half:
        described["distance_from_float32"] = _distance(model, loaded, _data_of(recipe, model))
    _write(folder, described)
    evaluated = folder / "evaluation.json"
    if measure is not None:
        measure(folder)
    elif run_record.evaluation_at(run, model.steps_taken) and (run / evaluated.name).is_file():
        _write_evaluation(evaluated, published.read_json(run / evaluated.name))
    record = describe_model(model, run) | {"evaluation": run_record.evaluation_at(folder, model.steps_taken)}
    record["classifier"] = published.read_json(evaluated).get("classifier") if evaluated.is_file() else None
    # The weights are said to be of the file; of the run there is no word in a preset's card but the recipe's.
    record |= {"run": None, "commit": None}
    card.write_preset_card(folder, record, described, _shown(model, run, recipe), command)
    return described


def _write_evaluation(path, record):
    """Writes what a run's evaluation says, but for folders of this machine and the run that it was compared with."""
    passed_on = {key: value for key, value in record.items() if key != "against"}
    passed_on["scores"] = scores_without_folders(record.get("scores", []))
    path.write_text(json.dumps(passed_on, indent=2) + "\n", encoding="utf-8")


def _describe(model, recipe, folder, arrays, name, draws):
    sizes = {key: (folder / key).stat().st_size for key in (published.RECIPE, published.MODEL)}
    return {
        "format": published.FORMAT,
        "name": name,
        "draws": draws,
        "scheme": recipe.scheme["name"],
        "step": model.steps_taken,
        "weights": {
            "numbers": sum(array.size for array in arrays.values()),
            "types": sorted({str(array.dtype) for array in arrays.values()}),
        },
        "fields": fields_of(model),
        "versions": {library: importlib.metadata.version(library) for library in _LIBRARIES},
        "files": {key: {"bytes": size, "sha256": published.sha256_of(folder / key)} for key, size in sizes.items()},
    }


def _write(folder, described):
    described["sha256"] = published.digest_of(described)
    text = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
    (folder / published.DESCRIPTION).write_text(text, encoding="utf-8")


def _shown(model, run, recipe):
    """The card's picture: what the model makes, or what it makes of data where its samples are not meant to look so."""
    if not model.is_generative and "reconstruct" in model.endpoints():
        from keras_gans.training.train import held_out_rows

        return model.shows(held_out_rows(recipe, _COMPARED), _COMPARED).get("reconstructions")
    return card.picture_of(model, run)


def _data_of(recipe, model):
    """{field: rows that the run was not trained on}, for a model that makes nothing without data; else None."""
    if model.makes is not None:
        return None
    from keras_gans.training.train import held_out_rows

    return held_out_rows(recipe, _COMPARED)


def made_by(model: AdversarialModel, data: dict[str, Any] | None) -> np.ndarray | list[str]:
    """Something that a model makes, always the same: samples, or what it translates of data, in its first direction."""
    if model.makes is not None:
        labels = np.arange(_COMPARED) % model.class_count if getattr(model, "takes_labels", False) else None
        return model.sample(_COMPARED, seed=0, **({} if labels is None else {"labels": labels}))
    direction, (taken, _) = next(iter(model.translates.items()))
    rows = data[taken][:_COMPARED]
    rows = [each.decode() if isinstance(each, bytes) else each for each in rows] if len(np.shape(rows)) == 1 else rows
    return model.translate(rows, direction)


def probe(model: AdversarialModel) -> dict[str, Any]:
    """What a model makes of fixed seeds or inputs, in a few numbers or texts, by which another machine knows it again.

    Returns:
        {"mean", "deviation"} over all pixels or coordinates, or {"texts"}.
    """
    if model.makes is None:
        taken = next(iter(model.translates.values()))[0]
        made = made_by(model, {taken: model.example_batch(_PROBED)[taken]})
    else:
        made = made_by(model, None)[:_PROBED]
    if isinstance(made, list):
        return {"texts": made}
    values = np.asarray(made, np.float64)
    return {"mean": float(f"{values.mean():.5g}"), "deviation": float(f"{values.std():.5g}")}


def _distance(model, halved, data):
    """By how much what a model makes changes with its weights' precision, in the units of what it makes."""
    before, after = made_by(model, data), made_by(halved, data)
    if isinstance(before, list):
        same = sum(a == b for a, b in zip(before, after, strict=True))
        return {"of": len(before), "unit": "texts that are the same", "same": same}
    change = np.abs(np.asarray(before, np.float64) - np.asarray(after, np.float64))
    unit = "grey levels of 255" if before.dtype == np.uint8 else "the data's units"
    mean, largest = float(f"{change.mean():.3g}"), float(f"{change.max():.3g}")
    return {"of": len(before), "unit": unit, "mean": mean, "largest": largest}


def check_can_store(run: str | Path) -> None:
    """Raises a `UserError` where a run's recipe names what no preset holds, before anything is computed."""
    recipe = Recipe.from_dict(run_directory.read_recipe(run))
    try:
        check_is_data(recipe.replace(name=recipe.name.rpartition(":")[2]))
    except UserError as error:
        raise UserError(f"{error} Publish an export of it instead: keras-gans export.") from None
