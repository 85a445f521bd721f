"""Subwords: what is learned, and one reading of it in Python, in a graph and by the library."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import subwords
from keras_gans.data import embedded
from keras_gans.errors import UserError
from keras_gans.subwords import END, PAD, SPACE, SPECIAL, UNKNOWN, Subwords
from tests.processes import HANGS

TEXTS = [
    "a man is riding a bike.",
    "two men are riding bikes, one is laughing!",
    "Ein Mädchen läuft über die Straße.",
    "the year 1987 was (not) 2024",
    "riding riding riding bikes",
]
ODD = ["", "   ", "a\tbike\n", " bike  a ", "xyz 漢字 bike", "a\u00a0man", "Ω", "ridingbike.,!1987"]


@pytest.fixture(scope="module")
def read():
    return Subwords(subwords.learn(TEXTS, 80))


def test_a_vocabulary_has_the_special_tokens_all_characters_and_frequent_pieces(read):
    assert read.vocabulary[:4] == SPECIAL and len(read) == len(set(read.vocabulary)) == 80
    assert {character for text in TEXTS for character in text.replace(" ", SPACE)} <= set(read.vocabulary)
    assert f"{SPACE}riding" in read.vocabulary
    assert not [piece for piece in read.vocabulary[4:] if len(piece) > 1 and set(piece) & set("0123456789.,!()")]
    assert not [piece for piece in read.vocabulary[4:] if SPACE in piece[1:]], "no piece runs over a space"


def test_tokens_become_the_text_again(read):
    for text in TEXTS:
        tokens = read.tokens(text)
        assert read.text(tokens) == text and tokens[-1] == END and UNKNOWN not in tokens
        assert len(tokens) < len(text)


def test_the_longest_piece_that_fits_comes_first():
    read = Subwords((*SPECIAL, SPACE, "a", "b", "c", f"{SPACE}a", "ab", "abc", "bc"))
    # The space and the first letter are one piece, and then the longest of b, bc.
    twice = [f"{SPACE}a", "bc"] * 2
    assert [read.vocabulary[token] for token in read.tokens("abc abc")] == [*twice, "</s>"]
    assert [read.vocabulary[token] for token in read.tokens("babcb")] == [SPACE, "b", "abc", "b", "</s>"]


def test_the_graph_reads_as_python_does(read):
    texts = [*TEXTS, *ODD]
    encode = tf.function(read.encode, input_signature=[tf.TensorSpec((None,), tf.string)])
    tokens = encode(tf.constant(texts)).numpy()
    assert [row[row != PAD].tolist() for row in tokens] == [read.tokens(text) for text in texts]
    assert all((np.diff((row != PAD).astype(int)) <= 0).all() for row in tokens), "padding is behind the end"
    decode = tf.function(read.decode, input_signature=[tf.TensorSpec((None, None), tf.int32)])
    assert [text.decode() for text in decode(tokens).numpy()] == [read.text(row) for row in tokens]


def test_a_given_length_cuts_off_and_fills_up(read):
    tokens = read.encode(tf.constant(["a", TEXTS[1]]), length=6)
    assert tokens.shape == (2, 6) and tokens.numpy()[0].tolist()[1:] == [END, PAD, PAD, PAD, PAD]
    assert tokens.numpy()[1].tolist() == read.tokens(TEXTS[1])[:6]
    assert read.encode(tf.constant(TEXTS), length=100).shape == (5, 100)


def test_bytes_that_are_no_text_are_unknown(read):
    tokens = read.encode(tf.constant([b"a \xff\xfe bike"])).numpy()[0]
    assert (tokens == UNKNOWN).sum() == 2 and tokens[-1] == END


def test_the_library_reads_alike(read):
    from tokenizers import Tokenizer, models, pre_tokenizers

    model = models.WordPiece(
        {piece: place for place, piece in enumerate(read.vocabulary)}, unk_token="<unk>", continuing_subword_prefix=""
    )
    library = Tokenizer(model)
    library.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    for text in TEXTS:
        assert library.encode(text).ids == read.tokens(text)[:-1]


def test_unknown_characters_are_named(read):
    assert read.unknown("a 漢 bike 漢字") == ["漢", "字"] and read.unknown("a bike") == []
    assert read.text(read.tokens("a漢")) == "a\ufffd"


@pytest.mark.slow
def test_learning_is_the_same_in_every_process():
    script = "import json, sys; from keras_gans import subwords; print(subwords.learn(json.loads(sys.argv[1]), 70))"
    command = [sys.executable, "-c", script, json.dumps(TEXTS)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=HANGS).stdout
    assert found == f"{subwords.learn(TEXTS[::-1], 70)}\n"


@pytest.mark.parametrize(
    ("texts", "size", "message"),
    [
        (TEXTS, 20, r"have \d+ different characters.*at least \d+. Received: 20"),
        (TEXTS, 2.5, "whole number from 8. Received: 2.5"),
        (["", " "], 50, "no text to learn"),
    ],
)
def test_what_cannot_be_learned(texts, size, message):
    with pytest.raises(UserError, match=message):
        subwords.learn(texts, size)


@pytest.mark.parametrize("vocabulary", [300, ("a", "b"), (*SPECIAL, "a", "a"), "abc", SPECIAL])
def test_what_is_no_vocabulary(vocabulary):
    with pytest.raises(UserError, match="A vocabulary"):
        Subwords(vocabulary)


def test_numbers_and_dates_have_a_small_vocabulary():
    rows = embedded.numbers_and_dates((500,))[0]
    read = Subwords(subwords.learn([digits for digits, _ in rows], 32))
    assert len(read) <= 32 and len(read.tokens("1987-07-23 512")) == 16
