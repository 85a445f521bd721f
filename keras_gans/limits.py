"""How much one call of a model may ask for, and what a row of it may hold."""

from typing import Any

import numpy as np

from keras_gans.errors import UserError

# Memory grows with them, and a client could ask for any number.
BATCH_LIMIT = 256
# Bytes of one text: what reads texts takes time and memory by their length, and all rows wait for the longest.
TEXT_LIMIT = 4096
# Images are floats in [-1, 1]; rounding, or a decoder without a last tanh, may go a little beyond.
IMAGE_LIMIT = 1.01
# Rows are counted in int32.
_MOST = 2**31 - 1


def check_batch_limit(limit: Any) -> int:
    """A limit of rows.

    Raises:
        UserError: it is no whole number from 1 to 2**31 - 1.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= _MOST:
        raise UserError(
            f"The batch limit is how many rows one call may have, a whole number from 1 to {_MOST}; {BATCH_LIMIT} "
            f"unless given. Received: {limit!r}."
        )
    return limit


def check_drawn(count: Any, seed: Any) -> None:
    """Checks how many samples are to be drawn, and the seed of the first; the next has the next seed.

    Raises:
        UserError: they are no whole numbers, `count` is not positive, or a seed is none of 64 bits.
    """
    for name, value in (("count", count), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise UserError(f"{name} is a whole number. Received: {value!r}.")
    # NumPy's numbers have an end of their own.
    count, seed = int(count), int(seed)
    if count < 1:
        raise UserError(f"One sample or more is drawn. Received: count={count!r}.")
    if not -(2**63) <= seed <= 2**63 - count:
        raise UserError(
            f"Seeds are whole numbers of 64 bits, from -2**63 to 2**63 - 1, and so is the last of {count} from "
            f"{seed} on. Received: {seed!r}."
        )
