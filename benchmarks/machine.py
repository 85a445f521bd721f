"""What a machine can do, and what a step asks of it: floating-point operations."""

import math
import tempfile
import time
from pathlib import Path

import tensorflow as tf
from tensorflow.python.framework import op_callbacks
from tensorflow.tsl.profiler.protobuf import xplane_pb2

PICOSECONDS = 1e-12


def matrix_product(precision="float32"):
    """(function that multiplies two square matrices once, its floating-point operations)."""
    side = 8192 if tf.config.list_physical_devices("GPU") else 2048
    first, second = (tf.cast(tf.random.normal((side, side)), precision) for _ in range(2))
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(first, second)))
    return lambda: float(product()), 2 * side**3


def operations_of(step):
    """Floating-point operations of the matrix products and convolutions of one call, two for a multiply-add.

    Args:
        step: function that computes eagerly. What is fused or elementwise is not counted, which is a few per cent.
    """
    counted = 0

    def count(op_type, inputs, attrs, outputs, op_name=None, graph=None):
        nonlocal counted
        # Python's way of calling an operation gives text, TensorFlow's fast one bytes.
        counted += 2 * _multiply_adds(tf.compat.as_text(op_type), inputs, attrs, outputs)

    op_callbacks.add_op_callback(count)
    try:
        step()
    finally:
        op_callbacks.remove_op_callback(count)
    return counted


def _multiply_adds(op_type, inputs, attrs, outputs):
    """Of one operation; 0 of those that do not matter."""
    if op_type == "MatMul":
        settings = dict(zip(map(tf.compat.as_text, attrs[::2]), attrs[1::2], strict=True))
        transposed = settings.get("transpose_a", False)
        return math.prod(outputs[0].shape) * inputs[0].shape[0 if transposed else 1]
    if op_type == "Conv2D":
        return math.prod(outputs[0].shape) * math.prod(inputs[1].shape[:3])
    if op_type == "Conv2DBackpropInput":
        return math.prod(inputs[2].shape) * math.prod(inputs[1].shape[:3])
    if op_type == "Conv2DBackpropFilter":
        return math.prod(inputs[2].shape) * math.prod(outputs[0].shape[:3])
    return 0


def seconds_a_call(function, seconds, calls=1):
    """The mean time of a call, over at least so many seconds and so many calls."""
    started, count = time.perf_counter(), 0
    while count < calls or time.perf_counter() - started < seconds:
        function()
        count += 1
    return (time.perf_counter() - started) / count


def arithmetic_share(step, steps=5):
    """The share of a step's time that its convolutions and matrix products take on a CPU, by TensorFlow's profiler.

    What is left is all that could be gained without other kernels or less arithmetic. On several cores operations
    overlap, and the share can exceed 1.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            seconds = seconds_a_call(step, 0.0, steps) * steps
        space = xplane_pb2.XSpace.FromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    busy = 0
    for plane in (plane for plane in space.planes if "CPU" in plane.name):
        # An operation's event is called "its name:its type".
        types = {key: metadata.name.rpartition(":")[2] for key, metadata in plane.event_metadata.items()}
        wanted = {key for key, kind in types.items() if "Conv2D" in kind or "MatMul" in kind}
        busy += sum(e.duration_ps for line in plane.lines for e in line.events if e.metadata_id in wanted)
    return busy * PICOSECONDS / seconds
