"""What is published, seen by a client: one export of a tiny DCGAN, and a second of the same run."""

import hashlib
import importlib.util
import io
import json
import shutil
import subprocess
import sys
from concurrent import futures
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from typer.testing import CliRunner

from keras_gans import networks, schemes
from keras_gans.errors import UserError
from keras_gans.export import card, choice, export_model, replay, report, sampling, signing, verify
from keras_gans.training.cli import app
from tests.processes import HANGS

ROWS = 5
HAS_SIGNING = importlib.util.find_spec("model_signing") is not None
signs = pytest.mark.skipif(not HAS_SIGNING, reason="signatures need pip install -e '.[sign]'")


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
    assert len(steps) == 6
    before = hashes(folder / "1")
    key = write_keys(folder.parent)[0] if HAS_SIGNING else None
    second = export_model(model, folder, ["saved_model"], sign=key, stage=True)
    return folder, first, before, second


def write_keys(folder):
    """Paths of PEM files: a private key, its public one, and another's public one."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    paths = [folder / name for name in ("key.pem", "public.pem", "other.pem")]
    if not paths[0].exists():
        key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        pem = serialization.Encoding.PEM
        private, public = serialization.PrivateFormat.PKCS8, serialization.PublicFormat.SubjectPublicKeyInfo
        paths[0].write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))
        paths[1].write_bytes(key.public_key().public_bytes(pem, public))
        paths[2].write_bytes(other.public_key().public_bytes(pem, public))
    return paths


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
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2", "models.config"]
    assert hashes(folder / "1") == before
    assert first["weights"]["sha256"] == second["weights"]["sha256"]
    assert first["signature_def_hash"] == second["signature_def_hash"]
    assert second["warnings"] == []
    assert not (folder / "2" / "tflite").exists()


def test_the_report_tells_what_was_published(published, model):
    folder, first, before, _ = published
    stored = json.loads((folder / "1" / "report.json").read_text())
    assert stored == {key: value for key, value in first.items() if key not in ("path", "live", "removed")}
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
        assert list(figures["latency_ms"]) == ["1", "64"]
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


def test_the_report_explains_what_a_client_must_know(published):
    first, second = published[1], published[3]
    assert first["latents"] == {"prior": "normal", "size": 6}
    assert first["images"] == {"layout": "NHWC", "float32": [-1.0, 1.0], "uint8": [0, 255]}
    assert first["class_prior"] is None and first["doctor"] is None and first["recipe"] is None
    assert first["hardware"]["cores"] >= 1 and first["hardware"]["processor"]
    assert first["gate"] == {"overridden": []}
    assert "half_precision" not in first, "it computes in float32"
    assert second["live"] == {"stable": None, "canary": 2, "before": ()}


def test_the_table_to_choose_by_is_of_what_was_measured(published):
    first = published[1]
    table = {row["format"]: row for row in first["choice"]["table"]}
    assert list(table) == ["saved_model", "tflite float32", "tflite float16", "tflite dynamic_int8"]
    for row in table.values():
        assert 0 < row["ms"]["1"] < row["ms"]["64"] and row["bytes"] > 0 and row["threads"] >= 1
    assert choice.likeness(table["tflite float16"]) == f"{table['tflite float16']['psnr_db']:.1f} dB"
    chosen = first["choice"]["recommended"]
    assert chosen["server"] == "saved_model"
    assert chosen["phone"] == "tflite dynamic_int8" and chosen["browser"] == "tflite float16"


def test_what_is_recommended_is_above_its_floor_and_of_equals_the_likest():
    def row(name, size, milliseconds, decibels, is_poor=False):
        times = {"1": milliseconds}
        return {
            "part": "generator",
            "format": f"tflite {name}",
            "bytes": size,
            "ms": times,
            "psnr_db": decibels,
            "is_poor": is_poor,
        }

    exact, half = row("float32", 100, 1.0, 150.0), row("float16", 51, 1.05, 80.0)
    small, poor = row("dynamic_int8", 30, 0.5, 60.0), row("full_int8", 10, 0.1, 10.0, is_poor=True)
    assert choice.recommended([exact, half, small, poor]) == {
        "phone": "tflite dynamic_int8",
        "browser": "tflite float16",
        "one at a time": "tflite dynamic_int8",
    }
    assert choice.recommended([exact, half])["one at a time"] == "tflite float32"
    weights = row("weight_int8", 29, 1.0, 65.0)
    assert choice.recommended([half, weights])["phone"] == "tflite weight_int8"
    assert choice.recommended([half, weights, small])["phone"] == "tflite dynamic_int8", "as small, and faster"
    assert choice.recommended([half, weights, small])["browser"] == "tflite weight_int8"
    assert choice.recommended([half, row("weight_int8", 50, 1.0, 60.0)])["phone"] == "tflite float16"
    assert choice.recommended([poor]) == {}


def test_the_model_card_is_one_that_a_hub_reads(published):
    yaml = pytest.importorskip("yaml")
    version = published[0] / "1"
    _, head, body = (version / "README.md").read_text().split("---\n", 2)
    metadata = yaml.safe_load(head)
    stored = json.loads((version / "card.json").read_text())
    assert stored["name"] == "tiny" and stored["metadata"] == metadata
    assert metadata["pipeline_tag"] == "unconditional-image-generation" and "dcgan" in metadata["tags"]
    assert "![Samples](samples.png)" in body and PIL.Image.open(version / "samples.png").size > (100, 100)
    assert 'latents([7], 6, "normal")' in body and "licence" not in body, "of data that are not known"
    rows = [line for line in body.splitlines() if line.startswith("| generator ")]
    assert len(rows) == 3 and all(f"| {entry['bytes']:,} |" in body for entry in published[1]["choice"]["table"])
    page = (version / "SIGNATURES.md").read_text()
    assert all(f"## {name}\n" in page for name in published[1]["signatures"])
    assert "| in | `seed` | int64 | (batch) | whole numbers of 64 bits" in page
    assert "| out | `image` | uint8 | (batch, 8, 8, 3) | rows, columns and channels, from 0 to 255 |" in page


def test_infinite_figures_are_written_and_kept_from_the_hub(published, tmp_path):
    known = report.read_report(published[0] / "1")
    protocol = {"samples": 10, "data": "ring", "split": "test"}
    figures = [{"name": "reverse_kl", "value": "inf", "standard_error": "nan", "floor": "inf"}]
    figures += [{"name": "modes_covered", "value": 3.0, "standard_error": None, "floor": 8.0}]
    known["evaluation"] = [figure | {"higher_is_better": False, "protocol": protocol} for figure in figures]
    card.write_card(tmp_path, known, "ring", None)
    text = (tmp_path / "README.md").read_text()
    assert "| reverse_kl | inf | ± nan | inf |" in text and "| modes_covered | 3 |  | 8 |" in text
    assert "type: reverse_kl" not in text and "modes_covered" in text.split("---")[1]


def test_the_card_has_the_evaluation_with_its_protocol(published, tmp_path):
    yaml = pytest.importorskip("yaml")
    protocol = {"data": "digits", "split": "test", "samples": 500, "reference_samples": 180, "seed": 0}
    score = {"name": "frechet_distance", "value": 1.25, "standard_error": 0.5, "floor": 0.25, "protocol": protocol}
    known = published[1] | {
        "evaluation": [score],
        "recipe": {"name": "dcgan", "source": "Radford 2016", "steps": 3000, "seed": 4},
        "doctor": {"verdict": "healthy", "step": 900, "is_sick": False},
    }
    card.write_card(tmp_path, known, "models/faces of mine", None)
    _, head, body = (tmp_path / "README.md").read_text().split("---\n", 2)
    (entry,) = yaml.safe_load(head)["model-index"]
    assert entry["name"] == "faces_of_mine"
    assert entry["results"][0]["dataset"] == {"name": "digits", "type": "digits", "split": "test"}
    assert entry["results"][0]["metrics"][0]["value"] == 1.25
    assert "| frechet_distance | 1.25 | \u00b1 0.5 | 0.25 |" in body and "Of 500 samples against 180 items" in body
    assert "- Recipe: `dcgan`, after Radford 2016; 3000 steps, seed 4." in body and "healthy at step 900" in body
    assert not (tmp_path / "samples.png").exists() and "![Samples]" not in body


def test_the_commit_is_that_of_a_checkout_and_of_no_repository_around_it(tmp_path, monkeypatch):
    if shutil.which("git") is None:
        pytest.skip("there is no git on this machine")
    (tmp_path / "site-packages" / "export").mkdir(parents=True)
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for command in (("init", "-q"), (*author, "commit", "-q", "--allow-empty", "-m", "First")):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, capture_output=True)
    head = subprocess.run(["git", "-C", str(tmp_path), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    monkeypatch.setattr(report, "__file__", str(tmp_path / "export" / "report.py"))
    assert report._commit() == head.stdout.strip()
    monkeypatch.setattr(report, "__file__", str(tmp_path / "site-packages" / "export" / "report.py"))
    assert report._commit() is None


def test_folders_of_the_machine_stay_out_of_the_report():
    cases = {
        "digits": "digits",
        "/home/me/photos": "photos",
        "~/a/summer + ../b/winter[cat]": "summer + winter[cat]",
        "train.en = data/train.de": "train.en = train.de",
        "halves:/data/facades": "halves:facades",
        "reversed-halves:../my data/facades/": "reversed-halves:facades",
        "/home/jane doe/my photos/cats": "cats",
        "/data/proj+x/faces": "faces",
        "/home/u@x/(old)/pics[a cat]": "pics[a cat]",
        "/corpora/en-de/{split}.en = /corpora/en-de/{split}.de": "{split}.en = {split}.de",
        "shapes/16": "shapes/16",
        "stacked_digits/mnist": "stacked_digits/mnist",
    }
    assert {given: report.without_folders(given) for given in cases} == cases


def test_samples_without_tensorflow_are_those_with_it(published, model):
    samples = sampling.sample_version(published[0] / "1", 20, seed=-3)
    differs = np.abs(samples.astype(int) - model.sample(20, seed=-3).astype(int))
    assert differs.max() <= 1 and (differs > 0).mean() < 0.01
    with pytest.raises(UserError, match="takes no labels"):
        sampling.sample_version(published[0] / "1", 1, label="3")
    with pytest.raises(UserError, match="has no generator's .tflite file"):
        sampling.sample_version(published[0] / "2", 1)


def test_sampling_an_export_imports_no_tensorflow(published, tmp_path):
    code = f"""
import sys
from keras_gans.training import cli
cli.app(["sample", {str(published[0] / "1")!r}, "--count", "4"], standalone_mode=False)
assert not {{"tensorflow", "keras"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "4 samples of" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["tiny-1-seed-0.png"]


@pytest.fixture(scope="module")
def verified(published):
    return replay.verify_version(published[0] / "1")


def test_a_version_is_verified_where_it_is_used(verified):
    assert verified["ok"] and verified["version"] == 1
    assert [check["check"] for check in verified["checks"]] == ["files", "saved_model", "tflite"]
    assert set(verified["saved_model"]["checks"]) == {"interpolate", "sample", "sample_png", "serving_default"}


def test_one_flipped_bit_is_found_and_nothing_is_loaded(published, tmp_path, monkeypatch):
    version = tmp_path / "copy"
    shutil.copytree(published[0] / "1", version)
    file = version / "tflite" / "generator_float32.tflite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    (version / "tflite" / "generator_float16.tflite").unlink()
    (version / "stray.txt").touch()
    monkeypatch.setattr(replay, "run_checked", None)
    result = CliRunner().invoke(app, ["verify", str(version), "--json"])
    assert result.exit_code == 1
    (check,) = json.loads(result.output)["checks"]
    assert not check["ok"]
    for fault in (
        "tflite/generator_float32.tflite has changed: other bytes",
        "tflite/generator_float16.tflite is missing",
        "stray.txt is not in the report",
    ):
        assert fault in check["detail"]


def test_other_answers_than_the_golden_ones_are_found(published, tmp_path, monkeypatch):
    """A machine whose kernels compute something else; the script runs in this process, as the file is the same."""
    version = tmp_path / "copy"
    shutil.copytree(published[0] / "1", version)
    known = json.loads((version / "report.json").read_text())
    golden = dict(np.load(version / "golden" / "tflite.npz"))
    golden["serving_default/outputs/image"] += 0.2
    np.savez(version / "golden" / "tflite.npz", **golden)
    failures = []
    job = replay._tflite_job(version, known)
    checks = verify._check_tflite(job, verify._read_golden(job["golden"]), failures)["checks"]
    assert len(failures) == 2 and all("TFLite float32" in text and "differs by" in text for text in failures)
    faults = replay._poorer(known, checks)
    assert len(faults) == 4 and "generator_float16 has" in faults[0]


@signs
def test_a_signature_is_over_every_file(published, tmp_path):
    _, public, other = write_keys(published[0].parent)
    version = tmp_path / "copy"
    shutil.copytree(published[0] / "2", version)
    assert signing.fault_of(version, public) is None
    assert signing.fault_of(version, other)
    # Of what git would pass over too.
    (version / ".gitignore").write_text("*\n")
    assert ".gitignore" in signing.fault_of(version, public)
    (version / ".gitignore").unlink()
    (version / "report.json").write_text((version / "report.json").read_text().replace("dcgan", "dcgun"))
    assert "report.json" in signing.fault_of(version, public)
    assert signing.fault_of(published[0] / "1", public) == "there is no model.sig"
    with pytest.raises(UserError, match="A key is a PEM file"):
        signing.check_can_sign(tmp_path / "none.pem")
    with pytest.raises(UserError, match="is no private key"):
        signing.sign(version, public)


@signs
def test_what_was_not_exported_here_is_no_version(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").touch()
    with pytest.raises(UserError, match=f"{tmp_path} is no exported version, and holds none"):
        replay.verify_version(tmp_path)
    (tmp_path / "1" / "report.json").write_text(json.dumps({"formats": ["saved_model"]}))
    with pytest.raises(UserError, match="report.json of .* is damaged: it lacks files"):
        replay.verify_version(tmp_path)


@signs
def test_verify_asks_for_the_signature_where_a_key_is_given(published, monkeypatch):
    _, public, other = write_keys(published[0].parent)
    monkeypatch.setattr(replay, "run_checked", lambda *arguments: ({}, []))
    for key, code in ((public, 0), (other, 1)):
        result = CliRunner().invoke(app, ["verify", str(published[0]), "--public-key", str(key)])
        assert result.exit_code == code
    assert "FAILED signature" in result.output and "ok     files" in result.output


def test_what_it_is_served_with_lies_beside_it(published):
    folder, first, _, second = published
    names = {"compose.yaml", "kubernetes.yaml", "kserve.yaml", "batching_parameters.txt", "monitoring.config"}
    for each in (first, second):
        found = {path for path in each["files"] if path.startswith("serving/")}
        assert {f"serving/{name}" for name in names} < found and "serving/clients/rest.py" in found
    assert f"MODEL_NAME: {folder.name}" in (folder / "1" / "serving" / "compose.yaml").read_text()


def test_the_client_of_litert_draws(published, tmp_path):
    folder, first, _, _ = published
    names = {"__name__": "litert"}
    client = folder / "1" / "serving" / "clients" / "litert.py"
    exec(compile(client.read_text(), "litert.py", "exec"), names)
    path = folder / "1" / first["tflite"]["float32"]["file"]
    image = names["draw"](str(path), 3)
    sample = tf.saved_model.load(str(folder / "1")).signatures["sample"]
    expected = sample(seed=tf.constant([3], tf.int64))["image"][0].numpy()
    assert image.dtype == np.uint8 and image.shape == (8, 8, 3)
    np.testing.assert_allclose(image.astype(int), expected.astype(int), atol=1)
