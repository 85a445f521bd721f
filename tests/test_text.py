"""How texts become numbers and codes: the tokenizer, its twin in Python, and the encoders."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import keras_gans as kg
from keras_gans import losses, words
from keras_gans.data import shapes
from keras_gans.errors import UserError
from keras_gans.export import tflite
from keras_gans.layers import MaskedMean, TokenEmbedding, Tokenizer

CAPTIONS = [
    text
    for combination in shapes.combinations(held_out=False) + shapes.combinations(held_out=True)
    for text in shapes.captions(combination, np.random.default_rng(combination.labels["position"]))
]
ODD = [
    "",
    " ",
    "\n\t  \r\n",
    "...!?",
    "A SMALL RED Circle, TOP left",
    "a small\nred\tcircle,top-left",
    "a  small   red circle ",
    "small",
    "don't, can't; won't",
    "caf\u00e9 CAF\u00c9 cafe\u0301",
    "\u0130stanbul I\u0131i \u03a3\u03c3\u03c2 \u00df \u1e9e \u00c4\u00e4",
    "\u201csmall\u201d \u2014 red\u2026 \u00abcircle\u00bb\u00a0star",
    "\u5c0f\u3044\u8d64\u3044\u5186\u3001\u5de6\u4e0a\u3002",
    "\U0001f534\U0001f7e2 star \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "red\x00circle",
    "\x7f\x01small\x0bred\x0ccircle\x1fstar\x85blue",
    "\u2028small\u2029red\u3000circle",
    "0 1 23 x2y",
    "[UNK] [unk] unk",
    "small " * 300,
    "x" * 5000,
]


@pytest.fixture(scope="module", params=["word", "character"])
def tokenizer(request):
    return Tokenizer.of(CAPTIONS + ODD[:16], level=request.param, length=24)


# The tokenizer --------------------------------------------------------------------------------------------------


def test_words_and_characters_by_hand():
    words = Tokenizer(["", "[UNK]", "small", "red"], length=4)
    assert words(tf.constant(["Red, small!", "", "a red fox ran far", "-"])).numpy().tolist() == [
        [3, 2, 0, 0],
        [0, 0, 0, 0],
        [1, 3, 1, 1],
        [0, 0, 0, 0],
    ]
    characters = Tokenizer(["", "[UNK]", "a", "b", " "], length=5, level="character")
    assert characters(tf.constant([" A  b!", "abababab"])).numpy().tolist() == [[2, 4, 3, 1, 0], [2, 3, 2, 3, 2]]


def test_a_vocabulary_is_ordered_by_how_often_and_then_by_name():
    texts = ["b a", ("c a", "d c")]
    learned = Tokenizer.of(texts)
    assert learned.vocabulary == ("", "[UNK]", "a", "c", "b", "d") and learned.length == 2
    assert Tokenizer.of(texts, max_words=3, length=7).vocabulary == ("", "[UNK]", "a", "c", "b")
    assert Tokenizer.of(kg.data.TextArray.of(texts)).vocabulary == learned.vocabulary
    assert learned.unknown("e a f, e") == ["e", "f"]


def test_a_few_lines_of_python_agree_with_tensorflow_on_every_caption_and_on_odd_input(tokenizer):
    texts = CAPTIONS + ODD
    in_tensorflow = tokenizer(tf.constant(texts)).numpy()
    assert in_tensorflow.dtype == np.int32 and in_tensorflow.shape == (len(texts), 24)
    in_python = tokenizer.encode(texts)
    for text, one, other in zip(texts, in_tensorflow, in_python, strict=True):
        assert one.tolist() == other.tolist(), repr(text)
    assert in_python.dtype == np.int32 and len(np.unique(in_python)) > 20


@pytest.mark.parametrize("level", ["word", "character"])
def test_both_agree_on_every_character_of_unicode(level):
    letters = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    # Each between two known ones, of which a separator makes two words.
    texts = [f"a{letter}a" for letter in letters]
    known = ["a", "a\u00e9a", "\u00e9", " ", "\u3042", "a\u3042a"]
    tokenizer = Tokenizer(("", "[UNK]", *known), length=3, level=level)
    np.testing.assert_array_equal(tokenizer(tf.constant(texts)).numpy(), tokenizer.encode(texts))


@pytest.mark.parametrize("where", ["module", "page"])
def test_the_documented_lines_are_the_tokenizer(where):
    if where == "module":
        code = words.__doc__.split("\n\n", 1)[1].split("\nThis is")[0]
        code = "\n".join(line[4:] for line in code.splitlines())
    else:
        page = (Path(__file__).parent.parent / "docs" / "text.md").read_text(encoding="utf-8")
        (code,) = (block for block in re.findall("```python\n(.*?)```", page, re.DOTALL) if "SEPARATORS" in block)
    names = {}
    exec(code, names)
    tokenizer = Tokenizer.of(CAPTIONS + ODD[:14], length=9)
    for text, expected in zip(texts := CAPTIONS + ODD, tokenizer(tf.constant(texts)).numpy().tolist(), strict=True):
        assert names["tokens"](text, tokenizer.vocabulary, 9) == expected, repr(text)


def test_the_vocabulary_survives_its_file(tokenizer, tmp_path):
    tokenizer.write_vocabulary(tmp_path / "vocabulary.txt")
    assert words.read_vocabulary(tmp_path / "vocabulary.txt") == tokenizer.vocabulary
    assert (tmp_path / "vocabulary.txt").read_bytes().startswith(b"\n[UNK]\n")
    odd = Tokenizer(("", "[UNK]", "\x85", "\u2028", " ", "\u00e9"), length=2, level="character")
    odd.write_vocabulary(tmp_path / "vocabulary.txt")
    assert words.read_vocabulary(tmp_path / "vocabulary.txt") == odd.vocabulary


def test_it_is_saved_in_a_model_exported_and_mapped_over_a_dataset(tokenizer, tmp_path):
    texts = tf.constant(CAPTIONS[::40] + ODD)
    expected = tokenizer(texts).numpy()
    inputs = keras.Input((), dtype="string")
    model = keras.Model(inputs, tokenizer(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(texts), expected)
    assert loaded.layers[-1].vocabulary == tokenizer.vocabulary

    archive = keras.export.ExportArchive()
    archive.add_endpoint("tokens", lambda text: tokenizer(text), [tf.TensorSpec((None,), tf.string, name="text")])
    archive.write_out(str(tmp_path / "exported"), verbose=False)
    np.testing.assert_array_equal(tf.saved_model.load(str(tmp_path / "exported")).tokens(texts), expected)

    batches = tf.data.Dataset.from_tensor_slices(texts).batch(len(expected)).map(tokenizer)
    assert batches.element_spec.shape.as_list() == [None, tokenizer.length]
    np.testing.assert_array_equal(next(iter(batches)), expected)


def test_two_replicas_read_alike(tokenizer, two_replicas):
    texts = tf.constant(CAPTIONS[:8])
    with two_replicas.scope():
        made = Tokenizer(tokenizer.vocabulary, tokenizer.length, tokenizer.level)
    found = tf.function(lambda: two_replicas.run(lambda: made(texts)))()
    values = two_replicas.experimental_local_results(found)
    assert len(values) == 2
    for each in values:
        np.testing.assert_array_equal(each, tokenizer(texts))


def test_mistakes_are_named():
    with pytest.raises(UserError, match="'words'.*word"):
        Tokenizer.of(["a"], level="words")
    with pytest.raises(UserError, match="Received none"):
        Tokenizer.of(["", "!"])
    with pytest.raises(UserError, match="max_words.*0"):
        Tokenizer.of(["a"], max_words=0)
    with pytest.raises(UserError, match="length.*0"):
        Tokenizer.of(["a"], length=0)
    with pytest.raises(UserError, match="begins with '' and"):
        Tokenizer(["a", "b"], length=2)
    with pytest.raises(UserError, match="once.*'a'"):
        Tokenizer(["", "[UNK]", "a", "a"], length=2)


# The encoders ---------------------------------------------------------------------------------------------------

VOCABULARY = ("", "[UNK]", *"abcdefgh")
ENCODERS = [("word", "convolutional"), ("character", "convolutional"), ("word", "attention")]


def tokens_of(rows, length):
    return np.array([row + [0] * (length - len(row)) for row in rows], np.int32)


@pytest.mark.parametrize(("level", "kind"), ENCODERS)
def test_the_padding_changes_nothing(level, kind):
    rows = [[2, 3, 4, 5], [9], [], [3, 2, 2, 1, 7, 8]]

    def encoder(length):
        keras.utils.set_random_seed(1)
        return kg.networks.text_encoder(VOCABULARY, 5, level=level, length=length, kind=kind, units=8)

    short, long = encoder(6), encoder(11)
    # The same weights, of the places those that both have.
    for ours, theirs in zip(short.layers, long.layers, strict=True):
        ours.set_weights([w[:6] if w.shape == (11, 8) else w for w in theirs.get_weights()])
    codes = short(tokens_of(rows, 6)).numpy()
    np.testing.assert_allclose(long(tokens_of(rows, 11)), codes, atol=1e-6)
    embedding = next(layer for layer in short.layers if isinstance(layer, TokenEmbedding))
    vectors = embedding.get_weights()[0]
    embedding.set_weights([np.vstack([np.full((1, 8), 7.0), vectors[1:]])])
    np.testing.assert_allclose(short(tokens_of(rows, 6)), codes, atol=1e-6)
    assert np.isfinite(codes).all() and codes.dtype == np.float32
    differences = np.abs(codes[:, None] - codes[None]).max(axis=-1)
    assert differences[~np.eye(4, dtype=bool)].min() > 1e-3, "but what is written does"


@pytest.mark.parametrize(("level", "kind"), ENCODERS)
def test_the_order_of_words_matters(level, kind):
    keras.utils.set_random_seed(0)
    encoder = kg.networks.text_encoder(VOCABULARY, 5, level=level, length=6, kind=kind, units=8)
    codes = encoder(tokens_of([[2, 3, 4, 5], [5, 4, 3, 2]], 6)).numpy()
    assert np.abs(codes[0] - codes[1]).max() > 1e-3


@pytest.mark.parametrize(("level", "kind"), ENCODERS)
def test_an_encoder_becomes_a_tflite_file(level, kind, tmp_path):
    keras.utils.set_random_seed(0)
    encoder = kg.networks.text_encoder(VOCABULARY, 5, level=level, length=6, kind=kind, units=8)
    archive = keras.export.ExportArchive()
    specification = tf.TensorSpec((None, 6), tf.int32, name="tokens")
    archive.add_endpoint("encode", lambda tokens: {"code": encoder(tokens, training=False)}, [specification])
    archive.write_out(str(tmp_path), verbose=False)
    part = {"signature": "encode", "outputs": ["code"]}
    content = tflite._convert(*tflite._fixed_functions(tf.saved_model.load(str(tmp_path)), part, [3], None), "float32")
    run = Interpreter(model_content=content).get_signature_runner("serving_default")
    tokens = tokens_of([[3, 2, 7], [], [9, 1, 2, 3, 4, 5]], 6)
    np.testing.assert_allclose(run(tokens=tokens)["code"], encoder(tokens), atol=1e-5)


def test_the_embeddings_gradient_is_dense_and_spares_the_padding():
    layer = TokenEmbedding(5, 3)
    tokens = tf.constant([[2, 2, 0], [4, 0, 0]])
    layer.build((None, 3))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(tokens))
    gradient = tape.gradient(total, layer.trainable_variables[0].value)
    assert not isinstance(gradient, tf.IndexedSlices)
    np.testing.assert_array_equal(gradient[:, 0], [0, 0, 2, 0, 1])


def test_a_masked_mean_by_hand():
    vectors = np.array([[[1.0], [3.0], [100.0]], [[9.0], [9.0], [9.0]]], "float32")
    np.testing.assert_array_equal(MaskedMean()([vectors, np.array([[5, 4, 0], [0, 0, 0]])]), [[2.0], [0.0]])


@pytest.mark.parametrize("shape", [(16, 16, 3), (28, 28, 1), (9, 12, 3), (64, 64, 3)])
def test_images_have_codes_whoever_is_beside_them(shape):
    encoder = kg.networks.image_encoder(shape, 7, base_filters=4)
    images = np.random.default_rng(0).uniform(-1, 1, (5, *shape)).astype("float32")
    codes = encoder(images, training=True).numpy()
    assert codes.shape == (5, 7) and encoder.output.dtype == "float32"
    np.testing.assert_allclose(encoder(images[:2], training=True), codes[:2], atol=1e-5)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in encoder.layers)


def test_encoders_name_mistakes():
    with pytest.raises(UserError, match="'atention'.*attention"):
        kg.networks.text_encoder(VOCABULARY, kind="atention")
    with pytest.raises(UserError, match="'letter'"):
        kg.networks.text_encoder(VOCABULARY, level="letter")
    with pytest.raises(UserError, match="vocabulary holds"):
        kg.networks.text_encoder(("", "[UNK]"))
    with pytest.raises(UserError, match=r"\(2,\)"):
        kg.networks.image_encoder((2,))


@pytest.mark.parametrize(("level", "kind"), ENCODERS)
def test_they_learn_which_caption_is_of_which_picture(level, kind):
    """Small ones, a few steps: on pairs of their own a text finds its picture far more often than by chance."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    every = [each for each in shapes.combinations(False) if each.count == "one" and each.position == "centre"]
    tokenizer = Tokenizer.of([shapes.caption(each) for each in every], level=level)
    texts = kg.networks.text_encoder(tokenizer.vocabulary, 16, level, tokenizer.length, kind, units=32)
    pictures = kg.networks.image_encoder((16, 16, 3), 16, base_filters=8)
    optimizer = keras.optimizers.Adam(3e-3)
    variables = texts.trainable_variables + pictures.trainable_variables
    optimizer.build(variables)

    def batch():
        rows = random.permutation(len(every))[:24]
        images = np.stack([shapes.draw(every[row], 16, random) for row in rows])
        return tokenizer.encode([shapes.caption(every[row]) for row in rows]), images.astype("float32") / 127.5 - 1.0

    @tf.function
    def step(tokens, images):
        with tf.GradientTape() as tape:
            loss = losses.structured_joint_embedding(texts(tokens), pictures(images))
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    for _ in range(120):
        step(*batch())
    tokens, images = batch()
    agreement = pictures(images).numpy() @ texts(tokens).numpy().T
    assert (agreement.argmax(axis=1) == np.arange(24)).mean() > 0.4, "1/24 by chance"
