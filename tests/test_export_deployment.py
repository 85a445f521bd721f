"""The files that a SavedModel is served with follow the schemas and messages of those who read them."""

import ast
import importlib.resources
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2

from keras_gans.export import deployment

NAME = "My_digits.v2"
IMAGES = {"image": {"dtype": "float32", "shape": [None, 8, 8, 1]}}
SIGNATURES = {"classify": {"inputs": IMAGES, "outputs": {"label": {"dtype": "int64", "shape": [None]}}}}
FILES = {
    "classify": {
        "file": "onnx/classify.onnx",
        "inputs": IMAGES,
        "outputs": {
            "probabilities": {"dtype": "float32", "shape": [None, 3]},
            "label": {"dtype": "int64", "shape": [None]},
            "valid": {"dtype": "bool", "shape": [None]},
        },
    }
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    version = tmp_path_factory.mktemp("models") / "1"
    version.mkdir()
    deployment.write_deployment(version, NAME, SIGNATURES, 256, 3_000_000)
    deployment.write_triton(version, NAME, FILES, 256)
    return version / "serving"


def documents(path):
    return list(yaml.safe_load_all(path.read_text()))


def check_schema(document, schema):
    import jsonschema

    errors = list(jsonschema.validators.validator_for(schema)(schema).iter_errors(document))
    assert not errors, "\n".join(f"{list(error.path)}: {error.message}" for error in errors)


@pytest.mark.parametrize("name", ["compose.yaml", "triton.yaml"])
def test_compose_files_follow_the_specification(folder, name):
    pytest.importorskip("check_jsonschema")
    vendored = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(vendored.read_text())
    (document,) = documents(folder / name)
    check_schema(document, schema)
    with pytest.raises(AssertionError):
        check_schema({"services": {"x": {"imag": "y"}}}, schema)
    (service,) = document["services"].values()
    image, _, tag = service["image"].rpartition(":")
    assert image and re.match(r"\d+\.\d+", tag), "a pinned tag"
    assert service["read_only"] is True and all(volume["read_only"] for volume in service["volumes"])
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_what_compose_mounts_is_there(folder):
    (service,) = documents(folder / "compose.yaml")[0]["services"].values()
    sources = {volume["target"]: folder / volume["source"] for volume in service["volumes"]}
    assert sources.pop(f"/models/{NAME}").resolve() == folder.parent.parent
    assert service["environment"] == {"MODEL_NAME": NAME}
    assert all(path.is_file() for path in sources.values())
    # Each file that the server is to read is mounted where it is told to.
    named = {argument.partition("=")[2] for argument in service["command"] if "_file=" in argument}
    assert named == set(sources)
    (service,) = documents(folder / "triton.yaml")[0]["services"].values()
    assert (folder / service["volumes"][0]["source"]).is_file()
    assert (folder / service["volumes"][1]["source"]).resolve() == folder.parent / "onnx" / "classify.onnx"


def test_kubernetes_takes_it(folder):
    validate = pytest.importorskip("kubernetes_validate")
    found = documents(folder / "kubernetes.yaml")
    assert [document["kind"] for document in found] == ["ConfigMap", "Deployment", "Service"]
    for document in found:
        validate.validate(document, validate.latest_version(), strict=True)
    wrong = json.loads(json.dumps(found[1]))
    wrong["spec"]["template"]["spec"]["containers"][0]["imag"] = "x"
    with pytest.raises(validate.ValidationError):
        validate.validate(wrong, validate.latest_version(), strict=True)
    configuration, deployed, service = found
    pod = deployed["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} < set(container)
    assert set(container["resources"]) == {"requests", "limits"}
    # What is selected, mounted, probed and configured is what there is.
    assert service["spec"]["selector"] == deployed["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    assert volumes["configuration"]["configMap"]["name"] == configuration["metadata"]["name"]
    ports = {port["name"] for port in container["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} == ports
    named = {argument.rpartition("/")[2] for argument in container["args"] if "_file=" in argument}
    assert named == set(configuration["data"])
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", deployed["metadata"]["name"])


def test_kserve_asks_for_what_its_documents_name(folder):
    """These are the fields of InferenceService v1beta1 for a predictor's model."""
    (document,) = documents(folder / "kserve.yaml")
    assert (document["apiVersion"], document["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    model = document["spec"]["predictor"]["model"]
    assert set(document) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(model) == {"modelFormat", "protocolVersion", "runtimeVersion", "storageUri", "resources"}
    assert model["modelFormat"] == {"name": "tensorflow"} and model["protocolVersion"] == "v1"
    # A claim has Kubernetes' name, and the folder in it the model's own.
    assert model["storageUri"] == f"pvc://{deployment.resource_name(NAME)}-models/{NAME}"
    assert deployment.resource_name(NAME) != NAME


# Of KServe's own Python package, which would bring an older protobuf: it is read as data, and never installed.
KSERVE = "kserve==0.21.0"


@pytest.fixture(scope="module")
def kserve_types(tmp_path_factory):
    """Function of a type's name that returns {key in YAML: type} of its fields, as generated of KServe's OpenAPI."""
    scratch = tmp_path_factory.mktemp("kserve")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(scratch), KSERVE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{KSERVE} cannot be had: {done.stderr.strip().splitlines()[-1:]}")
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = {Path(name).stem.replace("_", ""): name for name in packed.namelist() if "/models/v1" in name}
        sources = {name: packed.read(path).decode() for name, path in names.items()}

    def fields_of(kind):
        if kind.lower() not in sources:
            return None
        (described,) = (node for node in ast.parse(sources[kind.lower()]).body if isinstance(node, ast.ClassDef))
        assert described.name == kind
        tables = {
            node.targets[0].id: ast.literal_eval(node.value) for node in described.body if isinstance(node, ast.Assign)
        }
        return {tables["attribute_map"][name]: found for name, found in tables["openapi_types"].items()}

    return fields_of


def kserve_faults(value, kind, fields_of, path=""):
    """What of a document is not of a type of KServe's; of Kubernetes' own types it is read no further."""
    plain = {"str": str, "int": int, "bool": bool, "float": float}
    if kind in plain:
        return [] if type(value) is plain[kind] else [f"{path} is no {kind}: {value!r}"]
    fields = fields_of(kind)
    if fields is None:
        return [] if isinstance(value, dict) else [f"{path} is no {kind}: {value!r}"]
    if not isinstance(value, dict):
        return [f"{path} is no {kind}: {value!r}"]
    faults = [f"{path}.{key} is no field of {kind}" for key in value if key not in fields]
    known = ((key, each) for key, each in value.items() if key in fields)
    return faults + [
        fault for key, each in known for fault in kserve_faults(each, fields[key], fields_of, f"{path}.{key}")
    ]


@pytest.mark.network
def test_kserve_has_the_fields_that_it_is_asked_for(folder, kserve_types):
    (document,) = documents(folder / "kserve.yaml")
    assert kserve_faults(document, "V1beta1InferenceService", kserve_types) == []
    model = document["spec"]["predictor"]["model"]
    model |= {"storageURI": model.pop("storageUri"), "runtimeVersion": 2.21}
    document["spec"]["predictor"]["minReplicas"] = "1"
    assert len(kserve_faults(document, "V1beta1InferenceService", kserve_types)) == 3


def test_kserves_resources_are_kubernetes(folder):
    """KServe hands them on, to a container."""
    validate = pytest.importorskip("kubernetes_validate")
    (document,) = documents(folder / "kserve.yaml")
    container = {"name": "x", "image": "y", "resources": document["spec"]["predictor"]["model"]["resources"]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": document["metadata"], "spec": {"containers": [container]}}
    validate.validate(pod, validate.latest_version(), strict=True)


def test_triton_takes_the_configuration(folder):
    model_config_pb2 = pytest.importorskip("tritonclient.grpc.model_config_pb2")
    text = (folder / "triton" / f"{NAME}_classify" / "config.pbtxt").read_text()
    found = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert (found.name, found.platform, found.max_batch_size) == (f"{NAME}_classify", "onnxruntime_onnx", 256)
    (given,) = found.input
    assert (given.name, given.data_type, list(given.dims)) == ("image", model_config_pb2.TYPE_FP32, [8, 8, 1])
    probabilities, label, valid = found.output
    assert (probabilities.data_type, list(probabilities.dims)) == (model_config_pb2.TYPE_FP32, [3])
    # One number a row.
    assert (list(label.dims), label.HasField("reshape"), list(label.reshape.shape)) == ([1], True, [])
    assert valid.data_type == model_config_pb2.TYPE_BOOL
    assert found.HasField("dynamic_batching")


def message_class(name, fields):
    """A message of TensorFlow Serving's that its Python package leaves out, from the published definition."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package="tensorflow.serving", syntax="proto3")
    file.dependency.append("google/protobuf/wrappers.proto")
    kinds = descriptor_pb2.FieldDescriptorProto
    for message, entries in fields.items():
        described = file.message_type.add(name=message)
        for number, (field, kind) in enumerate(entries.items(), 1):
            entry = described.field.add(name=field, number=number, label=kinds.LABEL_OPTIONAL)
            if kind in ("bool", "string"):
                entry.type = {"bool": kinds.TYPE_BOOL, "string": kinds.TYPE_STRING}[kind]
            elif kind == "int64s":
                entry.type, entry.label = kinds.TYPE_INT64, kinds.LABEL_REPEATED
            else:
                entry.type, entry.type_name = kinds.TYPE_MESSAGE, kind
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tensorflow.serving.{name}"))


def test_batching_and_monitoring_are_tensorflow_servings_messages(folder):
    whole = ".google.protobuf.Int64Value"
    batching = {"max_batch_size": whole, "batch_timeout_micros": whole, "max_enqueued_batches": whole}
    batching |= {"num_batch_threads": whole, "allowed_batch_sizes": "int64s"}
    parameters = message_class("BatchingParameters", {"BatchingParameters": batching})
    found = text_format.Parse((folder / "batching_parameters.txt").read_text(), parameters())
    assert found.max_batch_size.value == 256, "as many rows as one call of the model may have"
    assert found.batch_timeout_micros.value > 0 and found.num_batch_threads.value > 0
    monitoring = message_class(
        "MonitoringConfig",
        {
            "PrometheusConfig": {"enable": "bool", "path": "string"},
            "MonitoringConfig": {"prometheus_config": ".tensorflow.serving.PrometheusConfig"},
        },
    )
    found = text_format.Parse((folder / "monitoring.config").read_text(), monitoring())
    assert found.prometheus_config.enable and found.prometheus_config.path == "/monitoring/prometheus/metrics"


def test_rows_of_unequal_lengths_are_not_merged(tmp_path):
    """Merged they would be one array, and fail together."""
    tokens = {"translate_tokens": {"inputs": {"tokens": {"dtype": "int32", "shape": [None, None]}}}}
    deployment.write_deployment(tmp_path, "translator", tokens, 256, 1)
    assert not (tmp_path / "serving" / "batching_parameters.txt").exists()
    (service,) = documents(tmp_path / "serving" / "compose.yaml")[0]["services"].values()
    assert not any("batching" in argument for argument in service["command"])
    assert not any("batching" in volume["source"] for volume in service["volumes"])


@pytest.mark.parametrize("name", ["digits", "_", "A" * 80, "ü", "2024-cgan", "00007", "-", "9" * 80])
def test_any_name_becomes_one_that_kubernetes_takes(name):
    """Also of a service, whose name is a label of RFC 1035: it begins with a letter."""
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", deployment.resource_name(name))


def test_the_clients_come_along(folder):
    names = {path.name for path in (folder / "clients").iterdir()}
    assert names >= {"rest.py", "grpc_client.py", "litert.py", "rest.mjs", "rest.sh"}
    for path in (folder / "clients").glob("*.py"):
        compile(path.read_text(), path.name, "exec")
