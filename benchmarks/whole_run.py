"""Where the time of a whole run goes: the training steps, and all that watches them.

    python -m benchmarks.whole_run
    python -m benchmarks.whole_run --runs dcgan:mnist --steps 500

Each run is `train` with everything on, as `keras-gans train` calls it: the doctor, sample grids, curves for
TensorBoard, checkpoints and the progress bar. Of the time that `fit` takes after its first step, which is traced, each
kind of callback has its share; what is left are the steps, their input and Keras's loop.
"""

import argparse
import collections
import tempfile
import time
from unittest import mock

import keras

from keras_gans.callbacks.every import EveryNSteps
from keras_gans.engine.base import AdversarialModel
from keras_gans.training import recipe as recipes
from keras_gans.training.train import train

RUNS = ("gan:digits", "dcgan:digits", "dcgan:mnist")


class Watched:
    """Seconds of each kind of callback, and of `fit` from its first step's end on."""

    def __init__(self):
        self.seconds = collections.Counter()
        self.fitting = 0.0

    def timed_call(self, method):
        """`method` of a callback, its seconds added to those of its class."""

        def call(callback, logs):
            started = time.perf_counter()
            method(callback, logs)
            self.seconds[type(callback).__name__] += time.perf_counter() - started

        return call

    def timed_fit(self, method):
        """`fit`, timed from the end of the first step."""

        def fit(model, *args, **kwargs):
            first = _FirstStep()
            kwargs["callbacks"] = [*kwargs["callbacks"], first]
            found = method(model, *args, **kwargs)
            self.fitting += time.perf_counter() - first.ended
            return found

        return fit


class _FirstStep(keras.callbacks.Callback):
    """Notes when the first step ended."""

    ended = None

    def on_train_batch_end(self, batch, logs=None):
        if self.ended is None:
            self.ended = time.perf_counter()


def measure(name, data, steps=None):
    """(milliseconds a step of the run, {callback: its share of the run}); the recipe's own steps unless given."""
    recipe = recipes.named(name).replace(data=data)
    recipe = recipe.replace(steps=steps or recipe.steps)
    watched = Watched()
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(EveryNSteps, "_call", watched.timed_call(EveryNSteps._call)),
        mock.patch.object(AdversarialModel, "fit", watched.timed_fit(AdversarialModel.fit)),
    ):
        train(recipe, root=folder)
    shares = {name: seconds / watched.fitting for name, seconds in watched.seconds.most_common()}
    return 1e3 * watched.fitting / (recipe.steps - 1), shares


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", metavar="RECIPE:DATA", default=RUNS, help=" ".join(RUNS))
    parser.add_argument("--steps", type=int, help="of each run; its recipe's own unless given")
    arguments = parser.parse_args()
    print("| run | ms a step | callbacks together | each |\n|---|---|---|---|")
    for run in arguments.runs:
        milliseconds, shares = measure(*run.split(":"), arguments.steps)
        each = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())
        print(f"| {run} | {milliseconds:.1f} | {100 * sum(shares.values()):.0f} % | {each} |", flush=True)


if __name__ == "__main__":
    main()
