"""What a machine can do, and what a step asks of it: floating-point operations."""

import math
import tempfile
import time
from pathlib import Path

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from keras_gans import private_apis

PICOSECONDS = 1e-12


def bfloat16_kind():
    """How the processor multiplies in bfloat16: "AMX", "avx512_bf16" or "none", by what Linux says of it.

    AMX multiplies whole tiles of a matrix at once, some eight times as many numbers as an instruction of avx512_bf16.
    """
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return "unknown"
    return "AMX" if "amx_bf16" in flags else "avx512_bf16" if "avx512_bf16" in flags else "none"


def matrix_product(precision="float32"):
    """(function that multiplies two square matrices once, its floating-point operations)."""
    side = 8192 if tf.config.list_physical_devices("GPU") else 2048
    first, second = (tf.cast(tf.random.normal((side, side)), precision) for _ in range(2))
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(first, second)))
    return lambda: float(product()), 2 * side**3


def operations_of(step):
    """Floating-point operations of the matrix products and convolutions of one step, two for a multiply-add.

    Counted are those of which something depends: an update of a variable, or what the step returns. A step that runs
    eagerly also differentiates towards what nobody asked for, such as the real images; the graph of a `tf.function`
    leaves that out, and what runs in it, loops turn by turn, is what is counted here (`products_run` says how many).

    Args:
        step: function that computes eagerly and returns tensors. What is fused or elementwise is not counted, which is
            a few per cent.
    """
    return 2 * sum(_needed_products(step))


def _needed_products(step):
    """Multiply-adds of each product that a step needs."""
    ran = []

    def note(op_type, input_numbers, inputs, attributes, output_numbers, outputs):
        ran.append((_multiply_adds(op_type, inputs, attributes, outputs), input_numbers, output_numbers))

    with private_apis.watched_operations(note):
        returned = step()
        in_the_step = len(ran)
        tf.nest.map_structure(tf.identity, returned)
    needed, products = {number for _, _, outputs in ran[in_the_step:] for number in outputs}, []
    for multiply_adds, inputs, outputs in reversed(ran):
        # What writes a variable gives nothing back.
        if not outputs or needed.intersection(outputs):
            needed.update(inputs)
            if multiply_adds:
                products.append(multiply_adds)
    return products


def _multiply_adds(op_type, inputs, attributes, outputs):
    """Of one operation; 0 of those that do not matter."""
    if op_type == "MatMul":
        return math.prod(outputs[0].shape) * inputs[0].shape[0 if attributes.get("transpose_a", False) else 1]
    if op_type == "Conv2D":
        return math.prod(outputs[0].shape) * math.prod(inputs[1].shape[:3])
    if op_type == "Conv2DBackpropInput":
        return math.prod(inputs[2].shape) * math.prod(inputs[1].shape[:3])
    if op_type == "Conv2DBackpropFilter":
        return math.prod(inputs[2].shape) * math.prod(outputs[0].shape[:3])
    return 0


# What a second is: of the wall's clock, or of this process on a processor.
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def seconds_a_call(function, seconds, calls=1, clock="wall"):
    """The mean time of a call by one of `CLOCKS`, over at least so many seconds and so many calls."""
    now = CLOCKS[clock]
    started, count = now(), 0
    while count < calls or now() - started < seconds:
        function()
        count += 1
    return (now() - started) / count


def arithmetic_share(step, steps=5):
    """The share of a step's time that its convolutions and matrix products take on a CPU, by TensorFlow's profiler.

    What is left is all that could be gained without other kernels or less arithmetic. On several cores operations
    overlap, and the share can exceed 1.
    """
    seconds, durations = _profiled(step, steps)
    return sum(durations) / seconds


def products_run(step):
    """How many convolutions and matrix products one step runs on a CPU, by TensorFlow's profiler."""
    return len(_profiled(step, 1)[1])


def _profiled(step, steps):
    """(seconds that so many steps take, seconds of each convolution and matrix product in them)."""
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            seconds = seconds_a_call(step, 0.0, steps) * steps
        space = xplane_pb2.XSpace.FromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    durations = []
    for plane in (plane for plane in space.planes if "CPU" in plane.name):
        # An operation's event is called "its name:its type".
        types = {key: metadata.name.rpartition(":")[2] for key, metadata in plane.event_metadata.items()}
        wanted = {key for key, kind in types.items() if "Conv2D" in kind or "MatMul" in kind}
        events = [event for line in plane.lines for event in line.events]
        durations += [event.duration_ps * PICOSECONDS for event in events if event.metadata_id in wanted]
    return seconds, durations
