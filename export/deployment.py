"""What a SavedModel is served with, written beside it: TensorFlow Serving by Docker Compose and Kubernetes, KServe, and
Triton for ONNX files; and clients.

None of these servers runs where this project is tested: the files are checked against the schemas and messages that
they are to follow. Whatever of them you use, read it first: memory, ports and storage are guesses.
"""

import importlib.metadata
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = "serving"
CLIENTS = Path(__file__).with_name("clients")
# Where a container sees the folder of the versions.
_MODELS = "/models"
_REST, _GRPC = 8501, 8500
# Nobody, who owns no files: the servers read, and listen above port 1024.
_USER = 65534
# Triton's releases are named by month; its ONNX Runtime reads what tf2onnx writes.
TRITON = "nvcr.io/nvidia/tritonserver:25.08-py3"
# {NumPy's name: Triton's}.
_TRITON_TYPES = {
    "float32": "TYPE_FP32",
    "int64": "TYPE_INT64",
    "int32": "TYPE_INT32",
    "uint8": "TYPE_UINT8",
    "bool": "TYPE_BOOL",
}
_BATCHING = """\
# Requests that come within the timeout are merged, and what they are answered is split again. The largest batch is what
# one call of the model may have; a request of more rows is refused. Without allowed_batch_sizes nothing is padded.
max_batch_size {{ value: {batch_limit} }}
batch_timeout_micros {{ value: 2000 }}
max_enqueued_batches {{ value: 64 }}
num_batch_threads {{ value: 2 }}
"""
_MONITORING = """\
# GET /monitoring/prometheus/metrics on the port of REST.
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""


def image() -> str:
    """TensorFlow Serving's container image, of the release whose protocol this project is tested with."""
    return f"tensorflow/serving:{importlib.metadata.version('tensorflow-serving-api')}"


def write_deployment(
    version: Path, name: str, signatures: Mapping[str, Any], batch_limit: int, weights_bytes: int
) -> None:
    """Writes the folder `serving` of a version.

    Args:
        version: its folder, that of the SavedModel.
        name: of the model, under which it is served.
        signatures: {signature: {"inputs": {name: {"dtype", "shape"}}, ...}}, as the report has them.
        batch_limit: rows that one call may have.
        weights_bytes: of the model, from which memory is guessed.
    """
    folder = version / FOLDER
    folder.mkdir()
    # A merged batch is one array: rows of unequal lengths would fail together.
    is_batched = not any(
        size is None for each in signatures.values() for info in each["inputs"].values() for size in info["shape"][1:]
    )
    arguments = [f"--monitoring_config_file=/{FOLDER}/monitoring.config"]
    if is_batched:
        arguments += ["--enable_batching=true", f"--batching_parameters_file=/{FOLDER}/batching_parameters.txt"]
        (folder / "batching_parameters.txt").write_text(_BATCHING.format(batch_limit=batch_limit), encoding="utf-8")
    (folder / "monitoring.config").write_text(_MONITORING, encoding="utf-8")
    memory = _memory_mebibytes(weights_bytes)
    configuration = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}
    _write(folder / "compose.yaml", _COMPOSE_HEAD, [_compose(name, arguments, memory, sorted(configuration))])
    _write(folder / "kubernetes.yaml", _KUBERNETES_HEAD, _kubernetes(name, arguments, memory, configuration))
    _write(folder / "kserve.yaml", _KSERVE_HEAD, [_kserve(name, memory)])
    shutil.copytree(CLIENTS, folder / "clients", ignore=shutil.ignore_patterns("__pycache__"))


def resource_name(name: str) -> str:
    """A name as Kubernetes and Compose allow them: small letters, digits and '-', a letter first, 50 at the most."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    # Names of services are labels of RFC 1035.
    named = plain if plain[:1].isalpha() else f"model-{plain}"
    return named[:50].strip("-")


def _memory_mebibytes(weights_bytes):
    # TensorFlow Serving by itself, the weights, and while versions are swapped both of them; the rest is for batches.
    return 1024 + 4 * -(-weights_bytes // 2**20)


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: texts of several lines as blocks, nothing by reference."""

    def ignore_aliases(self, data):
        return True


def _represent_text(dumper, text):
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def _write(path, head, documents):
    texts = [yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120) for document in documents]
    path.write_text(head + "---\n".join(texts), encoding="utf-8")


# Compose ----------------------------------------------------------------------------------------------------------

_COMPOSE_HEAD = """\
# TensorFlow Serving for this export and its later versions, on this machine alone:
#   docker compose -f serving/compose.yaml up
# With labels, where the folder of the versions has a models.config, add to the command
#   --model_config_file=/models/NAME/models.config, --model_config_file_poll_wait_seconds=30
"""


def _compose(name, arguments, memory, files):
    # Relative to this file: the folder of the versions is two above.
    volumes = [_bind("../..", f"{_MODELS}/{name}"), *(_bind(f"./{file}", f"/{FOLDER}/{file}") for file in files)]
    probe = (
        f"exec 3<>/dev/tcp/127.0.0.1/{_REST} && printf 'GET /v1/models/{name} HTTP/1.0\\r\\n\\r\\n' >&3 && "
        "grep -q AVAILABLE <&3"
    )
    service = {
        "image": image(),
        "environment": {"MODEL_NAME": name},
        "command": arguments,
        "ports": [f"127.0.0.1:{_REST}:{_REST}", f"127.0.0.1:{_GRPC}:{_GRPC}"],
        "volumes": volumes,
        "user": f"{_USER}:{_USER}",
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        # The image has no curl; bash opens connections by itself.
        "healthcheck": {
            "test": ["CMD", "bash", "-c", probe],
            "interval": "10s",
            "timeout": "5s",
            "retries": 6,
            "start_period": "60s",
        },
        "deploy": {"resources": {"limits": {"cpus": "2.0", "memory": f"{2 * memory}M"}}},
    }
    return {"name": resource_name(name), "services": {resource_name(name): service}}


def _bind(source, target):
    return {"type": "bind", "source": source, "target": target, "read_only": True}


# Kubernetes -------------------------------------------------------------------------------------------------------

_KUBERNETES_HEAD = """\
# TensorFlow Serving on Kubernetes. The versions lie on the volume of the claim below, in a folder of the model's name;
# write that claim for your cluster, or put another volume in its place.
"""


def _kubernetes(name, arguments, memory, configuration):
    resource = resource_name(name)
    labels = {"app.kubernetes.io/name": resource, "app.kubernetes.io/component": "tensorflow-serving"}
    ready = {"httpGet": {"path": f"/v1/models/{name}", "port": "rest"}, "periodSeconds": 5, "failureThreshold": 3}
    container = {
        "name": "tensorflow-serving",
        "image": image(),
        "args": arguments,
        "env": [{"name": "MODEL_NAME", "value": name}],
        "ports": [{"name": "rest", "containerPort": _REST}, {"name": "grpc", "containerPort": _GRPC}],
        "startupProbe": {**ready, "failureThreshold": 60},
        "readinessProbe": ready,
        "livenessProbe": {"tcpSocket": {"port": "grpc"}, "periodSeconds": 20, "failureThreshold": 3},
        "resources": {
            "requests": {"cpu": "1", "memory": f"{memory}Mi"},
            "limits": {"cpu": "2", "memory": f"{2 * memory}Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "models", "mountPath": f"{_MODELS}/{name}", "subPath": name, "readOnly": True},
            {"name": "configuration", "mountPath": f"/{FOLDER}", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
    }
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "models", "persistentVolumeClaim": {"claimName": f"{resource}-models", "readOnly": True}},
            {"name": "configuration", "configMap": {"name": f"{resource}-serving"}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"{resource}-serving", "labels": labels},
            "data": configuration,
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": resource, "labels": labels},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": resource, "labels": labels},
            "spec": {
                "selector": labels,
                "ports": [
                    {"name": "rest", "port": _REST, "targetPort": "rest"},
                    {"name": "grpc", "port": _GRPC, "targetPort": "grpc"},
                ],
            },
        },
    ]


# KServe -----------------------------------------------------------------------------------------------------------

_KSERVE_HEAD = """\
# KServe's own TensorFlow Serving. It answers POST /v1/models/NAME:predict with "instances" only: no versions, no
# labels, no metadata. The versions lie on the claim, in a folder of the model's name; s3:// and gs:// do as well.
"""


def _kserve(name, memory):
    resource = resource_name(name)
    model = {
        "modelFormat": {"name": "tensorflow"},
        "protocolVersion": "v1",
        "runtimeVersion": image().rpartition(":")[2],
        "storageUri": f"pvc://{resource}-models/{name}",
        "resources": {
            "requests": {"cpu": "1", "memory": f"{memory}Mi"},
            "limits": {"cpu": "2", "memory": f"{2 * memory}Mi"},
        },
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": resource},
        "spec": {"predictor": {"minReplicas": 1, "model": model}},
    }


# Triton -----------------------------------------------------------------------------------------------------------

_TRITON_HEAD = """\
# NVIDIA Triton for the ONNX files of this version: docker compose -f serving/triton.yaml up
# With a GPU, add instance_group [ { kind: KIND_GPU } ] to each config.pbtxt and the GPU to the service.
"""


def write_triton(version: Path, name: str, files: Mapping[str, Mapping[str, Any]], batch_limit: int) -> None:
    """Writes `config.pbtxt` for each ONNX file, and a Compose file that lays them out as Triton wants them.

    Args:
        version: its folder.
        name: of the model.
        files: {signature: {"file": path in the version, "inputs" and "outputs": {name: {"dtype", "shape"}}}}.
        batch_limit: rows that one call may have.
    """
    folder = version / FOLDER / "triton"
    volumes = []
    for signature, described in files.items():
        model = f"{name}_{signature}"
        place = folder / model / "config.pbtxt"
        place.parent.mkdir(parents=True)
        place.write_text(_triton_config(model, described, batch_limit), encoding="utf-8")
        volumes += [
            _bind(f"./triton/{model}/config.pbtxt", f"{_MODELS}/{model}/config.pbtxt"),
            _bind(f"../{described['file']}", f"{_MODELS}/{model}/1/model.onnx"),
        ]
    service = {
        "image": TRITON,
        "command": ["tritonserver", f"--model-repository={_MODELS}", "--strict-readiness=true"],
        "ports": ["127.0.0.1:8000:8000", "127.0.0.1:8001:8001", "127.0.0.1:8002:8002"],
        "volumes": volumes,
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "healthcheck": {
            "test": ["CMD", "curl", "--fail", "--silent", "http://127.0.0.1:8000/v2/health/ready"],
            "interval": "10s",
            "timeout": "5s",
            "retries": 6,
            "start_period": "60s",
        },
    }
    composed = {"name": f"{resource_name(name)}-triton", "services": {"triton": service}}
    _write(version / FOLDER / "triton.yaml", _TRITON_HEAD, [composed])


def _triton_config(model, described, batch_limit):
    lines = [f"name: {json.dumps(model)}", 'platform: "onnxruntime_onnx"', f"max_batch_size: {batch_limit}"]
    for side in ("input", "output"):
        lines.append(f"{side} [")
        entries = []
        for name, info in described[f"{side}s"].items():
            # The batch is max_batch_size's. What has no further size is one number a row, which Triton calls [ 1 ].
            sizes = [-1 if size is None else size for size in info["shape"][1:]]
            text = f"  {{\n    name: {json.dumps(name)}\n    data_type: {_TRITON_TYPES[info['dtype']]}\n"
            if sizes:
                text += f"    dims: [ {', '.join(map(str, sizes))} ]\n  }}"
            else:
                text += "    dims: [ 1 ]\n    reshape { shape: [ ] }\n  }"
            entries.append(text)
        lines += [",\n".join(entries), "]"]
    lines.append("dynamic_batching { max_queue_delay_microseconds: 2000 }")
    return "\n".join(lines) + "\n"
