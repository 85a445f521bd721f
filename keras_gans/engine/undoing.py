"""Taking back what a training step has done so far, where one of its losses turns out not to be finite."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf

# Each replica of a strategy is traced in a thread of its own.
_open = threading.local()


@contextlib.contextmanager
def step() -> Iterator[None]:
    """Opens a step, in which `keep` notes what is about to change and `undo_unless` puts it back."""
    outer = getattr(_open, "step", None)
    current = _open.step = _Step()
    try:
        yield
    finally:
        _open.step = outer
    with tf.control_dependencies(current.found_finite):
        for call in current.at_end:
            call()


def keep(variables: Iterable[Any]) -> None:
    """Notes the values that variables have now, but for those that have been noted in this step before.

    A value costs nothing until its variable changes; then TensorFlow writes the new one elsewhere. Outside of a step,
    and in a loop of the graph, whose values are gone when it ends, nothing is noted.

    Args:
        variables: keras.Variable each.
    """
    current = getattr(_open, "step", None)
    if current is not None and current.is_here():
        current.keep(variables)


def wait_for(checks: list[tf.Tensor]) -> None:
    """Has what is called at the step's end wait for tensors; those of a loop inside the step it waits for anyway."""
    current = getattr(_open, "step", None)
    if current is not None and current.is_here():
        current.found_finite.extend(checks)


def found_finite() -> list[tf.Tensor]:
    """What tells that all losses of this step so far were finite: what comes next waits for it, lest it come after the
    step has been taken back.
    """
    current = getattr(_open, "step", None)
    return list(current.found_finite) if current is not None and current.is_here() else []


def at_the_end(call: Callable[[], object]) -> None:
    """Calls a function where the step ends, and so only if it is completed; at once outside of one and in a loop."""
    current = getattr(_open, "step", None)
    if current is not None and current.is_here():
        current.at_end.append(call)
    else:
        call()


def undo_unless(finite: tf.Tensor) -> list[tf.Operation | tf.Tensor]:
    """Puts back what was kept in this step, unless `finite`, a boolean scalar tensor, is true.

    Returns:
        What to wait for before anything else, a list; empty where nothing has been kept.
    """
    current = getattr(_open, "step", None)
    return current.undo_unless(finite) if current is not None else []


def _graph():
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


class _Step:
    def __init__(self):
        self._graph = _graph()
        self._kept = {}
        self.at_end = []
        self.found_finite = []

    def is_here(self):
        """Whether this is not a loop inside the step."""
        return self._graph is _graph()

    def keep(self, variables):
        for variable in variables:
            if id(variable) not in self._kept:
                # By handles, as a strategy's variables can be assigned to only outside of its replicas.
                inner = variable.value
                value = tf.raw_ops.ReadVariableOp(resource=inner.handle, dtype=inner.dtype)
                self._kept[id(variable)] = inner.handle, value

    def undo_unless(self, finite):
        if not self._kept:
            return []

        def undo():
            for handle, value in self._kept.values():
                tf.raw_ops.AssignVariableOp(resource=handle, value=value)
            return tf.constant(True)

        def leave():
            return tf.constant(False)

        return [tf.cond(finite, leave, undo)]
