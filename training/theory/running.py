"""Runs checks: trains and measures, draws the picture, and files the figures."""

import contextlib
import importlib
import json
import math
import time
from pathlib import Path
from typing import Any

import tensorflow as tf
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import keras_gans as kg
from keras_gans.drawing import picture, plot
from keras_gans.files import atomically
from keras_gans.printing import Console

from .. import new_run
from .outcome import CheckResult
from .playing import Setting


def run_check(name: str, setting: Setting, directory: str | Path) -> CheckResult:
    """Runs one check, and draws `directory/NAME.png`.

    Args:
        name: a key of `theory.NAMES`.
        setting: its seed, whether it is quick, and who watches.
        directory: folder of the picture; made where there is none.

    Returns:
        CheckResult.
    """
    module = importlib.import_module(f".{name}", __package__)
    started = time.perf_counter()
    evidence = module.check(setting)
    seconds = time.perf_counter() - started
    figure = Path(directory) / f"{name}.png"
    picture.save_png(plot.draw(evidence.panels, columns=evidence.columns), figure)
    return CheckResult(
        name, module.STATEMENT, module.SOURCE, setting.seed, evidence.claims, figure, evidence.skipped, seconds
    )


def run_checks(
    names: Any,
    directory: str | Path,
    *,
    seed: int = 0,
    quick: bool = False,
    console: "Console | None" = None,
    report: dict[str, Any] = lambda result: None,
) -> tuple[CheckResult, ...]:
    """Runs checks one after the other and files what they find.

    Args:
        names: list of keys of `theory.NAMES`.
        directory: gets NAME.png for each, `results.json`, `environment.json` and the folder `tensorboard`.
        seed: of everything random.
        quick: see `Setting`.
        console: rich.console.Console for the progress display; none unless given.
        report: function of each `CheckResult`, called as soon as there is one.

    Returns:
        tuple of `CheckResult`.
    """
    directory = Path(directory)
    results = []
    with _Display(console or Console(quiet=True), len(names)) as display:
        for place, name in enumerate(names, start=1):
            display.begin(place, name)
            results.append(run_check(name, Setting(seed, quick, display.watch), directory))
            report(results[-1])
    _write_results(directory, results, seed, quick)
    new_run.write_environment(directory, [device.name for device in tf.config.list_logical_devices()])
    _write_tensorboard(directory / "tensorboard", results)
    return tuple(results)


def _write_results(directory, results, seed, quick):
    content = {
        "passed": all(result.passed for result in results),
        "seed": seed,
        "quick": quick,
        "seconds": round(sum(result.seconds for result in results), 2),
        "checks": [result.to_dict() for result in results],
    }
    with atomically(directory / "results.json") as partial:
        partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _write_tensorboard(directory, results):
    """Pictures, scalars and statements; the step is the seed, so that runs of several seeds stand side by side."""
    writer = tf.summary.create_file_writer(str(directory))
    with contextlib.closing(writer), writer.as_default():
        for result in results:
            drawn = tf.io.decode_png(result.figure.read_bytes(), channels=3)
            tf.summary.image(f"theory/{result.name}", drawn[tf.newaxis], step=result.seed)
            tf.summary.text(f"theory/{result.name}", f"{result.statement}\n\n{result.source}", step=result.seed)
            for claim in result.claims:
                if math.isfinite(claim.measured):
                    tf.summary.scalar(f"{result.name}/{claim.quantity}", claim.measured, step=result.seed)


class _Display:
    """One line at the foot of the terminal: which check, what is being trained, and how far it is."""

    def __init__(self, console, count):
        self.count = count
        self._bar = Progress(
            TextColumn("[bold]{task.fields[check]}"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self):
        self._bar.start()
        self._task = self._bar.add_task("", total=1, check="")
        return self

    def __exit__(self, *error):
        self._bar.stop()

    def begin(self, place, name):
        self._bar.update(self._task, check=f"{place}/{self.count} {name}", description="", completed=0, total=1)

    def watch(self, text, steps):
        """Callbacks that show how far the training of `text` is."""
        self._bar.update(self._task, description=text, completed=0, total=steps)
        return [_Steps(lambda step: self._bar.update(self._task, completed=step))]


class _Steps(kg.callbacks.EveryNSteps):
    def __init__(self, show):
        super().__init__(every=50)
        self.show = show

    def on_step(self, step, logs):
        self.show(step)
