"""Schemes that draw to texts: losses by hand, wrong texts, interpolation, sampling by text, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses, networks, randomness
from keras_gans.engine.text_reading import REMEMBERED, remembered
from keras_gans.errors import UserError
from keras_gans.layers import ConditioningAugmentation, Tokenizer
from keras_gans.networks.text_to_image import branches, modulated
from keras_gans.testing import subject
from tests.small import small_model

LOG_2 = float(np.log(2.0))


def column(*values):
    return np.array(values, "float32")[:, np.newaxis]


# Losses -----------------------------------------------------------------------------------------------------------


def test_a_matching_aware_discriminator_that_knows_nothing_has_a_loss_of_2_log_2():
    zeros = column(0, 0, 0)
    for weight in (0.0, 0.5, 0.9):
        assert float(losses.matching_aware_discriminator(zeros, zeros, zeros, weight)) == pytest.approx(2 * LOG_2)


def test_a_matching_aware_loss_is_three_terms_of_weights_1_and_w_and_the_rest():
    softplus = lambda x: np.log1p(np.exp(x))  # noqa: E731
    scores = column(2.0), column(-1.0), column(0.5)
    expected = softplus(-2.0) + 0.3 * softplus(-1.0) + 0.7 * softplus(0.5)
    assert float(losses.matching_aware_discriminator(*scores, 0.3)) == pytest.approx(expected, rel=1e-5)
    # A row without a wrong text adds nothing to that term.
    pairs = column(0.0, 0.0), column(3.0, 5.0), column(0.0, 0.0)
    expected = LOG_2 + 0.5 * softplus(3.0) / 2 + 0.5 * LOG_2
    assert float(losses.matching_aware_discriminator(*pairs, 0.5, column(1, 0))) == pytest.approx(expected, rel=1e-5)


def test_a_matching_aware_hinge_leaves_what_is_beyond_the_margin():
    assert float(losses.matching_aware_hinge(*[column(0.0, 0.0)] * 3)) == 2.0
    scores = column(2.0, 0.5), column(-3.0, 0.0), column(1.0, -1.0)
    # (0 + 0.5) / 2 + 0.25 (0 + 1) / 2 + 0.75 (2 + 0) / 2
    assert float(losses.matching_aware_hinge(*scores, 0.25)) == pytest.approx(0.25 + 0.125 + 0.75)
    assert float(losses.matching_aware_hinge(*scores, 0.25, column(1, 0))) == pytest.approx(0.25 + 0.0 + 0.75)


def test_a_matching_contrast_is_of_two_texts_and_leaves_out_what_the_picture_alone_says():
    assert float(losses.matching_contrast(column(3.0), column(3.0))) == pytest.approx(LOG_2)
    right, wrong = column(2.0, -1.0), column(0.5, 1.0)
    expected = (np.log1p(np.exp(-1.5)) + np.log1p(np.exp(2.0))) / 2
    assert float(losses.matching_contrast(right, wrong)) == pytest.approx(expected, rel=1e-5)
    assert float(losses.matching_contrast(right + 7.0, wrong + 7.0)) == pytest.approx(expected, rel=1e-5)
    # A row without a wrong text adds nothing.
    alone = float(losses.matching_contrast(right, wrong, column(1, 0)))
    assert alone == pytest.approx(np.log1p(np.exp(-1.5)) / 2, rel=1e-5)


@pytest.mark.parametrize(("mean", "log_deviation", "expected"), [(0, 0, 0), (1, 0, 0.5), (0, 0.5, 0.3591)])
def test_the_divergence_is_of_a_log_deviation_and_the_mean_over_coordinates(mean, log_deviation, expected):
    rows = [np.full((3, 7), value, "float32") for value in (mean, log_deviation)]
    assert float(losses.augmentation_divergence(*rows)) == pytest.approx(expected, abs=1e-4)


def test_conditioning_augmentation_is_mean_and_deviation_times_noise():
    layer = ConditioningAugmentation(2)
    codes, noise = np.ones((1, 3), "float32"), np.array([[2.0, -1.0]], "float32")
    layer.build([(None, 3), (None, 2)])
    layer.dense.bias.assign([1.0, 2.0, 0.0, np.log(3.0)])
    layer.dense.kernel.assign(np.zeros((3, 4)))
    condition, mean, log_deviation = layer([codes, noise])
    np.testing.assert_allclose(condition, [[3.0, -1.0]], rtol=1e-6)
    np.testing.assert_allclose(mean, [[1.0, 2.0]])
    np.testing.assert_allclose(log_deviation, [[0.0, np.log(3.0)]])


# Texts ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model():
    return small_model("text_to_image")


def opened(function, *args):
    with randomness.stream(randomness.root_seed(0, 0)):
        return function(*args)


def test_a_wrong_text_really_differs(model):
    texts = ["a red circle", "A red circle!", "a small blue star", "a red circle"]
    tokens = model.tokenizer(tf.constant(texts))
    codes, wrong, differs = opened(model.with_wrong_texts, tokens)
    known = model.encode_text(texts)
    assert model.encode_text([]).shape == (0, *known.shape[1:])
    # One text is not its letters.
    with pytest.raises(UserError, match=r"texts are several, such as .*Received: 'a red circle'"):
        model.encode_text("a red circle")
    np.testing.assert_allclose(codes, known, rtol=1e-5)
    np.testing.assert_array_equal(differs, np.ones((4, 1)))
    for row in (0, 1, 3):
        np.testing.assert_allclose(wrong[row], known[2], rtol=1e-5)
    assert any(np.allclose(wrong[2], known[row]) for row in (0, 1, 3))


def test_where_all_texts_are_one_none_is_wrong(model):
    tokens = model.tokenizer(tf.constant(["a red circle"] * 3))
    assert not opened(model.with_wrong_texts, tokens)[2].numpy().any()


def test_every_other_text_serves_as_a_wrong_one(model):
    tokens = model.tokenizer(tf.constant(["red", "blue", "a", "so"]))
    papers = kg.schemes.TextToImage.from_config({**model.get_config(), "wrong_text_candidates": 1})
    papers.text_encoder.set_weights(model.text_encoder.get_weights())
    found = set()
    for step in range(40):
        with randomness.stream(randomness.root_seed(0, step)):
            wrong = papers.with_wrong_texts(tokens)[1].numpy()
        codes = model.codes_of(tokens).numpy()
        found |= {(row, int(np.argmin(np.abs(codes - wrong[row]).sum(1)))) for row in range(4)}
    assert found == {(a, b) for a in range(4) for b in range(4) if a != b}


def test_of_several_candidates_the_nearest_text_is_the_wrong_one(model):
    class Placed(kg.schemes.TextToImage):
        def codes_of(self, tokens):
            # Each text's code is the number of its first word alone, on a line.
            places = tf.constant([0.0, 0.0, 1.0, 1.5, 4.0, 9.0])
            return tf.gather(places, tokens[:, :1]) * tf.ones((1, 6))

    placed = Placed.from_config({**model.get_config(), "wrong_text_candidates": 64})
    tokens = tf.constant([[2, 0], [3, 0], [4, 0], [5, 0], [2, 0]])
    tokens = tf.pad(tokens, [(0, 0), (0, model.tokenizer.length - 2)])
    _, wrong, differs = opened(placed.with_wrong_texts, tokens)
    # Of 1, 1.5, 4, 9 and 1 again; equal texts are never wrong for each other.
    np.testing.assert_array_equal(wrong[:, 0], [1.5, 1.0, 1.5, 4.0, 1.5])
    np.testing.assert_array_equal(differs, np.ones((5, 1)))
    _, wrong, differs = opened(placed.with_wrong_texts, tokens[::4])
    np.testing.assert_array_equal(differs, np.zeros((2, 1)))
    # Of two drawn at random the nearer one: no longer always the nearest, and never the farthest.
    placed = Placed.from_config({**model.get_config(), "wrong_text_candidates": 2})
    found = []
    for step in range(60):
        with randomness.stream(randomness.root_seed(0, step)):
            found.append(float(placed.with_wrong_texts(tokens[:4])[1][0, 0]))
    assert set(found) == {1.5, 4.0} and found.count(1.5) > found.count(4.0)


def test_normalized_codes_have_the_length_of_a_standard_normal_vector(model):
    both = [kg.schemes.TextToImage.from_config({**model.get_config(), "normalized_codes": on}) for on in (False, True)]
    for each in both:
        each.text_encoder.set_weights(model.text_encoder.get_weights())
    plain, codes = (each.encode_text(["a red circle", "so blue"]) for each in both)
    normalized = both[1]
    np.testing.assert_allclose(
        plain[0], model.text_encoder(model.tokenizer(tf.constant(["a red circle"])))[0], rtol=1e-5
    )
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), np.sqrt(6.0), rtol=1e-5)
    np.testing.assert_allclose(codes / codes[:, :1], plain / plain[:, :1], rtol=1e-4)
    normalized.text_encoder.set_weights([np.zeros_like(each) for each in model.text_encoder.get_weights()])
    np.testing.assert_array_equal(normalized.encode_text(["a red circle"]), np.zeros((1, 6)))


def test_rows_of_one_text_describe_each_other(model):
    images = kg.fields.Images((8, 8, 1)).example(4)
    tokens = model.tokenizer(tf.constant(["red", "red", "red", "red"]))
    loss, curves = model.encoder_loss(images, tokens)
    assert float(loss) == 0.0 and float(curves["text_retrieval"]) == 1.0


def test_no_gradient_reaches_the_encoder_once_it_has_learned(model):
    before = [v.numpy() for v in model.text_encoder.variables]
    fresh = small_model("text_to_image")
    subject.one_step(fresh)
    learned = [v.numpy() for v in fresh.text_encoder.variables]
    assert any(not np.array_equal(a, b) for a, b in zip(before, learned, strict=True))
    fresh.step.assign(2)
    subject.one_step(fresh)
    for a, b in zip(learned, fresh.text_encoder.variables, strict=True):
        np.testing.assert_array_equal(a, b)


# The schemes' own parts -------------------------------------------------------------------------------------------


def constant_judge(value):
    """Scores the mean of the pixels by itself, so that losses can be told by hand."""
    images, codes = keras.Input((8, 8, 1)), keras.Input((6,))
    scores = keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(value))
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(images), codes])
    return keras.Model([images, codes], scores(joined))


@pytest.mark.parametrize(("weight", "terms"), [(0.0, 1), (1.0, 2), (0.5, 1.5)])
def test_interpolation_adds_its_term_to_the_generators_loss(model, weight, terms):
    model = small_model("text_to_image")
    model.discriminator, model.interpolation_weight = constant_judge(0.0), weight
    model.contrast_weight = 0.0
    tokens = model.tokenizer(tf.constant(["red", "blue"]))
    codes, wrong, differs = opened(model.with_wrong_texts, tokens)
    fake = tf.zeros((2, 8, 8, 1))
    loss, _ = opened(model.generator_loss, fake, codes, fake, codes, wrong, differs)
    assert float(loss) == pytest.approx(terms * LOG_2, rel=1e-5)


@pytest.mark.parametrize("scheme", ["text_to_image", "df_gan", "stackgan"])
def test_a_contrast_is_added_to_the_generators_loss_by_its_weight(scheme):
    """Of a judge that scores the first number of the code: right 2, wrong -1."""
    model = small_model(scheme)
    judge = constant_judge(0.0)
    judge.layers[-1].kernel.assign(np.concatenate([np.zeros((64, 1)), [[1.0]], np.zeros((5, 1))]))
    model.discriminator, model.interpolation_weight = judge, 0.0
    right, wrong = (tf.constant([[value, 0, 0, 0, 0, 0]] * 2, tf.float32) for value in (2.0, -1.0))
    fake = tf.zeros((2, 8, 8, 1))

    def loss(weight):
        model.contrast_weight = weight
        model.step.assign(4)
        arguments = (judge, right, wrong, column(1, 1))
        if scheme != "stackgan":
            arguments = fake, right, fake, right, wrong, column(1, 1)
        return float(opened(model.generator_loss, *arguments)[0])

    assert loss(0.5) - loss(0.0) == pytest.approx(0.5 * np.log1p(np.exp(-3.0)), abs=1e-5)


def test_a_stage_s_divergence_is_added_to_the_generators_loss_by_its_weight():
    model = small_model("stackgan")
    right, wrong = tf.ones((2, 6)), tf.zeros((2, 6))
    model.step.assign(4)

    def loss(weight):
        model.divergence_weight = weight
        found, curves = opened(model.generator_loss, constant_judge(0.0), right, wrong, column(1, 1))
        return float(found), float(curves["augmentation_divergence"])

    (none, divergence), (some, _) = loss(0.0), loss(3.0)
    assert divergence > 0 and some - none == pytest.approx(3.0 * divergence, rel=1e-3)


def test_realness_is_asked_of_the_stage_s_judge_without_its_training_mode(monkeypatch):
    model, asked = small_model("stackgan"), []
    scored = type(model.discriminator).call

    def call(self, *args, training=None, **kwargs):
        asked.append((self, training))
        return scored(self, *args, training=training, **kwargs)

    monkeypatch.setattr(type(model.discriminator), "call", call)
    pictures, texts = tf.zeros((2, 8, 8, 1)), tf.constant(["red", "blue"])
    for step, judge in ((2, model.stage_1_discriminator), (4, model.discriminator)):
        model.step.assign(step)
        for options, training in (({}, False), ({"training": True}, True)):
            asked.clear()
            assert model.realness(pictures, texts, **options).shape == (2,)
            assert [mode for network, mode in asked if network is judge] == [training]


def test_what_lies_between_is_of_each_two_neighbours_and_of_the_length_of_all():
    model, codes = small_model("text_to_image"), tf.eye(6)[:3]
    model.normalized_codes = False
    np.testing.assert_allclose(model.codes_between(codes), [[0.5, 0.5, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]])
    np.testing.assert_allclose(model.codes_between(codes[:1]), codes[:1])
    assert model.codes_between(tf.eye(6)[:4]).shape == (2, 6)
    model.normalized_codes = True
    expected = np.array([[3**0.5, 3**0.5, 0, 0, 0, 0], [0, 0, 6**0.5, 0, 0, 0]])
    np.testing.assert_allclose(model.codes_between(codes), expected, rtol=1e-6)


def test_the_matching_aware_penalty_is_the_power_of_both_slopes_added():
    model = small_model("df_gan")
    images, codes = tf.zeros((2, 8, 8, 1)), tf.zeros((2, 6))
    model.discriminator = constant_judge(0.0)
    kernel = model.discriminator.layers[-1].kernel
    # Slopes of 0.1 at each of 64 pixels, norm 0.8, and of 0.2 at the first of 6 numbers of the text.
    kernel.assign(np.concatenate([np.full((64, 1), 0.1), [[0.2]], np.zeros((5, 1))]))
    loss, curves = model.discriminator_loss(images, codes, codes, column(1, 1), images, codes)
    assert float(curves["gradient_penalty"]) == pytest.approx(1.0, rel=1e-4)
    assert float(loss) == pytest.approx(2.0 + 2.0, rel=1e-4)
    kernel.assign(0.5 * kernel)
    loss, curves = model.discriminator_loss(images, codes, codes, column(1, 1), images, codes)
    assert float(curves["gradient_penalty"]) == pytest.approx(0.5**6, rel=1e-4)


def test_stage_one_stands_still_in_stage_two_its_batch_statistics_too():
    model = small_model("stackgan")
    model.step.assign(2)
    subject.one_step(model)
    model.step.assign(4)
    stage_1 = [model.stage_1_generator, model.stage_1_discriminator, model.text_encoder, model.image_encoder]
    before = [[v.numpy() for v in network.variables] for network in stage_1]
    second = [v.numpy() for v in model.generator.variables]
    subject.one_step(model)
    for network, values in zip(stage_1, before, strict=True):
        for a, b in zip(values, network.variables, strict=True):
            np.testing.assert_array_equal(a, b)
    assert sum(not np.array_equal(a, b) for a, b in zip(second, model.generator.variables, strict=True)) > 5


def test_before_stage_two_the_samples_are_those_of_stage_one_enlarged():
    model = small_model("stackgan")
    model.step.assign(3)
    sample = model.sample(2, seed=5)
    np.testing.assert_array_equal(sample[:, ::2, ::2], sample[:, 1::2, 1::2])
    model.step.assign(4)
    later = model.sample(2, seed=5)
    assert (later[:, ::2, ::2] != later[:, 1::2, 1::2]).any()


@pytest.mark.parametrize(("prior", "scale"), [("normal", 1.0), ("uniform", 3.0**0.5)])
def test_a_latent_holds_the_noise_of_both_stages_too(prior, scale):
    model = small_model("stackgan")
    model.latent_prior = prior
    model.step.assign(4)
    sizes = [
        network.inputs[place].shape[-1]
        for network, place in zip(
            (model.stage_1_generator, model.stage_1_generator, model.generator), (0, 2, 2), strict=True
        )
    ]
    assert model.latent_dim == sum(sizes) and min(sizes) >= 4
    latents, codes = model.latents(2), tf.constant(model.encode_text(["red", "blue"]))
    z, noise, later = tf.split(latents, sizes, axis=1)
    small = model.stage_1_generator([z, codes, scale * noise], training=False)[0]
    np.testing.assert_allclose(model.small_picture_of(latents, codes), small, atol=1e-6)
    expected = model.generator([small, codes, scale * later], training=False)[0]
    np.testing.assert_allclose(model.picture_of(latents, codes), expected, atol=1e-6)
    # Each part changes the picture.
    for part in range(3):
        changed = tf.concat([each + float(place == part) for place, each in enumerate((z, noise, later))], axis=1)
        assert np.abs(model.picture_of(changed, codes) - expected).max() > 1e-4


def test_stage_one_learns_images_whose_pixels_are_means():
    model = small_model("stackgan")
    image = np.arange(64, dtype="float32").reshape(1, 8, 8, 1)
    assert model.smaller(image)[0, 0, 0, 0] == (0 + 1 + 8 + 9) / 4
    assert model.small_shape() == (4, 4, 1)


# Sampling ---------------------------------------------------------------------------------------------------------


def test_samples_are_of_the_texts_that_are_given(model):
    one = model.sample(3, seed=2, texts="a red circle")
    np.testing.assert_array_equal(one, model.sample(3, seed=2, texts=["a red circle"] * 3))
    np.testing.assert_array_equal(one[1:2], model.sample(1, seed=3, texts="a RED circle."))
    assert not np.array_equal(one[:1], model.sample(1, seed=2, texts="a small blue star"))
    known = model.known_captions()
    given = model.sample(3, seed=2, texts=[known[(2 + place) % len(known)] for place in range(3)])
    np.testing.assert_array_equal(given, model.sample(3, seed=2))
    np.testing.assert_array_equal(model.draw(3, 2)["sample"], given)
    assert model.encode_text(["red", "", "nothing known"]).shape == (3, 6)


def test_texts_that_cannot_be_are_refused(model):
    with pytest.raises(UserError, match="one for each of 3 samples"):
        model.sample(3, texts=["red"])
    with pytest.raises(UserError, match="one for each of 1"):
        model.sample(1, texts=[3])
    with pytest.raises(UserError, match="takes texts=, not labels"):
        model.sample(1, labels=1)
    with pytest.raises(UserError, match="One sample or more"):
        model.sample(0)
    with pytest.raises(UserError, match="XLA"):
        model.compile(jit_compile=True)


def test_captions_are_remembered_evenly():
    assert remembered([]) == ()
    assert remembered(["a", "b", "a"]) == ("a", "b")
    many = remembered([(f"text {place}", "other") for place in range(10_000)])
    assert len(many) == REMEMBERED and len(set(many)) == REMEMBERED and int(many[-1].split()[1]) > 9000


def test_what_is_shown_has_its_captions(model):
    shown = model.shows(None, 64)
    assert shown["captions"] == list(model.texts_for(24)) and shown["samples"].dtype == np.uint8
    real = {"sample": np.zeros((5, 8, 8, 1), np.uint8), "text": [b"red"] * 5}
    assert model.shows_data(real)["real_text"] == ["red"] * 5


def test_networks_that_do_not_fit_are_refused():
    def build(**changes):
        parts = {
            "generator": networks.text_to_image_generator((8, 8, 1), 5, 6, 4),
            "discriminator": networks.text_to_image_discriminator((8, 8, 1), 6, 4),
            "text_encoder": networks.text_encoder(("", "[UNK]", "red"), 6, length=3, units=4),
            "image_encoder": networks.image_encoder((8, 8, 1), 6, 4),
            "tokenizer": Tokenizer(("", "[UNK]", "red"), 3),
        }
        return kg.schemes.TextToImage(**(parts | changes))

    assert build().known_captions() == ("red",)
    with pytest.raises(UserError, match="3 numbers of a text"):
        build(text_encoder=networks.text_encoder(("", "[UNK]", "red"), 6, length=4, units=4))
    with pytest.raises(UserError, match="Received: 6 and 7"):
        build(image_encoder=networks.image_encoder((8, 8, 1), 7, 4))
    with pytest.raises(UserError, match="image encoder takes images"):
        build(image_encoder=networks.image_encoder((16, 16, 1), 6, 4))
    with pytest.raises(UserError, match="generator's second input is the text's code, 6"):
        build(generator=networks.text_to_image_generator((8, 8, 1), 5, 7, 4))
    for name in ("stem_filters", "joint_filters"):
        with pytest.raises(UserError, match=f"{name} is a whole number"):
            networks.text_to_image_discriminator((8, 8, 1), 6, 4, **{name: -1})
    with pytest.raises(UserError, match="discriminator's second input"):
        build(discriminator=networks.dcgan_discriminator((8, 8, 1), 4))
    wrong = {"wrong_text_weight": 1.0, "encoder_steps": -1, "interpolation_weight": -1.0, "contrast_weight": -1.0}
    for name, value in (wrong | {"wrong_text_candidates": 0, "normalized_codes": 1, "hardest_negatives": 1}).items():
        with pytest.raises(UserError, match=name):
            build(**{name: value})


@pytest.mark.parametrize("name", ["text_to_image_discriminator", "df_gan_discriminator"])
def test_a_projection_is_a_product_of_text_and_image_beside_what_the_image_alone_says(name):
    """b(x) + <p(x), t> / sqrt(d): a difference of texts counts by what it has in common with the image's answer."""
    judge = getattr(networks, name)((8, 8, 1), 4, 4, conditioning="projection")
    image = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 1)).astype("float32")
    codes = np.concatenate([np.zeros((1, 4)), np.eye(4), [[1.0, -2.0, 0.0, 0.5]]]).astype("float32")
    nothing, *units, mixed = judge([np.repeat(image, 6, axis=0), codes], training=False).numpy().ravel()
    parts = keras.Model(judge.inputs, [judge.get_layer(part).output for part in ("unconditional_score", "projection")])
    alone, wanted = (part.numpy().ravel() for part in parts([image, codes[:1]], training=False))
    np.testing.assert_allclose(nothing, alone[0], atol=1e-6)
    np.testing.assert_allclose(np.array(units) - nothing, wanted / 2.0, atol=1e-5)
    assert mixed == pytest.approx(alone[0] + (wanted[0] - 2.0 * wanted[1] + 0.5 * wanted[3]) / 2.0, abs=1e-5)
    assert np.abs(wanted).max() > 1e-3


def test_a_text_in_the_blocks_sets_gain_and_offset_of_each_channel():
    x, condition = keras.Input((2, 2, 3)), keras.Input((2,))
    layer = keras.Model([x, condition], modulated(x, branches(condition, 1)))
    maps = np.random.default_rng(0).normal(size=(1, 2, 2, 3)).astype("float32")
    gains, gain_biases, offsets, offset_biases = (variable.numpy().copy() for variable in layer.trainable_variables)
    assert np.all(gain_biases == 1) and np.all(offset_biases == 0) and 0 < np.abs(gains).max() < 0.1
    weights = [[1, 0, 0], [0, 2, 0]], [1, 1, 1], [[0, 0, 3], [0, 0, 0]], [0, 0, 0.5]
    layer.set_weights([np.array(each, "float32") for each in weights])
    found = layer([maps, np.array([[1.0, 0.5]], "float32")])
    np.testing.assert_allclose(found, maps * [2, 2, 1] + [0, 0, 3.5], rtol=1e-6)


def test_only_with_the_text_in_its_blocks_does_a_generator_hear_it_behind_its_first_layer():
    """With the first layer's weights of the text at 0, what is drawn depends on the text by the blocks alone."""
    codes, latents = np.eye(4, 4, dtype="float32"), np.zeros((4, 5), "float32")
    for in_blocks in (False, True):
        generator = networks.text_to_image_generator((8, 8, 1), 5, 4, 4, text_units=3, text_in_blocks=in_blocks)
        first = next(layer for layer in generator.layers if getattr(layer, "units", 0) == 2 * 4 * 4 * 4)
        first.kernel.assign(np.concatenate([first.kernel[:5], np.zeros((3, 128))]))
        images = generator([latents + 1.0, codes], training=False).numpy()
        assert (np.ptp(images, axis=0).max() > 1e-5) == in_blocks


def test_only_with_the_text_in_their_blocks_do_both_stages_hear_it_behind_the_layer_where_it_is_joined():
    """With that layer's weights of the text at 0, what either stage draws depends on the text by its blocks alone."""
    codes, noise, sizes = np.eye(4, 4, dtype="float32"), np.zeros((4, 3), "float32"), (4, 3, 4)
    for in_blocks in (False, True):
        stage_1 = networks.stackgan_stage_1_generator((8, 8, 1), 5, *sizes, text_in_blocks=in_blocks)
        joined = next(layer for layer in stage_1.layers if getattr(layer, "units", 0) == 2 * 4 * 4 * 4)
        joined.kernel.assign(np.concatenate([np.zeros((3, 128)), joined.kernel[3:]]))
        small, *_ = stage_1([np.ones((4, 5), "float32"), codes, noise], training=False)
        assert (np.ptp(small, axis=0).max() > 1e-5) == in_blocks
        stage_2 = networks.stackgan_generator((8, 8, 1), *sizes, text_in_blocks=in_blocks)
        joined = next(layer for layer in stage_2.layers if getattr(layer, "kernel", noise).shape[-2] == 16 + 3)
        joined.kernel.assign(np.concatenate([joined.kernel[:, :, :16], np.zeros((3, 3, 3, 16))], axis=2))
        large, *_ = stage_2([np.ones((4, 4, 4, 1), "float32"), codes, noise], training=False)
        assert (np.ptp(large, axis=0).max() > 1e-5) == in_blocks


def test_a_conditioning_is_one_that_there_is_and_takes_no_other_ones_options():
    for name in ("text_to_image_discriminator", "df_gan_discriminator"):
        with pytest.raises(UserError, match="projection"):
            getattr(networks, name)((8, 8, 1), 6, 4, conditioning="projektion")
    for option in ("text_units", "joint_filters"):
        with pytest.raises(UserError, match=f"{option}=5"):
            networks.text_to_image_discriminator((8, 8, 1), 6, 4, conditioning="projection", **{option: 5})


def test_stages_that_do_not_fit_are_refused():
    model = small_model("stackgan")
    config = {name: getattr(model, name) for name in (*model.network_names(), "tokenizer")}
    with pytest.raises(UserError, match="stage_1_steps"):
        kg.schemes.StackGAN(**config, stage_1_steps=1.5)
    for weight in ("divergence_weight", "contrast_weight"):
        with pytest.raises(UserError, match=f"{weight}.*Received: -1"):
            kg.schemes.StackGAN(**config, **{weight: -1.0})
    with pytest.raises(UserError, match="stage_1_discriminator takes images"):
        kg.schemes.StackGAN(**config | {"stage_1_discriminator": model.discriminator})
    with pytest.raises(UserError, match="Received one of 2 inputs and 1 outputs"):
        kg.schemes.StackGAN(**config | {"generator": networks.text_to_image_generator((8, 8, 1), 5, 6, 4)})
    with pytest.raises(UserError, match="can be halved"):
        networks.stackgan_generator((6, 6, 1))
    with pytest.raises(UserError, match="batch normalization"):
        small_model("df_gan", discriminator={"name": "text_to_image_discriminator"})
