"""Makes the presets that come along.

    python -m keras_gans.presets.make dcgan_digits
    python -m keras_gans.presets.make --all
    python -m keras_gans.presets.make --all --measure

Each is its recipe with its seed, trained, turned into 16 bits, measured as it then is, and drawn. A preset that is
there, of the same recipe, is left as it is; Ctrl-C, or a signal to end, saves, and the same command goes on from there.
--measure trains nothing and writes the figures anew, by today's protocol, into the cards of those that are there.
"""

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path

from keras_gans.errors import UserError, unknown_name
from keras_gans.printing import Console
from keras_gans.runs import published, run_directory
from keras_gans.training.recipe import Recipe

from .zoo import PRESETS

ZOO = Path(__file__).parent / "zoo"
_SAMPLES = 2000


def make(name: str, work: str | Path, again: bool = False) -> bool:
    """Trains and writes one preset.

    Args:
        name: one of `zoo.PRESETS`.
        work: folder of the runs, which go on where they were interrupted.
        again: whether to make one that is there.

    Returns:
        Whether it is there now; False where the training was interrupted.
    """
    from keras_gans.training.train import train

    from .storing import store

    preset, console, folder = _named(name), Console(), ZOO / name
    recipe = preset.trained()
    if not again and is_made_of(folder, recipe):
        console.print(f"{name} is there.", highlight=False)
        return True
    root = Path(work) / name
    run = run_directory.latest_with_checkpoint(root)
    if run is None or run_directory.step_of(run_directory.latest_checkpoint(run)) < recipe.steps:
        outcome = train(recipe, root=root, run=run, console=console, automatic=True)
        if outcome.signal is not None:
            return False
        run = outcome.run
    command = f"python -m keras_gans.presets.make {name}"
    described = store(run, folder, name=name, draws=preset.draws, command=command, measure=_measure)
    console.print(f"{name}: {described['files'][published.MODEL]['bytes']:,} bytes in {folder}", highlight=False)
    return True


def measure_again(name: str) -> None:
    """Measures a preset that is there, and writes the figures into its card; all the rest of it stays.

    Args:
        name: one of `zoo.PRESETS`.

    Raises:
        UserError: no such preset, or none of today's recipe is there.
    """
    from keras_gans.export import card, run_record

    preset, folder = _named(name), ZOO / name
    if not is_made_of(folder, preset.trained()):
        raise UserError(
            f"--measure is of presets that are there. {name} is not, or is of another recipe: python -m "
            f"keras_gans.presets.make {name} makes it, figures included."
        )
    with tempfile.TemporaryDirectory() as scratch:
        copied = Path(scratch) / name
        published.copy(folder, copied)
        _measure(copied)
        described, found = published.described(copied), published.read_json(copied / "evaluation.json")
        evaluation = run_record.evaluation_at(copied, described["step"])
        card.renew_figures(copied, {"evaluation": evaluation, "classifier": found.get("classifier")}, described)
        published.copy(copied, folder)
    Console().print(f"{name}: {len(evaluation)} figures in {folder}", highlight=False, soft_wrap=True)


def _named(name):
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]


def is_made_of(folder: Path, recipe: Recipe) -> bool:
    """Whether a preset is there whose recipe, but for its optimizers, which it has in full, is that one."""
    try:
        published.check(folder)
        if not (folder / "README.md").is_file():
            return False
        there = Recipe.from_dict(published.read_json(folder / published.RECIPE))
    except UserError:
        return False
    # A run's recipe has its optimizers in full.
    return dataclasses.replace(there, optimizers=recipe.optimizers) == _as_read(recipe)


def _as_read(recipe):
    """A recipe as its file gives it back: lists for tuples."""
    return Recipe.from_dict(json.loads(recipe.to_json()))


def _measure(folder):
    """Writes the evaluation of a preset as it is, of 16 bits."""
    from keras_gans.metrics import evaluation_of
    from keras_gans.training.build import scheme_of
    from keras_gans.training.evaluate_command import write_evaluation
    from keras_gans.training.going_on import recipe_of
    from keras_gans.training.train import classifier_accuracy, open_data

    recipe = recipe_of(folder)
    source = open_data(recipe)
    evaluation = evaluation_of(scheme_of(recipe), source, None, _SAMPLES, 0)
    evaluation.prepare()
    model = run_directory.load_run(folder)
    scores = evaluation.of(model)
    classifier = classifier_accuracy(recipe, source)
    accuracies = [] if classifier is None else classifier.of(model)
    write_evaluation(folder, "latest", model.steps_taken, scores, accuracies, None)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m keras_gans.presets.make", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to make")
    parser.add_argument("--all", action="store_true", help="make all that are not there; with --measure, measure all")
    parser.add_argument("--again", action="store_true", help="make those that are there, too")
    parser.add_argument("--measure", action="store_true", help="measure those that are there anew, and train none")
    parser.add_argument("--work", help="folder of the runs that train them; runs/presets unless given")
    options = parser.parse_args()
    if bool(options.names) == options.all:
        parser.error("name some, or give --all: " + ", ".join(PRESETS))
    if options.measure and (options.again or options.work is not None):
        parser.error("--measure trains nothing, so it takes neither --again nor --work")
    try:
        for name in PRESETS if options.all else options.names:
            if options.measure:
                measure_again(name)
            elif not make(name, options.work or "runs/presets", options.again):
                sys.exit("Interrupted and saved. The same command goes on.")
    except UserError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
