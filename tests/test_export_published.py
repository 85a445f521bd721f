"""What is published, seen by a client: one export of a tiny DCGAN, and a second of the same run."""

import hashlib
import io
import json
from concurrent import futures
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_gans import networks, schemes
from keras_gans.export import export_model
from tests.processes import HANGS

ROWS = 5


@pytest.fixture(scope="module")
def model():
    generator = networks.dcgan_generator((8, 8, 3), latent_dim=6, base_filters=32)
    model = schemes.DCGAN(generator, networks.dcgan_discriminator((8, 8, 3), base_filters=8), seed=3)
    model.compile()
    # An untrained generator is grey all over; larger weights make pictures whose errors show.
    for variable in generator.trainable_variables:
        if "kernel" in variable.path:
            variable.assign(8.0 * variable)
    model.step.assign(1000)
    return model


@pytest.fixture(scope="module")
def published(model, tmp_path_factory):
    """(folder, report of version 1, file hashes of version 1 then, report of version 2)."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    steps = []
    first = export_model(model, folder, tflite_batch_sizes=(1, 4), run="runs/00007-dcgan-digits", progress=steps.append)
    assert len(steps) == 5
    before = hashes(folder / "1")
    second = export_model(model, folder, ["saved_model"])
    return folder, first, before, second


@pytest.fixture(scope="module")
def served(published):
    return tf.saved_model.load(str(published[0] / "1"))


def hashes(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def latents():
    return np.random.default_rng(0).normal(size=(ROWS, 6)).astype("float32")


def test_a_second_export_is_version_2_and_leaves_version_1_alone(published):
    folder, first, before, second = published
    assert (first["version"], second["version"]) == (1, 2)
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2"]
    assert hashes(folder / "1") == before
    assert first["weights"]["sha256"] == second["weights"]["sha256"]
    assert first["signature_def_hash"] == second["signature_def_hash"]
    assert second["warnings"] == []
    assert not (folder / "2" / "tflite").exists()


def test_the_report_tells_what_was_published(published, model):
    folder, first, before, _ = published
    stored = json.loads((folder / "1" / "report.json").read_text())
    assert stored == {key: value for key, value in first.items() if key != "path"}
    assert Path(first["path"]) == folder / "1"
    assert {path: entry["sha256"] for path, entry in stored["files"].items()} | {
        "report.json": before["report.json"]
    } == before
    assert (stored["scheme"], stored["step"], stored["run"]) == ("dcgan", 1000, "00007-dcgan-digits")
    assert stored["versions"]["tensorflow"] == tf.__version__
    assert stored["signatures"]["sample"] == {
        "inputs": {"seed": {"dtype": "int64", "shape": [None]}},
        "outputs": {"image": {"dtype": "uint8", "shape": [None, 8, 8, 3]}},
    }
    assert stored["saved_model"]["warmup_records"] == 12
    for figures in stored["saved_model"]["checks"].values():
        assert figures["max_abs_error"] <= 1e-4
        assert all(milliseconds > 0 for milliseconds in figures["latency_ms"].values())


def test_weights_are_stored_once(published, model):
    folder, first, _, _ = published
    weights = sum(int(np.prod(weight.shape)) * 4 for weight in model.generator.weights)
    assert first["weights"]["bytes"] == weights
    assert first["weights"]["parameters"] == weights // 4
    assert weights <= (folder / "1" / "variables" / "variables.data-00000-of-00001").stat().st_size < 1.2 * weights


def test_predict_semantics_by_name(served, model):
    assert sorted(served.signatures) == ["interpolate", "sample", "sample_png", "serving_default"]
    answer = served.signatures["serving_default"](z=tf.constant(latents()))
    assert set(answer) == {"image", "valid"} and answer["valid"].numpy().all()
    assert answer["image"].dtype == tf.float32
    np.testing.assert_allclose(answer["image"], model.predict(latents(), verbose=0), atol=1e-5)


def test_sample_answers_what_the_model_samples(served, model):
    answer = served.signatures["sample"](seed=tf.range(7, 11, dtype=tf.int64))["image"]
    assert answer.dtype == tf.uint8
    np.testing.assert_array_equal(answer, model.sample(4, seed=7))


def test_a_sampled_row_depends_on_its_seed_only(served):
    sample = served.signatures["sample"]
    seeds = tf.constant([5, -1, 2**62, 5], tf.int64)
    together = sample(seed=seeds)["image"].numpy()
    alone = np.concatenate([sample(seed=seeds[row : row + 1])["image"] for row in range(4)])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[0], together[3])
    assert (together[0] != together[1]).any()
    assert (together[1] != together[2]).any()


def test_sample_png_holds_the_same_pixels(served, model):
    pictures = served.signatures["sample_png"](seed=tf.range(3, dtype=tf.int64))["image_bytes"].numpy()
    decoded = [np.asarray(PIL.Image.open(io.BytesIO(picture))) for picture in pictures]
    np.testing.assert_array_equal(decoded, model.sample(3, seed=0))


def test_warmup_requests_are_official_and_cover_each_signature(published):
    from tensorflow_serving.apis import prediction_log_pb2

    path = published[0] / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    requests = [prediction_log_pb2.PredictionLog.FromString(record).predict_log.request for record in records]
    found = {
        (request.model_spec.signature_name, next(iter(request.inputs.values())).tensor_shape.dim[0].size)
        for request in requests
    }
    signatures = ("serving_default", "sample", "sample_png", "interpolate")
    assert found == {(name, size) for name in signatures for size in (1, 4, 16)}


def test_a_grpc_client_with_the_official_protos_is_answered(served, model):
    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            signature = served.signatures[request.model_spec.signature_name or "serving_default"]
            tensors = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
            response = predict_pb2.PredictResponse()
            for name, value in signature(**tensors).items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            return response

    server = grpc.server(futures.ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            client = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = "sample"
            request.inputs["seed"].CopyFrom(tf.make_tensor_proto(np.arange(7, 9)))
            images = tf.make_ndarray(client.Predict(request, timeout=HANGS).outputs["image"])
            request = predict_pb2.PredictRequest()
            request.inputs["z"].CopyFrom(tf.make_tensor_proto(latents()))
            floats = tf.make_ndarray(client.Predict(request, timeout=HANGS).outputs["image"])
    finally:
        server.stop(None).wait()
    np.testing.assert_array_equal(images, model.sample(2, seed=7))
    np.testing.assert_allclose(floats, model.predict(latents(), verbose=0), atol=1e-5)


@pytest.mark.parametrize("kind", ["float32", "float16", "dynamic_int8"])
def test_tflite_answers_within_its_stated_error(published, model, kind):
    folder, first, _, _ = published
    entry = first["tflite"][kind]
    interpreter = Interpreter(model_path=str(folder / "1" / entry["file"]))
    assert interpreter.get_signature_list() == {
        name: {"inputs": ["z"], "outputs": ["image"]} for name in ("serving_default", "batch_4")
    }
    expected = model.predict(latents(), verbose=0)
    one = interpreter.get_signature_runner("serving_default")
    alone = np.concatenate([one(z=latents()[row : row + 1])["image"] for row in range(ROWS)])
    four = interpreter.get_signature_runner("batch_4")(z=latents()[:4])["image"]
    stated = entry["checks"]["serving_default"]
    # Other latents than those of the report, so its largest error is exceeded somewhat.
    for answered, wanted in ((alone, expected), (four, expected[:4])):
        assert np.abs(answered - wanted).max() <= 2.0 * stated["max_abs_error"] + 1e-6
        psnr = 10 * np.log10(4.0 / np.mean((answered - wanted) ** 2))
        assert psnr > (entry["floor_db"] or 100.0)
        assert abs(psnr - stated["psnr_db"]) < 6.0 or kind == "float32"


def test_tflite_files_shrink_with_their_numbers(published):
    files = {path: entry["bytes"] for path, entry in published[1]["files"].items()}
    sizes = [files[f"tflite/generator_{kind}.tflite"] for kind in ("float32", "float16", "dynamic_int8")]
    assert sizes[1] < 0.6 * sizes[0]
    assert sizes[2] < 0.4 * sizes[0]


def test_what_it_is_served_with_lies_beside_it(published):
    folder, first, _, second = published
    names = {"compose.yaml", "kubernetes.yaml", "kserve.yaml", "batching_parameters.txt", "monitoring.config"}
    for report in (first, second):
        found = {path for path in report["files"] if path.startswith("serving/")}
        assert {f"serving/{name}" for name in names} < found and "serving/clients/rest.py" in found
    assert f"MODEL_NAME: {folder.name}" in (folder / "1" / "serving" / "compose.yaml").read_text()


def test_the_client_of_litert_draws(published, tmp_path):
    folder, first, _, _ = published
    names = {"__name__": "litert"}
    client = folder / "1" / "serving" / "clients" / "litert.py"
    exec(compile(client.read_text(), "litert.py", "exec"), names)
    path = folder / "1" / first["tflite"]["float32"]["file"]
    image = names["draw"](str(path), np.random.default_rng(3))
    latent = np.random.default_rng(3).standard_normal((1, 6)).astype("float32")
    expected = Interpreter(model_path=str(path)).get_signature_runner("serving_default")(z=latent)["image"][0]
    assert image.dtype == np.uint8 and image.shape == (8, 8, 3)
    np.testing.assert_allclose(image, (expected + 1.0) * 127.5, atol=0.51)
