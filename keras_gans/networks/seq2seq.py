"""Networks that translate sentences, token by token, and the discriminator of pairs of sentences.

Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and Translate" (2015); Vaswani et al.,
"Attention Is All You Need" (2017); Wu et al., "Adversarial Neural Machine Translation" (2017).
"""

import keras
from keras import layers

from keras_gans.errors import UserError
from keras_gans.layers.text import TokenEmbedding
from keras_gans.layers.translators import PairGrid, RNNSearch, Transformer
from keras_gans.registry import networks


@networks.register("rnn_search")
def rnn_search(
    source_size: int, target_size: int, units: int = 128, embedding_units: int = 64, dropout: float = 0.0
) -> keras.Model:
    """RNN-search (Bahdanau et al. 2015): what Wu et al. (2017) train, with 1,000 units and embeddings of 620.

    The readout is a dense layer with tanh in place of maxout.

    Args:
        source_size, target_size: of the two vocabularies.
        units: of the GRU of each direction, of the decoder's and of the attention.
        embedding_units: of a token's vector.
        dropout: of embeddings and readout.

    Returns:
        keras.Model, a `Translator`: [source (batch, s), previous (batch, t)] -> logits (batch, t, target_size).
    """
    return RNNSearch(source_size, target_size, units, embedding_units, dropout)


@networks.register("transformer_translator")
def transformer_translator(
    source_size: int, target_size: int, units: int = 64, layer_count: int = 2, heads: int = 4, dropout: float = 0.0
) -> keras.Model:
    """A small Transformer (Vaswani et al. 2017), with normalization before each part and sines for positions.

    Args:
        source_size, target_size: of the two vocabularies.
        units: of a token's vector; the feed-forward layers have four times as many.
        layer_count: layers of the encoder and of the decoder.
        heads: of each attention.
        dropout: of embeddings and of each part.

    Returns:
        keras.Model, a `Translator`: [source (batch, s), previous (batch, t)] -> logits (batch, t, target_size).

    Raises:
        UserError: units that do not divide among the heads.
    """
    return Transformer(source_size, target_size, units, layer_count, heads, dropout)


@networks.register("pair_grid_discriminator")
def pair_grid_discriminator(
    source_size: int,
    target_size: int,
    length: int = 24,
    embedding_units: int = 24,
    filters: int = 20,
    dense_units: int = 20,
) -> keras.Model:
    """Is a pair of sentences a human translation? Wu et al. (2017), section 3.2.

    The grid of the words' vectors goes through a 3x3 convolution and 2x2 max-pooling, twice, and a hidden layer. Its
    embeddings are its own.

    Args:
        source_size, target_size: of the two vocabularies.
        length: tokens of either sentence, with padding.
        embedding_units: of a token's vector.
        filters: of each convolution.
        dense_units: of the hidden layer.

    Returns:
        keras.Model: int32 [source (batch, length), target (batch, length)] -> raw scores (batch, 1), float32.

    Raises:
        UserError: sentences too short for two poolings.
    """
    if length < 10:
        raise UserError(f"Two poolings need sentences of 10 tokens or more. Received: length={length}.")
    inputs = [keras.Input((length,), dtype="int32", name=name) for name in ("source", "target")]
    sizes = (source_size, target_size)
    embedded = [TokenEmbedding(size, embedding_units)(each) for size, each in zip(sizes, inputs, strict=True)]
    x = PairGrid()(embedded)
    for _ in range(2):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dense(dense_units, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(1, dtype="float32", name="score")(x), name="discriminator")
