"""Devices: from the command line's words, and a cluster's TF_CONFIG, to a tf.distribute strategy."""

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from keras_gans.errors import UserError, shown
from keras_gans.quiet import import_quietly

if TYPE_CHECKING:
    import tensorflow as tf


_FORM = re.compile(r"auto|cpu(:\d+)?|gpu(:\d+(,\d+)*)?")
# Each logical CPU has threads of its own: of tens of thousands TensorFlow makes the machine's last.
_MOST_CPUS = 64


def check_devices(text: str) -> None:
    """Refuses a `--devices` text that means nothing, without importing TensorFlow.

    Raises:
        UserError: it is not "auto", "cpu", "cpu:N" of no more than 64, "gpu" or "gpu:0,1".
    """
    if not _FORM.fullmatch(text) or text.startswith("cpu:") and not text[4:].strip("0"):
        raise UserError(
            f"--devices takes auto (every GPU, else the CPU), cpu, cpu:2 (two logical CPUs, to try a strategy), gpu "
            f"(every GPU) or gpu:0,1 (some). Received: {text!r}."
        )
    kind, _, count = text.partition(":")
    if kind == "cpu" and (len(count) > 9 or int(count or 1) > _MOST_CPUS):
        raise UserError(f"--devices cpu:N takes at most {_MOST_CPUS} logical CPUs. Received: {shown(text)}.")


@dataclasses.dataclass(frozen=True)
class Worker:
    """This process's place in a cluster.

    Attributes:
        index: of this worker, from 0.
        count: number of workers; 1 where there is no cluster.
    """

    index: int = 0
    count: int = 1

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes what the job leaves behind: the first does."""
        return self.index == 0


def this_worker() -> "Worker":
    """The `Worker` that `TF_CONFIG` says this process is, the only one without it.

    TF_CONFIG is what Kubeflow and Vertex AI set for each process, such as
    {"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}. A "chief" in the
    cluster counts as the first worker.

    Raises:
        UserError: it is not JSON, or names no task of its cluster.
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    if not text:
        return Worker()
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster", {}), config.get("task", {})
        chiefs, workers = (len(cluster.get(kind, [])) for kind in ("chief", "worker"))
        kind, index = task.get("type", "worker"), int(task.get("index", 0))
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"TF_CONFIG is not the JSON of a cluster: {error}. Received: {text[:200]}.") from None
    if not cluster:
        return Worker()
    places = {"chief": chiefs, "worker": workers}
    if not 0 <= index < places.get(kind, 0):
        known = ", ".join(f"{name} 0 to {count - 1}" for name, count in places.items() if count) or "of no worker"
        raise UserError(f"TF_CONFIG: this cluster has the tasks {known}. Received: {kind} {index}.")
    return Worker(index + (chiefs if kind == "worker" else 0), chiefs + workers)


def make_strategy(text: str = "auto") -> "tuple[tf.distribute.Strategy, list[str]]":
    """The strategy for a `--devices` text; a mirrored one for several devices, the default one for one.

    In a cluster (see `this_worker`) it is a mirrored one over the devices of all workers, and waits until all of them
    have come.

    Returns:
        (tf.distribute.Strategy, list of device names).

    Raises:
        UserError: a GPU that this machine does not have; or some of the devices of a cluster's worker.
    """
    check_devices(text)
    worker = this_worker()
    import tensorflow as tf

    if worker.count > 1:
        return _cluster_strategy(tf, text, worker)

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


def check_batch(batch_size: int, replicas: int) -> None:
    """Refuses a batch that does not divide among the replicas.

    Raises:
        UserError: it names the nearest batch that does.
    """
    if batch_size % replicas:
        nearest = max(replicas, round(batch_size / replicas) * replicas)
        raise UserError(
            f"A batch of {batch_size} does not divide among {replicas} devices. The nearest that does is "
            f"--batch-size {nearest}."
        )


def _cluster_strategy(tf, text, worker):
    kind, _, which = text.partition(":")
    if which:
        raise UserError(
            f"In a cluster each worker uses all of its GPUs, or its CPU: --devices takes auto, cpu or gpu there; "
            f"CUDA_VISIBLE_DEVICES hides a GPU. Received: {text!r}."
        )
    if kind == "gpu" and not tf.config.list_physical_devices("GPU"):
        raise UserError(f"--devices gpu: TensorFlow sees no GPU on worker {worker.index}.")
    if kind == "cpu":
        tf.config.set_visible_devices([], "GPU")
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    each = strategy.num_replicas_in_sync // worker.count
    return strategy, [f"worker {index}: {each} replica{'s' * (each > 1)}" for index in range(worker.count)]


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


def has_fast_bfloat16() -> bool | None:
    """Whether this machine's CPU multiplies bfloat16 in hardware; None where that cannot be told."""
    flags = Path("/proc/cpuinfo")
    if not flags.exists():
        return None
    return bool({"amx_bf16", "avx512_bf16"} & set(flags.read_text(encoding="utf-8").split()))


def fast_precision() -> str:
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


def suited_precision() -> str:
    """The precision that suits the devices: "bfloat16" where hardware multiplies it, else "float32"."""
    tf = import_quietly("tensorflow")
    if not tf.config.get_visible_devices("GPU"):
        return "bfloat16" if has_fast_bfloat16() else "float32"
    return "bfloat16" if fast_precision() == "bfloat16" else "float32"
