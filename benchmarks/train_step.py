"""Images a second of one full training step, both players, against peers on the same architecture.

    python -m benchmarks.train_step --cases dcgan28 dcgan64 wgan_gp32 --rounds 7 --output step.json

The variants take turns (A B C A B C ...) in one process, so that a change in the machine's speed meets all of them;
ratios are of each round's times, and medians are printed. PyTorch is compared where it is installed.
"""

import argparse
import dataclasses
import importlib.util
import json
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import keras_gans as kg
from benchmarks import peers


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


def variants(case, with_torch):
    """{name: function that makes the step}."""
    made = {
        "plain Keras": lambda: plain(case),
        "keras_gans": lambda: ours(case, "float32"),
        "keras_gans bfloat16": lambda: ours(case, "mixed_bfloat16"),
    }
    if with_torch:
        made["PyTorch eager"] = lambda: peers.torch_step(case, bfloat16=False)
        made["PyTorch eager bfloat16"] = lambda: peers.torch_step(case, bfloat16=True)
    return made


def measure(case, with_torch, rounds, seconds):
    """{variant: {"first_step_s", "times": [seconds a step, one a round]}}."""
    steps, results = {}, {}
    for name, make in variants(case, with_torch).items():
        steps[name] = make()
        started = time.perf_counter()
        steps[name]()
        results[name] = {"first_step_s": time.perf_counter() - started, "times": []}
        steps[name]()
    for _ in range(rounds):
        for name, step in steps.items():
            started, count = time.perf_counter(), 0
            while time.perf_counter() - started < seconds:
                step()
                count += 1
            results[name]["times"].append((time.perf_counter() - started) / count)
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
    arguments = parser.parse_args()
    with_torch = importlib.util.find_spec("torch") is not None
    if not with_torch:
        print("PyTorch is not installed: compared with plain Keras only (pip install torch).")
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__, "cores": os.cpu_count()}
    figures = {"versions": versions, "rounds": arguments.rounds, "cases": {}}
    for name in arguments.cases:
        results = measure(CASES[name], with_torch, arguments.rounds, arguments.seconds)
        figures["cases"][name] = report(name, CASES[name], results)
        keras.backend.clear_session()
    if arguments.output:
        with open(arguments.output + ".partial", "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=2)
        os.replace(arguments.output + ".partial", arguments.output)


if __name__ == "__main__":
    main()
