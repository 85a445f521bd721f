"""Devices: from the command line's words to a tf.distribute strategy."""

import re
from pathlib import Path

from keras_gans.errors import UserError

_FORM = re.compile(r"auto|cpu(:\d+)?|gpu(:\d+(,\d+)*)?")


def check_devices(text):
    """Refuses a `--devices` text that means nothing, without importing TensorFlow.

    Raises:
        UserError: it is not "auto", "cpu", "cpu:N", "gpu" or "gpu:0,1".
    """
    if not _FORM.fullmatch(text) or text == "cpu:0":
        raise UserError(
            f"--devices takes auto (every GPU, else the CPU), cpu, cpu:2 (two logical CPUs, to try a strategy), gpu "
            f"(every GPU) or gpu:0,1 (some). Received: {text!r}."
        )


def make_strategy(text="auto"):
    """The strategy for a `--devices` text; a mirrored one for several devices, the default one for one.

    Returns:
        (tf.distribute.Strategy, list of device names).

    Raises:
        UserError: a GPU that this machine does not have.
    """
    check_devices(text)
    import tensorflow as tf

    kind, _, which = text.partition(":")
    gpus = tf.config.list_physical_devices("GPU")
    if kind == "gpu" and not gpus:
        raise UserError(
            f"--devices {text}: TensorFlow sees no GPU here. Install the cuda extra (pip install 'keras_gans[cuda]') "
            "and a driver, or leave --devices out."
        )
    if kind == "cpu" or not gpus:
        return _cpu_strategy(tf, int(which or 1))
    indices = [int(index) for index in which.split(",")] if which else range(len(gpus))
    missing = [index for index in indices if index >= len(gpus)]
    if missing:
        raise UserError(f"--devices {text}: there is no GPU {missing[0]}; this machine has 0 to {len(gpus) - 1}.")
    names = [f"GPU:{index}" for index in indices]
    if len(names) == 1:
        return tf.distribute.OneDeviceStrategy(names[0]), names
    return tf.distribute.MirroredStrategy(names), names


def _cpu_strategy(tf, count):
    tf.config.set_visible_devices([], "GPU")
    if count == 1:
        return tf.distribute.get_strategy(), ["CPU:0"]
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:
        raise UserError(f"--devices cpu:{count} must be chosen before TensorFlow has used its devices.") from error
    names = [f"CPU:{index}" for index in range(count)]
    # The default collective operations fail over logical CPUs; copying through one device works.
    copy = tf.distribute.HierarchicalCopyAllReduce()
    return tf.distribute.MirroredStrategy(names, cross_device_ops=copy), names


def has_fast_bfloat16():
    """Whether this machine's CPU multiplies bfloat16 in hardware; None where that cannot be told."""
    flags = Path("/proc/cpuinfo")
    if not flags.exists():
        return None
    return bool({"amx_bf16", "avx512_bf16"} & set(flags.read_text(encoding="utf-8").split()))


def fast_precision():
    """The half precision that suits the devices: "bfloat16" where hardware has it, else "float16" on older GPUs.

    Raises:
        UserError: a CPU without bfloat16 units, on which half precision is slower than float32.
    """
    import tensorflow as tf

    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
        return "bfloat16" if capability >= (8, 0) else "float16"
    if has_fast_bfloat16() is False:
        raise UserError(
            "--mixed-precision: this CPU has no bfloat16 units (amx_bf16 or avx512_bf16), so it would be slower. "
            "Leave the option out, or force it with --set precision=bfloat16."
        )
    return "bfloat16"
