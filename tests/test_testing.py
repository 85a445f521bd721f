"""Faults made on purpose, each caught by the check that is named for it; and the checks as a user calls them."""

import functools
import unittest

import keras
import pytest
import tensorflow as tf
from keras import ops

import keras_gans as kg
from keras_gans import testing
from keras_gans.schemes import CGAN, WGAN, VanillaGAN
from tests.small import small_model

SHAPE = (4, 4, 1)


def generator(**arguments):
    return kg.networks.mlp_generator(SHAPE, 3, (8,), **arguments)


def discriminator(**arguments):
    return kg.networks.mlp_discriminator(SHAPE, (8,), **arguments)


def factory_of(scheme, **options):
    return lambda: scheme(generator(), discriminator(), **options)


def assert_caught(check, factory, match):
    with pytest.raises(AssertionError, match=match):
        check(factory)


# The scheme that the faults are made in keeps the contract itself ----------------------------------------------------


@testing.parametrize_with_checks(factory_of(VanillaGAN))
def test_three_lines_check_a_scheme(check):
    check()


def test_check_scheme_says_what_does_not_apply(monkeypatch):
    def inapplicable(factory):
        raise unittest.SkipTest("it makes no samples")

    ran = []
    monkeypatch.setattr(testing.running, "CHECKS", (ran.append, inapplicable))
    factory = factory_of(VanillaGAN)
    assert testing.check_scheme(factory) == {"inapplicable": "it makes no samples"}
    assert ran == [factory]


def test_the_description_names_every_check():
    assert {check.__name__ for check in testing.CHECKS} == {
        name for name in testing.__all__ if name.startswith("check_") and name != "check_scheme"
    }
    assert all(f"`{check.__name__}`" in testing.__doc__ for check in testing.CHECKS)


# Who moves whom, and which way ---------------------------------------------------------------------------------------


def flipped(factory, player):
    """The factory of a model in which the sign of one player's loss is wrong."""

    def build():
        model = factory()
        update_together = model.update_together

        def update(objectives, *args):
            turned = {p: {term: -weight for term, weight in terms.items()} for p, terms in objectives.items()}
            return update_together({**objectives, player: turned[player]} if player in turned else objectives, *args)

        model.update_together = update
        return model

    return build


ALL_PLAYERS = [(scheme, player) for scheme, kind in kg.registry.schemes.items() for player in kind.players]


@pytest.mark.parametrize(
    ("scheme", "player"),
    [
        pytest.param(scheme, player, marks=[] if scheme in ("gan", "vae_gan") else pytest.mark.slow)
        for scheme, player in ALL_PLAYERS
    ],
)
def test_a_flipped_sign_is_caught(scheme, player):
    factory = flipped(functools.partial(small_model, scheme), player)
    assert_caught(testing.check_each_player_pulls_its_own_way, factory, f"'{player}'.*Found.*Look at (the|its)")


def test_a_loss_that_is_not_detached_is_caught():
    class Undetached(VanillaGAN):
        def variables_of(self, player):
            # Whatever the loss reaches, the generator through its samples too.
            return self.trainable_variables

        def _train_discriminator(self, *real):
            rows = len(real[0])
            return self.update("discriminator", lambda: self.discriminator_loss(*real, *self.generate(rows)))

    check = testing.check_an_update_moves_its_own_player_and_no_other
    assert_caught(check, factory_of(Undetached), "update of 'discriminator' moves its own.*Found.*of the generator")


def test_a_player_that_does_not_move_is_caught():
    class Still(VanillaGAN):
        def generator_loss(self, fake):
            loss, curves = super().generator_loss(tf.stop_gradient(fake))
            # What keeps the update from refusing a loss of nothing.
            return loss + 0.0 * ops.sum(self.generator.trainable_variables[-1]), curves

    check = testing.check_an_update_moves_its_own_player_and_no_other
    assert_caught(check, factory_of(Still), "update of 'generator' moves its networks' weights. Found: 0 of 4 moved")


def judge_with(layer):
    samples = keras.Input(SHAPE)
    hidden = layer(keras.layers.Flatten()(samples))
    return keras.Model(samples, keras.layers.Dense(1)(keras.layers.LeakyReLU()(hidden)))


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: keras.layers.SpectralNormalization(keras.layers.Dense(8)), "spectral_normalization"),
        (lambda: keras.layers.Dropout(0.5), "seed_generator"),
    ],
)
def test_a_layer_that_changes_the_other_players_network_is_caught(make, found):
    def factory():
        return VanillaGAN(generator(), judge_with(make()))

    check = testing.check_a_turn_leaves_the_others_alone
    assert_caught(check, factory, f"In the turn of generator nothing of the other players changes. Found.*{found}")


def test_moving_statistics_alone_are_let_through():
    class Counting(keras.layers.BatchNormalization):
        def build(self, input_shape):
            super().build(input_shape)
            self.calls = self.add_weight(name="calls", shape=(), initializer="zeros", trainable=False)

        def call(self, inputs, training=None, mask=None):
            self.calls.assign_add(1.0)
            return super().call(inputs, training=training, mask=mask)

    check = testing.check_a_turn_leaves_the_others_alone
    check(lambda: VanillaGAN(generator(), judge_with(keras.layers.BatchNormalization())))
    factory = lambda: VanillaGAN(generator(), judge_with(Counting()))  # noqa: E731
    assert_caught(check, factory, "turn of generator .* Found: 1 variables changed.*calls")


def test_too_few_steps_are_caught():
    class Once(WGAN):
        def _repeat(self, body):
            body(0)

    check = testing.check_each_player_takes_its_number_of_steps
    assert_caught(check, factory_of(Once), "'discriminator' takes 30 updates in 6 steps. Found: 6")


def test_a_curve_that_is_never_reported_is_caught():
    class Silent(VanillaGAN):
        log_names = (*VanillaGAN.log_names, "silence")

    check = testing.check_losses_are_reported_under_the_players_names
    assert_caught(check, factory_of(Silent), "reports all its curves. Found: .'silence'. are never")


# What the data, the options and the seed do --------------------------------------------------------------------------


def conditional(scheme, heeds=("generator", "discriminator")):
    labels = {"class_count": 3, "conditioning": "concat"}

    def build():
        makes, judges = generator(**labels), discriminator(**labels)
        blind = lambda network: keras.Model(  # noqa: E731
            network.inputs, network([network.inputs[0], ops.zeros_like(network.inputs[1])])
        )
        makes = makes if "generator" in heeds else blind(makes)
        judges = judges if "discriminator" in heeds else blind(judges)
        return scheme(makes, judges, class_count=3)

    return build


def test_a_label_that_the_generator_ignores_is_caught():
    testing.check_every_input_is_heeded(conditional(CGAN))
    factory = conditional(CGAN, heeds=("discriminator",))
    assert_caught(testing.check_every_input_is_heeded, factory, "heeds its input 'label'. Found: the same answers")


@pytest.mark.slow
def test_a_label_that_training_ignores_is_caught():
    testing.check_every_field_is_used(conditional(CGAN))
    factory = conditional(CGAN, heeds=("generator",))
    assert_caught(testing.check_every_field_is_used, factory, "takes the field 'label'.*Found: the same weights")


class Weighted(VanillaGAN):
    """With an option that nothing reads."""

    def __init__(self, generator, discriminator, latent_dim=None, *, weight=0.5, **kwargs):
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        self.weight = weight


class WeightedForShow(Weighted):
    """With an option that only a curve shows."""

    log_names = (*VanillaGAN.log_names, "weighted")

    def generator_loss(self, fake):
        loss, curves = super().generator_loss(fake)
        return loss, {**curves, "weighted": self.weight * loss}


class Forgetful(Weighted):
    """With an option that is not kept."""

    def get_config(self):
        config = super().get_config()
        del config["weight"]
        return config


class Stubborn(Weighted):
    """With an option that is kept as another value."""

    def __init__(self, generator, discriminator, latent_dim=None, *, weight=0.5, **kwargs):
        super().__init__(generator, discriminator, latent_dim, weight=min(weight, 0.5), **kwargs)


class Guessed(Weighted):
    """With an option of which no other value can be guessed."""

    def __init__(self, generator, discriminator, latent_dim=None, *, mood="calm", **kwargs):
        super().__init__(generator, discriminator, latent_dim, **kwargs)
        self.mood = mood


@pytest.mark.parametrize(
    ("scheme", "found"),
    [
        (Weighted, "option 'weight' of Weighted has an effect. Found: 1.0 in place of 0.5 trains the same"),
        (WeightedForShow, "option 'weight' of WeightedForShow has an effect"),
        (Forgetful, "holds every argument of the constructor. Found: weight missing"),
        (Stubborn, "holds the option 'weight' as it was given. Found: 0.5 in place of 1.0"),
        (Guessed, "takes another value of 'mood' than 'calm'. Found: nothing to try.*Say in option_examples"),
    ],
)
def test_an_option_that_does_nothing_is_caught(scheme, found):
    assert_caught(testing.check_every_option_is_kept_and_has_an_effect, factory_of(scheme), found)


class DrawsAlike(VanillaGAN):
    """Draws the same latents in each step."""

    def next_seed(self):
        return tf.constant([1, 2], tf.int64)


class DrawsByItself(VanillaGAN):
    """Draws what no seed decides, the same on every replica."""

    def latents(self, rows):
        return tf.random.normal((rows, self.latent_dim))


class CountsByItself(VanillaGAN):
    """Weighs its loss by a count that is not saved."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._count = [tf.Variable(0.0, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)]

    def generator_loss(self, fake):
        loss, curves = super().generator_loss(fake)
        return loss * (1.0 + self._count[0].assign_add(0.1)), curves


for kind in (DrawsAlike, DrawsByItself, CountsByItself):
    keras.saving.register_keras_serializable(package="tests")(kind)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "scheme", "found"),
    [
        (testing.check_another_seed_trains_another_model, DrawsAlike, "takes the same step"),
        (testing.check_each_step_draws_afresh, DrawsAlike, "Each draw has a seed of its own. Found: .* came twice"),
        (testing.check_each_step_draws_afresh, DrawsByItself, "by next_seed... Found: no call of it"),
        (testing.check_resuming_equals_going_on, DrawsByItself, "going on bit for bit. Found: .* variables differ"),
        (testing.check_resuming_equals_going_on, CountsByItself, "going on bit for bit. Found: .* variables differ"),
        (testing.check_backup_and_restore_goes_on, CountsByItself, "goes on exactly. Found: .* variables differ"),
    ],
)
def test_draws_and_state_that_are_not_saved_are_caught(check, scheme, found):
    assert_caught(check, factory_of(scheme), found)


# Replicas ------------------------------------------------------------------------------------------------------------


def unscaled(factory, player):
    """The factory of a model in which the loss of one player is not divided by the number of replicas."""

    def build():
        model = factory()
        update_together = model.update_together

        def update(objectives, *args):
            replicas = tf.distribute.get_replica_context().num_replicas_in_sync
            more = {term: replicas * weight for term, weight in objectives.get(player, {}).items()}
            return update_together({**objectives, player: more} if more else objectives, *args)

        model.update_together = update
        return model

    return build


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "player"), ALL_PLAYERS)
@pytest.mark.parametrize("steps", [{}, {"steps": 4, "steps_per_execution": 2}], ids=["one", "several"])
def test_a_dropped_replica_scale_is_caught(steps, scheme, player):
    factory = unscaled(functools.partial(small_model, scheme), player)
    check = functools.partial(testing.check_two_replicas_step_as_one, **steps)
    assert_caught(check, factory, "Two replicas step as one. Found: .* ended .* away")


# What is kept and answered -------------------------------------------------------------------------------------------


class Unwary(VanillaGAN):
    """Takes a NaN for a zero, and saves one."""

    def generator_loss(self, fake):
        loss, curves = super().generator_loss(fake)
        return tf.where(tf.math.is_finite(loss), loss, 0.0), curves

    def discriminator_loss(self, real, fake):
        return super().discriminator_loss(tf.where(tf.math.is_finite(real), real, 0.0), fake)

    def _refuse_non_finite_weights(self, filepath):
        return None


class SamplesByItself(VanillaGAN):
    """Draws samples that no seed decides."""

    def samples_from_seeds(self, seeds, *labels):
        return super().samples_from_seeds(seeds + tf.random.uniform((), 0, 1000, tf.int64), *labels)


class AnswersByItself(VanillaGAN):
    """Exports another network than it is."""

    def endpoints(self):
        found = super().endpoints()
        _, specifications = found["serving_default"]
        sign = iter((1.0, -1.0, -1.0, -1.0))
        return found | {"serving_default": (lambda z: {"image": next(sign) * self(z)}, specifications)}


class LosesAnOption(VanillaGAN):
    """Comes back from its file with another option."""

    @classmethod
    def from_config(cls, config):
        return super().from_config({**config, "generator_objective": "non_saturating"})


for kind in (Unwary, LosesAnOption):
    keras.saving.register_keras_serializable(package="tests")(kind)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "factory", "found"),
    [
        (testing.check_a_nan_batch_is_reported_and_never_saved, factory_of(Unwary), "Found: the run went on"),
        (testing.check_a_nan_weight_is_never_saved, factory_of(Unwary), "Found: model.keras was written"),
        (testing.check_samples_are_a_function_of_the_seed, factory_of(SamplesByItself), "Found: another one each time"),
        (testing.check_saved_model_answers_as_the_model, factory_of(AnswersByItself), "Found: another 'image'"),
        (
            testing.check_keras_file_holds_everything,
            factory_of(LosesAnOption, generator_objective="minimax"),
            "holds the option 'generator_objective'. Found: 'non_saturating' in place of 'minimax'",
        ),
    ],
)
def test_files_and_answers_that_differ_are_caught(check, factory, found):
    assert_caught(check, factory, found)


def test_a_factory_that_shares_its_networks_is_caught():
    networks = generator(), discriminator()
    factory = lambda: VanillaGAN(*networks)  # noqa: E731
    assert_caught(testing.check_resuming_equals_going_on, factory, "equal models at every call: build the networks in")
