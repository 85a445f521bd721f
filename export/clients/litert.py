"""A client that needs no server and no TensorFlow, of a .tflite file: pip install ai-edge-litert pillow.

python litert.py ../../tflite/generator_float32.tflite sample.png
python litert.py ../../tflite/generator_float32.tflite sample.png --label 3
"""

import argparse

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def draw(path, generator, label=None):
    """One image of latents from the normal prior, uint8 (height, width, channels).

    Args:
        path: of the file.
        generator: `numpy.random.Generator` to draw the latents with.
        label: class, where the model takes one.
    """
    interpreter = Interpreter(model_path=path)
    answer = interpreter.get_signature_runner("serving_default")
    details = answer.get_input_details()
    inputs = {"z": generator.standard_normal(details["z"]["shape"]).astype("float32")}
    if "label" in details:
        inputs["label"] = np.full(details["label"]["shape"], label or 0, details["label"]["dtype"])
    image = answer(**inputs)["image"][0]
    return np.clip(np.rint((image + 1.0) * 127.5), 0, 255).astype("uint8")


def main():
    """Draws one image and saves it."""
    import PIL.Image

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("save")
    parser.add_argument("--label", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    image = draw(given.path, np.random.default_rng(given.seed), given.label)
    PIL.Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(given.save)
    print(f"{image.shape[1]} x {image.shape[0]} pixels, saved as {given.save}")


if __name__ == "__main__":
    main()
