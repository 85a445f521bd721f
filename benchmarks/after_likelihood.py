"""What follows maximum likelihood in translation: as many updates of each kind from one and the same translator.

    python -m benchmarks.after_likelihood adversarial_nmt --seeds 0 1 2 --output digits.jsonl
    python -m benchmarks.after_likelihood adversarial_nmt_multi30k --seeds 0 1 2 --updates 200 --rate 3e-4 \\
        --checkpoint begun/{seed}/step-00004000.keras --output multi30k.jsonl
    python -m benchmarks.after_likelihood adversarial_nmt --output digits.jsonl --only-print

The translator is trained by maximum likelihood, as the recipe says, and kept as a checkpoint where one is named, or it
comes from there. Then it goes on, each time from there, with its optimizer's state: by maximum likelihood (the
control), minimum risk, or against the discriminator, which learns alone first. The rate falls to 0 over these updates
in all of them alike. BLEU and chrF are sacreBLEU's, of the held-out sentences; differences from the control come with a
paired bootstrap over the sentences. A way that the file has is not run again.
"""

import argparse
import functools
import gzip
import json
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

import keras_gans as kg
from benchmarks.filed import known_runs, run_once
from keras_gans import randomness
from keras_gans.metrics import evaluation_of
from keras_gans.runs import run_directory
from keras_gans.training.build import scheme_of
from keras_gans.training.recipe import named
from keras_gans.training.train import build_for, open_data, to_dataset

BEFORE, CONTROL = "before", "likelihood"
# What each way changes in the recipe's scheme.
WAYS = {
    CONTROL: {},
    "minimum_risk": {"reward": "sentence_bleu"},
    "adversarial": {"reward": "discriminator"},
    "adversarial_roll_out": {"reward": "discriminator", "roll_outs": 2},
}
WARM_UP_ACCURACY = "discriminator_accuracy of its warm-up"
HELD_OUT_ACCURACY = "discriminator_accuracy of held-out pairs"
_CURVES = ("discriminator_accuracy", "reward", "likelihood", "entropy")
_CURVES_EVERY = 10


def begins_after(recipe):
    """Steps of the recipe's maximum likelihood."""
    return recipe.scheme["likelihood_steps"]


def beginning(recipe, source, checkpoint=None):
    """The recipe's model with the translator of a checkpoint, or after its phase of maximum likelihood.

    A checkpoint that is not there is written.
    """
    model = build_for(recipe, source)
    if checkpoint is not None and checkpoint.exists():
        # The recipe's way of decoding, whatever the checkpoint's was.
        take_over(model, run_directory.load_checkpoint(checkpoint))
        return model
    fit(recipe, source, model, begins_after(recipe))
    if checkpoint is not None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        model.save(checkpoint)
    return model


def take_over(model, other):
    """Gives a model the translator of another, its optimizer's state and its steps."""
    model.generator.set_weights(other.generator.get_weights())
    states = (each.optimizers["generator"].variables for each in (model, other))
    for variable, value in zip(*states, strict=True):
        if "learning_rate" not in variable.path:
            variable.assign(value)
    model.step.assign(other.steps_taken)


def fit(recipe, source, model, until, callbacks=()):
    """Trains a model of a recipe up to so many steps."""
    steps = until - model.steps_taken
    rows = to_dataset(recipe, source, skip_batches=model.steps_taken, model=model)
    model.fit(rows, steps_per_epoch=steps, verbose=0, callbacks=list(callbacks))


def gone_on(recipe, source, begun, way, updates, rate=None, callbacks=()):
    """A model that goes on from the translator of another, and its optimizer, for so many updates of one of `WAYS`.

    The translator's rate begins with `rate`, where given, and falls to 0.
    """
    done, scheme = begun.steps_taken, {**recipe.scheme, **WAYS[way], "likelihood_steps": begun.steps_taken}
    if way == CONTROL:
        scheme |= {"likelihood_steps": done + updates, "warm_up_steps": 0}
    elif scheme["reward"] == "sentence_bleu":
        scheme["warm_up_steps"] = 0
    end = done + scheme["warm_up_steps"] + updates
    chosen = recipe.replace(scheme=scheme, steps=end, learning_rate_schedule="linear")
    if rate is not None:
        # A line that has come down to it by now.
        translator = {**recipe.optimizers["generator"], "learning_rate": rate * (done + updates) / updates}
        chosen = chosen.replace(optimizers={**recipe.optimizers, "generator": translator})
    model = build_for(chosen, source)
    take_over(model, begun)
    fit(chosen, source, model, end, callbacks)
    return model


def figures_of(evaluation, model):
    """(figures of a model, its greedy translations)."""
    sources, _ = evaluation.held_out
    translated = model.translate(sources)
    figures = {name: value for name, (value, _) in evaluation.of_texts(translated).items()}
    beam = evaluation.of_texts(model.translate(sources, method="beam"))
    figures |= {f"{name}_beam": value for name, (value, _) in beam.items()}
    figures["entropy"], figures["likeliest_share"] = model.peakiness(*evaluation.held_out)
    return figures, translated


def curves_of(file):
    """{curve: [mean of the first fifth, mean of the last]} of the updates in the last phase.

    Of the phase in which the discriminator learns alone, its first accuracy and its last one.
    """
    points = [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]
    # Where the generator stands still, it has no likelihood.
    warm_up = [point["discriminator_accuracy"] for point in points if "likelihood" not in point]
    points = [point for point in points if "likelihood" in point]
    part = max(1, len(points) // 5)
    of_warm_up = {WARM_UP_ACCURACY: [warm_up[0], warm_up[-1]]} if warm_up else {}
    return of_warm_up | {
        name: [float(np.mean([point[name] for point in some])) for some in (points[:part], points[-part:])]
        for name in _CURVES
        if points and all(name in point for point in points)
    }


class HeldOutAccuracy(keras.callbacks.Callback):
    """D's share of right answers on held-out pairs, of which half are drawn, after its warm-up and at the end.

    Its accuracy in training is of references that it has seen in earlier epochs.

    Args:
        held_out: (sources, references), lists of texts.
    """

    def __init__(self, held_out):
        super().__init__()
        self._pairs = dict(zip(("source", "target"), map(np.array, held_out), strict=True))
        self.values = []

    def on_train_begin(self, logs=None):
        self._end_of_warm_up = self.model.likelihood_steps + self.model.warm_up_steps

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_taken == self._end_of_warm_up:
            self._measure()

    def on_train_end(self, logs=None):
        self._measure()

    def _measure(self):
        with randomness.stream(randomness.root_seed(0, 0)):
            real, drawn = self.model.judged(self._pairs)["discriminator"]
        self.values.append(float(np.mean([np.mean(real > 0), np.mean(drawn < 0)])))


def measure(recipe, source, evaluation, begun, way, updates, rate, folder):
    """Figures of a way; its translations and its translator's weights in files of the folder.

    `begun` is a function that returns a model.
    """
    started = time.process_time()
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "metrics.jsonl"
        curves = kg.callbacks.Curves(scratch, every=_CURVES_EVERY, metrics_file=file)
        accuracy = HeldOutAccuracy(evaluation.held_out)
        callbacks = [curves, accuracy] if WAYS.get(way, {}).get("reward") == "discriminator" else [curves]
        model = begun() if way == BEFORE else gone_on(recipe, source, begun(), way, updates, rate, callbacks)
        seconds = time.process_time() - started
        figures, translated = figures_of(evaluation, model)
        if way != BEFORE:
            figures["curves"] = curves_of(file) | ({HELD_OUT_ACCURACY: accuracy.values} if accuracy.values else {})
    path = folder / f"{recipe.name}-{recipe.seed}-{way}.txt.gz"
    model.generator.save_weights(folder / f"{recipe.name}-{recipe.seed}-{way}.weights.h5")
    with gzip.open(path, "wt", encoding="utf-8") as written:
        written.write("".join(f"{line}\n" for line in translated))
    return figures | {"processor_seconds": seconds, "translations": str(path)}


def print_all(runs):
    """Each way over the seeds: median [smallest, largest]."""
    ways = [way for way in (BEFORE, *WAYS) if any(run["way"] == way for run in runs)]
    for way in ways:
        own = [run for run in runs if run["way"] == way]
        print(f"{way}, seeds {', '.join(str(run['seed']) for run in own)}")
        for name in (key for key, value in own[0].items() if isinstance(value, float)):
            values = [run[name] for run in own]
            print(f"  {name}: {np.median(values):.4g} [{min(values):.4g}, {max(values):.4g}]")
        for run in own:
            for name, (first, last) in run.get("curves", {}).items():
                print(f"  seed {run['seed']}, {name}: {first:.4g} -> {last:.4g}")


def lines_of(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def print_differences(evaluation, runs):
    """Of each way from the control and from what was before."""
    files = {(run["seed"], run["way"]): run["translations"] for run in runs}
    for (seed, way), path in files.items():
        for other in (BEFORE, CONTROL):
            if way in (BEFORE, other) or (seed, other) not in files:
                continue
            for each in evaluation.compare(lines_of(path), lines_of(files[seed, other])):
                low, high = each.interval
                print(
                    f"seed {seed}, {way} less {other}, {each.name}: {each.difference:+.3f} [{low:+.3f}, {high:+.3f}], "
                    f"p {each.p_value:.3f}"
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--data", help="in place of the recipe's")
    parser.add_argument(
        "--checkpoint",
        help="whose translator every way begins with, written where there is none; {seed} stands for the seed",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--updates", type=int, help="of each way; as many as the recipe has in its last phase")
    parser.add_argument("--warm-up", type=int, help="steps of the discriminator alone; the recipe's unless given")
    parser.add_argument("--rate", type=float, help="of the translator as a way begins; the recipe's unless given")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS)[:3])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only-print", action="store_true")
    arguments = parser.parse_args()
    recipe = named(arguments.recipe)
    recipe = recipe.replace(data=arguments.data or recipe.data)
    if arguments.warm_up is not None:
        later = arguments.warm_up - recipe.scheme["warm_up_steps"]
        scheme = {**recipe.scheme, "warm_up_steps": arguments.warm_up}
        recipe = recipe.replace(scheme=scheme, steps=recipe.steps + later)
    source = open_data(recipe)
    evaluation = evaluation_of(scheme_of(recipe), source).prepare()
    updates = arguments.updates or recipe.steps - begins_after(recipe) - recipe.scheme["warm_up_steps"]
    for seed in [] if arguments.only_print else arguments.seeds:
        chosen = recipe.replace(seed=seed)
        # Not trained where the file has all ways.
        file = Path(arguments.checkpoint.replace("{seed}", str(seed))) if arguments.checkpoint else None
        begun = functools.cache(functools.partial(beginning, chosen, source, file))
        done = run_directory.step_of(file) if file else begins_after(recipe)
        key = {"recipe": recipe.name, "data": recipe.data, "seed": seed, "begun": done}
        for way in (BEFORE, *arguments.ways):
            said = key | {"way": way} | ({} if way == BEFORE else {"updates": updates, "rate": arguments.rate})
            if WAYS.get(way, {}).get("reward") == "discriminator":
                said["warm_up"] = arguments.warm_up
            measured = functools.partial(measure, chosen, source, evaluation, begun, way, updates, arguments.rate)
            run_once(arguments.output, said, functools.partial(measured, arguments.output.parent))
    print(dict(evaluation.protocols()["bleu"].settings))
    runs = known_runs(arguments.output)
    print_all(runs)
    print_differences(evaluation, runs)


if __name__ == "__main__":
    main()
