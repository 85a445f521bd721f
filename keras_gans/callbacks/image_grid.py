"""Pictures of the samples as they change."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.callbacks.every import EveryNSteps
from keras_gans.drawing import picture
from keras_gans.pixels import to_uint8


class ImageGrid(EveryNSteps):
    """Draws samples of the same latents again and again, to PNG files and to TensorBoard's Images tab.

    A class-conditional model's grid has a column for each class. Where the model reconstructs images and there are real
    ones, `reconstructions-STEP.png` shows rows of these, each above what the model makes of it.

    Args:
        directory: PNG files go to `directory/samples`, TensorBoard's to `directory`.
        every: steps between pictures; None draws one at the end of each epoch.
        count: images in a grid; points are drawn 32 for each.
        seed: of the latents, see `sample`.
        real: real samples to compare with, drawn once: an array or a tf.data.Dataset of batches.
        samples_directory: another folder for the PNG files.

    Attributes:
        latest: path of the last picture written.
    """

    def __init__(self, directory, every=None, count=64, seed=0, real=None, samples_directory=None):
        super().__init__(every)
        self.directory = Path(directory)
        self.samples_directory = Path(samples_directory or self.directory / "samples")
        self.count = count
        self.seed = seed
        self.real = real
        self.latest = None

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._writer = tf.summary.create_file_writer(str(self.directory))
        is_image = len(self.model.sample_shape()) == 3
        self._drawn = self.count if is_image else 32 * self.count
        self._real = None if self.real is None else _first(self.real, self._drawn, is_image)
        if self._real is not None:
            self._show("images/real", picture.draw(self._real), self.step)
            picture.save_png(picture.draw(self._real), self.samples_directory / "real.png")

    def on_step(self, step, logs):
        columns, labels = None, None
        if getattr(self.model, "takes_labels", False):
            # As many classes as a row can show.
            columns = min(self.model.class_count, self._drawn)
            labels = np.arange(self._drawn - self._drawn % columns) % columns
        samples = self.model.sample(self._drawn if labels is None else len(labels), seed=self.seed, labels=labels)
        drawn = picture.draw(samples, real=self._real, columns=columns)
        self.latest = self.samples_directory / f"step-{step:08d}.png"
        picture.save_png(drawn, self.latest)
        self._show("images/samples", drawn, step)
        if self._real is not None and self._real.ndim == 4 and hasattr(self.model, "reconstruct"):
            self._draw_reconstructions(step)

    def _draw_reconstructions(self, step):
        columns = min(8, len(self._real))
        rows = max(1, min(self.count // 2, len(self._real)) // columns)
        originals = self._real[: rows * columns]
        copies = to_uint8(self.model.reconstruct(originals)).numpy()
        # A row of originals, then the row of their copies, and so on.
        pairs = np.stack([each.reshape(rows, columns, *each.shape[1:]) for each in (originals, copies)], axis=1)
        drawn = picture.draw(pairs.reshape(-1, *originals.shape[1:]), columns=columns)
        picture.save_png(drawn, self.samples_directory / f"reconstructions-{step:08d}.png")
        self._show("images/reconstructions", drawn, step)

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._writer.close()

    def _show(self, tag, drawn, step):
        with self._writer.as_default():
            tf.summary.image(tag, drawn[np.newaxis], step=step)
        self._writer.flush()


def _first(real, count, is_image):
    """The first `count` real samples, images as uint8."""
    if isinstance(real, tf.data.Dataset):
        real = real.map(lambda *element: element[0]).unbatch().batch(count)
        real = next(iter(real)).numpy()
    real = np.asarray(real)[:count]
    return to_uint8(real).numpy() if is_image and real.dtype != np.uint8 else real
