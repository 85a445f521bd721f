"""Which format can hold which scheme: a small model of each, exported to all of them and held against the model.

    python -m benchmarks.formats                       # all schemes; the table
    python -m benchmarks.formats --cases dcgan cgan    # some
    python -m benchmarks.formats --only-show           # the table of what has been run

The models are those of the tests, of 8 x 8 pixels and three classes, with random weights, enlarged until pictures
differ, and no further, as what is all black or white shows no error. Every file is loaded in a fresh process that has
neither Keras nor keras_gans, and its answers compared with the model's, as each export does it. A case is filed as soon
as it is done, and not run again.
"""

import argparse
import functools
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.filed import known_runs, run_once
from keras_gans import networks, schemes
from keras_gans.export import export_model
from keras_gans.export.edge import tflite_entries
from keras_gans.export.formats import FORMATS, TFLITE_KINDS
from keras_gans.registry import schemes as registered
from tests.small import small_model

# What a scheme's first recipe does not show: points, and the other kind of translator.
POINTS, GRU = "gan of points", "adversarial_nmt of GRUs"
# By which weights of a start are made larger, the first by which pictures of two inputs differ by as much on average.
_LARGER, _DIFFERENT = (1.0, 2.0, 4.0, 8.0, 16.0), 0.1


def cases():
    """Names of all that are run: the registered schemes and what their first recipes do not show."""
    return [*sorted(registered), POINTS, GRU]


def model_of(case):
    """The small model of a case."""
    keras.utils.set_random_seed(0)
    if case == POINTS:
        model = schemes.VanillaGAN(
            networks.mlp_generator((2,), latent_dim=4, output_activation=None), networks.mlp_discriminator((2,))
        )
        model.compile()
    elif case == GRU:
        model = small_model("adversarial_nmt", generator={"name": "rnn_search", "units": 4})
    else:
        model = small_model(case)
    if not isinstance(model, schemes.AdversarialNMT):
        _enlarge(model)
    return model


def _enlarge(model):
    function, specifications = model.endpoints()["serving_default"]
    kernels = [variable for variable in model.trainable_variables if variable.name == "kernel"]
    values = [kernel.numpy() for kernel in kernels]
    inputs = model.example_inputs("serving_default", 16)
    for factor in _LARGER:
        for kernel, value in zip(kernels, values, strict=True):
            kernel.assign(factor * value)
        (made,) = function(*(tf.constant(inputs[spec.name], spec.dtype) for spec in specifications)).values()
        if np.mean(np.abs(made[:-1] - made[1:])) >= _DIFFERENT:
            return


def export_case(model, folder, formats=FORMATS):
    """Exports a model to all formats, TFLite of all kinds; returns the report."""
    return export_model(model, folder, formats, tflite_kinds=TFLITE_KINDS)


def row_of(report):
    """The row of an export's report.

    Args:
        report: of `export_case`.

    Returns:
        {"formats": those that were made, "not_made": {format: why}, "saved_model" and "onnx": {signature: largest
        difference from the model}, "tflite": {part: {kind: that, or decibels of narrower numbers}}, "replaced": {part:
        kinds that int8 weights stand in for}, "web": parts that the page shows, "left_out": {format: {name: why}}}.
    """
    tflite, replaced = {}, {}
    for key, entries in tflite_entries(report).items():
        part = "generator" if key == "tflite" else key.removeprefix("tflite_")
        checks = {kind: next(iter(entry["checks"].values())) for kind, entry in entries.items()}
        tflite[part] = {
            kind: figures["max_abs_error" if kind == "float32" else "psnr_db"] for kind, figures in checks.items()
        }
        poor = [kind for entry in entries.values() for kind in entry.get("instead_of", {})]
        if poor:
            replaced[part] = poor
    left_out = {"tflite": report.get("left_out_of_tflite"), "onnx": report.get("onnx_left_out")}
    left_out["web"] = report.get("web_left_out")
    return {
        "formats": report["formats"],
        "not_made": report["not_made"],
        "saved_model": {
            name: figures["max_abs_error"] for name, figures in report.get("saved_model", {}).get("checks", {}).items()
        },
        "tflite": tflite,
        "replaced": replaced,
        "onnx": {name: entry["checks"]["max_abs_error"] for name, entry in report.get("onnx", {}).items()},
        "web": list(report.get("web", {}).get("models", {})),
        "left_out": {name: reasons for name, reasons in left_out.items() if reasons},
    }


def cells(row):
    """What the table of the documents says of a row: what of the model each format holds."""

    def named(names):
        return ", ".join(f"`{name}`" for name in names) or "-"

    # A SavedModel has all signatures, or is not published.
    whole = "all signatures" if row["saved_model"] else "-"
    return (whole, *(named(row[key]) for key in ("tflite", "onnx", "web")))


def name_of(case):
    """A case as the table names it."""
    scheme, *rest = case.split(" ", 1)
    return " ".join([f"`{scheme}`", *rest])


def table(rows):
    """{case: row} as a Markdown table, a line for all cases of which it says the same."""
    together = {}
    for case, row in rows.items():
        together.setdefault(cells(row), []).append(name_of(case))
    lines = ["| | SavedModel | TFLite | ONNX | page |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {', '.join(names)} | {' | '.join(said)} |" for said, names in together.items())])


def figures(rows):
    """Lines about the largest differences of each format, and about the kinds of int8 that gave way."""
    exact = {"saved_model": {}, "tflite": {}, "onnx": {}}
    for case, row in rows.items():
        exact["saved_model"][case] = max(row["saved_model"].values(), default=0.0)
        exact["onnx"][case] = max(row["onnx"].values(), default=0.0)
        exact["tflite"][case] = max((kinds["float32"] for kinds in row["tflite"].values()), default=0.0)
    for name, found in exact.items():
        worst = max(found, key=found.get)
        yield f"{name}: {found[worst]:.1e} off at the most, in {worst}"
    for kind in TFLITE_KINDS[1:]:
        found = [kinds[kind] for row in rows.values() for kinds in row["tflite"].values() if kind in kinds]
        gave_way = sum(kind in kinds for row in rows.values() for kinds in row["replaced"].values())
        if found or gave_way:
            spread = f"{min(found):.1f} to {max(found):.1f} dB" if found else "none"
            yield f"{kind}: {len(found)} files of {spread}; {gave_way} gave way"


def reasons(rows):
    """Lines about what was left out, each reason once, with the cases that have it."""
    found = {}
    for case, row in rows.items():
        for name, each in row["left_out"].items():
            for what, reason in each.items():
                found.setdefault((name, what, reason), []).append(case)
        for name, reason in row["not_made"].items():
            found.setdefault((name, "all of it", reason), []).append(case)
    for (name, what, reason), those in sorted(found.items()):
        yield f"{name}, {what}: {reason} ({len(those)}: {', '.join(those)})"


def _measured(case, folder, formats):
    return row_of(export_case(model_of(case), folder, formats))


def main():
    """Runs what the arguments say, and prints all that has been run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=cases(), default=cases(), metavar="CASE", help="of the schemes")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS, help="to export to")
    parser.add_argument("--only-show", action="store_true", help="the table of what has been run")
    parser.add_argument("--output", type=Path, default=Path("formats.jsonl"), help="where each case is filed")
    given = parser.parse_args()
    for case in () if given.only_show else given.cases:
        with tempfile.TemporaryDirectory() as folder:
            to = Path(folder) / "model"
            run_once(given.output, {"case": case}, functools.partial(_measured, case, to, given.formats))
        print(case, flush=True)
    rows = {run["case"]: run for run in known_runs(given.output)}
    rows = {case: rows[case] for case in cases() if case in rows}
    print(table(rows), *figures(rows), *reasons(rows), sep="\n")


if __name__ == "__main__":
    main()
