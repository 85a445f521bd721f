"""Every curve of a scheme, to TensorBoard and to a file that programs read."""

import time
from pathlib import Path

import tensorflow as tf

from keras_gans.callbacks.board import tag
from keras_gans.callbacks.every import EveryNSteps
from keras_gans.callbacks.metrics_file import MetricsFile
from keras_gans.memory import peak_gigabytes


class ResetCurves(EveryNSteps):
    """Starts each curve's mean anew every so many steps.

    It is what remains of `Curves` on those workers of a cluster that write nothing: variables that all machines mirror
    must be set on all of them.

    Args:
        every: steps between resets; None resets at the end of each epoch.
    """

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        self.model.reset_metrics()


class Curves(ResetCurves):
    """Writes each curve's mean over the last `every` steps to TensorBoard's Scalars and to `metrics.jsonl`.

    With them go `steps_per_second`, `samples_per_second` where the batch is known, and `peak_gigabytes` of memory.
    Players that rest have no points. Where training has phases, TensorBoard's Text says with which step each begins.

    Args:
        directory: for TensorBoard.
        every: steps between points; None writes one at the end of each epoch.
        metrics_file: JSON lines, appended to; None writes none. Each line has `step`, `seconds` since training began
            and the curves. After a resume, lines of steps that the resumed run takes again are dropped.
        samples_per_step: real samples that a training step consumes, over all devices; None leaves their rate out.
    """

    def __init__(
        self,
        directory: str | Path,
        every: int | None = 50,
        metrics_file: str | Path | None = None,
        samples_per_step: int | None = None,
    ):
        super().__init__(every)
        self.samples_per_step = samples_per_step
        self.directory = Path(directory)
        self.metrics_file = None if metrics_file is None else MetricsFile(metrics_file)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        self._writer = tf.summary.create_file_writer(str(self.directory))
        self._started = self._last_time = time.perf_counter()
        self._last_step = self.step
        if self.metrics_file is not None:
            self.metrics_file.drop_after(self.step)

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        now = time.perf_counter()
        values = {name: float(value) for name, value in logs.items()}
        values["steps_per_second"] = (step - self._last_step) / max(now - self._last_time, 1e-9)
        if self.samples_per_step is not None:
            values["samples_per_second"] = values["steps_per_second"] * self.samples_per_step
        values["peak_gigabytes"] = peak_gigabytes()
        begun = [start for _, start in self.model.phase_starts() if self._last_step <= start < step]
        self._last_step, self._last_time = step, now
        with self._writer.as_default():
            for start in begun:
                if title := self.model.phase_title(start):
                    tf.summary.text("phase", title, step=start)
            for name, value in values.items():
                tf.summary.scalar(tag(name), value, step=step)
        self._writer.flush()
        if self.metrics_file is not None:
            self.metrics_file.append(step, now - self._started, values)
        # The next point is the mean of what comes after this one.
        super().on_step(step, logs)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_end(logs)
        self._writer.close()
