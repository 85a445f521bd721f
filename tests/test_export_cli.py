import json
import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from keras_gans import networks, schemes
from keras_gans.errors import UserError
from keras_gans.export.cli import export_command
from keras_gans.runs import run_directory

RECIPE = {"name": "wgan_gp_digits", "source": "Gulrajani 2017", "data": "digits", "steps": 1000, "seed": 0}

app = typer.Typer()
app.command("export")(export_command)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], terminal_width=80)


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs" / "00007-wgan_gp-ring"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "recipe.json").write_text("{}")
    return tmp_path / "runs"


def add_checkpoint(runs, step):
    model = schemes.WGANGP(
        networks.dcgan_generator((8, 8, 1), latent_dim=4, base_filters=4),
        networks.dcgan_discriminator((8, 8, 1), base_filters=4, normalization=None),
    )
    model.compile()
    model.step.assign(step)
    model.save(runs / "00007-wgan_gp-ring" / "checkpoints" / f"step-{step:08}.keras")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["7", "--formats", "tflight"], "Did you mean 'tflite'"),
        (["7", "--formats", ""], "at least one format"),
        (["7", "--tflite-kinds", "int8"], "Unknown kind of TFLite file 'int8'"),
        (["7", "--override", "ill"], "Unknown override 'ill'"),
        (["7", "--stage", "--formats", "tflite"], "Only a version with a saved_model"),
        (["7", "--tflite-batch", "one"], "--tflite-batch takes integers"),
        (["7", "--tflite-batch", "0"], "distinct integers of 1 or more"),
        (["8"], "There is no run '8'"),
        (["7"], "has no checkpoint yet"),
    ],
)
def test_a_wrong_option_is_found_before_anything_is_written(runs, tmp_path, arguments, message):
    result = run(*arguments, "--to", tmp_path / "models", "--runs", runs)
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
    assert not (tmp_path / "models").exists()


def test_options_are_checked_without_tensorflow(runs, tmp_path):
    code = f"""
import sys
from keras_gans.export.cli import export_command
from keras_gans.runs import run_directory
from pathlib import Path
try:
    export_command("7", Path({str(tmp_path)!r}), "saved_model", "float32", "1", runs=Path({str(runs)!r}))
except ValueError as error:
    assert "has no checkpoint yet" in str(error), error
else:
    raise AssertionError
assert not {{"tensorflow", "keras"}} & set(sys.modules)
"""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": root})


def test_a_run_is_exported_and_the_next_commands_are_printed(runs, tmp_path):
    add_checkpoint(runs, 20)
    add_checkpoint(runs, 1000)
    to = tmp_path / "my models"
    folder = runs / "00007-wgan_gp-ring"
    (folder / "recipe.json").write_text(json.dumps(RECIPE))
    looks = ({"step": step, "verdict": name} for step, name in ((20, "healthy"), (1000, "collapsed")))
    (folder / "doctor.jsonl").write_text("".join(json.dumps(look) + "\n" for look in looks))
    assert run_directory.load_chosen(folder, "20").steps_taken == 20
    command = ("latest", "--to", to, "--runs", runs, "--formats", "saved_model")
    assert "--override sick" in str(run(*command).exception) and not to.exists()
    result = run(*command, "--override", "sick", "--override", "running")
    assert "--override running was not needed." in result.output
    assert result.exception is None, result.output
    report = json.loads((to / "1" / "report.json").read_text())
    assert (report["run"], report["step"], report["scheme"]) == ("00007-wgan_gp-ring", 1000, "wgan_gp")
    assert report["data"] == {"name": "digits", "licence": "CC BY 4.0"} and report["recipe"] == RECIPE
    assert report["doctor"] == {"verdict": "collapsed", "step": 1000, "is_sick": True}
    assert [entry["override"] for entry in report["gate"]["overridden"]] == ["sick"]
    assert "Published all the same, as --override sick asked" in result.output
    card = (to / "1" / "README.md").read_text()
    assert "- Data: digits; licence: CC BY 4.0." in card and "- Doctor: collapsed at step 1,000." in card
    assert "Published version 1 of 00007-wgan_gp-ring at step 1,000" in result.output
    assert "saved_model" in result.output and "for a server: saved_model" in result.output
    assert "0.00 ms" not in result.output
    shown = [line for line in result.output.splitlines()[1:] if not line.startswith("  ")]
    assert max(map(len, shown)) <= 80, "but for commands, each on a line of its own"
    assert f"docker run -p 8501:8501 -v '{to}:/models/my_models' -e MODEL_NAME=my_models" in result.output
    assert '{"signature_name": "sample_png", "instances": [{"seed": 7}]}' in result.output
    assert "http://localhost:8501/v1/models/my_models:predict" in result.output
    assert "tflite" not in result.output
