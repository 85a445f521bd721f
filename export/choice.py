"""One table to choose a file by: size, time, likeness to the model, and which is for what."""

import math
from typing import Any

from .edge import PARTS, is_lost, tflite_entries
from .formats import FORMATS

SAVED_MODEL = FORMATS[0]
# Files of a SavedModel's weights and graph; what else lies beside them is for people.
_SAVED_MODEL_PARTS = ("saved_model.pb", "variables/", "assets/")
# {use: what a person calls it}.
WORDS = {
    "server": "for a server",
    "phone": "for a phone",
    "browser": "for a browser",
    "one at a time": "for one request at a time",
}


def rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each file of an export.

    Returns:
        [{"part": such as "generator", "format": "saved_model", "onnx" or as "tflite float16", "bytes", "ms": {"1": of
        one row, "64": of 64 rows}, "threads", "max_abs_error", "psnr_db" (of TFLite, else None), "label_agreement"
        where it gives labels, "distance_change" where it was measured, "is_poor"}].
    """
    found, cores = [], report.get("hardware", {}).get("cores")
    if SAVED_MODEL in report:
        size = sum(entry["bytes"] for path, entry in report["files"].items() if path.startswith(_SAVED_MODEL_PARTS))
        checks = report[SAVED_MODEL]["checks"]
        main = checks.get("serving_default") or next(iter(checks.values()))
        worst = max(figures["max_abs_error"] for figures in checks.values())
        found.append(_row("all", SAVED_MODEL, size, main | {"max_abs_error": worst}, cores))
    for key, kinds in tflite_entries(report).items():
        part = key.removeprefix("tflite_") if key != "tflite" else "generator"
        for kind, entry in kinds.items():
            figures, size = next(iter(entry["checks"].values())), report["files"][entry["file"]]["bytes"]
            row = _row(part, f"tflite {kind}", size, figures, cores) | {"is_poor": is_lost(entry)}
            change = report.get("frechet_distance", {}).get("changes", {}).get(kind) if key == "tflite" else None
            found.append(row if change is None else row | {"distance_change": change})
    parts = {signature: part for part, signature in PARTS.items()}
    for signature, entry in report.get("onnx", {}).items():
        if signature in parts:
            size = report["files"][entry["file"]]["bytes"]
            found.append(_row(parts[signature], "onnx", size, entry["checks"], cores))
    return found


def _row(part, kind, size, figures, cores):
    row = {
        "part": part,
        "format": kind,
        "bytes": size,
        "ms": dict(figures["latency_ms"]),
        # Of reports of before they were noted, TensorFlow's, which takes all cores.
        "threads": figures.get("threads", cores),
        "max_abs_error": figures["max_abs_error"],
        "psnr_db": figures.get("psnr_db"),
        "is_poor": False,
    }
    return row | {name: figures[name] for name in ("label_agreement",) if name in figures}


def recommended(table: list[dict[str, Any]]) -> dict[str, str]:
    """{use: format} by what was measured: of the part that is exported first, among the files above their floors.

    A server batches, and takes the SavedModel. A phone takes the smallest TFLite file, and of those that are as small
    the fastest; a browser the smallest that is not computed in int8, which WebAssembly is not faster at; and whoever
    asks one row at a time the fastest at that. Figures within a tenth of the least are as good as it, and of what is as
    good it is the file that is most like the model.
    """
    first = next((row["part"] for row in table if row["format"] != SAVED_MODEL), None)
    files = [row for row in table if row["part"] == first and not row["is_poor"]]
    tflite = [row for row in files if row["format"].startswith("tflite")]
    served = [row for row in table if row["format"] == SAVED_MODEL]
    chosen = {}
    if served:
        chosen["server"] = SAVED_MODEL
    if tflite:
        in_float = [row for row in tflite if row["format"] not in ("tflite dynamic_int8", "tflite full_int8")]
        chosen["phone"] = _likest(_least(_least(tflite, _size), _time))
        chosen["browser"] = _likest(_least(in_float or tflite, _size))
    if served or files:
        chosen["one at a time"] = _likest(_least([*served, *files], _time))
    return {use: chosen[use] for use in WORDS if use in chosen}


def _size(row):
    return row["bytes"]


def _time(row):
    """Of one row; of a file that takes more at once, of all that it takes."""
    return row["ms"].get("1", next(iter(row["ms"].values())))


def _least(table, figure):
    """The rows whose figure is the least, or as good as it."""
    return [row for row in table if figure(row) <= 1.1 * min(map(figure, table))]


def _likest(table):
    """The format of the row that is most like the model."""
    return max(table, key=lambda row: math.inf if row["psnr_db"] is None else row["psnr_db"])["format"]


def likeness(row: dict[str, Any]) -> str:
    """How like the model a file answers, in words: dB, a share of labels, the largest error, or "exact"."""
    if "label_agreement" in row:
        return f"{row['label_agreement']:.1%}"
    if row["max_abs_error"] == 0.0:
        return "exact"
    return f"{row['max_abs_error']:.0e} off" if row["psnr_db"] is None else f"{row['psnr_db']:.1f} dB"
