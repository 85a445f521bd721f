"""The export of one model: write, check in fresh processes, report, publish."""

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from keras_gans.engine.validity import BATCH_LIMIT
from keras_gans.errors import UserError

from . import card, choice, deployment, distance, edge, golden, promotion, report, signing, web_page
from .formats import (
    DEFAULT_TFLITE_KINDS,
    check_batch_sizes,
    check_formats,
    check_keep,
    check_stage,
    check_target,
    check_tflite_kinds,
    check_web,
    model_name,
)
from .fresh_process import run_script
from .full_precision import in_float32
from .gate import Earlier, Gate, faults_of_run
from .saved_model import WARMUP_FILE, write_saved_model
from .versions import publish, remove_old, scratch_folder, staging

if TYPE_CHECKING:
    from keras_gans.data import Source
    from keras_gans.engine.base import AdversarialModel


LABELS_FILE, GOLDEN_FOLDER = "labels.txt", "golden"
# How clients without TensorFlow draw what `sample` draws.
LATENTS_FILES = ("latents.py", "latents.mjs")
# Rows of a classifier by which its labels are compared, and rows that ranges of int8 are taken from.
_CLASSIFIED, _EXAMPLES = 256, 64


def export_model(
    model: "AdversarialModel",
    to: str | Path,
    formats: Sequence[str] = ("saved_model", "tflite"),
    *,
    tflite_batch_sizes: Sequence[int] = (1,),
    tflite_kinds: Sequence[str] = DEFAULT_TFLITE_KINDS,
    run: str | Path | None = None,
    overrides: Sequence[str] = (),
    stage: bool = False,
    keep: int | None = None,
    sign: str | Path | None = None,
    measured_on: "Source | None" = None,
    measured_samples: int = 2000,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Publishes a model as the next numbered version in a folder, after checking every file by running it.

    A version holds `saved_model.pb`, `variables/` and `assets.extra/` with warmup requests; `tflite/` with
    generator_float32.tflite, generator_float16.tflite and generator_dynamic_int8.tflite, or in place of one of int8
    generator_weight_int8.tflite where that is below its floor; `labels.txt` with one class a line, where the
    model knows classes; `vocabulary.txt` with one word a line, the first being number 0, where it reads texts, see
    `layers.tokenizer`, or `source_vocabulary.txt` and `target_vocabulary.txt` with one piece a line, see `subwords`;
    `onnx/` with a file for each signature that ONNX has operations for; `serving/` with what a SavedModel is served
    with, see `deployment`; `web/`, a page that runs the model in a browser, see `web_page`; and `report.json`. It
    appears by one rename; if anything fails, `to` stays as it was.

    Args:
        model: `AdversarialModel`. Its `endpoints()` become the SavedModel's signatures; `serving_default` becomes the
            TFLite files of the generator (or decoder); `classify`, `encode` and `reconstruct`, where there are such,
            those of the classifier, the encoder and the whole autoencoder; `a_to_b` and `b_to_a` those of translators;
            and `translate_tokens` one of a translator of sentences, in float32 alone.
        to: folder of the versions; made if absent.
        formats: of "saved_model", "tflite", "onnx" and "web". TensorFlow Serving can load a version only if it has the
            first; the last brings "tflite".
        tflite_batch_sizes: fixed batch sizes; the first is that of the signature `serving_default`, a further n that
            of `batch_n`.
        tflite_kinds: of numbers, of "float32", "float16", "dynamic_int8", "weight_int8" and "full_int8", see
            `formats.TFLITE_KINDS`. Integers are int32 in and out. A row whose label is no class is NaN.
        run: path of the run directory that the model comes from, for the report, and for the doctor's word.
        overrides: names of `gate.REASONS` that are to keep nothing from being published; the report notes it.
        stage: whether the version becomes the canary of `models.config`, see `promotion`.
        keep: so many of the highest versions stay, besides those that are live; all unless given.
        sign: PEM file of a private key to sign the version with, see `signing`.
        measured_on: the data; where given, the report says by how much the Fréchet distance to them changes in the
            TFLite files of a generator.
        measured_samples: how many samples it is measured of.
        progress: function of a line of text, called before each step that takes seconds.

    Returns:
        The report as a dict: "version", "files" with bytes and sha256, "signatures", "weights", "saved_model",
        "tflite" and its like of further parts ("tflite_encoder") with errors against Keras in the outputs' units, PSNR
        in dB and latencies in ms, "web" with the kind of file that the page runs of each part and "web_left_out" with
        the reasons, "onnx" likewise by signature and "onnx_left_out" with the reasons, "gate" with what
        was let pass, and "warnings"; and, not in the file, "path", "live" where it was staged, and "removed", the
        versions that made room.

    Raises:
        UserError: a run that is sick, unfinished or being trained, signatures that clients of an earlier version could
            not use, or no SavedModel above one, unless overridden; unknown format, an operation that TFLite lacks,
            answers that are not finite or too far from the model's, or a folder that cannot be written.
    """
    to = Path(to)
    formats, batch_sizes = check_formats(formats), check_batch_sizes(tflite_batch_sizes)
    kinds = check_tflite_kinds(tflite_kinds)
    check_target(to)
    check_keep(keep)
    check_stage(stage, formats)
    check_web(formats, kinds, batch_sizes)
    signing.check_can_sign(sign)
    gate, earlier = Gate(overrides), Earlier(to, promotion.read_live(to).stable)
    if run is not None:
        gate.judge(faults_of_run(run, model.steps_taken))
    gate.judge(earlier.faults(formats))
    try:
        with scratch_folder() as scratch, staging(to) as staged:
            figures = _write_and_check(model, staged, scratch, formats, batch_sizes, kinds, progress)
            if "saved_model" in formats:
                gate.judge(earlier.faults(formats, figures["signatures"]))
            result = report.describe_model(model, run) | {"formats": list(formats)} | figures
            if "saved_model" in formats:
                deployment.write_deployment(
                    staged, model_name(to), result["signatures"], BATCH_LIMIT, result["weights"]["stored_bytes"]
                )
            if result.get("onnx"):
                deployment.write_triton(staged, model_name(to), result["onnx"], BATCH_LIMIT)
            if "web" in formats:
                progress("Writing the page for browsers")
                result["web"] = web_page.write_page(staged, model_name(to), result, result.pop("web_parts"))
            result["gate"] = {"overridden": gate.passed}
            result["warnings"] = edge.floor_warnings(result) + earlier.warnings + _passed(gate)
            progress("Writing the report and the model card")
            if measured_on is not None and "tflite" in result:
                progress("Measuring the Fréchet distance of the TFLite files")
                measured = distance.measure_changes(model, measured_on, measured_samples, result, staged)
                result["frechet_distance"] = measured
            result["files"] = report.describe_files(staged)
            table = choice.rows(result)
            result["choice"] = {"table": table, "recommended": choice.recommended(table)}
            card.write_card(staged, result, to, card.picture_of(model, run))
            result = _publish(staged, to, result, sign)
        live = promotion.stage(to, result["version"]) if stage else promotion.read_live(to)
        removed = [] if keep is None else remove_old(to, keep, live.needed)
        return result | {"live": dataclasses.asdict(live) if stage else None, "removed": removed}
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        # TensorFlow reports a full disk in its own words, which name the disk last.
        reason = str(error).rsplit("; ", 1)[-1]
        raise UserError(f"Nothing was published in {to}: {reason}") from error


def _write_and_check(model, staged, scratch, formats, batch_sizes, kinds, progress):
    """Fills the staged directory; returns the figures of the checks."""
    progress("Asking the model for golden answers")
    answers = golden.golden_answers(model)
    job = golden.save_golden(scratch / "golden.npz", model, answers)
    shown = {}
    if "web" in formats:
        parts, left_out = web_page.shown_parts(answers, report.has_latents(model))
        shown = {"web_parts": parts, "web_left_out": left_out}

    progress("Writing the SavedModel")
    # TFLite is converted from a SavedModel, so there is one even where it is not published.
    saved_model = staged if "saved_model" in formats else scratch / "saved_model"
    write_saved_model(model, saved_model, answers)
    progress("Checking the SavedModel in a fresh process")
    served = {"saved_model": str(saved_model), "warmup": str(saved_model / WARMUP_FILE)}
    checked = run_script("verify", job | served, scratch)
    figures = {key: checked.pop(key) for key in ("signatures", "signature_def_hash", "weights")}
    stored = staged / GOLDEN_FOLDER
    figures["golden"] = {}
    if "saved_model" in formats:
        figures["saved_model"] = checked
        figures["golden"]["saved_model"] = golden.store(stored / "saved_model.npz", model, answers)
    twin = in_float32(model)
    if twin is not model:
        # Full precision has golden answers of its own: half precision's rounding is no other format's error.
        in_half, answers = answers, golden.golden_answers(twin)
        figures["half_precision"] = {"distance_from_float32": golden.distances(in_half, answers)}
    if twin is not model and {"tflite", "onnx"} & set(formats):
        job = golden.save_golden(scratch / "golden_float32.npz", twin, answers)
        saved_model = scratch / "saved_model_float32"
        twin.export(str(saved_model), verbose=False)
    if "onnx" in formats:
        figures |= _make_onnx(answers, job, saved_model, staged, scratch, progress)
        asked = {signature: answers[signature] for signature in figures["onnx"]}
        figures["golden"]["onnx"] = golden.store(stored / "onnx.npz", twin, asked)
    if "tflite" in formats:
        for signature, reason in model.not_in_tflite().items():
            progress(f"Writing no TFLite file of {signature}: {reason}")
            answers.pop(signature)
        parts = edge.parts_of(answers, staged / "tflite", kinds)
        if not parts and "saved_model" not in formats:
            raise UserError(
                f"TFLite has no texts, which is what {type(model).__name__} answers. Export with --formats saved_model."
            )
        if parts:
            job = _edge_job(model, twin, answers, parts, scratch)
            figures |= edge.make_files(parts, job, saved_model, scratch, batch_sizes, progress)
            parts = {part: each for part, each in parts.items() if part not in figures.get("left_out_of_tflite", {})}
        if parts:
            asked = {described["signature"]: answers[described["signature"]] for described in parts.values()}
            figures["golden"]["tflite"] = golden.store(stored / "tflite.npz", twin, asked)
            figures["golden"]["tflite"]["outputs"] = {part: described["outputs"] for part, described in parts.items()}
        elif "left_out_of_tflite" in figures:
            (staged / "tflite").rmdir()
            if "saved_model" not in formats:
                raise UserError("Nothing was published: " + "; ".join(figures["left_out_of_tflite"].values()))
        else:
            progress("Writing no TFLite files, as they cannot answer texts")
    if report.has_latents(model):
        for name in LATENTS_FILES:
            shutil.copyfile(Path(__file__).with_name(name), staged / name)
    if model.class_names:
        (staged / LABELS_FILE).write_text("".join(f"{name}\n" for name in model.class_names), encoding="utf-8")
    for name, pieces in model.vocabularies().items():
        (staged / f"{name}.txt").write_bytes("".join(f"{piece}\n" for piece in pieces).encode())
    return figures | shown


def _edge_job(model, twin, answers, parts, scratch):
    """The job of making TFLite files of a model, whose float32 twin has those answers."""
    used = {described["signature"] for described in parts.values()}
    answers = {name: answered for name, answered in answers.items() if name in used}
    if "classify" in answers:
        answers |= golden.golden_answers(twin, _CLASSIFIED, ["classify"])
    inputs = {name: twin.example_inputs(name, _EXAMPLES) for name in used}
    examples = {f"{name}/inputs/{key}": rows for name, tensors in inputs.items() for key, rows in tensors.items()}
    np.savez(scratch / "examples.npz", **examples)
    job = golden.save_golden(scratch / "golden_edge.npz", twin, answers)
    return job | {"class_count": len(model.class_names) or None, "examples": str(scratch / "examples.npz")}


def _passed(gate):
    return [
        f"Published all the same, as --override {entry['override']} asked: {entry['reason']}" for entry in gate.passed
    ]


def _make_onnx(answers, job, saved_model, staged, scratch, progress):
    """Converts what of a SavedModel ONNX has operations for, and checks it; returns {key of the report: figures}."""
    progress("Converting to ONNX")
    folder = staged / "onnx"
    folder.mkdir()
    files = {signature: str(folder / f"{signature}.onnx") for signature in answers}
    done = run_script("to_onnx", {"saved_model": str(saved_model), "files": files}, scratch)
    converted = done["converted"]
    _refuse_none(converted, done["left_out"])
    progress("Checking the ONNX files in a fresh process")
    parts = {name: {"file": files[name], "outputs_of": entry["outputs_of"]} for name, entry in converted.items()}
    checked = run_script("verify", job | {"onnx": parts}, scratch)
    checks, left_out = checked["checks"], done["left_out"] | checked["unfit"]
    for name in checked["unfit"]:
        Path(files[name]).unlink()
        converted.pop(name)
    _refuse_none(converted, left_out)
    entries = {
        name: {
            "file": f"onnx/{name}.onnx",
            "inputs": entry["inputs"],
            "outputs": entry["outputs"],
            # Names that are an input's too are others in ONNX.
            "outputs_of": entry["outputs_of"],
            "conversion_seconds": entry["seconds"],
            "checks": checks[name],
        }
        for name, entry in converted.items()
    }
    return {"onnx": entries, "onnx_left_out": left_out}


def _refuse_none(converted, left_out):
    if not converted:
        reasons = "\n".join(f"- {signature}: {reason}" for signature, reason in left_out.items())
        raise UserError(f"No signature can leave by ONNX, so nothing was published:\n{reasons}")


def _publish(staged, to, result, key):
    result["files"] = report.describe_files(staged)

    def seal(number):
        result["version"] = number
        report.write_report(staged, result)
        if key is not None:
            signing.sign(staged, key)

    return result | {"path": str(publish(staged, to, seal).absolute())}
