"""What tells how far a GAN has come: four measures along the same training runs, and how each ranks with the FID.

python -m benchmarks.convergence_measures                          # three seeds, the figure and the table
python -m benchmarks.convergence_measures --recipes began --seeds 5
python -m benchmarks.convergence_measures --only-show              # the table and the figure of what has been run

Every run is added to --output at once and not run again. At twelve steps, evenly spaced on a logarithmic scale, stand

- FID: the Fréchet distance of 5,000 samples to the held-out images in the features of the project's own classifier;
- inversion: the reconstruction loss of Xiang and Li (2017): how near descent on z comes to held-out images;
- critic: a Wasserstein estimate that knows nothing of the run. A fresh critic is trained by WGAN-GP between training
  images and the generator, which stands still, then asked for E f(x) - E f(G(z)) on held-out images and new samples;
- own: the curve that the scheme itself reports, its mean over the last steps before the measurement: M_global of BEGAN
  (Berthelot et al., 2017), or the Wasserstein estimate of WGAN-GP's own critic (Gulrajani et al., 2017).

All runs have sixteen latents: a generator with more latents than the data has dimensions comes near to every image from
its first steps on, and the loss of inverting it says nothing. BEGAN's players are as large as each other and its gamma
is 0.5, as in the paper. Spearman's rank correlation of a measure and the FID is
taken over the twelve steps of one run.
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

import keras_gans as kg
from benchmarks.filed import known_runs, run_once
from keras_gans.drawing import picture, plot
from keras_gans.optimizers import Adam
from keras_gans.training import recipe as recipes
from keras_gans.training.train import build_for, to_dataset

# {recipe: (the curve that its scheme reports, what the figure calls it)}.
RECIPES = {"began": ("convergence_measure", "M_global"), "wgan_gp_mlp": ("wasserstein_estimate", "own critic")}
MEASURES = ("fid", "inversion", "critic", "own")
LOOKS, FIRST_LOOK, LATENTS = 12, 50, 16
FID_SAMPLES, INVERTED, CRITIC_STEPS = 5000, 200, 400
FIGURE = Path(__file__).parent.parent / "docs" / "pictures" / "convergence-measures.png"
# What is changed of a recipe.
CHANGES = {
    "began": {
        "scheme": {"name": "began", "gamma": 0.5, "lambda_k": 0.01},
        "generator": {
            "name": "mlp_generator",
            "hidden_units": [128, 128],
            "activation": "elu",
            "output_activation": None,
        },
        "discriminator": {"name": "mlp_autoencoder", "hidden_units": [128], "activation": "elu"},
        "batch_size": 32,
    }
}


def recipe_of(name):
    """A recipe as it is measured here."""
    return recipes.named(name).replace(latent_dim=LATENTS, **CHANGES.get(name, {}))


def looks(steps):
    """The steps at which a run of so many is measured, ascending integers."""
    return np.unique(np.geomspace(min(FIRST_LOOK, steps), steps, LOOKS).round().astype(int)).tolist()


def critic_estimate(model, training, held_out, seed):
    """E f(x) - E f(G(z)) of a critic trained from its start against a generator that stands still.

    Args:
        model: a `GAN`.
        training: float32 images (n, ...) to train the critic on.
        held_out: float32 images to ask it about, beside as many samples.
        seed: of the critic and the order.
    """
    keras.utils.set_random_seed(seed)
    shape = model.sample_shape()
    make = kg.networks.mlp_discriminator if shape[0] < 16 else kg.networks.dcgan_discriminator
    options = {"hidden_units": (128, 128)} if shape[0] < 16 else {"base_filters": 16, "normalization": None}
    # A copy: batch normalization would follow the passes of another player's training.
    generator = keras.models.clone_model(model.generator)
    generator.set_weights(model.generator.get_weights())
    judge = kg.schemes.WGANGP(
        generator, make(shape, **options), latent_prior=model.latent_prior, discriminator_steps=1, seed=seed
    )
    rate = keras.optimizers.schedules.CosineDecay(1e-3, CRITIC_STEPS)
    judge.compile({"discriminator": Adam(rate, beta_1=0.5, beta_2=0.9), "generator": keras.optimizers.SGD(0.0)})
    batches = kg.data.to_dataset(kg.data.open_source(training), batch_size=64, seed=seed, repeat=True)
    judge.fit(batches, steps_per_epoch=CRITIC_STEPS, epochs=1, verbose=0)
    samples = kg.pixels.from_uint8(model.sample(len(held_out), seed=2_000_000)).numpy()
    return float(np.mean(judge.discriminator(held_out)) - np.mean(judge.discriminator(samples)))


def measure(recipe):
    """{"step" and each of `MEASURES`: list} of one run of a recipe of `RECIPES`."""
    source = kg.data.open_source(recipe.data)
    held_out = kg.pixels.from_uint8(np.asarray(kg.data.open_source(recipe.data, split="test").samples[:500])).numpy()
    training = kg.pixels.from_uint8(np.asarray(source.samples[:10_000])).numpy()
    distance = kg.metrics.Evaluation(source, ["frechet_distance"], FID_SAMPLES)
    model, curve = build_for(recipe, source), RECIPES[recipe.name][0]
    found = {name: [] for name in ("step", *MEASURES)}
    for step in looks(recipe.steps):
        own = _train_until(model, recipe, source, step)[curve]
        found["step"].append(step)
        found["fid"].append(distance.of(model)[0].value)
        found["inversion"].append(kg.latent.reconstruction_loss(model, held_out[:INVERTED]).mean)
        found["critic"].append(critic_estimate(model, training, held_out, recipe.seed))
        found["own"].append(own)
    return found


def _train_until(model, recipe, source, step):
    """Trains up to a step; {curve: its mean over the last fifty steps, or over as many as there were}."""
    last = min(FIRST_LOOK, step - model.steps_taken)
    for until in (step - last, step):
        todo = until - model.steps_taken
        if todo:
            order = to_dataset(recipe, source, skip_batches=model.steps_taken * model.batches_per_step())
            history = model.fit(order, steps_per_epoch=todo, epochs=1, verbose=0).history
    return {name: values[-1] for name, values in history.items()}


def correlations(run):
    """{measure: Spearman's rank correlation with the FID over the steps of a run}."""
    return {name: float(spearmanr(run[name], run["fid"])[0]) for name in MEASURES[1:]}


def _cell(values, form="{:+.2f}"):
    middle, low, high = (form.format(value) for value in (np.median(values), min(values), max(values)))
    return f"{middle} [{low}, {high}]"


def show(console, runs):
    """Prints, for each recipe, every measure at the first, the best and the last step, and its rank correlation.

    Figures are the median over the seeds and their range.
    """
    table = Table("recipe", "seeds", "measure", "first step", "lowest", "last step", "rank correlation with FID")
    for name, (_, own) in RECIPES.items():
        mine = [run for run in runs if run["recipe"]["name"] == name]
        for measured in MEASURES if mine else ():
            curves = [run[measured] for run in mine]
            chosen = ([curve[0] for curve in curves], list(map(min, curves)), [curve[-1] for curve in curves])
            row = [_cell(values, "{:.3g}") for values in chosen]
            ranks = "" if measured == "fid" else _cell([correlations(run)[measured] for run in mine])
            table.add_row(name, str(len(mine)), own if measured == "own" else measured, *row, ranks)
    console.print(table)


def panels(runs):
    """The figure: a row for each recipe, a panel for each measure, a line for each seed's run."""
    titles = {"fid": "FID", "inversion": "Reconstruction loss", "critic": "Fresh critic's estimate"}
    drawn = []
    for name, (_, own) in RECIPES.items():
        mine = [run for run in runs if run["recipe"]["name"] == name]
        for measured in MEASURES if mine else ():
            title = titles.get(measured, "M_global" if own == "M_global" else "Own critic's estimate")
            rank = "" if measured == "fid" else f"rank correlation {_cell([correlations(r)[measured] for r in mine])}"
            curves = [
                plot.Curve(run["step"], run[measured], rank if index == 0 else "", colour=plot.PALETTE[0], size=1.6)
                for index, run in enumerate(mine)
            ]
            scale = {"x_label": "step", "x_scale": "log", "height": 260}
            drawn.append(plot.Panel(curves, title=f"{name}: {title}", **scale))
    return drawn


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--seeds", type=int, default=3, help="runs of each recipe, seeds 0, 1, ...")
    parser.add_argument("--data", default="digits", help="digits, mnist, fashion_mnist or cifar10")
    parser.add_argument("--steps", type=int, help="of a run, instead of the recipe's")
    parser.add_argument("--output", type=Path, default=Path("convergence_measures.jsonl"), help="file of the runs")
    parser.add_argument("--figure", type=Path, default=FIGURE, help="PNG file of the figure")
    parser.add_argument("--only-show", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    console = Console()
    for seed in [] if arguments.only_show else range(arguments.seeds):
        for name in arguments.recipes:
            recipe = recipe_of(name)
            recipe = recipe.replace(seed=seed, data=arguments.data, steps=arguments.steps or recipe.steps)
            with console.status(f"{name}, seed {seed}: {recipe.steps} steps ..."):
                key = {"recipe": json.loads(recipe.to_json())}
                run_once(arguments.output, key, lambda recipe=recipe: measure(recipe))
    runs = [run for run in known_runs(arguments.output) if run["recipe"]["data"] == arguments.data]
    show(console, runs)
    if runs:
        picture.save_png(plot.draw(panels(runs), width=1280, columns=len(MEASURES)), arguments.figure)
        console.print(f"{arguments.figure} shows {len(runs)} runs.", highlight=False)


if __name__ == "__main__":
    main()
