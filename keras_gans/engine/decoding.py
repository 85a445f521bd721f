"""From a network that translates to sentences: the likeliest token by token, drawn ones, and by beam search.

All run in a graph of their own or in that of a training step. Tokens are int32 (batch, length) with an end, where it
came within the length, and padding behind it.
"""

from typing import TYPE_CHECKING

import tensorflow as tf

from keras_gans import randomness
from keras_gans.hints import Tensor
from keras_gans.subwords import BEGIN, END, PAD

if TYPE_CHECKING:
    from keras_gans.layers import Translator

# Below any score of a sentence, and far enough from the end of float32 to be added to.
_NONE = -1e18


def greedy(
    translator: "Translator", source: Tensor, length: int | Tensor, has_room: bool = False
) -> tuple[Tensor, Tensor]:
    """The likeliest token at each place.

    Args:
        translator: the network.
        source: int32 (batch, s).
        length: tokens of a translation at the most, with the end.
        has_room: whether there is room for all of them from the first, so that no tensor grows; see `Translator.start`.

    Returns:
        (tokens (batch, length), attention float32 (batch, length, s)).
    """
    room = length if has_room else None
    return _one_by_one(translator, source, length, lambda logits, place: tf.argmax(logits, -1, tf.int32), room)


def sample(
    translator: "Translator",
    source: Tensor,
    length: int | Tensor,
    seed: Tensor,
    begun: tuple[Tensor, int | Tensor] | None = None,
) -> Tensor:
    """Draws translations from the policy p(y | x), each token from the softmax of its logits.

    Args:
        translator, source, length: as for `greedy`.
        seed: integer tensor (2,); replicas draw the rows of their own.
        begun: (tokens (batch, t), how many of them every translation begins with); nothing unless given.

    Returns:
        tokens (batch, length).
    """

    def drawn(logits, place):
        # By the inverse of the distribution function: one number a row, where Gumbel noise takes one a token.
        at_place = randomness.fold_in(seed, place)
        numbers = randomness.for_this_replica(lambda rows: randomness.uniform((rows, 1), at_place), tf.shape(logits)[0])
        below = tf.cumsum(tf.nn.softmax(logits), axis=-1)
        token = tf.reduce_sum(tf.cast(below <= numbers * below[:, -1:], tf.int32), axis=-1)
        token = tf.minimum(token, logits.shape[-1] - 1)
        if begun is None:
            return token
        known, count = begun
        return tf.where(place < count, known[:, tf.minimum(place, tf.shape(known)[1] - 1)], token)

    return _one_by_one(translator, source, length, drawn)[0]


def _one_by_one(translator, source, length, choose, room=None):
    memory = translator.encode(source)
    count = tf.shape(source)[0]
    state = translator.start(memory) if room is None else translator.start(memory, room)
    names = sorted(state)

    def go_on(place, last, done, *rest):
        return (place < length) & ~tf.reduce_all(done)

    def one_more(place, last, done, tokens, attention, *parts):
        logits, attended, after = translator.step(memory, dict(zip(names, parts, strict=True)), last, place)
        token = tf.where(done, PAD, choose(logits, place))
        here = places == place
        tokens = tf.where(here, token[:, tf.newaxis], tokens)
        attention = tf.where(here[:, tf.newaxis], attended[:, tf.newaxis], attention)
        return place + 1, token, done | (token == END), tokens, attention, *(after[name] for name in names)

    # What is never written is zero, and so is padding.
    places = tf.range(length)
    start = (0, tf.fill((count,), BEGIN), tf.zeros((count,), tf.bool))
    written = (tf.zeros((count, length), tf.int32), tf.zeros((count, length, tf.shape(source)[1])))
    static = length if isinstance(length, int) else None
    shapes = (tf.TensorShape((source.shape[0], static)), tf.TensorShape((source.shape[0], static, source.shape[1])))
    _, _, _, tokens, attention, *_ = tf.while_loop(
        go_on,
        one_more,
        (*start, *written, *(state[name] for name in names)),
        shape_invariants=(
            tf.TensorShape(()),
            *(tf.TensorShape((source.shape[0],)),) * 2,
            *shapes,
            *(_growing(state[name]) for name in names),
        ),
        parallel_iterations=1,
    )
    for each, shape in zip((tokens, attention), shapes, strict=True):
        each.set_shape(shape)
    return tokens, attention


def _growing(part):
    """The shape that a part of the state keeps: an axis of no places grows."""
    return tf.TensorShape((None, *(size or None for size in part.shape[1:])))


def beam(
    translator: "Translator", source: Tensor, length: int | Tensor, width: int = 4, length_penalty: float = 0.6
) -> tuple[Tensor, Tensor]:
    """The best translations that beam search finds, by log p(y | x) / ((5 + |y|) / 6)^a, |y| counting the end.

    The normalization is that of Wu et al., "Google's Neural Machine Translation System" (2016), equation 14. Of all
    that the sentences in the beam may go on with, the `width` likeliest are the next beam; those among them that end
    are kept apart. The search for a sentence ends when nothing in its beam could still become better than the best that
    has ended, however cheap its further tokens, and not when some number of them have ended: where the network is sure,
    most of a beam is unlikely, and ends too early.

    Args:
        translator, source: as for `greedy`.
        length: tokens of a translation at the most, with the end; a number for all, or one for each (batch,).
        width: of the beam; 1 finds what `greedy` finds.
        length_penalty: a; 0 compares the probabilities alone, and prefers short sentences.

    Returns:
        (tokens (batch, width, the greatest length), scores float32 (batch, width)), the best first. Where fewer have
        ended, what has not follows, and then blanks with a score of no sentence.
    """
    memory = translator.encode(source)
    count = tf.shape(source)[0]
    state = translator.start(memory)
    names, size = sorted(state), translator.target_size
    limits = tf.broadcast_to(tf.convert_to_tensor(length, tf.int32), (count,))
    most = length if isinstance(length, int) else tf.maximum(tf.reduce_max(limits), 1)

    def tiled(rows):
        return tf.repeat(rows, width, axis=0)

    memory, parts = {name: tiled(rows) for name, rows in memory.items()}, [tiled(state[name]) for name in names]
    places = tf.range(most)

    def normalized(scores, words):
        penalties = ((5.0 + tf.cast(words, tf.float32)) / 6.0) ** length_penalty
        return tf.where(scores > _NONE / 2, scores / penalties, _NONE)

    def best(scores, sequences):
        scores, order = tf.math.top_k(scores, width)
        return scores, tf.gather(sequences, order, batch_dims=1), order

    def is_open(place, alive, ended):
        # A log-probability only falls: the best that may still come has the greatest length.
        return (place < limits) & (alive[:, 0] > _NONE / 2) & (normalized(alive[:, 0], limits) > ended[:, 0])

    def go_on(place, alive, sequences, ended, finished, *parts):
        return tf.reduce_any(is_open(place, alive, ended))

    def one_more(place, alive, sequences, ended, finished, *parts):
        last = tf.cond(
            place > 0,
            lambda: tf.reshape(tf.gather(sequences, tf.maximum(place - 1, 0), axis=2), (-1,)),
            lambda: tf.fill((count * width,), BEGIN),
        )
        logits, _, after = translator.step(memory, dict(zip(names, parts, strict=True)), last, place)
        steps = tf.reshape(tf.nn.log_softmax(logits), (count, width, size))
        totals = tf.reshape(alive[..., tf.newaxis] + steps, (count, width * size))
        scores, choice = tf.math.top_k(totals, width)
        parents, tokens = choice // size, choice % size
        found = tf.where(places == place, tokens[..., tf.newaxis], tf.gather(sequences, parents, batch_dims=1))
        # What a sentence finds does not depend on those beside it, which may go on for longer.
        goes_on = is_open(place, alive, ended)[:, tf.newaxis]
        is_end = tokens == END
        candidates = tf.where(is_end & goes_on, normalized(scores, place + 1), _NONE)
        ended, finished, _ = best(tf.concat([ended, candidates], axis=1), tf.concat([finished, found], axis=1))
        scores, found, order = best(tf.where(is_end, _NONE, scores), found)
        alive = tf.where(goes_on, scores, alive)
        sequences = tf.where(goes_on[..., tf.newaxis], found, sequences)
        kept = tf.gather(parents, order, batch_dims=1) + width * tf.range(count)[:, tf.newaxis]
        parts = [tf.gather(after[name], tf.reshape(kept, (-1,))) for name in names]
        return place + 1, alive, sequences, ended, finished, *parts

    none = tf.fill((count, width), _NONE)
    first = tf.concat([tf.zeros((count, 1)), none[:, 1:]], axis=1)
    blank = tf.zeros((count, width, most), tf.int32)
    _, alive, sequences, ended, finished, *_ = tf.while_loop(
        go_on,
        one_more,
        (0, first, blank, none, blank, *parts),
        shape_invariants=(
            tf.TensorShape(()),
            *(tf.TensorShape((None, width)), tf.TensorShape((None, width, None))) * 2,
            *map(_growing, parts),
        ),
        parallel_iterations=1,
    )
    alive = normalized(alive, tf.reduce_sum(tf.cast(sequences != PAD, tf.int32), axis=2))
    sequences = tf.where((alive > _NONE / 2)[..., tf.newaxis], sequences, PAD)
    # What has not ended comes after all that has.
    places = tf.range(width)
    sides = ((ended, 2 * width), (alive, width))
    ranks = [tf.where(score > _NONE / 2, first - places, -places) for score, first in sides]
    _, order = tf.math.top_k(tf.concat(ranks, axis=1), width)
    pairs = ((finished, sequences), (ended, alive))
    return tuple(tf.gather(tf.concat(pair, axis=1), order, batch_dims=1) for pair in pairs)
