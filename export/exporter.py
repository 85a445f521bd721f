"""The export of one model: write, check in fresh processes, report, publish."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from keras_gans.errors import UserError
from keras_gans.limits import BATCH_LIMIT, check_batch_limit

from . import card, choice, deployment, distance, edge, promotion, report, signing, web_page
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
from .fresh_process import warm
from .gate import Earlier, Gate, faults_of_run
from .making import Making
from .versions import publish, remove_old, scratch_folder, staging

if TYPE_CHECKING:
    from keras_gans.data import Source
    from keras_gans.engine.base import AdversarialModel


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
    `words`, or `source_vocabulary.txt` and `target_vocabulary.txt` with one piece a line, see `subwords`;
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
    check_target(to)
    to, asked = Path(to), tuple(formats)
    formats, batch_sizes = check_formats(asked), check_batch_sizes(tflite_batch_sizes)
    kinds = check_tflite_kinds(tflite_kinds)
    check_batch_limit(batch_limit)
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
            making = Making(model, staged, scratch, formats, asked, batch_sizes, kinds, batch_limit, progress)
            making.make()
            formats = tuple(name for name in formats if name not in making.not_made)
            if "saved_model" in formats:
                gate.judge(earlier.faults(formats, making.figures["signatures"], batch_limit))
            result = report.describe_model(model, run) | {"formats": list(formats), "batch_limit": batch_limit}
            result |= making.figures | {"not_made": making.not_made}
            if "saved_model" in formats:
                deployment.write_deployment(
                    staged, model_name(to), result["signatures"], batch_limit, result["weights"]["stored_bytes"]
                )
            if result.get("onnx"):
                deployment.write_triton(staged, model_name(to), result["onnx"], batch_limit)
            if "web" in formats:
                progress("Writing the page for browsers")
                texts = model.texts_for(_CAPTIONS) if result["tokenizer"] else ()
                result["web"] = web_page.write_page(staged, model_name(to), result, making.web_parts, texts)
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


def _passed(gate):
    return [
        f"Published all the same, as --override {entry['override']} asked: {entry['reason']}" for entry in gate.passed
    ]


def _publish(staged, to, result, key):
    result["files"] = report.describe_files(staged)

    def seal(number):
        result["version"] = number
        report.write_report(staged, result)
        if key is not None:
            signing.sign(staged, key)

    return result | {"path": str(publish(staged, to, seal).absolute())}
