"""What `benchmarks/gpu.sh` runs: DCGAN and WGAN-GP on a GPU, in speed and in what they draw after a fixed time."""

import argparse
import importlib.util
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import keras_gans as kg
from benchmarks import pytorch
from benchmarks.cases import COLOUR_32, Case
from benchmarks.train_step import OURS, PEAKS, Turns, Worker, figures_of, measure, print_header, show
from keras_gans.errors import UserError
from keras_gans.files import atomically
from keras_gans.metrics import evaluate

# variant -> what it takes to make it: (precision, XLA) of the project's models, (bfloat16, compiled) of PyTorch's.
PROJECTS = {
    OURS: ("float32", False),
    "keras_gans XLA": ("float32", True),
    "keras_gans bfloat16": ("bfloat16", False),
    "keras_gans bfloat16 XLA": ("bfloat16", True),
}
PYTORCHS = {
    "PyTorch eager": (False, False),
    "PyTorch compiled": (False, True),
    "PyTorch eager bfloat16": (True, False),
    "PyTorch compiled bfloat16": (True, True),
}


class UntilTime(keras.callbacks.Callback):
    """Ends training after so many seconds, the first step's compilation not counted."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds, self.steps, self.started = seconds, 0, None

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        self.started = self.started or time.perf_counter()
        self.model.stop_training = time.perf_counter() - self.started >= self.seconds


def arguments_of():
    parser = argparse.ArgumentParser(prog="benchmarks/gpu.sh", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="everything once on the CPU, with tiny networks")
    parser.add_argument("--rounds", type=int, default=5, help="turns that every variant takes")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a turn")
    parser.add_argument("--train-seconds", type=float, default=120.0, help="how long each variant trains")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--peak-float32", type=float, metavar="TERAFLOPS", help="instead of a measured product")
    parser.add_argument("--peak-bfloat16", type=float, metavar="TERAFLOPS", help="instead of a measured product")
    parser.add_argument("--output", default="gpu.json", help="JSON file for the figures")
    return parser.parse_args()


def cases_of(smoke, batch_size):
    if not smoke:
        return {name: Case(name, COLOUR_32, batch_size) for name in ("dcgan", "wgan_gp")}
    tiny = {"generator.base_filters": 4, "discriminator.base_filters": 4}
    fewer = {"wgan_gp": {"scheme.discriminator_steps": 2}}
    return {name: Case(name, (8, 8, 1), 16, {**tiny, **fewer.get(name, {})}) for name in ("dcgan", "wgan_gp")}


def open_images(smoke):
    """(Source, note): CIFAR-10, or what stands for it."""
    if smoke:
        return kg.data.open_source("digits"), "smoke: the embedded digits"
    try:
        return kg.data.open_source("cifar10", progress=True), "CIFAR-10"
    except UserError as error:
        random = np.random.default_rng(0).integers(0, 256, (10_000, *COLOUR_32), dtype=np.uint8)
        note = f"RANDOM IMAGES, because CIFAR-10 cannot be opened ({error}); the Fréchet distance is left out"
        return kg.data.open_source(random), note


def trained(case, variant, source, seconds, device):
    """(model that samples, steps taken) after so many seconds of training."""
    batches = kg.data.to_dataset(source, batch_size=case.batch_size, repeat=True)
    if variant in PYTORCHS:
        bfloat16, compiled = PYTORCHS[variant]
        step = pytorch.Step(case, bfloat16, device, compiled)
        step.take()  # compiles
        return step, step.train(batches, seconds)
    precision, jit_compile = PROJECTS[variant]
    model = case.model(precision)
    model.compile(optimizers=model.optimizers, jit_compile=jit_compile)
    clock = UntilTime(seconds)
    model.fit(batches, steps_per_epoch=1_000_000, epochs=1, verbose=0, callbacks=[clock])
    return model, clock.steps


def quality(case, variants, source, seconds, device, samples):
    """{variant: {"steps", "frechet_distance", "floor"}} after a fixed time of training."""
    found = {}
    print(
        f"\n| {case.recipe}, {seconds:g} s of training | steps | Fréchet distance | what data score |\n"
        "|---|---|---|---|"
    )
    for variant in variants:
        model, steps = trained(case, variant, source, seconds, device)
        found[variant] = {"steps": steps}
        if source.name == "array":
            print(f"| {variant} | {steps} | | |", flush=True)
            continue
        score = next(s for s in evaluate(model, source, ["frechet_distance"], samples) if s.name == "frechet_distance")
        found[variant] |= {"frechet_distance": score.value, "floor": score.floor}
        print(f"| {variant} | {steps} | {score.value:.2f} | {score.floor:.2f} |", flush=True)
    return found


def main():
    arguments = arguments_of()
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and not arguments.smoke:
        sys.exit(
            "benchmarks/gpu.sh measures a GPU, and TensorFlow sees none here: pip install 'keras_gans[cuda]' and a "
            "driver, or --smoke to run all of it on the CPU with tiny networks."
        )
    device = "cuda" if gpus else "cpu"
    variants = list(PROJECTS)
    if importlib.util.find_spec("torch"):
        variants += PYTORCHS
    else:
        print("PyTorch is not installed: its variants are left out (pip install torch).", file=sys.stderr)
    source, note = open_images(arguments.smoke)
    rounds, seconds = (1, 0.05) if arguments.smoke else (arguments.rounds, arguments.seconds)
    train_seconds, samples = (0.3, 100) if arguments.smoke else (arguments.train_seconds, 5000)
    given = {"float32": arguments.peak_float32, "bfloat16": arguments.peak_bfloat16}
    peaks = {PEAKS[precision]: value * 1e12 for precision, value in given.items() if value}
    name = tf.config.experimental.get_device_details(gpus[0]).get("device_name") if gpus else "CPU"
    figures = {"device": name, "tensorflow": tf.__version__, "data": note, "cases": {}}
    print(f"{name}; {note}\n")
    print_header(OURS)
    cases = cases_of(arguments.smoke, arguments.batch_size)
    for scheme, case in cases.items():
        timed = [v + " GPU" if device == "cuda" and v in PYTORCHS else v for v in variants]
        worker = Turns if arguments.smoke else Worker
        rows = figures_of(case, measure(case, [*timed, *PEAKS.values()], rounds, seconds, worker), peaks)
        show(scheme, case, rows)
        figures["cases"][scheme] = {"case": case.to_dict(), "variants": rows}
    for scheme, case in cases.items():
        found = quality(case, variants, source, train_seconds, device, samples)
        figures["cases"][scheme]["after_fixed_time"] = found
    with atomically(arguments.output) as partial:
        partial.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
