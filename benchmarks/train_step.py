"""Images a second of one full training step, both players, against peers on the same architecture.

    python -m benchmarks.train_step --cases dcgan28 dcgan64 wgan_gp32 --rounds 7 --output step.json

Each variant lives in a process of its own, and they take turns (A B C A B C ...), so that neither shares threads or
memory with another and a change in the machine's speed meets all of them. Ratios are of each round's times; medians are
printed. PyTorch is compared where it is installed (pip install torch).
"""

import argparse
import dataclasses
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import keras_gans as kg
from benchmarks import peers
from keras_gans.files import whole


@dataclasses.dataclass(frozen=True)
class Case:
    """One workload: a scheme, an image shape and the sizes of its networks."""

    scheme: str
    image_shape: tuple
    latent_dim: int = 100
    base_filters: int = 64
    batch_size: int = 64
    discriminator_steps: int = 1

    def networks(self):
        """(generator, discriminator), built under the dtype policy in force."""
        normalization = None if self.scheme == "wgan_gp" else "batch"
        return (
            kg.networks.dcgan_generator(self.image_shape, self.latent_dim, self.base_filters),
            kg.networks.dcgan_discriminator(self.image_shape, self.base_filters, normalization),
        )

    def images_per_step(self):
        """Real images that one full step consumes."""
        return self.batch_size * self.discriminator_steps


CASES = {
    "dcgan28": Case("dcgan", (28, 28, 1)),
    "dcgan28_wide": Case("dcgan", (28, 28, 1), base_filters=128),
    "dcgan64": Case("dcgan", (64, 64, 3)),
    "wgan_gp32": Case("wgan_gp", (32, 32, 3), discriminator_steps=5),
}


def keras_step(model, images):
    """A function that takes one step of a compiled Keras model by its own train function."""
    iterator = iter(tf.data.Dataset.from_tensors(images).cache().repeat().prefetch(2))
    model.make_train_function()
    return lambda: {name: float(value) for name, value in model.train_function(iterator).items()}


def ours(case, policy):
    """The project's step: shared generated samples for DCGAN, one critic pass for WGAN-GP, fused normalization."""
    keras.config.set_dtype_policy(policy)
    generator, discriminator = case.networks()
    keras.config.set_dtype_policy("float32")
    options = {"shared_fakes": True} if case.scheme == "dcgan" else {"discriminator_steps": case.discriminator_steps}
    model = kg.registry.schemes[case.scheme](generator, discriminator, **options)
    model.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (case.images_per_step(), *case.image_shape)).astype("float32")
    return keras_step(model, images)


def plain(case):
    """The plain Keras recipe's step."""
    model = (peers.PlainWGANGP if case.scheme == "wgan_gp" else peers.PlainDCGAN)(case)
    model.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (case.batch_size, *case.image_shape)).astype("float32")
    return keras_step(model, images)


VARIANTS = {
    "plain Keras": plain,
    "keras_gans": lambda case: ours(case, "float32"),
    "keras_gans bfloat16": lambda case: ours(case, "mixed_bfloat16"),
    "PyTorch eager": lambda case: peers.torch_step(case, bfloat16=False),
    "PyTorch eager bfloat16": lambda case: peers.torch_step(case, bfloat16=True),
}


def work(case, variant):
    """A worker's life: makes its step, then takes a turn of so many seconds for each line it reads."""
    step = VARIANTS[variant](CASES[case])
    started = time.perf_counter()
    step()
    print(json.dumps(time.perf_counter() - started), flush=True)
    step()
    for line in sys.stdin:
        started, count = time.perf_counter(), 0
        while time.perf_counter() - started < float(line):
            step()
            count += 1
        print(json.dumps((time.perf_counter() - started) / count), flush=True)


class Worker:
    """A variant in a process of its own."""

    def __init__(self, case, variant):
        command = [sys.executable, "-m", "benchmarks.train_step", "--worker", case, variant]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        # Waited for here, so that no worker starts while another is being timed.
        self.first_step = self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.process.args)} ended early; run it by hand to see why.")
        return json.loads(line)

    def turn(self, seconds):
        """Seconds a step, over a turn of so many seconds."""
        print(seconds, file=self.process.stdin, flush=True)
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(case, variants, rounds, seconds):
    """{variant: {"first_step_s", "times": [seconds a step, one a round]}}."""
    workers = {variant: Worker(case, variant) for variant in variants}
    results = {name: {"first_step_s": worker.first_step, "times": []} for name, worker in workers.items()}
    try:
        for _ in range(rounds):
            for name, worker in workers.items():
                results[name]["times"].append(worker.turn(seconds))
    finally:
        for worker in workers.values():
            worker.close()
    return results


def report(name, case, results):
    """Prints a table and returns it as plain data."""
    baseline = results["plain Keras"]["times"]
    rows = {}
    print(f"\n{name}: {case.scheme} {'x'.join(map(str, case.image_shape))}, batch {case.batch_size}", end="")
    print(f", {case.discriminator_steps} critic steps" if case.discriminator_steps > 1 else "")
    print(f"{'':26}{'images/s':>10}{'/ plain Keras':>15}{'min-max':>14}{'first step':>12}")
    for variant, result in results.items():
        ratios = sorted(base / own for base, own in zip(baseline, result["times"], strict=True))
        rows[variant] = {
            "images_per_second": case.images_per_step() / statistics.median(result["times"]),
            "ratio": statistics.median(ratios),
            "ratio_min": ratios[0],
            "ratio_max": ratios[-1],
            "first_step_s": result["first_step_s"],
        }
        row = rows[variant]
        span = f"{row['ratio_min']:.2f}-{row['ratio_max']:.2f}"
        print(
            f"{variant:26}{row['images_per_second']:10.0f}{row['ratio']:15.2f}{span:>14}{row['first_step_s']:10.1f} s"
        )
    return {"case": dataclasses.asdict(case), "variants": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=7, help="turns that every variant takes")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a turn")
    parser.add_argument("--output", help="JSON file for the figures")
    parser.add_argument("--worker", nargs=2, metavar=("CASE", "VARIANT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(*arguments.worker)
        return
    with_torch = importlib.util.find_spec("torch") is not None
    if not with_torch:
        print("PyTorch is not installed: compared with plain Keras only (pip install torch).")
    variants = [name for name in VARIANTS if with_torch or "PyTorch" not in name]
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__, "cores": os.cpu_count()}
    figures = {"versions": versions, "rounds": arguments.rounds, "cases": {}}
    for name in arguments.cases:
        results = measure(name, variants, arguments.rounds, arguments.seconds)
        figures["cases"][name] = report(name, CASES[name], results)
    if arguments.output:
        with whole(arguments.output) as partial:
            partial.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
