"""Draws the gallery's pictures, docs/gallery/SCHEME.png, of trained runs.

python docs/gallery.py RUN [RUN ...]

Each run is of the recipe that stands for its scheme, trained as it stands. Samples of a scheme with labels are of the
classes in turn; encoders and translators show held-out samples above what they make of them.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import keras_gans as kg

FOLDER = Path(__file__).parent / "gallery"
COLUMNS, ROWS = 5, 4
# Twice the width that the pages show, for fine screens.
WIDTH = 320
SHADES = 16


def shown(model):
    """Samples of a trained model, uint8 (COLUMNS * ROWS, height, width, channels)."""
    if "translate_a_to_b" in model.endpoints():
        return in_pairs(kg.data.open_source("digit_styles", split="testA").samples, model.a_to_b)
    if "reconstruct" in model.endpoints():
        return in_pairs(kg.data.open_source("digits", split="test").samples, model.reconstruct)
    labels = np.arange(COLUMNS * ROWS) % 10 if model.takes_labels else None
    return model.sample(COLUMNS * ROWS, seed=0, labels=labels)


def in_pairs(samples, answer):
    """Rows of uint8 images above rows of what `answer` makes of them."""
    real = samples[: COLUMNS * ROWS // 2]
    made = np.asarray(kg.pixels.to_uint8(answer(kg.pixels.from_uint8(real))))
    return np.concatenate(
        [part[start : start + COLUMNS] for start in range(0, len(real), COLUMNS) for part in (real, made)]
    )


def draw(run):
    """Writes the picture of a run and returns its path."""
    model = kg.load_run(run)
    scheme = next(name for name, kind in kg.registry.schemes.items() if kind is type(model))
    grid = kg.picture.grid(shown(model), columns=COLUMNS, width=WIDTH)
    path = FOLDER / f"{scheme}.png"
    Image.fromarray(grid[..., 0]).quantize(SHADES).save(path, optimize=True)
    return path


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(draw(Path(each)))
