"""How well a scheme that classifies does so, while it trains."""

import time
from pathlib import Path

import tensorflow as tf

from keras_gans.callbacks.board import ACCURACY
from keras_gans.callbacks.every import EveryNSteps
from keras_gans.callbacks.metrics_file import MetricsFile
from keras_gans.metrics.accuracy import ClassifierAccuracy, sentence
from keras_gans.printing import Console, escape

# While training goes on; at its end more are asked about.
_ROWS = 2000


class Accuracy(EveryNSteps):
    """Says every so many steps, and once more at the end, how many labelled and held-out rows are classified right.

    The shares go to TensorBoard's group `3 accuracy`, as `labelled` and `held_out`, and to `metrics.jsonl` as
    `accuracy_labelled` and `accuracy_held_out`: of 2,000 rows at most, at the end of `fit` of 10,000.

    Args:
        directory: for TensorBoard.
        accuracy: `metrics.ClassifierAccuracy`.
        every: steps between looks; None looks at the end of each epoch.
        metrics_file: JSON lines, appended to; None writes none.
        console: rich.console.Console to speak on.

    Attributes:
        latest: list of the last `metrics.accuracy.Accuracy`s.
    """

    def __init__(
        self,
        directory: str | Path,
        accuracy: ClassifierAccuracy,
        every: int | None = None,
        *,
        metrics_file: str | Path | None = None,
        console: "Console | None" = None,
    ):
        super().__init__(every)
        self.directory, self.accuracy = Path(directory), accuracy
        self.metrics_file = None if metrics_file is None else MetricsFile(metrics_file)
        self.console = console or Console()
        self.latest = []

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        self._started = time.perf_counter()
        if self.metrics_file is not None:
            self.metrics_file.drop_after(self.step)
        self._writer = tf.summary.create_file_writer(str(self.directory))

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        self.latest = self.accuracy.of(self.model, _ROWS)
        with self._writer.as_default():
            for each in self.latest:
                tf.summary.scalar(f"{ACCURACY}/{each.name}", each.value, step=step)
        self._writer.flush()
        if self.metrics_file is not None:
            values = {f"accuracy_{each.name}": each.value for each in self.latest}
            self.metrics_file.append(step, time.perf_counter() - self._started, values)
        self._print(escape(f"step {step}: {sentence(self.latest)}."))

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_end(logs)
        self._writer.close()
        if not getattr(self.model, "is_interrupted", False):
            self.latest = self.accuracy.of(self.model)
            self._print(f"[bold]Classifier:[/] {escape(sentence(self.latest))}.")

    def _print(self, line):
        self.console.print(line, highlight=False, soft_wrap=True)
