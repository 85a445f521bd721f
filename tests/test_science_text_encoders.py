"""How well the text encoders learn to read, measured over three seeds on drawn shapes of 16 pixels.

Of a held-out picture its own caption is looked for among 100, the others of which describe other pictures; one in a
hundred is found by chance.
"""

import pytest

from keras_gans.metrics import TextEvaluation
from keras_gans.training import recipe as recipes
from keras_gans.training.train import open_data
from tests.science import SEEDS, report, trained

pytestmark = pytest.mark.slow

STEPS = 500


@pytest.fixture(scope="module")
def evaluation():
    return TextEvaluation("shapes/16", ["text_retrieval"], samples=1000)


@pytest.mark.parametrize(
    ("kind", "level"), [("convolutional", "word"), ("attention", "word"), ("convolutional", "character")]
)
def test_a_picture_finds_its_caption_among_a_hundred(kind, level, evaluation):
    recipe = recipes.named("text_to_image").replace(data="shapes/16")
    networks = {**recipe.networks, "text_encoder": {**recipe.networks["text_encoder"], "kind": kind}}
    # The first phase alone, at a constant rate, by the paper's loss, and the codes as they are.
    scheme = {**recipe.scheme, "encoder_steps": STEPS, "normalized_codes": False, "hardest_negatives": False}
    changes = {"steps": STEPS, "scheme": scheme, "networks": networks, "learning_rate_schedule": "constant"}
    found = {"text_retrieval": [], "text_retrieval_held_out": []}
    for seed in SEEDS:
        model = trained(recipe.name, seed, open_data(recipe), tokenizer={"level": level}, **changes)
        for score in evaluation.of(model):
            found[score.name].append(score.value)
    for name, values in found.items():
        assert report(f"{kind}, {level}: {name}", values, "at least 0.8") >= 0.8
