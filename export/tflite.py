"""A script: converts signatures of a SavedModel to TFLite files, with TFLite's own operations only.

Run by `fresh_process.run_script`, since a converter may take its whole process down and logs without end. A fixed batch
keeps the fast kernels: with a free one a transposed convolution is 90 times slower.

Job: {"saved_model": folder, "batch_sizes": [1, ...], "parts": {part: {"signature": name, "outputs": names, "files":
{format: path}}}}. The first batch size answers under `serving_default`, a further size n under `batch_n`; the weights
are shared. One process for all parts: TensorFlow's import takes longer than a small model's conversion.
Result: {"failures": [text], "seconds": {part: {format: s}}}.
"""

import json
import re
import sys
import time
from collections.abc import Sequence

FORMATS = ("float32", "float16", "dynamic_int8")
# In dB of peak signal to noise, for a trained generator.
FLOORS_DB = {"float16": 60.0, "dynamic_int8": 45.0}


def signature_names(batch_sizes: Sequence[int]) -> list[str]:
    """{signature: batch size} of a file converted for some batch sizes."""
    first, *others = batch_sizes
    return {"serving_default": first, **{f"batch_{size}": size for size in others}}


def main(job_path: str, result_path: str) -> None:
    """Converts what the job file asks for, in a process of its own, and writes the result file."""
    import tensorflow as tf

    with open(job_path, encoding="utf-8") as file:
        job = json.load(file)
    loaded, failures = tf.saved_model.load(job["saved_model"]), []
    seconds = {name: _convert_part(loaded, part, job["batch_sizes"], failures) for name, part in job["parts"].items()}
    with open(result_path, "w", encoding="utf-8") as file:
        json.dump({"failures": failures, "seconds": seconds}, file)


def _convert_part(loaded, part, batch_sizes, failures):
    """Writes a part's files; returns {format: seconds}."""
    module, functions = _fixed_functions(loaded, part, batch_sizes)
    seconds = {}
    for kind, path in part["files"].items():
        start = time.perf_counter()
        try:
            content = _convert(module, functions, kind)
        except Exception as error:
            failures.append(_explained(kind, str(error)))
            continue
        with open(path, "wb") as file:
            file.write(content)
        seconds[kind] = time.perf_counter() - start
    return seconds


def _fixed_functions(loaded, part, batch_sizes):
    """(tf.Module, concrete functions), one function for each batch size."""
    import tensorflow as tf

    module = tf.Module()
    module.loaded = loaded
    served = loaded.signatures[part["signature"]]
    _, inputs = served.structured_input_signature
    functions = []
    for name, size in signature_names(batch_sizes).items():

        def answer(**tensors):
            answered = served(**tensors)
            return {output: answered[output] for output in part["outputs"]}

        # The converter names a signature after the Python function.
        answer.__name__ = name
        fixed = {key: tf.TensorSpec((size, *spec.shape[1:]), spec.dtype, name=key) for key, spec in inputs.items()}
        traced = tf.function(answer, autograph=False)
        setattr(module, name, traced)
        functions.append(traced.get_concrete_function(**fixed))
    return module, functions


def _convert(module, functions, kind):
    """The bytes of a .tflite file."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions(functions, module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


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
