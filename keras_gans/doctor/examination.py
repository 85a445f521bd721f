"""One look after another at a model in training, without changing anything in it."""

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from keras_gans.doctor.snapshot import plain
from keras_gans.doctor.vital_signs import VitalSigns, separation
from keras_gans.engine.replicas import spans_machines
from keras_gans.pixels import from_uint8

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


_BATCH = 256


class Examination:
    """Takes the vital signs of a model, each look compared with the one before.

    Between looks it holds a copy of the players' trainable weights.

    Args:
        model: a compiled `AdversarialModel`; one that makes no samples is examined by losses, gradients and weights.
        reference: `Reference`, or None likewise.
        seed: of the first of the latents whose samples are looked at; always the same ones.
        translation: `metrics.TranslationEvaluation` of a scheme that translates, or None.
    """

    def __init__(self, model: "AdversarialModel", reference: Any = None, seed: int = 0, translation: Any = None):
        self.model = model
        self.translation = translation
        self.reference = reference if model.makes == "sample" else None
        self.seed = seed
        self._embedded = None
        # Of each curve (total, count): of its mean when it was last read, and of means that ended since the last look.
        self._curve_sums: dict[str, tuple[float, float]] = {}
        self._ended: dict[str, tuple[float, float]] = {}
        self._at = model.steps_taken
        self._scorer = None if self.reference is None else _scorer(model, self.reference.rows)
        self._weights = self._copy_weights()

    def look(self, step: int, logs: dict[str, float] | None = None) -> "VitalSigns":
        """The `VitalSigns` now.

        Args:
            step: training steps taken.
            logs: {curve: value} as `fit` reports them; None before the first step, where there is nothing to compare.
        """
        signs = {"learning_rates": self._learning_rates()}
        self._at = step
        if logs is not None:
            curves = self._curves(logs)
            # A phase that is about to begin has nothing to show yet.
            players = self.model.phase_at(max(step - 1, 0)).players
            signs["losses"] = {player: curves[f"{player}_loss"] for player in players}
            signs["gradient_norms"] = {player: curves[f"{player}_gradient_norm"] for player in players}
            signs["weight_changes"] = self._weight_changes(players)
        # Before its phase a generator makes what it made at the start, which is no illness.
        is_making = not self.model.rivals or not all(map(self.model.is_resting, self.model.rivals))
        if self.reference is not None and is_making:
            signs.update(self._signs_of_samples())
        if self.translation is not None and is_making:
            signs.update(self._signs_of_translations())
        return VitalSigns(step, **signs)

    def follow(self) -> None:
        """Begins to follow the curves, whose means others start anew: from here on, or from what was taken up.

        Called once the model's training loop runs; `unfollow` ends it.
        """
        if spans_machines(self.model.distribute_strategy):
            return
        if not self._curve_sums:
            self._curve_sums = self._sums()
        self.model.before_reset = self._keep_what_ends

    def unfollow(self) -> None:
        """Ends what `follow` began."""
        self.model.before_reset = None

    def state(self) -> dict[str, np.ndarray]:
        """What the next look compares with, as arrays; `take_up` goes on from there.

        Right after a look that is what the model itself has, and next to nothing is to be kept.
        """
        # Right after a mean has ended nothing of the next one has been read.
        names = list(dict.fromkeys([*self._curve_sums, *self._ended]))
        sums, ended = ([each.get(name, (0.0, 0.0)) for name in names] for each in (self._curve_sums, self._ended))
        state = {"curves": np.array(names), "sums": np.array(sums, np.float64), "ended": np.array(ended, np.float64)}
        if self.model.steps_taken != self._at:
            for player, weights in self._weights.items():
                state |= {f"weight_{player}_{index}": weight.numpy() for index, weight in enumerate(weights)}
            if self._embedded is not None:
                state["embedded"] = self._embedded
        return state

    def take_up(self, state: dict[str, np.ndarray]) -> None:
        """Has the next look compare with what `state` gave."""
        names = state["curves"].tolist()
        self._curve_sums = dict(zip(names, map(tuple, state["sums"].tolist()), strict=True))
        self._ended = dict(zip(names, map(tuple, state["ended"].tolist()), strict=True)) if "ended" in state else {}
        for player, weights in self._weights.items():
            kept = [state.get(f"weight_{player}_{index}") for index in range(len(weights))]
            if weights and all(each is not None for each in kept):
                self._weights[player] = [tf.convert_to_tensor(each) for each in kept]
        self._embedded = state.get("embedded", self._embedded)

    def _signs_of_samples(self):
        made = self.model.draw(self.reference.count, seed=self.seed)
        samples = made["sample"]
        embedded = self.reference.embed(samples)
        if not np.isfinite(embedded).all():
            return {"finite": False}
        signs = self.reference.compare(samples, embedded)
        if self._embedded is not None:
            moved = np.linalg.norm(embedded - self._embedded, axis=1).mean()
            signs["sample_change"] = float(moved / self.reference.scale)
        self._embedded = embedded
        return {**signs, **self._signs_of_scores(made)}

    def _signs_of_translations(self):
        signs = {"classes_kept": {}, "hidden_share": {}}
        for score in self.translation.of(self.model):
            for name in ("classes_kept", "hidden_share"):
                if score.name.startswith(name):
                    scale = score.floor if name == "classes_kept" else 1.0
                    signs[name][score.name.removeprefix(f"{name}_")] = score.value / max(scale, 1e-6)
        return {**signs, "swaps": self.translation.swaps}

    def _signs_of_scores(self, made):
        if self._scorer is None:
            return {}
        starts = range(0, self.reference.count, _BATCH)
        pieces = [
            self._scorer(*({name: rows[start : start + _BATCH] for name, rows in side.items()} for side in sides))
            for sides in [(self.reference.rows, made)]
            for start in starts
        ]
        real, fake = (np.concatenate(side) for side in zip(*pieces, strict=True))
        both = np.concatenate([real, fake])
        if not np.isfinite(both).all():
            return {"finite": False}
        size = float(np.sqrt(np.square(both).mean()))
        spread = float(both.std()) / size if size > 0 else 0.0
        return {"separation": separation(real, fake), "score_spread": spread}

    def _curves(self, logs):
        """{curve: mean since the last look}, whether or not another callback has started the means anew meanwhile."""
        if spans_machines(self.model.distribute_strategy):
            return {name: float(value) for name, value in logs.items()}
        self._keep_what_ends()
        self._curve_sums = self._sums()
        ended, self._ended = self._ended, {}
        return {
            name: total / count if count else float(logs.get(name, np.nan)) for name, (total, count) in ended.items()
        }

    def _keep_what_ends(self):
        """Adds what has come to each curve since it was last read; its mean may then start anew."""
        for name, (total, count) in self._sums().items():
            old_total, old_count = self._curve_sums.get(name, (0.0, 0.0))
            if count < old_count:
                # Nobody said that it was started anew: a run that goes on begins with means of its own.
                old_total = old_count = 0.0
            ended_total, ended_count = self._ended.get(name, (0.0, 0.0))
            self._ended[name] = (ended_total + total - old_total, ended_count + count - old_count)
        self._curve_sums = {}

    def _sums(self):
        """{curve: (total, count)} of its mean now."""
        return {
            name: tuple(float(tf.convert_to_tensor(part)) for part in (curve.total, curve.count))
            for name, curve in self.model.curves.items()
        }

    def _learning_rates(self):
        optimizers = self.model.optimizers.items()
        return {player: float(tf.convert_to_tensor(plain(optimizer).learning_rate)) for player, optimizer in optimizers}

    def _copy_weights(self):
        return {
            player: [tf.identity(tf.convert_to_tensor(variable)) for variable in self.model.variables_of(player)]
            for player in self.model.players
        }

    def _weight_changes(self, players):
        before, self._weights = self._weights, self._copy_weights()
        changes = {}
        for player, weights in self._weights.items():
            if player not in players or self.model.is_resting(player):
                continue
            moves = [now - then for now, then in zip(weights, before[player], strict=True)]
            size = float(tf.linalg.global_norm(weights))
            changes[player] = float(tf.linalg.global_norm(moves)) / max(size, 1e-30)
        return changes


def _scorer(model, rows):
    """A graph from real and made rows to their scores by the model's first judge, None where nothing can judge these.

    The scores are as used, not as trained: batch normalization goes by its moving averages.
    """
    if not model.judged_fields or not set(model.judged_fields) <= set(rows):
        return None

    def as_floats(side):
        return {name: from_uint8(part) if part.dtype == tf.uint8 else part for name, part in side.items()}

    def scores(real, made):
        return next(iter(model.judged(as_floats(real), as_floats(made)).values()))

    return tf.function(scores, reduce_retracing=True, autograph=False)
