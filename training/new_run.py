"""Making a run directory: numbered, and described before anything is computed."""

import contextlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from keras_gans.callbacks.board import ACCURACY, DOCTOR, EVALUATION, tag
from keras_gans.data.pairs import short_name
from keras_gans.errors import UserError
from keras_gans.files import atomically
from keras_gans.printing import cell, printable
from keras_gans.quiet import Interrupted
from keras_gans.runs.lock import alone_in
from keras_gans.runs.run_directory import NOT_BEGUN

from .recipe import settings_of

if TYPE_CHECKING:
    from keras_gans.training.recipe import Recipe


_PACKAGES = ("keras_gans", "tensorflow", "keras", "tensorflow-datasets", "numpy")


def create(recipe: "Recipe", root: str | Path = "runs") -> Path:
    """Makes `root/00007-wgan_gp-digits` with the next free number, and `recipe.json` in it.

    A file in it says that the run has not begun, until `Begin` sees its first step.

    Returns:
        pathlib.Path of the run directory.

    Raises:
        UserError: the folder cannot be written to.
    """
    root = Path(root)
    # As a path of a shell takes them without quotes.
    name, data = (re.sub(r"[^\w.-]+", "-", part).strip("-") for part in (recipe.name, short_name(recipe.data)))
    try:
        root.mkdir(parents=True, exist_ok=True)
        # Of runs that begin at once, whatever their recipes, no two get one number.
        with alone_in(root):
            number = 1 + max((int(path.name[:5]) for path in root.iterdir() if path.name[:5].isdigit()), default=0)
            while True:
                run = root / f"{number:05d}-{name}-{data or 'data'}"
                try:
                    run.mkdir()
                    break
                except FileExistsError:
                    number += 1
        (run / NOT_BEGUN).touch()
        write_recipe(run, recipe)
    except OSError as error:
        raise UserError(f"The run directory could not be made in {root.resolve()}: {error.strerror}.") from error
    return run


class Begin(keras.callbacks.Callback):
    """Notes that a run has begun once its first step is taken, so that `latest` names it.

    Args:
        run: the run directory.
    """

    def __init__(self, run: str | Path):
        super().__init__()
        self._note = Path(run) / NOT_BEGUN

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self._note is not None:
            self._note.unlink(missing_ok=True)
            self._note = None


@contextlib.contextmanager
def forgotten_unless_begun(run: str | Path) -> Iterator[None]:
    """Removes a run's directory where a `UserError` or Ctrl-C ends the block before the first step."""
    try:
        yield
    except (UserError, KeyboardInterrupt, Interrupted):
        if (Path(run) / NOT_BEGUN).exists():
            shutil.rmtree(run, ignore_errors=True)
        raise


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


# What most runs differ in; the rest stands in the text.
_COMPARED = (
    ("name", "data", "steps", "batch_size", "image_size", "latent_dim", "labels_per_class", "ema", "seed", "precision")
    + tuple(f"optimizers.{player}.learning_rate" for player in ("generator", "discriminator"))
    + ("learning_rate_schedule",)
)
# Figures of a run, and what TensorBoard's table calls them; a run has those that it measures. The table shows the first
# five until one ticks others.
_MEASURED = {f"{EVALUATION}/frechet_distance": "Fréchet distance", f"{EVALUATION}/coverage": "coverage"}
_FURTHER = {
    f"{DOCTOR}/likeness": "doctor's likeness",
    f"{ACCURACY}/held_out": "accuracy, held out",
    f"{EVALUATION}/modes_covered": "modes covered",
}


def write_to_tensorboard(board: str | Path, name: str, recipe: "Recipe", players: Sequence[str]) -> None:
    """Shows the recipe in TensorBoard, as text and as hyper-parameters beside the figures that the run comes to.

    Args:
        board: folder of the event files.
        name: of the run, under which the table of hyper-parameters has it.
        recipe: a `Recipe`.
        players: those whose losses the table has.
    """
    settings = settings_of(recipe)
    table = "\n".join(f"| {cell(key)} | {cell(value)} |" for key, value in settings.items())
    kept = {key: settings[key] for key in _COMPARED if settings.get(key) is not None}
    losses = {tag(f"{player}_loss"): f"{player}'s loss" for player in players}
    figures = _MEASURED | losses | _FURTHER
    writer = tf.summary.create_file_writer(str(board))
    with writer.as_default():
        tf.summary.text("recipe", f"| setting | value |\n|---|---|\n{table}", step=0)
        # TensorBoard takes the columns from the first run that it finds, so that each has all of them.
        hparams.hparams_config(
            hparams=[hparams.HParam(key) for key in _COMPARED],
            metrics=[hparams.Metric(figure, display_name=shown) for figure, shown in figures.items()],
        )
        hparams.hparams({k: v if isinstance(v, (bool, int, float)) else printable(v) for k, v in kept.items()}, name)
    writer.close()


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
