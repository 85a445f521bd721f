"""The workloads of the step benchmark: for every scheme a recipe and a size of image.

A new scheme needs a line in `CASES` here and a plain Keras loop in one of the modules `benchmarks.plain_*`.
"""

import dataclasses
import functools

import numpy as np

from keras_gans.data.embedded import numbers_and_dates
from keras_gans.fields import UNLABELLED, Classes, Images, Texts
from keras_gans.subwords import learn
from keras_gans.training import recipe as recipes
from keras_gans.training.build import build_model, scheme_of

CLASS_COUNT = 10


@dataclasses.dataclass(frozen=True)
class Case:
    """One workload: a recipe's networks and optimizers at a size of image.

    Attributes:
        recipe: its name.
        image_shape: (height, width, channels).
        batch_size: real samples that one update of the discriminator sees.
        settings: further fields of the recipe, as `keras-gans train --set` takes them.
    """

    recipe: str
    image_shape: tuple
    batch_size: int = 64
    settings: dict = dataclasses.field(default_factory=dict)

    def chosen(self, precision="float32"):
        """The `Recipe`."""
        fixed = {"batch_size": self.batch_size, "precision": precision, "learning_rate_schedule": "constant"}
        return recipes.with_settings(recipes.named(self.recipe), {**fixed, **self.settings})

    @property
    def scheme(self):
        """Name of the recipe's scheme."""
        return self.chosen().scheme["name"]

    def model(self, precision="float32"):
        """The project's compiled model."""
        chosen = self.chosen(precision)
        names = tuple(map(str, range(CLASS_COUNT)))
        label = Classes(names, prior=(1 / CLASS_COUNT,) * CLASS_COUNT)
        image = Images(self.image_shape)
        pairs = {"image_a": image, "label_a": label, "image_b": image, "label_b": label}
        texts = {side: Texts(vocabulary=vocabulary) for side, vocabulary in vocabularies().items()}
        return build_model(chosen, {"sample": image, "label": label, "text": Texts(), **pairs, **texts})

    def batch(self, batches=1):
        """Random images (rows, height, width, channels) in [-1, 1], in a tuple with labels where the scheme wants them.

        Where rows without a label are allowed, every other one has none. Of two domains it is images of each.
        """
        random = np.random.default_rng(0)
        rows, scheme = self.batch_size * batches, scheme_of(self.chosen())
        images = random.uniform(-1, 1, (rows, *self.image_shape)).astype("float32")
        labels = random.integers(0, CLASS_COUNT, rows)
        if scheme.allows_unlabelled:
            labels[1::2] = UNLABELLED
        if "target" in scheme.takes:
            pairs = numbers_and_dates((rows,))[0]
            return tuple(np.array([pair[side].encode() for pair in pairs], object) for side in (0, 1))
        held = {"sample": images, "label": labels, "image_a": images, "image_b": -images}
        held["text"] = Texts().example(rows)
        taken = tuple(held.get(name, labels) for name in scheme.takes)
        return taken if len(taken) > 1 else images

    def to_dict(self):
        """The case as JSON takes it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields):
        """The case that `to_dict` described."""
        return cls(**{**fields, "image_shape": tuple(fields["image_shape"])})


@functools.cache
def vocabularies():
    """{"source", "target": pieces} of numbers and dates."""
    pairs = numbers_and_dates((2000,))[0]
    return {name: learn([pair[side] for pair in pairs], 160) for side, name in enumerate(("source", "target"))}


MNIST, COLOUR_32, COLOUR_64 = (28, 28, 1), (32, 32, 3), (64, 64, 3)
_WIDE = {"generator.base_filters": 128, "discriminator.base_filters": 128}
# Once the text encoder has learned.
_READ = {"scheme.encoder_steps": 0}

CASES = {
    "dcgan28": Case("dcgan", MNIST),
    "dcgan28_wide": Case("dcgan", MNIST, settings=_WIDE),
    "dcgan64": Case("dcgan", COLOUR_64),
    "lsgan28": Case("lsgan", MNIST),
    "lsgan64": Case("lsgan", COLOUR_64),
    "wgan28": Case("wgan", MNIST),
    "wgan_gp28": Case("wgan_gp", MNIST),
    "wgan_gp32": Case("wgan_gp", COLOUR_32),
    "dragan28": Case("dragan", MNIST),
    "sngan28": Case("sngan", MNIST),
    "r3gan28": Case("r3gan", MNIST),
    "cgan28": Case("cgan_projection", MNIST),
    "cgan64": Case("cgan_projection", COLOUR_64),
    "acgan28": Case("acgan_dcgan", MNIST),
    "cyclegan64": Case("cyclegan_resnet", COLOUR_64, batch_size=8),
    "cyclegan64_alone": Case("cyclegan_resnet", COLOUR_64, batch_size=1),
    "cyclegan64_identity": Case("cyclegan_resnet", COLOUR_64, batch_size=1, settings={"scheme.identity_weight": 0.5}),
    "cut64": Case("cut_resnet", COLOUR_64, batch_size=8),
    "pix2pix64": Case("pix2pix_unet", COLOUR_64, batch_size=8),
    # Texts, whatever the shape of images. The step of its last phase.
    "adversarial_nmt": Case(
        "adversarial_nmt", MNIST, settings={"scheme.likelihood_steps": 0, "scheme.warm_up_steps": 0}
    ),
    "cycada28": Case("cycada", MNIST, batch_size=16),
    "began28": Case("began_conv", MNIST),
    "gan28": Case("gan", MNIST),
    "sgan28": Case("sgan", MNIST),
    "autoencoder28": Case("autoencoder", MNIST),
    "aae28": Case("aae", MNIST),
    "aae_labelled28": Case("aae_labelled", MNIST),
    "semi_supervised_aae28": Case("semi_supervised_aae", MNIST),
    "vae28": Case("vae", MNIST),
    "vae_gan28": Case("vae_gan", MNIST),
    "text_to_image32": Case("text_to_image", COLOUR_32, settings=_READ),
    "df_gan32": Case("df_gan", COLOUR_32, settings=_READ),
    # A step of stage II.
    "stackgan32": Case("stackgan", COLOUR_32, settings=_READ | {"scheme.stage_1_steps": 0}),
}

# Zhu et al. 2017, section 7.2: 64 filters, and 9 blocks at 256 pixels.
_PAPER = {f"{role}.base_filters": 64 for role in ("a_to_b", "b_to_a", "discriminator_a", "discriminator_b")}
_PAPER |= {"a_to_b.blocks": 9, "b_to_a.blocks": 9}

# Too large to take turns with the others; of what memory they need.
LARGE_CASES = {
    "cyclegan256": Case("cyclegan_resnet", (256, 256, 3), batch_size=1),
    "cyclegan256_paper": Case("cyclegan_resnet", (256, 256, 3), batch_size=1, settings=_PAPER),
}


def batch_scaling():
    """{name: case} of DCGAN at 28 pixels, batches of 16 to 256."""
    return {f"batch {size}": Case("dcgan", MNIST, batch_size=size) for size in (16, 32, 64, 128, 256)}


def size_scaling():
    """{name: case} of DCGAN in colour at 16 to 128 pixels, batches of 64."""
    return {f"{size} pixels": Case("dcgan", (size, size, 3)) for size in (16, 32, 64, 128)}


def step_of(model, batch):
    """A function that takes one step of a compiled Keras model on the batch, by Keras's own train function."""
    import tensorflow as tf

    iterator = iter(tf.data.Dataset.from_tensors(batch).cache().repeat().prefetch(2))
    model.make_train_function()

    def step():
        curves = model.train_function(iterator)
        # One value is read, so that the step has ended; `fit` reads the others only where somebody looks at them.
        float(next(iter(curves.values())))
        return curves

    return step


def fit_of(model, batch, steps):
    """A function that takes so many steps of a compiled Keras model on the batch, by `fit`."""
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors(batch).cache().repeat().prefetch(2)
    return lambda: model.fit(dataset, steps_per_epoch=steps, verbose=0)
