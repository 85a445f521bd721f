"""Pictures of the samples as they change."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.callbacks.board import IMAGES
from keras_gans.callbacks.every import EveryNSteps
from keras_gans.engine import show
from keras_gans.engine.inputs import first_rows
from keras_gans.printing import printable


class ImageGrid(EveryNSteps):
    """Shows what a model says it `shows`, again and again: in TensorBoard's Images and Text tabs, and in files.

    Samples, always of the same latents, go to `step-STEP.png`; anything else to `TAG-STEP.png`, or `.txt` for texts,
    such as `reconstructions-STEP.png`, rows of real images each above what an autoencoder makes of it.

    Args:
        directory: files go to `directory/samples`, TensorBoard's to `directory`.
        every: steps between pictures; None draws one at the end of each epoch.
        count: images in a grid; points are drawn 32 for each.
        seed: of the latents, see `sample`.
        real: data to compare with, shown once, and not again where a run goes on: an array of samples, {field: array},
            or a tf.data.Dataset of batches.
        samples_directory: another folder for the files.

    Attributes:
        latest: path of the first of what was last written: the picture of samples, where there are any.
    """

    def __init__(
        self,
        directory: str | Path,
        every: int | None = None,
        count: int = 64,
        seed: int = 0,
        real: Any = None,
        samples_directory: str | Path | None = None,
    ):
        super().__init__(every)
        self.directory = Path(directory)
        self.samples_directory = Path(samples_directory or self.directory / "samples")
        self.count = count
        self.seed = seed
        self.real = real
        self.latest = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        self._writer = tf.summary.create_file_writer(str(self.directory))
        self._real = None if self.real is None else self._rows_to_show()
        if self._real is not None:
            for tag, shown in self.model.shows_data(self._real).items():
                if self.step == 0 or not list(self.samples_directory.glob(f"{tag}.*")):
                    self._show(tag, shown, self.step, tag)

    def _rows_to_show(self):
        """{field: the first real rows, images as uint8}, as many as stand where `count` images would."""
        fields = self.model.fields()
        rows = {name: show.rows_for(field, self.count) for name, field in fields.items()}
        first = first_rows(self.real, fields, max(rows.values()))
        return {name: show.as_shown(first[name][: rows[name]], fields[name]) for name in first}

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        shown = self.model.shows(self._real, self.count, self.seed)
        paths = [
            self._show(tag, what, step, f"{'step' if tag == 'samples' else tag}-{step:08d}")
            for tag, what in shown.items()
        ]
        self.latest = paths[0] if paths else None

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_end(logs)
        self._writer.close()

    def _show(self, tag, shown, step, name):
        """Draws or writes one thing for TensorBoard, and as a file of that name; returns the file's path."""
        with self._writer.as_default():
            if isinstance(shown, list):
                texts = [printable(text, lines=True) for text in shown]
                tf.summary.text(f"texts/{tag}", tf.constant(texts), step=step)
            else:
                tf.summary.image(f"{IMAGES}/{tag}", shown[np.newaxis], step=step)
        self._writer.flush()
        return show.write(shown, self.samples_directory / name)
