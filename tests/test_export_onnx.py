"""ONNX: each signature that converts answers as the model does, and what does not is left out with the reason."""

import keras
import numpy as np
import pytest

from keras_gans.errors import UserError
from keras_gans.export import export_model, replay, verify
from keras_gans.export.formats import check_formats
from tests.small import small_model

onnxruntime = pytest.importorskip("onnxruntime", reason='ONNX needs pip install -e ".[onnx]"')
pytest.importorskip("tf2onnx")


def asked(path, **inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    assert not set(names) & {each.name for each in session.get_inputs()}
    return dict(zip(names, session.run(names, inputs), strict=True))


@pytest.mark.slow
def test_a_classifier_and_its_generator(tmp_path):
    model = small_model("sgan")
    report = export_model(model, tmp_path, ["onnx", "saved_model"])
    folder = tmp_path / "1" / "onnx"
    assert set(report["onnx"]) == {"serving_default", "classify"}
    assert set(report["onnx"]) | set(report["onnx_left_out"]) == set(report["signatures"])
    assert report["onnx_left_out"]["sample_png"] == "its outputs are of strings"
    assert "its input image_bytes is of strings" in report["onnx_left_out"]["classify_png"]
    assert "ONNX has no operation for" in report["onnx_left_out"]["sample"]
    assert "StatelessRandomNormalV2" in report["onnx_left_out"]["sample"]
    assert {path.name for path in folder.iterdir()} == {"serving_default.onnx", "classify.onnx"}
    for rows in (1, 5):
        latents = np.random.default_rng(0).normal(size=(rows, model.latent_dim)).astype("float32")
        answer = asked(folder / "serving_default.onnx", z=latents)
        np.testing.assert_allclose(answer["image"], model.predict(latents, verbose=0), atol=1e-5)
    images = np.random.default_rng(0).uniform(-1, 1, (5, 8, 8, 1)).astype("float32")
    answer = asked(folder / "classify.onnx", image=images)
    np.testing.assert_allclose(answer["probabilities"], model.classify(images), atol=1e-5)
    # Without names, which ONNX has no strings for; and a wrong row fails alone here too.
    assert set(answer) == {"probabilities", "label", "valid"}
    images[2, 3, 3] = np.nan
    wrong = asked(folder / "classify.onnx", image=images)
    assert wrong["valid"].tolist() == [True, True, False, True, True] and wrong["label"][2] == -1
    np.testing.assert_array_equal(np.delete(wrong["label"], 2), np.delete(answer["label"], 2))
    configuration = (tmp_path / "1" / "serving" / "triton" / f"{tmp_path.name}_classify" / "config.pbtxt").read_text()
    assert 'platform: "onnxruntime_onnx"' in configuration


def test_a_file_that_does_not_run_is_left_out_with_the_reason(tmp_path):
    (tmp_path / "classify.onnx").write_bytes(b"no ONNX")
    parts = {"classify": {"file": str(tmp_path / "classify.onnx"), "outputs_of": {"label": "label"}}}
    failures = []
    found = verify._check_onnx({"onnx": parts, "tolerance": {}}, {"classify": {"inputs": {}, "outputs": {}}}, failures)
    assert not failures and not found["checks"]
    assert found["unfit"]["classify"].startswith("ONNX Runtime cannot run it")


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"ONNX needs tf2onnx and onnxruntime: pip install 'keras_gans\[onnx\]'"):
        check_formats(["onnx"])
    assert check_formats(["saved_model"]) == ("saved_model",)


@pytest.mark.slow
def test_an_input_and_an_output_never_share_a_name(tmp_path, monkeypatch):
    model = small_model("cyclegan")
    report = export_model(model, tmp_path, ["onnx"])
    assert {"a_to_b", "b_to_a", "translate_a_to_b", "translate_b_to_a"} <= set(report["onnx"])
    images = np.random.default_rng(0).uniform(-1, 1, (2, *model.shape_a)).astype("float32")
    answer = asked(tmp_path / "1" / "onnx" / "a_to_b.onnx", image=images)
    np.testing.assert_allclose(answer["image_out"], np.asarray(model.a_to_b(images, training=False)), atol=1e-4)
    # And so they are replayed where they are used.
    verified = replay.verify_version(tmp_path)
    assert verified["ok"] and [check["check"] for check in verified["checks"]] == ["files", "onnx"]
    assert set(verified["onnx"]) == set(report["onnx"])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    unchecked = replay.verify_version(tmp_path)
    assert unchecked["ok"] and "onnxruntime is not here" in unchecked["checks"][1]["detail"]


@pytest.mark.slow
def test_half_precision_becomes_onnx_in_float32(tmp_path):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small_model("dcgan")
    finally:
        keras.config.set_dtype_policy(policy)
    report = export_model(model, tmp_path, ["onnx"])
    assert report["onnx"]["serving_default"]["checks"]["max_abs_error"] < 1e-4
    latents = np.random.default_rng(0).normal(size=(2, model.latent_dim)).astype("float32")
    answer = asked(tmp_path / "1" / "onnx" / "serving_default.onnx", z=latents)
    np.testing.assert_allclose(answer["image"], model.predict(latents, verbose=0), atol=5e-2)
