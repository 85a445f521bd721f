"""How much memory training takes."""

import resource
import sys

import tensorflow as tf

_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes that ru_maxrss counts in


def peak_gigabytes() -> float:
    """The most memory taken so far, in units of 1e9 bytes: of the fullest GPU; of this process where there is none."""
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        names = [f"GPU:{index}" for index in range(len(gpus))]
        return max(tf.config.experimental.get_memory_info(name)["peak"] for name in names) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / 1e9
