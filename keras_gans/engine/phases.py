"""Training in phases: first one part of the networks, then another, each as cheap as if there were no other."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gans.errors import UserError


@dataclasses.dataclass(frozen=True)
class Phase:
    """One stretch of the training.

    Attributes:
        name: for people, such as "stage 1".
        steps: training steps that it takes; None for the last phase, which has no end. One of 0 steps is left out.
        players: those that move in it; the others rest.
    """

    name: str
    steps: int | None
    players: tuple[str, ...]


class Phased:
    """How an `AdversarialModel` goes from one of its `phases` to the next.

    The phase is a function of the steps taken, and a Python value wherever `play` reads it: `fit` makes the training
    function anew where a phase begins, so that a graph holds the arithmetic of its own phase and no other. It follows
    that resuming needs nothing but the step, which is saved with the weights.
    """

    _phase_of_function: Phase | None = None

    def phases(self) -> tuple[Phase, ...]:
        """All phases in their order, the last one without an end; here a single one in which all players move."""
        return (Phase("training", None, tuple(self.players)),)

    @property
    def steps_taken(self) -> int:
        """`step` as an integer, under a strategy and while a graph is traced too."""
        with tf.init_scope():
            return int(tf.convert_to_tensor(self.step.value))

    @property
    def phase(self) -> Phase:
        """The phase of the step that comes next."""
        return self.phase_at(self.steps_taken)

    def phase_at(self, step: int) -> Phase:
        """The phase of the step that comes after so many."""
        return next(phase for phase, start in reversed(self.phase_starts()) if start <= step)

    def phase_starts(self) -> list[tuple[Phase, int]]:
        """Each phase that takes any steps, with the number of steps taken before it, in order.

        Raises:
            UserError: phases of which not exactly the last one is without an end, or with players that there are not.
        """
        phases, start, found = self.phases(), 0, []
        for phase in phases:
            is_last = phase is phases[-1]
            is_count = isinstance(phase.steps, int) and not isinstance(phase.steps, bool) and phase.steps >= 0
            if (phase.steps is not None) if is_last else not is_count:
                wanted = "None, as the last phase has no end" if is_last else "a whole number from 0"
                raise UserError(f"The steps of phase {phase.name!r} are {wanted}. Received: {phase.steps!r}.")
            if not set(phase.players) <= set(self.players):
                raise UserError(
                    f"In phase {phase.name!r} move some of {', '.join(self.players)}. Received: {phase.players!r}."
                )
            if phase.steps != 0:
                found.append((phase, start))
            start += phase.steps or 0
        return found

    def phase_title(self, step: int) -> str:
        """The phase of the step after so many, for people, as "stage 1 (2 of 3)"; "" where there is but one."""
        phases = [phase for phase, _ in self.phase_starts()]
        phase = self.phase_at(step)
        return f"{phase.name} ({phases.index(phase) + 1} of {len(phases)})" if len(phases) > 1 else ""

    def steps_of(self, player: str, steps: int) -> int:
        """In how many of the first `steps` training steps a player moves."""
        starts = self.phase_starts()
        ends = [start for _, start in starts[1:]] + [max(steps, starts[-1][1])]
        spans = zip(starts, ends, strict=True)
        return sum(max(0, min(end, steps) - start) for (phase, start), end in spans if player in phase.players)

    def is_resting(self, player: str) -> bool:
        """Whether a player is meant to stand still now, such as one whose phase is over or has not begun."""
        return player not in self.phase.players

    # In fit -----------------------------------------------------------------------------------------------------

    def make_train_function(self, force: bool = False) -> Callable[..., Any]:
        """As `keras.Model.make_train_function`, and anew where it was made for another phase."""
        phase = self.phase
        result = super().make_train_function(force=force or phase != self._phase_of_function)
        self._phase_of_function = phase
        return result

    def check_executions(self, step: int) -> None:
        """Raises a `UserError` where several steps an execution, begun after `step` steps, would run past a phase."""
        at_once = self.steps_per_execution
        for phase, start in self.phase_starts():
            if start > step and (start - step) % at_once:
                raise UserError(
                    f"Phase {phase.name!r} begins after {start} steps, in the middle of an execution of {at_once} "
                    f"steps that goes on from step {step}. Take a steps_per_execution that divides {start - step}. "
                    f"Received: steps_per_execution={at_once}."
                )

    def with_phase_changes(self, callbacks: Any) -> Any:
        """The callbacks of `fit` with the one that changes phases, where there are several."""
        if len(self.phase_starts()) == 1:
            return callbacks
        self.check_executions(self.steps_taken)
        # A `CallbackList` is a callback itself.
        given = callbacks if isinstance(callbacks, Sequence) else [callbacks]
        return [PhaseChange(), *(callback for callback in given if callback is not None)]


class PhaseChange(keras.callbacks.Callback):
    """Makes the training function anew where a phase begins; `fit` adds it itself."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        # The last execution of an epoch may be shorter than the others, if the data end.
        self._step, self._batch = self.model.steps_taken, -1

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.model.check_executions(self._step)
        if self.model.phase_at(self._step) != self.model._phase_of_function:
            self.model.make_train_function()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        # With several steps an execution, the index jumps by as many.
        self._step, self._batch = self._step + batch - self._batch, batch
