"""How many modes of a known mixture each unconditional loss finds, beside the published figures.

python -m benchmarks.mode_coverage                          # ring and grid, every method, five seeds
python -m benchmarks.mode_coverage --data stacked_digits --seeds 3
python -m benchmarks.mode_coverage --methods pacgan wgan_gp --output modes.json

All methods share networks, optimizer, batch and steps, and differ in what their name says. Points: 2,500 samples, a
mode is found by one sample within three sigma of its centre, "high quality" is the share of samples within three sigma
of some centre, and the reverse KL is between the found modes' shares and even ones, as PacGAN's authors count. Stacked
digits: a digit in each of three channels, 1,000 modes, 26,000 samples named by a classifier.
"""

import argparse
import json
import os
import statistics
import time

import numpy as np
from rich.console import Console
from rich.table import Table

import keras_gans as kg
from keras_gans.files import whole
from training import recipe as recipes
from training.train import build_for, to_dataset

POINT_SAMPLES, STACKED_SAMPLES = 2500, 26_000
# Lin et al., "PacGAN" (2018), tables 1 and 3: modes, high quality in %, reverse KL in nats.
PUBLISHED = {
    "ring": {"GAN": (6.3, 98.2, 0.45), "of": 8},
    "grid": {"GAN": (17.3, 94.8, 0.70), "of": 25},
    "stacked_digits": {"DCGAN, stacked MNIST": (99.0, None, None), "PacDCGAN2": (1000.0, None, None), "of": 1000},
}


def _methods():
    """{name: function of a recipe that returns the method's}."""
    schemes = {
        "gan": {"name": "gan", "generator_objective": "non_saturating"},
        "gan_minimax": {"name": "gan", "generator_objective": "minimax"},
        "lsgan": {"name": "lsgan"},
        "wgan": {"name": "wgan", "clip": 0.1},
        "wgan_gp": {"name": "wgan_gp", "gradient_penalty_weight": 0.1},
    }
    methods = {name: (lambda base, scheme=scheme: base.replace(scheme=scheme)) for name, scheme in schemes.items()}
    for name, options in {
        "pacgan": {"packing": 2},
        "pacgan4": {"packing": 4},
        "minibatch_stddev": {"minibatch_standard_deviation": 4},
    }.items():
        methods[name] = lambda base, options=options: base.replace(discriminator={**base.discriminator, **options})
    return methods


METHODS = _methods()


def base_recipe(data):
    """What all methods share on a data set: the recipe `pacgan_ring` without packing."""
    base = recipes.named("pacgan_grid" if data == "grid" else "pacgan_ring")
    base = base.replace(discriminator={**base.discriminator, "packing": 1})
    if data != "stacked_digits":
        return base
    generator = {"name": "dcgan_generator", "base_filters": 32}
    discriminator = {"name": "dcgan_discriminator", "base_filters": 32, "normalization": None}
    return base.replace(generator=generator, discriminator=discriminator, latent_dim=64, data="digits", batch_size=64)


def stacked_digits(seed=0, count=50_000):
    """Three digits of the training split, one a channel, drawn at random: a `kg.data.Source` of 1,000 modes."""
    digits = kg.data.open_source("digits", split="train")
    chosen = np.random.default_rng(seed).integers(0, len(digits), (count, 3))
    images = np.stack([digits.images[chosen[:, channel], ..., 0] for channel in range(3)], axis=-1)
    return kg.data.open_source(images)


def measure(data, method, seed, steps=None):
    """(modes, high quality or None, reverse KL, seconds) of one run."""
    recipe = METHODS[method](base_recipe(data)).replace(seed=seed, **({"steps": steps} if steps else {}))
    source = stacked_digits() if data == "stacked_digits" else kg.data.open_source(recipe.data)
    model = build_for(recipe, source)
    start = time.perf_counter()
    model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, epochs=1, verbose=0)
    seconds = time.perf_counter() - start
    if data == "stacked_digits":
        samples = model.sample(STACKED_SAMPLES, seed=1_000_000)
        found = kg.metrics.stacked_mode_coverage(samples, kg.metrics.extractor("digits"))
        return found.covered, None, found.reverse_kl, seconds
    centres, sigma = {
        "ring": (kg.data.ring_centres(), kg.data.RING_SIGMAS["narrow"]),
        "grid": (kg.data.grid_centres(), kg.data.GRID_SIGMA),
    }[data]
    samples = model.sample(POINT_SAMPLES, seed=1_000_000)
    found = kg.metrics.mode_coverage(samples, centres, sigma, min_share=0.0)
    return found.covered, found.high_quality, found.reverse_kl, seconds


def summary(rows):
    """{"modes", "high_quality", "reverse_kl": [mean, smallest, largest]} and the values of each seed."""
    modes, quality, divergence, seconds = zip(*rows, strict=True)
    columns = {"modes": modes, "reverse_kl": divergence}
    if quality[0] is not None:
        columns["high_quality"] = quality
    spread = {name: [statistics.fmean(v), min(v), max(v)] for name, v in columns.items()}
    return spread | {"seconds": statistics.median(seconds), "runs": rows}


def _cell(values, form, scale=1.0):
    mean, low, high = (form.format(scale * value) for value in values)
    return f"{mean} [{low}, {high}]"


def show(console, data, results, seeds):
    """Prints one data set's table, the published rows last."""
    published = dict(PUBLISHED[data])
    of = published.pop("of")
    table = Table(data, f"modes of {of}", "high quality %", "reverse KL", "s a run", title=f"{data}, {seeds} seeds")
    for method, result in results.items():
        quality = _cell(result["high_quality"], "{:.1f}", 100.0) if "high_quality" in result else ""
        modes, divergence = _cell(result["modes"], "{:.1f}"), _cell(result["reverse_kl"], "{:.2f}")
        table.add_row(method, modes, quality, divergence, f"{result['seconds']:.0f}")
    for name, row in published.items():
        cells = ["" if value is None else str(value) for value in row]
        table.add_row(f"published: {name}", *cells, "", style="dim")
    console.print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=PUBLISHED, default=["ring", "grid"])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=5, help="runs of each method, seeds 0, 1, ...")
    parser.add_argument("--steps", type=int, help="of the generator, instead of the recipe's")
    parser.add_argument("--output", help="JSON file for the figures")
    arguments = parser.parse_args()
    console, figures = Console(), {}
    for data in arguments.data:
        figures[data] = {}
        for method in arguments.methods:
            rows = []
            for seed in range(arguments.seeds):
                with console.status(f"{data}, {method}, seed {seed} ..."):
                    rows.append(measure(data, method, seed, arguments.steps))
                modes, quality, divergence, seconds = rows[-1]
                quality = "" if quality is None else f", {100 * quality:.1f} %"
                console.print(f"{data} {method} seed {seed}: {modes}{quality}, KL {divergence:.2f}, {seconds:.0f} s")
            figures[data][method] = summary(rows)
        show(console, data, figures[data], arguments.seeds)
    if arguments.output:
        protocol = {"seeds": arguments.seeds, "steps": arguments.steps, "cores": os.cpu_count()}
        protocol |= {"recipes": {data: base_recipe(data).to_json() for data in arguments.data}}
        with whole(arguments.output) as partial:
            partial.write_text(json.dumps({"protocol": protocol, "figures": figures}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
