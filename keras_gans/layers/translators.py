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
    """

    def __init__(self, source_size: int, target_size: int, name: str | None = None):
        super().__init__(name=name)
        for size in (source_size, target_size):
            if size <= len(SPECIAL):
                raise UserError(f"A vocabulary has more than its {len(SPECIAL)} special tokens. Received: {size}.")
        self.source_size, self.target_size = source_size, target_size

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        source, previous = inputs
        return self.teacher_forced(self.encode(source, training), previous, training)[0]

    def encode(self, source: Tensor, training: bool = False) -> State:
        """What is kept of source sentences, tensors with the batch first, for the methods below."""
        raise NotImplementedError

    def teacher_forced(self, memory: State, previous: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """(logits of the next tokens (batch, t, target_size), attention (batch, t, s)) behind given tokens."""
        raise NotImplementedError

    def start(self, memory: State, length: int | Tensor) -> State:
        """The state before the first token of translations of so many tokens at the most."""
        raise NotImplementedError

    def step(self, memory: State, state: State, tokens: Tensor, place: int | Tensor) -> tuple[Tensor, Tensor, State]:
        """(logits (batch, target_size), attention (batch, s), next state) behind one more token, the place-th."""
        raise NotImplementedError

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
        name: str | None = "generator",
    ):
        super().__init__(source_size, target_size, name=name)
        self.units, self.embedding_units, self.dropout = units, embedding_units, dropout
        self.source_embedding = TokenEmbedding(source_size, embedding_units)
        self.target_embedding = TokenEmbedding(target_size, embedding_units)
        self.encoder = layers.Bidirectional(layers.GRU(units, return_sequences=True))
        self.first_state = layers.Dense(units, activation="tanh")
        self.keys, self.query = layers.Dense(units, use_bias=False), layers.Dense(units)
        self.energy = layers.Dense(1, use_bias=False)
        self.cell = layers.GRUCell(units)
        self.readout = layers.Dense(embedding_units, activation="tanh")
        self.vocabulary = layers.Dense(target_size)
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
            (self.vocabulary, embedding_units),
        )

    def get_config(self) -> dict[str, Any]:
        names = ("source_size", "target_size", "units", "embedding_units", "dropout", "name")
        return {name: getattr(self, name) for name in names}

    def encode(self, source: Tensor, training: bool = False) -> State:
        is_token = source != PAD
        embedded = self.source_dropout(self.source_embedding(source), training=training)
        values = self.encoder(embedded, mask=is_token, training=training)
        # What the backward direction ends with, at the first word.
        first = self.first_state(values[:, 0, self.units :])
        bias = tf.where(is_token, 0.0, _NEVER)
        return {"values": values, "keys": self.keys(values), "bias": bias, "first": first}

    def start(self, memory: State, length: int | Tensor) -> State:
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
        return self._possible(self.vocabulary(self.readout_dropout(self.readout(joined), training=training)))

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

    def call(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """(values (batch, t, units), attention (batch, t, s)) of projected keys and values, with bias (batch, t, s)."""
        query, keys, values = (self._split(each) for each in (self.query(queries), keys, values))
        scale = query.shape[-1] ** -0.5
        scores = tf.cast(tf.einsum("bthu,bshu->bhts", query, keys), tf.float32) * scale + bias[:, tf.newaxis]
        attention = tf.nn.softmax(scores)
        mixed = tf.einsum("bhts,bshu->bthu", tf.cast(attention, values.dtype), values)
        joined = tf.reshape(mixed, tf.concat([tf.shape(mixed)[:2], [self.output_layer.kernel.shape[0]]], axis=0))
        return self.output_layer(joined), tf.reduce_mean(attention, axis=1)

    def _split(self, rows):
        shape = tf.shape(rows)
        return tf.reshape(rows, (shape[0], shape[1], self.heads, rows.shape[-1] // self.heads))


class FeedForward(layers.Layer):
    """Two dense layers at each place, the first four times as wide."""

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.hidden, self.outer = layers.Dense(4 * units, activation="relu"), layers.Dense(units)
        self.hidden.build((None, units))
        self.outer.build((None, 4 * units))
        self.built = True

    def call(self, rows: Tensor) -> Tensor:
        return self.outer(self.hidden(rows))


class TransformerBlock(layers.Layer):
    """A layer of the encoder or decoder, with normalization before each part (Xiong et al. 2020)."""

    def __init__(self, units: int, heads: int, dropout: float, is_decoder: bool, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)
        self.attention = HeadAttention(units, heads)
        self.cross = HeadAttention(units, heads) if is_decoder else None
        self.feed_forward = FeedForward(units)
        count = 3 if is_decoder else 2
        self.norms = [layers.LayerNormalization(epsilon=1e-6) for _ in range(count)]
        self.dropouts = [Dropout(dropout) for _ in range(count)]
        for norm in self.norms:
            norm.build((None, None, units))
        self.built = True

    def projected(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The rows' own keys and values."""
        rows = self.norms[0](rows)
        return self.attention.key(rows), self.attention.value(rows)

    def call(
        self,
        rows: Tensor,
        keys: Tensor,
        values: Tensor,
        bias: Tensor,
        memory: Tensor | None = None,
        memory_bias: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """(rows, attention to the memory or to themselves) behind keys and values of the rows that may be seen."""
        out, attention = self.attention(self.norms[0](rows), keys, values, bias)
        rows += self.dropouts[0](out, training=training)
        if self.cross is not None:
            out, attention = self.cross(
                self.norms[1](rows), self.cross.key(memory), self.cross.value(memory), memory_bias
            )
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
        name: str | None = "generator",
    ):
        super().__init__(source_size, target_size, name=name)
        if units % heads or units % 2:
            raise UserError(f"units are even and divide among the heads. Received: units={units}, heads={heads}.")
        self.units, self.layer_count, self.heads, self.dropout = units, layer_count, heads, dropout
        self.source_embedding = TokenEmbedding(source_size, units)
        self.target_embedding = TokenEmbedding(target_size, units)
        self.encoder = [TransformerBlock(units, heads, dropout, False) for _ in range(layer_count)]
        self.decoder = [TransformerBlock(units, heads, dropout, True) for _ in range(layer_count)]
        self.encoder_norm, self.decoder_norm = (layers.LayerNormalization(epsilon=1e-6) for _ in range(2))
        self.source_dropout, self.target_dropout = Dropout(dropout), Dropout(dropout)
        self.vocabulary = layers.Dense(target_size)
        for norm in (self.encoder_norm, self.decoder_norm):
            norm.build((None, None, units))
        self._built((self.source_embedding, 1), (self.target_embedding, 1), (self.vocabulary, units))

    def get_config(self) -> dict[str, Any]:
        names = ("source_size", "target_size", "units", "layer_count", "heads", "dropout", "name")
        return {name: getattr(self, name) for name in names}

    def _placed(self, embedded, places):
        """Embedded tokens with their places, (t,), in sines."""
        rates = tf.exp(tf.range(0, self.units, 2, tf.float32) * (-math.log(10_000.0) / self.units))
        angles = tf.cast(places, tf.float32)[:, tf.newaxis] * rates
        sines = tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)
        return embedded * self.units**0.5 + tf.cast(sines, embedded.dtype)

    def encode(self, source: Tensor, training: bool = False) -> State:
        bias = tf.where(source != PAD, 0.0, _NEVER)[:, tf.newaxis]
        rows = self._placed(self.source_embedding(source), tf.range(tf.shape(source)[1]))
        rows = self.source_dropout(rows, training=training)
        for block in self.encoder:
            rows, _ = block(rows, *block.projected(rows), bias, training=training)
        return {"values": self.encoder_norm(rows), "bias": bias}

    def teacher_forced(self, memory: State, previous: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        places = tf.range(tf.shape(previous)[1])
        causal = tf.where(places[:, tf.newaxis] >= places, 0.0, _NEVER)[tf.newaxis]
        rows = self.target_dropout(self._placed(self.target_embedding(previous), places), training=training)
        for block in self.decoder:
            rows, attention = block(
                rows, *block.projected(rows), causal, memory["values"], memory["bias"], training=training
            )
        return self._possible(self.vocabulary(self.decoder_norm(rows))), attention

    def start(self, memory: State, length: int | Tensor) -> State:
        values = memory["values"]
        empty = tf.zeros((tf.shape(values)[0], length, self.units), values.dtype)
        return {f"{kind}_{number}": empty for number in range(self.layer_count) for kind in ("keys", "values")}

    def step(self, memory: State, state: State, tokens: Tensor, place: int | Tensor) -> tuple[Tensor, Tensor, State]:
        places, after = tf.range(tf.shape(state["keys_0"])[1]), dict(state)
        seen = tf.where(places <= place, 0.0, _NEVER)[tf.newaxis, tf.newaxis]
        here = (places == place)[:, tf.newaxis]
        rows = self._placed(self.target_embedding(tokens)[:, tf.newaxis], [place])
        for number, block in enumerate(self.decoder):
            for kind, own in zip(("keys", "values"), block.projected(rows), strict=True):
                after[f"{kind}_{number}"] = tf.where(here, own, state[f"{kind}_{number}"])
            kept = (after[f"{kind}_{number}"] for kind in ("keys", "values"))
            rows, attention = block(rows, *kept, seen, memory["values"], memory["bias"])
        return self._possible(self.vocabulary(self.decoder_norm(rows)))[:, 0], attention[:, 0], after


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
