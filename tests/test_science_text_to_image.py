"""Drawn shapes by their captions: the judge reads, the pictures show what was asked, and what each part adds.

Figures of `TextEvaluation` on 1,000 captions of held-out pictures, and on 1,000 of combinations never trained on.
"""

import functools

import numpy as np
import pytest

from keras_gans.metrics import TextEvaluation
from tests.science import report, trained

SEEDS = (2, 3, 4)
DATA = "shapes/16"


@functools.cache
def evaluation():
    measures = ["attribute_accuracy", "text_auc", "text_auc_one_wrong"]
    return TextEvaluation(DATA, metrics=measures, samples=1000).prepare()


@functools.cache
def figures(recipe, scheme=()):
    """{figure: its values over the seeds}."""
    found = []
    for seed in SEEDS:
        model = trained(recipe, seed, **({"scheme": dict(scheme)} if scheme else {}))
        found.append({score.name: score.value for score in evaluation().of(model)})
    for name in found[0]:
        report(f"{recipe} {name}", [each[name] for each in found], "")
    return {name: [each[name] for each in found] for name in found[0]}


@pytest.mark.slow
def test_the_judge_hears_one_wrong_word_and_the_pictures_show_what_was_asked():
    found = figures("text_to_image_small")
    assert np.median(found["text_auc_one_wrong"]) >= 0.87
    assert np.median(found["colour_accuracy"]) >= 0.95
    assert np.median(found["colour_accuracy_held_out"]) >= np.median(found["colour_accuracy"]) - 0.10
    assert np.median(found["shape_accuracy"]) >= 0.85
    assert np.median(found["shape_accuracy_held_out"]) >= np.median(found["shape_accuracy"]) - 0.10


@pytest.mark.slow
def test_without_wrong_texts_the_judge_hears_less():
    scheme = {"name": "text_to_image", "encoder_steps": 300, "wrong_text_weight": 0.0}
    without = figures("text_to_image_small", scheme=tuple(scheme.items()))
    with_them = figures("text_to_image_small")
    assert np.median(with_them["text_auc_one_wrong"]) > np.median(without["text_auc_one_wrong"])
