"""Sick settings and healthy ones over data sets: what the doctor calls each, beside a measure that is not its own.

python -m benchmarks.doctor_suite --seeds 1             # all of them, and the table
python -m benchmarks.doctor_suite --part unseen         # those on data on which nothing of the doctor was tuned
python -m benchmarks.doctor_suite --only-show           # the table of what has been run

Every run is added to --output at once and not run again, so that the work can be interrupted and shared out.

The doctor has its own options and looks every 100 steps. A sick run is "named" where the verdict at its end is an
illness, "unclear" where it is that, and "missed" otherwise; a healthy one is a "false alarm" where any verdict in its
course was an illness. Whether a run is sick is told by none of the doctor's measures: the Fréchet distance between
2,000 samples and held-out images in the first 20 principal coordinates of the training images. A setting counts as
sick where that is `SICK_FROM` times the median of the healthy runs on the same data and seed, or more, and above each
of them; it is left out where it is not. So is a healthy one that is not below `HEALTHY_BELOW` of the distance that one
picture, the mean, would have.
"""

import argparse
import collections
import dataclasses
import functools
import io
import itertools
import json
import os
import re
import statistics
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.decomposition import PCA

import keras_gans as kg
from benchmarks.filed import known_runs, run_once
from keras_gans.data.holding_out import held_out_of
from keras_gans.doctor import UNCLEAR
from keras_gans.drawing import picture as picture_of
from keras_gans.errors import NonFiniteError
from keras_gans.training import recipe as recipes
from keras_gans.training.build import scheme_of
from keras_gans.training.train import build_for, open_data, to_dataset

_BESIDE = Path(os.environ.get("TFDS_DATA_DIR", "")).parent
EMOJI = _BESIDE / "emojione" / "color"
# {name: the recipe's fields}.
DATA: dict[str, dict[str, Any]] = {
    "digits": {"data": "digits"},
    "mnist": {"data": "mnist"},
    "fashion_mnist": {"data": "fashion_mnist", "image_size": 16},
    "emoji": {"data": str(EMOJI), "image_size": 16, "channels": 3},
    "stacked_digits": {"data": "stacked_digits"},
    "shapes": {"data": "shapes/16"},
    "cifar10": {"data": "cifar10", "image_size": 16},
    "bw_emoji": {"data": str(_BESIDE / "emojione" / "bw"), "image_size": 16, "channels": 1},
    "twemoji": {"data": str(_BESIDE / "twemoji"), "image_size": 16, "channels": 3},
}
# The doctor's limits and signs may be set on the others only. What was missed on the first three made it look at the
# sharpness of images; the last two joined after that, and nothing was changed for them.
UNSEEN = ("stacked_digits", "shapes", "cifar10", "bw_emoji", "twemoji")
SAMPLES, COORDINATES, EVERY = 2000, 20, 100
SICK_FROM, HEALTHY_BELOW = 3.0, 0.2


@dataclasses.dataclass(frozen=True)
class Setting:
    """A recipe with some settings changed, on some data.

    Attributes:
        kind: what is wrong with it, for people; "" where nothing is.
        recipe: its name.
        data: a name in `DATA`.
        steps: of the generator.
        settings: {dotted key: value}, see `training.recipe.with_settings`; a list as a tuple.
    """

    kind: str
    recipe: str
    data: str
    steps: int
    settings: tuple

    @property
    def is_sick(self) -> bool:
        """Whether something is wrong with it."""
        return bool(self.kind)

    @property
    def is_unseen(self) -> bool:
        """Whether nothing of the doctor may be tuned on it."""
        return self.data in UNSEEN

    @property
    def name(self) -> str:
        """For people, and unlike any other's."""
        return f"{self.data}: {self.recipe}, {self.kind or 'healthy'}"

    def recipe_of(self, seed: int) -> recipes.Recipe:
        """The `Recipe` that it runs."""
        base = recipes.named(self.recipe).replace(seed=seed, steps=self.steps, steps_per_execution=25)
        base = base.replace(**DATA[self.data])
        return recipes.with_settings(base, {key: _as_list(value) for key, value in self.settings})


def _as_list(value):
    return list(value) if isinstance(value, tuple) else value


def _setting(kind, recipe, data, steps, settings):
    return Setting(kind, recipe, data, steps, tuple(settings.items()))


def _rates(generator=None, discriminator=None, argument="learning_rate"):
    """Settings of both players' optimizers; None leaves one as it is."""
    given = {"generator": generator, "discriminator": discriminator}
    return {f"optimizers.{player}.{argument}": rate for player, rate in given.items() if rate is not None}


def _small(filters, **settings):
    return {"generator.base_filters": filters, "discriminator.base_filters": filters, **settings}


def _units(generator=None, discriminator=None):
    given = {"generator": generator, "discriminator": discriminator}
    return {f"{player}.hidden_units": (units,) for player, units in given.items() if units is not None}


def _bare(filters, rate):
    """Small convolutional players without normalization, both at one rate."""
    players = ("generator", "discriminator")
    return _small(filters, **{f"{player}.normalization": None for player in players}, **_rates(rate, rate))


HEALTHY = tuple(
    _setting("", *row)
    for row in (
        ("gan", "digits", 1500, {}),
        ("wgan_gp_mlp", "digits", 1000, {}),
        ("dcgan", "digits", 1000, _small(16)),
        ("vae_gan", "digits", 1500, {}),
        ("cgan", "digits", 1500, {}),
        ("began", "digits", 5000, {}),
        ("r3gan", "mnist", 1500, {}),
        ("dcgan", "mnist", 1000, _small(8)),
        ("lsgan", "fashion_mnist", 1000, _small(16)),
        ("sngan", "fashion_mnist", 600, _small(12)),
        ("dcgan", "emoji", 800, _small(16)),
        ("r3gan", "stacked_digits", 1500, {}),
        ("dcgan", "stacked_digits", 1000, _small(16)),
        ("lsgan", "shapes", 1000, _small(12)),
        ("wgan_gp", "shapes", 800, _small(12)),
        ("cgan_projection", "cifar10", 1000, _small(12)),
        ("sngan", "cifar10", 800, _small(12)),
        ("dcgan", "bw_emoji", 1000, _small(16)),
        ("lsgan", "bw_emoji", 1000, _small(16)),
        ("dcgan", "twemoji", 1000, _small(16)),
        ("sngan", "twemoji", 800, _small(16)),
    )
)
# fmt: off
SICK = tuple(
    _setting(*row)
    for row in (
        ("frozen generator", "gan", "digits", 600, _rates(0.0)),
        ("frozen discriminator", "lsgan_mlp", "digits", 600, _rates(None, 0.0)),
        ("one-unit discriminator", "gan", "digits", 1500, _units(discriminator=1)),
        ("two-unit generator", "lsgan_mlp", "digits", 1500, _units(2)),
        ("overpowering discriminator", "gan", "digits", 1000, _rates(1e-6, 1e-2)),
        ("clipped at 10", "wgan_mlp", "digits", 1200, {"scheme.clip": 10.0}),
        ("no gradient penalty", "wgan_gp_mlp", "digits", 1000, {"scheme.gradient_penalty_weight": 0.0}),
        ("penalty weight 1e4", "wgan_gp_mlp", "digits", 1000, {"scheme.gradient_penalty_weight": 1e4}),
        ("discriminator fifty times too slow", "dcgan", "digits", 800, _small(16, **_rates(None, 1e-5))),
        ("rates a thousandth", "r3gan", "digits", 1500, _rates(5e-7, 5e-7)),
        ("momentum 0.999", "gan", "digits", 1500, _rates(0.999, 0.999, "beta_1")),
        ("balance at 0.1", "began", "digits", 1500, {"scheme.gamma": 0.1}),
        ("frozen decoder", "vae_gan", "digits", 600, {"optimizers.decoder.learning_rate": 0.0}),
        ("generator's rate hundredfold", "cgan", "digits", 1500, _rates(4e-2)),
        ("batches of two", "dragan", "digits", 1500, {"batch_size": 2}),
        ("one picture a class", "acgan_dcgan", "mnist", 800, _small(8)),
        ("no normalization, rates hundredfold", "dcgan", "mnist", 600, _bare(8, 5e-2)),
        ("clipped at 1e-5", "wgan_mlp", "mnist", 800, {"scheme.clip": 1e-5}),
        ("one latent", "gan", "mnist", 1500, {"latent_dim": 1}),
        ("a generator that cannot draw black", "lsgan_mlp", "mnist", 1500, {"generator.output_activation": "sigmoid"}),
        ("noise over what the discriminator sees", "cgan", "mnist", 1200, {"discriminator.input_noise": 10.0}),
        ("generator's rate a thousandth", "lsgan", "fashion_mnist", 600, _small(12, **_rates(5e-7))),
        ("one-unit discriminator", "dragan", "fashion_mnist", 1500, _units(discriminator=1)),
        ("no bounds of pixels, rates fiftyfold", "gan", "fashion_mnist", 1200,
         {"generator.output_activation": None, **_rates(5e-2, 5e-2)}),
        ("discriminator fifty times too slow", "dcgan", "emoji", 600, _small(8, **_rates(None, 1e-5))),
        ("two-unit generator", "gan", "emoji", 1200, _units(2)),
        ("rates thousandfold", "wgan_gp_mlp", "emoji", 600, _rates(1.0, 1.0)),
        # What nothing is tuned on.
        ("one-unit discriminator", "lsgan_mlp", "stacked_digits", 1500, _units(discriminator=1)),
        ("balance at 0.05", "began", "stacked_digits", 1500, {"scheme.gamma": 0.05}),
        ("penalty weight 1e4", "wgan_gp_mlp", "stacked_digits", 1000, {"scheme.gradient_penalty_weight": 1e4}),
        ("generator's rate hundredfold", "dragan", "stacked_digits", 1500, _rates(1e-1)),
        ("frozen generator", "r3gan", "stacked_digits", 600, _rates(0.0)),
        ("overpowering discriminator", "gan_minimax", "shapes", 1000, _rates(1e-6, 1e-2)),
        ("clipped at 10", "wgan_mlp", "shapes", 1200, {"scheme.clip": 10.0}),
        ("two-unit generator", "vae_gan", "shapes", 1500, {"decoder.hidden_units": (2,)}),
        ("no normalization, rates hundredfold", "lsgan", "shapes", 800, _bare(12, 5e-2)),
        ("one latent", "gan", "shapes", 1500, {"latent_dim": 1}),
        ("discriminator fifty times too slow", "lsgan", "cifar10", 800, _small(12, **_rates(None, 1e-5))),
        ("a generator that cannot draw black", "dragan", "cifar10", 1500, {"generator.output_activation": "sigmoid"}),
        ("momentum 0.999", "sngan", "cifar10", 600, _small(12, **_rates(0.999, 0.999, "beta_1"))),
        ("clipped at 1e-5", "wgan", "cifar10", 500, _small(8, **{"scheme.clip": 1e-5})),
        ("batches of two", "gan_minimax", "cifar10", 1500, {"batch_size": 2}),
        ("noise over what the discriminator sees", "dcgan", "bw_emoji", 800,
         _small(16, **{"discriminator.input_noise": 10.0})),
        ("batches of two", "gan", "bw_emoji", 1500, {"batch_size": 2}),
        ("clipped at 10", "wgan_mlp", "bw_emoji", 1200, {"scheme.clip": 10.0}),
        ("momentum 0.999", "r3gan", "bw_emoji", 1200, _rates(0.999, 0.999, "beta_1")),
        ("a generator that cannot draw black", "gan_minimax", "bw_emoji", 1500,
         {"generator.output_activation": "sigmoid"}),
        ("batches of two", "gan_minimax", "twemoji", 1500, {"batch_size": 2}),
        ("one-unit discriminator", "gan", "twemoji", 1500, _units(discriminator=1)),
        ("two-unit generator", "lsgan_mlp", "twemoji", 1500, _units(2)),
        ("generator's rate hundredfold", "dragan", "twemoji", 1500, _rates(1e-1)),
        ("no normalization, rates hundredfold", "dcgan", "twemoji", 800, _bare(8, 5e-2)),
    )
)
# fmt: on
SUITE = HEALTHY + SICK


class Judge:
    """The Fréchet distance of a data set's samples, see above."""

    def __init__(self, recipe: recipes.Recipe):
        self.source = open_data(recipe)
        held_out = held_out_of(self.source, False).samples
        rng = np.random.default_rng(0)
        training = self._flat(self.source.samples[np.sort(_some(rng, len(self.source), 5000))])
        self._projection = PCA(COORDINATES, random_state=0).fit(training)
        self._held_out = self._projection.transform(self._flat(held_out[np.sort(_some(rng, len(held_out), SAMPLES))]))
        # Of samples that are all the mean image: that of a point mass at the training data's centre.
        shift = self._held_out.mean(axis=0)
        self.of_one_picture = float(np.square(shift).sum() + np.cov(self._held_out.T).trace())
        self.of_data = self.distance(self.source.samples[np.sort(_some(rng, len(self.source), SAMPLES))])

    def distance(self, images: Any) -> float:
        """Of uint8 images (n, height, width, channels); infinity where they are not finite."""
        flat = self._flat(images)
        if not np.isfinite(flat).all():
            return float("inf")
        return float(kg.metrics.frechet_distance(self._projection.transform(flat), self._held_out))

    @staticmethod
    def _flat(images):
        return np.asarray(images, np.float64).reshape(len(images), -1) / 127.5 - 1.0


def _some(rng, length, count):
    return rng.choice(length, min(length, count), replace=False)


@functools.cache
def judge_of(data: str) -> Judge:
    """The one `Judge` of a name in `DATA`; raises `UserError` where the data are not there."""
    return Judge(recipes.named("gan").replace(**DATA[data]))


def measure(setting: Setting, seed: int, traces: Path | None = None) -> dict[str, Any]:
    """One run.

    Args:
        setting: of `SUITE`.
        seed: of weights, data order and latents.
        traces: where to leave the doctor's looks and a grid of samples, a path without its ending; or None.

    Returns:
        {"outcome": "named", "unclear", "missed"; "fine" or "false alarm" where nothing is wrong, "verdict": that at the
        end, "verdicts": [[step, verdict], ...] as they changed, "frechet": distance, "one_picture", "data": that of the
        mean image and of training images, "signs": vital signs of the last look, "seconds": of a processor}.
    """
    judge, recipe = judge_of(setting.data), setting.recipe_of(seed)
    scheme, source = scheme_of(recipe), judge.source
    console, report = Console(file=io.StringIO(), width=120), None
    if traces is not None:
        traces.parent.mkdir(parents=True, exist_ok=True)
        report = traces.with_suffix(".jsonl")
        report.unlink(missing_ok=True)
    doctor = kg.callbacks.Doctor(source.rows_for(scheme.takes), every=EVERY, console=console, report_file=report)
    model = build_for(recipe, source)
    model.steps_per_execution = recipe.steps_per_execution
    start = time.process_time()
    try:
        model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, verbose=0, callbacks=[doctor])
    except NonFiniteError as error:
        doctor.recover(error)
    seconds = time.process_time() - start
    samples = model.sample(SAMPLES, seed=10_000)
    if traces is not None:
        picture_of.save_png(picture_of.grid(samples[:64]), traces.with_suffix(".png"))
    return {
        "outcome": _outcome(setting, doctor),
        "verdict": doctor.verdict.name,
        "verdicts": [[given.step, given.name] for given in doctor.verdicts],
        "frechet": judge.distance(samples),
        "one_picture": judge.of_one_picture,
        "data": judge.of_data,
        "signs": doctor.history[-1].scalars(),
        "seconds": round(seconds, 1),
    }


def _outcome(setting, doctor):
    if setting.is_sick:
        return "named" if doctor.verdict.is_sick else "unclear" if doctor.verdict.name == UNCLEAR else "missed"
    return "false alarm" if any(given.is_sick for given in doctor.verdicts) else "fine"


def is_worse(run: dict[str, Any], healthy: list[dict[str, Any]]) -> bool:
    """Whether a sick run draws as badly as `SICK_FROM` says, beside the healthy ones of its data and seed."""
    beside = [other["frechet"] for other in healthy]
    return run["frechet"] > max(beside) and run["frechet"] >= SICK_FROM * statistics.median(beside)


def is_good(run: dict[str, Any]) -> bool:
    """Whether a healthy run truly draws: `HEALTHY_BELOW`."""
    return run["frechet"] < HEALTHY_BELOW * run["one_picture"]


def show(console: Console, runs: list[dict[str, Any]]) -> None:
    """Prints every run of `SUITE`, and the counts of each part."""
    table = Table("setting", "seed", "Fréchet", "x healthy", "x one picture", "likeness", "coverage", "said", "outcome")
    counts = collections.defaultdict(collections.Counter)
    for setting in SUITE:
        for run in (run for run in runs if run["setting"] == setting.name):
            beside = _beside(setting, run, runs)
            if not beside:
                continue
            counted = is_worse(run, beside) if setting.is_sick else is_good(run)
            part = f"{'unseen' if setting.is_unseen else 'tuned'} {'sick' if setting.is_sick else 'healthy'}"
            counts[part][run["outcome"] if counted else "left out"] += 1
            typical = statistics.median(other["frechet"] for other in beside)
            signs = (f"{run['signs'].get(name, float('nan')):.2f}" for name in ("likeness", "coverage"))
            table.add_row(
                setting.name,
                str(run["seed"]),
                f"{run['frechet']:.3g}",
                f"{run['frechet'] / typical:.1f}",
                f"{run['frechet'] / run['one_picture']:.2f}",
                *signs,
                run["verdict"],
                run["outcome"] if counted else f"left out ({run['outcome']})",
            )
    console.print(table)
    for part, found in counts.items():
        console.print(f"{part}: {', '.join(f'{name} {count}' for name, count in found.items())}", highlight=False)


def _beside(setting, run, runs):
    """The healthy runs on a run's data and seed."""
    names = {other.name for other in HEALTHY if other.data == setting.data}
    return [other for other in runs if other["setting"] in names and other["seed"] == run["seed"]]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("tuned", "unseen", "all"), default="all")
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--most", type=int, help="new runs at most, for a piece of the work")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--output", type=Path, default=Path("doctor_suite.jsonl"), help="file of the runs")
    parser.add_argument("--traces", type=Path, help="folder for each run's looks and a grid of its samples")
    parser.add_argument("--only-show", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    # Wide enough for a file, where there is no terminal.
    console = Console(width=None if Console().is_terminal else 180)
    parts = ("all", "tuned"), ("all", "unseen")
    wanted = [s for s in SUITE if arguments.part in parts[s.is_unseen] and s.data in arguments.data]
    left = arguments.most or len(SUITE) * len(arguments.seeds)
    for setting, seed in [] if arguments.only_show else itertools.product(wanted, arguments.seeds):
        if left and _run(console, arguments, setting, seed):
            left -= 1
            keras.backend.clear_session()
    show(console, known_runs(arguments.output))


def _run(console, arguments, setting, seed):
    """Trains and measures one run, unless the file has it, and adds it there; whether it did."""
    traces = arguments.traces and arguments.traces / re.sub(r"\W+", "-", f"{setting.name} {seed}")
    key = {"setting": setting.name, "seed": seed, "settings": dict(setting.settings), "steps": setting.steps}
    # As the file has it.
    key = json.loads(json.dumps(key))
    figures = run_once(arguments.output, key, lambda: measure(setting, seed, traces))
    if figures is not None:
        said = f"{figures['outcome']} ({figures['verdict']}), Fréchet distance {figures['frechet']:.3g}"
        console.print(f"{setting.name}, seed {seed}: {said}, {figures['seconds']:.0f} s", highlight=False)
    return figures is not None


if __name__ == "__main__":
    main()
