"""What keeps a version from going live, and which version is."""

import inspect
import json
import re

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2
from typer.testing import CliRunner

from keras_gans.doctor import illnesses, verdict
from keras_gans.errors import UserError
from keras_gans.export import promotion, run_record
from keras_gans.export.gate import Earlier, Gate, breaking_changes, faults_of_run
from keras_gans.runs.lock import locked
from keras_gans.training.cli import app

BATCH = {"dtype": "int64", "shape": [None]}
SAMPLE = {"inputs": {"seed": BATCH}, "outputs": {"image": {"dtype": "uint8", "shape": [None, 8, 8, 1]}}}


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "runs" / "00007-dcgan-digits"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "recipe.json").write_text(json.dumps({"steps": 100}))
    for step in (50, 100):
        (folder / "checkpoints" / f"step-{step:08}.keras").touch()
    return folder


def put(folder, number, saved_model=True, **report):
    """A version as its report has it."""
    version = folder / str(number)
    version.mkdir(parents=True)
    if saved_model:
        (version / "saved_model.pb").touch()
    formats = ["saved_model"] if saved_model else ["tflite"]
    known = {"version": number, "formats": formats, "signatures": {"sample": SAMPLE}}
    (version / "report.json").write_text(json.dumps(known | report))


def look(step, name):
    return json.dumps({"step": step, "verdict": name, "treated": False}) + "\n"


# The run ----------------------------------------------------------------------------------------------------------


def test_a_finished_run_passes(run):
    assert faults_of_run(run, 100) == {}
    (run / "doctor.jsonl").write_text(look(50, "collapsed") + look(100, "healthy"))
    assert faults_of_run(run, 100) == {}
    assert faults_of_run(run.parent / "not-a-run", 100) == {}


def test_a_sick_run_is_refused_at_the_checkpoint_that_is_exported(run):
    (run / "doctor.jsonl").write_text(look(50, "healthy") + look(100, "collapsed"))
    assert faults_of_run(run, 50) == {}
    assert "the doctor said 'collapsed' at step 100" in faults_of_run(run, 100)["sick"]


def test_verdicts_that_are_no_illness_are_the_doctors_own():
    source = inspect.getsource(illnesses)
    harmless = re.findall(r'_verdict\("([a-z ]+)"[^)]*is_sick=False', source)
    assert len(harmless) == source.count("is_sick=False") == 1
    assert set(run_record.NOT_SICK) == {verdict.HEALTHY, verdict.UNCLEAR, *harmless}


def test_an_unfinished_run_and_one_that_is_being_trained_are_refused(run):
    (run / "checkpoints" / "step-00000100.keras").unlink()
    with locked(run):
        faults = faults_of_run(run, 50)
    assert "has taken 50 of the 100 steps" in faults["unfinished"]
    assert faults["running"] == f"Run {run.name} is still being trained."
    # What is overridden is published, and says nothing of this machine.
    assert not any(str(run.parent) in fault for fault in faults.values())
    assert set(faults_of_run(run, 50)) == {"unfinished"}, "the lock is gone"


def test_the_best_checkpoints_step_is_that_of_its_record(run):
    (run / "checkpoints" / "best.keras").touch()
    (run / "checkpoints" / "best.json").write_text(json.dumps({"step": 70, "scores": [{"name": "mmd"}]}))
    assert run_record.step_of(run, "best") == 70
    assert run_record.step_of(run, "50") == 50
    assert run_record.evaluation_at(run, 70) == [{"name": "mmd"}]
    assert run_record.evaluation_at(run, 100) is None


def test_the_gate_names_each_fault_and_the_option_that_lets_it_pass():
    gate = Gate(["sick"])
    with pytest.raises(UserError, match=r"(?s)- it is running\..*: --override running\.") as refused:
        gate.judge({"sick": "it is sick.", "running": "it is running."})
    assert "it is sick" not in str(refused.value)
    gate.judge({"sick": "it is sick."})
    assert gate.passed == [{"override": "sick", "reason": "it is sick."}]
    with pytest.raises(UserError, match="Unknown override 'sik'. Did you mean 'sick'"):
        Gate(["sik"])


def test_the_command_refuses_before_it_loads_anything(run, tmp_path):
    (run / "doctor.jsonl").write_text(look(100, "collapsed"))
    command = ["export", "7", "--runs", str(run.parent), "--to", str(tmp_path / "models")]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, UserError) and "--override sick" in str(result.exception)
    result = CliRunner().invoke(app, [*command, "--checkpoint", "70"])
    assert "has checkpoints of the steps 50, 100. Received: 70" in str(result.exception)
    assert not (tmp_path / "models").exists()


# The versions before ----------------------------------------------------------------------------------------------


def test_signatures_may_grow_and_not_shrink_or_change():
    assert breaking_changes({"sample": SAMPLE}, {"sample": SAMPLE, "sample_png": SAMPLE}) == []
    labelled = {"inputs": {**SAMPLE["inputs"], "label": BATCH}, "outputs": SAMPLE["outputs"]}
    larger = {"inputs": SAMPLE["inputs"], "outputs": {"image": {"dtype": "uint8", "shape": [None, 16, 16, 1]}}}
    more = {"inputs": SAMPLE["inputs"], "outputs": {**SAMPLE["outputs"], "valid": {"dtype": "bool", "shape": [None]}}}
    most = {**more, "outputs": {**more["outputs"], "score": {"dtype": "float32", "shape": [None]}}}
    assert breaking_changes({"sample": more}, {"sample": most}) == []
    (named,) = breaking_changes({"sample": SAMPLE}, {"sample": more})
    assert named == "sample has 2 outputs, not 1, which changes REST's answers"
    assert breaking_changes({"sample": SAMPLE}, {}) == ["sample is gone"]
    assert breaking_changes({"sample": SAMPLE}, {"sample": labelled}) == ["sample needs label as well"]
    assert breaking_changes({"sample": labelled}, {"sample": SAMPLE}) == ["sample lacks label among its inputs"]
    assert breaking_changes({"sample": SAMPLE}, {"sample": larger}) == [
        "image of sample is uint8 (batch, 16, 16, 1), not uint8 (batch, 8, 8, 1)"
    ]


def test_the_served_version_is_the_stable_one_or_the_highest_with_a_saved_model(tmp_path):
    assert Earlier(tmp_path).faults(["tflite"]) == {}
    put(tmp_path, 1, signatures={})
    put(tmp_path, 4)
    put(tmp_path, 5, saved_model=False)
    assert "version 4" in Earlier(tmp_path).faults(["tflite"])["no-saved-model"]
    assert "version 4: sample is gone" in Earlier(tmp_path).faults(["saved_model"], {})["signatures"]
    assert Earlier(tmp_path).faults(["saved_model"], {"sample": SAMPLE}) == {}
    assert Earlier(tmp_path, stable=1).faults(["saved_model"], {}) == {}


def test_a_broken_report_is_passed_over_with_a_warning(tmp_path):
    put(tmp_path, 1)
    put(tmp_path, 2)
    put(tmp_path, 3)
    (tmp_path / "2" / "report.json").write_text('{"formats":')
    (tmp_path / "3" / "report.json").write_text("[1]")
    earlier = Earlier(tmp_path)
    assert earlier.served["version"] == 1
    assert [f"{number}/report.json" in text for number, text in zip((2, 3), earlier.warnings, strict=True)] == [
        True
    ] * 2


# What is live -----------------------------------------------------------------------------------------------------


def official(folder):
    """models.config as TensorFlow Serving reads it: (labels, versions that it loads)."""
    text = (folder / "models.config").read_text()
    (config,) = text_format.Parse(text, model_server_config_pb2.ModelServerConfig()).model_config_list.config
    assert (config.name, config.base_path, config.model_platform) == ("faces", "/models/faces", "tensorflow")
    return dict(config.version_labels), list(config.model_version_policy.specific.versions)


def test_stage_promote_and_roll_back(tmp_path):
    folder = tmp_path / "faces"
    for number in (1, 2, 3):
        put(folder, number)
    promotion.stage(folder, 1)
    assert official(folder) == ({"canary": 1}, [1])
    promotion.promote(folder)
    assert official(folder) == ({"stable": 1}, [1])
    promotion.stage(folder, 2)
    assert official(folder) == ({"stable": 1, "canary": 2}, [1, 2])
    was, now = promotion.promote(folder)
    assert (was.stable, now.stable, now.before) == (1, 2, (1,))
    promotion.promote(folder, 3)
    assert promotion.read_live(folder) == promotion.Live(3, None, (2, 1))
    assert promotion.read_live(folder).needed == {3, 2}
    promotion.stage(folder, 1)
    promotion.rollback(folder, canary_only=True)
    assert official(folder) == ({"stable": 3}, [3])
    promotion.stage(folder, 1)
    promotion.rollback(folder)
    assert official(folder) == ({"stable": 2}, [2])
    promotion.rollback(folder)
    assert official(folder) == ({"stable": 1}, [1])
    with pytest.raises(UserError, match="was stable before"):
        promotion.rollback(folder)


def test_another_version_that_is_promoted_leaves_the_canary(tmp_path):
    folder = tmp_path / "faces"
    for number in (1, 2, 3):
        put(folder, number)
    promotion.promote(folder, 1)
    promotion.stage(folder, 3)
    was, now = promotion.promote(folder, 2)
    assert (was, now) == (promotion.Live(1, 3), promotion.Live(2, 3, (1,)))
    assert official(folder) == ({"stable": 2, "canary": 3}, [2, 3])


def test_only_what_can_be_served_is_promoted(tmp_path):
    put(tmp_path, 1)
    put(tmp_path, 2, saved_model=False)
    with pytest.raises(UserError, match="has no canary. Name a version: 1"):
        promotion.promote(tmp_path)
    with pytest.raises(UserError, match="no version 2 with a SavedModel. Those with one: 1"):
        promotion.promote(tmp_path, 2)
    promotion.promote(tmp_path, 1)
    with pytest.raises(UserError, match="stable already"):
        promotion.promote(tmp_path, 1)
    (tmp_path / "models.config").write_text("model_config_list {")
    with pytest.raises(UserError, match="is not what TensorFlow Serving reads"):
        promotion.promote(tmp_path, 1)


def test_the_commands_say_what_is_live(tmp_path):
    folder = tmp_path / "faces"
    put(folder, 1, gate={"overridden": [{"override": "sick", "reason": "Run 7 is sick."}]})
    put(folder, 2)
    promotion.promote(folder, 2)
    result = CliRunner().invoke(app, ["promote", str(folder), "1"])
    assert "stable: 1 (was 2)" in result.output and "although: Run 7 is sick." in result.output
    result = CliRunner().invoke(app, ["rollback", str(folder)])
    assert "stable: 2 (was 1)" in result.output
    assert official(folder) == ({"stable": 2}, [2])
    result = CliRunner().invoke(app, ["promote", str(tmp_path / "nowhere")])
    assert "holds no exported versions" in str(result.exception)
