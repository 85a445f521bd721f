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
    # The worst pair of each image alone, [0, 1, 2], and of each text, [0, 0, 3]; in classes [0, 0, 2] and [0, 0, 1].
    assert float(losses.structured_joint_embedding(texts, images, hardest=True)) == pytest.approx((3 + 3) / 3)
    found = losses.structured_joint_embedding(texts, images, np.array([7, 8, 8]), hardest=True)
    assert float(found) == pytest.approx((2 + 1) / 3)
    assert float(losses.structured_joint_embedding(0 * texts, 0 * images, hardest=True)) == 2.0
    # Each with its own by 4, with others by 0.
    assert float(losses.structured_joint_embedding(2 * np.eye(3, dtype="f"), 2 * np.eye(3, dtype="f"))) == 0.0


# Sentences ------------------------------------------------------------------------------------------------------


def test_token_cross_entropy_by_hand():
    logits = tf.constant([[[0.0, 0.0, 0.0, 0.0], [math.log(3.0), 0.0, 0.0, 0.0]]])
    tokens = tf.constant([[2, 0]])
    found = losses.token_cross_entropy(tokens, logits)
    np.testing.assert_allclose(found, [[math.log(4), math.log(2)]], rtol=1e-6)
    # log-probabilities of the second place: log 1/2, and three times log 1/6.
    mean = (math.log(2) + 3 * math.log(6)) / 4
    smooth = losses.token_cross_entropy(tokens, logits, 0.1)
    np.testing.assert_allclose(smooth, [[math.log(4), 0.9 * math.log(2) + 0.1 * mean]], rtol=1e-6)


def policy_gradients(baseline, draws=200_000):
    """(Monte-Carlo gradients of a policy of five, one a row of draws; the exact gradient of -E R)."""
    generator = np.random.default_rng(0)
    logits, rewards = generator.normal(size=5), np.array([0.9, 0.1, 0.4, 0.7, 0.2])
    probabilities = np.exp(logits) / np.exp(logits).sum()
    exact = -probabilities * (rewards - probabilities @ rewards)
    drawn = tf.constant(generator.choice(5, size=draws, p=probabilities))
    variable = tf.Variable(np.tile(logits, (draws, 1)).astype("float32"))
    with tf.GradientTape() as tape:
        chosen = tf.gather(tf.nn.log_softmax(variable), drawn, axis=1, batch_dims=1)
        each = losses.reinforce(chosen, tf.gather(tf.constant(rewards, tf.float32), drawn), baseline)
        loss = tf.reduce_sum(each)
    return tape.gradient(loss, variable).numpy(), exact, probabilities @ rewards


def test_reinforce_is_the_gradient_of_the_expected_reward():
    variances = []
    for baseline in (0.0, None):
        _, exact, expected = policy_gradients(0.0, draws=2)
        gradients, _, _ = policy_gradients(expected if baseline is None else baseline)
        found = gradients.mean(axis=0)
        cosine = found @ exact / np.linalg.norm(found) / np.linalg.norm(exact)
        assert cosine >= 0.999 and np.linalg.norm(found - exact) <= 0.03 * np.linalg.norm(exact)
        variances.append(gradients.var(axis=0).sum())
    assert variances[1] < 0.5 * variances[0], "a baseline of the expected reward makes it less noisy"


def test_reinforce_by_hand_and_its_sign():
    log_probabilities = tf.Variable([-2.0, -3.0])
    rewards, baseline = tf.Variable([0.9, 0.1]), tf.Variable(0.5)
    with tf.GradientTape() as tape:
        loss = losses.reinforce(log_probabilities, rewards, baseline)
        total = tf.reduce_sum(loss)
    np.testing.assert_allclose(loss, [0.8, -1.2], rtol=1e-6)
    own, *none = tape.gradient(total, [log_probabilities, rewards, baseline])
    # A descent raises the probability of what was rewarded above the baseline.
    np.testing.assert_allclose(own, [-0.4, 0.4], rtol=1e-6)
    assert none == [None, None]


def test_minimum_risk_by_hand():
    log_probabilities = tf.constant([[math.log(0.3), math.log(0.1), math.log(0.3)]])
    risks, first = tf.constant([[0.2, 0.8, 0.2]]), tf.constant([[True, True, False]])
    # The third is the first once more: Q is 3/4 and 1/4 at sharpness 1, and the even mean at 0.
    assert float(losses.minimum_risk(log_probabilities, risks, first, 1.0)[0]) == pytest.approx(0.35, abs=1e-6)
    assert float(losses.minimum_risk(log_probabilities, risks, first, 0.0)[0]) == pytest.approx(0.5, abs=1e-6)


def test_minimum_risk_makes_the_lesser_risk_likelier():
    logits = tf.Variable([[0.0, 0.0]])
    with tf.GradientTape() as tape:
        loss = losses.minimum_risk(
            tf.nn.log_softmax(logits), tf.constant([[0.1, 0.9]]), tf.constant([[True, True]]), 1.0
        )
    # d/d logit_i of sum Q r is Q_i (r_i - E r).
    np.testing.assert_allclose(tape.gradient(loss, logits), [[-0.2, 0.2]], rtol=1e-5)


def test_sentence_bleu_is_sacrebleus():
    from sacrebleu.metrics import BLEU

    from keras_gans.sentence_bleu import sentence_bleu

    generator = np.random.default_rng(0)
    pairs = [(generator.integers(4, 9, generator.integers(1, 12)), generator.integers(4, 9, 8)) for _ in range(30)]
    pairs += [(pairs[0][1], pairs[0][1]), (np.array([9, 9, 9]), pairs[0][1])]
    tokens, references = (
        np.array([np.pad(np.append(pair[side], 2), (0, 14 - len(pair[side]))) for pair in pairs], "int32")
        for side in (0, 1)
    )
    found = sentence_bleu(tf.constant(tokens), tf.constant(references)).numpy()
    metric = BLEU(tokenize="none", smooth_method="add-k", smooth_value=1, effective_order=False)
    for score, (own, reference) in zip(found, pairs, strict=True):
        texts = [" ".join(map(str, words)) for words in (own, reference)]
        assert 100 * score == pytest.approx(metric.sentence_score(texts[0], [texts[1]]).score, abs=1e-3), texts
    assert found[-2] == pytest.approx(1.0) and found[-1] == 0.0


# By hand, of numbers that no two terms share -----------------------------------------------------------------------


def test_defaults_of_least_squares_are_the_papers_targets():
    # 1/2 of (0.5 - 1)^2 and 1/2 of 0.2^2; 1/2 of (0.2 - 1)^2
    assert float(losses.least_squares_discriminator(column(0.5), column(0.2))) == pytest.approx(0.145)
    assert float(losses.least_squares_generator(column(0.2))) == pytest.approx(0.32)


def test_rows_are_real_or_fake_by_their_last_logit():
    logits = tf.math.log(tf.constant([[1.0, 2.0, 5.0], [3.0, 6.0, 1.0]]))
    np.testing.assert_allclose(losses.not_fake(logits), [-math.log(3 / 8), -math.log(9 / 10)], rtol=1e-5)
    np.testing.assert_allclose(losses.is_fake(logits), [-math.log(5 / 8), -math.log(1 / 10)], rtol=1e-5)


def test_disagreement_of_two_passes():
    logits = tf.math.log(tf.constant([[0.8, 0.2], [0.5, 0.5]]))
    others = tf.math.log(tf.constant([[0.3, 0.7], [0.5, 0.5]]))
    # 0.5^2 twice in the first row, nothing in the second
    assert float(losses.disagreement(logits, others)) == pytest.approx(0.25, rel=1e-5)


def test_errors_of_reconstructions():
    samples, copies = tf.constant([[1.0, -2.0], [0.5, 0.0]]), tf.constant([[0.0, 1.0], [1.0, 0.0]])
    assert float(losses.reconstruction_error(samples, copies)) == pytest.approx(4.5 / 4)
    assert float(losses.squared_reconstruction_error(samples, copies)) == pytest.approx(10.25 / 4)
    assert float(losses.feature_error(samples, copies)) == pytest.approx((10.0 + 0.25) / 4)


def test_the_balance_of_began():
    def control(*numbers):
        return float(losses.equilibrium_control(*map(tf.constant, numbers)))

    assert control(0.0, 0.2, 0.05, 0.5, 0.001) == pytest.approx(5e-5, rel=1e-4)
    assert control(0.4, 0.2, 0.3, 0.5, 0.1) == pytest.approx(0.38)
    assert control(0.0, 0.2, 0.3, 0.5, 1.0) == 0.0
    assert control(0.95, 2.0, 0.1, 0.5, 1.0) == 1.0
    assert float(losses.convergence_measure(tf.constant(0.2), 0.05, 0.5)) == pytest.approx(0.25)
    assert float(losses.convergence_measure(tf.constant(0.2), 0.4, 0.5)) == pytest.approx(0.5)


def test_divergences_from_the_normal_distribution():
    mean, log_variance = tf.constant([[1.0, 0.0], [0.0, 2.0]]), tf.constant([[0.0, 0.0], [1.0, 0.0]])
    # 1/2 and (e - 2)/2 + 2, the mean over rows
    expected = (0.5 + (math.e - 2.0) / 2 + 2.0) / 2
    assert float(losses.divergence_from_standard_normal(mean, log_variance)) == pytest.approx(expected, rel=1e-5)
    # The same by deviations, and the mean over all four coordinates.
    assert float(losses.augmentation_divergence(mean, log_variance / 2)) == pytest.approx(expected / 2, rel=1e-5)


def test_contrast_of_patches():
    keys = tf.constant([[[1.0, 0.0], [0.0, 1.0]]])
    queries = tf.constant([[[0.6, 0.8], [0.0, 1.0]]])
    # Products 0.6, 0.8 and 0, 1, over a temperature of a half.
    expected = (softplus((0.8 - 0.6) / 0.5) + softplus((0.0 - 1.0) / 0.5)) / 2
    assert float(losses.patch_nce(queries, keys, 0.5)) == pytest.approx(expected, rel=1e-5)
    assert float(losses.patch_nce(queries, keys)) == pytest.approx(
        (softplus(0.2 / 0.07) + softplus(-1.0 / 0.07)) / 2, rel=1e-5
    )
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([queries, keys])
        loss = losses.patch_nce(queries, keys)
    assert tape.gradient(loss, keys) is None and tape.gradient(loss, queries) is not None


@pytest.mark.parametrize("weight", [0.5, 0.25])
def test_matching_aware_terms_and_their_weights(weight):
    real, wrong, fake = column(2.0, -2.0), column(-1.5, 3.0), column(-2.5, 0.2)
    of_real = (softplus(-2.0) + softplus(2.0)) / 2
    of_wrong = (softplus(-1.5) + softplus(3.0)) / 2
    of_fake = (softplus(-2.5) + softplus(0.2)) / 2
    given = {} if weight == 0.5 else {"wrong_weight": weight}
    found = losses.matching_aware_discriminator(real, wrong, fake, **given)
    assert float(found) == pytest.approx(of_real + weight * of_wrong + (1 - weight) * of_fake, rel=1e-5)
    # 0 and 3; 0 and 4; 0 and 1.2
    found = losses.matching_aware_hinge(real, wrong, fake, **given)
    assert float(found) == pytest.approx(1.5 + weight * 2.0 + (1 - weight) * 0.6, rel=1e-5)
    # A row without a wrong text says nothing of one.
    rows = {"wrong_scores": column(0.5, 3.0), "fake_scores": fake, "differs": column(1.0, 0.0)}
    found = losses.matching_aware_hinge(real, **rows)
    assert float(found) == pytest.approx(1.5 + 0.5 * 0.75 + 0.5 * 0.6, rel=1e-5)
    found = losses.matching_aware_discriminator(real, **rows)
    assert float(found) == pytest.approx(of_real + 0.25 * softplus(0.5) + 0.5 * of_fake, rel=1e-5)


def test_a_loss_is_one_number():
    """A mean that is left out would be summed by the tape without a word."""
    scores, codes = column(0.1, 0.2), tf.constant([[0.1, 0.2], [0.3, 0.4]])
    of_scores = (losses.minimax_generator, losses.non_saturating_generator, losses.least_squares_generator)
    of_scores += (losses.wasserstein_generator, losses.hinge_generator)
    of_pairs = (losses.minimax_discriminator, losses.least_squares_discriminator, losses.wasserstein_critic)
    of_pairs += (losses.hinge_discriminator, losses.relativistic_pairing_discriminator)
    of_pairs += (losses.relativistic_pairing_generator,)
    of_codes = (losses.reconstruction_error, losses.squared_reconstruction_error, losses.feature_error)
    of_codes += (losses.divergence_from_standard_normal, losses.augmentation_divergence, losses.disagreement)
    of_codes += (losses.structured_joint_embedding, losses.feature_matching)
    values = [loss(scores) for loss in of_scores] + [loss(scores, 2 * scores) for loss in of_pairs]
    values += [loss(codes, 2 * codes) for loss in of_codes]
    matching = (losses.matching_aware_discriminator, losses.matching_aware_hinge)
    values += [loss(scores, scores, scores) for loss in matching]
    values.append(losses.class_cross_entropy(tf.constant([0, 1]), codes))
    assert {tuple(value.shape) for value in values} == {()}
