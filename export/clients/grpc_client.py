"""A gRPC client of an exported model, on TensorFlow Serving's official messages: pip install tensorflow-serving-api.

python grpc_client.py localhost:8500 dcgan sample '{"seed": [7, 8]}'
python grpc_client.py localhost:8500 sgan classify_png --file image_bytes picture.jpg
"""

import argparse
import json

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

# A batch of images is more than the four megabytes that gRPC takes by itself.
OPTIONS = [("grpc.max_receive_message_length", 256 * 2**20), ("grpc.max_send_message_length", 256 * 2**20)]


class Client:
    """One connection, for any number of calls of any number of threads.

    Args:
        address: such as localhost:8500.
        model: its name.
        version: a number, or None for the latest.
        label: of a version, such as "stable".
        seconds: to wait for an answer.
    """

    def __init__(self, address, model, version=None, label=None, seconds=60.0):
        self._channel = grpc.insecure_channel(address, options=OPTIONS)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._model, self._version, self._label, self._seconds = model, version, label, seconds
        self._types = None

    def predict(self, signature, **inputs):
        """What a signature answers.

        Args:
            signature: its name.
            **inputs: array or list of rows of each input.

        Returns:
            {output: array}.

        Raises:
            grpc.RpcError: the server refuses; `code()` and `details()` say why.
        """
        request = predict_pb2.PredictRequest()
        self._name(request.model_spec)
        request.model_spec.signature_name = signature
        types = self._types_of(signature)
        for name, rows in inputs.items():
            # A list of whole numbers may be meant for int64 or for floats: the server knows.
            request.inputs[name].CopyFrom(tf.make_tensor_proto(rows, types.get(name)))
        answer = self._stub.Predict(request, timeout=self._seconds)
        return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}

    def _types_of(self, signature):
        if self._types is None:
            request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
            self._name(request.model_spec)
            answer = self._stub.GetModelMetadata(request, timeout=self._seconds)
            found = get_model_metadata_pb2.SignatureDefMap()
            answer.metadata["signature_def"].Unpack(found)
            self._types = {
                name: {key: tensor.dtype for key, tensor in definition.inputs.items()}
                for name, definition in found.signature_def.items()
            }
        return self._types.get(signature, {})

    def _name(self, specification):
        specification.name = self._model
        if self._version is not None:
            specification.version.value = self._version
        if self._label is not None:
            specification.version_label = self._label

    def close(self):
        """Ends the connection."""
        self._channel.close()


def main():
    """Asks once and prints the answer: small arrays in full, others by their shapes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("model")
    parser.add_argument("signature")
    parser.add_argument("inputs", nargs="?", default="{}", help='{"seed": [7, 8]}')
    parser.add_argument("--file", nargs=2, action="append", default=[], metavar=("INPUT", "PATH"))
    given = parser.parse_args()
    inputs = json.loads(given.inputs)
    for name, path in given.file:
        with open(path, "rb") as file:
            inputs.setdefault(name, []).append(file.read())
    client = Client(given.address, given.model)
    outputs = client.predict(given.signature, **inputs)
    client.close()
    print(json.dumps({name: _shown(value) for name, value in sorted(outputs.items())}))


def _shown(value):
    if value.dtype == object:
        return [row.decode("utf-8") if row[:1] != b"\x89" else f"{len(row)} bytes" for row in np.ravel(value)]
    return value.tolist() if value.size <= 64 else f"{value.dtype} {list(value.shape)}"


if __name__ == "__main__":
    main()
