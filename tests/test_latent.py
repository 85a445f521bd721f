"""Latents: drawn, interpolated, truncated, added up and found again."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.stats import kstest, truncnorm

import keras_gans as kg
from keras_gans import latent
from keras_gans.drawing import picture
from keras_gans.errors import UserError
from keras_gans.latent import arithmetic, attributes, expression, inversion, truncation
from keras_gans.pixels import to_uint8
from tests.small import small_model, weights

LIMITS = np.iinfo(np.int64)
SEEDS = np.array([0, 1, -1, 7, 2**31, -(2**32), LIMITS.min, LIMITS.max], np.int64)


@functools.lru_cache
def shared_model(scheme):
    """One small model of a scheme for all tests, none of which changes it."""
    return small_model(scheme)


# Drawing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_a_seeds_latent_is_that_of_the_stateless_operation_bit_for_bit(prior):
    drawn = latent.latents_from_seeds(SEEDS, 5, prior).numpy()
    for seed, row in zip(SEEDS, drawn, strict=True):
        key = tf.constant([seed, 0], tf.int64)
        if prior == "normal":
            alone = tf.random.stateless_normal([5], key, alg="philox")
        else:
            alone = tf.random.stateless_uniform([5], key, minval=-1.0, maxval=1.0, alg="philox")
        assert row.tobytes() == alone.numpy().tobytes()
    graph = tf.function(lambda seeds: latent.latents_from_seeds(seeds, 5, prior))(tf.constant(SEEDS))
    assert graph.numpy().tobytes() == drawn.tobytes()


def test_the_latents_of_exported_models_never_change():
    # Whoever keeps a seed keeps an image.
    expected = {0: [-1.697034, -0.481377, -0.662237], LIMITS.max: [-1.631032, 1.454231, -0.703748]}
    for seed, numbers in expected.items():
        np.testing.assert_allclose(latent.latents_from_seeds([seed], 3)[0], numbers, atol=1e-5)


def test_no_seed_gives_no_latent():
    assert latent.latents_from_seeds(np.zeros(0, np.int64), 4).shape == (0, 4)


# Interpolation --------------------------------------------------------------------------------------------------


def test_slerp_of_orthogonal_vectors_by_hand():
    first, second = np.array([1.0, 0.0]), np.array([0.0, 3.0])
    # At a third of a right angle, 30 degrees, and of length 1 + 2 / 3.
    expected = 5 / 3 * np.array([np.sqrt(3) / 2, 0.5])
    np.testing.assert_allclose(latent.slerp(first, second, 1 / 3), expected, rtol=1e-6)


def test_slerp_is_shoemakes_formula_on_the_sphere():
    rng = np.random.default_rng(0)
    first, second = (values / np.linalg.norm(values, axis=1, keepdims=True) for values in rng.normal(size=(2, 50, 16)))
    fraction = rng.uniform(size=50)
    angle = np.arccos((first * second).sum(axis=1))
    shares = np.sin((1 - fraction) * angle) / np.sin(angle), np.sin(fraction * angle) / np.sin(angle)
    expected = shares[0][:, None] * first + shares[1][:, None] * second
    np.testing.assert_allclose(latent.slerp(first, second, fraction), expected, atol=1e-5)


def test_slerp_begins_and_ends_at_the_very_latents():
    first, second = latent.latents_from_seeds([1, 2, 3], 9), latent.latents_from_seeds([4, 5, 6], 9)
    for fraction, anchor in ((0.0, first), (1.0, second)):
        np.testing.assert_array_equal(latent.slerp(first, second, fraction), anchor)


@pytest.mark.parametrize("epsilon", [0.0, 1e-30, 1e-8, 1e-7, 1e-6, 1e-5, 1e-3])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_slerp_of_nearly_parallel_and_nearly_opposite_latents(sign, epsilon):
    first = np.random.default_rng(0).normal(size=(1, 32)).astype(np.float32)
    second = sign * 2.0 * first + epsilon * np.eye(1, 32, 3, dtype=np.float32)
    fractions = np.linspace(0.0, 1.0, 21)
    way = latent.slerp(np.repeat(first, 21, axis=0), np.repeat(second, 21, axis=0), fractions).numpy()
    lengths = np.linalg.norm(way, axis=1) / np.linalg.norm(first)
    np.testing.assert_allclose(lengths, 1.0 + fractions, rtol=2e-3)
    # No jump anywhere: each of twenty steps turns by a twentieth of the whole angle, which is 0 or pi.
    directions = way / np.linalg.norm(way, axis=1, keepdims=True)
    turns = np.linalg.norm(np.diff(directions, axis=0), axis=1)
    expected = 0.0 if sign > 0 else 2 * np.sin(np.pi / 40)
    np.testing.assert_allclose(turns, expected, atol=2e-3)


def test_slerp_from_and_to_zero_is_straight():
    first, zero = np.array([[3.0, 4.0]]), np.zeros((1, 2))
    np.testing.assert_allclose(latent.slerp(first, zero, 0.25), [[2.25, 3.0]], rtol=1e-6)
    np.testing.assert_allclose(latent.slerp(zero, first, 0.25), [[0.75, 1.0]], rtol=1e-6)
    np.testing.assert_array_equal(latent.slerp(zero, zero, 0.5), zero)


def test_the_middle_of_a_great_circle_is_as_long_as_latents_are():
    first, second = latent.latents_from_seeds(range(2000), 64), latent.latents_from_seeds(range(5000, 7000), 64)
    length = {
        mode: float(tf.reduce_mean(tf.square(blend(first, second, 0.5))))
        for mode, blend in latent.interpolation.MODES.items()
    }
    assert length["slerp"] == pytest.approx(1.0, abs=0.03)
    assert length["linear"] == pytest.approx(0.5, abs=0.03)


def test_a_path_meets_its_anchors_and_spreads_evenly():
    anchors = np.array([[0.0], [1.0], [3.0]], np.float32)
    np.testing.assert_allclose(latent.path(anchors, 5, "linear")[:, 0], [0.0, 0.5, 1.0, 2.0, 3.0])
    np.testing.assert_allclose(latent.path(anchors, 6, "linear", closed=True)[:, 0], [0.0, 0.5, 1.0, 2.0, 3.0, 1.5])


def test_a_path_that_leads_nowhere_is_refused():
    with pytest.raises(UserError, match="two anchors or more"):
        latent.path(np.zeros((1, 4)), 5)
    with pytest.raises(UserError, match="two frames or more. Received: 1"):
        latent.path(np.zeros((2, 4)), 1)
    with pytest.raises(UserError, match="Unknown interpolation 'slurp'. Did you mean 'slerp'"):
        latent.path(np.zeros((2, 4)), 5, "slurp")


# Truncation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.1, 1.0])
def test_truncated_latents_follow_the_truncated_normal(threshold):
    drawn = latent.truncated_latents(np.arange(400), 50, threshold).numpy()
    assert np.abs(drawn).max() <= threshold
    assert kstest(drawn.ravel(), truncnorm(-threshold, threshold).cdf).pvalue > 1e-3


def test_what_is_small_enough_stays_what_it_is():
    whole, drawn = latent.latents_from_seeds(SEEDS, 50).numpy(), latent.truncated_latents(SEEDS, 50, 1.0).numpy()
    kept = np.abs(whole) <= 1.0
    np.testing.assert_array_equal(drawn[kept], whole[kept])
    assert 0.6 < kept.mean() < 0.76 and (drawn[~kept] != whole[~kept]).all()
    np.testing.assert_array_equal(latent.truncated_latents(SEEDS[3:5], 50, 1.0), drawn[3:5])


def test_a_truncated_uniform_prior_is_a_smaller_box():
    drawn = latent.truncated_latents(np.arange(400), 50, 0.3, "uniform").numpy()
    assert np.abs(drawn).max() <= 0.3
    assert kstest(drawn.ravel(), "uniform", (-0.3, 0.6)).pvalue > 1e-3


@pytest.mark.parametrize("threshold", [0, -1.0, 1e-4, float("nan"), float("inf"), True, "0.5"])
def test_a_threshold_that_truncates_to_nothing_is_refused(threshold):
    with pytest.raises(UserError, match="a number of 0.001 or more"):
        latent.truncated_latents([1], 4, threshold)


def test_a_threshold_beyond_the_box_is_refused():
    with pytest.raises(UserError, match="truncates nothing"):
        truncation.check_threshold(1.0, "uniform")


# Arithmetic -----------------------------------------------------------------------------------------------------


def test_combining_means_by_hand():
    latents = np.array([[0.0, 0.0], [2.0, 4.0], [10.0, 1.0], [1.0, 1.0]])
    # Concepts of one exemplar each: whatever is chosen, the mean is that exemplar.
    result = arithmetic.combine(latents, plus=[[1], [2]], minus=[[3]], exemplars=3, draws=2)
    np.testing.assert_array_equal(result, [[11.0, 4.0], [11.0, 4.0]])
    many = arithmetic.combine(latents, plus=[[0, 1]], exemplars=10_000)
    np.testing.assert_allclose(many, [[1.0, 2.0]], atol=0.1)


def test_three_terms_of_three_exemplars_vary_as_one_latent_does():
    latents = np.random.default_rng(0).normal(size=(6000, 20))
    thirds = np.arange(6000).reshape(3, 2000)
    result = arithmetic.combine(latents, plus=[thirds[0], thirds[1]], minus=[thirds[2]], exemplars=3, draws=2000)
    assert result.var() == pytest.approx(1.0, rel=0.05)


def test_the_typical_length():
    lengthened = arithmetic.typical_length(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(lengthened, [[0.6 * np.sqrt(2), 0.8 * np.sqrt(2)], [0.0, 0.0]])
    for prior in ("normal", "uniform"):
        drawn = latent.latents_from_seeds(range(300), 100, prior).numpy()
        assert np.linalg.norm(drawn, axis=1).mean() == pytest.approx(
            np.linalg.norm(arithmetic.typical_length(drawn, prior), axis=1)[0], rel=0.02
        )
    with pytest.raises(UserError, match="prior 'swiss_roll' have no length that is typical.*--own-length"):
        arithmetic.typical_length(drawn, "swiss_roll")


def test_exemplars_by_class_and_by_score():
    np.testing.assert_array_equal(arithmetic.rows_of_class([2, 0, 2], 2), [0, 2])
    np.testing.assert_array_equal(arithmetic.rows_of_class([[0.1, 0.9], [0.8, 0.2]], 0), [1])
    scores = [5.0, 1.0, 9.0, 7.0]
    np.testing.assert_array_equal(arithmetic.highest_rows(scores, 0.5), [2, 3])
    np.testing.assert_array_equal(arithmetic.highest_rows(scores, 0.01, among=[0, 1]), [0])
    with pytest.raises(UserError, match="above 0 and at most 1"):
        arithmetic.highest_rows(scores, 0.0)
    with pytest.raises(UserError, match="no exemplar"):
        arithmetic.combine(np.zeros((4, 2)), plus=[[]])
    with pytest.raises(UserError, match="plus is empty"):
        arithmetic.combine(np.zeros((4, 2)), plus=[], minus=[[1]])


def test_an_attributes_direction_can_be_kept_apart_from_the_classes():
    # The first coordinate is the class, and class 1 has more of the attribute; the second is the attribute's own.
    latents = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    scores, classes = np.array([0.0, 1.0, 10.0, 11.0]), np.array([0, 0, 1, 1])
    np.testing.assert_array_equal(arithmetic.attribute_direction(latents, scores, 0.5), [1.0, 0.0])
    np.testing.assert_array_equal(arithmetic.attribute_direction(latents, scores, 0.5, classes), [0.0, 1.0])


def test_a_pool_is_what_sample_draws():
    model = shared_model("gan")
    pool = latent.draw_pool(model, 300, seed=5)
    np.testing.assert_array_equal(pool.samples, model.sample(300, seed=5))
    assert pool.latents.shape == (300, 6) and pool.labels is None


def test_the_thickness_and_the_ink_of_bars():
    images = np.zeros((3, 20, 20, 1), np.uint8)
    images[0, :, 5:8] = 255  # three pixels wide, from edge to edge: 60 pixels within an outline of 40
    images[1, 2:16, 4:10] = 255  # 14 x 6: 84 pixels within an outline of 40, less at a corner where two sides meet
    np.testing.assert_allclose(attributes.brightness(images), [60 / 400, 84 / 400, 0.0])
    thickness = attributes.stroke_thickness(images)
    np.testing.assert_allclose(thickness, [3.0, 168 / (40 - 2 + np.sqrt(2)), 0.0])
    assert (attributes.level_scores("thin", images) == -thickness).all()
    with pytest.raises(UserError, match="Unknown attribute 'thik'. Did you mean 'thick'"):
        attributes.level_scores("thik", images)
    with pytest.raises(UserError, match="uint8"):
        attributes.brightness(images / 255.0)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("7:thick - 7:thin + 1:thin", ("1", "thick")),
        ("thick", (None, "thick")),
        ("8", ("8", None)),
        ("8 - 3 + 5", (None, None)),
        ("Ankle boot - T-shirt/top + T-shirt/top", ("Ankle boot", None)),
        ("3 + 3", (None, None)),
        ("thick - thin + seeds:4", (None, None)),
    ],
)
def test_what_an_expression_should_come_to(text, target):
    assert expression.target_of(expression.parse(text)) == target


def test_an_expressions_terms():
    terms = expression.parse("+ 7:thick - seeds:3,-4 + Ankle boot")
    assert [(term.sign, term.class_name, term.level, term.seeds) for term in terms] == [
        (1, "7", "thick", ()),
        (-1, None, None, (3, -4)),
        (1, "Ankle boot", None, ()),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "An expression is terms"),
        ("- 3 + 4", "starts with what is added"),
        ("7:thik", "Unknown attribute 'thik'. Did you mean 'thick'"),
        ("seeds:3,b", "whole numbers separated by commas"),
    ],
)
def test_an_expression_that_cannot_be_read(text, message):
    with pytest.raises(UserError, match=message):
        expression.parse(text)


def test_what_counts_as_a_hit():
    # Class 1's own median is 2, so that a score of 3 is much for a 1, whatever the 0s have.
    reference = (np.array([10.0, 10.0, 1.0, 2.0, 3.0]), np.array([0, 0, 1, 1, 1]))
    scores, classes = np.array([3.0, 3.0, 2.0]), np.array([1, 0, 1])
    hits = expression.is_target(("1", "thick"), scores, classes, ("0", "1"), reference)
    np.testing.assert_array_equal(hits, [True, False, False])


# Inversion ------------------------------------------------------------------------------------------------------


def linear_model(latent_dim=3, sample_dim=6):
    """G(z) = W z + b, whose nearest latents are known in closed form."""
    generator = kg.networks.mlp_generator((sample_dim,), latent_dim, hidden_units=(), output_activation=None)
    return kg.schemes.VanillaGAN(generator, kg.networks.mlp_discriminator((sample_dim,)))


def test_inversion_finds_the_least_squares_solution():
    model = linear_model()
    kernel, offset = (np.array(weight) for weight in model.generator.weights)
    points = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    found = latent.invert(model, points, steps=800, learning_rate=0.005)
    nearest = np.linalg.lstsq(kernel.T, (points - offset).T, rcond=None)[0].T
    np.testing.assert_allclose(found.latents, nearest, atol=0.02)
    np.testing.assert_allclose(found.errors, np.square(nearest @ kernel + offset - points).mean(axis=1), atol=2e-3)


def test_inversion_changes_nothing_and_keeps_images_apart(monkeypatch):
    model = shared_model("dcgan")
    before = weights(model)
    images = model.sample(5, seed=0)
    together = latent.invert(model, images, steps=8)
    for name, value in weights(model).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    assert together.latents.shape == (5, 6) and together.errors.shape == (5,)
    start = latent.invert(model, images, steps=0)
    assert (together.errors < start.errors).all()
    np.testing.assert_allclose(latent.invert(model, images[:2], steps=8).errors, together.errors[:2], rtol=1e-4)
    as_floats = images / np.float32(127.5) - 1.0
    np.testing.assert_allclose(latent.invert(model, as_floats, steps=8).errors, together.errors, rtol=1e-4)
    monkeypatch.setattr(inversion, "_BATCH", 2)
    np.testing.assert_allclose(latent.invert(model, images, steps=8).errors, together.errors, rtol=1e-4)


def test_the_best_of_several_starts_is_kept():
    model = shared_model("gan")
    images = model.sample(4, seed=3)
    latents, errors = inversion.invert_each(model, images, steps=3, restarts=3)
    found = latent.invert(model, images, steps=3, restarts=3)
    np.testing.assert_allclose(found.errors, errors.min(axis=0), rtol=1e-5)
    for image, row in enumerate(errors.argmin(axis=0)):
        np.testing.assert_allclose(found.latents[image], latents[row, image], rtol=1e-4, atol=1e-6)
    # The first start is near 0, the others are ordinary latents.
    starts, _ = inversion.invert_each(model, images, steps=0, restarts=2)
    assert np.abs(starts[0]).max() < 0.1 < np.abs(starts[1]).max()


def test_the_reconstruction_loss_is_a_mean_with_its_standard_error():
    loss = inversion.summary(np.array([1.0, 2.0, 3.0, 6.0]))
    assert loss.mean == 3.0
    # Deviations 2, 1, 0 and 3: variance 14 / 3, over 4 images.
    assert loss.standard_error == pytest.approx(np.sqrt(14 / 3 / 4))
    model = shared_model("gan")
    images = model.sample(3)
    measured = latent.reconstruction_loss(model, images, 2)
    np.testing.assert_allclose(measured.errors, latent.invert(model, images, 2).errors, rtol=1e-5)
    assert inversion.summary(np.array([4.0])).standard_error == 0.0


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((2, 9, 8, 1), np.uint8), {}, "take samples of shape"),
        (np.zeros((2, 8, 8, 1), np.float32) + 3, {}, r"lie in \[-1, 1\]"),
        (np.zeros((0, 8, 8, 1), np.uint8), {}, "no image to invert"),
        (np.zeros((2, 8, 8, 1), np.uint8), {"steps": -1}, "steps=-1"),
        (np.zeros((2, 8, 8, 1), np.uint8), {"restarts": 0}, "restarts=0"),
        (np.zeros((2, 8, 8, 1), np.uint8), {"labels": 3}, "not class-conditional"),
    ],
)
def test_images_that_cannot_be_inverted(images, options, message):
    with pytest.raises(UserError, match=message):
        latent.invert(shared_model("gan"), images, **options)


# Class-conditional models and serving ---------------------------------------------------------------------------


def test_a_class_conditional_model_wants_to_know_the_class():
    model = shared_model("cgan")
    latents = latent.seed_latents(model, [1, 2])
    drawn = latent.decode_array(model, latents, "1")
    np.testing.assert_array_equal(drawn, model.sample(2, seed=1, labels=1))
    found = latent.invert(model, drawn, steps=3, labels=[1, 1])
    assert (found.errors < latent.invert(model, drawn, steps=0, labels=1).errors).all()
    with pytest.raises(UserError, match="say which class"):
        latent.decode_array(model, latents)
    with pytest.raises(UserError, match="one class for all, or 2 of them"):
        latent.decode_array(model, latents, [0, 1, 1])
    pool = latent.draw_pool(model, 6, seed=2)
    np.testing.assert_array_equal(pool.samples, model.sample(6, seed=2))


@pytest.mark.parametrize("scheme", ["gan", "cgan"])
def test_the_exported_model_interpolates(scheme, tmp_path, monkeypatch):
    model = shared_model(scheme)
    ordinary = model.endpoints()
    monkeypatch.setattr(model, "endpoints", lambda: {**ordinary, "interpolate": latent.interpolate_endpoint(model)})
    model.export(tmp_path / "saved", verbose=False)
    signatures = tf.saved_model.load(tmp_path / "saved").signatures
    label = {"label": tf.constant([1, 1, 1], tf.int64)} if scheme == "cgan" else {}

    def interpolate(fractions):
        seeds = {"from_seed": tf.constant([3, 3, -9], tf.int64), "to_seed": tf.constant([4, 4, LIMITS.max], tf.int64)}
        return signatures["interpolate"](**seeds, **label, fraction=tf.constant(fractions, tf.float32))["image"]

    def sample(seeds):
        return signatures["sample"](seed=tf.constant(seeds, tf.int64), **label)["image"]

    np.testing.assert_array_equal(interpolate([0.0, 0.0, 0.0]), sample([3, 3, -9]))
    np.testing.assert_array_equal(interpolate([1.0, 1.0, 1.0]), sample([4, 4, LIMITS.max]))
    between = latent.slerp(*(latent.latents_from_seeds([seed], 6) for seed in (-9, LIMITS.max)), 0.3)
    expected = latent.decode_array(model, between, 1 if label else None)
    np.testing.assert_allclose(interpolate([0.3, 0.3, 0.3])[2:].numpy().astype(int), expected, atol=1)
    answered = interpolate([0.0, 1.5, 0.0]).numpy()
    assert not answered[1].any(), "a fraction beyond 1 is answered as invalid"
    np.testing.assert_array_equal(answered[::2], sample([3, 3, -9])[::2])


def test_a_uniform_latent_stays_in_its_box_on_the_way():
    model = kg.schemes.VanillaGAN(
        kg.networks.mlp_generator((8, 8, 1), 6), kg.networks.mlp_discriminator((8, 8, 1)), latent_prior="uniform"
    )
    function, specifications = latent.interpolate_endpoint(model)
    examples = latent.interpolate_examples(16)
    assert {spec.name: spec.dtype.as_numpy_dtype for spec in specifications} == {
        name: value.dtype for name, value in examples.items()
    }
    images = function(*(tf.constant(examples[spec.name]) for spec in specifications))["image"]
    assert images.shape == (16, 8, 8, 1) and images.dtype == tf.uint8
    ends = [latent.latents_from_seeds(examples[name], 6, "uniform") for name in ("from_seed", "to_seed")]
    straight = model(latent.linear(*ends, examples["fraction"]), training=False)
    np.testing.assert_allclose(images.numpy().astype(int), to_uint8(straight).numpy().astype(int), atol=1)


# Pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_a_gif_moves_through_its_pictures(channels, tmp_path):
    pictures = [np.full((8, 8, channels), level, np.uint8) for level in (0, 90, 255)]
    picture.save_gif(pictures, tmp_path / "deep" / "way.gif", frames_per_second=20)
    with Image.open(tmp_path / "deep" / "way.gif") as gif:
        assert gif.n_frames == 3 and gif.info["loop"] == 0
        for index, level in enumerate((0, 90, 255)):
            gif.seek(index)
            assert gif.info["duration"] == 50
            np.testing.assert_allclose(np.asarray(gif.convert("L")), level, atol=2)


def test_a_gif_that_cannot_be_is_not_begun(tmp_path):
    frames = [np.zeros((8, 8, 1), np.uint8), np.zeros((9, 8, 1), np.uint8)]
    with pytest.raises(UserError, match="of one shape"):
        picture.save_gif(frames, tmp_path / "way.gif")
    with pytest.raises(UserError, match="to 50 frames"):
        picture.save_gif(frames[:1], tmp_path / "way.gif", frames_per_second=60)
    # A frame of more hundredths of a second than the format can hold.
    with pytest.raises(UserError, match=r"from 0\.002 to 50 frames a second. Received: 0\.001"):
        picture.save_gif(frames[:1], tmp_path / "way.gif", frames_per_second=0.001)
    assert not list(tmp_path.iterdir())
