"""A page that runs an exported model in a browser: one static folder that asks nothing of any other server."""

import json
import shutil
from pathlib import Path
from typing import Any

from keras_gans.errors import UserError

from . import web_runtime
from .edge import PARTS, is_lost
from .formats import WEB_KINDS

FOLDER = "web"
MANIFEST = "model.json"
_PAGE = Path(__file__).with_name(FOLDER)
# What the page can ask of a person, and what it can show.
_INPUTS, _OUTPUTS = {"z", "label", "image"}, {"image", "z", "probabilities"}


def shown_parts(answers: dict[str, Any], has_latents: bool) -> tuple[list[str], dict[str, str]]:
    """Which parts of a model a page can show.

    Args:
        answers: {signature: (inputs, outputs)} of arrays, the golden ones.
        has_latents: whether latents are of a named prior.

    Returns:
        (parts, {part: why it is left out}).

    Raises:
        UserError: there is none; it says why.
    """
    parts, left_out = [], {}
    for part, signature in PARTS.items():
        # As in the TFLite files, a translator is filed under its direction alone.
        if signature not in answers or (part == "generator" and "a_to_b" in answers):
            continue
        inputs, outputs = answers[signature]
        image = inputs.get("image", outputs.get("image"))
        if not set(inputs) <= _INPUTS:
            left_out[part] = f"it takes {', '.join(sorted(set(inputs) - _INPUTS))}"
        elif image is None or image.ndim != 4 or image.shape[-1] not in (1, 3) or not _OUTPUTS & set(outputs):
            left_out[part] = "it has no images of 1 or 3 channels"
        elif "z" in inputs and not has_latents:
            left_out[part] = "nothing says how its latents are drawn"
        elif "image" in inputs and "label" in inputs:
            left_out[part] = "it takes a label with an image"
        else:
            parts.append(part)
    if not parts:
        reasons = "; ".join(f"{part}: {reason}" for part, reason in left_out.items()) or "it has no TFLite files"
        raise UserError(f"A page can show nothing of this model ({reasons}). Export without the format web.")
    return parts, left_out


def write_page(staged: Path, name: str, report: dict[str, Any], parts: list[str]) -> dict[str, Any]:
    """Writes the folder `web` of a version: the page, LiteRT.js and copies of the .tflite files that it runs.

    Of each part it takes the first kind of `formats.WEB_KINDS` that is not below its floor.

    Args:
        staged: pathlib.Path of a version that is being made, with its TFLite files.
        name: of the model, for the page's title.
        report: what the report holds so far, "signatures" and the figures of TFLite files among it.
        parts: as `shown_parts` returns.

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
    manifest = {
        "name": name,
        "scheme": report["scheme"],
        "step": report["step"],
        "latents": report["latents"],
        "class_names": report["class_names"],
        "class_prior": report["class_prior"],
        "parts": described,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return {"folder": FOLDER, "runtime": f"LiteRT.js {web_runtime.RELEASE}", "models": kinds}
