"""tf.data without its autotuning, which can hold up the end of an iteration for a minute."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf


def without_autotuning(dataset: "tf.data.Dataset") -> "tf.data.Dataset":
    """The dataset, whose parallelism is not tuned while it is read.

    The thread that tunes sleeps for as long as it has run, up to a minute. To delete an iterator wakes it, but in
    TensorFlow 2.21 before it is told to stop, so that it may go back to sleep: of 150 iterators that were deleted on
    two idle cores 47 waited for it, and `fit` ends with such a deletion. `tf.data.AUTOTUNE` then stands for a thread
    for each core, up to 16. What TensorFlow puts between the data and each of several replicas is tuned nevertheless.

    Args:
        dataset: one whose options ask for autotuning by `autotune.enabled = True` is returned as it is.
    """
    import tensorflow as tf

    if dataset.options().autotune.enabled:
        return dataset
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
