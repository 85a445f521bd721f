"""How much memory is taken, and whether there is as much as is asked for."""

import os
import resource
import sys

import tensorflow as tf

from keras_gans.errors import UserError

_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes that ru_maxrss counts in


def peak_gigabytes() -> float:
    """The most memory taken so far, in units of 1e9 bytes: of the fullest GPU; of this process where there is none."""
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        names = [f"GPU:{index}" for index in range(len(gpus))]
        return max(tf.config.experimental.get_memory_info(name)["peak"] for name in names) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / 1e9


def check_fits(size: int, what: str, instead: str) -> None:
    """Checks, before it is made, what would fill all of the machine's memory.

    Args:
        size: in bytes.
        what: it is.
        instead: a sentence on what to do.

    Raises:
        UserError: it is larger than the machine's memory.
    """
    held = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > held:
        raise UserError(f"{what} take {size / 1e9:,.1f} GB, and this machine has {held / 1e9:,.1f} GB. {instead}")
