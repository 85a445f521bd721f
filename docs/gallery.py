"""Draws the gallery's pictures, docs/gallery/SCHEME.png, of trained runs.

python docs/gallery.py RUN [RUN ...]

Each run is of the recipe that stands for its scheme, trained as it stands. Samples of a scheme with labels are of the
classes in turn, those of a scheme of texts of captions that it knows; encoders and translators show held-out samples
above what they make of them.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import keras_gans as kg

FOLDER = Path(__file__).parent / "gallery"
COLUMNS, ROWS = 5, 4
# Twice the width that the pages show, for fine screens.
WIDTH = 320
SHADES, COLOURS = 16, 128


def shown(model, run):
    """Samples of a trained model, uint8 (COLUMNS * ROWS, height, width, channels)."""
    if model.translates:
        return in_pairs(held_out(run), model.translate)
    if "reconstruct" in model.endpoints():
        return in_pairs(kg.data.open_source("digits", split="test").samples, model.reconstruct)
    labels = np.arange(COLUMNS * ROWS) % 10 if model.takes_labels else None
    return model.sample(COLUMNS * ROWS, seed=0, labels=labels)


def held_out(run):
    """Images of the first collection that a run's translators have not seen."""
    recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    options = {"split": "test", "image_size": recipe["image_size"], "channels": recipe["channels"]}
    return kg.data.open_source(recipe["data"], **options).columns["image_a"].values


def in_pairs(samples, answer):
    """Rows of uint8 images above rows of what `answer` makes of them, in colour where one of them is."""
    real = samples[: COLUMNS * ROWS // 2]
    made = np.asarray(answer(kg.pixels.from_uint8(real)))
    made = made if made.dtype == np.uint8 else np.asarray(kg.pixels.to_uint8(made))
    channels = max(real.shape[-1], made.shape[-1])
    real, made = (np.repeat(part, channels // part.shape[-1], axis=-1) for part in (real, made))
    return np.concatenate(
        [part[start : start + COLUMNS] for start in range(0, len(real), COLUMNS) for part in (real, made)]
    )


def draw(run):
    """Writes the picture of a run and returns its path."""
    model = kg.load_run(run)
    scheme = next(name for name, kind in kg.registry.schemes.items() if kind is type(model))
    if "attention" in dir(model):
        # Of sentences, what a translation attends to.
        picture = kg.plot.attention(*model.attention("1987-07-23 512"))
        path = FOLDER / f"{scheme}.png"
        Image.fromarray(picture).resize((WIDTH, WIDTH * len(picture) // picture.shape[1])).quantize(SHADES).save(path)
        return path
    grid = kg.picture.grid(shown(model, run), columns=COLUMNS, width=WIDTH)
    path = FOLDER / f"{scheme}.png"
    if grid.shape[-1] == 3:
        Image.fromarray(grid).quantize(COLOURS).save(path, optimize=True)
    else:
        Image.fromarray(grid[..., 0]).quantize(SHADES).save(path, optimize=True)
    return path


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(draw(Path(each)))
