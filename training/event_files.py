"""TensorBoard's files of a run that goes on: without what it is about to write again."""

import os
from pathlib import Path

import tensorflow as tf

from keras_gans.files import atomically


def drop_after(board: str | Path, step: int) -> None:
    """Drops from the event files in a folder what is of later steps than `step`, which a resumed run takes again.

    A record that a killed process was writing is dropped too. Files without such are left as they are.

    Args:
        board: folder of the event files.
        step: of the checkpoint that the run goes on from.
    """
    for path in sorted(Path(board).glob("events.out.tfevents.*")):
        kept, dropped = [], False
        try:
            for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                if tf.compat.v1.Event.FromString(record).step > step:
                    dropped = True
                    break
                kept.append(len(record))
        except (tf.errors.DataLossError, tf.errors.OutOfRangeError):
            dropped = True
        if dropped:
            _rewrite(path, step)


def _rewrite(path, step):
    with atomically(path) as partial:
        with tf.io.TFRecordWriter(str(partial)) as writer:
            try:
                for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                    if tf.compat.v1.Event.FromString(record).step <= step:
                        writer.write(record)
            except tf.errors.DataLossError:
                # What follows a torn record cannot be read.
                pass
    if os.path.getsize(path) == 0:
        path.unlink()
