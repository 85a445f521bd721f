"""Whole models on disk, from which a run goes on exactly, samples and is exported."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_gans.callbacks.every import EveryNSteps
from keras_gans.errors import UserError
from keras_gans.files import atomically, clear_left_over
from keras_gans.runs.run_directory import NOTES, checkpoints_in, step_of

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


class Checkpoint(EveryNSteps):
    """Saves the whole model (networks, every optimizer, the step) as `directory/step-00001000.keras`.

    A file is written under a temporary name and renamed, so that a crash never leaves half a checkpoint, and a model
    with a NaN or infinite weight is never saved.

    Args:
        directory: where to.
        every: steps between checkpoints; None saves at the end of each epoch.
        keep: the newest so many are kept; no file of another name than these is ever deleted.
        notes: function without arguments; what it returns, as JSON takes it, is put into the file beside the model,
            from where `runs.run_directory.notes_in` reads it.
        parts: function without arguments that gives {name: bytes}, likewise, for `runs.run_directory.part_in`.
        stopgap: path of a checkpoint that was saved between two that are due, because the run was interrupted there; it
            is deleted once the next one is saved.
    """

    even_if_interrupted = True

    def __init__(
        self,
        directory: str | Path,
        every: int | None = 1000,
        keep: int = 3,
        notes: Callable[[], dict[str, Any]] | None = None,
        parts: Callable[[], dict[str, bytes]] | None = None,
        stopgap: str | Path | None = None,
    ):
        super().__init__(every)
        if keep < 1:
            raise UserError(f"keep must be 1 or more checkpoints. Received: {keep!r}.")
        self.directory = Path(directory)
        self.keep = keep
        self.notes, self.parts = notes, parts
        self.stopgap = None if stopgap is None else Path(stopgap)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        clear_left_over(self.directory)

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        self.save(self.model)

    def save(self, model: "AdversarialModel") -> Path:
        """Saves `model` at its own step now and returns the path."""
        path = self.directory / f"step-{model.steps_taken:08d}.keras"
        with atomically(path) as partial:
            model.save(partial)
            added = {} if self.notes is None else {NOTES: json.dumps(self.notes())}
            added |= {} if self.parts is None else self.parts()
            if added:
                with zipfile.ZipFile(partial, "a") as archive:
                    for name, content in added.items():
                        archive.writestr(name, content)
        if self.stopgap is not None and self.stopgap != path:
            self.stopgap.unlink(missing_ok=True)
            self.stopgap = None
        # Those of later steps can only be damaged ones that a resumed run passed over; they are written anew in time.
        saved = [each for each in checkpoints_in(self.directory) if step_of(each) <= step_of(path)]
        for old in saved[: -self.keep]:
            old.unlink()
        return path
