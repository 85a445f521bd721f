"""Images a second of one full training step, all players, against peers on the same architecture.

    python -m benchmarks.train_step --rounds 5 --seconds 1 --output step.json
    python -m benchmarks.train_step --cases dcgan64 wgan_gp32 --variants "keras_gans bfloat16" "PyTorch eager"
    python -m benchmarks.train_step --batch-scaling
    python -m benchmarks.train_step --size-scaling
    python -m benchmarks.train_step --steps-per-execution --cases gan28 autoencoder28
    python -m benchmarks.train_step --only-memory --cases cyclegan256

Each variant lives in a process of its own, and they take turns (A B C A B C ...), so that neither shares threads or
memory with another and a change in the machine's speed meets all of them. Ratios are of each round's times; medians are
printed. "arithmetic" is the share of a step's time that its convolutions and matrix products take, by TensorFlow's
profiler on a CPU, and "at most" the ratio if all else took no time. A product of matrices takes turns as well: what it
reaches is the machine's peak, of which the table gives the share that a step's own matrix products and convolutions
make. PyTorch is compared where it is installed. With --steps-per-execution whole runs of `fit` take turns instead, with
1 step handed to TensorFlow at once or 32. With --only-memory each variant takes two steps in a process of its own,
in which nothing is counted, and the most memory that it had is printed.
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
import tensorflow as tf

from benchmarks import machine, pytorch
from benchmarks.cases import CASES, LARGE_CASES, Case, batch_scaling, fit_of, size_scaling, step_of
from benchmarks.peers import plain_loops
from benchmarks.plain_translators import JointCycleGAN
from keras_gans.files import atomically
from keras_gans.memory import peak_gigabytes

BASELINE, JOINT, OURS = "plain Keras", "plain Keras, joint loss", "keras_gans"
BASELINE_BFLOAT16 = f"{BASELINE} bfloat16"
# What takes turns but is no variant.
PEAKS = {"float32": "matrix product", "bfloat16": "matrix product bfloat16"}


# Steps handed to TensorFlow at once, and steps of one call of `fit`, which takes some milliseconds to begin.
EXECUTIONS, FIT_STEPS = (1, 32), 640


def _keras(make, batches):
    """(step, function that counts its floating-point operations, on a second model that runs eagerly)."""
    model = make()
    batch = batches(model)

    def operations():
        counted, tensors = make(), tf.nest.map_structure(tf.constant, batch)
        return machine.operations_of(lambda: counted.train_step(tensors))

    return step_of(model, batch), operations


def fitted(case, kind, steps_per_execution):
    """(a run of `fit`, no operations) of the project's model or the plain loop's."""
    if kind == OURS:
        model = case.model()
        model.compile(optimizers=model.optimizers, steps_per_execution=steps_per_execution)
        return fit_of(model, case.batch(model.batches_per_step()), FIT_STEPS), lambda: 0
    model = plain_loops[case.scheme](case)
    model.compile(steps_per_execution=steps_per_execution)
    return fit_of(model, case.batch(), FIT_STEPS), lambda: 0


def ours(case, precision="float32", jit_compile=False):
    """The project's step: for DCGAN shared generated samples, for WGAN-GP one critic pass, fused normalization."""

    def make():
        model = case.model(precision)
        if jit_compile:
            model.compile(optimizers=model.optimizers, jit_compile=True)
        return model

    return _keras(make, lambda model: case.batch(model.batches_per_step()))


def plain(case, loop=None, precision="float32"):
    """The plain Keras loop's step, or another loop's."""
    case = dataclasses.replace(case, settings={**case.settings, "precision": precision})

    def make():
        model = (loop or plain_loops[case.scheme])(case)
        model.compile()
        return model

    return _keras(make, lambda model: case.batch())


def torch_step(case, **options):
    """PyTorch's step; its operations are those of the project's, which shares generated samples in the same way."""

    def operations():
        model = case.model()
        batch = tf.nest.map_structure(tf.constant, case.batch(model.batches_per_step()))
        return machine.operations_of(lambda: model.train_step(batch))

    return pytorch.torch_step(case, **options), operations


def _product(precision):
    step, operations = machine.matrix_product(precision)
    return step, lambda: operations


VARIANTS = {
    BASELINE: plain,
    BASELINE_BFLOAT16: lambda case: plain(case, precision="bfloat16"),
    JOINT: lambda case: plain(case, JointCycleGAN),
    OURS: ours,
    "keras_gans bfloat16": lambda case: ours(case, "bfloat16"),
    "keras_gans XLA": lambda case: ours(case, jit_compile=True),
    "keras_gans bfloat16 XLA": lambda case: ours(case, "bfloat16", jit_compile=True),
    **{
        f"PyTorch {'compiled' if compiled else 'eager'}{' bfloat16' * bfloat16}{' GPU' * (device == 'cuda')}": (
            lambda case, device=device, compiled=compiled, bfloat16=bfloat16: torch_step(
                case, device=device, compiled=compiled, bfloat16=bfloat16
            )
        )
        for device in ("cpu", "cuda")
        for compiled in (False, True)
        for bfloat16 in (False, True)
    },
    **{name: lambda case, precision=precision: _product(precision) for precision, name in PEAKS.items()},
}


FITTED = {f"{kind} fit, {steps} at once": (kind, steps) for kind in (BASELINE, OURS) for steps in EXECUTIONS}
VARIANTS |= {
    name: lambda case, kind=kind, steps=steps: fitted(case, kind, steps) for name, (kind, steps) in FITTED.items()
}

# TensorFlow's profiler sees its own operations.
ARITHMETIC_KNOWN = (BASELINE, BASELINE_BFLOAT16, JOINT, OURS, "keras_gans bfloat16")


class Turns:
    """A variant in this process, which takes turns; `result` collects what they give.

    Args:
        case, variant: what to make.
        only_memory: whether to count and profile nothing, which takes memory itself.
    """

    def __init__(self, case, variant, only_memory=False):
        self.step, operations = VARIANTS[variant](case)
        self.steps = FIT_STEPS if variant in FITTED else 1
        started = time.perf_counter()
        self.step()
        self.result = {"first_step_s": time.perf_counter() - started, "times": []}
        self.step()
        self.result["peak_gigabytes"] = peak_gigabytes()
        if only_memory:
            return
        self.result["operations"] = operations()
        if variant in ARITHMETIC_KNOWN and not tf.config.list_physical_devices("GPU"):
            self.result["arithmetic_share"] = machine.arithmetic_share(self.step)

    def turn(self, seconds, clock="wall"):
        """Steps for so many seconds by one of `machine.CLOCKS`."""
        self.result["times"].append(machine.seconds_a_call(self.step, seconds, clock=clock) / self.steps)
        self.result["peak_gigabytes"] = peak_gigabytes()

    def close(self):
        pass


def work(case, variant, what):
    """A worker's life: makes its step, then takes a turn for each line it reads, "seconds clock"."""
    turns = Turns(Case.from_dict(json.loads(case)), variant, what == "memory")
    print(json.dumps(turns.result), flush=True)
    for line in sys.stdin:
        seconds, clock = line.split()
        turns.turn(float(seconds), clock)
        print(json.dumps(turns.result), flush=True)


class Worker:
    """`Turns` in a process of their own."""

    def __init__(self, case, variant, what="times"):
        worker = ["--worker", json.dumps(case.to_dict()), variant, what]
        command = [sys.executable, "-m", "benchmarks.train_step", *worker]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        # Waited for here, so that no worker starts while another is being timed.
        self.result = self._answer()

    def _answer(self):
        while line := self.process.stdout.readline():
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"{' '.join(self.process.args)} ended early; it says why above.")

    def turn(self, seconds, clock="wall"):
        """Steps for so many seconds by one of `machine.CLOCKS`."""
        print(seconds, clock, file=self.process.stdin, flush=True)
        self.result = self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(case, variants, rounds, seconds, worker=Worker, clock="wall"):
    """{variant: {"first_step_s", "operations", "peak_gigabytes", "times": [seconds a step, one a round]}}."""
    workers = {}
    try:
        for variant in variants:
            workers[variant] = worker(case, variant)
        for _ in range(rounds):
            for each in workers.values():
                each.turn(seconds, clock)
    finally:
        for each in workers.values():
            each.close()
    return {name: each.result for name, each in workers.items()}


def figures_of(case, results, peaks=None):
    """{variant: figures} of what `measure` gave; `peaks` are operations a second by variant of `PEAKS`, if known."""
    images = case.batch_size * case.model().batches_per_step()
    speeds = {name: result["operations"] / statistics.median(result["times"]) for name, result in results.items()}
    known = {**{name: speeds[name] for name in PEAKS.values() if name in speeds}, **(peaks or {})}
    baseline = results.get(BASELINE, results[OURS])["times"]
    rows = {}
    for name, result in results.items():
        if name in PEAKS.values():
            rows[name] = {"gigaflops": speeds[name] / 1e9}
            continue
        ratios = sorted(base / own for base, own in zip(baseline, result["times"], strict=True))
        arithmetic = result.get("arithmetic_share")
        peak = known.get(PEAKS["bfloat16" if "bfloat16" in name else "float32"])
        rows[name] = {
            "images_per_second": images / statistics.median(result["times"]),
            "ratio": statistics.median(ratios),
            "ratio_min": ratios[0],
            "ratio_max": ratios[-1],
            "arithmetic_share": arithmetic,
            # Were everything but convolutions and matrix products free.
            "ratio_ceiling": statistics.median(ratios) / arithmetic if arithmetic else None,
            "gigaflops_per_step": result["operations"] / 1e9,
            "share_of_peak": speeds[name] / peak if peak else None,
            "peak_gigabytes": result["peak_gigabytes"],
            "first_step_s": result["first_step_s"],
        }
    return rows


def show_fits(name, case, results):
    """Prints and returns the rows of a case whose variants are those of `FITTED`."""
    images, rows = case.batch_size * case.model().batches_per_step(), {}
    for variant, (kind, _) in FITTED.items():
        times = results[variant]["times"]
        row = {"images_per_second": images / statistics.median(times)}
        for other in (kind, BASELINE):
            first = results[next(name for name, value in FITTED.items() if value == (other, 1))]["times"]
            ratios = sorted(base / own for base, own in zip(first, times, strict=True))
            row[f"ratio to {other}, 1 at once"] = [statistics.median(ratios), ratios[0], ratios[-1]]
        own, plain_one = (row[f"ratio to {other}, 1 at once"] for other in (kind, BASELINE))
        rows[variant] = row
        print(
            f"| {name} | {variant} | {row['images_per_second']:.0f} | {own[0]:.2f} | {own[1]:.2f}-{own[2]:.2f} "
            f"| {plain_one[0]:.2f} | {plain_one[1]:.2f}-{plain_one[2]:.2f} |",
            flush=True,
        )
    return rows


def print_header(baseline):
    """Prints the head of a Markdown table whose ratios are to a variant."""
    columns = ["case", "recipe", "", "images/s", f"/ {baseline}", "smallest-largest", "arithmetic", "at most"]
    columns += ["of peak", "GB", "first step"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|", flush=True)


def show(name, case, rows):
    """Prints the rows of a case as lines of a Markdown table."""
    for variant, row in rows.items():
        if "gigaflops" in row:
            continue
        peak, arithmetic = (
            "" if row[key] is None else f"{100 * row[key]:.0f} %" for key in ("share_of_peak", "arithmetic_share")
        )
        ceiling = "" if row["ratio_ceiling"] is None else f"{row['ratio_ceiling']:.2f}"
        print(
            f"| {name} | {case.recipe} {'x'.join(map(str, case.image_shape))} | {variant} "
            f"| {row['images_per_second']:.0f} | {row['ratio']:.2f} | {row['ratio_min']:.2f}-{row['ratio_max']:.2f} "
            f"| {arithmetic} | {ceiling} | {peak} | {row['peak_gigabytes']:.2f} | {row['first_step_s']:.1f} s |",
            flush=True,
        )


def show_memory(name, case, variants):
    """Prints the most memory that two steps of each variant took, one after the other."""
    for variant in variants:
        worker = Worker(case, variant, "memory")
        worker.close()
        found = worker.result
        print(
            f"| {name} | {case.recipe} {'x'.join(map(str, case.image_shape))} | {variant} "
            f"| {found['peak_gigabytes']:.2f} | {found['first_step_s']:.1f} s |",
            flush=True,
        )


def arguments_of():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cases",
        nargs="+",
        choices=CASES | LARGE_CASES,
        default=list(CASES),
        help="all but the large ones unless given",
    )
    parser.add_argument("--batch-scaling", action="store_true", help="DCGAN, batches of 16 to 256, instead")
    parser.add_argument("--size-scaling", action="store_true", help="DCGAN, images of 16 to 128 pixels, instead")
    parser.add_argument(
        "--steps-per-execution", action="store_true", help="runs of fit, 1 and 32 steps at once, instead"
    )
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=[], help="besides plain Keras and ours")
    parser.add_argument("--rounds", type=int, default=5, help="turns that every variant takes")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn")
    parser.add_argument(
        "--clock",
        choices=machine.CLOCKS,
        default="wall",
        help="processor: the process's own time, for one core of a machine that others keep busy",
    )
    parser.add_argument("--output", help="JSON file for the figures")
    parser.add_argument("--only-memory", action="store_true", help="the most memory that two steps take, instead")
    parser.add_argument("--worker", nargs=3, metavar=("CASE", "VARIANT", "WHAT"), help=argparse.SUPPRESS)
    return parser.parse_args()


def variants_of(case, wanted):
    """The variants that a case takes turns with."""
    if any("PyTorch" in name for name in wanted) and importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: its variants are left out (pip install torch).", file=sys.stderr)
        wanted = [name for name in wanted if "PyTorch" not in name]
    schemes = {JOINT: ("cyclegan",), **{name: pytorch.SCHEMES for name in wanted if "PyTorch" in name}}
    suitable = [name for name in wanted if case.scheme in schemes.get(name, (case.scheme,))]
    peaks = [name for key, name in PEAKS.items() if key == "float32" or any("bfloat16" in each for each in suitable)]
    return [*dict.fromkeys([BASELINE, OURS, *suitable, *peaks])]


def main():
    arguments = arguments_of()
    if arguments.worker:
        work(*arguments.worker)
        return
    chosen = {name: (CASES | LARGE_CASES)[name] for name in arguments.cases}
    if arguments.batch_scaling or arguments.size_scaling:
        chosen = {**(batch_scaling() if arguments.batch_scaling else {})}
        chosen |= size_scaling() if arguments.size_scaling else {}
    cores = len(os.sched_getaffinity(0))
    kind = machine.bfloat16_kind()
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__, "cores": cores, "bfloat16": kind}
    figures = {"versions": versions, "rounds": arguments.rounds, "clock": arguments.clock, "cases": {}}
    if arguments.only_memory:
        print(f"{cores} cores\n\n| case | recipe | | GB | first step |\n{'|---' * 5}|", flush=True)
        for name, case in chosen.items():
            show_memory(
                name, case, [each for each in variants_of(case, arguments.variants) if each not in PEAKS.values()]
            )
        return
    print(
        f"{cores} cores, bfloat16 by {kind}; {arguments.rounds} rounds of {arguments.seconds:g} s ({arguments.clock})\n"
    )
    if arguments.steps_per_execution:
        columns = ["case", "", "images/s", "/ own, 1 at once", "smallest-largest", f"/ {BASELINE}, 1 at once"]
        print(f"| {' | '.join([*columns, 'smallest-largest'])} |\n{'|---' * 7}|", flush=True)
    else:
        print_header(BASELINE)
    for name, case in chosen.items():
        variants = list(FITTED) if arguments.steps_per_execution else variants_of(case, arguments.variants)
        results = measure(case, variants, arguments.rounds, arguments.seconds, clock=arguments.clock)
        if arguments.steps_per_execution:
            rows = show_fits(name, case, results)
        else:
            rows = figures_of(case, results)
            show(name, case, rows)
        figures["cases"][name] = {"case": case.to_dict(), "variants": rows}
        if arguments.output:
            with atomically(arguments.output) as partial:
                partial.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
