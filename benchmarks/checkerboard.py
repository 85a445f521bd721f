"""How much checkerboard each way of upsampling draws, before training, early and late, over the data's own.

python -m benchmarks.checkerboard                  # four ways, three seeds, MNIST; the figure and the table
python -m benchmarks.checkerboard --only-show      # the table and the figure of what has been run

Every run is added to --output at once and not run again. DCGANs of the recipe `dcgan` with 16 filters that differ in
how the generator doubles its pictures, as Odena et al., "Deconvolution and Checkerboard Artifacts" (2016) compare them.
The score is `kg.checkerboard_score` of 1,000 samples: the share of their energy that changes with every pixel. Before
training, samples are normalized by their own batch, because there are no averages yet.
"""

import argparse
import itertools
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import keras_gans as kg
from benchmarks.filed import known_runs, run_once
from keras_gans.drawing import picture, plot
from keras_gans.layers.upsample import MODES
from keras_gans.training import recipe as recipes
from keras_gans.training.train import build_for, to_dataset

SAMPLES, DATA = 1000, "mnist"
NAMES = {"deconv": "deconvolution", "subpixel": "sub-pixel", "nearest": "nearest", "bilinear": "bilinear"}
FIGURE = Path(__file__).parent.parent / "docs" / "checkerboard.png"


def recipe_for(mode, seed, steps):
    """The recipe of one run."""
    base = recipes.named("dcgan")
    return base.replace(
        data=DATA,
        networks={
            "generator": {**base.networks["generator"], "base_filters": 16, "upsampling": mode},
            "discriminator": {**base.networks["discriminator"], "base_filters": 16},
        },
        latent_dim=32,
        steps=steps,
        seed=seed,
    )


def measure(recipe):
    """{"untrained", "trained", "data": scores, "fid": Fréchet distance of the trained model} of one run."""
    source = kg.data.open_source(recipe.data)
    model = build_for(recipe, source)
    latents = kg.latent.draw_latents(SAMPLES, recipe.latent_dim, np.array([recipe.seed, 1]))
    untrained = kg.checkerboard_score(model.generator(latents, training=True))
    model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, epochs=1, verbose=0)
    data = np.asarray(kg.data.open_source(recipe.data, split="test").samples[:SAMPLES])
    return {
        "untrained": untrained,
        "trained": kg.checkerboard_score(model.sample(SAMPLES, seed=1_000_000)),
        "data": kg.checkerboard_score(data),
        "fid": kg.metrics.Evaluation(source, ["frechet_distance"], 5000).of(model)[0].value,
    }


def ratios(runs, mode):
    """{steps of training, 0 for none: scores of a mode's runs over the data's own}, ascending."""
    mine = [run for run in runs if run["recipe"]["generator"]["upsampling"] == mode]
    found = {0: {run["recipe"]["seed"]: run["untrained"] / run["data"] for run in mine}}
    for run in sorted(mine, key=lambda run: run["recipe"]["steps"]):
        # A short run and a long one of a seed start alike.
        found.setdefault(run["recipe"]["steps"], {})[run["recipe"]["seed"]] = run["trained"] / run["data"]
    return {steps: list(values.values()) for steps, values in found.items()}


def _all_steps(runs):
    return sorted({0} | {run["recipe"]["steps"] for run in runs})


def _called(steps):
    return f"{steps} steps" if steps else "untrained"


def show(console, runs):
    """Prints each mode's scores over the data's own: the median over the seeds, their range and number."""
    title = f"the data's score: {runs[0]['data']:.5f}"
    table = Table("upsampling", *map(_called, _all_steps(runs)), title=title)
    for mode, name in NAMES.items():
        columns = [ratios(runs, mode).get(steps) for steps in _all_steps(runs)]
        cells = [f"{np.median(v):.3g} [{min(v):.3g}, {max(v):.3g}], {len(v)} seeds" if v else "" for v in columns]
        table.add_row(name, *cells)
    console.print(table)


def panel(runs):
    """The figure: bars of medians, and a dot for each seed."""
    bars, dots, times = [], [], _all_steps(runs)
    for place, steps in enumerate(times):
        values = [ratios(runs, mode).get(steps) or [np.nan] for mode in NAMES]
        medians = [np.median(each) for each in values]
        bars.append(plot.Curve(range(len(NAMES)), medians, _called(steps), kind="bars", colour=plot.PALETTE[place]))
        # In the middle of its bar.
        offset = 0.8 * ((place + 0.5) / len(times) - 0.5)
        points = [(index + offset, value) for index, each in enumerate(values) for value in each]
        dots.append(plot.Curve(*np.transpose(points), kind="dots", colour=(40, 40, 40), size=6))
    curves = bars + dots
    return plot.Panel(
        curves,
        title="Checkerboard score over the data's own",
        y_label="score / the data's score",
        y_scale="log",
        x_range=(-0.6, len(NAMES)),  # with room for the reference's name
        x_ticks=list(enumerate(NAMES.values())),
        references=[(1.0, "the data")],
        height=380,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--seeds", type=int, default=3, help="runs of each mode, seeds 0, 1, ...")
    parser.add_argument("--steps", nargs="+", type=int, default=[100, 800], help="of runs")
    parser.add_argument("--output", type=Path, default=Path("checkerboard.jsonl"), help="file of the runs")
    parser.add_argument("--figure", type=Path, default=FIGURE, help="PNG file of the figure")
    parser.add_argument("--only-show", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    console = Console()
    wanted = itertools.product(sorted(arguments.steps), range(arguments.seeds), arguments.modes)
    for steps, seed, mode in [] if arguments.only_show else wanted:
        recipe = recipe_for(mode, seed, steps)
        with console.status(f"{NAMES[mode]}, seed {seed}: {steps} steps ..."):
            key = {"recipe": json.loads(recipe.to_json())}
            run_once(arguments.output, key, lambda recipe=recipe: measure(recipe))
    runs = [run for run in known_runs(arguments.output) if run["recipe"]["steps"] in arguments.steps]
    if runs:
        show(console, runs)
        picture.save_png(plot.draw([panel(runs)], width=720), arguments.figure)
        console.print(f"{arguments.figure} shows {len(runs)} runs.", highlight=False)


if __name__ == "__main__":
    main()
