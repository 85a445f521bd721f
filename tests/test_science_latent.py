"""What latents mean, measured: reconstruction as a measure, ways between samples, attributes as directions."""

import keras
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.latent import arithmetic, attributes
from keras_gans.latent import expression as expressions
from keras_gans.metrics import features
from keras_gans.training import recipe as recipes
from tests.science import SEEDS, DigitMeasures, report, trained

pytestmark = pytest.mark.slow

HELD_OUT = 200
CHECKPOINTS = (200, 1000, 4000)
PAIRS = 2000
POOL = 6000
MNIST_STEPS = 1000


# Reconstruction (Xiang and Li 2017) -----------------------------------------------------------------------------


def digit_images(split):
    """The first uint8 images of a split of the digits."""
    return kg.data.open_source("digits", split=split).samples[:HELD_OUT]


class _At(keras.callbacks.Callback):
    """Keeps what a function says of the model after some steps."""

    def __init__(self, steps, function):
        super().__init__()
        self.steps, self.function, self.values = steps, function, {}

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 in self.steps:
            self.values[batch + 1] = self.function(self.model)


@pytest.fixture(scope="module")
def digit_gans():
    """[(model, {step: reconstruction loss})] of each seed: 16 latents, batch normalization, tanh, 4,000 steps."""
    held_out, recipe = digit_images("test"), recipes.named("gan")
    generator = {
        **recipe.networks["generator"],
        "hidden_units": [128, 128],
        "activation": "relu",
        "normalization": "batch",
    }
    discriminator = {**recipe.networks["discriminator"], "hidden_units": [128, 128]}
    found = []
    for seed in SEEDS:
        watch = _At(CHECKPOINTS, lambda model: kg.latent.reconstruction_loss(model, held_out).mean)
        model = trained(
            "gan",
            seed,
            callbacks=[watch],
            latent_dim=16,
            steps=CHECKPOINTS[-1],
            generator=generator,
            discriminator=discriminator,
        )
        found.append((model, watch.values))
    return found


def test_reconstruction_falls_as_the_generator_learns(digit_gans):
    medians = [
        report(f"reconstruction of held-out digits at step {step}", [values[step] for _, values in digit_gans], limit)
        for step, limit in zip(CHECKPOINTS, ("at least 1.4 times that at 1000", "", "at most 0.07"), strict=True)
    ]
    assert medians[0] >= 1.4 * medians[1]
    assert medians[2] <= 0.07


def test_reconstruction_tells_digits_from_noise_and_leaves_the_generator_alone(digit_gans):
    noise = np.random.default_rng(0).uniform(-1, 1, (HELD_OUT, 8, 8, 1)).astype("float32")
    sources = {"training digits": digit_images("train"), "noise": noise}
    weights = [model.get_weights() for model, _ in digit_gans]
    medians = {
        name: report(
            f"reconstruction of {name}",
            [kg.latent.reconstruction_loss(model, images).mean for model, _ in digit_gans],
            "noise at least 8 times held-out digits",
        )
        for name, images in sources.items()
    }
    held_out = digit_images("test")
    final = np.median([values[CHECKPOINTS[-1]] for _, values in digit_gans])
    untouched = [kg.latent.reconstruction_loss(model, held_out, 0).mean for model, _ in digit_gans]
    three = [kg.latent.reconstruction_loss(model, held_out, restarts=3).mean for model, _ in digit_gans]
    report("... before the first step of descent", untouched, "")
    assert report("... the best of three starts", three, "below one start") < final
    assert medians["noise"] >= 8 * final
    for (model, _), before in zip(digit_gans, weights, strict=True):
        for value, old in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(value, old)


# Ways between samples -------------------------------------------------------------------------------------------


def test_halfway_samples_look_real_along_the_great_circle_only(digit_gans):
    measures, distances, lengths = DigitMeasures(), {}, {}
    for model, _ in digit_gans:
        first, second = (
            kg.latent.seed_latents(model, range(start, start + PAIRS)) for start in (10_000, 10_000 + PAIRS)
        )
        latents = {
            "ordinary": first,
            "slerp": kg.latent.slerp(first, second, 0.5).numpy(),
            "linear": kg.latent.linear(first, second, 0.5).numpy(),
        }
        for name, values in latents.items():
            flat = kg.latent.decode_array(model, values).reshape(PAIRS, -1) / 127.5 - 1.0
            distances.setdefault(name, []).append(measures.frechet(flat))
            lengths.setdefault(name, []).append(np.linalg.norm(values, axis=1).mean() / np.sqrt(values.shape[1]))
    medians = {name: report(f"Fréchet distance, {name}", values, "") for name, values in distances.items()}
    for name, values in lengths.items():
        report(f"length over the root of the dimensions, {name}", values, "")
    assert medians["slerp"] <= 1.3 * medians["ordinary"] + 0.1
    assert medians["linear"] >= 1.5 * medians["slerp"]


# Attributes -----------------------------------------------------------------------------------------------------


class _SupportVectors:
    """The digits' support vector classifier, as an extractor answers."""

    def __init__(self):
        self.judge = DigitMeasures().judge

    def probabilities(self, images):
        return np.eye(10)[self.judge.predict(images.reshape(len(images), -1) / 127.5 - 1.0)]


def direction_figures(model, judge, attribute, scale=0.5):
    """How far z + scale x direction does what it should, on 1,000 fresh samples.

    Returns:
        (share of samples that have more of the attribute, share that keep their class; the same two as means over
        twenty random directions of the same length).
    """
    measure = attributes.ATTRIBUTES[attribute]
    pool = arithmetic.draw_pool(model, POOL)
    classes = judge.probabilities(pool.samples).argmax(axis=1)
    direction = arithmetic.attribute_direction(pool.latents, measure(pool.samples), classes=classes)
    randoms = np.random.default_rng(0).normal(size=(20, len(direction)))
    randoms *= np.linalg.norm(direction) / np.linalg.norm(randoms, axis=1, keepdims=True)
    latents = kg.latent.seed_latents(model, range(100_000, 101_000))
    before = kg.latent.decode_array(model, latents)
    was = judge.probabilities(before).argmax(axis=1)

    def effect(way):
        after = kg.latent.decode_array(model, latents + scale * way)
        return (measure(after) > measure(before)).mean(), (judge.probabilities(after).argmax(axis=1) == was).mean()

    return [*effect(direction), *np.mean([effect(way) for way in randoms], axis=0)]


def arithmetic_success(model, judge, level, opposite, exemplars, at_typical_length, pairs=20, draws=100):
    """(how often "a:level - a:opposite + b:opposite" is a b of that level, how often an ordinary sample is).

    Over some ordered pairs of different digits a, b.
    """
    pool, names = arithmetic.draw_pool(model, POOL), tuple(map(str, range(10)))
    assigned = judge.probabilities(pool.samples).argmax(axis=1)
    usual = attributes.level_scores(level, pool.samples)

    def scores(name):
        return attributes.level_scores(name, pool.samples)

    generator = np.random.default_rng(0)
    hits, chance = [], []
    for _ in range(pairs):
        a, b = generator.choice(10, 2, replace=False)
        terms = expressions.parse(f"{a}:{level} - {a}:{opposite} + {b}:{opposite}")
        rows = [expressions.exemplar_rows(term, scores, assigned, names) for term in terms]
        latents = arithmetic.combine(pool.latents, [rows[0], rows[2]], [rows[1]], exemplars, draws, generator)
        if at_typical_length:
            latents = arithmetic.typical_length(latents, model.latent_prior)
        made = kg.latent.decode_array(model, latents)
        target, reference = expressions.target_of(terms), (usual, assigned)
        classes = judge.probabilities(made).argmax(axis=1)
        hits.append(
            expressions.is_target(target, attributes.level_scores(level, made), classes, names, reference).mean()
        )
        chance.append(expressions.is_target(target, *reference, names, reference).mean())
    return float(np.mean(hits)), float(np.mean(chance))


@pytest.fixture(scope="module")
def mnist():
    """(a dcgan of each seed trained on MNIST, its classifier)."""
    try:
        source = kg.data.open_source("mnist")
        judge = features.extractor("mnist")
    except UserError as error:
        pytest.skip(str(error))
    recipe = recipes.named("dcgan")
    small = {role: {**recipe.networks[role], "base_filters": 32} for role in ("generator", "discriminator")}
    return [trained("dcgan", seed, data=source, steps=MNIST_STEPS, **small) for seed in SEEDS], judge


@pytest.fixture
def subjects(request):
    """(models, judge) of "digits" or "mnist"."""
    if request.param == "mnist":
        return request.getfixturevalue("mnist")
    return [model for model, _ in request.getfixturevalue("digit_gans")], _SupportVectors()


@pytest.mark.parametrize(
    ("subjects", "attribute", "least_more", "least_same"),
    [
        ("digits", "brightness", 0.85, 0.70),
        # Eight pixels hardly resolve how thick a stroke is.
        ("digits", "stroke_thickness", 0.75, 0.60),
        ("mnist", "brightness", 0.95, 0.50),
        ("mnist", "stroke_thickness", 0.95, 0.55),
    ],
    indirect=["subjects"],
)
def test_an_attribute_is_a_direction(subjects, attribute, least_more, least_same, request):
    models, judge = subjects
    name = request.node.callspec.id
    figures = np.array([direction_figures(model, judge, attribute) for model in models])
    more = report(f"{name}: samples with more of it", figures[:, 0], f"at least {least_more}")
    same = report(f"{name}: of the same class still", figures[:, 1], f"at least {least_same}")
    by_chance = report(f"{name}: with more of it, random directions", figures[:, 2], "at most 0.65")
    report(f"{name}: same class, random directions", figures[:, 3], "")
    assert more >= least_more and same >= least_same and by_chance <= 0.65


@pytest.mark.parametrize(
    ("subjects", "at_typical_length"),
    # DCGAN's generator makes next to nothing of the short means of 30; the small one of the digits bears them.
    [("digits", False), ("mnist", True)],
    indirect=["subjects"],
)
@pytest.mark.parametrize(("level", "opposite"), [("bright", "dark"), ("thick", "thin")])
def test_arithmetic_carries_an_attribute_to_another_digit(subjects, at_typical_length, level, opposite, request):
    models, judge = subjects
    name = request.node.callspec.id
    medians = {}
    for exemplars, lengthened in ((3, False), (30, False), (30, True)):
        results = [arithmetic_success(model, judge, level, opposite, exemplars, lengthened) for model in models]
        hits, chance = zip(*results, strict=True)
        how = f"{exemplars} exemplars{', typical length' if lengthened else ''}"
        medians[exemplars, lengthened] = report(f"{name}, {how}: success", hits, "")
    usual = report(f"{name}: ordinary samples that are the target", chance, "at most a third of the success")
    assert usual <= medians[30, at_typical_length] / 3
    assert medians[30, at_typical_length] > medians[3, False]
