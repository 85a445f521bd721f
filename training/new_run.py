"""Making a run directory: numbered, and described before anything is computed."""

import json
import os
import platform
import re
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from keras_gans.errors import UserError
from keras_gans.files import atomically

from .recipe import settings_of

if TYPE_CHECKING:
    from keras_gans.training.recipe import Recipe


_PACKAGES = ("keras_gans", "tensorflow", "keras", "tensorflow-datasets", "numpy")


def create(recipe: "Recipe", root: str | Path = "runs") -> Path:
    """Makes `root/00007-wgan_gp-digits` with the next free number, and `recipe.json` in it.

    Returns:
        pathlib.Path of the run directory.

    Raises:
        UserError: the folder cannot be written to.
    """
    root = Path(root)
    # As a path of a shell takes them without quotes.
    name, data = (re.sub(r"[^\w.-]+", "-", part).strip("-") for part in (recipe.name, Path(recipe.data).name))
    try:
        root.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(path.name[:5]) for path in root.iterdir() if path.name[:5].isdigit()), default=0)
        while True:
            run = root / f"{number:05d}-{name}-{data or 'data'}"
            try:
                run.mkdir()
                break
            except FileExistsError:
                number += 1
        write_recipe(run, recipe)
    except OSError as error:
        raise UserError(f"The run directory could not be made in {root.resolve()}: {error.strerror}.") from error
    return run


def write_recipe(run: str | Path, recipe: "Recipe") -> None:
    """Writes `recipe.json`, whole or not at all."""
    with atomically(run / "recipe.json") as partial:
        partial.write_text(recipe.to_json(), encoding="utf-8")


def write_environment(run: str | Path, devices: Any) -> None:
    """Writes `environment.json`: command, versions, machine and devices.

    Args:
        run: the run directory.
        devices: list of the devices' names.
    """
    environment = {
        "command": sys.argv,
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "devices": devices,
        "versions": {name: _version(name) for name in _PACKAGES},
    }
    with atomically(run / "environment.json") as partial:
        partial.write_text(json.dumps(environment, indent=2) + "\n", encoding="utf-8")


def write_to_tensorboard(board: str | Path, recipe: "Recipe") -> None:
    """Shows the recipe in TensorBoard, as text and as hyper-parameters.

    Args:
        board: folder of the event files.
        recipe: a `Recipe`.
    """
    settings = settings_of(recipe)
    table = "\n".join(f"| {key} | {value} |" for key, value in settings.items())
    # Of the rest, nothing changes what is computed, so comparing runs by it would say nothing.
    cosmetic = {"name", "summary", "source", "log_every", "picture_every", "checkpoint_every", "keep_checkpoints"}
    cosmetic.add("steps_per_execution")
    kept = {key: value for key, value in settings.items() if key not in cosmetic}
    writer = tf.summary.create_file_writer(str(board))
    with writer.as_default():
        tf.summary.text("recipe", f"| setting | value |\n|---|---|\n{table}", step=0)
        hparams.hparams({k: v if isinstance(v, (bool, int, float, str)) else str(v) for k, v in kept.items()})
    writer.close()


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
