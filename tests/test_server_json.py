"""The REST of the development server: what TensorFlow Serving's parser takes and refuses, of any request whatever."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_gans.export.server import tensors
from keras_gans.export.server.refusal import Refusal

SEEDS = {"seed": tensors.Input("int64", (None,)), "label": tensors.Input("int64", (None,))}
FILES = {"image_bytes": tensors.Input("string", (None,))}
LATENTS = {"z": tensors.Input("float32", (None, 3))}


def arrays(document, inputs):
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    found = tensors.inputs_of(tensors.parse(content), inputs)
    tensors.check_shapes(found, inputs)
    return {name: values.tolist() for name, values in found.items()}


def b64(data):
    return {"b64": base64.b64encode(data).decode()}


@pytest.mark.parametrize(
    "document, inputs, expected",
    [
        ({"instances": [{"seed": 1, "label": 2}, {"seed": -(2**63), "label": 0}]}, SEEDS, [[1, -(2**63)], [2, 0]]),
        ({"inputs": {"seed": [1, 2**63 - 1], "label": [2, 0]}}, SEEDS, [[1, 2**63 - 1], [2, 0]]),
        ({"instances": [b64(b"\x89PNG"), b64(b"")]}, FILES, [[b"\x89PNG", b""]]),
        ({"instances": [{"image_bytes": b64(b"a")}]}, FILES, [[b"a"]]),
        ({"inputs": [b64(b"a"), "é"]}, FILES, [[b"a", "é".encode()]]),
        ({"instances": [[1, 2.5, -3]]}, LATENTS, [[[1.0, 2.5, -3.0]]]),
        ({"inputs": {"z": [[1, 2, 3]] * 2}}, LATENTS, [[[1.0, 2.0, 3.0]] * 2]),
        (b'{"instances": [[Infinity, -Infinity, 0]]}', LATENTS, [[[np.inf, -np.inf, 0.0]]]),
    ],
)
def test_rows_columns_and_base64(document, inputs, expected):
    assert arrays(document, inputs) == dict(zip(inputs, expected, strict=True))


@pytest.mark.parametrize(
    "document, inputs, message",
    [
        (b"", LATENTS, "JSON Parse error"),
        (b"\xff", LATENTS, "JSON Parse error"),
        (b'{"instances": [[1, 2,', LATENTS, "JSON Parse error"),
        (b"[" * 100_000, LATENTS, "JSON Parse error"),
        (b'{"inputs": [[1, 2, ' + b"9" * 5000 + b"]]}", LATENTS, "JSON Parse error"),
        (b'{"instances": ["\\ud800"]}', FILES, "surrogate"),
        ([1], LATENTS, "Is not object"),
        ({"inputs": [[1, 2, 3]], "instances": [[1, 2, 3]]}, LATENTS, "only one of"),
        ({"signature_name": 100, "instances": [[1, 2, 3]]}, LATENTS, "'signature_name' key must be a string value"),
        ({"signature_name": "x"}, LATENTS, "Missing 'inputs' or 'instances' key"),
        ({"instances": []}, LATENTS, "No values in 'instances' array"),
        ({"instances": {"z": [1, 2, 3]}}, LATENTS, "to be a list/array"),
        ({"instances": [1, 2]}, SEEDS, "expecting list of objects"),
        ({"inputs": [1, 2]}, SEEDS, "expecting an object"),
        ({"inputs": {"seed": [1]}}, SEEDS, "Missing named input: label"),
        ({"instances": [{"seed": 1}]}, SEEDS, "keys must be equal to: label,seed"),
        ({"instances": [{"seed": 1, "label": 0, "z": 1}]}, SEEDS, "keys must be equal to: label,seed"),
        ({"instances": [{"seed": 1, "label": 0}, 5]}, SEEDS, "Expecting object but got value/list at item 1"),
        ({"instances": [[1, 2, 3], {"z": [1, 2, 3]}]}, LATENTS, "Expecting value/list but got object at item 1"),
        ({"instances": [[1, 2, 3], [1, 2]]}, LATENTS, r"element: 1 .*Expecting shape \[3\] but got: \[2\]"),
        ({"instances": [[1, 2, [3]]]}, LATENTS, "Encountered list at unexpected level"),
        ({"inputs": [[1, 2, 3], [1, 2]]}, LATENTS, "Encountered list at unexpected size: 2 at level: 1"),
        ({"inputs": [[1, 2, 3], 4]}, LATENTS, "found at incorrect level: 2"),
        (b'{"instances": ' + b"[" * 900 + b"]" * 900 + b"}", LATENTS, "lists within each other"),
        ({"instances": [[1, 2, "3"]]}, LATENTS, "Type: str is not of expected type: float32"),
        ({"instances": [[1, 2, True]]}, LATENTS, "Type: bool is not of expected type: float32"),
        ({"instances": [[1, 2, None]]}, LATENTS, "is not of expected type: float32"),
        ({"instances": [[1, 2, b64(b"3")]]}, LATENTS, "is not of expected type: float32"),
        ({"instances": [[1, 2, 2**24 + 1]]}, LATENTS, "without loss of precision"),
        ({"instances": [[1, 2, 1e39]]}, LATENTS, "without loss of precision"),
        ({"instances": [{"seed": 2**63, "label": 0}]}, SEEDS, "is not of expected type: int64"),
        ({"instances": [{"seed": 1.0, "label": 0}]}, SEEDS, "is not of expected type: int64"),
        ({"instances": [{"b64": "a"}]}, FILES, "Unable to base64 decode"),
        ({"instances": [{"b64": "é"}]}, FILES, "Unable to base64 decode"),
        ({"instances": [7]}, FILES, "neither a string nor an object of base64"),
        ({"instances": [[1, 2]]}, LATENTS, r"z is of shape \[\?, 3\]. Received: \[1, 2\]"),
        ({"inputs": 7}, LATENTS, r"z is of shape \[\?, 3\]. Received: \[\]"),
        ({"inputs": []}, LATENTS, r"z is of shape \[\?, 3\]. Received: \[0\]"),
    ],
)
def test_what_is_refused(document, inputs, message):
    with pytest.raises(Refusal, match=f"(?s){message}") as refused:
        arrays(document, inputs)
    assert (refused.value.status, refused.value.code) == (400, "INVALID_ARGUMENT")
    assert len(refused.value.message) < 500


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.builds(b64, st.binary(max_size=5)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["seed", "label", "b64", "z", "image_bytes"]), inner, max_size=3)
    ),
    max_leaves=12,
)
documents = values | st.fixed_dictionaries(
    {}, optional={"instances": st.lists(values, max_size=4) | values, "inputs": values, "signature_name": values}
)


@settings(max_examples=300, deadline=None)
@given(documents | st.binary(max_size=40), st.sampled_from([SEEDS, FILES, LATENTS]))
def test_any_request_is_answered_or_refused(document, inputs):
    try:
        found = arrays(document, inputs)
    except Refusal as refusal:
        assert refusal.status == 400
    else:
        assert found.keys() == inputs.keys()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(width=32, allow_subnormal=False), min_size=1), st.sampled_from(["instances", "inputs"]))
def test_floats_come_back_as_they_are(numbers, form):
    sent = np.array(numbers, "float32")
    answer = json.loads(tensors.answer_of({"point": sent}, form))
    np.testing.assert_array_equal(
        np.array(answer["predictions" if form == "instances" else "outputs"], "float32"), sent
    )


def test_answers_are_rows_or_columns_and_bytes_are_base64():
    outputs = {
        "image_bytes": np.array([b"a", b"\xff"], object),
        "name": np.array(["é".encode(), b'"'], object),
        "valid": np.array([True, False]),
    }
    rows = json.loads(tensors.answer_of(outputs, "instances"))
    assert rows == {
        "predictions": [
            {"image_bytes": b64(b"a"), "name": "é", "valid": True},
            {"image_bytes": b64(b"\xff"), "name": '"', "valid": False},
        ]
    }
    columns = json.loads(tensors.answer_of(outputs, "inputs"))["outputs"]
    assert columns == {name: [row[name] for row in rows["predictions"]] for name in outputs}
    one = {"image": np.arange(12, dtype="uint8").reshape(2, 3, 2)}
    assert json.loads(tensors.answer_of(one, "instances")) == {"predictions": one["image"].tolist()}
    assert json.loads(tensors.answer_of(one, "inputs")) == {"outputs": one["image"].tolist()}
    assert json.loads(tensors.answer_of({"z": np.zeros((2, 0))}, "inputs")) == {"outputs": [[], []]}
    assert json.loads(tensors.answer_of({"z": np.zeros((0, 2))}, "inputs")) == {"outputs": []}
