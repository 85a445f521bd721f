"""Networks that translate sentences, token by token, and the discriminator of pairs of sentences.

Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and Translate" (2015); Vaswani et al.,
"Attention Is All You Need" (2017); Wu et al., "Adversarial Neural Machine Translation" (2017).
"""

import keras
from keras import layers

from keras_gans.errors import UserError
from keras_gans.layers.text import TokenEmbedding
from keras_gans.layers.translators import PairConvolution, RNNSearch, Transformer
from keras_gans.networks.builders import builder


@builder("rnn_search")
def rnn_search(
    source_size: int,
    target_size: int,
    units: int = 128,
    embedding_units: int = 64,
    dropout: float = 0.0,
    tied: bool = False,
) -> keras.Model:
    """RNN-search (Bahdanau et al. 2015): what Wu et al. (2017) train, with 1,000 units and embeddings of 620.

    The readout is a dense layer with tanh in place of maxout.

    Args:
        source_size, target_size: of the two vocabularies.
        units: of the GRU of each direction, of the decoder's and of the attention.
        embedding_units: of a token's vector.
        dropout: of embeddings and readout.
        tied: whether the target's embedding is the matrix of the logits too (Press and Wolf 2017).

    Returns:
        keras.Model, a `Translator`: [source (batch, s), previous (batch, t)] -> logits (batch, t, target_size).
    """
    return RNNSearch(source_size, target_size, units, embedding_units, dropout, tied)


@builder("transformer_translator")
def transformer_translator(
    source_size: int,
    target_size: int,
    units: int = 64,
    layer_count: int = 2,
    heads: int = 4,
    dropout: float = 0.0,
    feed_forward_units: int | None = None,
    tied: bool = False,
) -> keras.Model:
    """A small Transformer (Vaswani et al. 2017), with normalization before each part and sines for positions.

    Args:
        source_size, target_size: of the two vocabularies.
        units: of a token's vector.
        layer_count: layers of the encoder and of the decoder.
        heads: of each attention.
        dropout: of embeddings and of each part.
        feed_forward_units: of the hidden layer at each place; four times `units` unless given.
        tied: whether the target's embedding is the matrix of the logits too, as the paper has it.

    Returns:
        keras.Model, a `Translator`: [source (batch, s), previous (batch, t)] -> logits (batch, t, target_size).

    Raises:
        UserError: units that do not divide among the heads, or numbers below 1.
    """
    return Transformer(source_size, target_size, units, layer_count, heads, dropout, feed_forward_units, tied)


@builder("pair_grid_discriminator")
def pair_grid_discriminator(
    source_size: int,
    target_size: int,
    length: int = 24,
    embedding_units: int | None = 24,
    filters: int = 20,
    dense_units: int = 20,
    translator_units: int | None = None,
) -> keras.Model:
    """Is a pair of sentences a human translation? Wu et al. (2017), section 3.2.

    The grid of the words' vectors goes through a 3x3 convolution and 2x2 max-pooling, twice, and a hidden layer. The
    vectors are the translator's, as in the paper, or learned here.

    Args:
        source_size, target_size: of the two vocabularies.
        length: tokens of either sentence, with padding.
        embedding_units: of a token's vector that is learned here; None for the translator's vectors.
        filters: of each convolution.
        dense_units: of the hidden layer.
        translator_units: of the translator's vectors; a scheme fills it in.

    Returns:
        keras.Model: int32 [source (batch, length), target (batch, length)] -> raw scores (batch, 1), float32; or of
        float vectors (batch, length, translator_units) where `embedding_units` is None.

    Raises:
        UserError: sentences too short for two poolings, or vectors of neither kind.
    """
    if length < 10:
        raise UserError(f"Two poolings need sentences of 10 tokens or more. Received: length={length}.")
    if embedding_units is None and translator_units is None:
        raise UserError("embedding_units=None is for the translator's vectors: give translator_units, their size.")
    sides = {"source": source_size, "target": target_size}
    if embedding_units is None:
        inputs = embedded = [keras.Input((length, translator_units), name=side) for side in sides]
    else:
        inputs = [keras.Input((length,), dtype="int32", name=side) for side in sides]
        pairs = zip(sides.values(), inputs, strict=True)
        embedded = [TokenEmbedding(size, embedding_units)(each) for size, each in pairs]
    x = layers.MaxPooling2D()(layers.ReLU()(PairConvolution(filters)(embedded)))
    x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, activation="relu")(x))
    x = layers.Dense(dense_units, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(1, dtype="float32", name="score")(x), name="discriminator")
