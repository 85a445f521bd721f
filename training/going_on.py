"""Going on with a run: from which recipe, from where, and how to say so."""

import dataclasses
from pathlib import Path
from typing import Any

from keras_gans.errors import UserError
from keras_gans.printing import quoted
from keras_gans.runs import published, run_directory

from .recipe import Recipe, differences


def recipe_of(run: str | Path) -> "Recipe":
    """The `Recipe` that a run was started with; its module is imported where it is the user's own."""
    run_directory.import_own_module(run)
    fields = run_directory.read_recipe(run)
    try:
        return Recipe.from_dict(fields)
    except UserError as error:
        message = f"{Path(run) / 'recipe.json'} holds no recipe that can be used: {error}"
        return Recipe.from_dict(run_directory.recipe_as_noted(run, UserError(message)))


def lost_of(run: str | Path) -> UserError | None:
    """What is wrong with a run of which neither the recipe nor any checkpoint can be read; None for any other."""
    if any(map(run_directory.is_intact, reversed(run_directory.checkpoints(run)))):
        return None
    try:
        Recipe.from_dict(run_directory.read_recipe(run))
    except UserError as error:
        return error
    return None


def check_goes_on(run: str | Path) -> None:
    """Refuses to go on with a preset, which has weights and no optimizer's state.

    Raises:
        UserError: it is one.
    """
    if published.is_published(run):
        raise UserError(
            f"{run} is a preset: it has weights and no optimizer's state, so that no training goes on from it. "
            f"keras-gans train {published.read_json(Path(run) / published.RECIPE).get('name')} trains its recipe anew."
        )


def check_resumable(run: str | Path, wanted: Any) -> None:
    """Refuses to go on with a run under another recipe.

    Args:
        run: the run directory.
        wanted: the recipe asked for. It may ask for more steps where the learning rate does not depend on them.

    Raises:
        UserError: it names each setting that differs.
    """
    changed = _changed(recipe_of(run), wanted)
    if changed:
        # Other steps are let pass where the rate is constant.
        has_falling_rate = any(each.startswith("steps:") for each in changed)
        raise UserError(
            f"{run} was started with another recipe, so going on would mix two experiments. What differs:\n  "
            + "\n  ".join(changed)
            + "\n"
            + "Its learning rate falls over its steps, so that a run of another length is a new one. "
            * has_falling_rate
            + "Leave these options out to go on, or leave --resume out to start a new run."
        )


def _changed(started, wanted):
    may_differ = {"steps": wanted.steps} if started.learning_rate_schedule == "constant" else {}
    return differences(started.replace(**may_differ), wanted)


def notes_of(recipe: Recipe, data: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint notes of the run that writes it.

    Args:
        recipe: the run's.
        data: `keras_gans.data.fingerprint` of what it trains on.
    """
    return {"recipe": dataclasses.asdict(recipe), "data": data}


def check_as_noted(checkpoint: str | Path, wanted: Recipe, data: dict[str, Any]) -> None:
    """Refuses to go on from a checkpoint under another recipe, or with other data, than it was made with.

    Args:
        checkpoint: the path of one; those of earlier versions noted nothing, and everything goes.
        wanted: the recipe asked for, or that stands in `recipe.json`.
        data: `keras_gans.data.fingerprint` of what is there.

    Raises:
        UserError: it names each setting, and each property of the data, that differs.
    """
    notes = run_directory.notes_in(checkpoint)
    if not notes:
        return
    changed = _changed(Recipe.from_dict(notes["recipe"]), wanted)
    before = notes["data"]
    changed += [
        f"data: {key}: {before.get(key)!r} -> {data.get(key)!r}"
        for key in sorted(before.keys() | data.keys())
        if before.get(key) != data.get(key)
    ]
    if changed:
        raise UserError(
            f"{checkpoint} comes from another recipe or other data than are there now, so going on would mix two "
            "experiments. What differs:\n  " + "\n  ".join(changed) + "\nPut recipe.json and the data back to go on, "
            "or start a new run."
        )


def last_checkpoint(run: str | Path) -> str:
    """A sentence that names the last checkpoint of a run, for people."""
    saved = run_directory.checkpoints(run)
    return f"The last checkpoint is {saved[-1]}." if saved else "There is no checkpoint yet."


def how_to_go_on(run: str | Path) -> str:
    """A sentence with the command that goes on, for people."""
    return f"keras-gans train --resume {quoted(run)} goes on from it."
