"""The schedule, and what its constructor refuses."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from tests.small import BATCH, batch_for, images, optimizer_state, small_model, weights


def networks(**discriminator):
    return (
        kg.networks.dcgan_generator((8, 8, 1), 6, 4),
        kg.networks.dcgan_discriminator((8, 8, 1), 4, **discriminator),
    )


def test_compile_sets_the_papers_optimizers():
    expected = {
        "gan": ("Adam", 2e-4, 0.9, 0.999),
        "dcgan": ("Adam", 2e-4, 0.5, 0.999),
        "lsgan": ("Adam", 1e-3, 0.5, 0.999),
        "wgan": ("RMSprop", 5e-5, None, None),
        "wgan_gp": ("Adam", 1e-4, 0.5, 0.9),
    }
    for name, (kind, rate, beta_1, beta_2) in expected.items():
        model = kg.registry.schemes[name](*networks(normalization=None))
        model.compile()
        for optimizer in model.optimizers.values():
            assert type(optimizer).__name__ == kind
            assert float(optimizer.learning_rate) == pytest.approx(rate)
            assert getattr(optimizer, "beta_1", None) == beta_1 and getattr(optimizer, "beta_2", None) == beta_2


@pytest.mark.parametrize(
    ("rate", "beta_1", "beta_2", "names"),
    [
        (1e-3, 0.5, 0.999, ("aae", "semi_supervised_aae", "sgan", "vae_gan")),
        (1e-3, 0.9, 0.999, ("autoencoder", "vae")),
        (1e-4, 0.9, 0.999, ("began",)),
        (2e-4, 0.5, 0.999, ("acgan", "cgan", "cut", "cyclegan", "dragan", "pix2pix")),
        (2e-4, 0.0, 0.9, ("r3gan", "sngan")),
    ],
)
def test_every_player_of_a_scheme_has_its_paper_s_rate_and_momenta(rate, beta_1, beta_2, names):
    for name in names:
        scheme = kg.registry.schemes[name]
        optimizers = scheme.default_optimizers(SimpleNamespace(players=scheme.players))
        assert set(optimizers) == set(scheme.players)
        for optimizer in optimizers.values():
            assert type(optimizer).__name__ == "Adam"
            assert float(optimizer.learning_rate) == pytest.approx(rate)
            assert (optimizer.beta_1, optimizer.beta_2) == (beta_1, beta_2)


def test_the_scores_of_a_critic_have_no_scale():
    own = {name: each for name, each in kg.registry.schemes.items() if each.__module__.startswith("keras_gans.")}
    assert {name for name, scheme in own.items() if scheme.is_critic} == {"df_gan", "wgan", "wgan_gp"}


def test_one_player_may_keep_the_papers_optimizer():
    model = kg.schemes.DCGAN(*networks())
    model.compile(optimizers={"generator": "sgd"})
    assert isinstance(model.optimizers["generator"], keras.optimizers.SGD)
    assert isinstance(model.optimizers["discriminator"], keras.optimizers.Adam)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda g, d: kg.schemes.DCGAN(g, d, latent_dim=7), "latents of size 6. Received: latent_dim=7"),
        (lambda g, d: kg.schemes.DCGAN(g, kg.networks.mlp_discriminator((8, 8, 3))), r"\(8, 8, 1\).*\(8, 8, 3\)"),
        (lambda g, d: kg.schemes.WGANGP(g, d), "must not use batch normalization"),
        (lambda g, d: kg.schemes.DCGAN(g, d, real_gradient_penalty_weight=1.0), "R1.*must not use batch normalization"),
        (
            lambda g, d: kg.schemes.DCGAN(g, d, real_gradient_penalty_weight=-1),
            "is a number from 0.*Received: -1",
        ),
        (
            lambda g, d: kg.schemes.WGAN(g, d, shared_fakes=True),
            "shared_fakes needs one batch a step.*discriminator_steps=5",
        ),
        (lambda g, d: kg.schemes.WGAN(g, d, discriminator_steps=0), "whole number from 1. Received: 0"),
        (lambda g, d: kg.schemes.WGAN(g, d, clip=-0.1), "clip is a number above 0.*Received: -0.1"),
        (lambda g, d: kg.schemes.LSGAN(g, d, targets=(0, 1, 0)), r"c different from a.*Received: \(0, 1, 0\)"),
        (lambda g, d: kg.schemes.LSGAN(g, d, targets=5), r"targets are \(a, b, c\).*Received: 5"),
        (lambda g, d: kg.schemes.LSGAN(g, d, targets="abc"), r"targets are \(a, b, c\).*Received: 'abc'"),
        (lambda g, d: kg.schemes.LSGAN(g, d, targets={1: 0, 2: 1, 3: 1}), r"targets are \(a, b, c\).*Received: {"),
        (lambda g, d: kg.schemes.LSGAN(g, d, targets=(0, float("nan"), 1)), r"targets are \(a, b, c\).*nan"),
        (lambda g, d: kg.schemes.LSGAN(g, d, penalties=5), "penalties is a list.*Received: 5"),
        (lambda g, d: kg.schemes.LSGAN(g, d, seed=1.5), "seed is a whole number of 64 bits.*Received: 1.5"),
        (lambda g, d: kg.schemes.LSGAN(g, d, seed=2**70), "seed is a whole number of 64 bits"),
        (
            lambda g, d: kg.schemes.DCGAN(g, d, latent_prior="gaussian"),
            "latent prior 'gaussian'.*normal, swiss_roll, uniform",
        ),
        (lambda g, d: kg.schemes.VanillaGAN(g, d, generator_objective="nonsaturating"), "'non_saturating'"),
    ],
)
def test_mistakes_are_named_at_construction(make, message):
    with pytest.raises(UserError, match=message):
        make(*networks())


def test_compile_refuses_unknown_players_and_shared_optimizers():
    model = kg.schemes.DCGAN(*networks())
    with pytest.raises(UserError, match="Unknown player 'critic'.*discriminator, generator"):
        model.compile(optimizers={"critic": "adam"})
    adam = keras.optimizers.Adam()
    with pytest.raises(UserError, match="share one optimizer"):
        model.compile(optimizers={"generator": adam, "discriminator": adam})


@pytest.mark.parametrize(("shared", "draws"), [(False, 2), (True, 1)])
def test_each_update_draws_fresh_latents_unless_fakes_are_shared(shared, draws, monkeypatch):
    model = kg.schemes.DCGAN(*networks(), shared_fakes=shared)
    model.compile()
    drawn, original = [], model.generate
    monkeypatch.setattr(model, "generate", lambda rows: drawn.append(original(rows)) or drawn[-1])
    model.train_step(tf.constant(images(BATCH)))
    assert len(drawn) == draws
    if not shared:
        assert not np.allclose(*drawn)


@pytest.mark.parametrize("shared", [False, True])
def test_a_generator_that_sees_real_samples_gets_the_step_s_batch(shared, monkeypatch):
    # Odena's objective takes one batch a step, so that fakes may be shared.
    options = {"objective": "odena", "generator_objective": "adversarial", "shared_fakes": shared}
    model = small_model("sgan_odena", scheme={"name": "sgan", **options})
    seen, original = [], model.generator_loss
    monkeypatch.setattr(model, "generator_loss", lambda *values: seen.append(values) or original(*values))
    samples, labels = batch_for(model, BATCH)
    model.train_step((tf.constant(samples), tf.constant(labels)))
    ((fake, real, real_labels),) = seen
    assert fake.shape == real.shape
    np.testing.assert_array_equal(real, samples)
    np.testing.assert_array_equal(real_labels, labels)


def test_sharing_fakes_shows_the_generator_the_updated_discriminator():
    # By hand: D's step on the fakes, then G's loss on the same fakes through the new D.
    batch = tf.constant(images(BATCH))
    model = small_model("dcgan", rate=0.1)
    assert model.shared_fakes
    by_hand = small_model("dcgan", rate=0.1)
    np.testing.assert_array_equal(model.generator.weights[0], by_hand.generator.weights[0])
    model.train_step(batch)
    with kg.randomness.stream(kg.randomness.root_seed(by_hand.seed, 0)):
        with tf.GradientTape() as outer:
            (fake,) = by_hand.generate(BATCH)
            with outer.stop_recording():
                with tf.GradientTape() as tape:
                    loss, _ = by_hand.discriminator_loss(batch, tf.stop_gradient(fake))
                variables = by_hand.discriminator.trainable_variables
                by_hand.optimizers["discriminator"].apply(tape.gradient(loss, variables), variables)
            loss, _ = by_hand.generator_loss(fake)
        variables = by_hand.generator.trainable_variables
        by_hand.optimizers["generator"].apply(outer.gradient(loss, variables), variables)
    for first, second in zip(model.trainable_variables, by_hand.trainable_variables, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)


def test_one_pass_of_the_critic_equals_two():
    model = kg.schemes.WGAN(*networks(normalization=None))
    real, fake = tf.constant(images(BATCH)), tf.constant(images(BATCH, seed=1))
    together = model.scores(real, fake)
    np.testing.assert_allclose(together[0], model.score(real), atol=1e-5)
    np.testing.assert_allclose(together[1], model.score(fake), atol=1e-5)


def test_batch_normalization_sees_real_and_fake_apart():
    model = kg.schemes.DCGAN(*networks())
    real, fake = tf.constant(images(BATCH)), tf.constant(3.0 * images(BATCH, seed=1))
    real_scores, fake_scores = model.scores(real, fake)
    np.testing.assert_allclose(real_scores, model.score(real), atol=1e-5)
    np.testing.assert_allclose(fake_scores, model.score(fake), atol=1e-5)


def test_a_loop_in_the_graph_equals_steps_one_after_another():
    batch = images(BATCH * 2)
    in_graph = small_model("wgan_gp", rate=0.05)
    eager = small_model("wgan_gp", rate=0.05)
    in_graph.fit(batch, batch_size=BATCH, shuffle=False, verbose=0)
    eager.run_eagerly = True
    eager.fit(batch, batch_size=BATCH, shuffle=False, verbose=0)
    for (name, first), second in zip(weights(in_graph).items(), weights(eager).values(), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5, err_msg=name)


def test_wgan_keeps_every_weight_of_the_critic_within_the_clip():
    model = small_model("wgan", rate=10.0)
    model.fit(images(BATCH * 10), batch_size=BATCH, verbose=0)
    limits = [np.abs(v).max() for v in model.discriminator.trainable_variables]
    assert max(limits) == pytest.approx(model.clip)
    assert max(np.abs(v).max() for v in model.generator.trainable_variables) > 10 * model.clip


def test_dropout_too_is_a_function_of_seed_and_step(tmp_path):
    def build():
        keras.utils.set_random_seed(0)
        generator = kg.networks.mlp_generator((8, 8, 1), 6, (16,))
        inputs = keras.Input((8, 8, 1))
        x = keras.layers.Dropout(0.5)(keras.layers.Flatten()(inputs))
        model = kg.schemes.VanillaGAN(generator, keras.Model(inputs, keras.layers.Dense(1)(x)))
        model.compile()
        return model

    def train(model, skip):
        source = kg.data.open_source(images(40))
        dataset = kg.data.to_dataset(source, batch_size=BATCH, repeat=True, skip_batches=skip)
        model.fit(dataset, steps_per_epoch=3, verbose=0)
        return model

    whole = train(train(build(), 0), 3)
    half = train(build(), 0)
    half.save(tmp_path / "half.keras")
    keras.utils.set_random_seed(5)
    resumed = train(keras.saving.load_model(tmp_path / "half.keras"), 3)
    for first, second in zip(whole.trainable_variables, resumed.trainable_variables, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_trains_and_round_trips(precision, tmp_path):
    model = small_model("dcgan", precision=precision)
    model.fit(images(40), batch_size=BATCH, epochs=2, verbose=0)
    scaled = [isinstance(o, keras.optimizers.LossScaleOptimizer) for o in model.optimizers.values()]
    assert all(scaled) if precision == "float16" else not any(scaled)
    model.save(tmp_path / "half.keras")
    loaded = keras.saving.load_model(tmp_path / "half.keras")
    np.testing.assert_array_equal(loaded.sample(2), model.sample(2))
    for player, state in optimizer_state(model).items():
        for first, second in zip(state, optimizer_state(loaded)[player], strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("precision", [pytest.param("bfloat16", marks=pytest.mark.slow), "float16"])
def test_half_precision_gives_about_the_float32_losses(precision):
    histories = {}
    for chosen in ("float32", precision):
        model = small_model("wgan_gp", precision=chosen)
        histories[chosen] = model.fit(images(200), batch_size=BATCH, shuffle=False, verbose=0).history
    for curve, values in histories["float32"].items():
        np.testing.assert_allclose(histories[precision][curve], values, rtol=0.1, atol=0.05, err_msg=curve)


@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2}], ids=["each", "every other"])
def test_fused_adam_equals_keras(options):
    """Of two variables, whose powers of the betas are shared, in a graph and in its branch that accumulates."""
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=size).astype("float32") for size in ((7, 5), (3,))]

    def moved_by(kind):
        variables = [keras.Variable(start) for start in starts]
        optimizer = kind(3e-3, beta_1=0.5, beta_2=0.9, epsilon=1e-6, **options)
        optimizer.build(variables)
        step = tf.function(lambda *gradients: optimizer.apply(gradients, variables), autograph=False)
        rng = np.random.default_rng(1)
        for _ in range(20):
            step(*(tf.constant(rng.normal(size=start.shape), tf.float32) for start in starts))
        return [*map(np.array, variables), *map(np.array, optimizer.variables)]

    results = [moved_by(kind) for kind in (keras.optimizers.Adam, kg.optimizers.Adam)]
    for first, second in zip(*results, strict=True):
        np.testing.assert_allclose(first, second, rtol=2e-5, atol=1e-6)
    assert np.abs(results[0][0] - starts[0]).max() > 0.01


def test_points_are_sampled_as_floats_and_exported_as_points(tmp_path):
    generator = kg.networks.mlp_generator((2,), 3, output_activation=None)
    model = kg.schemes.VanillaGAN(generator, kg.networks.mlp_discriminator((2,)))
    assert model.sample(5).shape == (5, 2) and model.sample(5).dtype == np.float32
    model.export(tmp_path / "saved", verbose=False)
    signatures = tf.saved_model.load(tmp_path / "saved").signatures
    assert set(signatures) == {"serving_default", "sample", "interpolate"}
    point = signatures["sample"](seed=tf.constant([3], tf.int64))["point"]
    np.testing.assert_allclose(point, model.sample(1, seed=3), atol=1e-6)


def test_the_uniform_prior_stays_in_its_box():
    latents = kg.latent.draw_latents(4000, 3, tf.constant([1, 2], tf.int64), "uniform")
    assert float(tf.reduce_max(tf.abs(latents))) <= 1.0
    assert float(tf.math.reduce_variance(latents)) == pytest.approx(1 / 3, rel=0.05)
    normal = tf.function(kg.latent.latents_from_seeds)(tf.range(4000, dtype=tf.int64), 3)
    assert float(tf.math.reduce_variance(normal)) == pytest.approx(1.0, rel=0.05)
    assert float(tf.reduce_mean(normal)) == pytest.approx(0.0, abs=0.05)


def test_a_loss_that_reaches_none_of_the_players_weights_is_refused(monkeypatch):
    model = small_model("gan")
    monkeypatch.setattr(model, "generator_loss", lambda fake: (tf.reduce_mean(tf.stop_gradient(fake)), {}))
    with pytest.raises(UserError, match="loss of 'generator' depends on none of its"):
        model.train_step(tf.constant(images(BATCH)))


def test_spectral_normalization_iterates_once_an_update():
    model = small_model("sngan", rate=0.01, scheme={"name": "sngan", "discriminator_steps": 2})
    layers = [layer for layer in model.discriminator.layers if isinstance(layer, kg.layers.SpectralNormalization)]
    calls = []
    for layer in layers:
        layer.advance = lambda layer=layer: calls.append(layer.name)
    model.run_eagerly = True
    model.fit(images(2 * BATCH), batch_size=BATCH, verbose=0)
    assert len(layers) == 3 and sorted(calls) == sorted(2 * [layer.name for layer in layers])


def test_training_finds_the_spectral_norm():
    model = small_model("sngan", rate=1e-4)
    model.fit(images(40 * BATCH), batch_size=BATCH, verbose=0)
    for layer in model.discriminator.layers:
        if isinstance(layer, kg.layers.SpectralNormalization):
            kernel = np.array(layer.layer.kernel)
            largest = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
            assert float(layer.spectral_norm()) == pytest.approx(largest, rel=0.02)


def test_a_term_s_weight_multiplies_its_gradient():
    model = small_model("gan", rate=0.1)
    first = model.generator.trainable_variables[0]
    for weight in (0.5, 1.0, 2.0):
        before = first.numpy()
        model.update_together({"generator": {"sum": weight}}, lambda: ({"sum": tf.reduce_sum(first.value)}, {}))
        np.testing.assert_allclose(before - first.numpy(), 0.1 * weight, rtol=1e-4)


def test_real_samples_are_judged_beside_as_many_generated_ones():
    model = small_model("gan")
    rows = images(5)
    assert model.sample_shape() == rows.shape[1:] == (8, 8, 1)
    real, fake = model.judged({"sample": rows})["discriminator"]
    assert real.shape == fake.shape == (5,)
    np.testing.assert_allclose(real, model.realness(rows), rtol=1e-6)


def test_the_seed_is_0_unless_given():
    assert kg.schemes.DCGAN(*networks()).seed == 0 and kg.schemes.DCGAN(*networks(), seed=3).seed == 3
