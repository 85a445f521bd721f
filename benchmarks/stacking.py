"""StackGAN's large pictures against its small ones enlarged, and against drawing the large size at once.

python -m benchmarks.stacking
python -m benchmarks.stacking --seeds 2 3 4 --only-show           # the table of what has been run

Two trainings a seed on drawn shapes by their captions. "stage II" and "stage I enlarged" are of one run of the recipe
`stackgan_small`, with its last weights. "at once" is GAN-CLS (`text_to_image`) at the full size, of the same widths and
rates and with its text in the same places, after as many steps of the text encoder and as many of the game as both
stages have together; a step of the full size costs more than one of stage I, so that it has the longer time. The
attributes are read off the pictures drawn to 1,000 captions by classifiers of real ones; R-precision and Frechet
distance as `keras-gans evaluate` has them.

Every run is added to --output at once and not run again.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from benchmarks.filed import known_runs, run_once
from keras_gans.data.shapes import ATTRIBUTES
from keras_gans.latent import latents_from_seeds
from keras_gans.metrics import TextEvaluation
from keras_gans.pixels import to_uint8
from keras_gans.training import recipe as recipes
from keras_gans.training.train import build_for, open_data, to_dataset

STACKED = "stackgan_small"
MEASURES = ["attribute_accuracy", "r_precision", "frechet_distance"]
ROWS = ("stage II", "stage I enlarged", "at once")


def recipe_of(way: str, seed: int) -> recipes.Recipe:
    """The recipe of "stacked", or of "at once" by the same means."""
    stacked = recipes.named(STACKED).replace(seed=seed)
    if way == "stacked":
        return stacked
    scheme = {
        name: value for name, value in stacked.scheme.items() if name not in ("stage_1_steps", "divergence_weight")
    }
    alike = {name: stacked.networks["generator"][name] for name in ("base_filters", "text_in_blocks")}
    generator = {"name": "text_to_image_generator", **alike}
    encoders = {role: stacked.networks[role] for role in ("text_encoder", "image_encoder")}
    players = ("generator", "discriminator")
    return stacked.replace(
        scheme={**scheme, "name": "text_to_image", "interpolation_weight": 0.0},
        networks={**encoders, "generator": generator, "discriminator": stacked.networks["discriminator"]},
        optimizers={player: stacked.optimizers[player] for player in players},
    )


class SmallOnes:
    """What a StackGAN's first stage draws, each pixel as many as the large picture has in its place."""

    def __init__(self, model):
        self.model, self.sample_shape = model, model.sample_shape

    def sample(self, count, seed, texts):
        latents = latents_from_seeds(np.arange(seed, seed + count), self.model.latent_dim, self.model.latent_prior)
        codes = tf.constant(self.model.encode_text(texts))
        small = to_uint8(self.model.small_picture_of(latents, codes)).numpy()
        ratio = self.model.sample_shape()[0] // self.model.small_shape()[0]
        return small.repeat(ratio, axis=1).repeat(ratio, axis=2)


def measured(recipe: recipes.Recipe, evaluation: TextEvaluation) -> dict:
    """{row: {figure: value}} of one training, and the processor time that it took."""
    source = open_data(recipe)
    model = build_for(recipe, source)
    start = time.process_time()
    model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, epochs=1, verbose=0)
    seconds = time.process_time() - start
    stacked = recipe.scheme["name"] == "stackgan"
    drawn = {"stage II": model, "stage I enlarged": SmallOnes(model)} if stacked else {"at once": model}
    found = {row: {score.name: score.value for score in evaluation.of(each)} for row, each in drawn.items()}
    return {"found": found, "processor_seconds": seconds}


def show(console: Console, runs: list[dict]) -> None:
    """Prints the table, median and range over the seeds."""
    table = Table("", "seeds", *ATTRIBUTES, "shape, held out", "R-precision", "Frechet distance", "CPU s")
    names = [f"{name}_accuracy" for name in ATTRIBUTES]
    for row in ROWS:
        mine = [run for run in runs if row in run["found"]]
        if mine:
            figures = [*names, "shape_accuracy_held_out", "r_precision", "frechet_distance"]
            cells = [_cell([run["found"][row][name] for run in mine]) for name in figures]
            seconds = _cell([run["processor_seconds"] for run in mine], "{:.0f}")
            table.add_row(row, str(len(mine)), *cells, seconds)
    console.print(table)


def _cell(values, form="{:.3f}"):
    middle, low, high = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} [{low}, {high}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--output", type=Path, default=Path("stacking.jsonl"), help="file of the runs")
    parser.add_argument("--only-show", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    console = Console(width=200)
    if not arguments.only_show:
        evaluation = TextEvaluation(recipes.named(STACKED).data, MEASURES, samples=1000).prepare()
        for seed in arguments.seeds:
            for way in ("stacked", "at once"):
                recipe = recipe_of(way, seed)
                key = {"way": way, "recipe": json.loads(recipe.to_json())}
                found = run_once(arguments.output, key, lambda recipe=recipe: measured(recipe, evaluation))
                if found is not None:
                    console.print(way, seed, found, highlight=False)
    show(console, known_runs(arguments.output))


if __name__ == "__main__":
    main()
