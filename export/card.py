"""What a person reads of a version: README.md, a card as Hugging Face shows them, and SIGNATURES.md; JSON beside it."""

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.drawing import picture

from . import choice
from .formats import model_name

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel


CARD, CARD_JSON, SIGNATURES, PICTURE = "README.md", "card.json", "SIGNATURES.md", "samples.png"
_EVALUATION = "Evaluation"
_SAMPLES = 36
# Of the picture beside weights that are passed on, grey or in colour, which is to be no larger than these.
_SHADES = {1: 16, 3: 256}
# What a tensor of a signature holds, by its name and its type.
_MEANINGS = {
    ("z", "float32"): "latents, see Latents in README.md",
    ("seed", "int64"): "whole numbers of 64 bits; a row depends on its own seed alone",
    ("from_seed", "int64"): "the seed at the fraction 0",
    ("to_seed", "int64"): "the seed at the fraction 1",
    ("fraction", "float32"): "from 0 to 1",
    ("label", "int64"): "the number of a class, the line of labels.txt, the first being 0",
    ("name", "string"): "the class's name",
    ("probabilities", "float32"): "one for each class; they sum to 1",
    ("image", "float32"): "rows, columns and channels, from -1 to 1",
    ("image", "uint8"): "rows, columns and channels, from 0 to 255",
    ("image_bytes", "string"): "a file of PNG; where it goes in also JPEG, GIF or BMP; base64 in JSON",
    ("point", "float32"): "coordinates",
    ("text", "string"): "UTF-8",
    ("tokens", "int32"): "numbers of words, the lines of vocabulary.txt, padded with 0",
    ("score", "float32"): "log-probability by the length",
}


def picture_of(model: "AdversarialModel", run: str | Path | None) -> np.ndarray | Path | None:
    """A picture of what a model makes: drawn, uint8 (height, width, channels); or the run's latest file; or None."""
    if model.makes is not None:
        for shown in model.shows(None, _SAMPLES, 0).values():
            if isinstance(shown, np.ndarray):
                return shown
    files = [] if run is None else [path for path in (Path(run) / "samples").glob("*.png") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_mtime, default=None)


def write_card(folder: Path, report: dict[str, Any], to: str | Path, shown: np.ndarray | Path | None) -> None:
    """Writes README.md, card.json, SIGNATURES.md and samples.png into a version's folder.

    Args:
        folder: of the version.
        report: its report, with "files" and "choice".
        to: the folder of the versions, whose name is the model's.
        shown: as `picture_of` returns it.
    """
    if isinstance(shown, Path):
        shutil.copyfile(shown, folder / PICTURE)
    elif shown is not None:
        picture.save_png(shown, folder / PICTURE)
    name = model_name(to)
    sections = dict(_sections(report, shown is not None))
    _write_both(folder, name, _metadata(report, name), _summary(report), sections)
    _write(folder / SIGNATURES, "\n".join(_signatures(report, name)))


def _write_both(folder, name, metadata, summary, sections):
    _write(folder / CARD_JSON, json.dumps({"name": name, "metadata": metadata, "sections": sections}, indent=2))
    # JSON is YAML, and has no surprises in it.
    head = "\n".join(f"{key}: {json.dumps(value)}" for key, value in metadata.items())
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    _write(folder / CARD, f"---\n{head}\n---\n\n# {name}\n\n{summary}\n\n{body}")


def write_preset_card(
    folder: Path, record: dict[str, Any], preset: dict[str, Any], shown: np.ndarray | Path | None, command: str | None
) -> None:
    """Writes README.md, card.json and samples.png of weights that are passed on, see `runs.published`.

    Args:
        folder: of the preset.
        record: what `report.describe_model` says of the model and its run.
        preset: what its `preset.json` says.
        shown: as `picture_of` returns it.
        command: that made it, or None.
    """
    if isinstance(shown, Path):
        shown = picture.read(shown)
    if shown is not None:
        picture.save_png(shown, folder / PICTURE, shades=_SHADES[shown.shape[-1]])
    name = preset["name"]
    report = record | {"formats": ["safetensors"], "warnings": [], "step": preset["step"]}
    metadata = _metadata(report, name) | {"license": "apache-2.0"}
    sections = dict(_preset_sections(report, preset, shown is not None, command))
    _write_both(folder, name, metadata, _preset_summary(preset), sections)


def renew_figures(folder: Path, record: dict[str, Any], preset: dict[str, Any]) -> None:
    """Writes new figures into the card of a preset, all the rest of which stays.

    Args:
        folder: of the preset, with its card.
        record: "evaluation" and "classifier" as `write_preset_card` has them.
        preset: what its `preset.json` says.
    """
    there = json.loads((folder / CARD_JSON).read_text(encoding="utf-8"))
    metadata, sections = there["metadata"], there["sections"]
    metadata["model-index"] = _results(record["evaluation"], preset["name"], metadata.get("pipeline_tag"))
    sections[_EVALUATION] = _preset_evaluation(record)
    _write_both(folder, preset["name"], metadata, _preset_summary(preset), sections)


def _preset_summary(preset):
    summary = f"{preset['draws']}: a `{preset['scheme']}` of keras_gans, step {preset['step']:,}."
    return summary[0].upper() + summary[1:]


def _preset_sections(report, preset, has_picture, command):
    if has_picture:
        yield "Samples", f"![Samples]({PICTURE})"
    name, numbers, file = preset["name"], preset["weights"]["numbers"], preset["files"]["model.safetensors"]
    ask = "translate" if report["task"] in ("translation", "image-to-image") else "sample"
    yield (
        "How it is used",
        f"`keras-gans {ask} RUN` and every other command that takes a run take the folder of these files; what comes "
        f'along with keras_gans is `preset:{name}`, and `kg.load_preset("{name}")` in Python. Of the Hub, '
        "`keras-gans pull USER/REPO` fetches them.",
    )
    yield (
        "Weights",
        f"{numbers:,} numbers, {' and '.join(preset['weights']['types'])}, {file['bytes']:,} bytes, SHA-256 "
        f"`{file['sha256']}`." + _of_float32(preset.get("distance_from_float32")),
    )
    if report["latents"]:
        size, prior = report["latents"]["size"], report["latents"]["prior"]
        yield "Latents", f"`z` has {size} numbers of the prior `{prior}`."
    made = [f"- Made by `{command}`."] if command else []
    yield "Training", "\n".join([*_training(report), *made])
    yield _EVALUATION, _preset_evaluation(report)
    yield "Licence", "The weights: Apache-2.0, as keras_gans. The data: see Training."
    yield "Limits", "\n".join(_limits(report))


def _preset_evaluation(record):
    return "\n".join([*_evaluation(record), *_classifier(record.get("classifier") or ())])


def _classifier(accuracies):
    if accuracies:
        yield ""
        yield from (f"- Share that it classifies right, {each['name']}: {each['value']:.3f}." for each in accuracies)


def _of_float32(distance):
    if distance is None:
        return ""
    if "same" in distance:
        return f" Of {distance['of']} held-out texts {distance['same']} are translated as by float32."
    return (
        f" What {distance['of']} seeds or inputs come to differs from float32 by {distance['mean']:.3g} on average and "
        f"{distance['largest']:.3g} at the most, in {distance['unit']}."
    )


def _write(path, text):
    path.write_text(text + "\n", encoding="utf-8")


def _metadata(report, name):
    """The head of a card, in the terms of Hugging Face's hub."""
    metadata = {
        "library_name": "keras",
        "tags": list(dict.fromkeys(("gan", report["scheme"], "keras_gans", *_formats(report)))),
    }
    if report["task"] is not None:
        metadata["pipeline_tag"] = report["task"]
    if report["evaluation"]:
        metadata["model-index"] = _results(report["evaluation"], name, report["task"])
    return metadata


def _results(evaluation, name, task):
    """The figures in the form in which Hugging Face's hub reads them."""
    protocol = evaluation[0].get("protocol", {})
    data = str(protocol.get("data"))
    result = {
        "task": {"type": task or "other"},
        "dataset": {"name": data, "type": data, "split": str(protocol.get("split"))},
        # Infinity has no place in it: reverse KL is, where no sample is at a mode.
        "metrics": [
            {"type": score["name"], "name": score["name"], "value": score["value"]}
            for score in evaluation
            if math.isfinite(float(score["value"]))
        ],
    }
    return [{"name": name, "results": [result]}]


def _formats(report):
    return [{"saved_model": "tf-keras", "tflite": "tflite"}.get(name, name) for name in report["formats"]]


def _summary(report):
    run = "" if report["run"] is None else f" of the run `{report['run']}`"
    return f"A `{report['scheme']}` of keras_gans, step {report['step']:,}{run}, exported {report['date']}."


def _sections(report: dict[str, Any], has_picture: bool) -> Iterator[tuple[str, str]]:
    if has_picture:
        yield "Samples", f"![Samples]({PICTURE})"
    yield "Files", "\n".join(_table(report))
    yield "How it is asked", f"The signatures, with types, shapes and ranges, are in [{SIGNATURES}]({SIGNATURES})."
    if report["latents"]:
        yield "Latents", _latents(report["latents"])
    yield "Training", "\n".join(_training(report))
    yield _EVALUATION, "\n".join(_evaluation(report))
    yield "Limits", "\n".join(_limits(report))


def _table(report):
    hardware = report["hardware"]
    yield "| part | format | bytes | ms, 1 row | ms, 64 rows | threads | likeness |"
    yield "|---|---|---|---|---|---|---|"
    for row in report["choice"]["table"]:
        times = row["ms"].get("1"), row["ms"].get("64")
        one, many = ("" if each is None else f"{each:.3g}" for each in times)
        likeness = choice.likeness(row)
        yield f"| {row['part']} | {row['format']} | {row['bytes']:,} | {one} | {many} | {row['threads']} | {likeness} |"
    yield ""
    yield "Likeness to the Keras model: peak signal to noise, or the share of equal labels."
    yield f"Measured on {hardware['processor']}, {hardware['machine']}, with {hardware['cores']} cores."
    chosen = report["choice"]["recommended"]
    if chosen:
        yield f"Take `{'; `'.join(f'{name}` {choice.WORDS[use]}' for use, name in chosen.items())}."


def _latents(latents):
    size, prior = latents["size"], latents["prior"]
    return (
        f"`z` has {size} numbers of the prior `{prior}`. `latents.py` (NumPy) and `latents.mjs` draw those of a seed: "
        f'`latents([7], {size}, "{prior}")` are what `sample` draws for the seed 7.'
    )


def _training(report):
    data = report["data"]
    if data is None:
        yield "- Data: not recorded."
    else:
        yield f"- Data: {data['name']}; licence: {data['licence'] or 'not known to keras_gans'}."
    recipe = report["recipe"]
    if recipe and recipe.get("name"):
        steps, seed = recipe.get("steps"), recipe.get("seed")
        yield f"- Recipe: `{recipe['name']}`, after {recipe.get('source')}; {steps} steps, seed {seed}."
    word = report["doctor"]
    yield f"- Doctor: {word['verdict']} at step {word['step']:,}." if word else "- Doctor: did not look."
    if report["commit"]:
        yield f"- Exported by the commit `{report['commit']}` of keras_gans."
    yield f"- Exported by {', '.join(f'{name} {version}' for name, version in report['versions'].items())}."


def _evaluation(report):
    if not report["evaluation"]:
        yield "This step was not evaluated."
        return
    yield "| figure | value | error | of the data itself |"
    yield "|---|---|---|---|"
    for score in report["evaluation"]:
        # Filed, infinity is a word.
        value, error, floor = (
            None if score.get(key) is None else float(score[key]) for key in ("value", "standard_error", "floor")
        )
        beside = "" if error is None else f"± {error:.4g}", "" if floor is None else f"{floor:.4g}"
        yield f"| {score['name']} | {value:.4g} | {beside[0]} | {beside[1]} |"
    protocol = report["evaluation"][0].get("protocol", {})
    yield ""
    yield (
        f"Of {protocol.get('samples')} samples against {protocol.get('reference_samples')} items of "
        f"{protocol.get('data')}, split {protocol.get('split')}; features: {protocol.get('extractor') or 'none'}; seed "
        f"{protocol.get('seed')}. Figures of another protocol are other figures."
    )


def _limits(report):
    yield "- It makes what resembles its data, with their gaps and their bias, and may make what was in them."
    for warning in report["warnings"]:
        yield f"- {warning}"


def _signatures(report, name):
    yield f"# Signatures of {name}"
    yield ""
    yield f"`batch` is any number of rows; one call of the SavedModel may have {report['batch_limit']:,} at the most."
    yield "Of TFLite files the batch is fixed, and whole numbers are int32."
    for signature, sides in report.get("signatures", {}).items():
        yield from ("", f"## {signature}", "", "| | name | type | shape | holds |", "|---|---|---|---|---|")
        for side, word in (("inputs", "in"), ("outputs", "out")):
            for tensor, described in sorted(sides[side].items()):
                first, *others = described["shape"]
                sizes = ["batch" if first is None else first, *("any" if size is None else size for size in others)]
                holds = _MEANINGS.get((tensor, described["dtype"]), "")
                yield f"| {word} | `{tensor}` | {described['dtype']} | ({', '.join(map(str, sizes))}) | {holds} |"
