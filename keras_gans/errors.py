"""The errors that a user's own input can cause, and the wording they share."""

import difflib
import re
from typing import Any


class UserError(ValueError):
    """Something the user passed cannot be used.

    The message names the value received, what was expected and the nearest valid choice. The command line
    prints it without a traceback.
    """


class NoSplitError(UserError):
    """A data set has no such split; whatever else is wrong with one that is there is another `UserError`."""


class NoLabelsError(UserError):
    """A data set, or a split of it, has no labels."""


class NonFiniteError(ArithmeticError):
    """A loss or a weight is NaN or infinite, so going on or saving would lose the run."""


class NoReadableCheckpointError(UserError):
    """A run has checkpoints and none of them can be read."""


class DamageWarning(UserWarning):
    """A file is damaged and was passed over, or mended by leaving out what cannot be read."""


class LostWorkerError(RuntimeError):
    """Another worker of the cluster has stopped, so that this one cannot go on."""


class LostServiceError(RuntimeError):
    """The tf.data service that makes the batches is gone, so that no further one comes."""


def shown(value: Any) -> str:
    """A value as messages have it, of which a long one is cut."""
    try:
        text = repr(value)
    except ValueError:
        # Python writes no int of thousands of digits.
        return f"a number of about {value.bit_length()} bits"
    return text if len(text) <= 200 else f"{text[:200]}..."


# Names that an error lists at the most.
_MOST_NAMED = 24


def nearest(value: Any, known: Any, count: int = 3) -> list[str]:
    """Names in `known` that resemble `value`, the most alike first.

    Args:
        value: what the user wrote.
        known: iterable of valid names.
        count: at most so many names.

    Returns:
        A list of names, empty where nothing resembles `value`.
    """
    by_lower_case = {str(name).lower(): name for name in known}
    close = difflib.get_close_matches(_word(value), list(by_lower_case), n=count, cutoff=0.5)
    return [by_lower_case[name] for name in close]


def _word(value):
    return (value if isinstance(value, str) else shown(value)).lower()


def reason_of(error: BaseException) -> str:
    """What an error says, in one line for people."""
    # TensorFlow begins with {{the operation}}.
    lines = re.sub(r"\{\{.*?\}\} *", "", str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def unknown_name(kind: str, value: Any, known: Any) -> "UserError":
    """The one wording for a name that nothing is registered under.

    Args:
        kind: what the name should have named, such as "scheme" or "data set".
        value: what the user wrote.
        known: iterable of valid names.

    Returns:
        A `UserError` to raise.
    """
    known = sorted(known)
    close = nearest(value, known)
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    # Of more than people read at once, those that are most like what they wrote.
    likest = sorted(known, key=lambda name: -difflib.SequenceMatcher(None, _word(value), str(name)).ratio())
    named, more = sorted(likest[:_MOST_NAMED]), len(known) - _MOST_NAMED
    ending = f" and {more} more" if more > 0 else ""
    return UserError(f"Unknown {kind} {shown(value)}.{hint} Known: {', '.join(named)}{ending}.")
