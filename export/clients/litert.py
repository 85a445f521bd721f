"""A client that needs no server and no TensorFlow, of a .tflite file: pip install ai-edge-litert pillow.

python litert.py ../../tflite/generator_float32.tflite sample.png
python litert.py ../../tflite/generator_float32.tflite sample.png --label 3
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def draw(path: str, seed: int, label: int | None = None) -> np.ndarray:
    """The image that the exported model draws for a seed, uint8 (height, width, channels).

    Args:
        path: of a .tflite file of the export, beside which latents.py and report.json lie.
        seed: of the latents, which are of the model's own prior.
        label: class, where the model takes one; 0 unless given.
    """
    version = Path(path).resolve().parent.parent
    if str(version) not in sys.path:
        sys.path.insert(0, str(version))
    from latents import latents

    known = json.loads((version / "report.json").read_text(encoding="utf-8"))["latents"]
    answer = Interpreter(model_path=path).get_signature_runner("serving_default")
    details = answer.get_input_details()
    rows = details["z"]["shape"][0]
    inputs = {"z": latents(np.arange(seed, seed + rows), known["size"], known["prior"]).astype("float32")}
    if "label" in details:
        inputs["label"] = np.full(details["label"]["shape"], label or 0, details["label"]["dtype"])
    image = answer(**inputs)["image"][0]
    return np.clip(np.rint((image + 1.0) * 127.5), 0, 255).astype("uint8")


def main() -> None:
    """Draws one image and saves it."""
    import PIL.Image

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("save")
    parser.add_argument("--label", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    image = draw(given.path, given.seed, given.label)
    PIL.Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(given.save)
    print(f"{image.shape[1]} x {image.shape[0]} pixels, saved as {given.save}")


if __name__ == "__main__":
    main()
