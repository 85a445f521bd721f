"""The command line as a user meets it."""

import contextlib
import importlib.metadata
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_gans.training import cli
from tests.processes import HANGS, ForkedCommand, wait_until

ROOT = Path(__file__).parent.parent
TINY = ["--set", "generator.base_filters=4", "--set", "discriminator.base_filters=4", "--batch-size", "16"]


def command(*arguments):
    return [sys.executable, "-m", "keras_gans.training.cli", *arguments]


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def run(*arguments, cwd, **variables):
    """(exit code, standard output, standard error) of keras-gans in a process of its own."""
    limits = {"timeout": HANGS, "check": False}
    done = subprocess.run(
        command(*arguments), cwd=cwd, env=environment() | variables, capture_output=True, text=True, **limits
    )
    return done.returncode, done.stdout, done.stderr


def run_forked(*arguments, cwd, **variables):
    """As `run`, from where TensorFlow is imported but has not been started."""
    process = ForkedCommand(*arguments, cwd=cwd, COLUMNS="100", **variables)
    output, errors = process.communicate()
    return process.returncode, output, errors


def run_here(*arguments, cwd):
    """As `run`, in this process, which has imported TensorFlow already: for what a command does once it has started."""
    output, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as exit:
        patch.chdir(cwd)
        patch.setenv("COLUMNS", "100")
        patch.setattr(sys, "argv", ["keras-gans", *arguments])
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            cli.main()
    return exit.value.code or 0, output.getvalue(), errors.getvalue()


def unwrapped(text):
    """The text as one line: how wide the console is depends on where the tests run."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(folder, output) of a small finished run, in a process of its own."""
    folder = tmp_path_factory.mktemp("trained")
    code, output, errors = run("train", "dcgan", "--steps", "30", *TINY, cwd=folder)
    assert code == 0, errors
    return folder, output


def test_a_run_that_is_refused_before_its_first_step_leaves_nothing(trained, tmp_path):
    options = ["--evaluate-every", "10", "--set", "best=nonsense", "--runs", str(tmp_path), *TINY]
    code, _, errors = run_here("train", "dcgan", "--steps", "10", *options, cwd=trained[0])
    assert code == 2 and "nonsense" in errors
    assert not list(tmp_path.iterdir())


def test_what_a_report_of_a_fault_should_say_is_asked_for_in_one_word(tmp_path):
    code, output, _ = run_here("--version", cwd=tmp_path)
    assert code == 0
    assert output.splitlines()[:3] == [
        f"{name} {importlib.metadata.version(name)}" for name in ("keras_gans", "tensorflow", "keras")
    ]


def test_a_run_leaves_what_it_says(trained):
    folder, output = trained
    directory = folder / "runs" / "00001-dcgan-digits"
    names = {path.name for path in directory.iterdir() if not path.name.startswith("events.out")}
    files = {"recipe.json", "environment.json", "metrics.jsonl", "doctor.jsonl"}
    assert names == files | {"checkpoints", "samples"}
    assert json.loads((directory / "recipe.json").read_text())["steps"] == 30
    assert (directory / "checkpoints" / "step-00000030.keras").exists()
    assert "step 30/30" in output and "discriminator_loss" in output and "generator_loss" in output
    assert "runs/00001-dcgan-digits/samples/step-00000030.png" in output
    for following in ("tensorboard --logdir", "keras-gans sample", "keras-gans export"):
        assert following in output
    picture = np.asarray(Image.open(directory / "samples" / "step-00000030.png"))
    assert picture.shape[0] > 300 and picture.std() > 20


def test_it_says_nothing_else(trained):
    assert "oneDNN" not in trained[1] and "Warning" not in trained[1]


def test_resuming_for_more_steps_equals_one_long_run(trained, tmp_path):
    folder, _ = trained
    code, _, errors = run_here("train", "dcgan", "--steps", "50", *TINY, "--runs", "whole", cwd=folder)
    assert code == 0, errors
    code, output, errors = run_here("train", "--resume", "1", "--steps", "50", cwd=folder)
    assert code == 0, errors
    assert "going on from step 30" in unwrapped(output)
    files = [
        next((folder / root).glob("*/checkpoints/step-00000050.keras")).parent.parent / "metrics.jsonl"
        for root in ("whole", "runs")
    ]
    last = [json.loads(file.read_text().splitlines()[-1]) for file in files]
    assert [line["step"] for line in last] == [50, 50]
    pictures = [
        np.asarray(Image.open(next((folder / root).glob("*/samples/step-00000050.png")))) for root in ("whole", "runs")
    ]
    np.testing.assert_array_equal(*pictures)


def test_resuming_another_recipe_is_refused_with_the_differences(trained):
    code, _, errors = run_here("train", "--resume", "latest", "--set", "latent_dim=7", cwd=trained[0])
    assert code == 2
    assert "latent_dim: 100 -> 7" in errors and "Traceback" not in errors


def test_sampling_writes_a_grid_or_single_images(trained):
    folder, _ = trained
    code, output, errors = run_here("sample", "1", "--count", "9", "--to", "grid.png", cwd=folder)
    assert code == 0, errors
    assert "grid.png" in output and (folder / "grid.png").exists()
    code, _, errors = run_here(
        "sample", "latest", "--count", "3", "--seed", "5", "--separate", "--to", "single", cwd=folder
    )
    assert code == 0, errors
    assert sorted(path.name for path in (folder / "single").iterdir()) == ["5.png", "6.png", "7.png"]
    assert Image.open(folder / "single" / "5.png").size == (8, 8)
    # Of each alone memory does not grow with their number; of one picture it would.
    code, _, errors = run_here("sample", "latest", "--count", "1000000000", cwd=folder)
    assert code == 2
    assert "has room for 828,504 images of 8x8 pixels, and --separate writes each" in unwrapped(errors)


def test_a_dry_run_writes_nothing(tmp_path):
    code, output, errors = run_here("train", "wgan_gp", "--dry-run", *TINY, cwd=tmp_path)
    assert code == 0, errors
    assert "gradient_penalty_weight" in output and "(None, 8, 8, 1)" in output and "learning rate 0.0005" in output
    assert not list(tmp_path.iterdir())


def test_interrupting_saves_and_prints_the_command_that_goes_on(tmp_path):
    process = ForkedCommand("train", "dcgan", "--steps", "100000", *TINY, "--set", "log_every=5", cwd=tmp_path)
    metrics = tmp_path / "runs" / "00001-dcgan-digits" / "metrics.jsonl"
    wait_until(metrics.exists, process)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate()
    assert process.returncode == 128 + signal.SIGINT, errors
    assert "Interrupted after step" in output
    assert "keras-gans train --resume runs/00001-dcgan-digits" in output
    checkpoint = next((tmp_path / "runs" / "00001-dcgan-digits" / "checkpoints").glob("*.keras"))
    step = int(checkpoint.stem.split("-")[1])
    code, output, errors = run_here("train", "--resume", "1", "--steps", str(step + 3), cwd=tmp_path)
    assert code == 0, errors
    assert f"going on from step {step}" in unwrapped(output)


@pytest.fixture
def without_tensorflow(tmp_path_factory):
    """A PYTHONPATH with which importing TensorFlow fails."""
    folder = tmp_path_factory.mktemp("without_tensorflow")
    (folder / "tensorflow.py").write_text("raise RuntimeError('TensorFlow was imported for nothing')")
    return os.pathsep.join([str(folder), str(ROOT)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "dcgn"], "Unknown recipe 'dcgn'. Did you mean 'dcgan'"),
        (["train"], "keras-gans list"),
        (["train", "dcgan", "--set", "latent=3"], "Unknown setting 'latent'. Did you mean latent_dim"),
        (["train", "dcgan", "--set", "latent_dim"], "--set takes key=value"),
        (["train", "dcgan", "--devices", "tpu"], "--devices takes auto"),
        (["train", "dcgan", "--devices", "cpu:99999"], "cpu:N takes at most 64 logical CPUs. Received: 'cpu:99999'"),
        (["train", "dcgan", "--devices", f"cpu:{'9' * 5000}"], "cpu:N takes at most 64 logical CPUs"),
        (["train", "dcgan", "--data", "./nowhere"], "nowhere"),
        (["train", "dcgan", "--resume", "9"], "9"),
        (["sample", "latest"], "runs"),
        (["sample", "1", "--to", "grid.jpg"], ""),
        (["export", "latest", "--to", "out"], "runs"),
        (["evaluate", "latest"], "runs"),
        (["evaluate", "1", "--metrics", "fid"], "'frechet_distance'"),
    ],
)
def test_a_mistake_is_one_message_at_once(arguments, message, tmp_path, without_tensorflow):
    code, _, errors = run(*arguments, cwd=tmp_path, PYTHONPATH=without_tensorflow)
    assert code == 2
    assert message in errors.replace("\n", " ") and "Traceback" not in errors
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("start", "arguments", "message"),
    [
        (run_here, ["train", "dcgan", "--data", "ring"], "of images, such as"),
        (run_here, ["train", "dcgan", "--batch-size", "5000"], "1,297"),
        # Devices are made before TensorFlow has used any, so in a process of its own.
        (run_forked, ["train", "dcgan", "--devices", "cpu:2", "--batch-size", "15"], "--batch-size 16"),
    ],
)
def test_what_only_the_data_shows_is_refused_before_anything_is_written(start, arguments, message, tmp_path):
    code, _, errors = start(*arguments, cwd=tmp_path)
    assert code == 2
    assert message in errors.replace("\n", " ").replace("1297", "1,297") and "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_help_and_list_do_not_import_tensorflow(tmp_path):
    script = (
        "import sys; from keras_gans.training.cli import app\n"
        "for arguments in (['--help'], ['list'], ['train', '--help']):\n"
        "    try: app(arguments)\n"
        "    except SystemExit: pass\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "dcgan" in done.stdout and "wgan_gp" in done.stdout and "--resume" in done.stdout


def test_a_diverging_run_stops_with_one_message(tmp_path):
    rate = "optimizers.discriminator.learning_rate=1e30"
    code, _, errors = run_here("train", "wgan_gp", "--steps", "50", *TINY, "--set", rate, cwd=tmp_path)
    assert code == 1
    assert "discriminator_loss is NaN or infinite" in errors and "no checkpoint yet" in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.rglob("*.keras"))


def test_two_logical_devices_train(tmp_path):
    code, output, errors = run_forked("train", "dcgan", "--steps", "4", "--devices", "cpu:2", *TINY, cwd=tmp_path)
    assert code == 0, errors
    assert "CPU:0, CPU:1" in unwrapped(output)


def test_sevens_are_drawn_by_number_and_by_name(tmp_path):
    small = ["--steps", "20", "--set", "generator.hidden_units=[8]", "--set", "discriminator.hidden_units=[8]"]
    code, _, errors = run_here("train", "cgan", *small, cwd=tmp_path)
    assert code == 0, errors
    # A column for each class.
    grid = np.asarray(Image.open(tmp_path / "runs" / "00001-cgan-digits" / "samples" / "step-00000020.png"))
    assert grid.shape[1] > grid.shape[0]
    for file, label in (("all.png", None), ("seven.png", "7")):
        chosen = [] if label is None else ["--label", label]
        code, _, errors = run_here("sample", "latest", "--count", "16", "--to", file, *chosen, cwd=tmp_path)
        assert code == 0, errors
    assert (tmp_path / "all.png").read_bytes() != (tmp_path / "seven.png").read_bytes()
    code, _, errors = run_here("sample", "latest", "--label", "17", cwd=tmp_path)
    assert code == 2 and "0 to 9" in errors and "17" in errors


def test_few_labels_are_for_schemes_that_learn_from_them(tmp_path):
    code, _, errors = run_here("train", "cgan", "--labels-per-class", "2", "--steps", "2", cwd=tmp_path)
    assert code == 2 and "labels_per_class=2 for cgan" in errors and "sgan" in errors
    assert not (tmp_path / "runs").exists()


def test_helps_examples_are_whole_at_80_columns(tmp_path):
    """Cut, or eaten as markup, they cannot be copied."""
    code, output, errors = run("train", "--help", cwd=tmp_path, COLUMNS="80")
    assert code == 0, errors
    assert "…" not in output
    whole = "".join(line.strip("│ ").split("  ")[-1].strip() for line in output.splitlines())
    for example in ("'A[cat]'", "generator.base_filters=32", "optimizers.generator.beta_1=0.9"):
        assert example in whole, example
