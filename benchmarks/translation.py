"""Tokens a second of translators: of training, and of greedy and beam decoding, against peers of the same size.

    pip install torch                                   # optional: the PyTorch rows
    taskset -c 1 python -m benchmarks.translation --rounds 5 --output translation.json

Sentences are of random words, as long as Multi30k's: 5 to 40 tokens, 15.5 on average; both vocabularies have 4,000. The
Transformer is the one of `adversarial_nmt_multi30k`: 4 layers of 128 units. Every variant decodes as many sentences,
none of which ends before the greatest length: the networks are as they are made, and say little of ends. The peers are

- plain Keras: `MultiHeadAttention`, `Embedding` and `compile`, batches of 128 pairs in random order padded to 40
  tokens, and decoding that runs the whole network for each token, as keras.io's example of translation has it;
- PyTorch eager: `torch.nn.Transformer`, batches of 128 in random order padded to their longest, and decoding as in its
  tutorial: the encoder once, the decoder over all tokens so far for each.

Counted are target tokens without padding, those of the best sentence of a beam, in seconds of the process's own
processor time. All variants take turns in one process (A B C A B C ...), and ratios are of times within one round. The
peers are handed numbers of words; this project cuts its strings into subwords in each step.
"""

import argparse
import importlib.util
import itertools
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import keras_gans as kg
from keras_gans.engine import decoding
from keras_gans.fields import Texts
from keras_gans.subwords import BEGIN, END, PAD, SPACE, SPECIAL
from keras_gans.training.build import build_model
from keras_gans.training.recipe import named
from keras_gans.training.train import to_dataset

SIZE, UNITS, LAYERS, HEADS, HIDDEN, DROPOUT = 4000, 128, 4, 4, 256, 0.1
PAIRS, ROWS, LENGTH, DECODED, WIDTH = 6000, 128, 40, 16, 4
OURS, PLAIN, TORCH = "keras_gans", "plain Keras", "PyTorch eager"
# Batches whose tokens are counted ahead of time, more than a run takes.
_COUNTED = 300
MEASURES = ("training", "greedy", "beam")


def sentences(seed=0):
    """Two lists of lists of token numbers, with their ends: pairs of like lengths."""
    random = np.random.default_rng(seed)
    lengths = np.clip(random.gamma(8.0, 15.5 / 8.0, PAIRS).astype(int), 5, LENGTH)
    others = np.clip(lengths + random.integers(-2, 3, PAIRS), 5, LENGTH)
    return [
        [[*random.integers(len(SPECIAL), SIZE, length - 1).tolist(), END] for length in each]
        for each in (lengths, others)
    ]


def padded(rows, length=None):
    """int32 (rows, length or that of the longest)."""
    length = length or max(map(len, rows))
    return np.array([[*row, *[PAD] * (length - len(row))] for row in rows], "int32")


def beam_search(logits_of, rows, length):
    """Tokens (rows, length) by beam search in Python, as a tutorial has it.

    Args:
        logits_of: function of prefixes, int32 (rows * WIDTH, t), that returns the next tokens' logits.
        rows: sentences.
        length: tokens at the most.
    """
    prefixes = np.full((rows * WIDTH, 1), BEGIN, "int32")
    scores = np.tile([0.0, *[-1e9] * (WIDTH - 1)], rows).reshape(rows, WIDTH)
    for _ in range(length):
        logits = logits_of(prefixes)
        logits = logits - logits.max(axis=-1, keepdims=True)
        steps = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        ended = (prefixes == END).any(axis=1)
        steps[ended] = -1e9
        steps[ended, PAD] = 0.0
        totals = (scores.reshape(-1, 1) + steps).reshape(rows, -1)
        best = np.argpartition(-totals, WIDTH, axis=1)[:, :WIDTH]
        scores = np.take_along_axis(totals, best, axis=1)
        parents = (best // SIZE + np.arange(rows)[:, np.newaxis] * WIDTH).ravel()
        prefixes = np.concatenate([prefixes[parents], (best % SIZE).reshape(-1, 1).astype("int32")], axis=1)
    return prefixes[:, 1:].reshape(rows, WIDTH, length)[:, 0]


class Ours:
    """The project's: batches by tokens, strings in."""

    def __init__(self, pairs):
        vocabulary = (*SPECIAL, *(f"{SPACE}w{number}" for number in range(SIZE - len(SPECIAL))))
        texts = [[" ".join(vocabulary[token][1:] for token in row[:-1]) for row in side] for side in pairs]
        source = kg.data.Source.of({"source": texts[0], "target": texts[1]})
        recipe = named("adversarial_nmt_multi30k").replace(learning_rate_schedule="constant")
        recipe = recipe.replace(scheme={**recipe.scheme, "label_smoothing": 0.0})
        fields = {side: Texts(vocabulary=vocabulary) for side in ("source", "target")}
        self.model, translator = build_model(recipe, fields), build_model(recipe, fields).generator
        # As it is made, and without a likely end.
        vectors = translator.target_embedding.embeddings
        vectors.assign(tf.tensor_scatter_nd_update(vectors, [[END]], tf.zeros((1, UNITS))))
        batches = to_dataset(recipe, source, model=self.model)
        # In words and an end each, ahead of time: the step draws its batches itself, as in `fit`.
        self.counts = itertools.cycle([_words(targets) for _, targets in batches.take(_COUNTED)])
        self.batches = iter(batches)
        self.model.make_train_function()
        self.source = tf.constant(padded(pairs[0][:DECODED], LENGTH))
        self.greedy_function = tf.function(lambda source: decoding.greedy(translator, source, LENGTH)[0])
        self.beam_function = tf.function(lambda source: decoding.beam(translator, source, LENGTH, WIDTH)[0])

    def training(self):
        curves = self.model.train_function(self.batches)
        float(next(iter(curves.values())))
        return next(self.counts)

    def greedy(self):
        return _counted(self.greedy_function(self.source).numpy())

    def beam(self):
        return _counted(self.beam_function(self.source).numpy()[:, 0])


def _words(texts):
    return sum(text.count(b" ") + 2 for text in texts.numpy())


def _counted(tokens):
    """Tokens in what was decoded, which ends nowhere."""
    if np.any(tokens == PAD):
        raise SystemExit("A sentence has ended before the greatest length, so that the variants do not decode alike.")
    return tokens.size


def plain_transformer():
    """keras.Model of [source, previous] tokens (batch, LENGTH) that gives logits."""
    places = np.arange(LENGTH)[:, np.newaxis] / 10_000 ** (np.arange(0, UNITS, 2) / UNITS)
    sines = np.concatenate([np.sin(places), np.cos(places)], axis=1).astype("float32")[np.newaxis]

    def embedded(tokens):
        x = layers.Embedding(SIZE, UNITS, mask_zero=True)(tokens)
        return layers.Dropout(DROPOUT)(x * UNITS**0.5 + sines)

    def attended(x, memory, causal=False):
        inside = layers.LayerNormalization()(x)
        attention = layers.MultiHeadAttention(HEADS, UNITS // HEADS)
        out = attention(inside, inside if memory is None else memory, use_causal_mask=causal)
        return x + layers.Dropout(DROPOUT)(out)

    def fed_forward(x):
        hidden = layers.Dense(HIDDEN, activation="relu")(layers.LayerNormalization()(x))
        return x + layers.Dropout(DROPOUT)(layers.Dense(UNITS)(hidden))

    inputs = [keras.Input((LENGTH,), dtype="int32") for _ in range(2)]
    x, y = map(embedded, inputs)
    for _ in range(LAYERS):
        x = fed_forward(attended(x, None))
    memory = layers.LayerNormalization()(x)
    for _ in range(LAYERS):
        y = fed_forward(attended(attended(y, None, causal=True), memory))
    return keras.Model(inputs, layers.Dense(SIZE)(layers.LayerNormalization()(y)))


class Plain:
    """Keras's own layers, `fit` on padded batches, the whole network for each token."""

    def __init__(self, pairs):
        self.model = plain_transformer()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=PAD)
        self.model.compile(optimizer=keras.optimizers.Adam(2e-3, global_clipnorm=1.0), loss=loss)
        source, target = (padded(side, LENGTH) for side in pairs)
        previous = np.concatenate([np.full((PAIRS, 1), BEGIN), target[:, :-1]], axis=1).astype("int32")
        rows = tf.data.Dataset.from_tensor_slices(((source, previous), target))
        self.batches = iter(rows.shuffle(PAIRS).batch(ROWS, drop_remainder=True).repeat().prefetch(2))
        self.model.make_train_function()
        self.source = source[:DECODED]
        self.whole = tf.function(lambda source, previous: self.model([source, previous], training=False))

    def training(self):
        batch = next(self.batches)
        float(self.model.train_function(iter([batch]))["loss"])
        return int(np.count_nonzero(batch[1]))

    def _logits(self, source, prefixes):
        count = prefixes.shape[1]
        previous = np.pad(prefixes, [(0, 0), (0, LENGTH - count)])
        return self.whole(tf.constant(source), tf.constant(previous))[:, count - 1].numpy()

    def greedy(self):
        prefixes = np.full((DECODED, 1), BEGIN, "int32")
        for _ in range(LENGTH):
            token = self._logits(self.source, prefixes).argmax(axis=-1)
            prefixes = np.concatenate([prefixes, token[:, np.newaxis].astype("int32")], axis=1)
        return prefixes[:, 1:].size

    def beam(self):
        source = np.repeat(self.source, WIDTH, axis=0)
        return beam_search(lambda prefixes: self._logits(source, prefixes), DECODED, LENGTH).size


class Torch:
    """torch.nn.Transformer, eager."""

    def __init__(self, pairs):
        import torch

        self.torch = torch
        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.transformer = torch.nn.Transformer(
            UNITS, HEADS, LAYERS, LAYERS, HIDDEN, DROPOUT, batch_first=True, norm_first=True
        )
        self.embeddings = torch.nn.ModuleList(torch.nn.Embedding(SIZE, UNITS, padding_idx=PAD) for _ in range(2))
        self.dropout = torch.nn.Dropout(DROPOUT)
        places = torch.arange(LENGTH)[:, None] / 10_000 ** (torch.arange(0, UNITS, 2) / UNITS)
        self.sines = torch.cat([places.sin(), places.cos()], dim=1)
        parameters = [*self.transformer.parameters(), *self.embeddings.parameters()]
        self.parameters = parameters
        self.optimizer = torch.optim.Adam(parameters, 2e-3, fused=True)
        self.pairs = pairs
        random = np.random.default_rng(0)
        self.orders = itertools.chain.from_iterable(random.permutation(PAIRS) for _ in itertools.count())
        self.loss = torch.nn.CrossEntropyLoss(ignore_index=PAD)
        self.source = torch.tensor(padded(pairs[0][:DECODED]), dtype=torch.long)

    def _embedded(self, side, tokens):
        return self.dropout(self.embeddings[side](tokens) * UNITS**0.5 + self.sines[: tokens.shape[1]])

    def _decoded(self, memory, absent, previous):
        causal = self.transformer.generate_square_subsequent_mask(previous.shape[1])
        rows = self.transformer.decoder(
            self._embedded(1, previous), memory, tgt_mask=causal, memory_key_padding_mask=absent, tgt_is_causal=True
        )
        return rows @ self.embeddings[1].weight.T

    def training(self):
        torch = self.torch
        self.transformer.train()
        self.dropout.train()
        chosen = list(itertools.islice(self.orders, ROWS))
        source, target = (torch.tensor(padded([side[row] for row in chosen]), dtype=torch.long) for side in self.pairs)
        previous = torch.cat([torch.full((ROWS, 1), BEGIN), target[:, :-1]], dim=1)
        absent = source == PAD
        memory = self.transformer.encoder(self._embedded(0, source), src_key_padding_mask=absent)
        logits = self._decoded(memory, absent, previous)
        loss = self.loss(logits.flatten(0, 1), target.flatten())
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        loss.item()
        return int((target != PAD).sum())

    def _remembered(self, times):
        self.transformer.eval()
        self.dropout.eval()
        absent = self.source == PAD
        memory = self.transformer.encoder(self._embedded(0, self.source), src_key_padding_mask=absent)
        absent = absent[:, : memory.shape[1]]
        return memory.repeat_interleave(times, dim=0), absent.repeat_interleave(times, dim=0)

    def greedy(self):
        torch = self.torch
        with torch.inference_mode():
            memory, absent = self._remembered(1)
            previous = torch.full((DECODED, 1), BEGIN)
            for _ in range(LENGTH):
                token = self._decoded(memory, absent, previous)[:, -1].argmax(dim=-1)
                previous = torch.cat([previous, token[:, None]], dim=1)
        return previous[:, 1:].numel()

    def beam(self):
        torch = self.torch
        with torch.inference_mode():
            memory, absent = self._remembered(WIDTH)

            def logits_of(prefixes):
                return self._decoded(memory, absent, torch.tensor(prefixes, dtype=torch.long))[:, -1].numpy()

            return beam_search(logits_of, DECODED, LENGTH).size


def rates(variants, measure, rounds, seconds):
    """{variant: tokens a second of processor time, one a round}, in turns."""
    found = {name: [] for name in variants}
    for variant in variants.values():
        getattr(variant, measure)()
    for _ in range(rounds):
        for name, variant in variants.items():
            started, tokens = time.process_time(), 0
            while not tokens or time.process_time() - started < seconds:
                tokens += getattr(variant, measure)()
            found[name].append(tokens / (time.process_time() - started))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a turn")
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    pairs, kinds = sentences(), {PLAIN: Plain, OURS: Ours}
    if importlib.util.find_spec("torch"):
        kinds[TORCH] = Torch
    variants = {name: kind(pairs) for name, kind in kinds.items()}
    print("| | | tokens/s | / plain Keras | smallest-largest |\n|---|---|---|---|---|")
    figures = {}
    for measure in arguments.measures:
        figures[measure] = rates(variants, measure, arguments.rounds, arguments.seconds)
        for name, own in figures[measure].items():
            ratios = sorted(one / base for one, base in zip(own, figures[measure][PLAIN], strict=True))
            middle = f"{statistics.median(own):,.0f} | **{statistics.median(ratios):.2f}**"
            print(f"| {measure} | {name} | {middle} | {ratios[0]:.2f}-{ratios[-1]:.2f} |", flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
