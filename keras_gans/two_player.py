"""The schedule that most papers share: the discriminator n times, each on a batch of its own, then the generator."""

import keras
import numpy as np
import tensorflow as tf

from keras_gans import randomness
from keras_gans.base import AdversarialModel
from keras_gans.errors import UserError
from keras_gans.latent import draw_latents, latents_from_seeds, prior_named
from keras_gans.pixels import to_uint8


class GAN(AdversarialModel):
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
        latent_prior: "normal" for N(0, I) or "uniform" for U(-1, 1).
        seed: see `AdversarialModel`.

    Raises:
        UserError: networks that do not fit together, or options that exclude each other.
    """

    players = {"discriminator": ("discriminator",), "generator": ("generator",)}

    def __init__(
        self,
        generator,
        discriminator,
        latent_dim=None,
        *,
        discriminator_steps=1,
        shared_fakes=False,
        latent_prior="normal",
        seed=0,
        name=None,
    ):
        super().__init__(seed=seed, name=name)
        self.generator = generator
        self.discriminator = discriminator
        self.latent_dim = generator.input_shape[-1] if latent_dim is None else latent_dim
        self.discriminator_steps = discriminator_steps
        self.shared_fakes = shared_fakes
        self.latent_prior = latent_prior
        self._check_arguments()
        # Batch normalization must see real and generated samples apart; anything else may see them in one pass.
        self._one_pass = not any(
            isinstance(layer, keras.layers.BatchNormalization) for layer in discriminator._flatten_layers()
        )

    def _check_arguments(self):
        prior_named(self.latent_prior)
        made, taken = self.generator.output_shape[1:], self.discriminator.input_shape[1:]
        if made != taken:
            raise UserError(f"The generator makes samples of shape {made}, but the discriminator takes {taken}.")
        if self.generator.input_shape[-1] != self.latent_dim:
            raise UserError(
                f"The generator takes latents of size {self.generator.input_shape[-1]}. Received: "
                f"latent_dim={self.latent_dim}. Build the generator with that latent_dim, or leave it out here."
            )
        if not isinstance(self.discriminator_steps, int) or self.discriminator_steps < 1:
            raise UserError(f"discriminator_steps must be 1 or more. Received: {self.discriminator_steps!r}.")
        if self.shared_fakes and self.discriminator_steps > 1:
            raise UserError(
                f"shared_fakes needs discriminator_steps=1. Received: discriminator_steps={self.discriminator_steps}; "
                "a discriminator that takes several steps must see fresh samples in each."
            )

    def call(self, latents, training=False):
        """Samples from latents: (batch, latent_dim) -> (batch, *sample_shape)."""
        return self.generator(latents, training=training)

    def sample_shape(self):
        return self.generator.output_shape[1:]

    def batches_per_step(self):
        return self.discriminator_steps

    # The scheme's part ----------------------------------------------------------------------------------------

    def discriminator_loss(self, real, fake):
        """(scalar loss, {curve: value}) of the discriminator on real samples and generated ones."""
        raise NotImplementedError(f"{type(self).__name__} must define discriminator_loss().")

    def generator_loss(self, fake):
        """(scalar loss, {curve: value}) of the generator on its samples."""
        raise NotImplementedError(f"{type(self).__name__} must define generator_loss().")

    # The schedule ---------------------------------------------------------------------------------------------

    def score(self, samples):
        """The discriminator's raw scores in training mode, float32 (batch, 1)."""
        return self.discriminator(samples, training=True)

    def scores(self, real, fake):
        """The discriminator's raw scores of real and of generated samples, each (batch, 1)."""
        if not self._one_pass:
            return self.score(real), self.score(fake)
        return tf.split(self.score(tf.concat([tf.cast(real, fake.dtype), fake], axis=0)), 2)

    def generate(self, rows):
        """Samples from fresh latents in training mode, (rows, *sample_shape)."""
        latents = draw_latents(rows, self.latent_dim, self.next_seed(), self.latent_prior)
        return self.generator(latents, training=True)

    def play(self, real):
        rows = real.shape[0] or tf.shape(real)[0]
        if self.shared_fakes:
            self.update("generator", self._shared_round, real, rows)
            return
        rows = rows // self.discriminator_steps
        shares = tf.reshape(real, (rows, self.discriminator_steps, *self.sample_shape()))
        self._repeat(lambda index: self._train_discriminator(shares[:, index]))
        self.update("generator", lambda: self.generator_loss(self.generate(rows)))

    def _train_discriminator(self, real):
        fake = tf.stop_gradient(self.generate(real.shape[0] or tf.shape(real)[0]))
        self.update("discriminator", self.discriminator_loss, real, fake)

    def _shared_round(self, real, rows):
        fake = self.generate(rows)
        self.update("discriminator", self.discriminator_loss, real, tf.stop_gradient(fake))
        return self.generator_loss(fake)

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

        tf.while_loop(
            lambda index: index < self.discriminator_steps,
            iteration,
            (tf.constant(0),),
            parallel_iterations=1,
        )

    # Sampling and serving -------------------------------------------------------------------------------------

    def samples_from_seeds(self, seeds):
        """Samples for serving: int64 seeds (batch,) -> uint8 images (batch, height, width, channels).

        Each row depends on its own seed only. Points stay float32 (batch, d).
        """
        samples = self(latents_from_seeds(seeds, self.latent_dim, self.latent_prior), training=False)
        return to_uint8(samples) if len(self.sample_shape()) == 3 else samples

    def sample(self, count, seed=0):
        """Draws samples; the k-th is what the exported model's `sample` answers to the seed `seed + k`.

        Args:
            count: number of samples.
            seed: of the first sample.

        Returns:
            uint8 array (count, height, width, channels) of images; float32 array (count, d) of points.

        Raises:
            UserError: `count` is not positive.
        """
        if count < 1:
            raise UserError(f"sample() draws one sample or more. Received: {count!r}.")
        if not hasattr(self, "_sampler"):
            signature = [tf.TensorSpec((None,), tf.int64)]
            self._sampler = tf.function(self.samples_from_seeds, input_signature=signature)
        seeds = np.arange(seed, seed + count, dtype=np.int64)
        return np.concatenate([self._sampler(chunk).numpy() for chunk in np.array_split(seeds, -(-count // 256))])

    def endpoints(self):
        """What the exported model answers: {signature: (function, its input specifications)}.

        `serving_default` maps `z` to `image` (or `point`); `sample` maps one `seed` a row to one uint8 `image`;
        `sample_png` to PNG bytes.
        """
        latents = tf.TensorSpec((None, self.latent_dim), tf.float32, name="z")
        seeds = tf.TensorSpec((None,), tf.int64, name="seed")
        output = "image" if len(self.sample_shape()) == 3 else "point"
        endpoints = {
            "serving_default": (lambda z: {output: tf.cast(self(z, training=False), tf.float32)}, [latents]),
            "sample": (lambda seed: {output: self.samples_from_seeds(seed)}, [seeds]),
        }
        if output == "image" and self.sample_shape()[-1] in (1, 3):
            endpoints["sample_png"] = (
                lambda seed: {"image_bytes": tf.io.encode_png(self.samples_from_seeds(seed))},
                [seeds],
            )
        return endpoints

    def export(self, filepath, **kwargs):
        """Writes a SavedModel with the signatures of `endpoints`, each weight once.

        Args:
            filepath: folder to write.
            **kwargs: `verbose`, as `keras.export.ExportArchive.write_out`.
        """
        archive = keras.export.ExportArchive()
        for name, (function, signature) in self.endpoints().items():
            archive.add_endpoint(name, function, input_signature=signature)
        archive.write_out(filepath, **kwargs)
