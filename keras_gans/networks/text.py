"""Networks that give texts and images codes in one space, in which those that belong together agree.

Reed et al., "Learning Deep Representations of Fine-grained Visual Descriptions" (2016).
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans.errors import UserError, unknown_name
from keras_gans.layers.text import Masked, MaskedMean, Positions, TokenEmbedding, WordsMask
from keras_gans.networks.blocks import Blocks
from keras_gans.networks.builders import builder
from keras_gans.words import LEVELS

TEXT_ENCODERS = ("convolutional", "attention")
# Places that each convolution reads: words at once, characters a word's worth after two.
_KERNELS = {"word": (1, 3), "character": (5, 5, 5)}
_HEADS = 4


@builder("text_encoder")
def text_encoder(
    vocabulary: Sequence[str],
    embedding_dim: int = 64,
    level: str = "word",
    length: int = 16,
    kind: str = "convolutional",
    units: int = 128,
) -> keras.Model:
    """An encoder of texts, given as numbers of words or characters.

    "convolutional": convolutions over the text, the largest answer of each filter, and a projection, as Kim,
    "Convolutional Neural Networks for Sentence Classification" (2014), and the front of Reed et al.'s char-CNN-RNN;
    words are also read one by one. "attention": one block of Vaswani et al. (2017), normalized first, and the mean over
    the words. Neither reads the padding, so that a longer `length` changes nothing, and neither is recurrent: both
    become TFLite files of its own operations. A text without a word has the code of none.

    Args:
        vocabulary: what each number stands for; `layers.Tokenizer.vocabulary`.
        embedding_dim: size of a code.
        level: "word" or "character": how far the convolutions read.
        length: numbers of a text.
        kind: "convolutional" or "attention".
        units: size of the hidden layers.

    Returns:
        keras.Model: int32 (batch, length) -> (batch, embedding_dim), float32.

    Raises:
        UserError: no such kind or level, or fewer words than two.
    """
    if kind not in TEXT_ENCODERS:
        raise unknown_name("kind of text encoder", kind, TEXT_ENCODERS)
    if level not in LEVELS:
        raise unknown_name("level of tokens", level, LEVELS)
    if len(vocabulary) < 3:
        raise UserError(f"vocabulary holds padding, unknown and a word at least. Received: {list(vocabulary)}.")
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    vectors = TokenEmbedding(len(vocabulary), units)(tokens)
    read = _attending(vectors, tokens, units) if kind == "attention" else _convolving(vectors, tokens, units, level)
    codes = layers.Dense(embedding_dim, dtype="float32", name="code")(read)
    return keras.Model(tokens, codes, name="text_encoder")


def _convolving(vectors, tokens, units, level):
    blocks, found = Blocks(activation="relu"), []
    x = vectors
    for size in _KERNELS[level]:
        x = layers.Conv1D(units, size, padding="same", kernel_initializer="he_normal")(x)
        # Rectified first: a filter's largest answer is no less than the zeros of the padding.
        x = Masked()([blocks.activated(x), tokens])
        if level == "word":
            found.append(layers.GlobalMaxPooling1D()(x))
    return layers.Concatenate()(found) if found else layers.GlobalMaxPooling1D()(x)


def _attending(vectors, tokens, units):
    x = Positions()(vectors)
    normalized = layers.LayerNormalization()(x)
    mask = WordsMask()(tokens)
    heads = _HEADS if units % _HEADS == 0 else 1
    attended = layers.MultiHeadAttention(heads, units // heads)(normalized, normalized, attention_mask=mask)
    x = layers.Add()([x, attended])
    hidden = layers.Dense(2 * units, activation="relu")(layers.LayerNormalization()(x))
    x = layers.LayerNormalization()(layers.Add()([x, layers.Dense(units)(hidden)]))
    return MaskedMean()([x, tokens])


@builder("image_encoder")
def image_encoder(
    sample_shape: Sequence[int], embedding_dim: int = 64, base_filters: int = 32, activation: str = "leaky_relu"
) -> keras.Model:
    """An encoder of images for `text_encoder` to agree with: stride-2 convolutions down to four pixels or fewer.

    Channels are normalized in groups and not over the batch, whose other images say nothing about one.

    Args:
        sample_shape: (height, width, channels), of 4 pixels at the least.
        embedding_dim: size of a code.
        base_filters: filters of the first convolution, doubled by each further one up to eight times as many.
        activation: of the hidden layers, see `blocks.Blocks`.

    Returns:
        keras.Model: (batch, *sample_shape) in [-1, 1] -> (batch, embedding_dim), float32.

    Raises:
        UserError: no images, or images too small.
    """
    if len(sample_shape) != 3 or min(sample_shape[:2]) < 4:
        raise UserError(f"image_encoder reads images of 4x4 pixels or more. Received: {tuple(sample_shape)}.")
    images = keras.Input(tuple(sample_shape), name="image")
    blocks, x, filters = Blocks("group", activation), images, base_filters
    x = blocks.hidden(blocks.convolution(filters, 3)(x))
    while max(x.shape[1:3]) > 4:
        filters = min(2 * filters, 8 * base_filters)
        x = blocks.hidden(blocks.convolution(filters, 4, strides=2)(x))
    codes = layers.Dense(embedding_dim, dtype="float32", name="code")(layers.Flatten()(x))
    return keras.Model(images, codes, name="image_encoder")
