"""What is measured of images drawn to texts: attributes read off, the right text found, the judge's hearing."""

import json

import numpy as np
import pytest

import keras_gans as kg
from keras_gans.callbacks.evaluate import pictures_of
from keras_gans.data import shapes
from keras_gans.engine import AdversarialModel
from keras_gans.errors import UserError
from keras_gans.fields import Images, Texts
from keras_gans.metrics import TextEvaluation, classifiers, evaluation_of, matching
from keras_gans.metrics.measures import OF_TEXTS
from keras_gans.metrics.text import area_under_curve

SIDE = 12
COLOURS, SHAPES = shapes.ATTRIBUTES["colour"][:4], ("circle", "square", "star")
EVERY = [shapes.Combination(colour, "large", shape, "centre", "one") for colour in COLOURS for shape in SHAPES]
HELD_OUT = [EVERY[1], EVERY[9]]
ROWS = {"train": 400, "test": 150, "held_out": 60}


def drawn(combination, random):
    """The middle of a picture, in which all of these shapes lie."""
    return shapes.draw(combination, 24, random)[6:18, 6:18]


@kg.data.register_source("a_few_shapes")
def a_few_shapes(*, split="train", **options):
    if split not in ROWS:
        raise UserError(f"no split {split}")
    random = np.random.default_rng(sorted(ROWS).index(split))
    kinds = [each for each in EVERY if (each in HELD_OUT) == (split == "held_out")]
    rows = [kinds[place % len(kinds)] for place in range(ROWS[split])]
    arrays = {
        "image": np.stack([drawn(row, random) for row in rows]),
        "text": [shapes.captions(row, random, 3) for row in rows],
    }
    source = kg.data.Source.of(arrays, name="a_few_shapes", split=split)
    known = {"colour": COLOURS, "shape": SHAPES}
    for name, names in known.items():
        labels = np.array([names.index(getattr(row, name)) for row in rows])
        source.columns[name] = kg.data.Column(kg.fields.Classes(names), labels)
    return source


def said(text):
    """(colour, shape) that a text asks for."""
    text = text.decode() if isinstance(text, bytes) else text
    return next(c for c in COLOURS if c in text), next(s for s in SHAPES if s in text.replace("disc", "circle"))


class Drawing:
    """Stands for a model that draws to texts: by the truth, or by a mistaken reading of it."""

    def __init__(self, reading=lambda colour, shape: (colour, shape), hearing=1.0):
        self.reading, self.hearing = reading, hearing

    def sample_shape(self):
        return (SIDE, SIDE, 3)

    def sample(self, count, seed, texts):
        assert count == len(texts)
        random = np.random.default_rng(seed)
        wanted = [
            shapes.Combination(c, "large", s, "centre", "one") for c, s in (self.reading(*said(t)) for t in texts)
        ]
        return np.stack([drawn(each, random) for each in wanted])

    def encode_text(self, texts):
        """The colour alone, as far as this one hears."""
        return self.hearing * np.eye(len(COLOURS), dtype="f")[[COLOURS.index(said(text)[0]) for text in texts]]

    def image_encoder(self, images, training):
        """How far each image's brightest levels are from each colour."""
        levels = (np.asarray(images).max(axis=(1, 2)) + 1.0) * 127.5
        return -np.abs(levels[:, None] - [shapes._LEVELS[colour] for colour in COLOURS]).sum(axis=-1)

    def realness(self, images, texts):
        """Hears the colour alone."""
        images, texts = np.asarray(images), texts.numpy()
        assert images.min() >= -1.0 and images.dtype == np.float32
        levels = (images.max(axis=(1, 2)) + 1.0) * 127.5
        wanted = np.array([shapes._LEVELS[said(text)[0]] for text in texts])
        return -self.hearing * np.abs(levels - wanted).sum(axis=1, keepdims=True)


@pytest.fixture(scope="module", autouse=True)
def _few_steps():
    """So few images need no more; a dozen combinations of two attributes are learned soon."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (classifiers, matching):
            patch.setattr(module, "_FEWEST_STEPS", 125)
        yield


@pytest.fixture(scope="module")
def evaluation():
    return TextEvaluation("a_few_shapes", samples=150).prepare()


def figures(evaluation, model):
    return {score.name: score for score in evaluation.of(model)}


def test_the_truth_has_the_datas_own_figures(evaluation):
    found = figures(evaluation, Drawing())
    assert list(found) == evaluation.names
    assert len(found) == 2 * 5 + 4
    for ending in ("", "_held_out"):
        for name in ("colour_accuracy", "shape_accuracy", "all_accuracy", "r_precision"):
            score = found[f"{name}{ending}"]
            assert score.value == pytest.approx(score.floor, abs=0.12), score.name
    assert found["colour_accuracy"].value > 0.95 and found["shape_accuracy"].value > 0.85
    # Of the texts that describe other images, some held out: it is found far more often than one of eleven.
    assert found["r_precision"].floor > 0.7
    assert found["frechet_distance"].value < 3 * found["frechet_distance"].floor + 0.1
    assert found["text_auc"].floor > 0.9 and 0.5 < found["text_auc_one_wrong"].floor < found["text_auc"].floor
    assert found["colour_accuracy"].protocol.split == "test"
    assert found["colour_accuracy_held_out"].protocol.split == "held_out"
    assert found["colour_accuracy_held_out"].protocol.samples == 60
    assert found["shape_accuracy"].standard_error > 0 and found["frechet_distance"].standard_error is None
    json.dumps([score.to_dict() for score in found.values()])


def test_one_attribute_misread_is_seen_in_that_one(evaluation):
    floor = figures(evaluation, Drawing())
    found = figures(evaluation, Drawing(lambda colour, shape: (colour, "star")))
    assert found["shape_accuracy"].value < 0.5 and found["colour_accuracy"].value == floor["colour_accuracy"].value
    assert found["all_accuracy"].value <= found["shape_accuracy"].value
    assert found["r_precision"].value < floor["r_precision"].value - 0.2
    assert found["frechet_distance"].value > 2 * floor["frechet_distance"].value
    stars = evaluation.confusions["shape"][:, SHAPES.index("star")].sum()
    assert stars > 0.85 * evaluation.confusions["shape"].sum()
    assert evaluation.confusions["colour"].sum() == 150 and pictures_of(evaluation)["confusion_shape"].ndim == 3


def test_deafness_to_the_text_is_half():
    evaluation = TextEvaluation("a_few_shapes", ["text_retrieval", "text_auc", "text_auc_one_wrong"], samples=150)
    assert figures(evaluation, Drawing(hearing=0.0))["text_auc"].value == 0.5
    hears, errs = figures(evaluation, Drawing(hearing=1.0)), figures(evaluation, Drawing(hearing=-1.0))
    assert hears["text_auc"].value > 0.75 and hears["text_auc"].value + errs["text_auc"].value == pytest.approx(1.0)
    # Half of the texts with one mistake name the wrong shape, of which this judge hears nothing.
    # A third of the other texts name the same colour, so that one of 100 is as good as the right one.
    assert hears["text_retrieval"].value == errs["text_retrieval"].value == 0.0
    assert hears["text_retrieval"].floor > 0.7
    assert 0.55 < hears["text_auc_one_wrong"].value < hears["text_auc"].value


def test_each_wrong_text_is_wrong_and_one_wrong_attribute_is_one(evaluation):
    for held in evaluation._held.values():
        assert (held.groups != held.groups[held.wrong]).all()
        values = np.stack(list(held.attributes.values()), axis=1)
        has = held.one_wrong >= 0
        differing = (values != values[held.one_wrong])[has]
        assert (differing.sum(axis=1) == 1).all()
    assert differing.shape[1] == 2
    held = evaluation._held[""]
    shares = (values := np.stack(list(held.attributes.values()), axis=1)) != values[held.one_wrong]
    assert (shares.mean(axis=0) > 0.35).all() and (held.one_wrong >= 0).all()


@pytest.mark.slow
def test_texts_without_attributes_are_told_apart_by_themselves():
    whole = a_few_shapes(split="train")
    bare = {"image": whole.samples, "text": [whole.columns["text"].values[row][:1] for row in range(len(whole))]}
    bare = kg.data.Source.of(bare)
    without = ["r_precision", "text_retrieval", "text_auc", "frechet_distance", "sliced_wasserstein_distance"]
    assert TextEvaluation(bare).names == without
    bare = TextEvaluation(bare, without[:3], samples=100)
    found = figures(bare, Drawing())
    assert found["text_auc"].value > 0.6 and found["r_precision"].protocol.split == "half of train"
    held = bare._held[""]
    assert all(held.texts[row] != held.texts[other] for row, other in enumerate(held.wrong))
    with pytest.raises(UserError, match="attribute_accuracy.*columns of classes.*r_precision"):
        TextEvaluation(bare.source, ["attribute_accuracy"])


def test_mistakes_are_named(evaluation):
    with pytest.raises(UserError, match="'r_precison'.*r_precision"):
        TextEvaluation("a_few_shapes", ["r_precison"])
    with pytest.raises(UserError, match="samples.*3"):
        TextEvaluation("a_few_shapes", samples=3)
    with pytest.raises(UserError, match="'text' of texts is needed"):
        TextEvaluation("digits")
    model = Drawing()
    model.sample_shape = lambda: (8, 8, 3)
    with pytest.raises(UserError, match=r"\(8, 8, 3\)"):
        evaluation.of(model)
    same = {"image": np.zeros((20, 4, 4, 3), np.uint8), "text": ["a star"] * 20}
    with pytest.raises(UserError, match="say the same"):
        TextEvaluation(kg.data.Source.of(same), samples=10).prepare()


def test_the_scheme_says_which_evaluation_fits():
    class Texting(AdversarialModel):
        takes = {"sample": (Images,), "text": (Texts,)}
        makes = "sample"

    assert isinstance(evaluation_of(Texting, "a_few_shapes", None, 20), TextEvaluation)
    assert evaluation_of(Texting, "a_few_shapes", ["text_auc"]).names == ["text_auc"]
    assert set(TextEvaluation("a_few_shapes").measures) == set(OF_TEXTS)


def test_an_area_under_the_curve_by_hand():
    # (3 > 1, 3 > 2, 2 > 1, 2 = 2) of four pairs.
    assert area_under_curve(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == 3.5 / 4
    assert area_under_curve(np.array([0.0]), np.array([1.0, 2.0])) == 0.0
    assert np.isnan(area_under_curve(np.array([]), np.array([1.0])))
