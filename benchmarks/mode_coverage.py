"""How many modes of a known mixture each unconditional loss finds, beside the published figures.

python -m benchmarks.mode_coverage                                 # ring, grid and stacked digits, every method
python -m benchmarks.mode_coverage --data grid --methods r1 gan --seeds 5
python -m benchmarks.mode_coverage --only-show                     # the table of what has been run

Every run is added to --output at once and not run again, so that the work can be interrupted and shared out.

All methods share networks, optimizer (but for WGAN, which momentum spoils), latents and the number of real batches (a
critic that takes five steps for the generator's one leaves it a fifth of the steps), and differ in what their name
says. Points: 2,500 samples; a mode is found by one sample within three sigma of its centre, "high quality" is the share
of samples within three sigma of some centre, and the reverse KL is between the found modes' shares and even ones, as
PacGAN's authors count. Stacked digits: a digit in each of three channels, 1,000 modes, 26,000 samples named by a
classifier.
"""

import argparse
import itertools
import json
import statistics
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import keras_gans as kg
from benchmarks.filed import known_runs, run_once
from keras_gans.training import recipe as recipes
from keras_gans.training.build import scheme_of
from keras_gans.training.train import build_for, to_dataset

POINT_SAMPLES, STACKED_SAMPLES = 2500, 26_000
# Lin et al., "PacGAN" (2018), tables 1 and 3: modes, high quality in %, reverse KL in nats.
PUBLISHED = {
    "ring": {"GAN": (6.3, 98.2, 0.45), "of": 8},
    "grid": {"GAN": (17.3, 94.8, 0.70), "of": 25},
    "stacked_digits": {"DCGAN, stacked MNIST": (99.0, None, None), "PacDCGAN2": (1000.0, None, None), "of": 1000},
}
_NON_SATURATING = {"name": "gan", "generator_objective": "non_saturating"}
# {method: (scheme, what its discriminator has besides)}.
METHODS = {
    "gan": (_NON_SATURATING, {}),
    "gan_minimax": ({"name": "gan", "generator_objective": "minimax"}, {}),
    "lsgan": ({"name": "lsgan"}, {}),
    "wgan": ({"name": "wgan", "clip": 0.1, "discriminator_steps": 5}, {}),
    "wgan_gp": ({"name": "wgan_gp", "gradient_penalty_weight": 0.1, "discriminator_steps": 5}, {}),
    "pacgan": (_NON_SATURATING, {"packing": 2}),
    "minibatch_stddev": (_NON_SATURATING, {"minibatch_standard_deviation": 4}),
    "r1": ({**_NON_SATURATING, "real_gradient_penalty_weight": 0.01}, {}),
}
# The penalty's weight goes with the samples' scale: the authors' is 10 for images, on points 0.1 and 0.01 are common.
_IMAGE_WEIGHTS = {"wgan_gp": {"gradient_penalty_weight": 10.0}, "r1": {"real_gradient_penalty_weight": 1.0}}


def recipe_for(data, method, seed=0, batches=None):
    """The recipe of one run: `r1_ring` or `r1_grid` with the method's scheme, or small DCGAN networks for images."""
    base = recipes.named("r1_grid" if data == "grid" else "r1_ring")
    scheme, besides = METHODS[method]
    scheme = {"latent_prior": base.scheme["latent_prior"], **scheme}
    if data == "stacked_digits":
        scheme |= {"latent_prior": "normal", **_IMAGE_WEIGHTS.get(method, {})}
        base = base.replace(
            generator={"name": "dcgan_generator", "base_filters": 32},
            discriminator={"name": "dcgan_discriminator", "base_filters": 32, "normalization": None},
            latent_dim=64,
            batch_size=64,
            steps=6000,
            data="digits",
        )
    if method == "wgan":
        plain = {"name": "rmsprop", "learning_rate": 5e-4}  # Arjovsky et al. (2017), section 4.3, against momentum
        base = base.replace(optimizers={player: plain for player in base.optimizers})
    batches = batches or base.steps
    return base.replace(
        scheme=scheme,
        discriminator={**base.discriminator, **besides},
        steps=batches // scheme.get("discriminator_steps", 1),
        seed=seed,
    )


def stacked_digits(seed=0, count=50_000):
    """Three digits of the training split, one a channel, drawn at random: a `kg.data.Source` of 1,000 modes."""
    digits = kg.data.open_source("digits", split="train")
    chosen = np.random.default_rng(seed).integers(0, len(digits), (count, 3))
    images = np.stack([digits.images[chosen[:, channel], ..., 0] for channel in range(3)], axis=-1)
    return kg.data.open_source(images)


def measure(data, recipe):
    """{"modes", "high_quality" (None for images), "reverse_kl", "seconds"} of one run of a recipe."""
    source = stacked_digits() if data == "stacked_digits" else kg.data.open_source(recipe.data)
    model = build_for(recipe, source)
    start = time.perf_counter()
    model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, epochs=1, verbose=0)
    seconds = time.perf_counter() - start
    if data == "stacked_digits":
        samples = model.sample(STACKED_SAMPLES, seed=1_000_000)
        found = kg.metrics.stacked_mode_coverage(samples, kg.metrics.extractor("digits"))
        quality = None
    else:
        centres, sigma = {
            "ring": (kg.data.ring_centres(), kg.data.RING_SIGMAS["narrow"]),
            "grid": (kg.data.grid_centres(), kg.data.GRID_SIGMA),
        }[data]
        samples = model.sample(POINT_SAMPLES, seed=1_000_000)
        found = kg.metrics.mode_coverage(samples, centres, sigma, min_share=0.0)
        quality = found.high_quality
    return {"modes": found.covered, "high_quality": quality, "reverse_kl": found.reverse_kl, "seconds": seconds}


def _batches(run):
    """Real batches that the discriminator of a run saw."""
    return run["recipe"]["steps"] * run["recipe"]["scheme"].get("discriminator_steps", 1)


def _cell(values, form, scale=1.0):
    mean, low, high = (form.format(scale * value) for value in (statistics.fmean(values), min(values), max(values)))
    return f"{mean} [{low}, {high}]"


def show(console, data, runs):
    """Prints one data set's table, the published rows last."""
    published = dict(PUBLISHED[data])
    modes_header = f"modes of {published.pop('of')}"
    table = Table("method", "batches", "seeds", modes_header, "high quality %", "reverse KL", "s", title=data)
    for batches, method in itertools.product(sorted({_batches(run) for run in runs if run["data"] == data}), METHODS):
        mine = [run for run in runs if (run["data"], run["method"], _batches(run)) == (data, method, batches)]
        if not mine:
            continue
        columns = {name: [run[name] for run in mine] for name in ("modes", "high_quality", "reverse_kl", "seconds")}
        quality = "" if None in columns["high_quality"] else _cell(columns["high_quality"], "{:.1f}", 100.0)
        modes, divergence = _cell(columns["modes"], "{:.1f}"), _cell(columns["reverse_kl"], "{:.2f}")
        seconds = f"{statistics.median(columns['seconds']):.0f}"
        table.add_row(method, f"{batches:,}", str(len(mine)), modes, quality, divergence, seconds)
    for name, row in published.items():
        table.add_row(name, "published", "", *("" if value is None else str(value) for value in row), style="dim")
    console.print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=PUBLISHED, default=list(PUBLISHED))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=5, help="runs of each method, seeds 0, 1, ...")
    parser.add_argument("--batches", type=int, help="real batches of a run, instead of the recipe's")
    parser.add_argument("--output", type=Path, default=Path("mode_coverage.jsonl"), help="file of the runs")
    parser.add_argument("--only-show", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    console = Console()
    for data in arguments.data:
        for seed in [] if arguments.only_show else range(arguments.seeds):
            for method in arguments.methods:
                _run(console, arguments, data, method, seed)
        show(console, data, known_runs(arguments.output))


def _run(console, arguments, data, method, seed):
    """Trains and measures one run, unless the file has it, and adds it there."""
    recipe = recipe_for(data, method, seed, arguments.batches)
    key = {"data": data, "method": method, "recipe": json.loads(recipe.to_json())}
    with console.status(f"{data}, {scheme_of(recipe).__name__} as {method}, seed {seed}: {recipe.steps} steps ..."):
        figures = run_once(arguments.output, key, lambda: measure(data, recipe))
    if figures is None:
        return
    quality = "" if figures["high_quality"] is None else f", {100 * figures['high_quality']:.1f} %"
    found = f"{figures['modes']} modes{quality}, KL {figures['reverse_kl']:.3f}"
    console.print(f"{data} {method} seed {seed}: {found}, {figures['seconds']:.0f} s", highlight=False)


if __name__ == "__main__":
    main()
