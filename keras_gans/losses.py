"""The adversarial losses, one function an equation, all to be minimised.

`real_scores` and `fake_scores` are the discriminator's raw outputs (logits; no sigmoid) on real and on generated
samples, of any shape with the batch first; every function returns a scalar, the mean over all entries.
"""

from keras import ops

from keras_gans.hints import Tensor


def minimax_discriminator(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """-E log D(x) - E log(1 - D(G(z))), with D the sigmoid of the score.

    Goodfellow et al., "Generative Adversarial Networks" (2014), equation 1. At D = 1/2 it is 2 log 2 = 1.386.
    Both terms are summed, not averaged, as in the paper.
    """
    return ops.mean(ops.softplus(-real_scores)) + ops.mean(ops.softplus(fake_scores))


def minimax_generator(fake_scores: Tensor) -> Tensor:
    """E log(1 - D(G(z))): the generator's side of the minimax game, which saturates where D wins.

    Goodfellow et al. (2014), equation 1. At D = 1/2 it is -log 2 = -0.693.
    """
    return -ops.mean(ops.softplus(fake_scores))


def non_saturating_generator(fake_scores: Tensor) -> Tensor:
    """-E log D(G(z)): the same fixed point as the minimax game, with strong gradients where D wins.

    Goodfellow et al. (2014), section 3. At D = 1/2 it is log 2 = 0.693.
    """
    return ops.mean(ops.softplus(-fake_scores))


def least_squares_discriminator(
    real_scores: Tensor, fake_scores: Tensor, fake_target: float = 0.0, real_target: float = 1.0
) -> Tensor:
    """1/2 E (D(x) - b)^2 + 1/2 E (D(G(z)) - a)^2.

    Mao et al., "Least Squares Generative Adversarial Networks" (2017), equation 2.

    Args:
        fake_target: the paper's a.
        real_target: the paper's b.
    """
    real_term = ops.mean(ops.square(real_scores - real_target))
    fake_term = ops.mean(ops.square(fake_scores - fake_target))
    return 0.5 * (real_term + fake_term)


def least_squares_generator(fake_scores: Tensor, generator_target: float = 1.0) -> Tensor:
    """1/2 E (D(G(z)) - c)^2.

    Mao et al. (2017), equation 2.

    Args:
        generator_target: the paper's c, what the generator wants the discriminator to say of its samples.
    """
    return 0.5 * ops.mean(ops.square(fake_scores - generator_target))


def wasserstein_critic(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """E f(G(z)) - E f(x); its negative estimates the Wasserstein-1 distance where f is 1-Lipschitz.

    Arjovsky et al., "Wasserstein GAN" (2017), equation 2 and algorithm 1, line 5, as a loss to be minimised.
    """
    return ops.mean(fake_scores) - ops.mean(real_scores)


def wasserstein_generator(fake_scores: Tensor) -> Tensor:
    """-E f(G(z)).

    Arjovsky et al. (2017), algorithm 1, line 10.
    """
    return -ops.mean(fake_scores)


def hinge_discriminator(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))): scores beyond the margin of 1 are left alone.

    Lim and Ye, "Geometric GAN" (2017); Miyato et al., "Spectral Normalization for Generative Adversarial
    Networks" (2018), equation 16, as a loss to be minimised. At scores of 0 it is 2.
    """
    return ops.mean(ops.relu(1.0 - real_scores)) + ops.mean(ops.relu(1.0 + fake_scores))


def hinge_generator(fake_scores: Tensor) -> Tensor:
    """-E D(G(z)), as for the Wasserstein critic.

    Miyato et al. (2018), equation 17.
    """
    return wasserstein_generator(fake_scores)


def relativistic_pairing_discriminator(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """E log(1 + exp(-(D(x) - D(G(z))))): each real sample is to score above the generated one beside it.

    Jolicoeur-Martineau, "The Relativistic Discriminator" (2018); Huang et al., "The GAN is dead; long live
    the GAN! A Modern Baseline GAN" (2024), equation 2. At equal scores it is log 2 = 0.693.

    Args:
        real_scores, fake_scores: of one shape; row by row a pair.
    """
    return ops.mean(ops.softplus(fake_scores - real_scores))


def relativistic_pairing_generator(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """E log(1 + exp(-(D(G(z)) - D(x)))): the discriminator's loss with the sides exchanged.

    Huang et al. (2024), equation 2, in its non-saturating form, which is the authors' code's.

    Args:
        real_scores, fake_scores: as for `relativistic_pairing_discriminator`.
    """
    return relativistic_pairing_discriminator(fake_scores, real_scores)


def class_cross_entropy(labels: Tensor, class_logits: Tensor) -> Tensor:
    """-E log P(class = label | sample), with P the softmax of the logits.

    Odena et al., "Conditional Image Synthesis with Auxiliary Classifier GANs" (2017), equation 3, one of its two
    terms. With K equal logits it is log K.

    Args:
        labels: integers (batch,).
        class_logits: (batch, K).
    """
    return ops.mean(ops.sparse_categorical_crossentropy(labels, class_logits, from_logits=True))


def not_fake(logits: Tensor) -> Tensor:
    """-log(1 - p(fake | x)) for each row, of K + 1 logits with the last for "fake", (batch,).

    Odena, "Semi-Supervised Learning with Generative Adversarial Networks" (2016), section 2. With 11 equal logits it
    is -log(10/11) = 0.0953.
    """
    return ops.logsumexp(logits, axis=-1) - ops.logsumexp(logits[:, :-1], axis=-1)


def is_fake(logits: Tensor) -> Tensor:
    """-log p(fake | x) for each row, of K + 1 logits with the last for "fake", (batch,).

    Odena (2016), section 2. With 11 equal logits it is log 11 = 2.3979.
    """
    return ops.logsumexp(logits, axis=-1) - logits[:, -1]


def with_fake_logit(class_logits: Tensor) -> Tensor:
    """K logits with one more, fixed at 0, for "fake": (batch, K) -> (batch, K + 1).

    Salimans et al., "Improved Techniques for Training GANs" (2016), section 5: the softmax has one logit too many, so
    that D(x) = Z / (Z + 1) with Z the sum of the exponentials.
    """
    return ops.pad(class_logits, [(0, 0), (0, 1)])


def feature_matching(real_mean: Tensor, fake_mean: Tensor) -> Tensor:
    """||E f(x) - E f(G(z))||^2, of the mean activations (d,) of one of the discriminator's layers.

    Salimans et al. (2016), section 3.1.
    """
    return ops.sum(ops.square(real_mean - fake_mean))


def disagreement(logits: Tensor, other_logits: Tensor) -> Tensor:
    """The squared distance between the class probabilities of two passes over the same samples, from 0 to 2.

    Laine and Aila, "Temporal Ensembling for Semi-Supervised Learning" (2016), the Pi-model's second term; in a GAN,
    Wei et al., "Improving the Improved Training of Wasserstein GANs" (2018), section 3.3.

    Args:
        logits: class logits (batch, K).
        other_logits: those of the other pass.
    """
    return ops.mean(ops.sum(ops.square(ops.softmax(logits) - ops.softmax(other_logits)), axis=1))


def reconstruction_error(samples: Tensor, copies: Tensor) -> Tensor:
    """L(v) = E |v - D(v)|, the mean over all entries.

    Berthelot et al., "BEGAN" (2017), section 3.1, with eta = 1.

    Args:
        samples: v, of any shape with the batch first.
        copies: D(v), of the same shape.
    """
    return ops.mean(ops.abs(samples - copies))


def equilibrium_control(k: Tensor, real_error: Tensor, fake_error: Tensor, gamma: float, lambda_k: float) -> Tensor:
    """k + lambda_k (gamma L(x) - L(G(z))), held within [0, 1].

    Berthelot et al. (2017), section 3.4; the authors' code clips. At k = 0, gamma = 0.5, lambda_k = 0.001 and errors of
    0.2 and 0.05 it is 5e-5.

    Args:
        k: the paper's k_t.
        real_error, fake_error: L(x) and L(G(z)).
        gamma: the diversity ratio.
        lambda_k: the proportional gain.
    """
    return ops.clip(k + lambda_k * (gamma * real_error - fake_error), 0.0, 1.0)


def convergence_measure(real_error: Tensor, fake_error: Tensor, gamma: float) -> Tensor:
    """M_global = L(x) + |gamma L(x) - L(G(z))|.

    Berthelot et al. (2017), section 3.4.1. At gamma = 0.5 and errors of 0.2 and 0.05 it is 0.25.
    """
    return real_error + ops.abs(gamma * real_error - fake_error)


def squared_reconstruction_error(samples: Tensor, copies: Tensor) -> Tensor:
    """E (x - R(E(x)))^2, the mean over all entries, not the sum over pixels.

    Args:
        samples: x, of any shape with the batch first.
        copies: the reconstructions, of the same shape.
    """
    return ops.mean(ops.square(samples - copies))


def divergence_from_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """E KL(N(mean, exp(log_variance)) || N(0, I)), summed over the coordinates of a code.

    Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), appendix B; Larsen et al., "Autoencoding beyond pixels
    using a learned similarity metric" (2016), equation 4. A mean of 1 with variance 1 is 1/2 for each coordinate.

    Args:
        mean, log_variance: (batch, d).
    """
    rows = ops.sum(ops.exp(log_variance) + ops.square(mean) - 1.0 - log_variance, axis=-1)
    return 0.5 * ops.mean(rows)


def feature_error(features: Tensor, copies: Tensor) -> Tensor:
    """E ||f(x) - f(x~)||^2 / 2, summed over the features of a sample.

    Larsen et al. (2016), equation 7: the negative log-likelihood of a Gaussian of variance 1, but for a constant.

    Args:
        features, copies: (batch, d).
    """
    return 0.5 * ops.mean(ops.sum(ops.square(features - copies), axis=-1))


def patch_nce(queries: Tensor, keys: Tensor, temperature: float = 0.07) -> Tensor:
    """-E log(exp(q . k+ / tau) / sum over k of exp(q . k / tau)), the others of the same image being the negatives.

    Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation" (2020), equations 2 and 3. With n keys
    that are all alike it is log n. No gradient reaches the keys, as in the authors' code.

    Args:
        queries, keys: unit vectors (batch, places, units), a query's key at the same place.
        temperature: tau.
    """
    products = ops.einsum("bqu,bku->bqk", queries, ops.stop_gradient(keys)) / temperature
    places = ops.broadcast_to(ops.arange(ops.shape(products)[1]), ops.shape(products)[:2])
    return ops.mean(ops.sparse_categorical_crossentropy(places, products, from_logits=True))


def token_cross_entropy(tokens: Tensor, logits: Tensor, smoothing: float = 0.0) -> Tensor:
    """-log p(token) at each place, (batch, t); with smoothing s, (1 - s) of it and s of the mean over all tokens.

    Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2016), section 7, for the smoothing.
    With K equal logits it is log K, whatever s.

    Args:
        tokens: integers (batch, t).
        logits: (batch, t, K).
        smoothing: s, from 0 to below 1.
    """
    own = ops.sparse_categorical_crossentropy(tokens, logits, from_logits=True)
    if smoothing == 0.0:
        return own
    return (1.0 - smoothing) * own - smoothing * ops.mean(ops.log_softmax(logits), axis=-1)


def reinforce(log_probabilities: Tensor, rewards: Tensor, baseline: Tensor) -> Tensor:
    """-(R - b) log p(y'|x) of each drawn sentence, (batch,), whose gradient is that of -E R where they were drawn by p.

    Wu et al., "Adversarial Neural Machine Translation" (2017), equations 4 and 5. No gradient passes through R and b.

    Args:
        log_probabilities: log p(y'|x), summed over the tokens of each sentence, its end included; (batch,). Or of each
            token, (batch, t), where each has a reward of its own.
        rewards: R, of the same shape or one that broadcasts to it.
        baseline: b, likewise, which does not depend on what was drawn.
    """
    return -ops.stop_gradient(rewards - baseline) * log_probabilities


def minimum_risk(log_probabilities: Tensor, risks: Tensor, is_first: Tensor, sharpness: float) -> Tensor:
    """The expected risk of each source's drawn sentences under Q ~ p^a among them, (batch,).

    Shen et al., "Minimum Risk Training for Neural Machine Translation" (2016), equations 9 to 11. No gradient passes
    through the risks. Where all are equally likely it is their mean.

    Args:
        log_probabilities: log p(y'|x) of n sentences for each source, (batch, n).
        risks: of each, 1 - BLEU in the paper's experiments, (batch, n).
        is_first: booleans (batch, n), False for one that stands before in its row: a sentence counts once.
        sharpness: a.
    """
    scaled = sharpness * log_probabilities + ops.where(is_first, 0.0, -1e9)
    return ops.sum(ops.softmax(scaled) * ops.stop_gradient(risks), axis=-1)


def matching_aware_discriminator(
    real_scores: Tensor, wrong_scores: Tensor, fake_scores: Tensor, wrong_weight: float = 0.5, differs: Tensor = 1.0
) -> Tensor:
    """-E log D(x, t) - w E log(1 - D(x, t')) - (1 - w) E log(1 - D(G(z, t), t)), with D the sigmoid of the score.

    Reed et al., "Generative Adversarial Text to Image Synthesis" (2016), algorithm 1, line 9 (GAN-CLS), with t' a text
    that does not describe x. At D = 1/2 it is 2 log 2 = 1.386 for every w. Not three terms of weight 1, with which a
    discriminator that knows nothing says "fake" two times in three.

    Args:
        real_scores, wrong_scores, fake_scores: of real images with their own text, of real images with a wrong one and
            of generated images with the text that they were made for, each (batch, 1).
        wrong_weight: w, 1/2 in the paper; 0 is a discriminator that never sees a wrong text.
        differs: (batch, 1), 0 for a row of which no text in the batch is wrong, and 1 for all others.
    """
    wrong = ops.mean(differs * ops.softplus(wrong_scores))
    fake = ops.mean(ops.softplus(fake_scores))
    return ops.mean(ops.softplus(-real_scores)) + wrong_weight * wrong + (1.0 - wrong_weight) * fake


def matching_aware_hinge(
    real_scores: Tensor, wrong_scores: Tensor, fake_scores: Tensor, wrong_weight: float = 0.5, differs: Tensor = 1.0
) -> Tensor:
    """E max(0, 1 - D(x, t)) + w E max(0, 1 + D(x, t')) + (1 - w) E max(0, 1 + D(G(z, t), t)).

    Tao et al., "DF-GAN: A Simple and Effective Baseline for Text-to-Image Synthesis" (2022), equation 1, without its
    penalty. At scores of 0 it is 2.

    Args:
        real_scores, wrong_scores, fake_scores, wrong_weight, differs: see `matching_aware_discriminator`.
    """
    wrong = ops.mean(differs * ops.relu(1.0 + wrong_scores))
    fake = ops.mean(ops.relu(1.0 + fake_scores))
    return ops.mean(ops.relu(1.0 - real_scores)) + wrong_weight * wrong + (1.0 - wrong_weight) * fake


def matching_contrast(right_scores: Tensor, wrong_scores: Tensor, differs: Tensor = 1.0) -> Tensor:
    """-E log(e^D(y, t) / (e^D(y, t) + e^D(y, t'))): a generated picture is to score above with its own text.

    Zhang et al., "Cross-Modal Contrastive Learning for Text-to-Image Generation" (2021), section 4, of a picture and
    the texts t and t'. What the discriminator says of the picture alone cancels. At equal scores it is log 2 = 0.693.

    Args:
        right_scores: of generated images with the text that they were made for, (batch, 1).
        wrong_scores: of the same images with a wrong one, (batch, 1).
        differs: see `matching_aware_discriminator`.
    """
    return ops.mean(differs * ops.softplus(wrong_scores - right_scores))


def augmentation_divergence(mean: Tensor, log_deviation: Tensor) -> Tensor:
    """E KL(N(mean, exp(log_deviation)^2) || N(0, I)), the mean over the coordinates, not their sum.

    Zhang et al., "StackGAN: Text to Photo-realistic Image Synthesis with Stacked Generative Adversarial Networks"
    (2017), equation 2, with the mean of the authors' code. A mean of 1 with deviation 1 is 1/2; a mean of 0 with a log
    deviation of 1/2 is 0.3591.

    Args:
        mean, log_deviation: (batch, d).
    """
    return ops.mean(0.5 * (ops.exp(2.0 * log_deviation) + ops.square(mean) - 1.0) - log_deviation)


def structured_joint_embedding(
    text_codes: Tensor, image_codes: Tensor, classes: Tensor | None = None, hardest: bool = False
) -> Tensor:
    """E max(0, 1 + t_j . v_i - t_i . v_i) + E max(0, 1 + t_i . v_j - t_i . v_i), over pairs i, j that do not belong.

    Reed et al., "Learning Deep Representations of Fine-grained Visual Descriptions" (2016), equations 2 to 4, with the
    batch's other rows for the other classes, as in the authors' code. With codes that are all zero it is 2; 0 once each
    text agrees with its own image by 1 more than with any other, and any other with it.

    Args:
        text_codes: (batch, d), row i the text of row i of the images.
        image_codes: (batch, d).
        classes: integers (batch,): rows of one class describe each other, and do not count as pairs that do not belong;
            each row is a class of its own unless given.
        hardest: whether of each image only the text, and of each text only the image, counts that is furthest from
            where it belongs, as in Faghri et al., "VSE++" (2018), equation 6: the mean over all pairs hardly knows
            the few that differ in little.
    """
    # Row i, column j: how well image i and text j agree.
    agreement = ops.matmul(image_codes, ops.transpose(text_codes))
    own = ops.diagonal(agreement)
    rows = ops.arange(ops.shape(text_codes)[0]) if classes is None else classes
    differ = ops.cast(ops.not_equal(rows[:, None], rows[None, :]), agreement.dtype)
    of_images = ops.relu(1.0 + agreement - own[:, None])
    of_texts = ops.relu(1.0 + agreement - own[None, :])
    if hardest:
        return ops.mean(ops.max(differ * of_images, axis=1)) + ops.mean(ops.max(differ * of_texts, axis=0))
    return ops.sum(differ * (of_images + of_texts)) / ops.maximum(ops.sum(differ), 1.0)
