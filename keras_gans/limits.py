"""How much one call of an exported model may ask for, and what a row of it may hold."""

from typing import Any

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
