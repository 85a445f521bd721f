"""The development server, seen by clients: REST, gRPC, versions, labels, hot swap, and wrong requests of every kind."""

import base64
import contextlib
import http.client
import io
import json
import select
import shutil
import socket
import struct
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

pytest.importorskip("aiohttp", reason='the server needs pip install -e ".[serve]"')
import grpc
from google.protobuf import text_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_gans.errors import UserError
from keras_gans.export import promotion
from keras_gans.export.golden import golden_answers
from keras_gans.export.saved_model import write_saved_model
from keras_gans.export.server import configuration, rest
from keras_gans.export.server import running as servers
from keras_gans.export.server.models import Model
from keras_gans.export.server.refusal import Refusal
from keras_gans.training import cli
from tests.processes import HANGS, wait_until
from tests.small import small_model
from tests.test_server_json import documents

CLIENTS = Path(__file__).parent.parent / "export" / "clients"
BODY_SECONDS = 2.0


@pytest.fixture(scope="module")
def model():
    return small_model("sgan")


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    """A SavedModel with warmup requests, to be copied to where a version is to appear."""
    folder = tmp_path_factory.mktemp("saved")
    write_saved_model(model, folder, golden_answers(model))
    return folder


@pytest.fixture(scope="module")
def folder(saved, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "digits"
    shutil.copytree(saved, folder / "1")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with servers.DevelopmentServer([Model("digits", folder)], poll_seconds=0.1, body_seconds=BODY_SECONDS) as server:
        yield server


@pytest.fixture
def is_well(server):
    """Whatever a test does to it, the server goes on: afterwards it answers as before."""
    yield
    status, answer = post(server, ":predict", {"signature_name": "sample", "instances": [{"seed": 7}]})
    assert status == 200 and len(answer["predictions"]) == 1


def ask(server, path, body=None, method=None, headers=()):
    """(status, JSON of the answer) of one HTTP request."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", body, dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=HANGS) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def post(server, path, document, name="digits"):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ask(server, f"/v1/models/{name}{path}", body)


@contextlib.contextmanager
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as connection:
        yield connection


def predict(server, signature="sample", name="digits", version=None, label=None, filter=(), **inputs):
    request = predict_pb2.PredictRequest(output_filter=filter)
    request.model_spec.name, request.model_spec.signature_name = name, signature
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    for key, value in inputs.items():
        tensor = value if isinstance(value, tf.compat.v1.AttrValue().tensor.__class__) else tf.make_tensor_proto(value)
        request.inputs[key].CopyFrom(tensor)
    with channel(server) as connection:
        return prediction_service_pb2_grpc.PredictionServiceStub(connection).Predict(request, timeout=HANGS)


def arrays(response):
    return {name: tf.make_ndarray(value) for name, value in response.outputs.items()}


def refused(code, match, call):
    with pytest.raises(grpc.RpcError) as error:
        call()
    assert error.value.code() == grpc.StatusCode[code], error.value.details()
    assert match in error.value.details()


def png():
    file = io.BytesIO()
    PIL.Image.effect_noise((8, 8), 60).save(file, "PNG")
    return file.getvalue()


# Answers ----------------------------------------------------------------------------------------------------------


def test_rows_and_columns_are_answered_as_the_model_answers(server, model):
    expected = model.sample(2, seed=7)
    status, rows = post(server, ":predict", {"signature_name": "sample", "instances": [{"seed": 7}, {"seed": 8}]})
    assert status == 200
    np.testing.assert_array_equal(rows["predictions"], expected)
    for inputs in ({"seed": [7, 8]}, [7, 8]):
        _, columns = post(server, "/versions/1:predict", {"signature_name": "sample", "inputs": inputs})
        np.testing.assert_array_equal(columns["outputs"], expected)
    latents = np.random.default_rng(0).normal(size=(2, model.latent_dim)).astype("float32")
    _, answer = post(server, ":predict", {"instances": latents.tolist()})
    found = np.array([row["image"] for row in answer["predictions"]], "float32")
    np.testing.assert_allclose(found, model.predict(latents, verbose=0), atol=1e-5)


def test_bytes_go_both_ways(server, model):
    _, answer = post(server, ":predict", {"signature_name": "sample_png", "instances": [{"seed": 7}]})
    picture = base64.b64decode(answer["predictions"][0]["b64"])
    np.testing.assert_array_equal(np.asarray(PIL.Image.open(io.BytesIO(picture))), model.sample(1, seed=7)[0, ..., 0])
    rows = [{"image_bytes": {"b64": base64.b64encode(data).decode()}} for data in (png(), b"no picture")]
    _, answer = post(server, ":predict", {"signature_name": "classify_png", "instances": rows})
    first, second = answer["predictions"]
    assert first["valid"] and first["name"] == model.class_names[first["label"]]
    assert second == {"probabilities": [0.0] * 3, "label": -1, "name": "", "valid": False}


def test_grpc_answers_the_same(server, model):
    response = predict(server, seed=np.arange(7, 9))
    np.testing.assert_array_equal(arrays(response)["image"], model.sample(2, seed=7))
    assert (response.model_spec.version.value, response.model_spec.signature_name) == (1, "sample")
    files = np.array([png(), b"no picture"], object)
    found = arrays(predict(server, "classify_png", filter=["label", "valid"], image_bytes=files))
    assert found.keys() == {"label", "valid"} and found["valid"].tolist() == [True, False]


def test_status_and_metadata_are_the_official_messages(server):
    _, answer = ask(server, "/v1/models/digits")
    assert answer["model_version_status"][0] == {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    _, answer = ask(server, "/v1/models/digits/versions/1/metadata")
    assert answer["model_spec"]["name"] == "digits" and answer["model_spec"]["version"] == "1"
    described = answer["metadata"]["signature_def"]["signature_def"]
    assert described["sample"]["inputs"]["seed"]["dtype"] == "DT_INT64"
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "digits"
    with channel(server) as connection:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(connection)
        response = stub.GetModelMetadata(request, timeout=HANGS)
        definitions = get_model_metadata_pb2.SignatureDefMap()
        assert response.metadata["signature_def"].Unpack(definitions)
        assert {"sample", "sample_png", "classify", "classify_png"} < set(definitions.signature_def)
        request.metadata_field[0] = "weights"
        refused("INVALID_ARGUMENT", "weights", lambda: stub.GetModelMetadata(request, timeout=HANGS))
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "digits"
        status = model_service_pb2_grpc.ModelServiceStub(connection).GetModelStatus(request, timeout=HANGS)
    assert [(each.version, each.state) for each in status.model_version_status] == [(1, 30)]


def test_health_and_prometheus(server):
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    assert ask(server, "/healthz") == (200, {"status": "alive"})
    assert ask(server, "/readyz") == (200, {"status": "ready"})
    with channel(server) as connection:
        answer = health_pb2_grpc.HealthStub(connection).Check(health_pb2.HealthCheckRequest(), timeout=HANGS)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING

    def count(code, model="digits"):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/monitoring/prometheus/metrics") as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            lines = response.read().decode().splitlines()
        assert 'keras_gans_serve_version_available{model="digits",version="1"} 1.0' in lines
        labels = f'{{code="{code}",method="predict",model="{model}",protocol="rest"}}'
        found = [line.split()[-1] for line in lines if line.startswith(f"keras_gans_serve_requests_total{labels}")]
        return float(found[0]) if found else 0.0

    before = count("OK"), count("INVALID_ARGUMENT"), count("NOT_FOUND", "unknown")
    post(server, ":predict", {"signature_name": "sample", "instances": [{"seed": 7}]})
    post(server, ":predict", b"{")
    post(server, ":predict", b"{", name="made_up_by_a_client")
    assert (count("OK"), count("INVALID_ARGUMENT"), count("NOT_FOUND", "unknown")) == tuple(each + 1 for each in before)


def test_pages_of_other_origins_may_read_only_where_asked_for(server, folder):
    def headers(of, method):
        connection = http.client.HTTPConnection("127.0.0.1", of.port, timeout=HANGS)
        connection.request(method, "/v1/models/digits", headers={"Origin": "http://elsewhere"})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status, response.headers["Access-Control-Allow-Origin"]

    assert headers(server, "GET") == (200, None)
    assert headers(server, "OPTIONS") == (400, None)
    with servers.DevelopmentServer([Model("digits", folder)], cors=True) as other:
        assert headers(other, "GET") == (200, "*")
        assert headers(other, "OPTIONS") == (204, "*")


# Wrong requests ---------------------------------------------------------------------------------------------------

SEED = {"signature_name": "sample", "instances": [{"seed": 7}]}


@pytest.mark.parametrize(
    "path, body, status, message",
    [
        (":predict", {**SEED, "signature_name": "smaple"}, 400, "not found. Known: classify, classify_png"),
        (":predict", {"instances": [[1.0, 2.0]]}, 400, "z is of shape [?, 6]. Received: [1, 2]"),
        (":predict", {"instances": [1.0]}, 400, "z is of shape [?, 6]. Received: [1]"),
        (":predict", {"signature_name": "sample", "instances": [{"seed": "7"}]}, 400, "not of expected type: int64"),
        (":predict", {"signature_name": "sample", "inputs": [0] * 257}, 400, "256 rows at the most"),
        (":predict", b"", 400, "JSON Parse error"),
        (":predict", b'{"instances": [', 400, "JSON Parse error"),
        (":classify", SEED, 501, "Exports answer :predict"),
        ("/versions/2:predict", SEED, 404, "Servable not found for request: Specific(digits, 2)"),
        ("/versions/99999999999999999999:predict", SEED, 400, "Failed to convert version"),
        ("/labels/stable:predict", SEED, 400, "Unrecognized servable version label: stable"),
        (":explain", SEED, 400, "Malformed request: POST /v1/models/digits:explain"),
    ],
)
def test_a_wrong_request_has_its_status(server, is_well, path, body, status, message):
    found, answer = post(server, path, body)
    assert found == status and message in answer["error"]


def test_other_paths_and_methods(server, is_well):
    status, answer = post(server, ":predict", SEED, name="other")
    assert status == 404 and "Servable not found for request: Latest(other)" in answer["error"]
    assert ask(server, "/v1/models/other")[0] == 404
    assert ask(server, "/v1/models/digits/versions/5")[0] == 404
    status, answer = ask(server, "/v1/models/digits:predict", method="PUT", body=b"{}")
    assert status == 400 and "Malformed request: PUT" in answer["error"]
    assert ask(server, "/v2/health")[0] == 404
    assert ask(server, "/healthz", method="POST", body=b"")[0] == 405


def test_numbers_that_are_none_fail_in_their_row_alone(server, is_well, model):
    image = np.zeros((8, 8, 1)).tolist()
    body = json.dumps({"signature_name": "classify", "instances": [image, image]})
    status, answer = post(server, ":predict", body.replace("0.0", "NaN", 1).encode())
    assert status == 200
    assert [row["valid"] for row in answer["predictions"]] == [False, True]
    assert sum(answer["predictions"][1]["probabilities"]) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    "code, match, arguments",
    [
        ("NOT_FOUND", "Latest(other)", {"name": "other", "seed": [7]}),
        ("NOT_FOUND", "Specific(digits, 9)", {"version": 9, "seed": [7]}),
        ("INVALID_ARGUMENT", "label: stable", {"label": "stable", "seed": [7]}),
        ("FAILED_PRECONDITION", 'Serving signature key "smaple" not found', {"signature": "smaple", "seed": [7]}),
        ("INVALID_ARGUMENT", "The inputs are seed. Received: z", {"z": np.array([7])}),
        ("INVALID_ARGUMENT", "The inputs are seed. Received: none", {}),
        ("INVALID_ARGUMENT", "seed is of type int64. Received: float32", {"seed": np.float32([7])}),
        ("INVALID_ARGUMENT", "seed is of shape [?]. Received: [1, 1]", {"seed": np.array([[7]])}),
        ("INVALID_ARGUMENT", "256 rows at the most", {"seed": np.zeros(257, "int64")}),
        ("INVALID_ARGUMENT", "output tensor alias not found", {"seed": np.array([7]), "filter": ["picture"]}),
    ],
)
def test_a_wrong_call_has_its_code(server, is_well, code, match, arguments):
    refused(code, match, lambda: predict(server, **arguments))


def test_messages_that_claim_more_than_they_hold(server, is_well):
    claims = tf.make_tensor_proto(np.array([7]))
    claims.tensor_shape.dim[0].size = 10**12
    refused("INVALID_ARGUMENT", "seed is no tensor", lambda: predict(server, seed=claims))
    claims.tensor_shape.dim[0].size = -1
    refused("INVALID_ARGUMENT", "seed is no tensor", lambda: predict(server, seed=claims))
    claims = tf.make_tensor_proto(np.array([7, 8]))
    claims.tensor_content = b"123"
    refused("INVALID_ARGUMENT", "seed is no tensor", lambda: predict(server, seed=claims))
    claims = tf.make_tensor_proto(np.array([7]))
    claims.dtype = 99
    refused("INVALID_ARGUMENT", "seed is no tensor", lambda: predict(server, seed=claims))
    large = np.zeros(70 * 2**20, "uint8").tobytes()
    refused("RESOURCE_EXHAUSTED", "larger than max", lambda: predict(server, seed=np.array([large], object)))


@settings(max_examples=100, deadline=None)
@given(document=documents | st.binary(max_size=60), signature=st.sampled_from(["", "sample", "classify"]))
def test_whatever_comes_is_answered_or_refused(server, document, signature):
    if isinstance(document, dict):
        document.setdefault("signature_name", signature)
    status, answer = post(server, ":predict", document)
    assert status in (200, 400), answer
    assert (status == 200) == ("error" not in answer)


def test_too_large_a_body_is_refused_unread(server, is_well):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=HANGS)
    connection.putrequest("POST", "/v1/models/digits:predict")
    connection.putheader("Content-Length", str(100 * 2**20))
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413 and "bytes at the most" in json.load(response)["error"]
    connection.close()


def test_too_large_a_body_in_pieces_is_refused(server, is_well, monkeypatch):
    """Of unknown length, it is read up to the limit and no further."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=HANGS)
    head = "POST /v1/models/digits:predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head.encode())
    piece = b"%x\r\n" % 2**20 + b" " * 2**20 + b"\r\n"
    with contextlib.suppress(OSError):
        for _ in range(rest.BODY_LIMIT // 2**20 + 2):
            connection.sendall(piece)
    answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 413"), answer
    connection.close()


def test_a_body_that_does_not_come_is_not_waited_for(server, is_well):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=HANGS)
    connection.sendall(b"POST /v1/models/digits:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    # The server does not wait with other requests meanwhile.
    assert post(server, ":predict", SEED)[0] == 200
    assert connection.recv(1000).startswith(b"HTTP/1.1 408")
    connection.close()


def test_clients_that_go_away(server, is_well):
    body = json.dumps(SEED).encode()
    whole = b"POST /v1/models/digits:predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    for sent in (b"", b"POST /v1/mod", whole[:-10], whole):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=HANGS)
        connection.sendall(sent)
        # Reset, without a word: what a killed client leaves.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert post(server, ":predict", SEED)[0] == 200


@pytest.mark.parametrize("sent", [b"\x16\x03\x01 no HTTP", b"GET / HTTP/9.9", b"\0" * 100])
def test_what_is_no_http_is_refused(server, is_well, sent):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=HANGS)
    connection.sendall(sent + b"\r\n\r\n")
    assert connection.recv(100).startswith(b"HTTP/1.")
    connection.close()


def test_a_client_that_closes_its_half_is_answered_or_let_go(server, is_well):
    body = json.dumps(SEED).encode()
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=HANGS)
    head = b"POST /v1/models/digits:predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    connection.sendall(head + body)
    connection.shutdown(socket.SHUT_WR)
    answer = connection.recv(100)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 200")
    connection.close()


def connected(port):
    return contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=HANGS))


def request_of(document, path=":predict"):
    body = json.dumps(document).encode()
    head = b"POST /v1/models/digits%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(body))
    return head, body


def test_100_megabytes_are_refused_while_they_come(server, is_well):
    """The client that sends them all the same gets the answer, and not a broken connection."""
    with connected(server.port) as connection:
        size = 100 * 2**20
        head = b"POST /v1/models/digits:predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
        connection.sendall(head)
        with contextlib.suppress(OSError):
            for _ in range(100):
                connection.sendall(b" " * 2**20)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("pause, status", [(0.02, b"200"), (0.4, b"408")], ids=["in time", "too slow"])
def test_a_body_that_comes_byte_by_byte(server, is_well, pause, status):
    """Time is for all of it: each byte that comes gives no more."""
    head, body = request_of({"signature_name": "sample", "inputs": [7]})
    with connected(server.port) as connection:
        connection.sendall(head)
        for place in range(len(body)):
            connection.sendall(body[place : place + 1])
            if select.select([connection], [], [], pause)[0]:
                break
        assert connection.recv(100).startswith(b"HTTP/1.1 " + status)


def test_clients_that_never_send_or_never_read_keep_no_one_waiting(server, is_well):
    """Some send half of a head, some nothing, and some ask again and again and read no answer."""
    many = b"".join(request_of({"signature_name": "sample", "inputs": list(range(100))})) * 40
    with contextlib.ExitStack() as stack:
        for sent in [b"", b"POST /v1/models/digits:pre"] * 50 + [many] * 4:
            connection = stack.enter_context(connected(server.port))
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.send(sent)
        for _ in range(5):
            assert post(server, ":predict", SEED)[0] == 200
        assert len(arrays(predict(server, seed=np.array([7])))["image"]) == 1


def test_what_is_no_grpc_is_let_go(server):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100, preface, preface + b"\xff" * 50):
        with connected(server.grpc_port) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1000):
                pass
    assert len(arrays(predict(server, seed=np.array([7])))["image"]) == 1


_VALID = b"".join(request_of(SEED))


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_http_that_is_broken_anywhere_is_answered_or_let_go(server, data):
    """A right request of which some bytes are others, are missing or come twice; never the server's own fault."""
    content = bytearray(_VALID)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 20))
        content[place : place + length] = data.draw(st.binary(max_size=20) | st.just(bytes(content[place:]) * 2))
    with connected(server.port) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(2**16):
            answer += piece
    statuses = [int(line.split()[1]) for line in answer.splitlines() if line.startswith(b"HTTP/1.")]
    assert all(status < 500 or status == 501 for status in statuses), (bytes(content), answer)


def test_after_all_of_that_it_answers(server, is_well):
    assert ask(server, "/healthz") == (200, {"status": "alive"})


# Versions ---------------------------------------------------------------------------------------------------------


def appear(saved, folder, number):
    """A version appears by one rename, as exports publish them."""
    staged = folder / f".exporting-{number}"
    shutil.copytree(saved, staged)
    staged.rename(folder / str(number))


def states(server, name="digits"):
    _, answer = ask(server, f"/v1/models/{name}")
    return {int(each["version"]): each["state"] for each in answer["model_version_status"]}


class Running:
    """So that `wait_until` waits for a server of this process."""

    def poll(self):
        return None


def test_a_new_version_is_swapped_in_under_load_and_no_request_fails(saved, tmp_path):
    folder = tmp_path / "digits"
    appear(saved, folder, 1)
    said, failures, versions = [], [], set()
    ended = threading.Event()
    with servers.DevelopmentServer([Model("digits", folder)], poll_seconds=0.05, say=said.append) as server:

        def ask_again_and_again():
            while not ended.is_set():
                try:
                    versions.add(predict(server, seed=np.array([7])).model_spec.version.value)
                    status, answer = post(server, ":predict", SEED)
                    assert status == 200, answer
                except (AssertionError, OSError, grpc.RpcError) as error:
                    failures.append(error)

        clients = [threading.Thread(target=ask_again_and_again) for _ in range(3)]
        for client in clients:
            client.start()
        wait_until(lambda: versions == {1}, Running())
        appear(saved, folder, 2)
        wait_until(lambda: 2 in versions and states(server) == {1: "END", 2: "AVAILABLE"}, Running())
        ended.set()
        for client in clients:
            client.join()
        assert not failures
        assert [line.partition(",")[0] for line in said] == [
            "digits: version 1 is served",
            "digits: version 2 is served",
            "digits: version 1 is served no more",
        ]
        assert post(server, "/versions/1:predict", SEED)[0] == 404
        # A version that cannot be loaded takes nothing away.
        (folder / "3").mkdir()
        wait_until(lambda: states(server).get(3) == "END", Running())
        assert predict(server, seed=np.array([7])).model_spec.version.value == 2
        _, answer = ask(server, "/v1/models/digits/versions/3")
        assert "no saved_model.pb" in answer["model_version_status"][0]["status"]["error_message"]


CONFIGURATION = """
model_config_list {{ config {{
  name: "digits" base_path: "{folder}" model_platform: "tensorflow"
  model_version_policy {{ specific {{ versions: 1 versions: 2 }} }}
  {labels}
}} }}
"""


def test_labels_and_policies_are_reloaded_by_clients_and_by_the_file(saved, tmp_path):
    folder = tmp_path / "digits"
    for number in (1, 2):
        appear(saved, folder, number)
    file = configuration.ConfigurationFile(folder / "models.config", folder, "digits")
    # In the file the path is a container's.
    stable = CONFIGURATION.format(folder="/models/digits", labels='version_labels { key: "stable" value: 1 }')
    (folder / "models.config").write_text(stable)
    said = []
    arguments = {"poll_seconds": 0.1, "configured": file.changed, "say": said.append}
    with servers.DevelopmentServer([Model("digits", folder)], **arguments) as server:
        assert states(server) == {1: "AVAILABLE", 2: "AVAILABLE"}
        assert predict(server, seed=np.array([7])).model_spec.version.value == 2
        assert predict(server, label="stable", seed=np.array([7])).model_spec.version.value == 1
        assert post(server, "/labels/stable:predict", SEED)[0] == 200

        def reload(text):
            request = model_management_pb2.ReloadConfigRequest()
            text_format.Parse(text, request.config)
            with channel(server) as connection:
                stub = model_service_pb2_grpc.ModelServiceStub(connection)
                return stub.HandleReloadConfigRequest(request, timeout=HANGS).status

        labels = 'version_labels { key: "stable" value: 2 } version_labels { key: "old" value: 1 }'
        assert reload(CONFIGURATION.format(folder=folder, labels=labels)).error_code == 0
        assert predict(server, label="stable", seed=np.array([7])).model_spec.version.value == 2
        assert predict(server, label="old", seed=np.array([7])).model_spec.version.value == 1
        wrong = reload(CONFIGURATION.format(folder=folder, labels='version_labels { key: "next" value: 7 }'))
        assert (
            wrong.error_code == 9
            and "version 7 of model digits, which is not currently available" in wrong.error_message
        )
        assert predict(server, label="old", seed=np.array([7])).model_spec.version.value == 1
        assert reload(CONFIGURATION.format(folder="/nowhere", labels="")).error_code == 3
        assert reload("model_config_list {}").error_code == 3
        # The file again, as it changes; and no good one.
        before = len(said)
        (folder / "models.config").write_text("model_config_list { oh no")
        wait_until(lambda: any("models.config cannot be read" in line for line in said[before:]), Running())
        (folder / "models.config").write_text(stable.replace("stable", "canary"))
        wait_until(lambda: post(server, "/labels/canary:predict", SEED)[0] == 200, Running())
        assert post(server, "/labels/old:predict", SEED)[0] == 400
        assert sum(line.startswith("digits: version") for line in said) == 2, "no version was loaded again"


def test_who_is_not_on_this_machine_may_not_have_other_folders_served(saved, folder, tmp_path):
    appear(saved, tmp_path / "other", 1)
    with servers.DevelopmentServer([Model("digits", folder)], host="0.0.0.0") as server:
        request = model_management_pb2.ReloadConfigRequest()
        text_format.Parse(CONFIGURATION.format(folder=tmp_path / "other", labels=""), request.config)
        with channel(server) as connection:
            stub = model_service_pb2_grpc.ModelServiceStub(connection)
            assert stub.HandleReloadConfigRequest(request, timeout=HANGS).status.error_code == 7
            request.Clear()
            text_format.Parse(CONFIGURATION.format(folder=folder, labels=""), request.config)
            assert stub.HandleReloadConfigRequest(request, timeout=HANGS).status.error_code == 0


def test_what_promote_writes_is_served_under_its_labels_and_no_request_fails(saved, tmp_path):
    """`stable` and `canary` by REST and gRPC; a promotion and a rollback move them while clients ask for them."""
    folder = tmp_path / "digits"
    for number in (1, 2):
        appear(saved, folder, number)
    promotion.promote(folder, 1)
    promotion.stage(folder, 2)
    file = configuration.ConfigurationFile(folder / promotion.FILE_NAME, folder, "digits")
    failures, answered, ended = [], set(), threading.Event()
    arguments = {"poll_seconds": 0.05, "configured": file.changed}
    with servers.DevelopmentServer([Model("digits", folder)], **arguments) as server:

        def version_of(label):
            assert post(server, f"/labels/{label}:predict", SEED)[0] == 200
            return predict(server, label=label, seed=np.array([7])).model_spec.version.value

        assert (version_of("stable"), version_of("canary")) == (1, 2)
        assert ask(server, "/v1/models/digits/labels/canary")[1]["model_version_status"][0]["version"] == "2"

        def ask_again_and_again():
            while not ended.is_set():
                try:
                    answered.add(version_of("stable"))
                except (AssertionError, OSError, grpc.RpcError) as error:
                    failures.append(error)

        clients = [threading.Thread(target=ask_again_and_again) for _ in range(3)]
        for client in clients:
            client.start()
        try:
            wait_until(lambda: answered == {1}, Running())
            promotion.promote(folder)
            wait_until(lambda: states(server) == {1: "END", 2: "AVAILABLE"}, Running())
            assert version_of("stable") == 2
            assert post(server, "/labels/canary:predict", SEED)[0] == 400, "a canary that is promoted is none any more"
            promotion.rollback(folder)
            wait_until(lambda: states(server) == {1: "AVAILABLE", 2: "END"}, Running())
            assert version_of("stable") == 1
        finally:
            ended.set()
            for client in clients:
                client.join()
    assert not failures and answered == {1, 2}


def test_a_label_that_moves_while_it_is_looked_up_is_followed(tmp_path):
    """Between two instructions of a request, the version that a label named may be let go of."""
    model = Model("digits", tmp_path, labels={"stable": 1})

    class Moving:
        @property
        def servable(self):
            model.labels = {"stable": 2}

    class There:
        servable = "the second version"

    model.versions = {1: Moving(), 2: There()}
    assert model.find(label="stable") == "the second version"
    model.labels = {"stable": 3}
    with pytest.raises(Refusal, match=r"Specific\(digits, 3\)"):
        model.find(label="stable")


def test_a_name_that_is_given_stands_above_that_in_the_file(tmp_path):
    promotion.write_live(tmp_path, promotion.Live())
    path = tmp_path / promotion.FILE_NAME
    for renamed, name in ((None, tmp_path.name), ("mine", "mine")):
        ((model, labels),) = configuration.ConfigurationFile(path, tmp_path, "else", renamed).models()
        assert (model.name, labels) == (name, {})


# Clients ----------------------------------------------------------------------------------------------------------


def output_of(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=HANGS, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "picture.png"
    path.write_bytes(png())
    return path


def test_the_client_of_the_standard_library(server, model, picture, tmp_path):
    url = f"http://127.0.0.1:{server.port}"
    client = (sys.executable, CLIENTS / "rest.py", url, "digits")
    answer = output_of(*client, "sample_png", '{"seed": [7, 8]}', "--save", tmp_path / "sample.png")
    assert list(answer) == ["image_bytes"] and len(answer["image_bytes"]) == 2
    with PIL.Image.open(tmp_path / "sample.png") as image:
        np.testing.assert_array_equal(np.asarray(image), model.sample(1, seed=7)[0, ..., 0])
    answer = output_of(*client, "classify_png", "--file", "image_bytes", picture)
    assert answer["name"][0] in model.class_names and answer["valid"] == [True]
    done = subprocess.run([*client, "smaple"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and '400: Serving signature key "smaple" not found' in done.stderr


def test_the_client_of_curl(server, model, picture):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    client = ("bash", CLIENTS / "rest.sh", f"http://127.0.0.1:{server.port}", "digits")
    answer = output_of(*client, "sample", '[{"seed": 7}]')
    np.testing.assert_array_equal(answer["predictions"], model.sample(1, seed=7))
    assert output_of(*client, "classify_png", picture)["predictions"][0]["valid"]
    done = subprocess.run([*client, "smaple", "[]"], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "not found" in done.stdout


def test_the_client_of_javascript(server, model, picture, tmp_path):
    if shutil.which("node") is None:
        pytest.skip("there is no Node")
    client = ("node", CLIENTS / "rest.mjs", f"http://127.0.0.1:{server.port}", "digits")
    answer = output_of(*client, "sample_png", '[{"seed": 7}]', tmp_path / "sample.png")
    assert len(answer) == 1
    with PIL.Image.open(tmp_path / "sample.png") as image:
        np.testing.assert_array_equal(np.asarray(image), model.sample(1, seed=7)[0, ..., 0])
    answer = output_of(*client, "classify_png", picture)
    assert answer[0]["name"] in model.class_names and answer[0]["valid"]
    done = subprocess.run([*client, "smaple", "[]"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and '400: Serving signature key "smaple" not found' in done.stderr


def test_the_client_of_grpc(server, model):
    """In this process, as it imports TensorFlow."""
    names = {"__name__": "grpc_client"}
    exec(compile((CLIENTS / "grpc_client.py").read_text(), "grpc_client.py", "exec"), names)
    client = names["Client"](f"127.0.0.1:{server.grpc_port}", "digits")
    np.testing.assert_array_equal(client.predict("sample", seed=[7, 8])["image"], model.sample(2, seed=7))
    answer = client.predict("classify_png", image_bytes=[png(), b"no picture"])
    assert answer["valid"].tolist() == [True, False]
    # Whole numbers become what the signature takes.
    assert client.predict("serving_default", z=[[0] * model.latent_dim])["image"].shape == (1, 8, 8, 1)
    refused("FAILED_PRECONDITION", "not found", lambda: client.predict("smaple", seed=[7]))
    client.close()


# The command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda folder: None, "There is no folder"),
        (lambda folder: folder.mkdir(), "has no versions"),
        (lambda folder: (folder / "1" / "tflite").mkdir(parents=True), "None of the versions in .* has a SavedModel"),
    ],
)
def test_a_folder_that_cannot_be_served_is_refused_at_once(tmp_path, make, message):
    make(tmp_path / "models")
    result = CliRunner().invoke(cli.app, ["serve", str(tmp_path / "models")])
    assert isinstance(result.exception, UserError)
    with pytest.raises(UserError, match=message):
        raise result.exception


def test_a_version_and_a_name_are_refused(folder):
    result = CliRunner().invoke(cli.app, ["serve", str(folder / "1")])
    assert isinstance(result.exception, UserError) and f"Serve the folder that it lies in: {folder}" in str(
        result.exception
    )
    result = CliRunner().invoke(cli.app, ["serve", str(folder), "--name", "a/b"])
    assert isinstance(result.exception, UserError) and "'a/b'" in str(result.exception)


def test_a_taken_port_is_named(server, folder):
    for ports, message in (
        ({"port": server.port}, f"REST cannot listen at 127.0.0.1:{server.port}"),
        ({"grpc_port": server.grpc_port}, f"gRPC cannot listen at 127.0.0.1:{server.grpc_port}"),
    ):
        with pytest.raises(UserError, match=message), servers.DevelopmentServer([Model("digits", folder)], **ports):
            pass


@pytest.mark.slow
def test_the_command_serves_until_it_is_told_to_end(folder):
    start = "from keras_gans.training.command import main; main()"
    command = [sys.executable, "-c", start, "serve", folder, "--port", "0", "--grpc-port", "0"]
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    lines = []
    try:
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("Ctrl+C"):
                break
        assert any(line.startswith("Development server, not for traffic. Serving digits") for line in lines), lines
        url = next(line.split()[1] for line in lines if line.startswith("REST"))
        with urllib.request.urlopen(f"{url}/metadata", timeout=HANGS) as response:
            assert "signature_def" in json.load(response)["metadata"]
        process.terminate()
        assert process.wait(HANGS) == 0
    finally:
        process.kill()
        process.communicate()
