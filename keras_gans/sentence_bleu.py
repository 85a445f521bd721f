"""BLEU of single sentences within a graph: a reward, on tokens."""

import tensorflow as tf

from keras_gans.hints import Tensor
from keras_gans.subwords import END, PAD

_ORDER = 4


def sentence_bleu(tokens: Tensor, references: Tensor) -> Tensor:
    """BLEU of each sentence with one reference, with 1 added to counts of two and more tokens.

    Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation" (2002); smoothed as by Lin and
    Och, "ORANGE: a Method for Evaluating Automatic Evaluation Metrics for Machine Translation" (2004), which sacreBLEU
    calls add-k with k = 1. What was measured on tokens says nothing about figures on words.

    Args:
        tokens, references: int32 (batch, t) and (batch, u), with padding; the end is no word.

    Returns:
        float32 (batch,) in [0, 1]; 0 where no token is right.
    """
    tokens, references = (tf.where(each == END, PAD, each) for each in (tokens, references))
    lengths, reference_lengths = (
        tf.reduce_sum(tf.cast(each != PAD, tf.float32), axis=1) for each in (tokens, references)
    )
    logarithms = tf.zeros_like(lengths)
    for order in range(1, _ORDER + 1):
        own, other = _grams(tokens, order), _grams(references, order)
        # Of n-grams that occur c times and in the reference r times, min(c, r) count: min(1, r / c) each.
        counts, found = _occurrences(own, own), _occurrences(own, other)
        matches = tf.reduce_sum(tf.minimum(1.0, found / tf.maximum(counts, 1.0)), axis=1)
        total = tf.maximum(lengths - (order - 1), 0.0)
        more = 0.0 if order == 1 else 1.0
        precision = (matches + more) / tf.maximum(total + more, 1.0)
        logarithms += tf.math.log(tf.maximum(precision, 1e-30)) / _ORDER
    brevity = tf.minimum(0.0, 1.0 - reference_lengths / tf.maximum(lengths, 1.0))
    scores = tf.exp(logarithms + brevity)
    return tf.where(scores < 1e-6, 0.0, scores)


def _grams(tokens, order):
    """int32 (batch, places, order), with padding in each n-gram that runs over the end."""
    places = tf.shape(tokens)[1]
    padded = tf.pad(tokens, [(0, 0), (0, order - 1)])
    return tf.stack([padded[:, shift : shift + places] for shift in range(order)], axis=-1)


def _occurrences(grams, among):
    """How often each n-gram stands among others, float32 (batch, places); 0 for one that is not whole."""
    equal = tf.reduce_all(grams[:, :, tf.newaxis] == among[:, tf.newaxis], axis=-1)
    equal &= tf.reduce_all(grams != PAD, axis=-1)[:, :, tf.newaxis]
    return tf.reduce_sum(tf.cast(equal, tf.float32), axis=2)
