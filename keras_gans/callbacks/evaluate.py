"""Measures of the samples while training goes on, and the best checkpoint by one of them."""

import json
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.callbacks.board import EVALUATION, floor_of
from keras_gans.callbacks.every import EveryNSteps
from keras_gans.callbacks.metrics_file import MetricsFile
from keras_gans.drawing import plot
from keras_gans.errors import DamageWarning, UserError, unknown_name
from keras_gans.files import atomically
from keras_gans.hints import Tensor
from keras_gans.metrics import (
    MEASURES,
    Evaluation,
    Score,
    SentenceEvaluation,
    TextEvaluation,
    TranslationEvaluation,
    evaluation_of,
    measures,
)
from keras_gans.metrics.measures import check_names
from keras_gans.metrics.protocol import json_number

BEST_MODEL, BEST_RECORD = "best.keras", "best.json"
_Evaluation = Evaluation | SentenceEvaluation | TextEvaluation | TranslationEvaluation


class Evaluate(EveryNSteps):
    """Measures samples against held-out data every so many steps.

    Each figure goes to TensorBoard's group `2 evaluation`, with the floor beside it as `NAME of the data`, and to
    `metrics.jsonl` with its protocol.

    Args:
        directory: for TensorBoard.
        source: the training data, as `keras_gans.metrics.evaluate` takes it, or an `Evaluation` made ready.
        every: steps between evaluations; None evaluates at the end of each epoch. There is one more at the end.
        metrics: names of measures; those of the scheme's `measures`, or all that fit the data, unless given.
        samples, seed, extractor: see `Evaluation`.
        metrics_file: JSON lines, appended to; None writes none.
        best: name of the figure by which the best checkpoint is kept, such as "frechet_distance"; None keeps none.
        checkpoints: folder for `best.keras` and `best.json`, which says at which step it was, its scores and their
            protocols. A resumed run keeps what was best before; under another protocol it is refused.

    Attributes:
        evaluation: the `Evaluation`, once training has begun.
        latest: list of the last `Score`s.
        best: the best `Score` so far, or None.

    Raises:
        UserError: a metric or figure that does not exist, or `best` without `checkpoints`.
    """

    def __init__(
        self,
        directory: str | Path,
        source: Any,
        every: int | None = None,
        *,
        metrics: Sequence[str] | None = None,
        samples: Any = 5000,
        seed: int = 0,
        extractor: Any = None,
        metrics_file: str | Path | None = None,
        best: str | None = None,
        checkpoints: str | Path | None = None,
    ):
        super().__init__(every)
        if metrics is not None:
            check_names(metrics)
        if best is not None:
            _check_best(best, metrics, checkpoints)
        self.directory = Path(directory)
        self.metrics_file = None if metrics_file is None else MetricsFile(metrics_file)
        self.evaluation = source if isinstance(source, _Evaluation) else None
        self._options = {"metrics": metrics, "samples": samples, "seed": seed, "extractor": extractor}
        self._source, self._criterion = source, best
        self._checkpoints = None if checkpoints is None else Path(checkpoints)
        self.latest, self.best = [], None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        self._started = time.perf_counter()
        if self.evaluation is None:
            self.evaluation = evaluation_of(type(self.model), self._source, **self._options)
        if self._criterion is not None and self._criterion not in self.evaluation.names:
            raise unknown_name("figure to keep the best checkpoint by", self._criterion, self.evaluation.names)
        self.evaluation.prepare()
        if self._criterion is not None and self.step > 0 and self.best is None:
            self.best = self._best_before()
        if self.metrics_file is not None:
            self.metrics_file.drop_after(self.step)
        self._writer = tf.summary.create_file_writer(str(self.directory))

    def _best_before(self):
        """The best score of the run that is being resumed, or None."""
        record = self._checkpoints / BEST_RECORD
        if not record.exists() or not (self._checkpoints / BEST_MODEL).exists():
            return None
        try:
            score = Score.from_dict(json.loads(record.read_bytes().decode("utf-8"))["score"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            warnings.warn(
                f"{record} cannot be read ({reason}), so the best is chosen anew.", DamageWarning, stacklevel=2
            )
            return None
        differing = score.protocol.differences(self.evaluation.protocols()[self._criterion])
        if score.name != self._criterion:
            differing.insert(0, f"figure: {score.name!r} -> {self._criterion!r}")
        if differing:
            raise UserError(
                f"The best checkpoint in {self._checkpoints} was chosen by another protocol, so no later one could be "
                "compared with it. What differs:\n  " + "\n  ".join(differing) + f"\nEvaluate as before, or move "
                f"{BEST_MODEL} and {BEST_RECORD} away to choose anew."
            )
        return score

    def on_step(self, step: int, logs: dict[str, float]) -> None:
        self.latest = self.evaluation.of(self.model)
        self._show(step)
        if self.metrics_file is not None:
            self.metrics_file.append(step, time.perf_counter() - self._started, as_line(self.latest))
        if self._criterion is not None:
            score = next(score for score in self.latest if score.name == self._criterion)
            if self.best is None or score.better_than(self.best):
                self._keep(step, score)

    def _show(self, step):
        with self._writer.as_default():
            for score in self.latest:
                tf.summary.scalar(f"{EVALUATION}/{score.name}", score.value, step=step)
                tf.summary.scalar(floor_of(score.name), score.floor, step=step)
            for tag, drawn in pictures_of(self.evaluation).items():
                tf.summary.image(f"{EVALUATION}/{tag}", drawn[None], step=step)
        self._writer.flush()

    def _keep(self, step, score):
        # The model first: a record must never speak of a model that is not there.
        with atomically(self._checkpoints / BEST_MODEL) as partial:
            self.model.save(partial)
        record = {"step": step, "score": score.to_dict(), "scores": [each.to_dict() for each in self.latest]}
        with atomically(self._checkpoints / BEST_RECORD) as partial:
            partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        self.best = score

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        super().on_train_end(logs)
        self._writer.close()


def pictures_of(evaluation: _Evaluation) -> dict[str, np.ndarray]:
    """{name: uint8 picture} of what is drawn of the figures last measured: which classes became which."""
    drawn = {}
    for name, counts in evaluation.confusions.items():
        if isinstance(evaluation, TextEvaluation):
            words = {"row": "what the text says", "column": "what the image shows", "same": "right"}
            drawn[f"confusion_{name}"] = plot.confusion(counts, evaluation.attributes[name], name, **words)
        else:
            drawn[f"confusion_{name}"] = plot.confusion(counts, evaluation.class_names, name.replace("_", " "))
    return drawn


def as_line(scores: Tensor) -> dict[str, Any]:
    """Scores as one line of `metrics.jsonl`: {name: value}, and under "evaluation" each whole score by name."""
    return {score.name: json_number(score.value) for score in scores} | {
        "evaluation": {score.name: score.to_dict() for score in scores}
    }


def _check_best(best, metrics, checkpoints):
    names = [result for name in metrics or MEASURES for result in (MEASURES[name].results if name in MEASURES else ())]
    # Their results have the direction behind them, or an attribute before; which there are, scheme and data say.
    of_texts = best.endswith(("_accuracy", "_accuracy_held_out")) or best.startswith(measures.OF_TEXTS)
    if best not in (*names, *measures.OF_SENTENCES) and not of_texts and not best.startswith(measures.OF_TRANSLATIONS):
        raise unknown_name("figure to keep the best checkpoint by", best, names)
    if checkpoints is None:
        raise UserError("Keeping the best checkpoint needs a folder for it: pass checkpoints.")
