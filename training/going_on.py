"""Going on with a run: from which recipe, from where, and how to say so."""

import shlex
from pathlib import Path
from typing import Any

from keras_gans.errors import UserError
from keras_gans.runs import run_directory

from .recipe import Recipe, differences


def recipe_of(run: str | Path) -> "Recipe":
    """The `Recipe` that a run was started with; its module is imported where it is the user's own."""
    run_directory.import_own_module(run)
    return Recipe.from_dict(run_directory.read_recipe(run))


def check_resumable(run: str | Path, wanted: Any) -> None:
    """Refuses to go on with a run under another recipe.

    Args:
        run: the run directory.
        wanted: the recipe asked for. It may ask for more steps where the learning rate does not depend on them.

    Raises:
        UserError: it names each setting that differs.
    """
    started = recipe_of(run)
    may_differ = {"steps": wanted.steps} if started.learning_rate_schedule == "constant" else {}
    changed = differences(started.replace(**may_differ), wanted)
    if changed:
        raise UserError(
            f"{run} was started with another recipe, so going on would mix two experiments. What differs:\n  "
            + "\n  ".join(changed)
            + "\nLeave these options out to go on, or leave --resume out to start a new run."
        )


def last_checkpoint(run: str | Path) -> str:
    """A sentence that names the last checkpoint of a run, for people."""
    saved = run_directory.checkpoints(run)
    return f"The last checkpoint is {saved[-1]}." if saved else "There is no checkpoint yet."


def how_to_go_on(run: str | Path) -> str:
    """A sentence with the command that goes on, for people."""
    return f"keras-gans train --resume {shlex.quote(str(run))} goes on from it."
