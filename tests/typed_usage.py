"""What a user writes, for the type checker: every name has a type, and a wrong argument is found. It is not run."""

import numpy as np

import keras_gans as kg
from keras_gans.engine import GAN, register_scheme
from keras_gans.fields import Classes, Images
from keras_gans.testing import check_scheme


@register_scheme("typed")
class TypedGAN(GAN):
    """A scheme of one's own."""


def train() -> np.ndarray:
    """The README's way from Python."""
    images = kg.data.load("digits", batch_size=64)
    gan = kg.schemes.WGANGP(
        kg.networks.dcgan_generator((8, 8, 1)), kg.networks.dcgan_discriminator((8, 8, 1), normalization=None)
    )
    gan.compile()
    gan.fit(images, epochs=20, callbacks=[kg.callbacks.ImageGrid("logs")])
    steps: int = gan.steps_taken
    shape: tuple[int, ...] = gan.sample_shape()
    drawn: np.ndarray = gan.sample(steps, seed=len(shape))
    return drawn


def come_along() -> dict[str, str]:
    """Presets."""
    digits: np.ndarray = kg.load_preset("dcgan_digits").sample(4, seed=0)
    print(digits.shape, kg.presets.pull("ada/digits", revision="main").name)
    return kg.presets.names()


def open_data() -> dict[str, object]:
    """Sources and their fields."""
    source = kg.data.open_source("photos[cat] + photos[dog]", image_size=64)
    fields = source.fields_for({"image_a": (Images,), "image_b": (Images,)})
    kinds: tuple[int, ...] = fields["image_a"].shape
    return {"shape": kinds, "label": Classes(("ant", "bee")).count}


def check() -> None:
    """The contract."""
    check_scheme(lambda: TypedGAN(kg.networks.mlp_generator((2,)), kg.networks.mlp_discriminator((2,))))


def mistakes() -> None:
    """Each is an error that the checker must find, or it says that the comment is not needed."""
    kg.data.open_source(7, split=7)  # type: ignore[arg-type]
    print(kg.nothing)  # type: ignore[attr-defined]
    kg.data.load("digits", batch_size="many")  # type: ignore[arg-type]
    kg.load_preset(7)  # type: ignore[arg-type]
    kg.pixels.to_uint8()  # type: ignore[call-arg]
