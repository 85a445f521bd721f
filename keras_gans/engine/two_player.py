"""The schedule that most papers share: the discriminator n times, each on a batch of its own, then the generator."""

import functools
import threading
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_gans import penalties as penalty_values
from keras_gans import randomness
from keras_gans.checks import check_switch, check_whole
from keras_gans.engine import averages, undoing
from keras_gans.engine.base import AdversarialModel
from keras_gans.engine.given import check_raw_scores
from keras_gans.engine.kinds import Sometimes
from keras_gans.engine.replicas import mean_over_replicas
from keras_gans.engine.serving import Sampler
from keras_gans.errors import UserError
from keras_gans.hints import Loss, Tensor
from keras_gans.latent import prior_named
from keras_gans.layers import RandomLayer, is_adaptive
from keras_gans.private_apis import layers_of

# The scores of the loss that is being computed. Each replica of a strategy is traced in a thread of its own.
_seen = threading.local()
# What is reported of an augmentation that adapts.
_ADAPTING_CURVES = ("overfitting", "augmentation_probability")


class GAN(Sampler, AdversarialModel):
    """A generator and a discriminator (or critic) in turn.

    Goodfellow et al., "Generative Adversarial Networks" (2014), algorithm 1. A scheme gives `discriminator_loss` and
    `generator_loss`; this class draws what they take.

    Args:
        generator: keras.Model, (batch, latent_dim) -> samples.
        discriminator: keras.Model, samples -> raw scores, without a sigmoid.
        latent_dim: size of a latent, taken from the generator's input unless given.
        discriminator_steps: the discriminator's steps for one of the generator's (the paper's k or n_critic). A
            training step consumes so many batches.
        shared_fakes: whether one pass of the generator serves both players' steps, which is faster; only where
            `discriminator_steps` is 1. Otherwise each update draws fresh latents, as in the papers.
        penalties: what is added to the discriminator's loss to hold its slope, such as [penalties.R1(10.0)]; each
            also as a recipe names it, {"name": "r1", "weight": 10.0}. Each reports its value as a curve. The scheme's
            `default_penalties`, often none, unless given.
        penalty_interval: n, where the penalties are computed in every n-th training step alone, the first among them,
            and weigh n times as much there: the lazy regularization of Karras et al., "Analyzing and Improving the
            Image Quality of StyleGAN" (2020), section 3.1, which spares time. Their curves are means over these steps,
            and 0 where there was none since the last point.
        latent_prior: "normal" for N(0, I) or "uniform" for U(-1, 1).
        ema: decay of an exponential moving average of the generator's weights, such as 0.999, with which the model
            then samples and is exported; 0 for none, as in the papers.
        seed: see `AdversarialModel`.

    Raises:
        UserError: networks that do not fit together, options that exclude each other, or a penalty that is not defined
            for the discriminator.

    Attributes:
        generator_sees_real: whether the generator's loss compares with the real batch: then it is also given what the
            discriminator's last update saw, after its own samples.
        scores_rows: whether the discriminator's output, where it sees no classes, is one raw score a row or a map of
            them.
        default_penalties: those of the paper, for a scheme that is a loss with penalties.
    """

    generator_sees_real = False
    scores_rows = True
    default_penalties: tuple[penalty_values.Penalty, ...] = ()
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    rivals = {"generator": ("discriminator",)}
    judged_fields = ("sample",)
    # The generator has one size of latents.
    option_examples = {
        "latent_dim": (1, 2),
        "latent_prior": ("normal", "uniform"),
        "penalties": ((penalty_values.R1(1.0),), (penalty_values.R1(1.0), penalty_values.DRAGAN(1.0))),
        "penalty_interval": (2,),
    }

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_dim: int | None = None,
        *,
        discriminator_steps: int = 1,
        shared_fakes: bool = False,
        penalties: Iterable[penalty_values.Penalty | Mapping[str, Any]] | None = None,
        penalty_interval: int = 1,
        latent_prior: str = "normal",
        ema: float = 0.0,
        seed: int = 0,
        name: str | None = None,
    ):
        self.penalties = penalty_values.several(self.default_penalties if penalties is None else penalties)
        self._adaptive = [layer for layer in layers_of(discriminator) if is_adaptive(layer)]
        curves = [penalty.curve for penalty in self.all_penalties()]
        self.log_names = (*self.log_names, *curves, *(_ADAPTING_CURVES if self._adaptive else ()))
        super().__init__(seed=seed, name=name)
        self.generator = generator
        self.discriminator = discriminator
        self.latent_dim = _first(generator.input_shape)[-1] if latent_dim is None else latent_dim
        self.discriminator_steps = discriminator_steps
        self.shared_fakes = shared_fakes
        self.penalty_interval = penalty_interval
        self.latent_prior = latent_prior
        self.ema = ema
        self._check_arguments()
        if ema:
            self.generator_average = averages.average_of(generator)
        # Batch normalization must see real and generated samples apart, and random layers must not depend on how
        # replicas share out the rows; anything else may see both in one pass.
        apart = (keras.layers.BatchNormalization, RandomLayer)
        self._one_pass = not any(isinstance(layer, apart) for layer in layers_of(discriminator))

    def _check_arguments(self):
        prior_named(self.latent_prior)
        averages.check_decay(self.ema)
        penalty_values.check_kinds(self.all_penalties())
        for penalty in self.all_penalties():
            penalty.check(self.discriminator)
        check_whole("penalty_interval", self.penalty_interval)
        if self.penalty_interval > 1 and not self.all_penalties():
            raise UserError(
                f"penalty_interval={self.penalty_interval} spaces penalties out, and there are none. Add some, such as "
                "penalties=[R1(10.0)], or leave penalty_interval out."
            )
        made, taken = self.generator.output_shape[1:], _first(self.discriminator.input_shape)[1:]
        if made != taken:
            raise UserError(f"The generator makes samples of shape {made}, but the discriminator takes {taken}.")
        self._check_scores()
        size = _first(self.generator.input_shape)[-1]
        check_whole("latent_dim", self.latent_dim, why=", the size of a latent")
        if size != self.latent_dim:
            raise UserError(
                f"The generator takes latents of size {size}. Received: latent_dim={self.latent_dim}. Build the "
                "generator with that latent_dim, or leave it out here."
            )
        check_whole("discriminator_steps", self.discriminator_steps)
        check_switch("shared_fakes", self.shared_fakes)
        if self.shared_fakes and self.batches_per_step() > 1:
            raise UserError(
                f"shared_fakes needs one batch a step. Received: discriminator_steps={self.discriminator_steps}, and "
                f"{self.batches_per_step()} batches a step; each update must then see fresh samples."
            )

    def _check_scores(self):
        """Refuses a discriminator whose answers are probabilities, or several numbers a row."""
        if self.scores_rows:
            check_raw_scores("discriminator", self.discriminator)
        shape = self.discriminator.output_shape
        if self.scores_rows and "label" not in self.takes and isinstance(shape, tuple) and shape[1:] not in ((), (1,)):
            if len(shape) == 2:
                raise UserError(f"The discriminator gives one raw score a row. Received one with {shape[-1]} outputs.")

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Samples from latents: (batch, latent_dim) -> (batch, *sample_shape)."""
        return (self.generator if training else self.sampling_generator)(inputs, training=training)

    @property
    def sampling_generator(self) -> keras.Model:
        """The network that samples: the generator, or its average where `ema` is on."""
        return self.generator_average if self.ema else self.generator

    def sample_shape(self) -> tuple[int, ...]:
        return self.generator.output_shape[1:]

    def batches_per_step(self) -> int:
        return self.discriminator_steps

    def updates_per_step(self, player: str) -> int:
        return self.discriminator_steps if player == "discriminator" else 1

    def realness(self, *values: Tensor, training: bool = False) -> Tensor:
        answers = self.discriminator(list(values) if len(values) > 1 else values[0], training=training)
        return tf.reshape(tf.cast(tf.nest.flatten(answers)[0], tf.float32), [-1])

    def judged(
        self, real: Tensor, made: Mapping[str, Any] | None = None, training: bool = False
    ) -> dict[str, tuple[Tensor, Tensor]]:
        if made is None:
            # A generator may make fewer fields than the scheme takes.
            made = dict(zip(self.takes, self.generate(tf.shape(real["sample"])[0]), strict=False))
        sides = ([tf.convert_to_tensor(side[name]) for name in self.judged_fields] for side in (real, made))
        return {"discriminator": tuple(self.realness(*side, training=training) for side in sides)}

    # The scheme's part ----------------------------------------------------------------------------------------

    def own_penalties(self) -> tuple[penalty_values.Penalty, ...]:
        """The penalties of the scheme's own algorithm, beside those that its `penalties` name."""
        return ()

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Loss:
        """(scalar loss, {curve: value}) of the discriminator on real samples and generated ones, without penalties."""
        raise NotImplementedError(f"{type(self).__name__} must define discriminator_loss().")

    def generator_loss(self, fake: Tensor) -> Loss:
        """(scalar loss, {curve: value}) of the generator on its samples.

        Where the scheme says `generator_sees_real`, the real batch follows, each field of `takes`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define generator_loss().")

    # The schedule ---------------------------------------------------------------------------------------------

    def score(self, inputs: Tensor) -> Tensor:
        """The discriminator's raw scores in training mode, float32 (batch, 1)."""
        return self.discriminator(inputs, training=True)

    def scores(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """The discriminator's raw scores of real and of generated samples, each (batch, 1).

        Args:
            real, fake: samples, or lists [samples, labels].
        """
        if self._one_pass:
            both = tf.nest.map_structure(lambda r, f: tf.concat([tf.cast(r, f.dtype), f], axis=0), real, fake)
            found = tf.split(self.score(both), 2)
        else:
            found = self.score(real), self.score(fake)
        if self._adaptive:
            _seen.scores = found
        return found

    def overfitting(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """How sure the discriminator is of its training data: r_t = E sign(D(x)), from -1 to 1.

        Karras et al., "Training Generative Adversarial Networks with Limited Data" (2020), equation 1.
        """
        return tf.reduce_mean(tf.sign(real_scores))

    def generate(self, rows: Any) -> tuple[Tensor, ...]:
        """A tuple of what the losses take of the generator's side, here (samples,), from fresh latents.

        The samples are the generator's in training mode, (rows, *sample_shape).
        """
        return (self.generator(self.latents(rows), training=True),)

    def generate_beside(self, real: tuple[Tensor, ...], rows: Any) -> tuple[Tensor, ...]:
        """The same where what is generated depends on the batch beside it, as on its texts; `generate` unless it does.

        Args:
            real: the batch, what the losses take of it.
            rows: its number of rows.
        """
        return self.generate(rows)

    def play(self, *real: Tensor) -> None:
        rows = real[0].shape[0] or tf.shape(real[0])[0]
        if self.shared_fakes:
            self.update("generator", self._shared_round, real, rows)
            return
        count = self.batches_per_step()
        rows = rows // count
        shares = [tf.reshape(part, (rows, count, *part.shape[1:])) for part in real]
        self._repeat(lambda index: self._train_discriminator(*(share[:, index] for share in shares)))
        self._train_generator(rows, *(share[:, -1] for share in shares))

    def _train_discriminator(self, *real):
        rows = real[0].shape[0] or tf.shape(real[0])[0]
        fake = tf.nest.map_structure(tf.stop_gradient, self.generate_beside(real, rows))
        return self.update("discriminator", self._penalised_loss, real, fake)

    def _train_generator(self, rows, *real):
        """The generator's update; `real` is the step's last batch."""
        return self.update("generator", lambda: self._generator_loss(self.generate_beside(real, rows), real))

    def _shared_round(self, real, rows):
        fake = self.generate_beside(real, rows)
        self.update("discriminator", self._penalised_loss, real, tuple(map(tf.stop_gradient, fake)))
        return self._generator_loss(fake, real)

    def _generator_loss(self, fake, real):
        return self.generator_loss(*fake, *(real if self.generator_sees_real else ()))

    def all_penalties(self) -> tuple[penalty_values.Penalty, ...]:
        """A tuple of all penalties on the discriminator, the scheme's own ones first."""
        return (*self.own_penalties(), *self.penalties)

    def _penalised_loss(self, real, fake):
        """The scheme's `discriminator_loss` with each penalty and its curve."""
        # A generator's loss may have compared scores too.
        _seen.scores = None
        loss, curves = self.discriminator_loss(*real, *fake)
        if self._adaptive:
            curves = {**curves, **self._adapted(real)}
        penalties = self.all_penalties()
        if not penalties:
            return loss, curves
        # A generator may make fewer fields than the scheme takes.
        sides = (dict(zip(self.takes, side, strict=False)) for side in (real, fake))
        judged = ([side[name] for name in self.judged_fields] for side in sides)
        interval, due = self.penalty_interval, None
        if interval > 1:
            due = tf.equal(self.step.value % interval, 0)
        found = penalty_values.values(penalties, self._view, *judged, self.next_seed, self._one_pass, due)
        for penalty in penalties:
            loss = loss + interval * penalty.factor * found[penalty.curve]
        if due is not None:
            found = {curve: Sometimes(value, due) for curve, value in found.items()}
        return loss, {**curves, **found}

    def _adapted(self, real):
        """Has augmentations follow the overfitting that the scores of this update show: {curve: value} of it."""
        scores, _seen.scores = _seen.scores, None
        if scores is None:
            raise UserError(
                f"{type(self).__name__} does not take real and generated scores by scores(), so no augmentation can "
                "follow them. Leave 'target' out of the discriminator's augmentation."
            )
        found = mean_over_replicas(self.overfitting(*scores))
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        rows = tf.shape(real[0])[0] * replicas
        chance = tf.identity(self._adaptive[0].chance.value)
        for layer in self._adaptive:
            # Where the step ends: it may yet have to be taken back.
            undoing.at_the_end(functools.partial(layer.adapt, found, rows))
        return dict(zip(_ADAPTING_CURVES, (found, chance), strict=True))

    def _view(self, *values):
        return self.realness(*values, training=True)

    def after_step(self, step: int) -> None:
        if self.ema:
            averages.update(self.generator_average, self.generator, self.ema, step)

    def _repeat(self, body):
        """Calls body(index) for each of the discriminator's steps."""
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        if self.discriminator_steps == 1:
            body(0)
        elif tf.executing_eagerly() or replicas > 1:
            # A strategy cannot merge its replicas inside a loop of the graph.
            for index in range(self.discriminator_steps):
                with randomness.substream(index):
                    body(index)
        else:
            self._repeat_in_graph(body)

    def _repeat_in_graph(self, body):
        """The same as a loop of the graph, which traces the step once instead of n times."""

        def iteration(index):
            with randomness.substream(index):
                body(index)
            return (index + 1,)

        # Within the loop it could no longer be told what was there before the step.
        self.keep_player("discriminator")
        self.keep_curves()
        tf.while_loop(
            lambda index: index < self.discriminator_steps,
            iteration,
            (tf.constant(0),),
            parallel_iterations=1,
        )


def _first(shape):
    """The shape itself, or the first of a network with several inputs."""
    return shape[0] if isinstance(shape[0], (list, tuple)) else shape
