"""The gradient penalties and weight clipping against numbers derived by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.penalties import clip_weights, gradient_norms, gradient_penalty, mix, real_gradient_penalty

SEED = tf.constant([1, 2], tf.int64)


def noise(*shape):
    return tf.random.stateless_normal(shape, (3, 4))


def test_a_flat_critic_pays_the_whole_weight_and_has_a_finite_gradient():
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(lambda x: weight * tf.reduce_sum(x, 1), noise(8, 3), noise(8, 3), SEED)
    assert float(penalty) == pytest.approx(1.0, abs=1e-5)
    # The root of the squared norm has an infinite slope at zero unless something is added under it.
    assert np.isfinite(float(tape.gradient(penalty, weight)))


@pytest.mark.parametrize("shape", [(16, 5), (16, 4, 3, 2)])
def test_a_linear_critic_pays_by_the_norm_of_its_slope_over_all_entries(shape):
    slope = np.random.default_rng(0).normal(size=shape[1:]).astype("float32")

    def critic(x):
        return tf.reduce_sum(x * slope, axis=list(range(1, len(shape))))

    penalty = gradient_penalty(critic, noise(*shape), noise(*shape), SEED)
    assert float(penalty) == pytest.approx((np.linalg.norm(slope) - 1.0) ** 2, rel=1e-4)


def test_the_norm_is_each_samples_own():
    # f(x) = |x|^2 / 2 has the gradient x, whose norm is the sample's own length, whatever the batch.
    samples = tf.constant([[3.0, 4.0], [0.6, 0.8], [0.0, 5.0]])
    norms = gradient_norms(lambda x: tf.reduce_sum(tf.square(x), axis=1) / 2, samples)
    np.testing.assert_allclose(norms, [5.0, 1.0, 5.0], rtol=1e-6)


def test_one_epsilon_a_sample():
    # Between 0 and ones(9) (norm 3), f = |v|^2 / 2: the gradient's norm is 3 (1 - epsilon), so the penalty's mean is
    # the integral of (3u - 1)^2 over [0, 1], which is 1. One epsilon an entry gives 0.576; a normal one gives more.
    real, fake = tf.zeros((100_000, 9)), tf.ones((100_000, 9))

    def critic(x):
        return tf.reduce_sum(tf.square(x), axis=1) / 2

    assert float(gradient_penalty(critic, real, fake, SEED)) == pytest.approx(1.0, abs=0.02)
    norms = gradient_norms(critic, mix(real, fake, SEED))
    # One epsilon for the whole batch would leave no spread.
    assert float(tf.math.reduce_std(norms)) == pytest.approx(3 / np.sqrt(12), abs=0.02)
    assert float(tf.reduce_max(norms)) <= 3.0


def test_the_penalty_on_real_gradients_is_the_mean_square_of_their_norms():
    # f(x) = |x|^2 / 2 slopes by x itself: squares 25, 1 and 0. No root is left that would be steep at zero.
    samples = tf.constant([[3.0, 4.0], [0.6, 0.8], [0.0, 0.0]])
    penalty = real_gradient_penalty(lambda x: tf.reduce_sum(tf.square(x), axis=1) / 2, samples)
    assert float(penalty) == pytest.approx(26 / 3, rel=1e-6)


@pytest.mark.parametrize(("weight", "converges"), [(0.0, False), (1.0, True)])
def test_only_with_the_penalty_does_the_dirac_gan_converge(weight, converges):
    """Mescheder et al. (2018), section 2: data at 0, a generator of one number theta, D(x) = psi x.

    Without a penalty the pair (theta, psi) circles around the equilibrium (0, 0) for ever; theorem 4.1 has it converge
    with one, and gamma 1 is near the critical value.
    """
    latent, point = keras.Input((1,)), keras.Input((1,))
    theta = keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer="ones")
    generator = keras.Model(latent, theta(latent))
    generator.layers[-1].kernel.trainable = False
    psi = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    discriminator = keras.Model(point, psi(point))
    options = {"generator_objective": "minimax", "real_gradient_penalty_weight": weight}
    gan = kg.schemes.VanillaGAN(generator, discriminator, **options)
    gan.compile(optimizers={player: keras.optimizers.SGD(0.1) for player in gan.players})
    gan.fit(np.zeros((800, 1), "float32"), batch_size=2, verbose=0)
    radius = float(np.hypot(theta.bias.numpy()[0], psi.kernel.numpy()[0, 0]))
    assert radius < 0.01 if converges else radius > 0.5, radius


def test_mixes_lie_between_their_own_pairs():
    real, fake = noise(32, 6, 6, 1), noise(32, 6, 6, 1) + 5.0
    epsilon = (mix(real, fake, SEED) - fake) / (real - fake)
    np.testing.assert_allclose(epsilon, tf.broadcast_to(epsilon[:, :1, :1, :1], epsilon.shape), atol=1e-5)
    assert 0.0 <= float(tf.reduce_min(epsilon)) < 0.1 and 0.9 < float(tf.reduce_max(epsilon)) <= 1.0 + 1e-6


def test_the_inner_gradient_is_float32_under_mixed_precision():
    dense = keras.layers.Dense(1, dtype="mixed_bfloat16")
    dense.build((None, 4))
    norms = gradient_norms(dense, noise(3, 4))
    assert norms.dtype == tf.float32
    np.testing.assert_allclose(norms, np.linalg.norm(dense.kernel), rtol=0.02)


def test_clipping_reaches_every_entry_of_every_variable():
    variables = [keras.Variable(np.linspace(-1, 1, 7)), keras.Variable(np.full((2, 2), 0.005))]
    clip_weights(variables, 0.01)
    np.testing.assert_allclose(variables[0], np.clip(np.linspace(-1, 1, 7), -0.01, 0.01))
    np.testing.assert_allclose(variables[1], 0.005)


def test_clipping_works_on_mirrored_variables(two_replicas):
    with two_replicas.scope():
        variable = keras.Variable(np.linspace(-1, 1, 7))

    @tf.function
    def step():
        two_replicas.run(lambda: clip_weights([variable], 0.5))

    step()
    for copy in two_replicas.experimental_local_results(variable.value):
        np.testing.assert_allclose(copy, np.clip(np.linspace(-1, 1, 7), -0.5, 0.5), atol=1e-7)
