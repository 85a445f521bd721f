"""The script for machines with a GPU, on machines without."""

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from tests.processes import HANGS
from tests.test_training_cli import ROOT


def gpu_script(*arguments, cwd):
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    command = ["bash", str(ROOT / "benchmarks" / "gpu.sh"), *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=HANGS, check=False)


@pytest.mark.slow
@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="this machine has a GPU")
def test_without_a_gpu_it_is_refused_with_one_message(tmp_path):
    done = gpu_script("--output", str(tmp_path / "gpu.json"), cwd=tmp_path)
    assert done.returncode == 1 and "TensorFlow sees none here" in done.stderr and "--smoke" in done.stderr
    assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_whole_script_runs_in_small(tmp_path):
    done = gpu_script("--smoke", "--output", str(tmp_path / "gpu.json"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "gpu.json").read_text())
    for case in figures["cases"].values():
        ours = {name for name in case["variants"] if name.startswith("keras_gans")}
        assert ours == {"keras_gans" + half + xla for half in ("", " bfloat16") for xla in ("", " XLA")}
        for name in ours:
            assert case["variants"][name]["images_per_second"] > 0 and 0 < case["variants"][name]["share_of_peak"] < 1
            after = case["after_fixed_time"][name]
            assert after["steps"] > 0 and after["frechet_distance"] > after["floor"] >= 0
