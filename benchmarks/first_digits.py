"""Seconds until `keras-gans train dcgan` draws readable digits, from the command's start, imports included.

    python -m benchmarks.first_digits

The run is the README's first command. A picture counts as readable where a classifier of real digits (test accuracy
0.99) is sure of at least nine in ten of the samples and they spread over all ten digits.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from keras_gans.metrics.features import extractor
from keras_gans.run_directory import load_checkpoint

# A digit is readable where its largest class probability is at least so much.
_SURE = 0.9
_PARTS = 10


def judged(checkpoint):
    """(share of 500 samples of a checkpoint that are readable, how many digits are among them)."""
    probabilities = extractor("digits").probabilities(load_checkpoint(checkpoint).sample(500))
    sure = probabilities.max(axis=1) >= _SURE
    return float(np.mean(sure)), len(np.unique(probabilities[sure].argmax(axis=1)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3000, help="of the recipe; its own unless given")
    arguments = parser.parse_args()
    every = max(1, arguments.steps // _PARTS)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "training.cli", "train", "dcgan", "--steps", str(arguments.steps)]
        settings = [f"checkpoint_every={every}", f"picture_every={every}", f"keep_checkpoints={_PARTS}"]
        command += [part for setting in settings for part in ("--set", setting)] + ["--run-dir", folder]
        started = time.time()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        total = time.time() - started
        run = next(Path(folder).iterdir())
        print(f"{len(os.sched_getaffinity(0))} cores; {arguments.steps} steps in {total:.0f} s, imports included\n")
        print("| step | seconds after the start | readable | digits among them |\n|---|---|---|---|")
        for checkpoint in sorted((run / "checkpoints").glob("step-*.keras")):
            share, digits = judged(checkpoint)
            seconds = checkpoint.stat().st_mtime - started
            print(f"| {int(checkpoint.stem[5:])} | {seconds:.0f} | {100 * share:.0f} % | {digits} |", flush=True)


if __name__ == "__main__":
    main()
