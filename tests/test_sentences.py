"""A sentence embedding of the user's own: an array, a function or a file, looked up by the numbers of the words."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import networks
from keras_gans.errors import UserError
from keras_gans.fields import Images, Texts
from keras_gans.layers import Tokenizer
from keras_gans.training import recipe as recipes
from keras_gans.training.build import build_model

TEXTS = ["a red circle", "a blue circle", "a star left of a circle", "a circle left of a star", "two big stars"]
VECTORS = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.of(TEXTS, length=8)


@pytest.fixture(scope="module")
def encoder(tokenizer):
    return networks.sentence_encoder(VECTORS, TEXTS, tokenizer)


def codes(encoder, tokenizer, *texts):
    return np.asarray(encoder(tokenizer(tf.constant(texts))))


def test_known_sentences_have_their_vectors_in_any_order(encoder, tokenizer):
    np.testing.assert_array_equal(codes(encoder, tokenizer, *TEXTS[::-1]), VECTORS[::-1])
    np.testing.assert_array_equal(codes(encoder, tokenizer, "A RED circle!"), VECTORS[:1])
    assert not encoder.trainable_variables


def test_an_unknown_sentence_has_the_vector_of_the_one_with_most_words_in_common(encoder, tokenizer):
    found = codes(encoder, tokenizer, "one blue circle", "big stars", "left of a circle a star", "a circle, red")
    np.testing.assert_array_equal(found[[0, 1, 3]], VECTORS[[1, 4, 0]])
    assert any(np.array_equal(found[2], VECTORS[row]) for row in (2, 3))


def test_of_texts_with_the_same_words_the_first_one_counts(tokenizer):
    twice = networks.sentence_encoder(VECTORS[:3], ["red", "Red.", "blue"], tokenizer)
    np.testing.assert_array_equal(codes(twice, tokenizer, "red", "blue"), VECTORS[[0, 2]])
    assert twice.get_layer("code").sentences == 2


def test_a_function_is_asked_for_a_few_hundred_at_once(tokenizer):
    texts, sizes = [f"red {number}" for number in range(600)], []

    def embedding(sentences):
        sizes.append(len(sentences))
        return [[float(len(sentence)), 1.0] for sentence in sentences]

    # No number is in the vocabulary, so that all of them are one sentence.
    encoder = networks.sentence_encoder(embedding, texts, tokenizer)
    assert sizes == [256, 256, 88]
    np.testing.assert_array_equal(codes(encoder, tokenizer, "red 7"), [[5.0, 1.0]])


def test_the_table_is_saved_with_the_network(encoder, tokenizer, tmp_path):
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    np.testing.assert_array_equal(codes(loaded, tokenizer, *TEXTS), VECTORS)


def test_a_recipe_takes_a_file_and_the_scheme_its_vectors(tmp_path):
    file = str(tmp_path / "captions.npz")
    np.savez(file, texts=TEXTS, vectors=VECTORS)
    changed = {"embedding_dim": 6, "base_filters": 4}
    settings = {
        "scheme.encoder_steps": 0,
        **{f"{role}.{key}": value for role in ("generator", "discriminator") for key, value in changed.items()},
        "image_encoder.embedding_dim": 6,
        "text_encoder.name": "sentence_table",
        "text_encoder.file": file,
    }
    recipe = recipes.with_settings(recipes.named("text_to_image"), settings)
    fields = {"sample": Images((8, 8, 1)), "text": Texts(tuple(TEXTS))}
    model = build_model(recipe, fields)
    expected = VECTORS * np.sqrt(6.0) / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    np.testing.assert_allclose(model.encode_text(TEXTS), expected, rtol=1e-5)
    assert model.sample(2, texts="a red circle").shape == (2, 8, 8, 1)


@pytest.mark.parametrize(
    ("embedding", "message"),
    [
        (VECTORS[:4], r"each of the 5 texts, \(5, d\). Received: \(4, 6\)"),
        (VECTORS[:, 0], r"Received: \(5,\)"),
        (np.where(np.arange(30).reshape(5, 6) == 9, np.nan, VECTORS), "not, of 'a blue circle'"),
        (lambda texts: [["words"]] * len(texts), "vector of numbers"),
        (lambda texts: VECTORS[:2], r"Received: \(2, 6\)"),
    ],
)
def test_an_embedding_has_a_finite_vector_for_each_text(embedding, message, tokenizer):
    with pytest.raises(UserError, match=message):
        networks.sentence_encoder(embedding, TEXTS, tokenizer)


def test_files_and_texts_that_cannot_be_are_refused(tmp_path, tokenizer):
    with pytest.raises(UserError, match="one sentence or more"):
        networks.sentence_encoder(VECTORS[:0], [], tokenizer)
    np.savez(tmp_path / "other.npz", texts=TEXTS)
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("missing.npz", "other.npz", "text.npz"):
        with pytest.raises(UserError, match=name):
            networks.sentence_table(tokenizer.vocabulary, str(tmp_path / name))
