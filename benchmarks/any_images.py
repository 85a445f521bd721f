"""Which recipe draws images best that nobody tuned it to, at equal processor time.

    python -m benchmarks.any_images --data path/to/emoji fashion_mnist cifar10 --image-size 32 --methods dcgan chosen
    python -m benchmarks.any_images --data path/to/emoji --rows 100 300 1000 --methods r3gan r3gan_augmented
    python -m benchmarks.any_images --data path/to/emoji --image-size 32 --extractor patches cifar10 --pictures drawn
    python -m benchmarks.any_images --only-show

`chosen` is what `keras-gans train --data` takes, with its own number of steps where they fit into the seconds, and
`chosen_longer` the same asked for as many as do; `dcgan_images` and `dcgan_r1` are the recipes that it takes of images
without classes, and see none where there are some. Every other method has the networks of DCGAN, `hinge_residual` those
of SNGAN, at one width unless --set says otherwise. All have as many seconds of the processor for their training steps:
a few steps tell how many that are, and rates that fall do so over these. The figures are `Evaluation`'s, by its own
choice of features or by each --extractor, against images that were held out: Fréchet distance, the same to the training
images, as the literature has it, kernel distance, coverage and memorization. A Fréchet distance to few images is mostly
that they are few; the kernel distance is not, and training images are the more, though who copies them is at 0. Beside
the figures stand what training data (to the training images: held-out data), uniform noise and copies of 100 training
images score. Every run is added to --output at once and not run again. Figures do not see all that people do:
--pictures has a grid of each run's samples.
"""

import argparse
import dataclasses
import hashlib
import json
import math
import re
import statistics
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.filed import add_run, is_known, known_runs
from keras_gans.data.holding_out import held_out_of
from keras_gans.data.source import sample_column
from keras_gans.drawing.picture import grid, save_png
from keras_gans.fields import Images
from keras_gans.metrics import Evaluation, features
from keras_gans.training import recipe as recipes
from keras_gans.training.choosing import AUGMENTATION, choose, is_seen_often, with_augmentation
from keras_gans.training.train import build_for, open_data, to_dataset

_R3GAN = {
    "scheme": {"name": "r3gan", "penalties": [{"name": name, "weight": 1.0} for name in ("r1", "r2")]},
    "discriminator.normalization": None,
    "ema": 0.999,
    "learning_rate_schedule": "linear",
}
_HINGE = {
    "scheme": {"name": "sngan"},
    "discriminator.normalization": "spectral",
    "ema": 0.999,
    "learning_rate_schedule": "linear",
}
_RESIDUAL = {"generator": {"name": "resnet_generator"}, "discriminator": {"name": "resnet_discriminator"}}
# {method: settings beside those of the recipe `dcgan`}, None for the recipe that fits the data, or the name of one.
METHODS = {
    "chosen": None,
    "chosen_longer": None,
    "dcgan_images": "dcgan_images",
    "dcgan_r1": "dcgan_r1",
    "dcgan": {},
    "dcgan_average": {"ema": 0.999, "learning_rate_schedule": "linear"},
    "hinge": _HINGE,
    "hinge_residual": {**_HINGE, "networks": _RESIDUAL},
    "r3gan": _R3GAN,
    "r3gan_augmented": _R3GAN | {"discriminator.augmentation": AUGMENTATION},
    "r3gan_adaptive": _R3GAN | {"discriminator.augmentation": {**AUGMENTATION, "target": 0.6, "images": 100_000}},
}
FIGURES = {
    "frechet_distance": "{:.3f}",
    "frechet_distance_to_training": "{:.3f}",
    "kernel_distance": "{:.4f}",
    "coverage": "{:.2f}",
    "memorization": "{:.2f}",
}
HEADERS = ("Fréchet distance", "to training", "kernel distance", "coverage", "memorized")
_WARM_UP, _TIMED = 5, 25
_WIDTH = 150
_IN_A_PICTURE = 100
_LONGEST_NAME = 200


def recipe_for(method, data, image_size=None, seed=0, settings=None):
    """The recipe of a method on a data set, without its number of steps.

    Args:
        method: a key of `METHODS`.
        data, image_size, seed: as a `Recipe` has them.
        settings: {setting: value} beside the method's.
    """
    known = METHODS[method]
    if known is None:
        base = choose(data, image_size, augmentation=False)
    else:
        base = recipes.named(known if isinstance(known, str) else "dcgan")
    changes = {**(known if isinstance(known, dict) else {}), **(settings or {})}
    base = base.replace(data=data, image_size=image_size, seed=seed, steps_per_execution=5)
    base = base.replace(**{name: changes.pop(name) for name in ("scheme", "networks") if name in changes})
    return recipes.with_settings(base, changes)


def measure(recipe, seconds, rows=None, most_steps=math.inf, choosing=False, extractors=(None,), picture=None):
    """A recipe trains for so many seconds of the processor, and is measured by each extractor.

    Args:
        recipe: its own number of steps does not count.
        seconds: see above.
        rows: of so many images; all unless given.
        most_steps: no more steps than these, whatever the seconds.
        choosing: whether images that are seen often enough are augmented, as by `choose`; `augmented` says whether.
        extractors: each an `Extractor`, or as `Evaluation` has it.
        picture: path of a PNG file for a grid of samples; none unless given.

    Returns:
        List of dictionaries, one for each extractor: `FIGURES`, and the steps, seconds and `augmented` of them all.
    """
    # All methods are to hold out the same images. Which they are hangs on the pixels, so that grey ones are made here.
    in_grey = recipe.channels == 1
    as_stored = _rows_of(open_data(recipe.replace(channels=None) if in_grey else recipe), rows, recipe.seed)
    source = _in_grey(as_stored) if in_grey else as_stored
    recipe = recipe.replace(steps=min(most_steps, _steps_in(seconds, recipe, source)))
    augmented = choosing and is_seen_often(recipe, len(source))
    if augmented:
        recipe = with_augmentation(recipe)
        recipe = recipe.replace(steps=min(most_steps, _steps_in(seconds, recipe, source)))
    model, used = build_for(recipe, source), time.process_time()
    model.fit(to_dataset(recipe, source), steps_per_epoch=recipe.steps, epochs=1, verbose=0)
    used = time.process_time() - used
    model = model if source is as_stored else _InColour(model)
    if picture is not None:
        picture.parent.mkdir(parents=True, exist_ok=True)
        save_png(grid(model.sample(_IN_A_PICTURE, seed=recipe.seed)), picture)
    same = {"steps": recipe.steps, "seconds": used, "augmented": augmented}
    ready = (Evaluation(as_stored, metrics=_MEASURES, extractor=extractor) for extractor in extractors)
    return [_figures(evaluation.of(model)) | same for evaluation in ready]


def _measured(method, recipe, seconds, rows=None, extractors=(None,), picture=None):
    """`measure` as the method has it; an augmentation that was set, null too, stays as it is."""
    is_own = _augmentation_of(recipe) == _augmentation_of(recipes.named(recipe.name))
    choosing = METHODS[method] is None and is_own
    most_steps = recipe.steps if method == "chosen" else math.inf
    return measure(recipe, seconds, rows, most_steps, choosing, extractors, picture)


def _augmentation_of(recipe):
    """(augmentation,) of a recipe's discriminator, () where it says none."""
    said = recipe.networks["discriminator"]
    return (said["augmentation"],) if "augmentation" in said else ()


def _rows_of(source, rows, seed):
    """So many rows of a source, drawn by the seed, what it holds out being the same; all rows of None."""
    if rows is None:
        return source
    some = source.take(np.random.default_rng(seed).permutation(len(source))[:rows])
    return dataclasses.replace(some, held_out=held_out_of(source))


def _in_grey(source):
    """A source of images in equal channels, of which the first is kept; itself where there is one."""
    if source.sample_shape[-1] == 1:
        return source
    columns = {
        name: sample_column(column.values[..., :1], column.group) if isinstance(column.field, Images) else column
        for name, column in source.columns.items()
    }
    held_out = held_out_of(source)
    return dataclasses.replace(source, columns=columns, held_out=held_out and _in_grey(held_out))


class _InColour:
    """A model of grey images whose samples have three channels, to be measured as those of every method are."""

    def __init__(self, model):
        self._model = model

    def sample(self, count, seed):
        return np.repeat(self._model.sample(count, seed=seed), 3, axis=-1)

    def sample_shape(self):
        return (*self._model.sample_shape()[:2], 3)


_MEASURES = (
    "frechet_distance",
    "frechet_distance_to_training",
    "kernel_distance",
    "precision_recall",
    "memorization",
)


def _figures(scores):
    return {score.name: score.value for score in scores if score.name in FIGURES}


def _steps_in(seconds, recipe, source):
    """How many steps of a recipe take so many seconds of the processor, its tracing left out."""
    model, batches = build_for(recipe, source), to_dataset(recipe, source)
    clock = []
    for count in (_WARM_UP, _TIMED):
        start = time.process_time()
        model.fit(batches, steps_per_epoch=count * recipe.steps_per_execution, verbose=0)
        clock.append(time.process_time() - start)
    each = clock[1] / (_TIMED * recipe.steps_per_execution)
    return max(1, round(seconds / each))


def references(recipe, extractor=None):
    """{name: figures} of what no generator made."""
    source = open_data(recipe)
    ready = Evaluation(source, metrics=_MEASURES, extractor=extractor).prepare()
    rng = np.random.default_rng(0)
    count = min(ready.samples, 5000)
    some = source.samples[np.sort(rng.permutation(len(source))[:100])]
    made = {
        "100 of them, copied": some[rng.integers(0, len(some), count)],
        "uniform noise": rng.integers(0, 256, (count, *source.sample_shape), dtype=np.uint8),
    }
    scores = {name: ready.of_samples(each) for name, each in made.items()}
    # Of training images that leave themselves out where they are compared with training images.
    floors = {score.name: score.floor for score in scores["uniform noise"] if score.name in FIGURES}
    return {"training data": floors} | {name: _figures(found) for name, found in scores.items()}


def show(console, data, runs, recipe, extractor):
    """Prints one data set's table, of the runs that were measured by one extractor."""
    mine = [run for run in runs if run["data"] == data and run.get("extractor") == extractor.name]
    columns = ("method", "images", "seconds", "steps", "seeds", *HEADERS)
    table = Table(*columns, title=f"{Path(data).name}, by {extractor.name}")
    for rows, budget, method in sorted({_group_of(run) for run in mine}):
        found = [run for run in mine if _group_of(run) == (rows, budget, method)]
        steps = f"{statistics.median(run['steps'] for run in found):,.0f}"
        cells = [_cell([run.get(name) for run in found], form) for name, form in FIGURES.items()]
        table.add_row(method, f"{rows or 'all'}", f"{budget:,}", steps, str(len(found)), *cells)
    for name, figures in references(recipe, extractor).items():
        table.add_row(name, "", "", "", "", *(FIGURES[key].format(figures[key]) for key in FIGURES), style="dim")
    console.print(table)


def _group_of(run):
    """What the runs of one row have in common, whatever their seeds: (rows, seconds, method with its settings)."""
    words = [run["method"], *(run.get("set") or [])]
    if size := run["recipe"].get("image_size"):
        words.append(f"{size} pixels")
    return run["rows"] or 0, run["budget"], ", ".join(words)


def _cell(values, form):
    # Runs that were filed before there was a figure do not have it.
    if None in values:
        return "not measured"
    middle, low, high = (form.format(each) for each in (statistics.median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} [{low}, {high}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["digits"], help="names of data sets or folders of images")
    parser.add_argument("--image-size", type=int, help="of folders of images; their own or 64 unless given")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=int, default=1200, help="of the processor, over all cores; 1200 unless given")
    parser.add_argument("--rows", nargs="+", type=int, default=[None], help="of so many images; all unless given")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting beside the method's")
    parser.add_argument(
        "--extractor", nargs="+", choices=features.EXTRACTORS, help="one or several; the one that fits unless given"
    )
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="for a grid of each run's samples")
    parser.add_argument("--output", type=Path, default=Path("any_images.jsonl"), help="file of the runs")
    parser.add_argument("--only-show", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    # The table is wider than many a terminal, and a figure that is cut off tells nothing.
    console = Console()
    console.width = max(console.width, _WIDTH)
    settings = dict(recipes.parse_assignment(each) for each in arguments.set)
    for data in arguments.data:
        size = arguments.image_size if Path(data).expanduser().is_dir() else None
        plain = recipe_for("dcgan", data, size)
        # One of all images, so that figures of fewer of them may be compared.
        whole = open_data(plain)
        names = dict.fromkeys(arguments.extractor or [features.name_for(whole)])
        extractors = [features.made_for(whole, name, progress=True) for name in names]
        for seed in [] if arguments.only_show else arguments.seeds:
            for rows in arguments.rows:
                for method in arguments.methods:
                    recipe = recipe_for(method, data, size, seed, settings)
                    _run(console, arguments, method, recipe, rows, extractors)
        for extractor in extractors:
            show(console, data, known_runs(arguments.output), plain, extractor)


def _run(console, arguments, method, recipe, rows, extractors):
    """Trains one run and measures it by the extractors for which the file does not have it."""
    fields = json.loads(recipe.to_json())
    key = {"data": recipe.data, "method": method, "rows": rows, "budget": arguments.seconds, "recipe": fields}
    # A recipe does not tell a setting of null that was asked for from none.
    key |= {"set": sorted(arguments.set) or None}
    missing = [each for each in extractors if not is_known(arguments.output, key | {"extractor": each.name})]
    if not missing:
        return
    what = f"{recipe.data}, {method}, {rows or 'all'} images, seed {recipe.seed}"
    picture = None if arguments.pictures is None else arguments.pictures / _picture_of(recipe, method, rows, arguments)
    with console.status(f"{what}: {arguments.seconds} s ..."):
        measured = _measured(method, recipe, arguments.seconds, rows, missing, picture)
    for extractor, figures in zip(missing, measured, strict=True):
        add_run(arguments.output, key | {"extractor": extractor.name} | figures)
        said = ", ".join(f"{name} {form.format(figures[name])}" for name, form in FIGURES.items())
        console.print(
            f"{what}, by {extractor.name}: {said}, {figures['steps']:,} steps, {figures['seconds']:.0f} s"
            + ", augmented" * figures["augmented"],
            highlight=False,
        )


def _picture_of(recipe, method, rows, arguments):
    """The name of a run's picture, which tells it from those of other runs."""
    words = [Path(recipe.data).name, method, f"{rows or 'all'} images", f"seed {recipe.seed}"]
    words += [f"{arguments.seconds} seconds", *arguments.set]
    name = re.sub(r"[^a-z0-9.]+", "_", " ".join(words).lower()).strip("_")
    if len(name) > _LONGEST_NAME:
        # A file system has an end to names, and a run of twenty minutes would be lost to it.
        name = f"{name[:_LONGEST_NAME]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return name + ".png"


if __name__ == "__main__":
    main()
