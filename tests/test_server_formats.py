"""A version by its SavedModel, its ONNX and its TFLite files: the same answers, the same refusals, one server."""

import importlib
import io
import json
import shutil
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from typer.testing import CliRunner

pytest.importorskip("aiohttp", reason='the server needs pip install -e ".[serve]"')
pytest.importorskip("onnxruntime", reason='ONNX needs pip install -e ".[onnx]"')
pytest.importorskip("tf2onnx")

from keras_gans import latent, layers
from keras_gans.errors import UserError
from keras_gans.export import edge, export_model, making, portable, report, runtimes, sampling, verify
from keras_gans.export.golden import golden_answers
from keras_gans.export.server import backends, running
from keras_gans.export.server.models import Model, Servable
from keras_gans.export.server.refusal import Refusal
from keras_gans.export.server.tensor_protos import array_of, tensor_of
from keras_gans.training import cli
from tests.processes import HANGS, wait_until
from tests.small import small_model

PORTABLE = ("onnx", "tflite")
LIMIT = 20


@pytest.fixture(scope="module")
def model():
    return small_model("sgan")


def run_here(name, job, scratch):
    """As `run_script`, in this process: that files answer without Keras is shown by other tests."""
    if name == "to_onnx":
        # Others that ONNX has no operations for take seconds to show it.
        job = job | {"files": {signature: job["files"][signature] for signature in ("serving_default", "classify")}}
    paths = [scratch / f"{name}.{kind}" for kind in ("job.json", "result.json")]
    paths[0].write_text(json.dumps(job), encoding="utf-8")
    importlib.import_module(f"keras_gans.export.{name}").main(*map(str, paths))
    result = json.loads(paths[1].read_text(encoding="utf-8"))
    assert not result.pop("failures")
    return result


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "digits"
    formats = ["saved_model", "onnx", "tflite"]
    # TFLite files of three rows, which is no divisor of how many are asked for.
    options = {"tflite_kinds": ["float32"], "tflite_batch_sizes": [3], "batch_limit": LIMIT}
    with pytest.MonkeyPatch.context() as patch:
        for module in (making, edge):
            patch.setattr(module, "run_script", run_here)
        patch.setattr(verify, "_assert_alone", lambda: None)
        patch.setattr(verify, "_latency_ms", lambda *arguments, **options: 1.0)
        export_model(model, folder, formats, **options)
    return folder


@pytest.fixture(scope="module")
def servables(exported):
    return {format: Servable(exported / "1", format) for format in runtimes.FORMATS}


@pytest.fixture(params=PORTABLE)
def servable(servables, request):
    return servables[request.param]


def pixels(files):
    return np.stack([np.asarray(PIL.Image.open(io.BytesIO(file))) for file in files])


def check_alike(answered, expected):
    """As the golden answers are held: floats to rounding, pixels to one level in few places, all else exactly."""
    assert answered.keys() == expected.keys()
    for name, values in expected.items():
        values = values.astype(object) if values.dtype.kind == "S" else values
        found = answered[name]
        assert found.dtype == values.dtype and found.shape == values.shape, name
        if name == "image_bytes":
            found, values = pixels(found), pixels(values)
        if values.dtype == np.uint8:
            differs = np.abs(found.astype(int) - values.astype(int))
            assert differs.max(initial=0) <= 1 and (differs > 0).sum() <= 0.01 * differs.size, name
        elif values.dtype.kind == "f":
            np.testing.assert_allclose(found, values, atol=1e-5, err_msg=name)
        else:
            assert found.tolist() == values.tolist(), name


# Answers ----------------------------------------------------------------------------------------------------------


def test_all_but_what_reads_files_is_answered_as_the_model_answers(servable, model):
    assert set(servable.definitions) == set(model.endpoints()) - {"classify_png"} and len(servable.definitions) == 5
    for signature, (inputs, expected) in golden_answers(model, 19).items():
        if signature in servable.definitions:
            arrays = {
                name: value.astype(object) if value.dtype.kind == "S" else value for name, value in inputs.items()
            }
            check_alike(servable.predict(signature, arrays), expected)
            few = {name: value[3:5] for name, value in arrays.items()}
            check_alike(servable.predict(signature, few), {name: value[3:5] for name, value in expected.items()})


def test_latents_of_seeds_are_those_of_the_savedmodel_to_the_bit(servables, model):
    """At both ends the way between two seeds is the seeds' own samples, by each format's own network."""
    seeds = np.array([-(2**63), 2**63 - 1, 7, 2**53 + 1])
    for servable in servables.values():
        alone = servable.predict("sample", {"seed": seeds})["image"]
        ends = {"from_seed": seeds, "to_seed": seeds[::-1].copy(), "fraction": np.zeros(4, "float32")}
        np.testing.assert_array_equal(servable.predict("interpolate", ends)["image"], alone)
        z = latent.latents_from_seeds(seeds, model.latent_dim, model.latent_prior).numpy()
        image = servable.predict("", {"z": z})["image"]
        np.testing.assert_array_equal(np.clip(np.round((image + 1) * np.float32(127.5)), 0, 255), alone)


def test_wrong_rows_fail_alone_with_the_same_fillers(servables, model):
    image = np.zeros((4, 8, 8, 1), "float32")
    image[1, 2, 2] = np.nan
    image[2] = 255.0
    z = np.zeros((4, model.latent_dim), "float32")
    z[1, 0], z[2, 3] = np.inf, np.nan
    seeds = np.arange(4)
    fraction = np.array([0.5, -0.1, np.nan, 1.0], "float32")
    asked = {
        "classify": {"image": image},
        "serving_default": {"z": z},
        "interpolate": {"from_seed": seeds, "to_seed": seeds + 9, "fraction": fraction},
    }
    for signature, inputs in asked.items():
        expected = servables["saved_model"].predict(signature, inputs)
        assert expected["valid"].tolist() == [True, False, False, True]
        for format in PORTABLE:
            check_alike(servables[format].predict(signature, inputs), expected)


def test_no_rows_at_all_have_no_answers(servables):
    expected = servables["saved_model"].predict("sample", {"seed": np.zeros(0, "int64")})
    for format in PORTABLE:
        check_alike(servables[format].predict("sample", {"seed": np.zeros(0, "int64")}), expected)


def test_metadata_are_those_of_the_savedmodel(servables):
    def described(servable):
        return {
            signature: {
                side: {
                    name: (tensor.dtype, [dimension.size for dimension in tensor.tensor_shape.dim])
                    for name, tensor in getattr(definition, side).items()
                }
                for side in ("inputs", "outputs")
            }
            for signature, definition in servable.definitions.items()
            # TensorFlow's own.
            if signature != "__saved_model_init_op"
        }

    whole = described(servables["saved_model"])
    for format in PORTABLE:
        assert described(servables[format]) == {name: each for name, each in whole.items() if name != "classify_png"}
        assert {each.method_name for each in servables[format].definitions.values()} == {"tensorflow/serving/predict"}


@pytest.mark.parametrize(
    "signature, inputs, code, message",
    [
        ("sample", {"seed": np.zeros(LIMIT + 1, "int64")}, "INVALID_ARGUMENT", f"{LIMIT} rows at the most"),
        (
            "interpolate",
            {"from_seed": np.arange(2), "to_seed": np.arange(3), "fraction": np.zeros(2, "float32")},
            "INVALID_ARGUMENT",
            "equally many rows",
        ),
        ("smaple", {"seed": np.arange(2)}, "FAILED_PRECONDITION", "not found. Known: classify, "),
        ("sample", {"seed": np.float32([1])}, "INVALID_ARGUMENT", "seed is of type int64"),
    ],
)
def test_refusals_are_the_same(servables, signature, inputs, code, message):
    for servable in servables.values():
        with pytest.raises(Refusal, match=message) as refusal:
            servable.predict(signature, inputs)
        assert refusal.value.code == code
        # As many rows as there may be are answered.
        assert len(servable.predict("sample", {"seed": np.arange(LIMIT)})["image"]) == LIMIT


def test_what_a_format_lacks_is_said_with_who_has_it(servable):
    with pytest.raises(Refusal, match='"classify_png" is not answered by .* files: it reads image files') as refusal:
        servable.inputs("classify_png")
    assert refusal.value.code == "FAILED_PRECONDITION"
    assert "serve it --format saved_model. Answered: classify, interpolate, sample" in refusal.value.message


# Versions ---------------------------------------------------------------------------------------------------------


def only(exported, to, number, *formats):
    """A copy of the version with some of its formats alone, which appears whole."""
    staged = to / f".exporting-{number}"
    shutil.copytree(exported / "1", staged)
    known = report.read_report(staged)
    if "saved_model" not in formats:
        (staged / "saved_model.pb").unlink()
    for format in set(PORTABLE) - set(formats):
        shutil.rmtree(staged / format)
        for key in [key for key in known if key == format or key.startswith(f"{format}_")]:
            del known[key]
    report.write_report(staged, known)
    staged.rename(to / str(number))


def test_one_server_goes_from_one_format_to_another(exported, tmp_path):
    only(exported, tmp_path, 1, "tflite")
    said = []

    class Running:
        returncode = None

        def poll(self):
            return None

    with running.DevelopmentServer([Model("digits", tmp_path)], poll_seconds=0.05, say=said.append) as server:
        assert server.models.named("digits").find().format == "tflite"
        only(exported, tmp_path, 2, "onnx", "tflite")
        wait_until(lambda: server.models.named("digits").find().number == 2, Running())
        assert server.models.named("digits").find().format == "onnx"
    assert said[0].startswith("digits: version 1 is served, by its TFLite files (without classify_png), after ")


@pytest.fixture
def unread(monkeypatch):
    """SavedModels are chosen, and not loaded, which takes TensorFlow a second."""

    class Chosen:
        format, inputs, definitions, left_out = "saved_model", {}, {}, {}

        def __init__(self, version):
            assert (version / "saved_model.pb").is_file()

        def warmup(self):
            return iter(())

    monkeypatch.setattr(backends, "SavedModelBackend", Chosen)


def test_a_format_that_is_asked_for_is_taken_or_refused(exported, tmp_path, unread):
    only(exported, tmp_path, 1, "tflite", "saved_model")
    assert Servable(tmp_path / "1").format == "saved_model"
    assert Servable(tmp_path / "1", "tflite").format == "tflite"
    with pytest.raises(Refusal, match="no ONNX files in .*, which has saved_model, tflite") as refusal:
        Servable(tmp_path / "1", "onnx")
    assert refusal.value.code == "NOT_FOUND"


def test_a_report_that_is_broken_leaves_the_savedmodel(exported, tmp_path, unread):
    only(exported, tmp_path, 1, "tflite", "saved_model")
    (tmp_path / "1" / "report.json").write_text("{")
    assert Servable(tmp_path / "1").format == "saved_model"
    (tmp_path / "1" / "saved_model.pb").unlink()
    with pytest.raises(Refusal, match=r"report\.json cannot be read"):
        Servable(tmp_path / "1")


def test_an_onnx_file_without_its_runtime_makes_room_for_tflite(exported, tmp_path, monkeypatch):
    only(exported, tmp_path, 1, "onnx", "tflite")
    find = runtimes.importlib.util.find_spec
    monkeypatch.setattr(
        runtimes.importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else find(name)
    )
    assert Servable(tmp_path / "1").format == "tflite"
    with pytest.raises(Refusal, match="ONNX files need onnxruntime: pip install"):
        Servable(tmp_path / "1", "onnx")


def test_each_format_is_answered_by_its_own_runtime(exported):
    stated = report.read_report(exported / "1")
    for format, kind in (("onnx", runtimes.ONNXNetwork), ("tflite", runtimes.TFLiteNetwork)):
        found = runtimes.networks_of(exported / "1", stated, format, 1)
        assert found and all(type(network) is kind for network in found.values())


def test_a_damaged_file_is_said_to_be_so(exported, tmp_path):
    only(exported, tmp_path, 1, *PORTABLE)
    for format, file in (("onnx", "onnx/classify.onnx"), ("tflite", "tflite/classifier_float32.tflite")):
        (tmp_path / "1" / file).write_bytes(b"damaged")
        with pytest.raises(Refusal, match=f"The {runtimes.PORTABLE[format]} files of .* cannot be loaded"):
            Servable(tmp_path / "1", format)


@pytest.mark.parametrize("format", PORTABLE)
def test_what_would_be_answered_otherwise_than_by_the_model_is_left_out(exported, tmp_path, format):
    """Such as a scheme whose `sample` is not what its generator makes of the latents of a seed."""
    only(exported, tmp_path, 1, format)
    path = tmp_path / "1" / "golden" / f"{format}.npz"
    with np.load(path) as arrays:
        changed = dict(arrays)
    changed["sample/outputs/image"] = 255 - changed["sample/outputs/image"]
    np.savez(path, **changed)
    servable = Servable(tmp_path / "1")
    assert servable.left_out.keys() == {"sample", "classify_png"} and "sample" not in servable.definitions
    with pytest.raises(Refusal, match="its image is another than the model's.*export it with --formats saved_model"):
        servable.inputs("sample")
    assert "sample_png" in servable.definitions


# The command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formats, arguments, message",
    [
        (PORTABLE, ["--format", "onx"], "Did you mean 'onnx'"),
        (PORTABLE, ["--format", "saved_model"], "can be served --format saved_model. What they have: onnx, tflite."),
        ((), [], "None of the versions in .* has a SavedModel, ONNX or TFLite files"),
    ],
)
def test_what_cannot_be_served_is_refused_at_once(exported, tmp_path, formats, arguments, message):
    only(exported, tmp_path, 1, *formats)
    result = CliRunner().invoke(cli.app, ["serve", str(tmp_path), *arguments])
    with pytest.raises(UserError, match=message):
        raise result.exception


ALONE = """
import json, sys, threading, types, urllib.request
import grpc
from pathlib import Path
from keras_gans.training import cli
from keras_gans.export.server import command, running
from keras_gans.export import protos
from keras_gans.export.server.tensor_protos import tensor_of, array_of
import numpy as np

found = {}

class Asked(threading.Event):
    def wait(self):
        url = f"http://127.0.0.1:{found['server'].port}/v1/models/digits"
        body = json.dumps({"signature_name": "sample", "instances": [{"seed": 7}]}).encode()
        found["rest"] = json.load(urllib.request.urlopen(url + ":predict", body))["predictions"]
        found["metadata"] = list(json.load(urllib.request.urlopen(url + "/metadata"))["metadata"]["signature_def"])
        request = protos.predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = "digits", "sample"
        request.inputs["seed"].CopyFrom(tensor_of(np.array([7])))
        with grpc.insecure_channel(f"127.0.0.1:{found['server'].grpc_port}") as channel:
            stub = protos.prediction_service_pb2_grpc.PredictionServiceStub(channel)
            found["grpc"] = array_of("image", stub.Predict(request).outputs["image"]).tolist()

start = running.DevelopmentServer.__enter__
def enter(self):
    found["server"] = self
    return start(self)
running.DevelopmentServer.__enter__ = enter
command.threading = types.SimpleNamespace(Event=Asked)
cli.app(["serve", sys.argv[1], "--format", sys.argv[2], "--port", "0", "--grpc-port", "0"], standalone_mode=False)
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"tensorflow", "keras", "ai_edge_litert" if sys.argv[2] == "onnx" else "onnxruntime"}, loaded
print(json.dumps({key: found[key] for key in ("rest", "grpc", "metadata")}))
"""


@pytest.mark.parametrize("format", PORTABLE)
def test_the_command_serves_without_tensorflow(exported, model, format):
    command = [sys.executable, "-c", ALONE, str(exported), format]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    expected = model.sample(1, seed=7).astype(int)
    for protocol in ("rest", "grpc"):
        assert np.abs(np.array(found[protocol]) - expected).max() <= 1
    assert "version 1 is served, by its" in done.stdout and "Ctrl+C ends it." in done.stdout


@pytest.mark.slow
def test_tensorflow_may_come_after_its_messages(exported, tmp_path):
    """A server that began without it goes on to a version that has a SavedModel alone."""
    only(exported, tmp_path, 1, "onnx")
    only(exported, tmp_path, 3, "saved_model")
    (tmp_path / "3").rename(tmp_path / "later")
    code = f"""
import sys
from pathlib import Path
from keras_gans.export import protos
from keras_gans.export.server.models import Model
model = Model("digits", Path({str(tmp_path)!r}))
assert model.poll()[0].startswith("digits: version 1 is served, by its ONNX files")
assert "tensorflow" not in sys.modules
Path({str(tmp_path / "later")!r}).rename({str(tmp_path / "3")!r})
said = model.poll()
assert said[0].startswith("digits: version 3 is served, by its SavedModel"), said
import numpy as np, tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
assert saved_model_pb2.SavedModel is protos.saved_model_pb2.SavedModel
request = protos.predict_pb2.PredictRequest()
request.inputs["seed"].CopyFrom(tf.make_tensor_proto([7]))
assert len(model.find().predict("sample", {{"seed": np.array([7])}})["image"]) == 1
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANGS, check=False)
    assert done.returncode == 0, done.stderr


def test_samples_are_drawn_by_whichever_there_are(exported, tmp_path, model):
    said, expected = [], model.sample(9, seed=-3).astype(int)
    for number, format in enumerate(PORTABLE, 1):
        only(exported, tmp_path, number, format)
        found = sampling.sample_version(tmp_path / str(number), 9, seed=-3, say=said.append)
        assert np.abs(found.astype(int) - expected).max() <= 1
    # Of both, by those whose runtime comes along.
    sampling.sample_version(exported / "1", 1, say=said.append)
    by_onnx, by_tflite = (f"Drawn by the {name} files, without TensorFlow." for name in ("ONNX", "TFLite"))
    assert said == [by_onnx, by_tflite, by_tflite]
    with pytest.raises(UserError, match="draws to no texts. Received: --text 'a cat'"):
        sampling.sample_version(tmp_path / "1", 1, text="a cat")


# Parts ------------------------------------------------------------------------------------------------------------

SEEDS = {"dtype": "int64", "shape": [None]}
IMAGES = {"dtype": "float32", "shape": [None, 2, 2, 1]}
VALID = {"dtype": "bool", "shape": [None]}


def version_of(tmp_path, monkeypatch, network, takes, signatures, **known):
    """A `PortableVersion` of one network that is a function of Python."""
    described = {"serving_default": {"inputs": takes, "outputs": {"image": IMAGES, "valid": VALID}}, **signatures}
    monkeypatch.setattr(portable, "networks_of", lambda *arguments: {"serving_default": network})
    known = {"signatures": described, "latents": {"prior": "normal", "size": 3}, "class_names": None, **known}
    return portable.PortableVersion(tmp_path, known, "tflite")


def test_a_label_that_is_none_never_reaches_the_network(tmp_path, monkeypatch):
    """Not even one that is a class in int32, which TFLite files take."""
    seen = []

    def network(tensors):
        seen.append(tensors["label"].copy())
        return {"image": np.ones((len(tensors["z"]), 2, 2, 1), "float32")}

    takes = {"z": {"dtype": "float32", "shape": [None, 3]}, "label": SEEDS}
    levels = {"image": {**IMAGES, "dtype": "uint8"}, "valid": VALID}
    signatures = {"sample": {"inputs": {"seed": SEEDS, "label": SEEDS}, "outputs": levels}}
    version = version_of(tmp_path, monkeypatch, network, takes, signatures, class_names=["ant", "bee"])
    labels = np.array([1, 2, -1, 2**32 + 1, 0])
    found = version.answer("sample", {"seed": np.arange(5), "label": labels})
    assert found["valid"].tolist() == [True, False, False, False, True]
    assert seen[0].tolist() == [1, 0, 0, 0, 0]
    assert found["image"][:, 0, 0, 0].tolist() == [255, 0, 0, 0, 255] and found["image"].dtype == np.uint8


def test_what_the_network_finds_invalid_is_so(tmp_path, monkeypatch):
    """A scheme of one's own may know more of its inputs than their names say; ONNX files say so themselves."""

    def network(tensors):
        shape = (len(tensors["z"]), 2, 2, 1)
        return {"image": np.ones(shape, "float32"), "valid": tensors["z"][:, 0] >= 0}

    version = version_of(tmp_path, monkeypatch, network, {"z": {"dtype": "float32", "shape": [None, 3]}}, {})
    found = version.answer("serving_default", {"z": np.float32([[1, 0, 0], [-1, 0, 0], [1, np.nan, 0]])})
    assert found["valid"].tolist() == [True, False, False]
    assert found["image"][:, 0, 0, 0].tolist() == [1, 0, 0]


def test_texts_are_read_as_the_tokenizer_reads_them(tmp_path, monkeypatch):
    seen = []

    def network(tensors):
        seen.append(tensors["tokens"])
        return {"image": np.zeros((len(tensors["z"]), 2, 2, 1), "float32")}

    tokenizer = layers.Tokenizer.of(["a red circle", "two stars"], length=3)
    tokenizer.write_vocabulary(tmp_path / "vocabulary.txt")
    takes = {
        "z": {"dtype": "float32", "shape": [None, 3]},
        "tokens": {"dtype": "int32", "shape": [None, 3]},
    }
    levels = {"image": {**IMAGES, "dtype": "uint8"}, "valid": VALID}
    texts = {"dtype": "string", "shape": [None]}
    files = {"image_bytes": texts, "valid": VALID}
    signatures = {
        "sample": {"inputs": {"seed": SEEDS, "tokens": takes["tokens"]}, "outputs": levels},
        "text": {"inputs": {"seed": SEEDS, "text": texts}, "outputs": levels},
        "text_png": {"inputs": {"seed": SEEDS, "text": texts}, "outputs": files},
        "translate_text": {"inputs": {"text": texts}, "outputs": {"text": texts}},
    }
    known = {"tokenizer": {"level": "word", "length": 3}, "formats": ["tflite"], "tflite": {"float32": {}}}
    known |= {"scheme": "gan_int_cls", "task": "text-to-image"}
    version = version_of(tmp_path, monkeypatch, network, takes, signatures, **known)
    assert version.left_out == {"translate_text": "it reads texts, which the SavedModel alone does"}
    asked = [b"Two RED stars, and more", b"", b"a \xff circle", b"x" * 4097]
    found = version.answer("text_png", {"seed": np.arange(4), "text": np.array(asked, object)})
    assert found["valid"].tolist() == [True, True, True, False]
    assert found["image_bytes"][0].startswith(b"\x89PNG") and found["image_bytes"][3] == b""
    np.testing.assert_array_equal(seen[0], tokenizer(tf.constant([*asked[:3], b""])))
    # Numbers beyond the vocabulary are no tokens.
    tokens = np.array([[2, 3, 0], [len(tokenizer.vocabulary), 0, 0], [-1, 0, 0]], "int32")
    assert version.answer("sample", {"seed": np.arange(3), "tokens": tokens})["valid"].tolist() == [True, False, False]
    # So they are drawn by command.
    report.write_report(tmp_path, version.report)
    with pytest.raises(UserError, match="draw nothing by a seed alone. It draws to texts: give some, with --text"):
        sampling.sample_version(tmp_path, 2)
    with pytest.raises(UserError, match="The model knows no word of 'zebra'"):
        sampling.sample_version(tmp_path, 2, text="zebra")
    said = []
    assert sampling.sample_version(tmp_path, 2, text="two blue stars", say=said.append).shape == (2, 2, 2, 1)
    assert seen[-1].tolist() == [tokenizer.encode(["two blue stars"])[0].tolist()] * 2
    assert "unknown to the model, and read as one unknown word: 'blue'" in said[0]


def test_rows_of_nothing_never_reach_the_network(tmp_path, monkeypatch):
    """LiteRT writes beyond its memory, and takes the server with it."""
    takes = {"tokens": {"dtype": "int32", "shape": [None, None]}}
    known = {"formats": ["tflite"], "tflite": {"float32": {}}, "latents": None}
    version = version_of(tmp_path, monkeypatch, None, takes, {}, **known)
    report.write_report(tmp_path, version.report)
    backend = backends.PortableBackend(tmp_path, "tflite")
    with pytest.raises(Refusal, match=r"tokens has rows of nothing. Received: \[2, 0\]"):
        backend.answer("serving_default", {"tokens": np.zeros((2, 0), "int32")})


def test_what_translates_draws_no_samples(tmp_path, monkeypatch):
    image = {"image": IMAGES}
    known = {"formats": ["tflite"], "tflite": {"float32": {}}, "task": "image-to-image", "latents": None}
    version = version_of(
        tmp_path, monkeypatch, dict, image, {"translate_a_to_b": {"inputs": {}, "outputs": {}}}, **known
    )
    report.write_report(tmp_path, version.report)
    with pytest.raises(UserError, match="by a seed alone. It translates: keras-gans translate RUN does."):
        sampling.sample_version(tmp_path, 2)


@pytest.mark.parametrize("mode", ["slerp", "linear"])
def test_ways_between_latents_are_those_of_the_graph(mode):
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=(2, 40, 5)).astype("float32")
    # Opposite, parallel, equal, and none.
    first[:4], second[:4] = first[0], np.stack([-first[0], 2 * first[0], first[0], 0 * first[0]])
    fraction = np.concatenate([[0.5, 0.5, 0.5, 0.5, 0, 1], draw.uniform(size=34)]).astype("float32")
    expected = latent.interpolation.MODES[mode](first, second, fraction).numpy()
    found = getattr(portable, mode)(first, second, fraction)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)
    np.testing.assert_array_equal(found[[4, 5]], [first[4], second[5]])


@pytest.mark.parametrize(
    "array",
    [
        *(np.arange(6).reshape(2, 3).astype(dtype) for dtype in ("float32", "float64", "float16", "int32", "int64")),
        *(np.arange(3).astype(dtype) for dtype in ("int8", "int16", "uint8", "uint16", "uint32", "uint64")),
        np.array([[True, False]]),
        np.array([b"a\0b", b""], object),
        np.float32(7),
        np.int64([7]),
        np.array([True]),
        np.zeros((0, 4), "float32"),
        np.array([], object),
    ],
    ids=lambda array: f"{array.dtype}{list(array.shape)}",
)
def test_tensors_are_written_and_read_as_tensorflow_does(array):
    own = tensor_of(np.asarray(array))
    np.testing.assert_array_equal(tf.make_ndarray(own), array)
    for tensor in (own, tf.make_tensor_proto(array)):
        found = array_of("x", tensor)
        assert found.dtype == np.asarray(array).dtype
        np.testing.assert_array_equal(found, array)


def test_the_last_value_of_a_tensor_stands_for_those_that_are_missing():
    tensor = tf.make_tensor_proto(np.float32([1, 2]), shape=(2,))
    tensor.tensor_content = b""
    tensor.tensor_shape.dim[0].size = 4
    tensor.float_val.extend([1, 2])
    assert array_of("x", tensor).tolist() == tf.make_ndarray(tensor).tolist() == [1, 2, 2, 2]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda tensor: setattr(tensor.tensor_shape, "unknown_rank", True), "its shape is not known"),
        (lambda tensor: setattr(tensor, "dtype", 8), "its type is 8, which is none of float32"),
        (lambda tensor: tensor.int_val.append(2**31 - 1), "it has 3 values for 2"),
        (lambda tensor: setattr(tensor, "tensor_content", b"123"), "it has 3 bytes for 2 values of int8"),
        (lambda tensor: setattr(tensor.tensor_shape.dim[0], "size", 2**40), "it claims 1099511627776 numbers"),
        (
            lambda tensor: tensor.tensor_shape.dim.extend(tensor.tensor_shape.dim[:1] * 40),
            "it claims .* in 41 dimensions",
        ),
    ],
)
def test_no_message_is_more_than_a_refusal(change, message):
    tensor = tf.make_tensor_proto(np.int8([1, 2]))
    tensor.tensor_content = b""
    tensor.int_val.extend([1, 2])
    change(tensor)
    with pytest.raises(Refusal, match=f"x is no tensor: {message}"):
        array_of("x", tensor)
    tensor = tf.make_tensor_proto(np.int8([1]))
    tensor.int_val[:] = [1000]
    with pytest.raises(Refusal, match="x is no tensor"):
        array_of("x", tensor)
