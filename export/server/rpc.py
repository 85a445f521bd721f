"""TensorFlow Serving's gRPC services, and the standard one of health, on their official protos."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ..protos import model_management_pb2, model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc
from . import messages
from .configuration import models_of
from .metrics import Metrics
from .models import DEFAULT_SIGNATURE, Models
from .refusal import Refusal
from .tensor_protos import array_of, tensor_of

# As for a body of REST.
MESSAGE_LIMIT = 64 * 2**20


def grpc_server(models: Models, metrics: Metrics, may_reload: Callable[[Path], bool], threads: int) -> grpc.Server:
    """A server with all services, to be given a port and started.

    Args:
        models: what is served.
        metrics: where requests are counted.
        may_reload: function of a folder, whether clients may have it served.
        threads: requests that are answered at once.
    """
    options = [
        ("grpc.max_receive_message_length", MESSAGE_LIMIT),
        ("grpc.max_send_message_length", -1),
        # Else a second server on the same port gets half of the requests, without a word.
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.server(ThreadPoolExecutor(threads, thread_name_prefix="grpc"), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Prediction(models, metrics), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Management(models, metrics, may_reload), server)
    health_pb2_grpc.add_HealthServicer_to_server(_Health(models), server)
    return server


def _which(specification):
    """(number, label) that a message asks for."""
    number = specification.version.value if specification.HasField("version") else None
    return number, specification.version_label or None


def _answered(metrics, method, name, context, function):
    """What a function returns; what it raises ends the call with its code."""
    try:
        with metrics.request("grpc", method, name):
            return function()
    except Refusal as refusal:
        context.abort(grpc.StatusCode[refusal.code], refusal.message)


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, models, metrics):
        self._models, self._metrics = models, metrics

    def Predict(self, request, context):
        return _answered(self._metrics, "Predict", request.model_spec.name, context, lambda: self._predict(request))

    def _predict(self, request):
        specification = request.model_spec
        model = self._models.named(specification.name)
        servable = model.find(*_which(specification))
        arrays = {name: array_of(name, tensor) for name, tensor in request.inputs.items()}
        outputs = servable.predict(specification.signature_name, arrays)
        if unknown := set(request.output_filter) - set(outputs):
            raise Refusal(
                "INVALID_ARGUMENT", f"output tensor alias not found in signature: {', '.join(sorted(unknown))}"
            )
        response = predict_pb2.PredictResponse()
        response.model_spec.name, response.model_spec.version.value = model.name, servable.number
        response.model_spec.signature_name = specification.signature_name or DEFAULT_SIGNATURE
        for name, value in outputs.items():
            if not request.output_filter or name in request.output_filter:
                response.outputs[name].CopyFrom(tensor_of(value))
        return response

    def GetModelMetadata(self, request, context):
        def answer():
            if list(request.metadata_field) != ["signature_def"]:
                raise Refusal(
                    "INVALID_ARGUMENT", f"Metadata field {', '.join(request.metadata_field)!r} is not signature_def"
                )
            return messages.metadata(self._models.named(request.model_spec.name), *_which(request.model_spec))

        return _answered(self._metrics, "GetModelMetadata", request.model_spec.name, context, answer)


class _Management(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, models, metrics, may_reload):
        self._models, self._metrics, self._may_reload = models, metrics, may_reload

    def GetModelStatus(self, request, context):
        def answer():
            if not request.HasField("model_spec"):
                raise Refusal("INVALID_ARGUMENT", "Missing ModelSpec")
            return messages.status(self._models, request.model_spec.name, *_which(request.model_spec))

        return _answered(self._metrics, "GetModelStatus", request.model_spec.name, context, answer)

    def HandleReloadConfigRequest(self, request, context):
        response = model_management_pb2.ReloadConfigResponse()
        try:
            with self._metrics.request("grpc", "HandleReloadConfigRequest", ""):
                wanted = models_of(request.config)
                for model, _ in wanted:
                    if not self._may_reload(model.folder):
                        raise Refusal("PERMISSION_DENIED", f"{model.folder} is not among the folders served here.")
                self._models.replace(wanted)
        except Refusal as refusal:
            # TensorFlow Serving says it in the answer, and the call succeeds.
            response.status.error_code, response.status.error_message = refusal.number, refusal.message
        return response


class _Health(health_pb2_grpc.HealthServicer):
    def __init__(self, models):
        self._models = models

    def Check(self, request, context):
        state = health_pb2.HealthCheckResponse
        return state(status=state.SERVING if self._models.ready() else state.NOT_SERVING)
