"""pix2pix: its losses by hand, a discriminator that sees the source, and the ways to give it pairs."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.training import recipe as recipes
from keras_gans.training.train import open_data
from tests.small import small_model
from tests.test_cyclegan import SHAPE, constant_judge, identity, images

PAIR_SHAPE = (*SHAPE[:2], 2 * SHAPE[-1])


def pix2pix(score=0.0, **options):
    model = kg.schemes.Pix2Pix(identity(weight=0.5), constant_judge(PAIR_SHAPE, score), **options)
    model.compile()
    return model


def losses_of(model, a, b):
    found = model.player_losses(tf.constant(a), tf.constant(b))
    return [{name: float(value) for name, value in each.items()} for each in found]


def test_losses_by_hand():
    a, b = images(4), images(4, 1)
    losses, curves = losses_of(pix2pix(score=np.log(3.0)), a, b)
    # The sigmoid of log 3 is 3/4, of real and of translated pairs alike.
    error = np.abs(b - 0.5 * a).mean()
    assert curves["error"] == pytest.approx(error, rel=1e-5)
    assert losses["generator"] == pytest.approx(np.log(4.0 / 3.0) + 100.0 * error, rel=1e-5)
    assert losses["discriminator"] == pytest.approx(0.5 * (np.log(4.0 / 3.0) + np.log(4.0)), rel=1e-5)
    losses, _ = losses_of(pix2pix(0.25, adversarial_loss="least_squares", error_weight=2.0), a, b)
    assert losses["generator"] == pytest.approx(0.75**2 + 2.0 * error, rel=1e-5)
    assert losses["discriminator"] == pytest.approx(0.5 * (0.75**2 + 0.25**2), rel=1e-5)
    losses, _ = losses_of(pix2pix(adversarial_weight=0.0, error_weight=1.0), a, b)
    assert losses["generator"] == pytest.approx(error, rel=1e-5)


def test_the_discriminator_comes_to_tell_whose_translation_it_is():
    """Real targets of other sources are as real as any, but for the source beside them."""
    keras.utils.set_random_seed(0)
    source = kg.data.open_source("photographed_digits")
    a, b = (kg.pixels.from_uint8(source.columns[f"image_{side}"].values[:512]).numpy() for side in "ab")
    judge = kg.networks.patch_discriminator((8, 8, 4), base_filters=16)
    model = kg.schemes.Pix2Pix(kg.networks.unet_translator((8, 8, 3), 1, base_filters=4), judge)
    optimizer = keras.optimizers.Adam(2e-3)

    @tf.function(autograph=False)
    def step(a, real, other):
        with tf.GradientTape() as tape:
            loss = kg.losses.minimax_discriminator(model._scores(a, real), model._scores(a, other))
        optimizer.apply(tape.gradient(loss, judge.trainable_variables), judge.trainable_variables)

    for start in range(0, 5 * 480, 32):
        rows = slice(start % 480, start % 480 + 32)
        step(a[rows], b[rows], np.roll(b[rows], 5, axis=0))
    held_a, held_b = a[480:], b[480:]
    judged = model.judged({"image_a": held_a, "image_b": held_b}, {"image_b": np.roll(held_b, 5, axis=0)})
    right, wrong = judged["discriminator"]
    assert np.mean(right.numpy() > wrong.numpy()) > 0.7


def test_networks_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match=r"discriminator is shown images \(8, 8, 2\), but it takes \(8, 8, 1\)"):
        kg.schemes.Pix2Pix(identity(), constant_judge())
    with pytest.raises(UserError, match="Unknown loss 'lgo'. Did you mean 'log'"):
        pix2pix(adversarial_loss="lgo")


def test_it_translates_one_way_and_shows_the_truth_below():
    model = small_model("pix2pix")
    with pytest.raises(UserError, match="Unknown direction 'b_to_a'"):
        model.translate(images(2), "b_to_a")
    rows = {name: (np.abs(images(6, seed)) * 255).astype("uint8") for seed, name in enumerate(("image_a", "image_b"))}
    shown = model.shows(rows, 18)
    expected = [rows["image_a"], model.translate(rows["image_a"]), rows["image_b"]]
    np.testing.assert_array_equal(shown["a_to_b"], kg.drawing.picture.rows(expected, 6))


# Pairs ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def halves(tmp_path):
    """A folder of four images of two halves, dark on the left and light on the right."""
    for index in range(4):
        pixels = np.full((20, 48, 3), 10 * index, "uint8")
        pixels[:, 24:] = 255 - 10 * index
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    return tmp_path


def test_images_of_two_halves(halves):
    source = kg.data.open_source(f"halves:{halves}", image_size=16)
    assert source.groups == [0] and set(source.columns) == {"image_a", "image_b"}
    a, b = (source.columns[f"image_{side}"].values for side in "ab")
    assert a.shape == b.shape == (4, 16, 16, 3)
    assert a[2, 0, 0, 0] == 20 and b[2, 0, 0, 0] == 235
    other = kg.data.open_source(kg.data.Halves(halves, reverse=True), image_size=16)
    np.testing.assert_array_equal(other.columns["image_a"].values, b)
    assert other.name == f"reversed-halves:{halves}"


def test_an_odd_width_is_named(halves):
    Image.new("RGB", (31, 20)).save(halves / "odd.png")
    with pytest.raises(UserError, match=r"odd.png \(its width of 31 pixels does not make two halves"):
        kg.data.open_source(f"halves:{halves}")


def test_two_collections_are_no_pairs():
    recipe = recipes.named("pix2pix").replace(data="digit_styles")
    with pytest.raises(UserError, match="pix2pix learns from pairs, and no two images of 'digit_styles' belong"):
        open_data(recipe)
    assert open_data(recipes.named("cyclegan")).groups == [0, 1]
