"""The export of one model: write, check in fresh processes, report, publish."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from keras_gans.engine.translating_texts import TextTranslatingModel
from keras_gans.errors import UserError

from . import golden, report
from .formats import check_batch_sizes, check_formats, check_target
from .fresh_process import run_script
from .full_precision import in_float32
from .saved_model import WARMUP_FILE, write_saved_model
from .tflite import FALLBACK, FLOORS_DB, signature_names
from .tflite import FORMATS as TFLITE_FORMATS
from .versions import publish, staging, versions

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


LABELS_FILE, VOCABULARY_FILE = "labels.txt", "vocabulary.txt"
# {what a .tflite file holds: the signature that it answers}.
_TFLITE_PARTS = {
    "generator": "serving_default",
    "classifier": "classify",
    "encoder": "encode",
    "autoencoder": "reconstruct",
    "a_to_b": "a_to_b",
    "b_to_a": "b_to_a",
}
# Those whose answers are looked at.
_PICTURES = ("generator", "a_to_b", "b_to_a")


def export_model(
    model: "AdversarialModel",
    to: str | Path,
    formats: Sequence[str] = ("saved_model", "tflite"),
    *,
    tflite_batch_sizes: Sequence[int] = (1,),
    run: str | Path | None = None,
    progress: bool = lambda text: None,
) -> dict[str, Any]:
    """Publishes a model as the next numbered version in a folder, after checking every file by running it.

    A version holds `saved_model.pb`, `variables/` and `assets.extra/` with warmup requests; `tflite/` with
    generator_float32.tflite, generator_float16.tflite and generator_dynamic_int8.tflite, or in place of the last
    generator_weight_int8.tflite where it is below its floor of 45 dB; `labels.txt` with one class a line, where the
    model knows classes; `vocabulary.txt` with one word a line, the first being number 0, where it reads texts, see
    `layers.tokenizer`, or `source_vocabulary.txt` and `target_vocabulary.txt` with one piece a line, see `subwords`;
    and `report.json`. It appears by one rename; if anything fails, `to` stays as it was.

    Args:
        model: `AdversarialModel`. Its `endpoints()` become the SavedModel's signatures; `serving_default` becomes the
            TFLite files of the generator (or decoder); `classify`, `encode` and `reconstruct`, where there are such,
            those of the classifier, the encoder and the whole autoencoder; `a_to_b` and `b_to_a` those of translators.
        to: folder of the versions; made if absent.
        formats: "saved_model", "tflite" or both. TensorFlow Serving can load a version only if it has the first.
        tflite_batch_sizes: fixed batch sizes; the first is that of the signature `serving_default`, a further n that
            of `batch_n`.
        run: path of the run directory that the model comes from, for the report.
        progress: function of a line of text, called before each step that takes seconds.

    Returns:
        The report as a dict: "version", "files" with bytes and sha256, "signatures", "weights", "saved_model",
        "tflite" and its like of further parts ("tflite_encoder") with errors against Keras in the outputs' units, PSNR
        in dB and latencies in ms, and "warnings"; and, not in the file, "path".

    Raises:
        UserError: unknown format, an operation that TFLite lacks, answers that are not finite or too far from the
            model's, or a folder that cannot be written.
    """
    to = Path(to)
    formats, batch_sizes = check_formats(formats), check_batch_sizes(tflite_batch_sizes)
    check_target(to)
    try:
        with tempfile.TemporaryDirectory(prefix="keras_gans_export_") as scratch, staging(to) as staged:
            figures = _write_and_check(model, staged, Path(scratch), formats, batch_sizes, progress)
            result = report.describe_model(model, run) | {"formats": list(formats)} | figures
            result["warnings"] = _floor_warnings(result) + _succession_warnings(result, to)
            return _publish(staged, to, result)
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        # TensorFlow reports a full disk in its own words, which name the disk last.
        reason = str(error).rsplit("; ", 1)[-1]
        raise UserError(f"Nothing was published in {to}: {reason}") from error


def _write_and_check(model, staged, scratch, formats, batch_sizes, progress):
    """Fills the staged directory; returns the figures of the checks."""
    progress("Asking the model for golden answers")
    answers = golden.golden_answers(model)
    job = golden.save_golden(scratch / "golden.npz", model, answers)

    progress("Writing the SavedModel")
    # TFLite is converted from a SavedModel, so there is one even where it is not published.
    saved_model = staged if "saved_model" in formats else scratch / "saved_model"
    write_saved_model(model, saved_model, answers)
    progress("Checking the SavedModel in a fresh process")
    served = {"saved_model": str(saved_model), "warmup": str(saved_model / WARMUP_FILE)}
    checked = run_script("verify", job | served, scratch)
    figures = {key: checked.pop(key) for key in ("signatures", "signature_def_hash", "weights")}
    if "saved_model" in formats:
        figures["saved_model"] = checked
    if "tflite" in formats:
        twin = in_float32(model)
        if twin is not model:
            # Full precision has golden answers of its own: half precision's rounding is not TFLite's error.
            answers = golden.golden_answers(twin)
            job = golden.save_golden(scratch / "golden_float32.npz", twin, answers)
            saved_model = scratch / "saved_model_float32"
            twin.export(str(saved_model), verbose=False)
        parts = _tflite_parts(answers, staged / "tflite")
        if not parts and "saved_model" not in formats:
            raise UserError(
                f"TFLite has no texts, which is what {type(model).__name__} answers. Export with --formats saved_model."
            )
        if parts:
            figures |= _make_tflite(parts, job, saved_model, scratch, batch_sizes, progress)
        else:
            progress("Writing no TFLite files, as they cannot answer texts")
    if model.class_names:
        (staged / LABELS_FILE).write_text("".join(f"{name}\n" for name in model.class_names), encoding="utf-8")
    if (tokenizer := getattr(model, "tokenizer", None)) is not None:
        tokenizer.write_vocabulary(staged / VOCABULARY_FILE)
    if isinstance(model, TextTranslatingModel):
        for side, pieces in (("source", model.source_vocabulary), ("target", model.target_vocabulary)):
            text = "".join(f"{piece}\n" for piece in pieces)
            (staged / f"{side}_{VOCABULARY_FILE}").write_text(text, encoding="utf-8")
    return figures


def _tflite_parts(answers, folder):
    """{part: what of the SavedModel it is, and its files}, for those parts that the model has; makes their folder."""
    parts = {}
    for part, signature in _TFLITE_PARTS.items():
        # A translator is filed under its direction, and not twice.
        if signature in answers and not (part == "generator" and "a_to_b" in answers):
            # TFLite has numbers only: names of classes stay behind, in labels.txt.
            outputs = [name for name, value in answers[signature][1].items() if value.dtype.kind not in "SO"]
            if not outputs:
                continue
            files = {kind: str(folder / f"{part}_{kind}.tflite") for kind in TFLITE_FORMATS}
            parts[part] = {"signature": signature, "outputs": outputs, "files": files}
    if parts:
        folder.mkdir()
    return parts


def _make_tflite(parts, job, saved_model, scratch, batch_sizes, progress):
    """Converts parts of a SavedModel into their files and checks these; returns {key of the report: figures}."""

    def converted(parts):
        """{part: {format: its entry in the report}}."""
        conversion = {"saved_model": str(saved_model), "parts": parts, "batch_sizes": batch_sizes}
        seconds = run_script("tflite", conversion, scratch)["seconds"]
        progress("Checking the TFLite files in a fresh process")
        check = {"tflite": parts, "batch_sizes": signature_names(batch_sizes)}
        checks = run_script("verify", job | check, scratch)["checks"]
        return {
            part: {
                kind: {
                    "file": f"tflite/{part}_{kind}.tflite",
                    # Of pixels; probabilities have no noise floor that an eye would see.
                    "floor_db": FLOORS_DB.get(kind) if part in _PICTURES else None,
                    "conversion_seconds": seconds[part][kind],
                    "checks": checks[part][kind],
                }
                for kind in described["files"]
            }
            for part, described in parts.items()
        }

    progress(f"Converting to TFLite: {', '.join(parts)}")
    found = converted(parts)
    poor = {part: entries["dynamic_int8"] for part, entries in found.items() if _lost(entries["dynamic_int8"])}
    if poor:
        progress(f"Dynamic int8 loses too much: int8 weights alone, for {', '.join(poor)}")
        folder = Path(next(iter(parts.values()))["files"]["float32"]).parent
        again = {part: parts[part] | {"files": {FALLBACK: str(folder / f"{part}_{FALLBACK}.tflite")}} for part in poor}
        for part, entries in converted(again).items():
            Path(parts[part]["files"]["dynamic_int8"]).unlink()
            lost = found[part].pop("dynamic_int8")
            entries[FALLBACK]["instead_of"] = {"dynamic_int8": _worst_db(lost)}
            found[part] |= entries
    return {"tflite" if part == "generator" else f"tflite_{part}": entries for part, entries in found.items()}


def _worst_db(entry):
    return min(figures["psnr_db"] for figures in entry["checks"].values())


def _lost(entry):
    """Whether a file of pictures is below its floor."""
    return entry["floor_db"] is not None and _worst_db(entry) < entry["floor_db"]


def _floor_warnings(result):
    found = []
    parts = [kinds for part, kinds in result.items() if part == "tflite" or part.startswith("tflite_")]
    for entry in (entry for kinds in parts for entry in kinds.values()):
        name = f"TFLite {Path(entry['file']).stem}"
        for other, decibels in entry.get("instead_of", {}).items():
            found.append(
                f"{name}: {other} has {decibels:.1f} dB against Keras, below the floor of {FLOORS_DB[other]:.0f} dB, "
                f"and was left out. This file has int8 weights and computes in float32: {_worst_db(entry):.1f} dB."
            )
        if _lost(entry):
            found.append(
                f"{name}: {_worst_db(entry):.1f} dB against Keras is below the floor of {entry['floor_db']:.0f} dB. "
                "Look at its samples before shipping it, or ship float32."
            )
    return found


def _succession_warnings(result, to):
    """What changes for those who use the versions that are there already."""
    reports = [report.read_report(to / str(number)) for number in versions(to)]
    earlier = [entry for entry in reports if entry and "saved_model" in entry["formats"]]
    if not earlier:
        return []
    if "saved_model" not in result["formats"]:
        return [f"This version has no SavedModel, so TensorFlow Serving cannot load it; {to} has versions that do."]
    if earlier[-1]["signature_def_hash"] != result["signature_def_hash"]:
        return [f"The signatures differ from those of version {earlier[-1]['version']}: clients may have to change."]
    return []


def _publish(staged, to, result):
    result["files"] = report.describe_files(staged)

    def seal(number):
        result["version"] = number
        report.write_report(staged, result)

    return result | {"path": str(publish(staged, to, seal).absolute())}
