"""Networks that translate: masks, one step as all at once, and what greedy, sampling and beam search find."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import randomness
from keras_gans.engine import decoding
from keras_gans.errors import UserError
from keras_gans.layers import PairConvolution, PairGrid, Translator
from keras_gans.subwords import BEGIN, END, PAD

SIZES = {"source_size": 9, "target_size": 7}
MAKERS = {
    "tied rnn_search": lambda **more: kg.networks.rnn_search(**SIZES, units=6, embedding_units=5, tied=True, **more),
    "tied transformer_translator": lambda **more: kg.networks.transformer_translator(
        **SIZES, units=8, layer_count=2, heads=2, tied=True, feed_forward_units=5, **more
    ),
    "rnn_search": lambda **more: kg.networks.rnn_search(**SIZES, units=6, embedding_units=5, **more),
    "transformer_translator": lambda **more: kg.networks.transformer_translator(
        **SIZES, units=8, layer_count=2, heads=2, **more
    ),
}
# One of RNN-search and both Transformers show as much in the fast tests.
FAST = [pytest.param(name, marks=pytest.mark.slow if name == "tied rnn_search" else ()) for name in MAKERS]
SOURCE = np.array([[4, 5, 6, 7, END], [8, 4, END, PAD, PAD]], "int32")
PREVIOUS = np.array([[BEGIN, 4, 5, 6], [BEGIN, 6, 4, 4]], "int32")


@pytest.fixture(scope="module", params=FAST)
def network(request):
    keras.utils.set_random_seed(1)
    network = MAKERS[request.param]()
    for variable in network.trainable_variables:
        # Networks as they start say almost the same of everything.
        variable.assign(variable * 2.0)
    return network


def test_more_padding_changes_nothing(network):
    logits = network([SOURCE, PREVIOUS])
    padded = network([np.pad(SOURCE, [(0, 0), (0, 3)]), np.pad(PREVIOUS, [(0, 0), (0, 2)])])
    np.testing.assert_allclose(padded[:, :4], logits, atol=2e-4)
    alone = network([SOURCE[1:, :3], PREVIOUS[1:]])
    np.testing.assert_allclose(alone[0], logits[1], atol=2e-4)


def test_a_source_token_changes_the_logits_and_a_later_one_no_earlier_logits(network):
    logits, other = network([SOURCE, PREVIOUS]), SOURCE.copy()
    other[0, 2] = 8
    changed = np.abs(network([other, PREVIOUS]) - logits).max(axis=(1, 2))
    assert changed[0] > 1e-3 and changed[1] == 0
    later = PREVIOUS.copy()
    later[:, 3] = 5
    difference = np.abs(network([SOURCE, later]) - logits).max(axis=(0, 2))
    assert difference[:3].max() < 2e-4 < 1e-2 < difference[3]


def test_token_by_token_is_as_all_at_once(network):
    memory = network.encode(tf.constant(SOURCE))
    logits, attention = network.teacher_forced(memory, tf.constant(PREVIOUS))
    state = network.start(memory)
    for place in range(4):
        step, attended, state = network.step(memory, state, tf.constant(PREVIOUS[:, place]), place)
        np.testing.assert_allclose(step, logits[:, place], atol=2e-4)
        np.testing.assert_allclose(attended, attention[:, place], atol=2e-4)
    np.testing.assert_allclose(np.sum(attention, axis=-1), 1.0, rtol=1e-5)
    assert np.max(attention[1, :, 3:]) < 1e-9, "padding gets no attention"


def test_padding_and_beginning_never_come_next(network):
    probabilities = tf.nn.softmax(network([SOURCE, PREVIOUS])).numpy()
    assert probabilities[..., [PAD, BEGIN]].max() == 0 and probabilities[..., END:].min() > 0


def test_a_network_survives_its_configuration(network):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(network))
    again.set_weights(network.get_weights())
    np.testing.assert_array_equal(again([SOURCE, PREVIOUS]), network([SOURCE, PREVIOUS]))


@pytest.mark.parametrize("name", FAST)
def test_dropout_acts_in_training_alone(name):
    network = MAKERS[name](dropout=0.5)
    with randomness.stream(randomness.root_seed(0, 0)):
        trained = network([SOURCE, PREVIOUS], training=True)
    plain = network([SOURCE, PREVIOUS])
    np.testing.assert_array_equal(plain, network([SOURCE, PREVIOUS]))
    assert np.abs(trained - plain)[..., 2:].max() > 1e-3


@pytest.mark.parametrize("name", [name for name in MAKERS if name.startswith("tied")])
def test_one_matrix_reads_and_writes_where_they_are_tied(name):
    network = MAKERS[name]()
    size, units = SIZES["target_size"], network.vector_size
    assert [v.shape for v in network.weights if size in v.shape] == [(size, units)]
    before = network([SOURCE, PREVIOUS])
    # Not the same everywhere: layer normalization would take that out.
    row = tf.one_hot([6], size, axis=0) * tf.range(units, dtype=tf.float32)
    network.target_embedding.embeddings.assign_add(row)
    # The first row never reads 6, and yet its logit of 6 is another, and no other.
    changed = np.abs(network([SOURCE, PREVIOUS[:, :3]]) - before[:, :3])[0].max(axis=0)
    assert changed[6] > 1e-3 and np.delete(changed, 6).max() < 1e-5


def test_half_precision_answers_in_float32():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        networks = [maker() for maker in MAKERS.values()]
    finally:
        keras.config.set_dtype_policy(before)
    for network in networks:
        logits = network([SOURCE, PREVIOUS])
        assert logits.dtype == tf.float32 and np.isfinite(logits).all()


# Decoding -------------------------------------------------------------------------------------------------------


def sentence(tokens):
    return [int(token) for token in tokens if token != PAD]


def test_greedy_takes_the_likeliest_at_each_place(network):
    tokens, attention = tf.function(lambda source: decoding.greedy(network, source, 6))(SOURCE)
    assert tokens.shape == (2, 6) and attention.shape == (2, 6, 5)
    previous = np.concatenate([np.full((2, 1), BEGIN), tokens[:, :-1]], axis=1)
    likeliest = np.argmax(network([SOURCE, previous]), axis=-1)
    for row, expected in zip(tokens.numpy(), likeliest, strict=True):
        assert sentence(row) == expected[: len(sentence(row))].tolist()
        assert END not in row or sentence(row)[-1] == END


def test_with_room_for_all_tokens_nothing_grows_and_the_same_is_written(network):
    """What some runtimes need: no tensor within the loop has another shape than before it."""
    signature = [tf.TensorSpec((None, None), tf.int32)]
    tokens, attention = tf.function(lambda source: decoding.greedy(network, source, 6), signature)(SOURCE)
    roomy = tf.function(lambda source: decoding.greedy(network, source, 6, has_room=True), signature)
    found, attended = roomy(SOURCE)
    np.testing.assert_array_equal(found, tokens)
    np.testing.assert_allclose(attended, attention, atol=1e-5)
    memory = network.encode(tf.constant(SOURCE))
    state = network.start(memory, 6)
    _, _, after = network.step(memory, state, tf.constant([BEGIN, BEGIN]), 0)
    assert {name: part.shape for name, part in after.items()} == {name: part.shape for name, part in state.items()}


class Table(Translator):
    """Next tokens by a table of the last two alone, and of the first word of the source."""

    def __init__(self, seed=0, size=6):
        super().__init__(9, size)
        self.table = np.random.default_rng(seed).normal(size=(9, size, size, size)).astype("float32") * 1.5

    def encode(self, source, training=False):
        return {"word": source[:, 0], "states": tf.cast(source, tf.float32)}

    def start(self, memory):
        return {"before": tf.zeros_like(memory["word"])}

    def step(self, memory, state, tokens, place):
        rows = tf.stack([memory["word"], state["before"], tokens], axis=1)
        logits = self._possible(tf.gather_nd(self.table, rows))
        return logits, tf.zeros_like(memory["states"]), {"before": tokens}


def all_sentences(table, word, length):
    """{sentence: log-probability} of all that end within so many tokens."""
    found = {}
    for count in range(1, length + 1):
        for body in itertools.product(range(3, table.target_size), repeat=count - 1):
            total, before, last = 0.0, 0, BEGIN
            for token in (*body, END):
                logits = table.table[word, before, last].astype(float)
                logits[[PAD, BEGIN]] = -np.inf
                total += logits[token] - np.log(np.exp(logits).sum())
                before, last = last, token
            found[(*body, END)] = total
    return found


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0])
def test_a_beam_as_wide_as_there_are_sentences_finds_the_best_of_all(penalty):
    for seed in range(3):
        table = Table(seed)
        tokens, scores = decoding.beam(table, tf.constant([[4], [7]]), 4, width=200, length_penalty=penalty)
        for row, word in enumerate((4, 7)):
            sums = all_sentences(table, word, 4)
            known = {key: value / ((5 + len(key)) / 6) ** penalty for key, value in sums.items()}
            best = max(known, key=known.__getitem__)
            assert tuple(sentence(tokens[row, 0])) == best
            assert abs(float(scores[row, 0]) - known[best]) < 1e-5


def test_unlikely_ends_do_not_end_a_search():
    """Of a network that is sure, all of a beam but its best is unlikely, and some of it ends at each place."""
    table, right = Table(), [3, 4, 5, 5, 4, 3, 3, END]
    table.table[:] = np.log(0.01)
    table.table[..., END] = np.log(0.02)
    for before, last, token in zip([0, BEGIN, *right], [BEGIN, *right], right, strict=False):
        table.table[:, before, last, token] = np.log(0.95)
    known = all_sentences(table, 4, 8)
    assert max(known, key=known.__getitem__) == tuple(right)
    for width in (2, 4, 6):
        tokens, scores = decoding.beam(table, tf.constant([[4]]), 12, width, length_penalty=1.0)
        assert sentence(tokens[0, 0]) == right
        assert abs(float(scores[0, 0]) - known[tuple(right)] / (13 / 6)) < 1e-5


def test_a_search_waits_for_what_may_still_become_better():
    """A short sentence of probability 0.6, and one of 0.39 that is better by its length: all that follows is sure."""
    table, short, long = Table(), [3, END], [4, 5, 5, 4, 4, 3, 3, 5, 3, 4, END]
    table.table[:] = -20.0
    for tokens in (short, long):
        for before, last, token in zip([0, BEGIN, *tokens], [BEGIN, *tokens], tokens, strict=False):
            table.table[:, before, last, token] = 0.0
    table.table[:, 0, BEGIN, [3, 4, 5]] = np.log([0.6, 0.39, 0.01])
    tokens, scores = decoding.beam(table, tf.constant([[4]]), 12, length_penalty=1.0)
    assert [sentence(row) for row in tokens[0, :2]] == [long, short]
    np.testing.assert_allclose(scores[0, :2], [np.log(0.39) / (16 / 6), np.log(0.6) / (7 / 6)], rtol=1e-4)


def test_a_beam_of_four_misses_little_of_the_best_of_all():
    """Beam search is no exhaustive one; of these tables its best is the best in most cases, and never far from it."""
    found = []
    for seed in range(20):
        table = Table(seed)
        known = {key: value / ((5 + len(key)) / 6) ** 0.6 for key, value in all_sentences(table, 4, 6).items()}
        tokens, scores = decoding.beam(table, tf.constant([[4]]), 6)
        assert abs(float(scores[0, 0]) - known[tuple(sentence(tokens[0, 0]))]) < 1e-5
        found.append(max(known.values()) - float(scores[0, 0]))
    assert np.mean(np.array(found) < 1e-5) >= 0.9 and max(found) < 0.5


def test_each_sentence_has_a_limit_of_its_own(network):
    tokens, scores = decoding.beam(network, tf.constant(SOURCE), tf.constant([2, 6]), width=3)
    for row, limit in enumerate((2, 6)):
        alone, its_scores = decoding.beam(network, tf.constant(SOURCE[row : row + 1]), limit, width=3)
        np.testing.assert_array_equal(tokens[row, :, :limit], alone[0])
        np.testing.assert_allclose(scores[row], its_scores[0], rtol=1e-4)
    assert not np.any(tokens[0, :, 2:])


def test_a_beam_of_one_is_greedy(network):
    for translator, source in ((network, SOURCE), (Table(1), SOURCE), (Table(2), SOURCE)):
        tokens, _ = decoding.greedy(translator, tf.constant(source), 7)
        found, _ = decoding.beam(translator, tf.constant(source), 7, width=1)
        np.testing.assert_array_equal(found[:, 0], tokens)


def test_a_beam_is_sorted_without_repetition_and_does_not_depend_on_the_batch(network):
    signature = [tf.TensorSpec((None, None), tf.int32)]
    search = tf.function(lambda source: decoding.beam(network, source, 6, width=3), input_signature=signature)
    tokens, scores = search(SOURCE)
    for row, its_scores in zip(tokens.numpy(), scores.numpy(), strict=True):
        assert len({tuple(each) for each in row}) == 3
        ended = [END in each for each in row]
        assert ended == sorted(ended, reverse=True), "what has not ended follows"
        count = sum(ended)
        assert (np.diff(its_scores[:count]) <= 0).all() and (np.diff(its_scores[count:]) <= 0).all()
    alone, its_scores = search(SOURCE[1:])
    np.testing.assert_array_equal(alone[0], tokens[1])
    np.testing.assert_allclose(its_scores[0], scores[1], rtol=1e-4)


def test_samples_come_as_often_as_their_probabilities():
    table, rows = Table(3, size=5), 4000
    tokens = decoding.sample(table, tf.fill((rows, 1), 4), 3, randomness.root_seed(0, 0)).numpy()
    drawn = [tuple(sentence(row)) for row in tokens]
    known = all_sentences(table, 4, 3)
    for each, log_probability in known.items():
        share, probability = drawn.count(each) / rows, np.exp(log_probability)
        assert abs(share - probability) < 4 * np.sqrt(probability / rows) + 2 / rows, each


def test_a_translation_that_is_begun_goes_on_by_its_probabilities():
    table, rows = Table(3, size=5), 4000
    begun = tf.tile(tf.constant([[3, 4, END]]), (rows, 1))
    tokens = decoding.sample(table, tf.fill((rows, 1), 4), 3, randomness.root_seed(0, 0), (begun, 2)).numpy()
    assert (tokens[:, :2] == [3, 4]).all()
    logits = table.table[4, 3, 4].astype(float)
    logits[[PAD, BEGIN]] = -np.inf
    shares = np.bincount(tokens[:, 2], minlength=5) / rows
    np.testing.assert_allclose(shares, np.exp(logits) / np.exp(logits).sum(), atol=0.04)


def test_other_seeds_draw_other_sentences(network):
    source = np.repeat(SOURCE, 8, axis=0)
    seeds = [randomness.root_seed(seed, 0) for seed in (0, 0, 1)]
    draws = [decoding.sample(network, tf.constant(source), 6, seed).numpy() for seed in seeds]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any() and len(np.unique(draws[0][::2], axis=0)) > 1


# The discriminator ----------------------------------------------------------------------------------------------


def test_the_discriminator_sees_both_sentences():
    keras.utils.set_random_seed(0)
    judge = kg.networks.pair_grid_discriminator(9, 7, length=10)
    source, target = np.pad(SOURCE, [(0, 0), (0, 5)]), np.pad(PREVIOUS, [(0, 0), (0, 6)])
    scores = judge([source, target])
    assert scores.shape == (2, 1) and scores.dtype == tf.float32
    assert np.abs(judge([source[::-1], target]) - scores).max() > 1e-5
    assert np.abs(judge([source, target[::-1]]) - scores).max() > 1e-5


def test_the_grid_pairs_every_word_with_every_word():
    first, second = np.arange(6.0).reshape(1, 3, 2), 10 + np.arange(4.0).reshape(1, 4, 1)
    grid = np.array(PairGrid()([tf.constant(first), tf.constant(second)]))
    assert grid.shape == (1, 3, 4, 3)
    assert grid[0, 2, 1].tolist() == [4.0, 5.0, 11.0]


def test_the_convolution_of_pairs_is_the_one_over_their_grid():
    random = np.random.default_rng(0)
    first, second = (tf.constant(random.normal(size=(2, *shape)), tf.float32) for shape in ((6, 2), (5, 3)))
    over_grid, fast = keras.layers.Conv2D(4, 3, bias_initializer="ones"), PairConvolution(4)
    expected = over_grid(PairGrid()([first, second]))
    fast.build([first.shape, second.shape])
    kernel = over_grid.kernel.numpy()
    fast.over_source.set_weights([kernel[:, :, :2].sum(axis=1), np.ones(4)])
    fast.over_target.set_weights([kernel[:, :, 2:].sum(axis=0)])
    np.testing.assert_allclose(fast([first, second]), expected, rtol=1e-4, atol=1e-5)


def test_the_discriminator_may_read_vectors():
    judge = kg.networks.pair_grid_discriminator(9, 7, length=10, embedding_units=None, translator_units=3)
    assert judge.input_shape == [(None, 10, 3)] * 2 and judge([tf.zeros((2, 10, 3))] * 2).shape == (2, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kg.networks.pair_grid_discriminator(9, 7, length=9), "10 tokens or more. Received: length=9"),
        (lambda: kg.networks.pair_grid_discriminator(9, 7, embedding_units=None), "give translator_units"),
        (lambda: kg.networks.rnn_search(9, 9, tied="yes"), "tied is True or False. Received: 'yes'"),
        (lambda: kg.networks.transformer_translator(9, 9, layer_count=0), "layer_count is a whole number from 1"),
        (lambda: kg.networks.rnn_search(4, 9), "more than its 4 special tokens. Received: 4"),
        (lambda: kg.networks.transformer_translator(9, 9, units=10, heads=4), "divide among the heads"),
    ],
)
def test_what_cannot_be_built(make, message):
    with pytest.raises(UserError, match=message):
        make()
