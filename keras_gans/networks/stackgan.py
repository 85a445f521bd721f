"""The generators of StackGAN: a small picture of a text, and a larger one of the small one and the text again.

Zhang et al., "StackGAN: Text to Photo-realistic Image Synthesis with Stacked Generative Adversarial Networks" (2017).
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans.errors import UserError
from keras_gans.layers import ConditioningAugmentation
from keras_gans.networks.blocks import Blocks
from keras_gans.networks.builders import builder
from keras_gans.networks.sizes import doublings_of
from keras_gans.networks.text_to_image import DOUBLINGS, branches, code_input, doubled, hidden, joined, modulated


def _augmented(codes, condition_dim):
    """(noise input, [c, mean, log deviation]) of a text's code."""
    noise = keras.Input((condition_dim,), name="condition_noise")
    return noise, ConditioningAugmentation(condition_dim, name="augmentation")([codes, noise])


@builder("stackgan_stage_1_generator")
def stackgan_stage_1_generator(
    sample_shape: Sequence[int],
    latent_dim: int = 100,
    embedding_dim: int = 64,
    condition_dim: int = 64,
    base_filters: int = 64,
    text_in_blocks: bool = False,
    upsampling: str = "nearest",
    normalization: str | None = "batch",
    activation: str = "relu",
) -> keras.Model:
    """Stage I: a latent and a text, the latter through conditioning augmentation, to a small picture.

    Args:
        sample_shape: (height, width, channels) of the small picture, square, of 4, 8, 16, 28, 32, 64 or 128 pixels.
        latent_dim: size of a latent; 100 in the paper.
        embedding_dim: size of a code.
        condition_dim: size of what stands for the text; 128 in the paper.
        base_filters: filters of the last hidden layer, doubled in each layer below it.
        text_in_blocks: whether what stands for the text also sets gain and offset of each channel of all hidden layers,
            as in `networks.text_to_image_generator`. False in the paper.
        upsampling: see `layers.Upsample2D`; "nearest" as in the paper.
        normalization: "batch" as in the paper, or another, see `blocks.Blocks`, as for the next.
        activation: of the hidden layers.

    Returns:
        keras.Model: [latents, codes, noise (batch, condition_dim)] -> [images in [-1, 1], mean, log deviation of what
        stands for the text], float32.

    Raises:
        UserError: a size that the network cannot make, or no such choice.
    """
    count, start = doublings_of(sample_shape, DOUBLINGS, "stackgan_stage_1_generator")
    latents, codes = keras.Input((latent_dim,), name="z"), code_input(embedding_dim)
    noise, (condition, mean, log_deviation) = _augmented(codes, condition_dim)
    asked = branches(condition, count + 1 if text_in_blocks else 0)
    images = doubled(
        layers.Concatenate()([next(asked), latents]),
        sample_shape[2],
        (start, count, base_filters),
        upsampling,
        Blocks(normalization, activation),
        asked if text_in_blocks else None,
    )
    return keras.Model([latents, codes, noise], [images, mean, log_deviation], name="stage_1_generator")


@builder("stackgan_generator", residual_blocks=0)
def stackgan_generator(
    sample_shape: Sequence[int],
    embedding_dim: int = 64,
    condition_dim: int = 64,
    base_filters: int = 64,
    residual_blocks: int = 2,
    text_in_blocks: bool = False,
    upsampling: str = "nearest",
    normalization: str | None = "batch",
    activation: str = "relu",
) -> keras.Model:
    """Stage II: a picture of half the size and its text again to the picture in full, with no latent of its own.

    The small picture is encoded, by two halvings from 32 pixels on and else by one, joined with the text at each place,
    changed by residual blocks and enlarged. The paper goes from 64 to 256 pixels; one doubling fewer goes to 128.

    Args:
        sample_shape: (height, width, channels) of the large picture, square, an even number of pixels from 8.
        embedding_dim: size of a code.
        condition_dim: size of what stands for the text; 128 in the paper.
        base_filters: filters at the large picture's resolution, doubled with each halving.
        residual_blocks: how many; 4 in the paper.
        text_in_blocks: see `stackgan_stage_1_generator`; of all hidden layers from where text and picture meet.
        upsampling, normalization, activation: see `stackgan_stage_1_generator`.

    Returns:
        keras.Model: [images of half the size, codes, noise (batch, condition_dim)] -> [images in [-1, 1], mean, log
        deviation], float32.

    Raises:
        UserError: a size that cannot be halved, or no such choice.
    """
    height, width, channels = sample_shape
    halvings = 2 if height >= 64 else 1
    if height != width or height % 2 ** (halvings + 1) or height < 8:
        raise UserError(
            f"stackgan_generator makes square images of 8 pixels or more that can be halved {halvings + 1} times. "
            f"Received: sample_shape={tuple(sample_shape)}."
        )
    small, codes = keras.Input((height // 2, width // 2, channels), name="small_image"), code_input(embedding_dim)
    noise, (condition, mean, log_deviation) = _augmented(codes, condition_dim)
    blocks = Blocks(normalization, activation)
    x = blocks.activated(blocks.convolution(2 * base_filters, 3, hidden=False)(small))
    for stage in range(halvings):
        x = blocks.hidden(blocks.convolution(2 ** (stage + 2) * base_filters, 4, strides=2)(x))
    asked = branches(condition, 2 + 2 * residual_blocks + halvings if text_in_blocks else 0)
    x = blocks.convolution(x.shape[-1], 3)(joined(x, next(asked)))
    heard = asked if text_in_blocks else None
    x = hidden(x, heard, blocks)
    for _ in range(residual_blocks):
        y = hidden(blocks.convolution(x.shape[-1], 3)(x), heard, blocks)
        y = blocks.normalized(blocks.convolution(x.shape[-1], 3)(y))
        x = blocks.activated(layers.Add()([x, y if heard is None else modulated(y, heard)]))
    for stage in reversed(range(halvings + 1)):
        x = hidden(blocks.upsampling(2**stage * base_filters, upsampling)(x), heard, blocks)
    x = blocks.convolution(channels, 3, hidden=False)(x)
    images = layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model([small, codes, noise], [images, mean, log_deviation], name="generator")
