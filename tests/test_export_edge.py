"""TFLite files seen by a client: whole numbers, labels that are no class, each kind of numbers, and wrong files."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_gans.data import open_source
from keras_gans.errors import UserError
from keras_gans.export import edge, golden, tflite, verify
from keras_gans.export.distance import measure_changes
from keras_gans.export.formats import LEAST_AGREEMENT, TFLITE_KINDS
from keras_gans.export.making import edge_job
from tests.small import images, small_model


class Made:
    """The .tflite files of a model, made in this process."""

    def __init__(self, model, scratch, kinds, rows):
        self.model, self.rows = model, rows
        answers = golden.golden_answers(model)
        model.export(str(scratch / "saved_model"), verbose=False)
        self.parts = edge.parts_of(answers, scratch / "tflite", kinds)
        self.job = edge_job(model, model, answers, self.parts, scratch)
        work = {"saved_model": str(scratch / "saved_model"), "parts": self.parts, "batch_sizes": [rows]}
        (scratch / "job.json").write_text(json.dumps(self.job | work))
        tflite.main(scratch / "job.json", scratch / "result.json")
        assert json.loads((scratch / "result.json").read_text())["failures"] == []
        self.golden = verify._read_golden(self.job["golden"])

    def check(self, answers=None):
        """(failures, {part: {kind: {signature: figures}}})."""
        failures = []
        job = self.job | {"tflite": self.parts, "batch_sizes": {"serving_default": self.rows}, "may_fail": []}
        job["least_agreement"] = LEAST_AGREEMENT
        return failures, verify._check_tflite(job, answers or self.golden, failures)["checks"]

    def runner(self, part, kind):
        return Interpreter(self.parts[part]["files"][kind]).get_signature_runner("serving_default")


@pytest.fixture(scope="module")
def cgan(tmp_path_factory):
    keras.utils.set_random_seed(0)
    pytest.importorskip("ai_edge_quantizer", reason="full int8 needs pip install -e '.[int8]'")
    return Made(small_model("cgan"), tmp_path_factory.mktemp("cgan"), TFLITE_KINDS, rows=2)


@pytest.fixture(scope="module")
def sgan(tmp_path_factory):
    keras.utils.set_random_seed(0)
    return Made(small_model("sgan"), tmp_path_factory.mktemp("sgan"), ["float32"], rows=1)


def test_every_kind_takes_int32_and_answers_as_the_model(cgan):
    failures, checks = cgan.check()
    assert failures == []
    worst = {kind: min(figures["psnr_db"] for figures in checks["generator"][kind].values()) for kind in TFLITE_KINDS}
    assert worst["float32"] > 120 and worst["float16"] > 60 and worst["weight_int8"] > 45
    # An untrained network of few numbers has wide ranges; a wrong one has no likeness at all.
    assert 20 < worst["full_int8"] < worst["dynamic_int8"]
    for kind in TFLITE_KINDS:
        given = cgan.runner("generator", kind).get_input_details()
        assert {name: details["dtype"] for name, details in given.items()} == {"z": np.float32, "label": np.int32}
        answered = cgan.runner("generator", kind).get_output_details()
        assert {name: details["dtype"] for name, details in answered.items()} == {"image": np.float32}


@pytest.mark.parametrize("kind", TFLITE_KINDS)
def test_a_row_whose_label_is_no_class_is_nan_and_those_beside_it_are_right(cgan, kind):
    two = cgan.runner("generator", kind)
    latents = np.random.default_rng(0).normal(size=(2, 6)).astype("float32")
    right = two(z=latents, label=np.array([1, 2], np.int32))["image"]
    assert np.isfinite(right).all()
    for label in (-1, 3, 2**31 - 1, -(2**31)):
        image = two(z=latents, label=np.array([1, label], np.int32))["image"]
        assert np.isnan(image[1]).all()
        np.testing.assert_array_equal(image[0], right[0])


def test_the_frechet_distance_of_the_files_is_measured_beside_the_models(cgan):
    """Of the same seeds and labels: float32 changes nothing, and full int8 something."""
    source = open_source((images(200), np.arange(200) % 3))
    files = cgan.parts["generator"]["files"]
    report = {
        "latents": {"prior": "normal", "size": 6},
        "class_prior": cgan.model.class_prior,
        "class_names": list(cgan.model.class_names),
        "tflite": {kind: {"file": files[kind]} for kind in ("float32", "full_int8")},
    }
    measured = measure_changes(cgan.model, source, 64, report, Path("/"))
    assert measured["model"] > 0 and measured["protocol"]["samples"] == 64
    changes = measured["changes"]
    assert list(changes) == ["float32", "full_int8"]
    assert abs(changes["float32"]) < 1e-3 * measured["model"] < 10 * abs(changes["full_int8"])


def test_a_classifier_gives_the_models_label_to_many_rows(sgan):
    failures, checks = sgan.check()
    assert failures == []
    assert len(sgan.golden["classify"]["inputs"]["image"]) == 256
    assert checks["classifier"]["float32"]["serving_default"]["label_agreement"] == 1.0
    one = sgan.runner("classifier", "float32")
    assert one.get_output_details()["label"]["dtype"] == np.int32


def test_a_float32_file_that_is_another_network_is_refused(sgan):
    """The floors are for narrower numbers; float32 has none, and must answer as the model does."""
    images = sgan.golden["serving_default"]["outputs"]["image"]
    other = {**sgan.golden, "serving_default": {**sgan.golden["serving_default"], "outputs": {"image": images + 1e-3}}}
    failures, _ = sgan.check(other)
    assert len(failures) == 1 and "TFLite float32" in failures[0] and "differs by 0.001" in failures[0]

    answers = sgan.golden["classify"]["outputs"]
    swapped = {**answers, "label": (answers["label"] + 1) % 3}
    failures, _ = sgan.check({**sgan.golden, "classify": {**sgan.golden["classify"], "outputs": swapped}})
    assert len(failures) == 1 and "the model's label to 0.0% of the rows" in failures[0]


def test_an_output_of_another_kind_of_numbers_is_refused(sgan):
    answers = sgan.golden["serving_default"]
    whole = {**answers, "outputs": {"image": answers["outputs"]["image"].astype(np.uint8)}}
    failures, _ = sgan.check({**sgan.golden, "serving_default": whole})
    assert any("image is float32, and not of the kind of uint8" in text for text in failures)


def test_a_translator_whose_file_writes_something_else_is_left_out_and_the_rest_is_not(tmp_path, monkeypatch):
    """It must not keep the SavedModel of the same export from being published."""
    figures = {"psnr_db": 200.0, "batch_size": 1, "max_abs_error": 0.0}

    def run_script(name, job, scratch):
        parts = job["parts"] if name == "tflite" else job["tflite"]
        for described in parts.values() if name == "tflite" else ():
            for path in described["files"].values():
                open(path, "w").close()
        if name == "verify" and "translator" in parts:
            raise UserError("Nothing was published:\n- it gives the model's label to 30% of the rows only.")
        each = {"seconds": 0.1, "checks": {"serving_default": figures}}
        (key,) = ("seconds",) if name == "tflite" else ("checks",)
        found = {part: dict.fromkeys(described["files"], each[key]) for part, described in parts.items()}
        return {key: found, "failed": {part: {} for part in parts}}

    monkeypatch.setattr(edge, "run_script", run_script)
    answers = {
        "encode": ({}, {"z": np.zeros(1, "float32")}),
        "translate_tokens": ({}, {"tokens": np.zeros(1, "int32")}),
    }
    parts = edge.parts_of(answers, tmp_path / "tflite", ("float32", "float16"))
    found = edge.make_files(parts, {"class_count": None, "examples": ""}, tmp_path, tmp_path, [1], lambda text: None)
    assert list(found) == ["tflite_encoder", "left_out_of_tflite"]
    assert sorted(path.name for path in (tmp_path / "tflite").iterdir()) == [
        "encoder_float16.tflite",
        "encoder_float32.tflite",
    ]
    (warning,) = edge.floor_warnings(found)
    assert warning == "There is no translator's TFLite file: it gives the model's label to 30% of the rows only."


def test_what_loses_too_much_makes_room_and_the_reason_is_told(tmp_path, monkeypatch):
    """Of one part a kind cannot be run, of another it is below its floor; a third has a poor classifier."""
    figures = {"psnr_db": 60.0, "batch_size": 1, "max_abs_error": 0.1}
    verdicts = {
        "generator": {"full_int8": figures | {"psnr_db": 30.0}, "dynamic_int8": figures},
        "classifier": {"full_int8": figures, "dynamic_int8": figures | {"label_agreement": 0.9}},
        "encoder": {"full_int8": {"failed": "Tensor data is null", "batch_size": 1}, "dynamic_int8": figures},
    }
    asked = []

    def run_script(name, job, scratch):
        parts = job.get("parts") or job["tflite"]
        if name == "tflite":
            asked.append({part: list(described["files"]) for part, described in parts.items()})
            for described in parts.values():
                for path in described["files"].values():
                    open(path, "w").close()
            seconds = {part: dict.fromkeys(described["files"], 0.1) for part, described in parts.items()}
            return {"seconds": seconds, "failed": {part: {} for part in parts}}
        found = {part: {kind: verdicts[part].get(kind, figures) for kind in parts[part]["files"]} for part in parts}
        return {
            "checks": {p: {kind: {"serving_default": f} for kind, f in kinds.items()} for p, kinds in found.items()}
        }

    monkeypatch.setattr(edge, "run_script", run_script)
    answers = {name: ({}, {"image": np.zeros(1, "float32")}) for name in ("serving_default", "classify", "encode")}
    parts = edge.parts_of(answers, tmp_path / "tflite", ("float32", "dynamic_int8", "full_int8"))
    job = {"class_count": 3, "examples": ""}
    found = edge.make_files(parts, job, tmp_path, tmp_path, [1], lambda text: None)
    assert asked[1] == {part: ["weight_int8"] for part in verdicts}, "the fallback is made once for each"
    assert list(found["tflite"]) == ["float32", "dynamic_int8", "weight_int8"]
    assert list(found["tflite_classifier"]) == ["float32", "full_int8", "weight_int8"]
    assert list(found["tflite_encoder"]) == ["float32", "dynamic_int8", "weight_int8"]
    assert sorted(path.name for path in (tmp_path / "tflite").iterdir()) == sorted(
        entry["file"].removeprefix("tflite/") for kinds in found.values() for entry in kinds.values()
    )
    generator, classifier, encoder = edge.floor_warnings(found)
    assert "full_int8 has 30.0 dB against Keras, below the floor of 40 dB, and was left out" in generator
    assert "dynamic_int8 has 90.0% of the model's labels, below the floor of 99%" in classifier
    assert "full_int8 has no answer (Tensor data is null), and was left out" in encoder
