"""A script: converts signatures of a SavedModel to ONNX files, one each, by tf2onnx.

Run by `fresh_process.run_script`. What ONNX has no operation for is left out and named; whether a file is right shows
only as it is loaded and asked, which verify.py does. An input and an output never share a name, which ONNX takes for
one tensor: the output is then NAME_out.

Job: {"saved_model": folder, "files": {signature: path}}.
Result: {"failures": [], "left_out": {signature: why}, "converted": {signature: {"inputs" and "outputs": {name:
{"dtype", "shape"}}, "outputs_of": {output: its name in the SavedModel}, "seconds": s}}}.
"""

import contextlib
import json
import logging
import re
import sys
import time

# Of ONNX's operations: old enough for every runtime in use, new enough for all that generators do.
OPSET = 17


def main(job_path: str, result_path: str) -> None:
    """Converts what the job file asks for, in a process of its own, and writes the result file."""
    import tensorflow as tf

    with open(job_path, encoding="utf-8") as file:
        job = json.load(file)
    loaded = tf.saved_model.load(job["saved_model"])
    left_out, converted = {}, {}
    for name, path in job["files"].items():
        try:
            converted[name] = _convert(loaded.signatures[name], path)
        except Exception as error:
            left_out[name] = _explained(str(error))
    with open(result_path, "w", encoding="utf-8") as file:
        json.dump({"failures": [], "left_out": left_out, "converted": converted}, file)


def _convert(signature, path):
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    start = time.perf_counter()
    _, inputs = signature.structured_input_signature
    texts = [name for name, specification in inputs.items() if specification.dtype == tf.string]
    if texts:
        raise ValueError(f"its input {', '.join(texts)} is of strings")
    outputs = {name: spec for name, spec in signature.structured_outputs.items() if spec.dtype != tf.string}
    if not set(outputs) - {"valid"}:
        raise ValueError("its outputs are of strings")
    names = {f"{name}_out" if name in inputs else name: name for name in outputs}

    def answer(*tensors):
        answered = signature(**dict(zip(inputs, tensors, strict=True)))
        return {name: answered[source] for name, source in names.items()}

    specifications = [tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()]
    function = tf.function(answer, autograph=False)
    with _missing_operations() as missing:
        model, _ = tf2onnx.convert.from_function(function, input_signature=specifications, opset=OPSET)
    if missing:
        raise ValueError(f"ONNX has no operation for {', '.join(sorted(missing))}")
    for tensor in (*model.graph.input, *model.graph.output):
        if tensor.type.tensor_type.shape.dim and not tensor.type.tensor_type.shape.dim[0].dim_value:
            tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    content = model.SerializeToString()
    # What is written without a complaint may be no valid file all the same.
    onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    with open(path, "wb") as file:
        file.write(content)
    return {
        "inputs": _described(inputs),
        "outputs": _described({name: outputs[source] for name, source in names.items()}),
        "outputs_of": names,
        "seconds": time.perf_counter() - start,
    }


def _described(specifications):
    return {name: {"dtype": spec.dtype.name, "shape": list(spec.shape)} for name, spec in specifications.items()}


@contextlib.contextmanager
def _missing_operations():
    """A set that fills with the names of operations that tf2onnx has none for: it says so in its log, and goes on."""
    found = set()

    class Handler(logging.Handler):
        def emit(self, record):
            found.update(re.findall(r"op \[[^\]]*?(\w+)\] is not supported", record.getMessage()))

    logger, handler = logging.getLogger("tf2onnx.tfonnx"), Handler()
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)


def _explained(message):
    return " ".join((message.strip() or "it cannot be converted").split())[:300]


if __name__ == "__main__":
    # The SavedModel alone must suffice.
    sys.modules.update({"keras": None, "keras_gans": None})
    # Nothing in this folder may stand in for a package of the same name.
    sys.path.pop(0)
    main(*sys.argv[1:])
