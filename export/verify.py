"""A script: calls exported files as a client would and holds them against the model's golden answers.

Run by `fresh_process.run_script`: what it proves is that the files answer without Keras and without keras_gans.

Job: {"golden": .npz path, "tolerance": {"float": of floats, "levels": of uint8 pixels}} and one of
{"saved_model": folder, "warmup": its warmup file, "batch_limit": rows that one call may have}; {"onnx": {signature:
{"file": path, "outputs_of": {output: its name in the golden answers}}}}; {"batch_sizes": {signature: rows},
"least_agreement": share of equal labels, "may_fail": formats that another stands in for, "tflite": {part: {"signature":
of the golden answers, "outputs": names, "files": {format: path}}}}.
Result: {"failures": [text]} and the figures: errors in the outputs' own units, latencies in milliseconds.
"""

import hashlib
import json
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Mapping

import numpy as np

LATENCY_BATCH_SIZES = (1, 64)
# Of a .tflite file's interpreter; TensorFlow takes all cores.
_TFLITE_THREADS = 1
_PNG = b"\x89PNG"


def main(job_path: str, result_path: str) -> None:
    """Checks what the job file asks for, in a process without this library, and writes the result file."""
    with open(job_path, encoding="utf-8") as file:
        job = json.load(file)
    golden = _read_golden(job["golden"])
    checks = {"saved_model": _check_saved_model, "onnx": _check_onnx, "tflite": _check_tflite}
    check = next(check for kind, check in checks.items() if kind in job)
    failures = []
    result = check(job, golden, failures)
    _assert_alone()
    with open(result_path, "w", encoding="utf-8") as file:
        json.dump({"failures": failures, **result}, file)


def _assert_alone():
    loaded = [name for name, module in sys.modules.items() if module and name.split(".")[0] in ("keras", "keras_gans")]
    if loaded:
        raise AssertionError(f"the check ran with {loaded[0]} imported, so it proves nothing")


def _read_golden(path):
    """{signature: {"inputs" or "outputs": {tensor: array}}}."""
    golden = {}
    with np.load(path) as arrays:
        for key, value in arrays.items():
            signature, side, name = key.split("/")
            golden.setdefault(signature, {"inputs": {}, "outputs": {}})[side][name] = value
    return golden


# What is compared ---------------------------------------------------------------------------------------------


def _difference(answered, expected):
    """The largest absolute difference; infinite where shapes or texts differ. PNG bytes are compared as pixels."""
    if expected.dtype.kind == "S":
        if not bytes(expected.flat[0]).startswith(_PNG):
            return 0.0 if np.array_equal(answered, expected) else float("inf")
        answered, expected = _decoded(answered), _decoded(expected)
    if answered.shape != expected.shape:
        return float("inf")
    return float(np.max(np.abs(answered.astype(np.float64) - expected.astype(np.float64)), initial=0.0))


def _decoded(pictures):
    import tensorflow as tf

    return np.stack([tf.io.decode_image(bytes(picture), expand_animations=False).numpy() for picture in pictures])


def allowed_difference(expected: np.ndarray, tolerance: Mapping[str, float]) -> float:
    """The largest difference from a golden array that passes: none of whole numbers, but for levels of pixels.

    Args:
        expected: the golden array.
        tolerance: {"float": of floats, "levels": of uint8 pixels}.
    """
    if expected.dtype.kind in "iub" and expected.dtype != np.uint8:
        return 0
    if expected.dtype.kind != "f":
        return tolerance["levels"]
    return tolerance["float"] * max(1.0, float(np.max(np.abs(expected), initial=0.0)))


def _compare(label, answered, expected, tolerance, failures):
    """The largest difference over the outputs; a failure for each that is missing, not finite or too far off."""
    largest = 0.0
    for name, values in expected.items():
        if name not in answered:
            failures.append(f"{label}: there is no output {name!r}, only {', '.join(answered)}.")
            continue
        if answered[name].dtype.kind == "f" and not np.isfinite(answered[name]).all():
            failures.append(f"{label}: {name} is NaN or infinite.")
            continue
        difference, allowed = _difference(answered[name], values), allowed_difference(values, tolerance)
        if not difference <= allowed:
            failures.append(f"{label}: {name} differs by {difference:.3g}, more than the {allowed:.3g} allowed.")
        largest = max(largest, difference)
    return largest


def _rows(tensors, index):
    return {name: value[index] for name, value in tensors.items()}


def _latency_ms(call, seconds=0.4, fewest=3):
    """The median time of one call in milliseconds, of 3 to 50 calls, or `fewest`."""
    call()
    times = []
    while len(times) < fewest or (sum(times) < seconds and len(times) < 50):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


# The SavedModel -----------------------------------------------------------------------------------------------


def _check_saved_model(job, golden, failures):
    import tensorflow as tf

    folder, tolerance = job["saved_model"], job["tolerance"]
    start = time.perf_counter()
    loaded = tf.saved_model.load(folder)
    result = {"load_seconds": time.perf_counter() - start}
    result["signatures"] = {name: _described(signature) for name, signature in sorted(loaded.signatures.items())}
    result["weights"] = _weights(loaded, folder, failures)
    result["signature_def_hash"] = str(tf.saved_model.experimental.read_fingerprint(folder).signature_def_hash)
    result["warmup_records"] = _replay_warmup(loaded, job["warmup"], failures)
    result["checks"] = {}
    for name, tensors in golden.items():
        if name in loaded.signatures:
            label, limit = f"SavedModel {name}", job["batch_limit"]
            call = _within(_caller(loaded.signatures[name]), limit)
            sizes = [size for size in LATENCY_BATCH_SIZES if size <= limit]
            result["checks"][name] = _check_signature(label, call, tensors, tolerance, failures, sizes)
            result["checks"][name]["threads"] = _threads()
        else:
            failures.append(f"SavedModel: there is no signature {name!r}, only {', '.join(loaded.signatures)}.")
    return result


def _described(signature):
    def described(specifications):
        return {
            name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()} for name, spec in specifications.items()
        }

    _, inputs = signature.structured_input_signature
    return {"inputs": described(inputs), "outputs": described(signature.structured_outputs)}


def _caller(signature):
    """Function of {input: array} that calls a signature by its tensors' names, as Predict does."""
    import tensorflow as tf

    _, inputs = signature.structured_input_signature

    def call(tensors):
        answer = signature(**{name: tf.constant(value, inputs[name].dtype) for name, value in tensors.items()})
        arrays = {name: value.numpy() for name, value in answer.items()}
        # Bytes come as Python objects; the golden ones are fixed-length bytes.
        return {name: value.astype(np.bytes_) if value.dtype == object else value for name, value in arrays.items()}

    return call


def _within(call, limit):
    """A call that asks for so many rows at a time."""

    def asked(tensors):
        count = len(next(iter(tensors.values())))
        pieces = [call(_rows(tensors, slice(start, start + limit))) for start in range(0, count, limit)]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    return asked


def _threads():
    """On how many TensorFlow computes here."""
    told = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return int(told) if told.isdecimal() and int(told) else cores


def _check_signature(label, call, golden, tolerance, failures, sizes=LATENCY_BATCH_SIZES):
    inputs, expected = golden["inputs"], golden["outputs"]
    count = len(next(iter(inputs.values())))
    together = call(inputs)
    alone = [call(_rows(inputs, slice(row, row + 1))) for row in range(count)]
    alone = {output: np.concatenate([answer[output] for answer in alone]) for output in together}
    backwards = _rows(call(_rows(inputs, slice(None, None, -1))), slice(None, None, -1))
    return {
        "max_abs_error": _compare(label, together, expected, tolerance, failures),
        "max_abs_difference_batch_1": _compare(f"{label}, rows one by one", alone, together, tolerance, failures),
        "max_abs_difference_reversed": _compare(f"{label}, rows in reverse", backwards, together, tolerance, failures),
        "latency_ms": {
            str(size): _latency_ms(lambda size=size: call(_rows(inputs, np.arange(size) % count))) for size in sizes
        },
    }


def _weights(loaded, folder, failures):
    """Number, bytes and content hash of the weights; a failure where the file holds more than them."""
    variables = {id(v): v for signature in loaded.signatures.values() for v in signature.variables}.values()
    values = sorted(((v.name, v.numpy()) for v in variables), key=lambda pair: (pair[0], pair[1].tobytes()))
    digest = hashlib.sha256()
    for name, value in values:
        digest.update(f"{name} {value.dtype} {value.shape}\n".encode())
        digest.update(value.tobytes())
    used, stored = sum(value.nbytes for _, value in values), _stored_bytes(folder)
    if stored > 1.05 * used + 1024:
        failures.append(f"SavedModel: it stores {stored:,} bytes of variables, but uses {used:,} bytes of weights.")
    parameters = int(sum(value.size for _, value in values))
    return {"parameters": parameters, "bytes": used, "stored_bytes": stored, "sha256": digest.hexdigest()}


def _stored_bytes(folder):
    """Bytes of the numbers in the variables file; strings are vocabularies, and the graph of objects."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(os.path.join(folder, "variables", "variables"))
    dtypes = reader.get_variable_to_dtype_map()
    shapes = reader.get_variable_to_shape_map()
    return sum(math.prod(shapes[key]) * dtype.size for key, dtype in dtypes.items() if dtype != tf.string)


def _replay_warmup(loaded, path, failures):
    """How many warmup requests there are, after answering each; a bad one would keep a server from starting."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    count = 0
    for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        name = request.model_spec.signature_name
        try:
            _caller(loaded.signatures[name])({key: tf.make_ndarray(value) for key, value in request.inputs.items()})
        except Exception as error:
            failures.append(f"Warmup request {count + 1} ({name}) fails: {error}")
        count += 1
    if not count:
        failures.append("The file of warmup requests is empty.")
    return count


# TFLite -------------------------------------------------------------------------------------------------------


def _check_tflite(job, golden, failures):
    return {"checks": {name: _check_part(part, job, golden, failures) for name, part in job["tflite"].items()}}


def _check_part(part, job, golden, failures):
    """Holds one part's files against its golden answers; returns {format: {signature: figures}}."""
    checks = {}
    golden = golden[part["signature"]]
    golden = {"inputs": golden["inputs"], "outputs": {name: golden["outputs"][name] for name in part["outputs"]}}
    for kind, path in part["files"].items():
        checks[kind] = {}
        for name, size in job["batch_sizes"].items():
            try:
                figures = _check_runner(f"TFLite {kind} {name}", path, name, size, golden, failures)
            except (ValueError, RuntimeError) as error:
                figures = {"batch_size": size, "failed": str(error).splitlines()[0]}
                if kind not in job["may_fail"]:
                    failures.append(f"TFLite {kind} {name} cannot be run: {error}")
            checks[kind][name] = figures
            if "failed" in figures:
                continue
            # Narrower numbers are allowed their error, which is reported; float32 must be the same network.
            floats = [value for value in golden["outputs"].values() if value.dtype.kind == "f"]
            allowed = max((allowed_difference(value, job["tolerance"]) for value in floats), default=0.0)
            if kind == "float32" and not figures["max_abs_error"] <= allowed:
                failures.append(f"TFLite float32 {name} differs by {figures['max_abs_error']:.3g}, not {allowed:.3g}.")
            if kind == "float32" and figures.get("label_agreement", 1.0) < job["least_agreement"]:
                share = figures["label_agreement"]
                failures.append(f"TFLite float32 {name} gives the model's label to {share:.1%} of the rows only.")
    return checks


def _check_runner(label, path, signature, size, golden, failures):
    """Error, PSNR and latencies of one signature of a .tflite file that takes `size` rows at a time."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=path, num_threads=_TFLITE_THREADS).get_signature_runner(signature)
    narrow = {name: described["dtype"] for name, described in runner.get_input_details().items()}
    inputs = {name: value.astype(narrow[name]) for name, value in golden["inputs"].items()}
    count = len(next(iter(inputs.values())))
    # Whole batches only, each golden row at least once.
    order = np.arange(-(-count // size) * size) % count
    batches = [_rows(inputs, chunk) for chunk in order.reshape(-1, size)]
    answers = [runner(**batch) for batch in batches]
    differences, psnr, figures = [], [], {"batch_size": size}
    for name, values in golden["outputs"].items():
        answered = np.concatenate([answer[name] for answer in answers])
        if answered.dtype.kind != values.dtype.kind:
            failures.append(f"{label}: {name} is {answered.dtype}, and not of the kind of {values.dtype}.")
            continue
        if values.dtype.kind in "iu":
            figures["label_agreement"] = float(np.mean(answered == values[order]))
            continue
        if not np.isfinite(answered).all():
            failures.append(f"{label}: {name} is NaN or infinite.")
        differences.append(_difference(answered, values[order]))
        psnr.append(_psnr_db(answered, values[order], 2.0 if name == "image" else float(np.ptp(values))))
    most = -(-LATENCY_BATCH_SIZES[-1] // size) * size
    many = [batches[index % len(batches)] for index in range(most // size)]

    def call_many():
        for batch in many:
            runner(**batch)

    return figures | {
        "max_abs_error": max(differences, default=0.0),
        "psnr_db": min(psnr, default=200.0),
        "latency_ms": {
            str(size): _latency_ms(lambda: runner(**batches[0])),
            str(most): _latency_ms(call_many, fewest=1),
        },
        "threads": _TFLITE_THREADS,
    }


def _psnr_db(answered, expected, data_range):
    """Peak signal to noise in dB; 200 at most, which is beyond float32."""
    noise = np.mean(np.square(answered.astype(np.float64) - expected.astype(np.float64)))
    return min(200.0, 10.0 * float(np.log10(max(data_range**2, 1e-300) / max(noise, 1e-300))))


# ONNX ---------------------------------------------------------------------------------------------------------


def _check_onnx(job, golden, failures):
    # What a converter made wrongly is the file's fault and not the model's: it is left out, and the others stay.
    checks, unfit = {}, {}
    for name, part in job["onnx"].items():
        found = []
        try:
            checks[name] = _check_session(name, part, job, golden[name], found)
        except Exception as error:
            found.append(f"ONNX Runtime cannot run it: {_in_short(str(error))}")
        if found:
            checks.pop(name, None)
            unfit[name] = " ".join(" ".join(found).split())[:300]
    return {"checks": checks, "unfit": unfit}


def _in_short(message):
    """What ONNX Runtime says, without its own source's lines."""
    failed = re.search(r"while running (\w+) node", message)
    return f"its operation {failed[1]} fails" if failed else message


def _check_session(name, part, job, golden, failures):
    """Holds an ONNX file against a signature's golden answers, as a SavedModel is; its latencies are of one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(part["file"], options, providers=["CPUExecutionProvider"])
    sources = part["outputs_of"]
    shared = {each.name for each in session.get_inputs()} & {each.name for each in session.get_outputs()}
    if shared or {each.name for each in session.get_outputs()} != set(sources):
        failures.append(f"ONNX {name}: its outputs are {[each.name for each in session.get_outputs()]}.")

    def call(tensors):
        return dict(zip(sources.values(), session.run(list(sources), tensors), strict=True))

    outputs = {source: golden["outputs"][source] for source in sources.values()}
    held = {"inputs": golden["inputs"], "outputs": outputs}
    return _check_signature(f"ONNX {name}", call, held, job["tolerance"], failures) | {"threads": 1}


if __name__ == "__main__":
    # A None entry makes every import of these fail; TensorFlow itself does without.
    sys.modules.update({"keras": None, "keras_gans": None, "tf_keras": None})
    # Nothing in this folder may stand in for a package of the same name.
    sys.path.pop(0)
    main(*sys.argv[1:])
