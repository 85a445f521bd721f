"""A scheme of a third kind, as a user would write one outside of the project: pairs of points, drawn jointly.

It has no samples of one field, two inputs to its discriminator, and a data set and a recipe of its own.
"""

import keras
import numpy as np
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses
from keras_gans.drawing import picture
from keras_gans.engine import AdversarialModel, register_scheme
from keras_gans.fields import Points
from keras_gans.latent import draw_latents, latents_from_seeds
from keras_gans.optimizers import Adam
from keras_gans.training.recipe import Recipe, recipe

FIELDS = ("first", "second")


@register_scheme("pairs")
class PairsGAN(AdversarialModel):
    """The original GAN of pairs (x, y) of points; the discriminator sees both and so how they belong together."""

    takes = {"first": (Points,), "second": (Points,)}
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    rivals = {"generator": ("discriminator",)}
    judged_fields = FIELDS
    log_names = ("real_score", "fake_score")

    def __init__(self, generator, discriminator, *, discriminator_weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.generator, self.discriminator, self.discriminator_weight = generator, discriminator, discriminator_weight

    @classmethod
    def network_arguments(cls, role, data_fields, latent_dim):
        sizes = [data_fields[name].shape[0] for name in FIELDS]
        return {"latent_dim": latent_dim, "sizes": sizes}

    def fields(self):
        return dict(zip(FIELDS, (Points(tuple(output.shape[1:])) for output in self.generator.outputs), strict=True))

    def default_optimizers(self):
        return {player: Adam(1e-3, beta_1=0.5) for player in self.players}

    def call(self, inputs, training=False):
        return dict(zip(FIELDS, self.generator(inputs, training=training), strict=True))

    def play(self, *real):
        rows = real[0].shape[0] or tf.shape(real[0])[0]
        self.update("discriminator", self.discriminator_loss, real, [tf.stop_gradient(x) for x in self.made(rows)])
        self.update("generator", lambda: self.generator_loss(self.made(rows)))

    def made(self, rows):
        """Pairs from fresh latents, [first, second]."""
        return self.generator(draw_latents(rows, self.generator.input_shape[-1], self.next_seed()), training=True)

    def discriminator_loss(self, real, fake):
        scores = [self.discriminator(list(pair), training=True) for pair in (real, fake)]
        means = dict(zip(self.log_names, map(tf.reduce_mean, scores), strict=True))
        return self.discriminator_weight * losses.minimax_discriminator(*scores), means

    def generator_loss(self, fake):
        return losses.non_saturating_generator(self.discriminator(fake, training=True)), {}

    def realness(self, *values, training=False):
        return tf.reshape(self.discriminator(list(values), training=training), [-1])

    def judged(self, real, made=None, training=False):
        made = dict(zip(FIELDS, self.made(len(real["first"])), strict=True)) if made is None else made
        sides = ([tf.convert_to_tensor(side[name]) for name in FIELDS] for side in (real, made))
        return {"discriminator": tuple(self.realness(*side, training=training) for side in sides)}

    def draw(self, count, seed=0):
        pairs = self.pairs_from_seeds(tf.range(seed, seed + count, dtype=tf.int64))
        return {name: values.numpy() for name, values in pairs.items()}

    def pairs_from_seeds(self, seeds):
        """{field: points} of int64 seeds (batch,)."""
        return self(latents_from_seeds(seeds, self.generator.input_shape[-1], "normal"))

    def shows(self, real, count, seed=0):
        made = self.draw(32 * count, seed)
        pairs = zip(made["first"][:4].round(2), made["second"][:4].round(2), strict=True)
        pictures = {name: picture.points(made[name], None if real is None else real[name]) for name in FIELDS}
        return {**pictures, "pairs": [f"{x} with {y}" for x, y in pairs]}

    def endpoints(self):
        seeds = tf.TensorSpec((None,), tf.int64, name="seed")
        latents = tf.TensorSpec((None, self.generator.input_shape[-1]), tf.float32, name="z")
        return {"serving_default": (lambda z: self(z), [latents]), "sample": (self.pairs_from_seeds, [seeds])}

    def example_input(self, specification, rows):
        seeds = np.arange(rows, dtype=np.int64)
        if specification.name == "seed":
            return seeds
        return latents_from_seeds(seeds, self.generator.input_shape[-1], "normal").numpy()


@kg.registry.networks.register("pairs_generator")
def pairs_generator(latent_dim, sizes, units=32):
    """Latents -> [first, second]."""
    latents = keras.Input((latent_dim,))
    hidden = keras.layers.Dense(units, "relu")(latents)
    hidden = keras.layers.Dense(units, "relu")(hidden)
    return keras.Model(latents, [keras.layers.Dense(size)(hidden) for size in sizes])


@kg.registry.networks.register("pairs_discriminator")
def pairs_discriminator(sizes, units=32):
    """[first, second] -> raw score."""
    points = [keras.Input((size,)) for size in sizes]
    hidden = keras.layers.Dense(units, "leaky_relu")(keras.layers.Concatenate()(points))
    return keras.Model(points, keras.layers.Dense(1)(keras.layers.Dense(units, "leaky_relu")(hidden)))


def circle_and_radius(count=2000, seed=0):
    """{field: points}: a point on the circle, and a number that its angle decides."""
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, count)
    first = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return {"first": first.astype("float32"), "second": np.cos(angles)[:, np.newaxis].astype("float32")}


@kg.data.register_source("circle")
def circle(*, split="train", **options):
    """The pairs of `circle_and_radius` as a data set."""
    return kg.data.Source.of(circle_and_radius(seed=int(split != "train")), name="circle", split=split)


@recipe
def circle_pairs():
    """The joint distribution of points on a circle and their cosines; seconds on one core."""
    return Recipe(
        summary="pairs of points",
        source="Goodfellow et al. 2014",
        scheme={"name": "pairs"},
        networks={"generator": {"name": "pairs_generator"}, "discriminator": {"name": "pairs_discriminator"}},
        data="circle",
        steps=40,
        latent_dim=4,
        log_every=10,
        picture_every=20,
        checkpoint_every=20,
    )
