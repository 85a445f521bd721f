"""Every loss against numbers derived by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import losses

ZERO = tf.zeros((4, 1))


def column(*values):
    return tf.constant([[value] for value in values], tf.float32)


def softplus(x):
    return math.log1p(math.exp(x))


def test_cross_entropy_at_the_equilibrium():
    assert float(losses.minimax_discriminator(ZERO, ZERO)) == pytest.approx(2 * math.log(2), abs=1e-6)
    assert float(losses.non_saturating_generator(ZERO)) == pytest.approx(math.log(2), abs=1e-6)
    assert float(losses.minimax_generator(ZERO)) == pytest.approx(-math.log(2), abs=1e-6)


def test_cross_entropy_away_from_the_equilibrium():
    real, fake = column(1.0, -2.0), column(0.5, 3.0)
    expected = (softplus(-1.0) + softplus(2.0)) / 2 + (softplus(0.5) + softplus(3.0)) / 2
    assert float(losses.minimax_discriminator(real, fake)) == pytest.approx(expected, abs=1e-5)
    # log(1 - sigmoid(l)) = -softplus(l); -log sigmoid(l) = softplus(-l)
    assert float(losses.minimax_generator(fake)) == pytest.approx(-(softplus(0.5) + softplus(3.0)) / 2, abs=1e-5)
    expected = (softplus(-0.5) + softplus(-3.0)) / 2
    assert float(losses.non_saturating_generator(fake)) == pytest.approx(expected, abs=1e-5)


def test_where_the_discriminator_wins_only_the_non_saturating_loss_has_a_gradient():
    scores = tf.Variable(column(-30.0))
    gradients = {}
    for loss in (losses.minimax_generator, losses.non_saturating_generator):
        with tf.GradientTape() as tape:
            value = loss(scores)
        gradients[loss] = float(tape.gradient(value, scores)[0, 0])
    assert abs(gradients[losses.minimax_generator]) < 1e-12
    assert gradients[losses.non_saturating_generator] == pytest.approx(-1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("targets", "score", "discriminator", "generator"),
    [((0.0, 1.0, 1.0), 0.5, 0.25, 0.125), ((-1.0, 1.0, 0.0), 0.0, 1.0, 0.0)],
)
def test_least_squares(targets, score, discriminator, generator):
    a, b, c = targets
    scores = tf.fill((3, 1), score)
    assert float(losses.least_squares_discriminator(scores, scores, a, b)) == pytest.approx(discriminator)
    assert float(losses.least_squares_generator(scores, c)) == pytest.approx(generator)


def test_least_squares_keeps_the_letters_apart():
    real, fake = column(3.0), column(5.0)
    assert float(losses.least_squares_discriminator(real, fake, 1.0, 2.0)) == pytest.approx(0.5 * (1 + 16))
    assert float(losses.least_squares_generator(fake, 4.0)) == pytest.approx(0.5)


def test_wasserstein():
    def critic(x):
        return 2.0 * x + 1.0

    real, fake = critic(column(3.0)), critic(column(1.0))
    assert float(losses.wasserstein_critic(real, fake)) == pytest.approx(-4.0)
    assert float(losses.wasserstein_generator(fake)) == pytest.approx(-3.0)


def test_means_run_over_the_batch_and_over_patches():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 5, 3, 3, 1)).astype("float32")
    whole = float(losses.minimax_discriminator(real, fake))
    flat = float(losses.minimax_discriminator(real.reshape(-1, 1), fake.reshape(-1, 1)))
    assert whole == pytest.approx(flat, abs=1e-6)
    doubled = losses.minimax_discriminator(np.tile(real, (2, 1, 1, 1)), np.tile(fake, (2, 1, 1, 1)))
    assert float(doubled) == pytest.approx(whole, abs=1e-6)


def test_class_losses_at_equal_logits():
    labels = np.array([0, 3, 9])
    assert float(losses.class_cross_entropy(labels, np.zeros((3, 10), "float32"))) == pytest.approx(2.3026, abs=1e-4)
    eleven = np.zeros((2, 11), "float32")
    np.testing.assert_allclose(losses.not_fake(eleven), -np.log(10 / 11), atol=1e-5)
    np.testing.assert_allclose(losses.is_fake(eleven), np.log(11), atol=1e-5)


def test_the_fixed_logit_makes_d_equal_z_over_z_plus_one():
    logits = np.array([[0.3, -1.2, 2.0]], "float32")
    z = np.exp(logits).sum()
    real = np.exp(-np.asarray(losses.not_fake(losses.with_fake_logit(logits))))
    fake = np.exp(-np.asarray(losses.is_fake(losses.with_fake_logit(logits))))
    np.testing.assert_allclose(real, z / (z + 1), rtol=1e-5)
    np.testing.assert_allclose(real + fake, 1.0, rtol=1e-5)


def test_feature_matching_is_the_squared_distance_of_means():
    assert float(losses.feature_matching(np.array([1.0, 2.0]), np.array([3.0, 5.0]))) == 13.0


def test_hinge():
    # Beyond the margin nothing is left: 1 - 2 and 1 + -3 count as 0.
    real, fake = column(2.0, -0.5), column(-3.0, 0.25)
    assert float(losses.hinge_discriminator(real, fake)) == pytest.approx((0 + 1.5) / 2 + (0 + 1.25) / 2)
    assert float(losses.hinge_discriminator(ZERO, ZERO)) == 2.0
    assert float(losses.hinge_generator(fake)) == pytest.approx(2.75 / 2)


def test_relativistic_pairing_compares_row_by_row():
    real, fake = column(2.0, -1.0), column(0.5, 1.0)
    expected = (softplus(-1.5) + softplus(2.0)) / 2
    assert float(losses.relativistic_pairing_discriminator(real, fake)) == pytest.approx(expected, abs=1e-6)
    expected = (softplus(1.5) + softplus(-2.0)) / 2
    assert float(losses.relativistic_pairing_generator(real, fake)) == pytest.approx(expected, abs=1e-6)
    assert float(losses.relativistic_pairing_discriminator(ZERO, ZERO)) == pytest.approx(math.log(2), abs=1e-6)
    # A score has no scale of its own: what is added to both sides changes nothing.
    moved = losses.relativistic_pairing_discriminator(real + 7.0, fake + 7.0)
    assert float(moved) == pytest.approx(float(losses.relativistic_pairing_discriminator(real, fake)), abs=1e-5)


def test_a_joint_embedding_wants_each_text_to_agree_with_its_own_image_by_a_margin():
    images = np.array([[1.0, 0.0], [0.0, 2.0], [0.5, 0.0]], "float32")
    texts = np.array([[2.0, 0.0], [0.0, 1.0], [0.0, 1.0]], "float32")
    # image . text, a row for each image: [[2, 0, 0], [0, 2, 2], [1, 0, 0]]
    of_images = [0, 0, 0, 1, 2, 1]  # [1 + 0 - 2] twice, [1 + 0 - 2, 1 + 2 - 2], [1 + 1 - 0, 1 + 0 - 0]
    of_texts = [0, 1, 0, 3, 0, 0]  # texts 2 and 3 beside image 1; 1 and 3 beside 2: [1 + 2 - 0]; 1 and 2 beside 3
    expected = (sum(of_images) + sum(of_texts)) / 6
    assert float(losses.structured_joint_embedding(texts, images)) == pytest.approx(expected)
    # Rows 2 and 3 of one class: their two pairs count no more, of which the texts' 3 and the images' 1 and 1.
    expected = (2 + 1) / 4
    assert float(losses.structured_joint_embedding(texts, images, np.array([7, 8, 8]))) == pytest.approx(expected)
    assert float(losses.structured_joint_embedding(texts, images, np.array([1, 1, 1]))) == 0.0
    assert float(losses.structured_joint_embedding(0 * texts, 0 * images)) == 2.0
    # Each with its own by 4, with others by 0.
    assert float(losses.structured_joint_embedding(2 * np.eye(3, dtype="f"), 2 * np.eye(3, dtype="f"))) == 0.0
