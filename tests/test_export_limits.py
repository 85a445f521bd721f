"""How many rows a call may have, and what becomes of a format that cannot hold a model."""

import re

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_gans import networks, schemes
from keras_gans.errors import UserError
from keras_gans.export import edge, export_model, exporter, making, replay, verify
from keras_gans.export.gate import Earlier
from keras_gans.export.saved_model import WARMUP_FILE, write_warmup
from keras_gans.limits import BATCH_LIMIT, check_batch_limit
from tests.small import small_model
from tests.test_export_gate import SAMPLE, put

# Rows at once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, -1, 2**31, 1.0, True, "4", None])
def test_a_limit_that_is_none_is_refused(limit, tmp_path):
    with pytest.raises(UserError, match=re.escape(f"from 1 to 2147483647; 256 unless given. Received: {limit!r}.")):
        check_batch_limit(limit)
    assert check_batch_limit(1) == 1 and check_batch_limit(2**31 - 1) == 2**31 - 1


def test_a_limit_is_checked_before_long_work(tmp_path):
    with pytest.raises(UserError, match="Received: 0"):
        export_model(None, tmp_path / "models", batch_limit=0)
    assert not (tmp_path / "models").exists()


def test_the_checks_ask_for_no_more_rows_than_are_allowed():
    asked = []

    def call(tensors):
        asked.append(len(tensors["z"]))
        return {"image": 2 * tensors["z"]}

    answer = verify._within(call, 3)({"z": np.arange(8)})
    assert asked == [3, 3, 2]
    np.testing.assert_array_equal(answer["image"], 2 * np.arange(8))


def test_warmup_requests_are_within_the_limit(tmp_path):
    for limit, sizes in ((BATCH_LIMIT, [1, 4, 16]), (6, [1, 4, 6]), (1, [1])):
        write_warmup(tmp_path, {"sample": {"seed": np.arange(16)}}, limit)
        records = tf.data.TFRecordDataset(str(tmp_path / WARMUP_FILE)).as_numpy_iterator()
        requests = [prediction_log_pb2.PredictionLog.FromString(record).predict_log.request for record in records]
        assert [request.inputs["seed"].tensor_shape.dim[0].size for request in requests] == sizes


def test_clients_who_ask_for_many_rows_keep_a_lower_limit_from_going_live(tmp_path):
    put(tmp_path, 1)
    earlier, signatures = Earlier(tmp_path), {"sample": SAMPLE}
    assert earlier.faults(["saved_model"], signatures, BATCH_LIMIT) == {}
    assert "a call may have 100 rows, not 256" in earlier.faults(["saved_model"], signatures, 100)["signatures"]
    put(tmp_path, 2, batch_limit=16)
    assert Earlier(tmp_path).faults(["saved_model"], signatures, 100) == {}
    assert "a call may have 8 rows, not 16" in Earlier(tmp_path).faults(["saved_model"], signatures, 8)["signatures"]


def test_a_version_of_before_there_were_limits_is_asked_as_ever(tmp_path):
    known = {"golden": {"saved_model": {"file": "golden/saved_model.npz", "tolerance": {}}}}
    assert replay._saved_model_job(tmp_path, known)["batch_limit"] == BATCH_LIMIT
    assert replay._saved_model_job(tmp_path, known | {"batch_limit": 2})["batch_limit"] == 2


@pytest.mark.slow
def test_an_export_for_few_rows_at_once(tmp_path):
    model = small_model("sgan")
    report = export_model(model, tmp_path / "few", ["saved_model"], batch_limit=3)
    folder = tmp_path / "few" / "1"
    assert report["batch_limit"] == 3 and "3 at the most" in (folder / "SIGNATURES.md").read_text()
    assert "max_batch_size { value: 3 }" in (folder / "serving" / "batching_parameters.txt").read_text()
    assert list(report["saved_model"]["checks"]["sample"]["latency_ms"]) == ["1"]
    sample = tf.saved_model.load(folder).signatures["sample"]
    assert len(sample(seed=tf.range(3, dtype=tf.int64))["image"]) == 3
    with pytest.raises(tf.errors.InvalidArgumentError, match="A call has 3 rows at the most"):
        sample(seed=tf.range(4, dtype=tf.int64))
    assert replay.verify_version(folder)["ok"]
    with pytest.raises(UserError, match="a call may have 2 rows, not 3"):
        export_model(model, tmp_path / "few", ["saved_model"], batch_limit=2)
    again = export_model(model, tmp_path / "few", ["saved_model"], batch_limit=2, overrides=["signatures"])
    assert again["version"] == 2


# Formats that cannot hold a model ----------------------------------------------------------------------------------

FIGURES = {"psnr_db": 60.0, "batch_size": 1, "max_abs_error": 0.0}


def made(monkeypatch, tmp_path, kinds, converted, signatures=("serving_default", "encode")):
    """The report's figures of parts of a model, converted by `converted(part)`: its failures, and kinds that may
    fail."""

    def run_script(name, job, scratch):
        parts = job["parts"] if name == "tflite" else job["tflite"]
        if name == "verify":
            return {
                "checks": {p: {kind: {"serving_default": FIGURES} for kind in parts[p]["files"]} for p in parts},
            }
        failures, failed = [], {}
        for part, described in parts.items():
            wrong, failed[part] = converted(part)
            failed[part] = {kind: why for kind, why in failed[part].items() if kind in described["files"]}
            failures += wrong
            for path in [path for kind, path in described["files"].items() if kind not in failed[part]]:
                open(path, "w").close()
        if failures:
            raise UserError("Nothing was published:\n" + "\n".join(f"- {failure}" for failure in failures))
        seconds = {part: dict.fromkeys(described["files"], 0.1) for part, described in parts.items()}
        return {"seconds": seconds, "failed": failed}

    monkeypatch.setattr(edge, "run_script", run_script)
    answers = {name: ({}, {"image": np.zeros(1, "float32")}) for name in signatures}
    parts = edge.parts_of(answers, tmp_path / "tflite", kinds)
    job = {"class_count": None, "examples": ""}
    return edge.make_files(parts, job, tmp_path, tmp_path, [1], lambda text: None)


def test_a_part_that_cannot_be_converted_is_left_out_and_the_others_are_not(monkeypatch, tmp_path):
    lacking = ["TFLite float32: no operation for X.", "TFLite float16: no operation for X."]
    found = made(
        monkeypatch, tmp_path, ("float32", "float16"), lambda part: (lacking if part == "generator" else [], {})
    )
    assert found.keys() == {"tflite_encoder", "left_out_of_tflite"}
    assert found["left_out_of_tflite"] == {"generator": "TFLite float32: no operation for X."}
    assert {path.name for path in (tmp_path / "tflite").iterdir()} == {
        "encoder_float32.tflite",
        "encoder_float16.tflite",
    }
    (warning,) = edge.floor_warnings(found)
    assert warning == "There is no generator's TFLite file: TFLite float32: no operation for X."
    assert edge.floor_warnings(found | {"not_made": {"tflite": "said once"}}) == []


def test_a_kind_that_cannot_be_made_gives_way_as_one_that_is_poor(monkeypatch, tmp_path):
    failed = {"full_int8": "TFLite full_int8: the conversion failed."}
    found = made(monkeypatch, tmp_path, ("float32", "full_int8"), lambda part: ([], failed))
    assert list(found["tflite"]) == ["float32", "weight_int8"]
    lost = found["tflite"]["weight_int8"]["instead_of"]["full_int8"]
    assert lost == {"failed": "TFLite full_int8: the conversion failed."}
    assert not list((tmp_path / "tflite").glob("*full_int8*"))


def test_all_but_probabilities_has_a_floor(monkeypatch, tmp_path):
    signatures = ("serving_default", "reconstruct", "encode", "classify")
    found = made(monkeypatch, tmp_path, ("float16",), lambda part: ([], {}), signatures)
    floors = {key: entries["float16"]["floor_db"] for key, entries in found.items()}
    assert floors == {"tflite": 60.0, "tflite_autoencoder": 60.0, "tflite_encoder": 60.0, "tflite_classifier": None}


def test_an_onnx_file_that_answers_otherwise_is_found_where_it_is_used(monkeypatch, tmp_path):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(replay, "run_checked", lambda *arguments: ({"unfit": {"classify": "label differs."}}, []))
    known = {
        "golden": {"onnx": {"file": "golden/onnx.npz", "tolerance": {}}},
        "onnx": {"classify": {"file": "onnx/classify.onnx", "outputs_of": {}}},
    }
    noted = []
    replay._replay_onnx(tmp_path, known, tmp_path, lambda *check: noted.append(check), {}, lambda text: None)
    assert noted == [("onnx", ["label differs."], "1 file answers as it did")]


def test_reasons_are_one_line_in_which_each_stands_once():
    reasons = {"sample": "no operation.", "text": "strings", "interpolate": "no operation"}
    said = making.no_onnx(reasons)
    assert said == "No signature can leave by ONNX: sample, interpolate: no operation; text: strings."
    assert making.no_tflite(None, {"translator": "why."}) == "There is no TFLite file: translator: why."


@pytest.mark.slow
def test_an_export_goes_on_without_what_cannot_hold_the_model(tmp_path):
    pytest.importorskip("onnxruntime")
    model = small_model("adversarial_nmt")
    asked = ["saved_model", "tflite", "onnx"]
    report = export_model(model, tmp_path / "all", asked)
    assert set(report["formats"]) | set(report["not_made"]) == set(asked) and "saved_model" in report["formats"]
    for name, reason in report["not_made"].items():
        assert reason in report["warnings"] and "\n" not in reason
        assert not (tmp_path / "all" / "1" / name).exists()
    assert replay.verify_version(tmp_path / "all")["ok"]
    if report["not_made"].keys() == {"tflite", "onnx"}:
        with pytest.raises(UserError, match="(?s)Nothing was published:\n- No signature.*\n- There is no TFLite file"):
            export_model(model, tmp_path / "none", ["tflite", "onnx"])
        assert not (tmp_path / "none").exists()


def test_a_page_alone_that_can_show_nothing_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(exporter, "check_web", lambda *arguments: None)
    monkeypatch.setattr(making, "write_saved_model", None)
    numbers = networks.mlp_generator((1,), latent_dim=2, output_activation=None)
    model = schemes.VanillaGAN(numbers, networks.mlp_discriminator((1,)))
    with pytest.raises(UserError, match="nothing of this model: generator: its points have no two coordinates"):
        export_model(model, tmp_path / "models", ["web"])
    assert not (tmp_path / "models").exists()
