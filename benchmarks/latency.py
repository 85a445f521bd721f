"""How long each format of an export takes for the same answers: the SavedModel, ONNX Runtime and LiteRT in turns.

    python -m benchmarks.latency exported/dcgan
    python -m benchmarks.latency exported/dcgan --threads 2 --rows 1 16 64 --clock wall

One process has all of them open, and asks each for the same latents, turn by turn (A B C A B C ...), for so many rows
at once; LiteRT's files take one row, and are asked again and again. A ratio is of two times of one turn; the table has
the medians, and the smallest and the largest ratio. The clock is the processor's time, which a busy machine does not
change by much, unless it is told to be the wall's.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np

from keras_gans.export.latents import latents
from keras_gans.export.replay import version_in
from keras_gans.export.report import read_report

SIGNATURE = "serving_default"
CLOCKS = {"processor": time.process_time, "wall": time.perf_counter}


def ways(version, report, threads):
    """{format: function of {input: array} that answers as a client gets it, in Python's memory}."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    loaded = tf.saved_model.load(str(version))

    def saved_model(inputs):
        answer = loaded.signatures[SIGNATURE](**{name: tf.constant(rows) for name, rows in inputs.items()})
        return {name: value.numpy() for name, value in answer.items()}

    found = {"SavedModel": saved_model}
    if SIGNATURE in report.get("onnx", {}):
        found["ONNX Runtime"] = _onnx(version / report["onnx"][SIGNATURE]["file"], threads)
    for kind, entry in report.get("tflite", {}).items():
        found[f"LiteRT {kind}"] = _litert(version / entry["file"], threads)
    return found


def _onnx(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    # Else it would burn the processor's time while it waits for the next request.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs), strict=True))


def _litert(path, threads):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=threads)
    runner = interpreter.get_signature_runner(SIGNATURE)
    types = {name: described["dtype"] for name, described in runner.get_input_details().items()}

    def ask(inputs):
        count = len(next(iter(inputs.values())))
        rows = {name: values.astype(types[name]) for name, values in inputs.items()}
        answers = [runner(**{name: values[row : row + 1] for name, values in rows.items()}) for row in range(count)]
        return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}

    # A runner holds no reference to its interpreter, without which it cannot be called.
    ask.interpreter = interpreter
    return ask


def inputs_of(report, rows):
    """Latents of the seeds 0, 1, ... as `serving_default` takes them, and labels where it takes some."""
    prior = report["latents"]
    found = {"z": latents(np.arange(rows), prior["size"], prior["prior"])}
    if "label" in report["signatures"][SIGNATURE]["inputs"]:
        found["label"] = np.arange(rows) % len(report["class_names"])
    return found


def measure(asked, inputs, rounds, seconds, clock):
    """{format: [milliseconds of a call, of each round]}; each asks at least three times in a turn.

    Raises:
        AssertionError: a format answers something else than the first.
    """
    first, *others = (ask(inputs) for ask in asked.values())
    for answer in others:
        # Of int8 a few levels of 255.
        np.testing.assert_allclose(answer["image"], first["image"], atol=0.2)
    found = {name: [] for name in asked}
    for _ in range(rounds):
        for name, ask in asked.items():
            ask(inputs)
            times, began = [], time.perf_counter()
            while len(times) < 3 or time.perf_counter() - began < seconds:
                start = clock()
                ask(inputs)
                times.append(clock() - start)
            found[name].append(1e3 * statistics.fmean(times))
    return found


def lines(found, rows):
    """The lines of a table of so many rows at once: the times, and how many times as fast as the first."""
    base = next(iter(found.values()))
    for name, times in found.items():
        ratios = [first / own for first, own in zip(base, times, strict=True)]
        spread = f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
        yield f"| {rows} | {name} | {statistics.median(times):.3g} | {spread} |"


def main():
    """Measures what the arguments say, and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder", type=Path, help="of a version with a SavedModel, or of versions, of which the highest"
    )
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 64], help="at once")
    parser.add_argument("--threads", type=int, default=1, help="of each runtime")
    parser.add_argument("--rounds", type=int, default=9, help="turns that every format takes")
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a turn")
    parser.add_argument("--clock", choices=CLOCKS, default="processor", help="whose time is meant")
    parser.add_argument("--output", type=Path, help="JSON file of all figures")
    given = parser.parse_args()
    version = version_in(given.folder)
    report = read_report(version)
    if "saved_model" not in report["formats"] or not report["latents"]:
        parser.error(f"{version} has no SavedModel that takes latents.")
    asked = ways(version, report, given.threads)
    print("| rows | | ms a call | times as fast |\n|---|---|---|---|")
    everything = {}
    for rows in given.rows:
        found = measure(asked, inputs_of(report, rows), given.rounds, given.seconds, CLOCKS[given.clock])
        everything[rows] = found
        print(*lines(found, rows), sep="\n", flush=True)
    if given.output:
        given.output.write_text(json.dumps(everything, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
