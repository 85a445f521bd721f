"""The gradient penalties and weight clipping against numbers derived by hand."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.penalties import (
    DRAGAN,
    R1,
    R2,
    GradientPenalty,
    clip_weights,
    gradient_norms,
    gradient_penalty,
    mix,
    named,
    real_gradient_penalty,
    several,
    values,
)
from keras_gans.training.recipe import parse_assignment, with_settings
from tests.small import BATCH, batch_for, images, recipe_for, small_model

SEED = tf.constant([1, 2], tf.int64)
ALL_FOUR = [{"name": name, "weight": 3.0} for name in kg.registry.penalties]


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


# Penalties as values -----------------------------------------------------------------------------------------------


def half_square(x):
    """|x|^2 / 2, which slopes by x itself."""
    return tf.reduce_sum(tf.square(x), axis=list(range(1, len(x.shape)))) / 2


def test_r1_is_of_real_samples_and_r2_of_generated_ones():
    real, fake = tf.constant([[3.0, 4.0], [0.0, 0.0]]), tf.constant([[1.0, 0.0], [0.0, 2.0]])
    assert float(R1().value(half_square, real, fake)) == pytest.approx(25 / 2)
    assert float(R2().value(half_square, real, fake)) == pytest.approx(5 / 2)
    # gamma / 2, but lambda itself.
    assert (R1(3.0).factor, R2(3.0).factor, GradientPenalty(3.0).factor, DRAGAN(3.0).factor) == (1.5, 1.5, 3.0, 3.0)


def test_dragans_points_lie_around_the_real_samples():
    # Half of all entries are 0 and half 4: a deviation of 2, so that a point moves by alpha u, of U[0, 1] both.
    real = tf.constant(np.tile([0.0, 4.0], (50_000, 4)), tf.float32)
    moves = np.array(DRAGAN().points(real, 100.0 + real, SEED) - real)
    assert moves.min() >= -1e-6 and 0.9 < moves.max() <= 1.0 + 1e-6
    assert moves.mean() == pytest.approx(0.25, abs=0.005)
    # E (alpha u)^2 = 1/9; of two entries of a sample, which share alpha, E alpha^2 u u' = 1/3 1/4.
    assert np.square(moves).mean() == pytest.approx(1 / 9, abs=0.003)
    assert (moves[:, 0] * moves[:, 1]).mean() == pytest.approx(1 / 12, abs=0.003)
    assert (moves[:-1, 0] * moves[1:, 0]).mean() == pytest.approx(1 / 16, abs=0.003)
    penalty = DRAGAN().value(lambda x: 3.0 * x[:, 0] + 4.0 * x[:, 1], real[:8], real[:8], SEED)
    assert float(penalty) == pytest.approx(16.0, rel=1e-5)


def test_one_pass_over_all_points_equals_a_pass_for_each():
    penalties = [R1(), GradientPenalty(), R2(), DRAGAN()]
    real, fake, labels, other = noise(6, 3), 2.0 + noise(6, 3), tf.range(6.0), 10.0 + tf.range(6.0)
    seeds = {}

    def critic(x, y):
        return y * half_square(x)

    for one_pass in (False, True):
        drawn = iter(range(9))
        seeds[one_pass] = values(
            penalties,
            critic,
            (real, labels),
            (fake, other),
            lambda drawn=drawn: tf.constant([next(drawn), 0], tf.int64),
            one_pass,
        )
    assert list(seeds[True]) == [penalty.curve for penalty in penalties]
    for curve, value in seeds[True].items():
        assert float(value) == pytest.approx(float(seeds[False][curve]), rel=1e-5)
    # Each point goes with the label of the sample that it lies at.
    at_real = float(tf.reduce_mean(tf.reduce_sum(tf.square(labels[:, tf.newaxis] * real), axis=1)))
    at_fake = float(tf.reduce_mean(tf.reduce_sum(tf.square(other[:, tf.newaxis] * fake), axis=1)))
    assert float(seeds[True]["real_gradient_penalty"]) == pytest.approx(at_real, rel=1e-5)
    assert float(seeds[True]["fake_gradient_penalty"]) == pytest.approx(at_fake, rel=1e-5)


def test_penalties_are_compared_and_saved_as_values():
    assert R1(2.0) == R1(2.0) != R1(3.0) and R1(2.0) != R2(2.0) and len({R1(2.0), R1(2.0), DRAGAN(2.0)}) == 2
    for penalty in (R1(2.0), R2(2.0), GradientPenalty(2.0), DRAGAN(2.0)):
        assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(penalty)) == penalty
        assert eval(repr(penalty)) == penalty


def test_recipes_name_penalties():
    assert several([{"name": "r1", "weight": 2.0}, {"name": "dragan"}, R2(1.0)]) == (R1(2.0), DRAGAN(10.0), R2(1.0))
    assert {named({"name": name}).curve for name in kg.registry.penalties} == {
        "gradient_penalty",
        "real_gradient_penalty",
        "fake_gradient_penalty",
        "perturbed_gradient_penalty",
    }


def test_the_command_line_sets_penalties():
    setting = dict([parse_assignment('scheme.penalties=[{"name": "r1", "weight": 2}, {"name": "r2", "weight": 0.5}]')])
    chosen = with_settings(recipe_for("lsgan_mlp"), setting)
    assert small_model("lsgan_mlp", scheme=chosen.scheme).penalties == (R1(2), R2(0.5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: several([{"name": "r_1"}]), "Unknown penalty 'r_1'. Did you mean 'r1'"),
        (lambda: several([{"name": "r1", "wieght": 1.0}]), "'wieght'. Did you mean 'weight'"),
        (
            lambda: several([{"name": "r1", "weight": "10"}]),
            "The weight of R1 is a number from 0.*'10'",
        ),
        (lambda: several(["r1"]), "Received: 'r1'"),
        (lambda: several(R1(1.0)), "penalties is a list"),
        (lambda: several([R1(1.0), R1(2.0)]), r"of one kind.*R1\(weight=1.0\), R1\(weight=2.0\)"),
        (lambda: small_model("dcgan", scheme={"name": "dcgan", "penalties": [R1()]}), "must not use batch normal"),
        (lambda: small_model("wgan_gp", scheme={"name": "wgan_gp", "penalties": [GradientPenalty()]}), "of one kind"),
        (lambda: small_model("gan", scheme={"name": "gan", "penalty_interval": 4}), "and there are none"),
        (lambda: small_model("wgan_gp", scheme={"name": "wgan_gp", "penalty_interval": 0}), "penalty_interval is a"),
        (lambda: small_model("began", scheme={"name": "began", "penalties": [R1()]}), "BEGAN's discriminator gives no"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(UserError, match=message):
        make()


# SGAN stands for the schemes whose discriminator gives no single score.
@pytest.mark.parametrize(
    "scheme", ["gan", "wgan_mlp", *(pytest.param(name, marks=pytest.mark.slow) for name in ("cgan", "sgan"))]
)
def test_any_loss_goes_with_any_penalty(scheme, tmp_path):
    options = {**recipe_for(scheme).scheme, "generator_objective": "adversarial"}
    options = {key: value for key, value in options.items() if key != "generator_objective" or scheme == "sgan"}
    if scheme == "wgan_mlp":
        options["discriminator_steps"] = 1
    logs, trained = [], []
    for changes in ({}, {"penalties": ALL_FOUR}):
        model = small_model(scheme, rate=0.01, scheme={**options, **changes})
        data = batch_for(model, BATCH)
        x, y = data if isinstance(data, tuple) else (data, None)
        history = model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0).history
        logs.append({name: value[0] for name, value in history.items()})
        trained.append(model)
    plain, penalised = logs
    kinds = trained[1].penalties
    assert set(penalised) - set(plain) == {penalty.curve for penalty in kinds} and len(kinds) == 4
    added = sum(penalty.factor * penalised[penalty.curve] for penalty in kinds)
    assert added > 0.0
    assert penalised["discriminator_loss"] == pytest.approx(plain["discriminator_loss"] + added, rel=1e-4)
    # The discriminator of the other model moved otherwise.
    pairs = zip(*(model.discriminator.trainable_variables for model in trained), strict=True)
    assert any(not np.allclose(first, second, rtol=0, atol=1e-6) for first, second in pairs)
    trained[1].save(tmp_path / "penalised.keras")
    assert keras.saving.load_model(tmp_path / "penalised.keras").penalties == kinds


def test_lazy_penalties_weigh_n_times_as_much_in_every_nth_step():
    """Karras et al. (2020), section 3.1."""

    def run(**options):
        # Weights that hardly move, so that the steps of all runs can be compared.
        model = small_model("gan", rate=1e-9, scheme={**recipe_for("gan").scheme, **options})
        return model.fit(images(BATCH), batch_size=BATCH, shuffle=False, epochs=7, verbose=0).history

    plain, eager = run(), run(penalties=ALL_FOUR)
    lazy = run(penalties=ALL_FOUR, penalty_interval=3)
    added = np.subtract(lazy["discriminator_loss"], plain["discriminator_loss"])
    cost = np.subtract(eager["discriminator_loss"], plain["discriminator_loss"])
    assert (cost > 0.0).all()
    due = np.arange(7) % 3 == 0
    np.testing.assert_allclose(added, np.where(due, 3.0 * cost, 0.0), rtol=1e-4, atol=1e-6)
    for curve in {penalty.curve for penalty in several(ALL_FOUR)}:
        np.testing.assert_allclose(lazy[curve], np.where(due, eager[curve], 0.0), rtol=1e-5)


def test_the_curve_of_a_lazy_penalty_is_its_mean_over_the_steps_that_compute_it():
    lazy = small_model("gan", rate=1e-9, scheme={"name": "gan", "penalties": [R1(3.0)], "penalty_interval": 2})
    one = small_model("gan", rate=1e-9, scheme={"name": "gan", "penalties": [R1(3.0)]})
    found = [model.fit(images(BATCH), batch_size=BATCH // 4, shuffle=False, verbose=0).history for model in (lazy, one)]
    first, second = (history["real_gradient_penalty"][0] for history in found)
    each = one.fit(images(BATCH), batch_size=BATCH, shuffle=False, verbose=0).history["real_gradient_penalty"][0]
    assert second == pytest.approx(each, rel=1e-4) and first != pytest.approx(second, rel=1e-3)
    rows = images(BATCH)[[0, 1, 4, 5]]
    mean = float(real_gradient_penalty(one.discriminator, rows))
    assert first == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize("scheme", ["gan", pytest.param("cgan", marks=pytest.mark.slow)])
def test_lazy_penalties_step_as_one_over_two_replicas(scheme):
    options = {**recipe_for(scheme).scheme, "penalties": ALL_FOUR, "penalty_interval": 2}
    kg.testing.check_two_replicas_step_as_one(functools.partial(small_model, scheme, scheme=options))


def test_dragans_penalty_is_the_same_over_two_replicas(two_replicas):
    real = tf.constant(images(BATCH))

    def penalty(rows):
        return DRAGAN().value(half_square, rows, rows, SEED)

    whole = float(penalty(real))

    @tf.function
    def shared():
        halves = tf.split(real, 2)
        return two_replicas.run(
            lambda: penalty(tf.stack(halves)[tf.distribute.get_replica_context().replica_id_in_sync_group])
        )

    parts = [float(part) for part in two_replicas.experimental_local_results(shared())]
    assert np.mean(parts) == pytest.approx(whole, rel=1e-5) and parts[0] != parts[1]
