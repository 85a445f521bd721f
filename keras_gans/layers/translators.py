"""Networks that translate sentences, token by token, as classes: what is built of them is in `networks.seq2seq`.

They stand among the layers because a file of a model names their classes, which whoever loads it must know.

Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and Translate" (2015); Vaswani et al.,
"Attention Is All You Need" (2017); Wu et al., "Adversarial Neural Machine Translation" (2017).
"""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from keras_gans.checks import check_switch, check_whole
from keras_gans.errors import UserError
from keras_gans.hints import Tensor
from keras_gans.layers.noise import Dropout
from keras_gans.layers.text import TokenEmbedding
from keras_gans.subwords import BEGIN, PAD, SPECIAL

# Added to what must not be: beyond any logit, and small enough for sums of a few.
_NEVER = -1e9
State = dict[str, Tensor]


class Translator(keras.Model):
    """What a network that translates can do: encode a sentence, and say which token comes next.

    Calling it on [source (batch, s), previous (batch, t)], int32 tokens with padding behind, gives the logits of the
    token after each of `previous`, float32 (batch, t, target_size). Padding and the beginning never come next.

    Args:
        source_size, target_size: of the two vocabularies.
        tied: whether the target's embedding is the matrix of the logits too, which then have no bias (Press and Wolf,
            "Using the Output Embedding to Improve Language Models" (2017)).
    """

    def __init__(self, source_size: int, target_size: int, tied: bool = False, name: str | None = None):
        super().__init__(name=name)
        for size in (source_size, target_size):
            if size <= len(SPECIAL):
                raise UserError(f"A vocabulary has more than its {len(SPECIAL)} special tokens. Received: {size}.")
        check_switch("tied", tied)
        self.source_size, self.target_size, self.tied = source_size, target_size, tied

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        source, previous = inputs
        return self.teacher_forced(self.encode(source, training), previous, training)[0]

    def encode(self, source: Tensor, training: bool = False) -> State:
        """What is kept of source sentences, tensors with the batch first, for the methods below."""
        raise NotImplementedError

    def teacher_forced(self, memory: State, previous: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """(logits of the next tokens (batch, t, target_size), attention (batch, t, s)) behind given tokens."""
        raise NotImplementedError

    def start(self, memory: State, room: int | None = None) -> State:
        """The state before the first token: tensors with the batch first; an axis of no places grows by each token.

        With `room`, nothing grows: there are places for so many tokens, for runtimes that do badly where tensors do.
        """
        raise NotImplementedError

    def step(self, memory: State, state: State, tokens: Tensor, place: int | Tensor) -> tuple[Tensor, Tensor, State]:
        """(logits (batch, target_size), attention (batch, s), next state) behind one more token, the place-th."""
        raise NotImplementedError

    def vectors(self, side: str, tokens: Tensor) -> Tensor:
        """The learned vectors (batch, t, `vector_size`) of tokens of "source" or "target", as the network reads them.

        Zeros for padding.
        """
        embedding = {"source": self.source_embedding, "target": self.target_embedding}[side]
        return embedding(tokens) * self._embedding_scale

    @property
    def vector_size(self) -> int:
        """Numbers of a token's vector."""
        return self.target_embedding.dimensions

    _embedding_scale = 1.0

    def _logits_of(self, rows):
        if self.tied:
            # As one product of two matrices: the gradient of a broadcast one needs the memory of all products.
            matrix = tf.cast(self.target_embedding.embeddings, rows.dtype)
            flat = tf.matmul(tf.reshape(rows, (-1, matrix.shape[1])), matrix, transpose_b=True)
            logits = tf.reshape(flat, tf.concat([tf.shape(rows)[:-1], [self.target_size]], axis=0))
            logits.set_shape((*rows.shape[:-1], self.target_size))
        else:
            logits = self.vocabulary(rows)
        return self._possible(logits)

    def _possible(self, logits):
        never = [_NEVER if token in (PAD, BEGIN) else 0.0 for token in range(self.target_size)]
        return tf.cast(logits, tf.float32) + tf.constant(never)

    def _built(self, *shapes):
        """Builds the layers, (layer, size of its input) each."""
        for layer, size in shapes:
            layer.build((None, None, size) if isinstance(layer, layers.Bidirectional) else (None, size))
        self.built = True


@keras.saving.register_keras_serializable(package="keras_gans")
class RNNSearch(Translator):
    """A bidirectional GRU encoder, additive attention and a GRU decoder; see `rnn_search`."""

    def __init__(
        self,
        source_size: int,
        target_size: int,
        units: int = 128,
        embedding_units: int = 64,
        dropout: float = 0.0,
        tied: bool = False,
        name: str | None = "generator",
    ):
        super().__init__(source_size, target_size, tied, name)
        self.units, self.embedding_units, self.dropout = units, embedding_units, dropout
        self.source_embedding = TokenEmbedding(source_size, embedding_units)
        self.target_embedding = TokenEmbedding(target_size, embedding_units)
        self.encoder = layers.Bidirectional(layers.GRU(units, return_sequences=True))
        self.first_state = layers.Dense(units, activation="tanh")
        self.keys, self.query = layers.Dense(units, use_bias=False), layers.Dense(units)
        self.energy = layers.Dense(1, use_bias=False)
        self.cell = layers.GRUCell(units)
        self.readout = layers.Dense(embedding_units, activation="tanh")
        self.vocabulary = None if tied else layers.Dense(target_size)
        self.source_dropout, self.target_dropout, self.readout_dropout = (Dropout(dropout) for _ in range(3))
        self._built(
            (self.source_embedding, 1),
            (self.target_embedding, 1),
            (self.encoder, embedding_units),
            (self.first_state, units),
            (self.keys, 2 * units),
            (self.query, units),
            (self.energy, units),
            (self.cell, embedding_units + 2 * units),
            (self.readout, embedding_units + 3 * units),
            *([] if tied else [(self.vocabulary, embedding_units)]),
        )

    def get_config(self) -> dict[str, Any]:
        names = ("source_size", "target_size", "units", "embedding_units", "dropout", "tied", "name")
        return {name: getattr(self, name) for name in names}

    def encode(self, source: Tensor, training: bool = False) -> State:
        is_token = source != PAD
        embedded = self.source_dropout(self.source_embedding(source), training=training)
        values = self.encoder(embedded, mask=is_token, training=training)
        # What the backward direction ends with, at the first word.
        first = self.first_state(values[:, 0, self.units :])
        bias = tf.where(is_token, 0.0, _NEVER)
        return {"values": values, "keys": self.keys(values), "bias": bias, "first": first}

    def start(self, memory: State, room: int | None = None) -> State:
        return {"state": memory["first"]}

    def _attend(self, memory, state, embedded):
        """(next state, context, attention) behind an embedded token."""
        energies = self.energy(tf.tanh(self.query(state)[:, tf.newaxis] + memory["keys"]))
        attention = tf.nn.softmax(tf.cast(energies[..., 0], tf.float32) + memory["bias"])
        context = tf.einsum("bs,bsu->bu", tf.cast(attention, memory["values"].dtype), memory["values"])
        state, _ = self.cell(tf.concat([embedded, context], axis=-1), [state])
        return state, context, attention

    def _logits(self, state, context, embedded, training=False):
        joined = tf.concat([state, context, embedded], axis=-1)
        return self._logits_of(self.readout_dropout(self.readout(joined), training=training))

    def teacher_forced(self, memory: State, previous: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        embedded = self.target_dropout(self.target_embedding(previous), training=training)
        first = memory["first"]
        start = (first, tf.zeros_like(memory["values"][:, 0]), tf.zeros_like(memory["bias"]))
        found = tf.scan(lambda last, row: self._attend(memory, last[0], row), tf.transpose(embedded, (1, 0, 2)), start)
        states, contexts, attention = (tf.transpose(each, (1, 0, 2)) for each in found)
        return self._logits(states, contexts, embedded, training), attention

    def step(self, memory: State, state: State, tokens: Tensor, place: int | Tensor) -> tuple[Tensor, Tensor, State]:
        embedded = self.target_embedding(tokens)
        after, context, attention = self._attend(memory, state["state"], embedded)
        return self._logits(after, context, embedded), attention, {"state": after}


class HeadAttention(layers.Layer):
    """Scaled dot-product attention of several heads."""

    def __init__(self, units: int, heads: int, **kwargs: Any):
        # Masks stay float32: half precision cannot hold what must not be.
        super().__init__(autocast=False, **kwargs)
        self.heads = heads
        self.query, self.key, self.value, self.output_layer = (layers.Dense(units) for _ in range(4))
        for layer in (self.query, self.key, self.value, self.output_layer):
            layer.build((None, units))
        self.built = True

    def projected(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (batch, heads, s, units / heads) of rows (batch, s, units)."""
        return self._split(self.key(rows), rows), self._split(self.value(rows), rows)

    def call(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """(values (batch, t, units), attention (batch, t, s)) of projected keys and values, with bias (batch, t, s)."""
        query = self._split(self.query(queries), queries)
        scores = tf.cast(tf.matmul(query, keys, transpose_b=True), tf.float32) * query.shape[-1] ** -0.5
        attention = tf.nn.softmax(scores if bias is None else scores + bias[:, tf.newaxis])
        mixed = tf.transpose(tf.matmul(tf.cast(attention, values.dtype), values), (0, 2, 1, 3))
        joined = tf.reshape(mixed, tf.concat([tf.shape(mixed)[:2], [self.output_layer.kernel.shape[0]]], axis=0))
        return self.output_layer(joined), tf.reduce_mean(attention, axis=1)

    def _split(self, rows, given):
        # By the shape of what the dense layer was given: of its own, tf2onnx takes that of the matrix within.
        shape = tf.shape(given)
        rows = tf.reshape(rows, (shape[0], shape[1], self.heads, rows.shape[-1] // self.heads))
        return tf.transpose(rows, (0, 2, 1, 3))


class FeedForward(layers.Layer):
    """Two dense layers at each place, with ReLU between them."""

    def __init__(self, units: int, hidden_units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.hidden, self.outer = layers.Dense(hidden_units, activation="relu"), layers.Dense(units)
        self.hidden.build((None, units))
        self.outer.build((None, hidden_units))
        self.built = True

    def call(self, rows: Tensor) -> Tensor:
        return self.outer(self.hidden(rows))


class TransformerBlock(layers.Layer):
    """A layer of the encoder or decoder, with normalization before each part (Xiong et al. 2020)."""

    def __init__(self, units: int, heads: int, hidden_units: int, dropout: float, is_decoder: bool, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)
        self.attention = HeadAttention(units, heads)
        self.cross = HeadAttention(units, heads) if is_decoder else None
        self.feed_forward = FeedForward(units, hidden_units)
        count = 3 if is_decoder else 2
        self.norms = [layers.LayerNormalization(epsilon=1e-6) for _ in range(count)]
        self.dropouts = [Dropout(dropout) for _ in range(count)]
        for norm in self.norms:
            norm.build((None, None, units))
        self.built = True

    def projected(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The rows' own keys and values."""
        return self.attention.projected(self.norms[0](rows))

    def call(
        self,
        rows: Tensor,
        keys: Tensor,
        values: Tensor,
        bias: Tensor | None,
        memory: tuple[Tensor, Tensor, Tensor] | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """(rows, attention to the memory or to themselves) behind keys and values of the rows that may be seen.

        The memory of a decoder's block is (keys, values, bias).
        """
        out, attention = self.attention(self.norms[0](rows), keys, values, bias)
        rows += self.dropouts[0](out, training=training)
        if self.cross is not None:
            out, attention = self.cross(self.norms[1](rows), *memory)
            rows += self.dropouts[1](out, training=training)
        return rows + self.dropouts[-1](self.feed_forward(self.norms[-1](rows)), training=training), attention


@keras.saving.register_keras_serializable(package="keras_gans")
class Transformer(Translator):
    """A Transformer with sines for positions; see `transformer_translator`."""

    def __init__(
        self,
        source_size: int,
        target_size: int,
        units: int = 64,
        layer_count: int = 2,
        heads: int = 4,
        dropout: float = 0.0,
        feed_forward_units: int | None = None,
        tied: bool = False,
        name: str | None = "generator",
    ):
        super().__init__(source_size, target_size, tied, name)
        if units % heads or units % 2:
            raise UserError(f"units are even and divide among the heads. Received: units={units}, heads={heads}.")
        for option, value in (("layer_count", layer_count), ("feed_forward_units", feed_forward_units)):
            if value is not None:
                check_whole(option, value)
        self.units, self.layer_count, self.heads, self.dropout = units, layer_count, heads, dropout
        self.feed_forward_units = feed_forward_units
        hidden = 4 * units if feed_forward_units is None else feed_forward_units
        self.source_embedding = TokenEmbedding(source_size, units)
        self.target_embedding = TokenEmbedding(target_size, units)
        self.encoder = [TransformerBlock(units, heads, hidden, dropout, False) for _ in range(layer_count)]
        self.decoder = [TransformerBlock(units, heads, hidden, dropout, True) for _ in range(layer_count)]
        self.encoder_norm, self.decoder_norm = (layers.LayerNormalization(epsilon=1e-6) for _ in range(2))
        self.source_dropout, self.target_dropout = Dropout(dropout), Dropout(dropout)
        self.vocabulary = None if tied else layers.Dense(target_size)
        for norm in (self.encoder_norm, self.decoder_norm):
            norm.build((None, None, units))
        read_out = [] if tied else [(self.vocabulary, units)]
        self._built((self.source_embedding, 1), (self.target_embedding, 1), *read_out)

    def get_config(self) -> dict[str, Any]:
        names = ("source_size", "target_size", "units", "layer_count", "heads", "dropout")
        names += ("feed_forward_units", "tied", "name")
        return {name: getattr(self, name) for name in names}

    @property
    def _embedding_scale(self):
        return self.units**0.5

    def _placed(self, embedded, places):
        """Embedded tokens with their places, (t,), in sines."""
        rates = tf.exp(tf.range(0, self.units, 2, tf.float32) * (-math.log(10_000.0) / self.units))
        angles = tf.cast(places, tf.float32)[:, tf.newaxis] * rates
        sines = tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)
        return embedded * self._embedding_scale + tf.cast(sines, embedded.dtype)

    def encode(self, source: Tensor, training: bool = False) -> State:
        bias = tf.where(source != PAD, 0.0, _NEVER)[:, tf.newaxis]
        rows = self._placed(self.source_embedding(source), tf.range(tf.shape(source)[1]))
        rows = self.source_dropout(rows, training=training)
        for block in self.encoder:
            rows, _ = block(rows, *block.projected(rows), bias, training=training)
        rows, memory = self.encoder_norm(rows), {"bias": bias}
        # Once, not with every token that is written.
        for number, block in enumerate(self.decoder):
            memory |= zip((f"keys_{number}", f"values_{number}"), block.cross.projected(rows), strict=True)
        return memory

    def _remembered(self, memory, number):
        return memory[f"keys_{number}"], memory[f"values_{number}"], memory["bias"]

    def teacher_forced(self, memory: State, previous: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        places = tf.range(tf.shape(previous)[1])
        causal = tf.where(places[:, tf.newaxis] >= places, 0.0, _NEVER)[tf.newaxis]
        rows = self.target_dropout(self._placed(self.target_embedding(previous), places), training=training)
        for number, block in enumerate(self.decoder):
            remembered = self._remembered(memory, number)
            rows, attention = block(rows, *block.projected(rows), causal, remembered, training=training)
        return self._logits_of(self.decoder_norm(rows)), attention

    def start(self, memory: State, room: int | None = None) -> State:
        # Keys and values of the tokens so far, of which there are none.
        state = {name: memory[name][:, :, :0] for name in memory if name != "bias"}
        if room is None:
            return state
        shape = tf.stack([tf.shape(memory["bias"])[0], self.heads, room, self.units // self.heads])
        return {name: tf.zeros(shape, rows.dtype) for name, rows in state.items()} | {"places": tf.range(room)}

    def step(self, memory: State, state: State, tokens: Tensor, place: int | Tensor) -> tuple[Tensor, Tensor, State]:
        rows, after, bias = self._placed(self.target_embedding(tokens)[:, tf.newaxis], [place]), {}, None
        if (places := state.get("places")) is not None:
            after["places"], bias = places, tf.where(places <= place, 0.0, _NEVER)[tf.newaxis, tf.newaxis]
        for number, block in enumerate(self.decoder):
            kept = []
            for kind, own in zip(("keys", "values"), block.projected(rows), strict=True):
                before = state[f"{kind}_{number}"]
                if places is None:
                    kept.append(tf.concat([before, own], axis=2))
                else:
                    kept.append(tf.where((places == place)[:, tf.newaxis], own, before))
                after[f"{kind}_{number}"] = kept[-1]
            rows, attention = block(rows, *kept, bias, self._remembered(memory, number))
        return self._logits_of(self.decoder_norm(rows))[:, 0], attention[:, 0], after


@keras.saving.register_keras_serializable(package="keras_gans")
class PairGrid(layers.Layer):
    """z_ij = [x_i; y_j], of two sequences of vectors: (batch, s, d) and (batch, t, e) -> (batch, s, t, d + e)."""

    def call(self, inputs: list[Tensor]) -> Tensor:
        first, second = inputs
        return ops.concatenate(
            [
                ops.repeat(first[:, :, None], second.shape[1], axis=2),
                ops.repeat(second[:, None], first.shape[1], axis=1),
            ],
            axis=-1,
        )


@keras.saving.register_keras_serializable(package="keras_gans")
class PairConvolution(layers.Layer):
    """A 3x3 convolution over the grid of `PairGrid`, without the grid: (batch, s, d) and (batch, t, e) ->
    (batch, s - 2, t - 2, filters).

    What x_i adds to a place depends on its row alone, and what y_j adds on its column: the three kernels along the
    other axis add up to one, and the convolution over the grid is the sum of one over either sentence.

    Args:
        filters: of the convolution.
    """

    def __init__(self, filters: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters = filters
        self.over_source = layers.Conv1D(filters, 3)
        self.over_target = layers.Conv1D(filters, 3, use_bias=False)

    def build(self, input_shape: Any) -> None:
        for layer, shape in zip((self.over_source, self.over_target), input_shape, strict=True):
            layer.build(shape)
        self.built = True

    def call(self, inputs: list[Tensor]) -> Tensor:
        first, second = inputs
        return self.over_source(first)[:, :, None] + self.over_target(second)[:, None]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}
