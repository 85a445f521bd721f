"""A progress bar with the losses, speed, memory and the time left."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from keras_gans.callbacks.every import EveryNSteps
from keras_gans.memory import peak_gigabytes


class Progress(EveryNSteps):
    """Shows steps, the phase where there are several, losses, steps a second, the most memory taken and the time left.

    In a log file it is one line for each tenth of the way.

    Args:
        steps: training steps at which the run ends.
        every: steps between updates of the losses.
        console: rich.console.Console to draw on.
    """

    def __init__(self, steps: int, every: int | None = 10, console: "Console | None" = None):
        super().__init__(every)
        self.steps = steps
        self.console = console or Console()
        self._bar = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        self._started, self._from = time.perf_counter(), self.step
        self._line_at = self.step
        if self.console.is_terminal:
            self._bar = Bar(
                TextColumn("[bold]step"),
                MofNCompleteColumn(),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[losses]}"),
                TimeRemainingColumn(elapsed_when_finished=True),
                console=self.console,
            )
            self._task = self._bar.add_task("training", total=self.steps, completed=self.step, losses="first step ...")
            self._bar.start()

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        rate = (step - self._from) / max(time.perf_counter() - self._started, 1e-9)
        losses = "  ".join(f"{name}: {float(value):.3f}" for name, value in logs.items() if name.endswith("_loss"))
        phase = self.model.phase_title(max(step - 1, 0))
        losses = f"{phase}  {losses}" if phase else losses
        speed = f"{rate:.1f} steps/s  {peak_gigabytes():.1f} GB"
        if self._bar is not None:
            self._bar.update(self._task, completed=step, losses=f"{losses}  {speed}")
        elif step - self._line_at >= self.steps / 10 or step >= self.steps:
            self._line_at = step
            left = max(0.0, (self.steps - step) / rate)
            line = f"step {step}/{self.steps}  {losses}  {speed}  {left:.0f} s left"
            self.console.print(line, highlight=False, soft_wrap=True)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_end(logs)
        self.close()

    def close(self) -> None:
        """Leaves the terminal as it was; for when `fit` ends by an exception."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
