"""The export of one model: write, check in fresh processes, report, publish."""

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from keras_gans.errors import UserError
from keras_gans.limits import BATCH_LIMIT, check_batch_limit

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
from .fresh_process import run_script, warm
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
# Texts that a page offers.
_CAPTIONS = 12


def export_model(
    model: "AdversarialModel",
    to: str | Path,
    formats: Sequence[str] = ("saved_model", "tflite"),
    *,
    tflite_batch_sizes: Sequence[int] = (1,),
    tflite_kinds: Sequence[str] = DEFAULT_TFLITE_KINDS,
    batch_limit: int = BATCH_LIMIT,
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
            first; the last brings "tflite". Of several, those that cannot hold the model are left out with the reason.
        tflite_batch_sizes: fixed batch sizes; the first is that of the signature `serving_default`, a further n that
            of `batch_n`.
        tflite_kinds: of numbers, of "float32", "float16", "dynamic_int8", "weight_int8" and "full_int8", see
            `formats.TFLITE_KINDS`. Integers are int32 in and out. A row whose label is no class is NaN.
        batch_limit: rows that one call of the SavedModel may have, since memory grows with them; more are refused.
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
        the reasons, "onnx" likewise by signature and "onnx_left_out" with the reasons, "formats", those that were made,
        and "not_made", {format: why} of the others that were asked for, "gate" with what was let pass, and "warnings";
        and, not in the file, "path", "live" where it was staged, and "removed", the versions that made room.

    Raises:
        UserError: a run that is sick, unfinished or being trained, signatures or a batch limit that clients of an
            earlier version could not use, or no SavedModel above one, unless overridden; unknown format, none of the
            formats that can hold the model, answers that are not finite or too far from the model's, or a folder that
            cannot be written.
    """
    to, asked = Path(to), tuple(formats)
    formats, batch_sizes = check_formats(asked), check_batch_sizes(tflite_batch_sizes)
    kinds = check_tflite_kinds(tflite_kinds)
    check_batch_limit(batch_limit)
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
        with scratch_folder() as scratch, staging(to) as staged, warm():
            figures = _write_and_check(
                model, staged, scratch, formats, asked, batch_sizes, kinds, batch_limit, progress
            )
            formats = tuple(name for name in formats if name not in figures["not_made"])
            web_parts = figures.pop("web_parts", [])
            if "saved_model" in formats:
                gate.judge(earlier.faults(formats, figures["signatures"], batch_limit))
            result = report.describe_model(model, run) | {"formats": list(formats), "batch_limit": batch_limit}
            result |= figures
            if "saved_model" in formats:
                deployment.write_deployment(
                    staged, model_name(to), result["signatures"], batch_limit, result["weights"]["stored_bytes"]
                )
            if result.get("onnx"):
                deployment.write_triton(staged, model_name(to), result["onnx"], batch_limit)
            if "web" in formats:
                progress("Writing the page for browsers")
                texts = model.texts_for(_CAPTIONS) if result["tokenizer"] else ()
                result["web"] = web_page.write_page(staged, model_name(to), result, web_parts, texts)
            result["gate"] = {"overridden": gate.passed}
            said = [*result["not_made"].values(), *edge.floor_warnings(result), *earlier.warnings]
            result["warnings"] = said + _passed(gate)
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


def _write_and_check(model, staged, scratch, formats, asked, batch_sizes, kinds, batch_limit, progress):
    """Fills the staged directory; returns the figures of the checks, with "not_made", {format: why it cannot be}."""
    not_made = {}

    def give_up(name, reason):
        not_made[name] = reason
        if not set(asked) - set(not_made):
            raise UserError("Nothing was published:\n" + "\n".join(f"- {each}" for each in not_made.values()))

    progress("Asking the model for golden answers")
    answers = golden.golden_answers(model)
    job = golden.save_golden(scratch / "golden.npz", model, answers)
    shown = {}
    if "web" in formats:
        parts, left_out = web_page.shown_parts(answers, report.has_latents(model), report.has_words(model))
        shown = {"web_parts": parts, "web_left_out": left_out}
        if not parts:
            give_up("web", web_page.nothing_shown(left_out))

    progress("Writing the SavedModel")
    # TFLite is converted from a SavedModel, so there is one even where it is not published.
    saved_model = staged if "saved_model" in formats else scratch / "saved_model"
    write_saved_model(model, saved_model, answers, batch_limit)
    progress("Checking the SavedModel in a fresh process")
    served = {"saved_model": str(saved_model), "warmup": str(saved_model / WARMUP_FILE), "batch_limit": batch_limit}
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
        twin.export(str(saved_model), batch_limit=batch_limit, verbose=False)
    if "onnx" in formats:
        made = _make_onnx(answers, job, saved_model, staged, scratch, progress)
        figures |= made
        if made["onnx"]:
            asked_of = {signature: answers[signature] for signature in made["onnx"]}
            figures["golden"]["onnx"] = golden.store(stored / "onnx.npz", twin, asked_of)
        else:
            give_up("onnx", _no_onnx(made["onnx_left_out"]))
    if "tflite" in formats:
        parts, made = _make_tflite(model, twin, answers, kinds, batch_sizes, saved_model, staged, scratch, progress)
        figures |= made
        if parts:
            asked_of = {described["signature"]: answers[described["signature"]] for described in parts.values()}
            figures["golden"]["tflite"] = golden.store(stored / "tflite.npz", twin, asked_of)
            figures["golden"]["tflite"]["outputs"] = {part: described["outputs"] for part, described in parts.items()}
        else:
            reasons = figures.get("left_out_of_tflite", {})
            give_up("tflite", _no_tflite(model, reasons))
        if "web" in formats and "web" not in not_made:
            # Of what a page could show, it shows what there is a file of.
            gone = {part: reason for part, reason in made.get("left_out_of_tflite", {}).items() if part not in parts}
            shown["web_left_out"] |= {part: reason for part, reason in gone.items() if part in shown["web_parts"]}
            shown["web_parts"] = [part for part in shown["web_parts"] if part not in gone]
            if not shown["web_parts"]:
                give_up("web", web_page.nothing_shown(shown["web_left_out"]))
    if report.has_latents(model):
        for name in LATENTS_FILES:
            shutil.copyfile(Path(__file__).with_name(name), staged / name)
    if model.class_names:
        (staged / LABELS_FILE).write_text("".join(f"{name}\n" for name in model.class_names), encoding="utf-8")
    for name, pieces in model.vocabularies().items():
        (staged / f"{name}.txt").write_bytes("".join(f"{piece}\n" for piece in pieces).encode())
    return figures | shown | {"not_made": not_made}


def _make_tflite(model, twin, answers, kinds, batch_sizes, saved_model, staged, scratch, progress):
    """Makes the TFLite files of all parts that can have some; returns (those parts, the figures)."""
    lacking = model.not_in_tflite()
    by_signature = {signature: part for part, signature in edge.PARTS.items()}
    left_out = {by_signature[signature]: reason for signature, reason in lacking.items() if signature in by_signature}
    for signature, reason in lacking.items():
        progress(f"Writing no TFLite file of {signature}: {reason}")
    answers = {signature: answered for signature, answered in answers.items() if signature not in lacking}
    parts, figures = edge.parts_of(answers, staged / "tflite", kinds), {}
    if parts:
        job = _edge_job(model, twin, answers, parts, scratch)
        figures = edge.make_files(parts, job, saved_model, scratch, batch_sizes, progress)
        left_out |= figures.pop("left_out_of_tflite", {})
        parts = {part: described for part, described in parts.items() if part not in left_out}
        if not parts:
            (staged / "tflite").rmdir()
    return parts, figures | ({"left_out_of_tflite": left_out} if left_out else {})


def _no_tflite(model, left_out):
    if not left_out:
        return f"There is no TFLite file: TFLite has no texts, which is what {type(model).__name__} answers."
    return "There is no TFLite file: " + _listed(left_out)


def _no_onnx(left_out):
    return "No signature can leave by ONNX: " + _listed(left_out)


def _listed(reasons):
    """{what: why} as one line, with what has one reason in common named together."""
    together = {}
    for name, reason in reasons.items():
        together.setdefault(reason.rstrip("."), []).append(name)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in together.items()) + "."


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
    if not converted:
        folder.rmdir()
        return {"onnx": {}, "onnx_left_out": done["left_out"]}
    progress("Checking the ONNX files in a fresh process")
    parts = {name: {"file": files[name], "outputs_of": entry["outputs_of"]} for name, entry in converted.items()}
    checked = run_script("verify", job | {"onnx": parts}, scratch)
    checks, left_out = checked["checks"], done["left_out"] | checked["unfit"]
    for name in checked["unfit"]:
        Path(files[name]).unlink()
        converted.pop(name)
    if not converted:
        folder.rmdir()
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


def _publish(staged, to, result, key):
    result["files"] = report.describe_files(staged)

    def seal(number):
        result["version"] = number
        report.write_report(staged, result)
        if key is not None:
            signing.sign(staged, key)

    return result | {"path": str(publish(staged, to, seal).absolute())}
