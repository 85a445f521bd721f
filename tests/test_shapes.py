"""The embedded data set of drawn shapes: truthful, varied captions, and combinations that training never shows."""

import itertools
import re

import numpy as np
import pytest

import keras_gans as kg
from keras_gans.data import shapes
from keras_gans.errors import UserError
from keras_gans.fields import Classes, Images, Texts

EVERY = shapes.combinations(held_out=False) + shapes.combinations(held_out=True)
WORDS = {
    "little": "small",
    "big": "large",
    "disc": "circle",
    "violet": "purple",
    "middle": "centre",
    "upper": "top",
    "lower": "bottom",
}


def read(caption):
    """The combination that a caption describes, by its words alone."""
    words = [word if word == "is" else word.removesuffix("s") for word in re.findall("[a-z]+", caption)]
    words = [WORDS.get(word, word) for word in words]
    found = {}
    for name, values in shapes.ATTRIBUTES.items():
        matching = [value for value in values if set(value.split()) <= set(words)]
        found[name] = matching[0] if matching else "one"
        assert len(matching) == 1 or (name, matching) == ("count", []), caption
    return shapes.Combination(**found)


def test_a_tenth_is_held_out_and_any_two_values_are_still_seen_together():
    seen, held_out = (shapes.combinations(held_out=side) for side in (False, True))
    assert len(set(seen)) == 432 and len(set(held_out)) == 48 and not set(seen) & set(held_out)
    assert {shapes.Combination("green", "small", "star", "top left", count) for count in ("one", "two")} < {*held_out}
    for one, other in itertools.combinations(shapes.ATTRIBUTES, 2):
        pairs = {(getattr(each, one), getattr(each, other)) for each in seen}
        assert len(pairs) == len(shapes.ATTRIBUTES[one]) * len(shapes.ATTRIBUTES[other])
    for name, values in shapes.ATTRIBUTES.items():
        counts = [sum(getattr(each, name) == value for each in held_out) for value in values]
        assert min(counts) >= 8, "no value is left out"


def test_every_caption_says_what_its_picture_shows_and_no_two_are_alike():
    random = np.random.default_rng(0)
    for combination in EVERY:
        found = shapes.captions(combination, random)
        assert found[0] == shapes.caption(combination) and len(set(found)) == shapes.CAPTIONS
        assert {read(caption) for caption in found} == {combination}
    assert shapes.caption(shapes.Combination("red", "small", "circle", "top left", "one")) == (
        "a small red circle, top left"
    )


@pytest.mark.parametrize("side", sorted(shapes.SIZES.values()))
def test_the_pictures_show_what_they_are_drawn_for(side):
    random = np.random.default_rng(side)
    places, areas = {"top": 0.25, "bottom": 0.75, "left": 0.3, "right": 0.7}, {}
    for combination in EVERY:
        image = shapes.draw(combination, side, random).astype(float)
        assert image.shape == (side, side, 3) and image.dtype == np.float64
        ground = image[0, 0] if "top" not in combination.position else image[-1, -1]
        light = np.abs(image - ground).max(axis=-1)
        cover = light / light.max()
        assert max(cover[[0, -1]].max(), cover[:, [0, -1]].max()) < 0.5, "nothing is cut off"
        ticks = (np.arange(side) + 0.5) / side
        middle = np.array([(cover.sum(axis=1) * ticks).sum(), (cover.sum(axis=0) * ticks).sum()]) / cover.sum()
        words = combination.position.split()
        assert abs(middle[0] - places.get(words[0], 0.5)) < 0.06
        assert abs(middle[1] - places.get(words[-1], 0.5)) < 0.13
        assert (middle[1] < 0.43, middle[1] > 0.57) == ("left" in words, "right" in words)
        # Dark columns between lit ones, at a size where a gap is not blurred away.
        gaps = np.diff(np.flatnonzero((cover > 0.3).any(axis=0))).max(initial=1) > 1
        assert side < 64 or gaps == (combination.count == "two")
        # Which way from the ground's grey the brightest pixel lies.
        way = (image - ground).reshape(-1, 3)[light.argmax()]
        ways = {name: np.array(level) - ground for name, level in shapes._LEVELS.items()}
        likeness = {name: way @ each / np.linalg.norm(each) for name, each in ways.items()}
        assert max(likeness, key=likeness.get) == combination.colour
        areas.setdefault((combination.shape, combination.count, combination.size), []).append(cover.sum())
    for shape, count in itertools.product(shapes.ATTRIBUTES["shape"], shapes.ATTRIBUTES["count"]):
        assert 1.2 * max(areas[shape, count, "small"]) < min(areas[shape, count, "large"])


def test_it_opens_with_captions_and_attributes():
    source = kg.data.open_source("shapes/16")
    assert source.fields == {
        "image": Images((16, 16, 3)),
        "text": Texts(),
        **{name: Classes(values, prior=source.fields[name].prior) for name, values in shapes.ATTRIBUTES.items()},
    }
    assert len(source) == 8000
    assert source.match({"sample": (Images,), "text": (Texts,)}) == {"sample": "image", "text": "text"}
    held_out = kg.data.open_source("shapes/16", split="held_out")

    def combinations(opened):
        columns = [opened.columns[name].values for name in shapes.ATTRIBUTES]
        return {
            shapes.Combination(*(values[k] for values, k in zip(shapes.ATTRIBUTES.values(), row, strict=True)))
            for row in zip(*columns, strict=True)
        }

    assert combinations(source) == set(shapes.combinations(held_out=False))
    assert combinations(kg.data.open_source("shapes/16", split="test")) == set(shapes.combinations(held_out=False))
    assert combinations(held_out) == set(shapes.combinations(held_out=True))
    for row in range(0, 1000, 97):
        values = {name: names[held_out.columns[name].values[row]] for name, names in shapes.ATTRIBUTES.items()}
        texts = held_out.columns["text"].values[row]
        assert {read(text) for text in texts} == {shapes.Combination(**values)} and len(texts) == shapes.CAPTIONS


def test_a_batch_pairs_each_picture_with_one_of_its_captions():
    source = kg.data.open_source("shapes/16", split="test")
    known = {image.tobytes(): set(source.columns["text"].values[row]) for row, image in enumerate(source.samples)}
    seen = {}
    for images, texts in kg.data.to_dataset(source, fields=["image", "text"], batch_size=100, repeat=True).take(40):
        levels = np.round((images.numpy() + 1.0) * 127.5).astype(np.uint8)
        for image, text in zip(levels, texts.numpy(), strict=True):
            assert text.decode() in known[image.tobytes()]
            seen.setdefault(image.tobytes(), set()).add(text)
    assert np.mean([len(texts) for texts in seen.values()]) > 2.5, "four epochs show several captions of a picture"


def test_pictures_are_the_same_at_every_size_but_for_the_pixels():
    small, middle = (shapes.draw(EVERY[7], side, np.random.default_rng([0, 7])).astype(float) for side in (16, 64))
    shrunk = middle.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 2.0


def test_a_misspelt_size_is_named():
    with pytest.raises(UserError, match="shapes/64"):
        kg.data.open_source("shapes/65")
