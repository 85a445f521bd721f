"""Seconds until `keras-gans train dcgan` draws readable digits, from the command's start, imports included.

    python -m benchmarks.first_digits

The run is the README's first command. A sample is readable where a classifier of real digits (test accuracy 0.99) gives
one of the ten classes a probability of at least 0.9; real digits are shown beside.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from keras_gans.data import open_source
from keras_gans.metrics.features import extractor
from keras_gans.runs.run_directory import load_checkpoint

_SURE = 0.9
_PARTS = 10


def judged(images, classifier):
    """(share of images that are readable, how many digits are among them)."""
    probabilities = classifier.probabilities(images)
    sure = probabilities.max(axis=1) >= _SURE
    return float(np.mean(sure)), len(np.unique(probabilities[sure].argmax(axis=1)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3000, help="of the recipe; its own unless given")
    arguments = parser.parse_args()
    every = max(1, arguments.steps // _PARTS)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "keras_gans.training.cli", "train", "dcgan", "--steps", str(arguments.steps)]
        settings = [f"checkpoint_every={every}", f"picture_every={every}", f"keep_checkpoints={_PARTS}"]
        command += [part for setting in settings for part in ("--set", setting)] + ["--runs", folder]
        started = time.time()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        total = time.time() - started
        run = next(Path(folder).iterdir())
        print(f"{len(os.sched_getaffinity(0))} cores; {arguments.steps} steps in {total:.0f} s, imports included\n")
        print("| step | seconds after the start | readable | digits among them |\n|---|---|---|---|")
        classifier = extractor("digits")
        for checkpoint in sorted((run / "checkpoints").glob("step-*.keras")):
            share, digits = judged(load_checkpoint(checkpoint).sample(500), classifier)
            seconds = checkpoint.stat().st_mtime - started
            print(f"| {int(checkpoint.stem[5:])} | {seconds:.0f} | {100 * share:.0f} % | {digits} |", flush=True)
        share, digits = judged(open_source("digits", split="test").samples, classifier)
        print(f"| real digits | | {100 * share:.0f} % | {digits} |")


if __name__ == "__main__":
    main()
