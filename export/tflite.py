"""A script: converts signatures of a SavedModel to TFLite files, with TFLite's own operations only.

Run by `fresh_process.run_script`, since a converter may take its whole process down and logs without end. A fixed batch
keeps the fast kernels: with a free one a transposed convolution is 90 times slower.

Job: {"saved_model": folder, "batch_sizes": [1, ...], "class_count": K or None, "examples": .npz path, "parts": {part:
{"signature": name, "outputs": names, "files": {format: path}}}, "may_fail": formats that another stands in for}. The
first batch size answers under `serving_default`, a further size n under `batch_n`; the weights are shared. One process
for all parts: TensorFlow's import takes longer than a small model's conversion.
Result: {"failures": [text], "failed": {part: {format that may fail: why}}, "seconds": {part: {format: s}}}.

Integers are int32 on both sides: LiteRT in a browser takes no others.
"""

import json
import re
import sys
import time
from collections.abc import Sequence

# Weights alone in int8: as small as the other two of int8, and computed in float32.
_WEIGHTS_ONLY = "weight_int8"
# Weights of fewer numbers are left as they are, as TFLite's converter does.
_FEWEST_NUMBERS = 1024
_WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")


def signature_names(batch_sizes: Sequence[int]) -> dict[str, int]:
    """{signature: batch size} of a file converted for some batch sizes."""
    first, *others = batch_sizes
    return {"serving_default": first, **{f"batch_{size}": size for size in others}}


def main(job_path: str, result_path: str) -> None:
    """Converts what the job file asks for, in a process of its own, and writes the result file."""
    import tensorflow as tf

    with open(job_path, encoding="utf-8") as file:
        job = json.load(file)
    loaded, failures = tf.saved_model.load(job["saved_model"]), []
    failed = {name: {} for name in job["parts"]}
    seconds = {name: _convert_part(loaded, part, job, failures, failed[name]) for name, part in job["parts"].items()}
    with open(result_path, "w", encoding="utf-8") as file:
        json.dump({"failures": failures, "failed": failed, "seconds": seconds}, file)


def _convert_part(loaded, part, job, failures, failed):
    """Writes a part's files; returns {format: seconds}."""
    module, functions = _fixed_functions(loaded, part, job["batch_sizes"], job["class_count"])
    seconds = {}
    for kind, path in part["files"].items():
        start = time.perf_counter()
        try:
            if kind == "full_int8":
                batches = _example_batches(job, part["signature"])
                content = all_as_int8(_convert(module, functions, "float32"), batches)
            else:
                content = _convert(module, functions, kind)
        except Exception as error:
            reason = _explained(kind, str(error))
            if kind in job["may_fail"]:
                failed[kind] = reason
            else:
                failures.append(reason)
            continue
        with open(path, "wb") as file:
            file.write(content)
        seconds[kind] = time.perf_counter() - start
    return seconds


def _fixed_functions(loaded, part, batch_sizes, class_count):
    """(tf.Module, concrete functions), one function for each batch size."""
    import tensorflow as tf

    module = tf.Module()
    module.loaded = loaded
    served = loaded.signatures[part["signature"]]
    _, inputs = served.structured_input_signature
    functions = []
    for name, size in signature_names(batch_sizes).items():

        def answer(**tensors):
            known = None
            if "label" in tensors:
                # TFLite drops assertions. An index that is none would end in whatever lies there in memory.
                known = tf.logical_and(tensors["label"] >= 0, tensors["label"] < class_count)
                tensors = {**tensors, "label": tf.clip_by_value(tensors["label"], 0, class_count - 1)}
            answered = served(**{key: tf.cast(value, inputs[key].dtype) for key, value in tensors.items()})
            return {output: _narrow(_where_known(known, answered[output])) for output in part["outputs"]}

        # The converter names a signature after the Python function.
        answer.__name__ = name
        fixed = {
            key: tf.TensorSpec((size, *spec.shape[1:]), tf.int32 if spec.dtype == tf.int64 else spec.dtype, name=key)
            for key, spec in inputs.items()
        }
        traced = tf.function(answer, autograph=False)
        setattr(module, name, traced)
        functions.append(traced.get_concrete_function(**fixed))
    return module, functions


def _narrow(tensor):
    import tensorflow as tf

    return tf.cast(tensor, tf.int32) if tensor.dtype == tf.int64 else tensor


def _where_known(known, tensor):
    """Floats of rows whose label is a class, and NaN for the others; `known` is None where there are no labels."""
    import tensorflow as tf

    if known is None or not tensor.dtype.is_floating:
        return tensor
    return tf.where(tf.reshape(known, (-1, *[1] * (len(tensor.shape) - 1))), tensor, float("nan"))


def _example_batches(job, signature):
    """{signature of the file: batches of inputs} of the golden ones, in whole batches."""
    import numpy as np

    with np.load(job["examples"]) as arrays:
        prefix = f"{signature}/inputs/"
        rows = {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
    rows = {key: value.astype(np.int32) if value.dtype == np.int64 else value for key, value in rows.items()}
    count = len(next(iter(rows.values())))
    batches = {}
    for name, size in signature_names(job["batch_sizes"]).items():
        order = np.arange(-(-count // size) * size) % count
        batches[name] = [{key: value[chunk] for key, value in rows.items()} for chunk in order.reshape(-1, size)]
    return batches


def _convert(module, functions, kind):
    """The bytes of a .tflite file."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions(functions, module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if kind == _WEIGHTS_ONLY:
        return weights_as_int8(converter.convert())
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def weights_as_int8(content: bytes) -> bytes:
    """A float32 .tflite model with its large weights in int8, a scale for each output channel.

    TFLite's dynamic int8 rounds what goes into a layer as well, to 256 levels of a tensor's range, which instance
    normalization spreads over the picture; here the weights are turned into float32 when the file is opened, and all
    is computed in float32.

    Args:
        content: of a .tflite file.

    Returns:
        The same, smaller.
    """
    import numpy as np
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils as flatbuffers

    model = flatbuffers.read_model_from_bytearray(bytearray(content))
    kinds = {value: name for name, value in vars(schema.BuiltinOperator).items() if name in _WITH_WEIGHTS}
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    dequantize = schema.OperatorCodeT()
    dequantize.builtinCode = dequantize.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    # TFLite's version of the operation that knows scales of channels.
    dequantize.version = 5
    model.operatorCodes.append(dequantize)
    # Signatures of several batch sizes share their weights.
    stored = {}
    for graph in model.subgraphs:
        first = []
        for operator in graph.operators:
            kind = kinds.get(codes[operator.opcodeIndex])
            index = int(operator.inputs[1]) if kind else -1
            tensor = graph.tensors[index] if index >= 0 else None
            data = None if tensor is None else model.buffers[tensor.buffer].data
            if data is None or tensor.type != schema.TensorType.FLOAT32:
                continue
            values = np.frombuffer(np.asarray(data, np.uint8).tobytes(), np.float32).reshape(tensor.shape)
            if values.size < _FEWEST_NUMBERS:
                continue
            axis = 3 if kind == "DEPTHWISE_CONV_2D" else 0
            if tensor.buffer not in stored:
                others = tuple(other for other in range(values.ndim) if other != axis)
                scales = np.maximum(np.abs(values).max(axis=others), 1e-12).astype(np.float32) / 127.0
                shape = [-1 if other == axis else 1 for other in range(values.ndim)]
                rounded = np.clip(np.rint(values / scales.reshape(shape)), -127, 127).astype(np.int8)
                buffer = schema.BufferT()
                buffer.data = rounded.view(np.uint8).ravel()
                model.buffers.append(buffer)
                stored[tensor.buffer] = len(model.buffers) - 1, scales
            narrow = schema.TensorT()
            narrow.shape, narrow.type, narrow.name = tensor.shape, schema.TensorType.INT8, tensor.name + b"_int8"
            narrow.buffer, scales = stored[tensor.buffer]
            narrow.quantization = schema.QuantizationParametersT()
            narrow.quantization.scale = scales
            narrow.quantization.zeroPoint = np.zeros(len(scales), np.int64)
            narrow.quantization.quantizedDimension = axis
            graph.tensors.append(narrow)
            widened = schema.OperatorT()
            widened.opcodeIndex = len(model.operatorCodes) - 1
            widened.inputs = np.array([len(graph.tensors) - 1], np.int32)
            widened.outputs = np.array([index], np.int32)
            first.append(widened)
            # Buffer 0 is the empty one: the tensor is computed now, once, and other users of it see the same.
            tensor.buffer = 0
        graph.operators = first + graph.operators
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    for index in set(stored) - used:
        model.buffers[index].data = None
    return bytes(flatbuffers.convert_object_to_bytearray(model))


def all_as_int8(content: bytes, batches: dict[str, list]) -> bytes:
    """A float32 .tflite model that computes in int8, by ai-edge-quantizer; floats go in and come out.

    Args:
        content: of a .tflite file.
        batches: {signature: [{input: array}]} of typical inputs, from which the ranges of all numbers inside are taken.

    Returns:
        The same, a quarter as large.
    """
    from ai_edge_quantizer import qtyping, quantizer

    names = qtyping.TFLOperationName
    model = quantizer.Quantizer(content)
    model.add_static_config(".*", names.ALL_SUPPORTED, activation_num_bits=8, weight_num_bits=8)
    # The selects put NaN in rows of a label that is no class, which int8 does not have; and what ends a network would
    # round its answers to 256 levels once more, for no time that could be measured.
    kept = (names.INPUT, names.OUTPUT, names.SELECT, names.SELECT_V2, names.TANH, names.LOGISTIC, names.SOFTMAX)
    for name in kept:
        model.update_quantization_recipe(".*", name, algorithm_key="no_quantize")
    measured = model.calibrate(batches, num_threads=1)
    return bytes(model.quantize(measured, enable_progress_report=False).quantized_model)


def _explained(kind, message):
    """What the user can do about a failed conversion, from the converter's pages of text."""
    operations = re.findall(r"(?:TF Select|Flex|Custom) ops: (.+)", message)
    if operations:
        names = ", ".join(sorted({name.strip() for line in operations for name in line.split(",")}))
        return (
            f"TFLite {kind}: TFLite has no operation of its own for {names}, and Python interpreters run no others. "
            "Replace the layer that uses it, or export with --formats saved_model."
        )
    lines = [line.strip() for line in message.splitlines() if "error:" in line] or message.strip().splitlines()[:1]
    return f"TFLite {kind}: the conversion failed: {' '.join(lines)[:500]}. Try --formats saved_model."


if __name__ == "__main__":
    # The SavedModel alone must suffice.
    sys.modules.update({"keras": None, "keras_gans": None})
    # Nothing in this folder may stand in for a package of the same name.
    sys.path.pop(0)
    main(*sys.argv[1:])
