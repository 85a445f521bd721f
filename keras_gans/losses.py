"""The adversarial losses, one function an equation, all to be minimised.

`real_scores` and `fake_scores` are the discriminator's raw outputs (logits; no sigmoid) on real and on generated
samples, of any shape with the batch first; every function returns a scalar, the mean over all entries.
"""

from keras import ops


def minimax_discriminator(real_scores, fake_scores):
    """-E log D(x) - E log(1 - D(G(z))), with D the sigmoid of the score.

    Goodfellow et al., "Generative Adversarial Networks" (2014), equation 1. At D = 1/2 it is 2 log 2 = 1.386.
    Both terms are summed, not averaged, as in the paper.
    """
    return ops.mean(ops.softplus(-real_scores)) + ops.mean(ops.softplus(fake_scores))


def minimax_generator(fake_scores):
    """E log(1 - D(G(z))): the generator's side of the minimax game, which saturates where D wins.

    Goodfellow et al. (2014), equation 1. At D = 1/2 it is -log 2 = -0.693.
    """
    return -ops.mean(ops.softplus(fake_scores))


def non_saturating_generator(fake_scores):
    """-E log D(G(z)): the same fixed point as the minimax game, with strong gradients where D wins.

    Goodfellow et al. (2014), section 3. At D = 1/2 it is log 2 = 0.693.
    """
    return ops.mean(ops.softplus(-fake_scores))


def least_squares_discriminator(real_scores, fake_scores, fake_target=0.0, real_target=1.0):
    """1/2 E (D(x) - b)^2 + 1/2 E (D(G(z)) - a)^2.

    Mao et al., "Least Squares Generative Adversarial Networks" (2017), equation 2.

    Args:
        fake_target: the paper's a.
        real_target: the paper's b.
    """
    real_term = ops.mean(ops.square(real_scores - real_target))
    fake_term = ops.mean(ops.square(fake_scores - fake_target))
    return 0.5 * (real_term + fake_term)


def least_squares_generator(fake_scores, generator_target=1.0):
    """1/2 E (D(G(z)) - c)^2.

    Mao et al. (2017), equation 2.

    Args:
        generator_target: the paper's c, what the generator wants the discriminator to say of its samples.
    """
    return 0.5 * ops.mean(ops.square(fake_scores - generator_target))


def wasserstein_critic(real_scores, fake_scores):
    """E f(G(z)) - E f(x); its negative estimates the Wasserstein-1 distance where f is 1-Lipschitz.

    Arjovsky et al., "Wasserstein GAN" (2017), equation 2 and algorithm 1, line 5, as a loss to be minimised.
    """
    return ops.mean(fake_scores) - ops.mean(real_scores)


def wasserstein_generator(fake_scores):
    """-E f(G(z)).

    Arjovsky et al. (2017), algorithm 1, line 10.
    """
    return -ops.mean(fake_scores)
