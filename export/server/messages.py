"""What there is to know of models, as TensorFlow Serving's official messages and in JSON."""

from google.protobuf import json_format

from ..protos import get_model_metadata_pb2, get_model_status_pb2
from .models import Model, Models
from .refusal import Refusal

_DEFINITIONS = "signature_def"


def status(
    models: Models, name: str, number: int | None, label: str | None
) -> get_model_status_pb2.GetModelStatusResponse:
    """The states of a model's versions, newest first, or of one.

    Raises:
        Refusal: there is no such model, version or label.
    """
    model = models.models.get(name)
    if model is None or not model.versions:
        raise Refusal("NOT_FOUND", f"Could not find any versions of model {name}")
    if label:
        if label not in model.labels:
            raise Refusal("INVALID_ARGUMENT", f"Unrecognized servable version label: {label}")
        number = model.labels[label]
    if number is not None and number not in model.versions:
        raise Refusal("NOT_FOUND", f"Could not find version {number} of model {name}")
    response = get_model_status_pb2.GetModelStatusResponse()
    for each in sorted(model.versions, reverse=True) if number is None else [number]:
        version = model.versions[each]
        entry = response.model_version_status.add(version=each, state=version.state)
        entry.status.error_code = 0 if version.refusal is None else version.refusal.number
        entry.status.error_message = "" if version.refusal is None else version.refusal.message
    return response


def metadata(model: Model, number: int | None, label: str | None) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """The signatures of a version, as its file has them.

    Raises:
        Refusal: there is no such version or label.
    """
    servable = model.find(number, label)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = model.name
    response.model_spec.version.value = servable.number
    response.metadata[_DEFINITIONS].Pack(_definitions(servable))
    return response


def _definitions(servable):
    found = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in servable.definitions.items():
        found.signature_def[name].CopyFrom(definition)
    return found


def status_json(models: Models, name: str, number: int | None, label: str | None) -> bytes:
    """`status` as REST says it."""
    return _json(status(models, name, number, label))


def metadata_json(model: Model, number: int | None, label: str | None) -> bytes:
    """`metadata` as REST says it."""
    servable = model.find(number, label)
    response = metadata(model, servable.number, None)
    specification, definitions = _json(response.model_spec), _json(_definitions(servable))
    return b'{"model_spec": %s, "metadata": {"signature_def": %s}}' % (specification, definitions)


def _json(message):
    text = json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return text.encode()
