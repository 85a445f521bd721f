"""The acceptance figures on Gaussians, where the truth is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.optimizers import Adam
from tests.science import SEEDS, repeat_graph, report, trained

pytestmark = pytest.mark.slow


def identity_generator(dimensions):
    """G(z) = z, with a weight for an optimizer to hold."""
    latents = keras.Input((dimensions,))
    outputs = keras.layers.Dense(dimensions, kernel_initializer="identity")(latents)
    return keras.Model(latents, outputs)


def train_critic(model, draw_real, steps, batch_size, draw_fake=None):
    """Trains the discriminator alone; the generator stays as it is."""
    seeds = tf.random.Generator.from_seed(model.seed + 1)

    def step():
        real = draw_real(seeds, batch_size)
        fake = draw_fake(seeds, batch_size) if draw_fake else seeds.normal(real.shape)
        with kg.randomness.stream(seeds.make_seeds(1)[:, 0]):
            model.update("discriminator", model.discriminator_loss, real, fake)

    repeat_graph(steps, step)


def shifted_critic(scheme, shift, seed, optimizer, **options):
    """A critic trained between N(0, I) and the same shifted along the first axis, and (estimate, mean slope)."""
    keras.utils.set_random_seed(seed)
    critic = kg.networks.mlp_discriminator((2,), hidden_units=(64, 64))
    model = scheme(identity_generator(2), critic, seed=seed, discriminator_steps=1, **options)
    model.compile(optimizers={"discriminator": optimizer})
    offset = tf.constant([[shift, 0.0]])
    train_critic(model, lambda seeds, rows: seeds.normal((rows, 2)) + offset, 1200, 256)
    rng = np.random.default_rng(seed)
    real = tf.constant(rng.normal(size=(50_000, 2)) + offset.numpy(), tf.float32)
    fake = tf.constant(rng.normal(size=(50_000, 2)), tf.float32)
    estimate = float(tf.reduce_mean(model.score(real)) - tf.reduce_mean(model.score(fake)))
    mixed = kg.penalties.mix(real, fake, tf.constant([seed, 7], tf.int64))
    slope = float(tf.reduce_mean(kg.penalties.gradient_norms(model.score, mixed)))
    return model, estimate, slope


def test_wgans_estimate_is_the_distance_times_the_critics_slope():
    raw = []
    for shift in (1.0, 2.0, 4.0):
        ratios, estimates = [], []
        for seed in SEEDS:
            rmsprop = keras.optimizers.RMSprop(5e-4)
            model, estimate, slope = shifted_critic(kg.schemes.WGAN, shift, seed, rmsprop, clip=0.01)
            ratios.append(estimate / slope)
            estimates.append(estimate)
            entries = np.concatenate([np.abs(v).ravel() for v in model.discriminator.trainable_variables])
            assert entries.max() <= 0.01 + 1e-9
            assert (entries > 0.0099).mean() >= 0.9, "the critic does not use the constraint"
        assert report(f"wgan, shift {shift:g}: estimate / slope", ratios, "within 10 %") == pytest.approx(
            shift, rel=0.1
        )
        raw.append(report(f"wgan, shift {shift:g}: estimate", estimates, "rising with the shift"))
    assert raw[0] < raw[1] < raw[2]


@pytest.mark.parametrize(("shift", "weight"), [(1.0, 10.0), (2.0, 10.0), (4.0, 10.0), (2.0, 0.1)])
def test_wgan_gp_reaches_the_penalised_optimum(shift, weight):
    # Between shifted copies f is linear, and its slope s maximises s W - lambda (s - 1)^2: s = 1 + W / (2 lambda).
    expected = shift * (1.0 + shift / (2.0 * weight))
    estimates, ratios = [], []
    for seed in SEEDS:
        adam = Adam(keras.optimizers.schedules.CosineDecay(2e-3, 1200), beta_1=0.0, beta_2=0.9)
        _, estimate, slope = shifted_critic(kg.schemes.WGANGP, shift, seed, adam, gradient_penalty_weight=weight)
        estimates.append(estimate)
        ratios.append(estimate / slope)
    name = f"wgan_gp, shift {shift:g}, lambda {weight:g}"
    assert report(f"{name}: estimate", estimates, f"{expected:.4g} within 3 %") == pytest.approx(expected, rel=0.03)
    assert report(f"{name}: estimate / slope", ratios, f"{shift:g} within 1 %") == pytest.approx(shift, rel=0.01)


def test_wgan_gp_finds_no_distance_where_there_is_none():
    estimates = []
    for seed in SEEDS:
        adam = Adam(keras.optimizers.schedules.CosineDecay(2e-3, 1200), beta_1=0.0, beta_2=0.9)
        estimates.append(abs(shifted_critic(kg.schemes.WGANGP, 0.0, seed, adam)[1]))
    assert report("wgan_gp, no shift: |estimate|", estimates, "at most 0.03") <= 0.03


def ring_coverage(model, **options):
    centres = kg.data.ring_centres(kg.data.RING_RADII["wide"])
    return kg.metrics.mode_coverage(model.sample(2500, seed=50_000), centres, kg.data.RING_SIGMAS["wide"], **options)


def test_wgan_gp_covers_the_ring():
    found = [ring_coverage(trained("wgan_gp_ring", seed)) for seed in SEEDS]
    assert report("wgan_gp_ring: modes", [f.covered for f in found], "8 of 8") == 8
    assert report("wgan_gp_ring: high quality", [f.high_quality for f in found], "at least 0.70") >= 0.70
    assert report("wgan_gp_ring: total variation", [f.total_variation for f in found], "at most 0.10") <= 0.10


def test_a_slow_discriminator_collapses():
    class Watch(kg.callbacks.EveryNSteps):
        def on_train_begin(self, logs=None):
            super().on_train_begin(logs)
            self.modes = []

        def on_step(self, step, logs):
            self.modes.append(ring_coverage(self.model, radius=0.4 / 1.414).covered)

    worst = []
    for seed in SEEDS:
        watch = Watch(every=300)
        trained("gan_ring", seed, callbacks=[watch])
        print(f"\ngan_ring, seed {seed}: modes at ten checkpoints {watch.modes}")
        worst.append(max(watch.modes[-5:]))
    report("gan_ring: most modes at the last five checkpoints", worst, "at most 3 of 8")
    assert max(worst) <= 3


def test_against_a_frozen_discriminator_the_generator_becomes_a_delta():
    centres = kg.data.ring_centres(kg.data.RING_RADII["wide"]).astype("float32")
    sigma = kg.data.RING_SIGMAS["wide"]
    shares, spreads = [], []
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        generator = kg.networks.mlp_generator((2,), 2, (128, 128), "relu", output_activation=None)
        critic = kg.networks.mlp_discriminator((2,), (128,))
        model = kg.schemes.VanillaGAN(generator, critic, seed=seed)
        model.compile({player: Adam(1e-3, beta_1=0.5) for player in model.players})

        def ring(seeds, rows):
            modes = seeds.uniform((rows,), 0, 8, tf.int32)
            return tf.gather(centres, modes) + sigma * seeds.normal((rows, 2))

        def uniform(seeds, rows):
            return seeds.uniform((rows, 2), -2.0, 2.0)

        train_critic(model, ring, 1500, 256, uniform)
        before = [np.array(v) for v in critic.weights]
        counter = tf.Variable(0, dtype=tf.int64)

        def step(model=model, counter=counter):
            with kg.randomness.stream(kg.randomness.root_seed(model.seed, counter.assign_add(1))):
                model.update("generator", lambda: model.generator_loss(model.generate(256)))

        repeat_graph(1500, step)
        for variable, value in zip(critic.weights, before, strict=True):
            np.testing.assert_array_equal(variable, value)
        samples = model.sample(2500, seed=50_000)
        shares.append(kg.metrics.mode_coverage(samples, centres, sigma).largest_share)
        spreads.append(float(samples.std(axis=0).mean()))
    assert report("frozen discriminator: share of the largest mode", shares, "at least 0.6") >= 0.6
    assert report("frozen discriminator: standard deviation", spreads, "at most 0.5; the data's is 1") <= 0.5
