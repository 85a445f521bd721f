"""A progress bar with the losses, speed, memory and the time left."""

import time

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Column

from keras_gans.callbacks.every import EveryNSteps
from keras_gans.memory import peak_gigabytes
from keras_gans.printing import Console

# Characters of a terminal that has room for a long bar.
_WIDE = 110


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
            width = 10 if self.console.width < _WIDE else 24
            count = 2 * len(str(self.steps)) + 1
            # What the other columns leave, with a space between each two.
            self._room = self.console.width - (4 + count + width + 7 + 4)
            self._bar = Bar(
                TextColumn("[bold]step", table_column=Column(no_wrap=True, min_width=4)),
                MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=count)),
                BarColumn(bar_width=width, table_column=Column(min_width=width)),
                # The one that gives way on a narrow terminal: each of the others says where the run is.
                TextColumn("{task.fields[losses]}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
                TimeRemainingColumn(elapsed_when_finished=True, table_column=Column(no_wrap=True, min_width=7)),
                console=self.console,
                expand=True,
            )
            self._task = self._bar.add_task("training", total=self.steps, completed=self.step, losses="first step ...")
            self._bar.start()

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        rate = (step - self._from) / max(time.perf_counter() - self._started, 1e-9)
        curves = {name: float(value) for name, value in logs.items() if name.endswith("_loss")}
        phase = self.model.phase_title(max(step - 1, 0))
        speed = f"{rate:.1f} steps/s"
        if self._bar is not None:
            losses = [f"{name.removesuffix('_loss')} {value:.3f}" for name, value in curves.items()]
            text = _fitting(losses, [phase, speed, f"{peak_gigabytes():.1f} GB"], self._room)
            self._bar.update(self._task, completed=step, losses=text)
        elif step - self._line_at >= self.steps / 10 or step >= self.steps:
            self._line_at = step
            left = max(0.0, (self.steps - step) / rate)
            losses = "  ".join(f"{name}: {value:.3f}" for name, value in curves.items())
            parts = [f"step {step}/{self.steps}", phase, losses, speed, f"{peak_gigabytes():.1f} GB"]
            line = "  ".join([*filter(None, parts), f"{left:.0f} s left"])
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_end(logs)
        self.close()

    def close(self) -> None:
        """Leaves the terminal as it was; for when `fit` ends by an exception."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _fitting(losses, others, room):
    """As much of the losses, and then of the phase, the speed and the memory, as there is room for, each whole."""
    while losses and len(_line(losses, [])) > room:
        losses = losses[:-1]
    shown = []
    for part in others:
        if len(_line(losses, [*shown, part])) <= room:
            shown.append(part)
    return _line(losses, shown)


def _line(losses, others):
    return "  ".join(filter(None, [*others, f"losses: {', '.join(losses)}" if losses else ""]))
