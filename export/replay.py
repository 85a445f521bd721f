"""Whether a published version is whole, and answers here as it did where it was exported."""

import importlib.util
from pathlib import Path
from typing import Any

from keras_gans.errors import UserError
from keras_gans.limits import BATCH_LIMIT

from . import report, signing
from .edge import PARTS, tflite_entries
from .formats import LEAST_AGREEMENT, WARMUP_FILE
from .fresh_process import run_checked, warm
from .versions import scratch_folder, versions

# In dB: kernels differ from one processor to another, and narrow numbers make more of it.
_MACHINES_DIFFER_DB = 6.0
# Beside that: a classifier is exported on sixteen times as many rows as are replayed, and few rows may be luckier.
_FEWER_ROWS_DB = 9.0


def version_in(folder: str | Path) -> Path:
    """The version that a folder is, or the highest that it holds.

    Raises:
        UserError: it is none and holds none.
    """
    folder = Path(folder)
    if (folder / report.FILE_NAME).is_file():
        return folder
    found = [folder / str(number) for number in versions(folder) if (folder / str(number) / report.FILE_NAME).is_file()]
    if not found:
        raise UserError(f"{folder} is no exported version, and holds none: there is no {report.FILE_NAME}.")
    return found[-1]


def verify_version(
    folder: str | Path, *, public_key: str | Path | None = None, progress: Any = lambda text: None
) -> dict[str, Any]:
    """Checks a version's signature and files, loads them and replays its golden answers, in fresh processes.

    Files that are not what was exported are not loaded.

    Args:
        folder: of a version, or of versions, of which the highest is taken.
        public_key: PEM file; a signature is asked for where it is given.
        progress: function of a line of text.

    Returns:
        {"path", "version", "ok", "checks": [{"check": name, "ok", "detail": text}]}, and "saved_model", "onnx" and
        "tflite", the figures of the replay, of those that there are.

    Raises:
        UserError: there is no version, or its report cannot be read.
    """
    version = version_in(folder)
    signing.check_can_sign(public_key)
    known = report.read_report(version)
    if missing := [name for name in ("files", "formats") if name not in known]:
        raise UserError(f"The {report.FILE_NAME} of {version} is damaged: it lacks {' and '.join(missing)}.")
    result = {"path": str(version.absolute()), "version": known.get("version"), "ok": False, "checks": []}

    def note(check, faults, detail):
        result["checks"].append({"check": check, "ok": not faults, "detail": "; ".join(faults) or detail})
        return not faults

    if public_key is not None:
        fault = signing.fault_of(version, public_key)
        note("signature", [fault] if fault else [], f"by the key of {public_key}")
    progress("Hashing the files")
    faults = _file_faults(version, known)
    is_whole = note("files", faults, f"{len(known['files'])} files are as they were exported")
    if is_whole and "golden" in known:
        with scratch_folder() as work, warm():
            if "saved_model" in known["formats"]:
                progress("Loading the SavedModel and replaying its golden answers")
                figures, faults = run_checked("verify", _saved_model_job(version, known), work)
                count = len(figures.get("checks", {}))
                note("saved_model", faults, _as_before(count, "signature"))
                result["saved_model"] = figures
            if "onnx" in known["golden"]:
                _replay_onnx(version, known, work, note, result, progress)
            if tflite_entries(known):
                progress("Loading the TFLite files and replaying their golden answers")
                figures, faults = run_checked("verify", _tflite_job(version, known), work)
                faults += _poorer(known, figures.get("checks", {}))
                count = sum(len(kinds) for kinds in tflite_entries(known).values())
                note("tflite", faults, _as_before(count, "file"))
                result["tflite"] = figures.get("checks", {})
    elif is_whole:
        note("golden answers", ["the version has none: it comes from an earlier keras_gans"], "")
    result["ok"] = all(check["ok"] for check in result["checks"])
    return result


def _as_before(count, what):
    return f"{count} {what} answers as it did" if count == 1 else f"{count} {what}s answer as they did"


def _replay_onnx(version, known, work, note, result, progress):
    if importlib.util.find_spec("onnxruntime") is None:
        note("onnx", [], "not loaded, as onnxruntime is not here: pip install 'keras_gans[onnx]'")
        return
    progress("Loading the ONNX files and replaying their golden answers")
    stored = known["golden"]["onnx"]
    job = {
        "golden": str(version / stored["file"]),
        "tolerance": stored["tolerance"],
        "onnx": {
            name: {"file": str(version / entry["file"]), "outputs_of": entry["outputs_of"]}
            for name, entry in known["onnx"].items()
        },
    }
    figures, faults = run_checked("verify", job, work)
    faults += figures.get("unfit", {}).values()
    note("onnx", faults, _as_before(len(known["onnx"]), "file"))
    result["onnx"] = figures.get("checks", {})


def _file_faults(version, known):
    """What of the files differs from the report."""
    found, listed = report.describe_files(version), known["files"]
    faults = [f"{path} is missing" for path in listed if path not in found]
    faults += [f"{path} is not in the report" for path in found if path not in listed]
    for path in sorted(found.keys() & listed.keys()):
        if found[path] != listed[path]:
            sizes = found[path]["bytes"], listed[path]["bytes"]
            why = "other bytes" if sizes[0] == sizes[1] else f"{sizes[0]:,} bytes for {sizes[1]:,}"
            faults.append(f"{path} has changed: {why}")
    return faults


def _saved_model_job(version, known):
    stored = known["golden"]["saved_model"]
    return {
        "golden": str(version / stored["file"]),
        "tolerance": stored["tolerance"],
        "saved_model": str(version),
        "warmup": str(version / WARMUP_FILE),
        "batch_limit": known.get("batch_limit", BATCH_LIMIT),
    }


def _tflite_job(version, known):
    stored = known["golden"]["tflite"]
    parts, sizes = {}, {}
    for key, kinds in tflite_entries(known).items():
        part = key.removeprefix("tflite_") if key != "tflite" else "generator"
        files = {kind: str(version / entry["file"]) for kind, entry in kinds.items()}
        parts[part] = {"signature": PARTS[part], "outputs": stored["outputs"][part], "files": files}
        for entry in kinds.values():
            sizes |= {name: figures["batch_size"] for name, figures in entry["checks"].items()}
    return {
        "golden": str(version / stored["file"]),
        "tolerance": stored["tolerance"],
        "tflite": parts,
        "batch_sizes": sizes,
        "may_fail": [],
        "least_agreement": LEAST_AGREEMENT,
    }


def _poorer(known, checks):
    """Files that lose more here than where they were exported."""
    faults = []
    for part, kinds in checks.items():
        entries = known["tflite" if part == "generator" else f"tflite_{part}"]
        for kind, signatures in kinds.items():
            for name, figures in signatures.items():
                before = entries[kind]["checks"][name]["psnr_db"]
                slack = _MACHINES_DIFFER_DB + (_FEWER_ROWS_DB if part == "classifier" else 0.0)
                if kind != "float32" and "psnr_db" in figures and figures["psnr_db"] < before - slack:
                    faults.append(
                        f"{part}_{kind} has {figures['psnr_db']:.1f} dB here, {before:.1f} dB where it was exported"
                    )
    return faults
