"""A page that runs an exported model in a browser: one static folder that asks nothing of any other server."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import web_runtime
from .edge import PARTS, is_lost
from .formats import VOCABULARY_FILE, WEB_KINDS

FOLDER = "web"
MANIFEST = "model.json"
_PAGE = Path(__file__).with_name(FOLDER)
# What the page can ask of a person, and what it can show.
_INPUTS, _OUTPUTS = {"z", "label", "image", "tokens"}, {"image", "point", "z", "probabilities"}


def shown_parts(answers: dict[str, Any], has_latents: bool, has_words: bool) -> tuple[list[str], dict[str, str]]:
    """Which parts of a model a page can show.

    Args:
        answers: {signature: (inputs, outputs)} of arrays, the golden ones.
        has_latents: whether latents are of a named prior.
        has_words: whether `tokens` are numbers of words, or of characters, that a `layers.Tokenizer` finds in a text.

    Returns:
        (parts, {part: why it is left out}).
    """
    parts, left_out = [], {}
    for part, signature in PARTS.items():
        # As in the TFLite files, a translator is filed under its direction alone.
        if signature not in answers or (part == "generator" and "a_to_b" in answers):
            continue
        reason = _cannot_be_shown(*answers[signature], has_latents, has_words)
        if reason is None:
            parts.append(part)
        else:
            left_out[part] = reason
    return parts, left_out


def _cannot_be_shown(inputs, outputs, has_latents, has_words):
    """Why a page cannot show what answers so, or None."""
    image, point = inputs.get("image", outputs.get("image")), outputs.get("point")
    if not set(inputs) <= _INPUTS:
        return f"it takes {', '.join(sorted(set(inputs) - _INPUTS))}"
    if "tokens" in inputs and not has_words:
        return "it takes tokens that are no words"
    if image is not None and (image.ndim != 4 or image.shape[-1] not in (1, 3)):
        return f"it has images of {image.shape[-1]} channels" if image.ndim == 4 else "its image is none"
    if point is not None and (point.ndim != 2 or point.shape[-1] < 2):
        return "its points have no two coordinates"
    if (image is None and point is None) or not _OUTPUTS & set(outputs):
        return "it has neither images nor points"
    if "z" in inputs and not has_latents:
        return "nothing says how its latents are drawn"
    if "image" in inputs and set(inputs) != {"image"}:
        return "it takes more than an image"
    return None


def nothing_shown(left_out: dict[str, str]) -> str:
    """The sentence for a model of which a page can show nothing, by the reasons for each of its parts."""
    reasons = "; ".join(f"{part}: {reason.rstrip('.')}" for part, reason in left_out.items())
    return f"A page for browsers can show nothing of this model: {reasons or 'it has no TFLite files'}."


def write_page(
    staged: Path, name: str, report: dict[str, Any], parts: list[str], captions: Sequence[str] = ()
) -> dict[str, Any]:
    """Writes the folder `web` of a version: the page, LiteRT.js and copies of the .tflite files that it runs.

    Of each part it takes the first kind of `formats.WEB_KINDS` that is not below its floor.

    Args:
        staged: pathlib.Path of a version that is being made, with its TFLite files.
        name: of the model, for the page's title.
        report: what the report holds so far, "signatures" and the figures of TFLite files among it.
        parts: as `shown_parts` returns.
        captions: texts to begin with, of a model that takes texts.

    Returns:
        {"folder", "runtime", "models": {part: kind}}.
    """
    folder = staged / FOLDER
    shutil.copytree(_PAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    web_runtime.copy_runtime(folder / "runtime")
    # Not every server knows that .mjs is JavaScript.
    shutil.copyfile(Path(__file__).with_name("latents.mjs"), folder / "latents.js")
    (folder / "models").mkdir()
    described, kinds = {}, {}
    for part in parts:
        entries = report["tflite" if part == "generator" else f"tflite_{part}"]
        there = [kind for kind in WEB_KINDS if kind in entries]
        kinds[part] = next((kind for kind in there if not is_lost(entries[kind])), there[-1])
        file = Path(entries[kinds[part]]["file"])
        shutil.copyfile(staged / file, folder / "models" / file.name)
        sides = report["signatures"][PARTS[part]]
        described[part] = {"file": f"models/{file.name}", "bytes": (staged / file).stat().st_size} | {
            side: {key: tensor["shape"][1:] for key, tensor in sides[side].items() if key != "valid"}
            for side in ("inputs", "outputs")
        }
    if report["tokenizer"]:
        shutil.copyfile(staged / VOCABULARY_FILE, folder / VOCABULARY_FILE)
    manifest = {
        "name": name,
        "scheme": report["scheme"],
        "step": report["step"],
        "latents": report["latents"],
        # Of the words in vocabulary.txt.
        "tokenizer": report["tokenizer"],
        "captions": list(captions),
        "class_names": report["class_names"],
        "class_prior": report["class_prior"],
        "parts": described,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return {"folder": FOLDER, "runtime": f"LiteRT.js {web_runtime.RELEASE}", "models": kinds}
