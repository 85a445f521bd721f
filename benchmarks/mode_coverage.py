"""How many modes of a known mixture each unconditional loss finds, beside the published figures.

python -m benchmarks.mode_coverage                                 # ring, grid and stacked digits, every method
python -m benchmarks.mode_coverage --data grid --methods r1 gan --seeds 5
python -m benchmarks.mode_coverage --only-show                     # the table of what has been run

Every run is added to --output at once and not run again, so that the work can be interrupted and shared out.

All methods share networks, optimizer (but for WGAN, which momentum spoils), latents and the number of real batches (a
critic that takes five steps for the generator's one leaves it a fifth of the steps), and differ in what their name
says. Points: 2,500 samples; a mode is found by one sample within three sigma of its centre, "high quality" is the share
of samples within three sigma of some centre, and the reverse KL is between the found modes' shares and even ones, as
PacGAN's authors count; width is that of the modes over the true one. Stacked digits: a digit in each of three channels,
1,000 modes, 26,000 samples, of 8x8 pixels or of MNIST's, the literature's stacked MNIST. A mode is found by one sample
of which a classifier is sure (at least 0.9 in each channel); "named" counts what it names, sure or not, as the
literature does. Held-out data and uniform noise stand beside both. A recipe's name as a method is that recipe as it
stands.
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
# {figure: (its header, how it is written, what it is multiplied by)}.
_POINTS = {
    "modes": ("modes", "{:.1f}", 1.0),
    "high_quality": ("high quality %", "{:.1f}", 100.0),
    "width": ("width", "{:.2f}", 1.0),
    "reverse_kl": ("reverse KL", "{:.2f}", 1.0),
}
_STACKED = {
    "modes": ("sure modes", "{:.0f}", 1.0),
    "sure": ("sure %", "{:.1f}", 100.0),
    "named": ("named", "{:.0f}", 1.0),
    "reverse_kl": ("reverse KL", "{:.2f}", 1.0),
}
# {data: whose classifier reads a channel}.
STACKED = {"stacked_digits": "digits", "stacked_digits/mnist": "mnist"}
FIGURES = {
    "ring": _POINTS,
    "grid": _POINTS,
    **dict.fromkeys(STACKED, _STACKED),
}
MODES = {"ring": 8, "grid": 25, **dict.fromkeys(STACKED, 1000)}
# Lin et al., "PacGAN" (2018), tables 1 and 3.
PUBLISHED = {
    "ring": {"GAN": {"modes": 6.3, "high_quality": 0.982, "reverse_kl": 0.45}},
    "grid": {"GAN": {"modes": 17.3, "high_quality": 0.948, "reverse_kl": 0.70}},
    **dict.fromkeys(STACKED, {"DCGAN, stacked MNIST": {"named": 99.0}, "PacDCGAN2, stacked MNIST": {"named": 1000.0}}),
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
    "r3gan": ({"name": "r3gan", "penalties": [{"name": name, "weight": 0.01} for name in ("r1", "r2")]}, {}),
}
# {method that is a recipe: its data}.
RECIPES = {"r3gan_stacked": "stacked_digits", "r3gan_stacked_mnist": "stacked_digits/mnist"}
# The penalty's weight goes with the samples' scale: the authors' is 10 for images, on points 0.1 and 0.01 are common.
_IMAGE_WEIGHTS = {
    "wgan_gp": {"gradient_penalty_weight": 10.0},
    "r1": {"real_gradient_penalty_weight": 1.0},
    "r3gan": {"penalties": [{"name": name, "weight": 1.0} for name in ("r1", "r2")]},
}


def recipe_for(data, method, seed=0, batches=None):
    """The recipe of one run: `r1_ring` or `r1_grid` with the method's scheme, or small DCGAN networks for images."""
    if method in RECIPES:
        named = recipes.named(method)
        return named.replace(seed=seed, steps=batches or named.steps)
    base = recipes.named("r1_grid" if data == "grid" else "r1_ring")
    scheme, besides = METHODS[method]
    scheme = {"latent_prior": base.scheme["latent_prior"], **scheme}
    if data in STACKED:
        scheme |= {"latent_prior": "normal", **_IMAGE_WEIGHTS.get(method, {})}
        base = base.replace(
            networks={
                "generator": {"name": "dcgan_generator", "base_filters": 32},
                "discriminator": {"name": "dcgan_discriminator", "base_filters": 32, "normalization": None},
            },
            latent_dim=64,
            batch_size=64,
            steps=6000,
            data=data,
        )
    if method == "wgan":
        plain = {"name": "rmsprop", "learning_rate": 5e-4}  # Arjovsky et al. (2017), section 4.3, against momentum
        base = base.replace(optimizers={player: plain for player in base.optimizers})
    batches = batches or base.steps
    return base.replace(
        scheme=scheme,
        networks={**base.networks, "discriminator": {**base.networks["discriminator"], **besides}},
        steps=batches // scheme.get("discriminator_steps", 1),
        seed=seed,
    )


def found_in(data, samples):
    """{figure: value} of samples: `FIGURES` of the data."""
    if data in STACKED:
        found = kg.metrics.stacked_mode_coverage(samples, kg.metrics.extractor(STACKED[data]))
        return {"modes": found.covered, "sure": found.sure, "named": found.named, "reverse_kl": found.reverse_kl}
    centres, sigma = {
        "ring": (kg.data.ring_centres(), kg.data.RING_SIGMAS["narrow"]),
        "grid": (kg.data.grid_centres(), kg.data.GRID_SIGMA),
    }[data]
    found = kg.metrics.mode_coverage(samples, centres, sigma, min_share=0.0)
    return {
        "modes": found.covered,
        "high_quality": found.high_quality,
        "width": found.width,
        "reverse_kl": found.reverse_kl,
    }


def references(data):
    """{name: figures} of what is no generator's: data that training does not see, and noise."""
    rng = np.random.default_rng(0)
    if data in STACKED:
        held_out = kg.data.open_source(data, split="test").samples[:STACKED_SAMPLES]
        noise = rng.uniform(-1.0, 1.0, held_out.shape)
    else:
        held_out = kg.data.open_source(data, split="test").samples[:POINT_SAMPLES]
        noise = rng.uniform(held_out.min(), held_out.max(), held_out.shape)
    return {"held-out data": found_in(data, held_out), "uniform noise": found_in(data, noise.astype("float32"))}


def _methods_on(data):
    return (*METHODS, *(method for method, its in RECIPES.items() if its == data))


def measure(data, recipe):
    """`FIGURES` of one run of a recipe, and the seconds that it trained for."""
    source = kg.data.open_source(recipe.data)
    model = build_for(recipe, source)
    start = time.perf_counter()
    model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, epochs=1, verbose=0)
    seconds = time.perf_counter() - start
    samples = model.sample(STACKED_SAMPLES if data in STACKED else POINT_SAMPLES, seed=1_000_000)
    return {**found_in(data, samples), "seconds": seconds}


def _batches(run):
    """Real batches that the discriminator of a run saw."""
    return run["recipe"]["steps"] * run["recipe"]["scheme"].get("discriminator_steps", 1)


def _cell(values, form, scale):
    mean, low, high = (form.format(scale * value) for value in (statistics.fmean(values), min(values), max(values)))
    return f"{mean} [{low}, {high}]"


def show(console, data, runs):
    """Prints one data set's table, held-out data, noise and the published rows last."""
    figures = FIGURES[data]
    headers = [f"{header} of {MODES[data]}" if name == "modes" else header for name, (header, *_) in figures.items()]
    table = Table("method", "batches", "seeds", *headers, "s", title=data)
    lengths = sorted({_batches(run) for run in runs if run["data"] == data})
    for batches, method in itertools.product(lengths, _methods_on(data)):
        mine = [run for run in runs if (run["data"], run["method"], _batches(run)) == (data, method, batches)]
        if not mine:
            continue
        cells = [_cell([run[name] for run in mine], *form) for name, (_, *form) in figures.items()]
        seconds = f"{statistics.median(run['seconds'] for run in mine):.0f}"
        table.add_row(method, f"{batches:,}", str(len(mine)), *cells, seconds)
    rows = [(name, "", found) for name, found in references(data).items()]
    for name, kind, found in [*rows, *((name, "published", row) for name, row in PUBLISHED[data].items())]:
        cells = (_one(found.get(figure), *form) for figure, (_, *form) in figures.items())
        table.add_row(name, kind, "", *cells, style="dim")
    console.print(table)


def _one(value, form, scale):
    return "" if value is None else form.format(scale * value)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=FIGURES, default=["ring", "grid", "stacked_digits"])
    parser.add_argument("--methods", nargs="+", choices=[*METHODS, *RECIPES], help="all that there are unless given")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each method, seeds 0, 1, ...")
    parser.add_argument("--batches", type=int, help="real batches of a run, instead of the recipe's")
    parser.add_argument("--output", type=Path, default=Path("mode_coverage.jsonl"), help="file of the runs")
    parser.add_argument("--only-show", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    for method in arguments.methods or []:
        if method in RECIPES and arguments.data != [RECIPES[method]]:
            parser.error(f"{method} is of --data {RECIPES[method]}. Received: {' '.join(arguments.data)}.")
    console = Console()
    for data in arguments.data:
        for seed in [] if arguments.only_show else range(arguments.seeds):
            for method in arguments.methods or _methods_on(data):
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
    found = ", ".join(f"{header} {_one(figures[name], *form)}" for name, (header, *form) in FIGURES[data].items())
    console.print(f"{data} {method} seed {seed}: {found}, {figures['seconds']:.0f} s", highlight=False)


if __name__ == "__main__":
    main()
