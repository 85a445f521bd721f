"""Where the time of a whole run goes: the training steps, and all that watches them.

    python -m benchmarks.whole_run
    python -m benchmarks.whole_run --runs dcgan:mnist --steps 500

Each run is `train` with everything on, as `keras-gans train` calls it: the doctor, sample grids, curves for
TensorBoard, checkpoints and the progress bar. Of the time that `fit` takes after its first step, which is traced, each
kind of callback has its share; what is left are the steps and their input. Beside it stands what a bare step takes on a
batch that is ready, in the same process afterwards: the difference is the input pipeline and Keras's loop.
"""

import argparse
import collections
import tempfile
import time
from unittest import mock

import keras
import numpy as np

from benchmarks.cases import step_of
from benchmarks.machine import seconds_a_call
from keras_gans.base import AdversarialModel
from keras_gans.callbacks.every import EveryNSteps
from keras_gans.run_directory import load_run
from training import recipe as recipes
from training.train import open_data, to_dataset, train

RUNS = ("gan:digits", "dcgan:digits", "dcgan:mnist", "wgan_gp:mnist")


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


def measure(name, data, steps):
    """(milliseconds a step of the run, of a bare step, {callback: its share of the run})."""
    recipe = recipes.named(name).replace(data=data, steps=steps)
    watched = Watched()
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(EveryNSteps, "_call", watched.timed_call(EveryNSteps._call)),
        mock.patch.object(AdversarialModel, "fit", watched.timed_fit(AdversarialModel.fit)),
    ):
        model = load_run(train(recipe, root=folder).run)
    batch = next(iter(to_dataset(recipe, open_data(recipe))))
    step = step_of(model, batch)
    step()
    bare = float(np.median([seconds_a_call(step, 1.0) for _ in range(3)]))
    shares = {name: seconds / watched.fitting for name, seconds in watched.seconds.most_common()}
    return 1e3 * watched.fitting / (steps - 1), 1e3 * bare, shares


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", metavar="RECIPE:DATA", default=RUNS, help=" ".join(RUNS))
    parser.add_argument("--steps", type=int, default=1000, help="of each run")
    arguments = parser.parse_args()
    print("| run | ms a step | ms a bare step | callbacks together | each |\n|---|---|---|---|---|")
    for run in arguments.runs:
        whole, bare, shares = measure(*run.split(":"), arguments.steps)
        each = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())
        print(f"| {run} | {whole:.1f} | {bare:.1f} | {100 * sum(shares.values()):.0f} % | {each} |", flush=True)


if __name__ == "__main__":
    main()
