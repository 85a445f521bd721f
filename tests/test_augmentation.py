"""Random changes of images in a discriminator: what each does, how often, and what follows the overfitting."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.layers import RandomColour, RandomCutout, RandomFlip, RandomShift, Sometimes
from keras_gans.penalties import R1
from keras_gans.training.recipe import named

ALL = {"flip": True, "shift": 0.25, "brightness": 0.5, "saturation": 1.0, "contrast": 0.5, "cutout": 0.5}


def images(count=200, side=8):
    return np.random.default_rng(0).uniform(-1, 1, (count, side, side, 3)).astype("float32")


def changed(layer, batch, step=1):
    with kg.randomness.stream(kg.randomness.root_seed(0, step)):
        return layer(batch, training=True).numpy()


@pytest.mark.parametrize("layer", [RandomFlip(), RandomShift(0.25), RandomColour(), RandomCutout(0.5)])
def test_a_change_is_a_function_of_the_step_and_happens_in_training_alone(layer):
    batch = images(20)
    np.testing.assert_array_equal(changed(layer, batch), changed(layer, batch))
    assert not np.allclose(changed(layer, batch), changed(layer, batch, step=2))
    np.testing.assert_array_equal(layer(batch, training=False), batch)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_flip_mirrors_half_of_the_images():
    batch = images()
    made = changed(RandomFlip(), batch)
    mirrored = (made == batch[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (made == batch).all(axis=(1, 2, 3))).all()
    assert 0.4 < mirrored.mean() < 0.6


def test_a_shift_is_of_whole_pixels_and_moves_in_zeros():
    batch = images()
    made = changed(RandomShift(0.25), batch)
    found = set()
    for before, after in zip(batch, made, strict=True):
        padded = np.pad(before, ((2, 2), (2, 2), (0, 0)))
        places = [(y, x) for y in range(5) for x in range(5) if (padded[y : y + 8, x : x + 8] == after).all()]
        assert len(places) == 1
        found |= set(places)
    # A quarter of eight pixels to either side, each as likely.
    assert len(found) == 25


@pytest.mark.parametrize(("side", "most"), [(16, 1), (28, 1), (32, 1), (64, 2)])
def test_the_recipe_for_any_images_shifts_them_by_a_pixel_or_two(side, most):
    shift = named("dcgan_images").networks["discriminator"]["augmentation"]["shift"]
    batch = np.zeros((200, side, side, 1), np.float32)
    batch[:, 8, 8] = 1.0
    _, *places, _ = np.nonzero(changed(RandomShift(shift), batch))
    assert set(zip(*places, strict=True)) == {
        (8 + y, 8 + x) for y in range(-most, most + 1) for x in range(-most, most + 1)
    }


def test_colour_keeps_means_and_has_the_papers_ranges():
    batch = images()
    # Alone, saturation keeps each pixel's mean and contrast that of each image.
    made = changed(RandomColour(brightness=0.0, contrast=0.0), batch)
    np.testing.assert_allclose(made.mean(axis=3), batch.mean(axis=3), atol=1e-5)
    factors = (made - made.mean(axis=3, keepdims=True)).std(axis=(1, 2, 3)) / (
        batch - batch.mean(axis=3, keepdims=True)
    ).std(axis=(1, 2, 3))
    assert 0 <= factors.min() < 0.1 and 1.9 < factors.max() <= 2.0
    made = changed(RandomColour(brightness=0.0, saturation=0.0), batch)
    np.testing.assert_allclose(made.mean(axis=(1, 2, 3)), batch.mean(axis=(1, 2, 3)), atol=1e-5)
    factors = made.std(axis=(1, 2, 3)) / batch.std(axis=(1, 2, 3))
    assert 0.5 <= factors.min() < 0.55 and 1.45 < factors.max() <= 1.5
    shifts = (changed(RandomColour(saturation=0.0, contrast=0.0), batch) - batch).mean(axis=(1, 2, 3))
    assert -0.5 <= shifts.min() < -0.45 and 0.45 < shifts.max() <= 0.5


def test_a_cutout_is_a_rectangle_around_any_pixel():
    batch = images() + 2.0
    cut = changed(RandomCutout(0.5), batch)[..., 0] == 0
    assert np.isin(batch[..., 0] == 0, False).all()
    rows, columns = cut.any(axis=2).sum(axis=1), cut.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(cut.sum(axis=(1, 2)), rows * columns)
    # Four pixels of eight, fewer where it hangs over the edge.
    assert rows.max() == columns.max() == 4 and rows.min() == 2
    assert cut.any(axis=0).all(), "some pixel is never cut"


def test_sometimes_changes_images_with_its_probability_and_never_where_it_is_0():
    batch = images(1000, 4)
    for probability in (0.0, 0.3, 1.0):
        layer = Sometimes(probability)
        with kg.randomness.stream(kg.randomness.root_seed(0, 1)):
            made = layer([batch, batch + 5.0], training=True).numpy()
        share = (made == batch + 5.0).all(axis=(1, 2, 3)).mean()
        assert share == pytest.approx(probability, abs=0.05 if 0 < probability < 1 else 0)
        assert ((made == batch) | (made == batch + 5.0)).all()


def test_the_probability_follows_the_overfitting_and_stays_a_probability():
    layer = Sometimes(0.5, target=0.6, images=1000)
    layer([images(2), images(2)])
    layer.adapt(tf.constant(0.9), tf.constant(100))
    assert float(layer.chance) == pytest.approx(0.6)
    layer.adapt(tf.constant(0.1), tf.constant(100))
    layer.adapt(tf.constant(0.1), tf.constant(100))
    assert float(layer.chance) == pytest.approx(0.4)
    layer.adapt(tf.constant(0.6), tf.constant(100))
    assert float(layer.chance) == pytest.approx(0.4)
    for sign, end in ((1.0, 1.0), (-1.0, 0.0)):
        for _ in range(12):
            layer.adapt(tf.constant(sign), tf.constant(100))
        assert float(layer.chance) == end


def small_gan(scheme=kg.schemes.R3GAN, augmentation=None, **options):
    generator = kg.networks.dcgan_generator((8, 8, 1), 6, 4)
    augmentation = {"shift": 0.25, "target": 0.0, "images": 100} if augmentation is None else augmentation
    discriminator = kg.networks.dcgan_discriminator((8, 8, 1), 4, normalization=None, augmentation=augmentation)
    model = scheme(generator, discriminator, **options)
    model.compile()
    return model


@pytest.mark.parametrize("scheme", [pytest.param(kg.schemes.R3GAN, marks=pytest.mark.slow), kg.schemes.SNGAN])
def test_a_step_moves_the_probability_by_what_it_reports(scheme, digits):
    model = small_gan(scheme)
    layer = model.discriminator.get_layer("augmentation")
    expected = 0.0
    layer.chance.assign(0.5)
    for step in range(3):
        before = float(layer.chance)
        logs = model.fit(digits[16 * step : 16 * step + 16], batch_size=16, verbose=0).history
        assert logs["augmentation_probability"][0] == pytest.approx(before)
        expected = np.clip(before + np.sign(logs["overfitting"][0]) * 16 / 100, 0, 1)
        assert float(layer.chance) == pytest.approx(expected)
    assert before != 0.5 or expected != 0.5


def test_relativistic_scores_are_compared_and_others_taken_as_they_are():
    real, fake = tf.constant([[3.0], [2.0], [-1.0], [1.0]]), tf.constant([[4.0], [1.0], [-2.0], [0.0]])
    assert float(small_gan().overfitting(real, fake)) == 0.5  # one of four real samples is below its fake
    assert float(small_gan(kg.schemes.SNGAN).overfitting(real, fake)) == 0.5  # one of four is negative
    assert float(small_gan(kg.schemes.SNGAN).overfitting(real - 2.5, fake)) == -0.5


@pytest.mark.slow
def test_replicas_adapt_as_one_device_would(two_replicas, digits):
    chances = []
    for strategy in (None, two_replicas):
        with strategy.scope() if strategy else tf.distribute.get_strategy().scope():
            keras.utils.set_random_seed(0)
            model = small_gan()
            layer = model.discriminator.get_layer("augmentation")
            layer.chance.assign(0.5)
        model.fit(digits[:64], batch_size=16, shuffle=False, verbose=0)
        chances.append(float(layer.chance.numpy()))
    assert chances[0] == pytest.approx(chances[1]) and chances[0] != 0.5


@pytest.mark.slow
def test_the_slope_is_held_through_every_change(digits):
    model = small_gan(augmentation={**ALL, "probability": 0.7, "rotation": 10}, penalties=[R1(5.0)])
    logs = model.fit(digits[:32], batch_size=16, verbose=0).history
    assert np.isfinite(logs["real_gradient_penalty"][0]) and logs["real_gradient_penalty"][0] > 0


def test_what_scores_nothing_cannot_be_followed(digits):
    class Silent(kg.schemes.SNGAN):
        def discriminator_loss(self, real, fake):
            return tf.reduce_mean(self.score(fake)) - tf.reduce_mean(self.score(real)), {}

    with pytest.raises(UserError, match="Leave 'target' out"):
        small_gan(Silent).fit(digits[:16], batch_size=16, verbose=0)


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        (3, "is a dictionary of ranges.*Received: 3"),
        ("flip", "is a dictionary of ranges.*Received: 'flip'"),
        ({"flp": True}, "Did you mean 'flip'"),
        ({"flip": 1}, "true or false. Received: 1"),
        ({"probability": 0.5}, "changes something"),
        ({"flip": False}, "changes something"),
        ({"cutout": 1.5}, "cutout of an augmentation is a number from 0 to 1.*Received: 1.5"),
        ({"shift": -0.1}, "Received: -0.1"),
        ({"contrast": 2}, "contrast"),
        ({"brightness": float("inf")}, "Received: inf"),
        ({"flip": True, "probability": 1.2}, "probability"),
        ({"flip": True, "target": 1}, "between -1 and 1"),
        ({"flip": True, "target": 0.6, "images": 0}, "1 image or more"),
        ("{'shift': 0.1}", "a dictionary of ranges.*Received: \"{'shift': 0.1}\""),
        (3, "a dictionary of ranges.*Received: 3"),
        (False, "a dictionary of ranges.*Received: False"),
    ],
)
def test_impossible_changes_are_refused(augmentation, message):
    with pytest.raises(UserError, match=message):
        kg.networks.dcgan_discriminator((8, 8, 1), 4, augmentation=augmentation)
