"""Checks of the numbers and switches that a user passes, with one wording for what is none."""

import math
from typing import Any

import numpy as np

from keras_gans.errors import UserError, shown

# Sizes and counts are held as int32 by TensorFlow.
MOST = 2**31 - 1


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, of Python or NumPy, and no truth value."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a number, of Python or NumPy, that is finite and no truth value."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and _finite(value)


def _finite(value):
    try:
        return math.isfinite(value)
    except OverflowError:
        # An int of hundreds of digits.
        return False


def check_whole(name: str, value: Any, least: int = 1, why: str = "") -> int:
    """A size or a count.

    Args:
        name: what it is called where the user passed it.
        value: what the user passed.
        least: the smallest that there is; the largest is `MOST`.
        why: further words on what it is, such as ", the size of a latent".

    Returns:
        It as an int.

    Raises:
        UserError: it is no whole number from `least` to `MOST`.
    """
    if is_whole(value) and least <= value <= MOST:
        return int(value)
    near = f"; the nearest is {min(MOST, max(least, round(value)))}" if is_number(value) else ""
    end = f" to {MOST}" if is_whole(value) and value > MOST else ""
    raise UserError(f"{name} is a whole number from {least}{end}{why}. Received: {shown(value)}{near}.")


def check_number(
    name: str,
    value: Any,
    least: float = 0.0,
    most: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
    example: str,
) -> float:
    """A weight, a share or another number.

    Args:
        name: what it is called where the user passed it.
        value: what the user passed.
        least, most: between which it lies.
        above: whether `least` itself is too small.
        below: whether `most` itself is too large.
        example: a value that fits, for people, such as "0.999".

    Returns:
        `value`.

    Raises:
        UserError: it is no finite number of that range.
    """
    fits = is_number(value) and (value > least if above else value >= least)
    if fits and (value < most if below else value <= most):
        return value
    lower = f"above {least:g}" if above else f"from {least:g}"
    upper = "" if most == math.inf else f" to below {most:g}" if below else f" to {most:g}"
    raise UserError(f"{name} is a number {lower}{upper}, such as {example}. Received: {shown(value)}.")


def check_switch(name: str, value: Any) -> bool:
    """A switch; raises `UserError` unless it is True or False."""
    if not isinstance(value, bool):
        raise UserError(f"{name} is True or False. Received: {shown(value)}.")
    return value
