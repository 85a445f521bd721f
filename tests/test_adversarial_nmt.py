"""Adversarial translation: phases, what each loss is of, the baseline, strings in and out, files, measures."""

import functools
import json
import shutil
import types
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

import keras_gans as kg
from keras_gans.data import embedded
from keras_gans.engine.translating_texts import shifted
from keras_gans.errors import UserError
from keras_gans.export import export_model
from keras_gans.fields import Texts
from keras_gans.metrics import SentenceEvaluation, evaluation_of
from keras_gans.private_apis import layers_of
from keras_gans.runs import run_directory
from keras_gans.sentence_bleu import sentence_bleu
from keras_gans.subwords import BEGIN, END, PAD
from keras_gans.training.build import build_model
from keras_gans.training.recipe import named
from tests.small import recipe_for, small_model
from tests.test_seq2seq import Table
from tests.test_training_cli import run_here, unwrapped

SMALL = [
    "--set=generator.units=8",
    "--set=generator.layer_count=1",
    "--set=scheme.likelihood_steps=2",
    "--set=scheme.warm_up_steps=1",
    "--set=batch_tokens=64",
]


@functools.cache
def a_model():
    return small_model("adversarial_nmt")


@functools.cache
def batch(rows=6):
    model = a_model()
    return model.read(*(tf.constant(each) for each in model.example_batch(rows).values()))


def one_step(model, step):
    """The curves of the training step that comes after so many."""
    for curve in model.curves.values():
        curve.reset_state()
    model.step.assign(step)
    return {name: float(value) for name, value in model.train_step(tuple(model.example_batch(6).values())).items()}


def moved(model, network, before):
    return any((np.array(a) != b).any() for a, b in zip(getattr(model, network).weights, before, strict=True))


# Reading --------------------------------------------------------------------------------------------------------


def test_strings_become_tokens_with_ends_and_beginnings():
    rows = batch()
    for side in ("source", "target"):
        longest = np.count_nonzero(rows[side], axis=1).max()
        assert rows[side].shape == (6, longest), "no more padding than the longest sentence needs"
    for row, previous in zip(rows["target"].numpy(), rows["previous"].numpy(), strict=True):
        assert row[np.count_nonzero(row) - 1] == END and previous[0] == BEGIN
        np.testing.assert_array_equal(previous[1:], row[:-1])


def test_a_pair_that_is_too_long_has_no_part_in_any_loss():
    model = a_model()
    source, target = (list(each) for each in model.example_batch(4).values())
    long = b"a small red circle near the blue star"
    found = []
    for other in (b"the star", b"a"):
        rows = model.read(tf.constant([*source, long]), tf.constant([*target, other]))
        assert rows["is_short"].numpy().tolist() == [True] * 4 + [False]
        drawn = rows["target"]
        found.append([model.likelihood_loss(rows)[0], model.discriminator_loss(rows, drawn)[0]["loss"]])
    np.testing.assert_array_equal(*found)
    alone = model.read(tf.constant(source), tf.constant(target))
    np.testing.assert_allclose(model.likelihood_loss(alone)[0], found[0][0], rtol=1e-5)


def test_an_empty_pair_has_no_part_in_any_loss_either():
    model = a_model()
    source, target = (list(each) for each in model.example_batch(4).values())
    alone = model.read(tf.constant(source), tf.constant(target))
    filled = model.read(tf.constant([*source, b"", b"a star"]), tf.constant([*target, b"", b" "]))
    assert filled["is_short"].numpy().tolist() == [True] * 4 + [False] * 2
    np.testing.assert_allclose(model.likelihood_loss(filled)[0], model.likelihood_loss(alone)[0], rtol=1e-5)


def test_lengths_of_pairs_are_those_that_reading_finds():
    model = a_model()
    long = "a small red circle near the blue star"
    rows = {"source": ["a star", "a", "", long], "target": ["the", "red star the", "a", "a"]}
    lengths = model.pair_lengths(rows)
    batch = model.read(*(tf.constant(side) for side in rows.values()))
    counts = [np.count_nonzero(batch[side], axis=1) for side in rows]
    np.testing.assert_array_equal(lengths, np.where(batch["is_short"], np.max(counts, axis=0), 0))
    assert lengths[2] == lengths[3] == 0


def test_a_first_batch_without_a_pair_that_fits_is_refused():
    long = np.array([b"a small red circle near the blue star"] * 4, object)
    with pytest.raises(UserError, match="All 4 pairs of the first batch are longer than 10 tokens"):
        a_model().check_batch({"source": long, "target": long})


# Phases ---------------------------------------------------------------------------------------------------------


def test_each_phase_moves_its_own_networks():
    model = small_model("adversarial_nmt", 0.1)
    expected = {0: ("generator",), 2: ("discriminator",), 4: ("generator", "discriminator")}
    for step, players in expected.items():
        before = {name: [np.array(v) for v in getattr(model, name).weights] for name in model.players}
        logs = one_step(model, step)
        assert {name for name in model.players if moved(model, name, before[name])} == set(players)
        assert ("reward" in logs) == (step >= 2) and ("likelihood" in logs) == (step != 2)


def test_the_likelihood_is_of_real_tokens_alone():
    model, rows = a_model(), batch()
    loss, curves = model.likelihood_loss(rows)
    logits = model.generator([rows["source"], rows["previous"]]).numpy().astype(float)
    probabilities = logits - np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(-1, keepdims=True))
    probabilities -= logits.max(-1, keepdims=True)
    tokens = rows["target"].numpy()
    own = np.take_along_axis(probabilities, tokens[..., None], -1)[..., 0][tokens != PAD]
    assert float(loss) == pytest.approx(-own.mean(), rel=1e-4)
    right = (logits.argmax(-1) == tokens)[tokens != PAD].mean()
    assert float(curves["token_accuracy"]) == pytest.approx(right, abs=1e-6)
    assert 0 < float(curves["entropy"]) <= np.log(model.generator.target_size)


def test_drawn_sentences_have_the_probability_that_they_are_drawn_with():
    model, rows = a_model(), batch()
    drawn = model.draw_translations(rows, 1, tf.constant([1, 2], tf.int64))
    logits = tf.nn.log_softmax(model.generator([rows["source"], shifted(drawn)])).numpy()
    expected = [
        sum(logits[row, place, token] for place, token in enumerate(tokens) if token != PAD)
        for row, tokens in enumerate(drawn.numpy())
    ]
    np.testing.assert_allclose(model.log_probabilities(rows["source"], drawn), expected, rtol=1e-4)


def test_a_rewarded_sentence_becomes_likelier_and_one_below_the_baseline_less():
    for reward, sign in ((1.0, 1), (0.0, -1)):
        scheme = {**recipe_for("adversarial_nmt").scheme, "adversarial_share": 1.0}
        model = small_model("adversarial_nmt", 0.5, scheme=scheme)
        rows = batch(2)
        drawn = model.draw_translations(rows, 1, tf.constant([3, 4], tf.int64))
        before = model.log_probabilities(rows["source"], drawn)
        rewards, seed = tf.fill((2,), reward), tf.constant([0, 0], tf.int64)
        model.update("generator", model.generator_loss, rows, drawn, rewards, seed)
        change = tf.reduce_sum(model.log_probabilities(rows["source"], drawn) - before)
        assert sign * float(change) > 0


def test_a_drawn_token_weighs_as_much_as_a_references():
    """By hand, where R - b is -1: the references themselves, drawn, are then unlearned as they are learned."""
    share = {**recipe_for("adversarial_nmt").scheme, "adversarial_share": 0.25}
    model, rows, seed = small_model("adversarial_nmt", scheme=share), batch(), tf.constant([0, 0], tf.int64)
    model.baseline.assign(1.0)
    likelihood, _ = model.likelihood_loss(rows)
    of_tokens = model.token_log_probabilities(rows["source"], rows["target"])
    loss, _ = model.generator_loss(rows, rows["target"], tf.zeros((6,)), seed)
    policy = np.sum(of_tokens) / np.sum(rows["target"] != PAD)
    assert float(loss) == pytest.approx(0.25 * policy + 0.75 * float(likelihood), rel=1e-4)
    assert float(likelihood) == pytest.approx(-policy, rel=0.1)


def test_the_baseline_follows_the_rewards():
    model = small_model("adversarial_nmt", 0.0)
    assert float(model.baseline) == 0.5
    # No optimizer's, and no gradient's.
    assert not {"baseline", "accuracy"} & {variable.name for variable in model.trainable_variables}
    reward = one_step(model, 4)["reward"]
    assert float(model.baseline) == pytest.approx(0.99 * 0.5 + 0.01 * reward, rel=1e-5)
    drawn = model.draw_translations(batch(), 1, tf.constant([1, 1], tf.int64))
    scores = model.scores(batch()["source"], drawn, training=False)
    np.testing.assert_allclose(model.rewards(batch(), drawn), tf.sigmoid(scores), rtol=1e-6)


def test_the_discriminator_learns_with_its_random_layers_and_rewards_without(monkeypatch):
    model, asked = small_model("adversarial_nmt"), []
    scored = type(model.discriminator).call

    def call(self, *args, training=None, **kwargs):
        asked.append(training)
        return scored(self, *args, training=training, **kwargs)

    monkeypatch.setattr(type(model.discriminator), "call", call)
    drawn = batch()["target"]
    model.discriminator_loss(batch(), drawn)
    assert set(asked) == {True}
    asked.clear()
    model.rewards(batch(), drawn)
    assert set(asked) == {False}


def test_a_discriminator_above_its_band_rests_without_a_trace():
    model = small_model("adversarial_nmt")
    for accuracy, moves in ((0.9, False), (0.6, True)):
        model.accuracy.assign(accuracy)
        before = [np.array(v) for v in model.discriminator.weights]
        logs = one_step(model, 2)
        assert moved(model, "discriminator", before) == moves
        expected = 0.9 * accuracy + 0.1 * logs["discriminator_accuracy"]
        assert float(model.accuracy) == pytest.approx(expected, rel=1e-5)


def test_the_reward_of_minimum_risk_is_bleu():
    scheme = {**recipe_for("adversarial_nmt").scheme, "reward": "sentence_bleu"}
    model = small_model("adversarial_nmt", scheme=scheme)
    drawn = model.draw_translations(batch(), 1, tf.constant([1, 1], tf.int64))
    np.testing.assert_array_equal(model.rewards(batch(), drawn), sentence_bleu(drawn, batch()["target"]))
    np.testing.assert_allclose(model.rewards(batch(), batch()["target"])[0], 1.0, rtol=1e-5)
    before = [np.array(v) for v in model.generator.weights]
    logs = one_step(model, 4)
    assert moved(model, "generator", before) and np.isfinite(logs["generator_loss"])


def test_each_tokens_reward_is_that_of_sentences_which_go_on_from_it():
    """By hand: the share of all ways to go on, by their probability, that hold a certain token."""
    table, length, count = Table(4), 3, 3000

    def probability(tokens):
        """Of the token 4 in a sentence that begins so."""
        if 4 in tokens:
            return 1.0
        if len(tokens) == length or END in tokens:
            return 0.0
        before, last = ([0, BEGIN, *tokens])[-2:] if tokens else (0, BEGIN)
        logits = table.table[5, before, last].astype(float)
        logits[[PAD, BEGIN]] = -np.inf
        shares = np.exp(logits) / np.exp(logits).sum()
        return sum(shares[token] * probability([*tokens, token]) for token in range(END, len(shares)))

    scheme = types.SimpleNamespace(generator=table, max_length=length, roll_outs=count)
    scheme.rewards = lambda batch, tokens: tf.cast(tf.reduce_any(tokens == 4, axis=1), tf.float32)
    drawn = np.array([[3, 5, END], [5, END, PAD], [3, 4, END], [5, 3, 4]], "int32")
    found = kg.schemes.AdversarialNMT.rolled_out(
        scheme, {"source": tf.fill((4, 1), 5)}, tf.constant(drawn), tf.constant([0, 1], tf.int64)
    )
    expected = [[probability([token for token in row[:place] if token != PAD]) for place in (1, 2, 3)] for row in drawn]
    assert 0.1 < expected[0][0] < 0.9
    np.testing.assert_allclose(found, expected, atol=4 * 0.5 / count**0.5)
    # Where nothing is left to draw, nothing is left to chance.
    np.testing.assert_array_equal(found[:, 2], [0, 0, 1, 1])


@pytest.mark.slow
def test_rewards_of_tokens_weigh_the_tokens():
    scheme = {**recipe_for("adversarial_nmt").scheme, "adversarial_share": 1.0, "roll_outs": 2}
    model = small_model("adversarial_nmt", 0.1, scheme=scheme)
    rows, seed = batch(), tf.constant([1, 2], tf.int64)
    drawn = model.draw_translations(rows, 1, seed)
    credits = model.rolled_out(rows, drawn, seed)
    assert credits.shape == drawn.shape
    loss, _ = model.generator_loss(rows, drawn, credits, seed)
    logits = tf.nn.log_softmax(model.generator([rows["source"], shifted(drawn)])).numpy()
    own = np.take_along_axis(logits, drawn.numpy()[..., None], -1)[..., 0] * (drawn.numpy() != PAD)
    is_token = drawn.numpy() != PAD
    assert float(loss) == pytest.approx(np.mean((-(credits.numpy() - 0.5) * own)[is_token]), rel=1e-4)


@pytest.mark.slow
def test_a_step_with_roll_outs_moves_the_translator():
    scheme = {**recipe_for("adversarial_nmt").scheme, "adversarial_share": 1.0, "roll_outs": 2}
    model = small_model("adversarial_nmt", 0.1, scheme=scheme)
    before = [np.array(v) for v in model.generator.weights]
    one_step(model, 4)
    assert moved(model, "generator", before)


def test_the_discriminator_reads_the_translators_vectors_and_teaches_it_nothing():
    model, rows = small_model("adversarial_nmt", 0.1), batch()
    assert not any("embedding" in variable.path for variable in model.discriminator.weights)
    before = model.scores(rows["source"], rows["target"])
    with tf.GradientTape() as tape:
        loss = model.discriminator_loss(rows, rows["target"])[0]["loss"]
    assert set(tape.gradient(loss, model.generator.trainable_variables)) == {None}
    embeddings = model.generator.target_embedding.embeddings
    embeddings.assign(embeddings[::-1])
    assert np.abs(model.scores(rows["source"], rows["target"]) - before).max() > 1e-4


def test_a_perfect_discriminators_accuracy_is_one():
    model, rows = a_model(), batch()
    scores = {}
    model.__dict__["scores"] = lambda source, target, training=True: scores[target is rows["target"]]
    try:
        for real, fake, accuracy in ((3.0, -3.0, 1.0), (-3.0, 3.0, 0.0), (3.0, 3.0, 0.5)):
            scores |= {True: tf.fill((6,), real), False: tf.fill((6,), fake)}
            loss, curves = model.discriminator_loss(rows, rows["source"])
            assert float(curves["discriminator_accuracy"]) == accuracy
            assert float(loss["loss"]) == pytest.approx(np.log1p(np.exp(-real)) + np.log1p(np.exp(fake)), rel=1e-5)
    finally:
        del model.__dict__["scores"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reward": "blue"}, "Unknown reward 'blue'"),
        ({"adversarial_share": 1.5}, "adversarial_share is a number from 0 to 1, such as 0.5. Received: 1.5"),
        ({"accuracy_ceiling": 0.3}, "accuracy_ceiling is a number from 0.5 to 1"),
        ({"roll_outs": -1}, "roll_outs is a whole number from 0. Received: -1"),
        ({"reward": "sentence_bleu", "roll_outs": 2}, "roll_outs is for reward='discriminator'. Received: 2"),
        ({"risk_samples": 4}, "risk_samples is for reward='sentence_bleu'"),
        ({"reward": "sentence_bleu", "risk_samples": 1}, "whole number from 2. Received: 1"),
        ({"likelihood_steps": -1}, "a whole number from 0. Received: -1"),
        ({"beam_width": 0}, "beam_width is a whole number from 1"),
    ],
)
def test_mistakes_in_options(options, message):
    with pytest.raises(UserError, match=message):
        small_model("adversarial_nmt", scheme={**recipe_for("adversarial_nmt").scheme, **options})


# Translating ----------------------------------------------------------------------------------------------------


def test_translating_keeps_the_order_and_leaves_the_empty_empty():
    model = a_model()
    texts = ["a small red star", "", "near", "  \t", "the blue circle near the star", "a"]
    for method in ("greedy", "beam"):
        found = model.translate(texts, method=method)
        assert found[1] == found[3] == ""
        # A sentence does not depend on those beside it.
        assert found == [model.translate([text], method=method)[0] for text in texts]
    assert model.translate([]) == []


def test_long_sentences_are_translated_and_remarked_upon():
    model = a_model()
    long = " ".join(["a small red circle near the blue star"] * 5)
    count = len(model.source_subwords.tokens(long))
    assert model.remarks("a red star") == []
    assert model.remarks(long) == [f"{count} tokens long, and no training sentence had more than 10"]
    assert model.remarks("漢 star") == ["no training sentence had '漢', which is read as an unknown character"]
    assert len(model.translate([long])) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a sentence",), "a list of str. Received: 'a sentence'"),
        (([1, 2],), "a list of str"),
        ((["a"], "target_to_source"), "Unknown direction 'target_to_source'"),
        ((["a"], "source_to_target", "beem"), "Unknown method 'beem'. Did you mean 'beam'"),
    ],
)
def test_what_cannot_be_translated(arguments, message):
    with pytest.raises(UserError, match=message):
        a_model().translate(*arguments)


def test_what_is_shown_is_text_and_attention():
    rows = {"source": ["a red star", "a circle"], "target": ["star red", "circle"]}
    shown = a_model().shows(rows, 64)
    translated = a_model().translate(rows["source"])
    lines = [f"a red star -> {translated[0]} (star red)", f"a circle -> {translated[1]} (circle)"]
    assert shown["translations"] == lines
    assert shown["attention"].dtype == np.uint8 and shown["attention"].shape[-1] == 3
    weights, columns, written = a_model().attention("a red star")
    assert weights.shape == (len(written), len(columns)) and columns[-1] == "</s>"


# Measures -------------------------------------------------------------------------------------------------------


class Parrot:
    """Translates what it was told, and is sure of it."""

    def __init__(self, answers):
        self.answers = answers

    def translate(self, texts, direction):
        return [self.answers[text] for text in texts]

    def peakiness(self, sources, targets, seed):
        return 0.0, 1.0


def test_measures_of_texts():
    pairs = dict(embedded.numbers_and_dates((40,))[0])
    source = kg.data.Source.of({"source": list(pairs), "target": list(pairs.values())})
    evaluation = evaluation_of(kg.schemes.AdversarialNMT, source)
    assert isinstance(evaluation, SentenceEvaluation)
    right = {score.name: score for score in evaluation.of(Parrot(pairs))}
    assert {name: score.value for name, score in right.items()} == pytest.approx(
        {"bleu": 100.0, "chrf": 100.0, "exact_match": 1.0, "entropy": 0.0, "likeliest_share": 1.0}
    )
    assert right["bleu"].protocol.split == "half of train" and right["bleu"].protocol.samples == 20
    signature = dict(right["bleu"].protocol.settings)["signature"]
    assert "tok:13a" in signature and "smooth:exp" in signature and "nrefs:1" in signature
    wrong = pairs | dict.fromkeys(list(pairs)[:20], "zero")
    worse = {score.name: score for score in evaluation.of(Parrot(wrong))}
    exact = np.mean([wrong[text] == pairs[text] for text in evaluation._held[0]])
    assert worse["exact_match"].value == pytest.approx(exact)
    assert worse["bleu"].value < 90 and worse["bleu"].standard_error > 0


def test_the_paired_bootstrap_is_sacrebleus():
    pairs = dict(embedded.numbers_and_dates((240,))[0])
    source = kg.data.Source.of({"source": list(pairs), "target": list(pairs.values())})
    evaluation = evaluation_of(kg.schemes.AdversarialNMT, source)
    sources, references, _ = evaluation._held
    worse, much_worse = ([words if place % n else "zero" for place, words in enumerate(references)] for n in (9, 7))
    found = {each.name: each for each in evaluation.compare(worse, much_worse)}
    assert list(found) == ["bleu", "chrf", "exact_match"]
    test = PairedTest(
        [("other", much_worse), ("this", worse)], {"bleu": BLEU(), "chrf": CHRF()}, [references], "bs", n_samples=1000
    )
    for name, (other, this) in test()[1].items():
        if name != "System":
            each = found[name.lower().replace("chrf2", "chrf")]
            assert (each.value, each.other) == pytest.approx((this.score, other.score))
            assert each.p_value == pytest.approx(this.p_value, abs=0.06)
    for each in found.values():
        assert each.difference == each.value - each.other > 0 and each.interval[0] < each.difference < each.interval[1]
    same = evaluation.compare(worse, worse)
    assert all(each.difference == 0 and each.interval == (0, 0) and each.p_value == 1 for each in same)
    clearly = evaluation.compare(references, ["zero"] * len(references))
    assert all(each.interval[0] > 0 and each.p_value < 0.01 for each in clearly)
    with pytest.raises(UserError, match="120 held-out sentences. Received translations of 1 and 120"):
        evaluation.compare(["zero"], references)


def test_a_policy_that_is_sure_has_no_entropy():
    model = small_model("adversarial_nmt")
    entropy, share = model.peakiness(["a red star"] * 70, ["a star"] * 70)
    assert 0.8 * np.log(32) < entropy <= np.log(model.generator.target_size) and share < 0.2
    for variable in model.generator.vocabulary.weights:
        variable.assign(variable * 0)
    model.generator.vocabulary.bias.assign(tf.one_hot(END, model.generator.target_size) * 50.0)
    assert model.peakiness(["a red star"] * 70, ["a star"] * 70) == pytest.approx((0.0, 1.0), abs=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": ["blue"]}, "Unknown metric of texts 'blue'. Did you mean 'bleu'"),
        ({"extractor": "digits"}, "without an extractor"),
        ({"samples": 3}, "from 10"),
    ],
)
def test_what_cannot_be_measured(options, message):
    source = kg.data.Source.of({"source": ["a"] * 20, "target": ["b"] * 20})
    with pytest.raises(UserError, match=message):
        evaluation_of(kg.schemes.AdversarialNMT, source, **options)


# By command -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A user's folder: two aligned files and a short run on them."""
    folder = tmp_path_factory.mktemp("user")
    pairs = embedded.numbers_and_dates((40,))[0]
    for side, name in enumerate(("digits", "words")):
        (folder / f"{name}.txt").write_text("".join(f"{pair[side]}\n" for pair in pairs), encoding="utf-8")
    code, _, errors = run_here(
        "train", "adversarial_nmt", "--data", "digits.txt = words.txt", "--steps", "4", *SMALL, cwd=folder
    )
    assert code == 0, errors
    return folder


def translate(folder, *arguments):
    code, output, errors = run_here("translate", *map(str, arguments), cwd=folder)
    assert "Traceback" not in errors
    return code, output, unwrapped(errors)


def the_model(folder):
    return run_directory.load_run(sorted((folder / "runs").glob("0*"))[0])


def test_the_vocabularies_are_the_datas(folder):
    model = the_model(folder)
    assert set("0123456789-") < set(model.source_vocabulary) and "▁thousand" in model.target_vocabulary
    assert model.phase.name == "adversarial" and model.steps_taken == 4


def test_a_sentence_is_translated_and_nothing_else_is_printed(folder):
    for method in ("greedy", "beam"):
        code, output, errors = translate(folder, "latest", "1987-07-23 512", "--method", method)
        assert code == 0, errors
        assert output.rstrip("\n") == the_model(folder).translate(["1987-07-23 512"], method=method)[0]


def test_a_file_is_translated_line_by_line(folder, tmp_path):
    lines = ["512", "", "1987-07-23", "7 apples"]
    (tmp_path / "in.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    code, output, errors = translate(folder, "latest", tmp_path / "in.txt", tmp_path / "out.txt")
    assert code == 0, errors
    assert "3 of 4 lines translated source to target" in unwrapped(output) and "1 empty lines stay" in unwrapped(output)
    assert "Line 4: no training sentence had 'a', 'p'" in unwrapped(output)
    made = (tmp_path / "out.txt").read_text(encoding="utf-8").split("\n")
    assert made == [*the_model(folder).translate(lines), ""]
    code, _, errors = translate(folder, "latest", tmp_path / "in.txt", tmp_path / "out.txt")
    assert code == 2 and "--overwrite" in errors


def test_mistakes_are_named(folder, tmp_path):
    (tmp_path / "latin.txt").write_bytes("Straße\n".encode("latin1"))
    (tmp_path / "empty.txt").write_text("\n\n")
    for arguments, message in (
        (("",), "the sentence is empty"),
        (("  ",), "the sentence is empty"),
        (("1\n2",), "A sentence is one line. Received 2"),
        (("digits.txt",), "digits.txt is a file: name an OUTPUT"),
        (("digit.txt", "out.txt"), "There is no digit.txt"),
        (("digits.txt", "digits.txt"), "take the place of their originals"),
        ((tmp_path / "latin.txt", tmp_path / "out.txt"), "is not UTF-8 (byte 4"),
        ((tmp_path / "empty.txt", tmp_path / "out.txt"), "There is no sentence in"),
        (("512", "--direction", "a_to_b"), "Unknown direction 'a_to_b'. Known: source_to_target"),
        (("512", "--method", "beem"), "Unknown method 'beem'. Did you mean 'beam'"),
    ):
        code, _, errors = translate(folder, "latest", *arguments)
        assert code == 2 and message in errors, (arguments, errors)
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.slow
def test_a_sentence_may_be_longer_than_any_path(folder):
    text = " ".join(["1987-07-23"] * 30)
    code, output, errors = translate(folder, "latest", text)
    assert code == 0 and "tokens long, and no training sentence had more" in errors
    assert output.rstrip("\n") == the_model(folder).translate([text])[0]
    code, _, errors = translate(folder, "latest", text, "out.txt")
    assert code == 2 and "a file of sentences where there is an OUTPUT. There is no 1987-07-23" in errors


def test_a_file_of_another_system_is_translated_line_by_line(folder, tmp_path):
    lines = ["512", "1987-07-23\u20285", ""]
    (tmp_path / "in.txt").write_bytes("".join(f"{line}\r\n" for line in lines).encode("utf-8-sig"))
    code, _, errors = translate(folder, "latest", tmp_path / "in.txt", tmp_path / "out.txt")
    assert code == 0, errors
    made = (tmp_path / "out.txt").read_text(encoding="utf-8").split("\n")
    assert made == [*the_model(folder).translate(["512", "1987-07-23 5", ""]), ""]


# What a file of words may be, and what is said of it.
ODD_FILES = {
    "shorter": (b"one\n" * 3, "digits.txt has 40 lines and words.txt 3"),
    "empty": (b"", "digits.txt has 40 lines and words.txt 0"),
    "with holes": (b"one\n" * 38 + b"\n \n", "2 of 40 lines are empty in digits.txt or words.txt (line 39, 40)"),
    "in UTF-16": (("one\n" * 40).encode("utf-16"), "words.txt is not UTF-8 (byte 0: b'\\xff'). Convert it"),
    "in Latin-1": (("größer\n" * 40).encode("latin1"), "words.txt is not UTF-8 (byte 2: b'\\xf6'). Convert it"),
    "gone": (None, "There is no words.txt"),
}


@pytest.mark.parametrize("kind", ODD_FILES)
def test_files_that_do_not_fit_are_refused_in_a_line(folder, tmp_path, kind):
    content, message = ODD_FILES[kind]
    user = shutil.copytree(folder, tmp_path / "user")
    (user / "words.txt").unlink()
    if content is not None:
        (user / "words.txt").write_bytes(content)
    runs = sorted((user / "runs").iterdir())
    for command in (("train", "adversarial_nmt", "--data", "digits.txt = words.txt", *SMALL), ("evaluate", "latest")):
        code, _, errors = run_here(*command, cwd=user)
        assert code == 2 and message in unwrapped(errors) and "Traceback" not in errors
    assert sorted((user / "runs").iterdir()) == runs


@pytest.mark.slow
def test_a_run_is_measured_by_command(folder):
    code, output, errors = run_here("evaluate", "latest", "--metrics", "bleu,exact_match,entropy", cwd=folder)
    assert code == 0, errors
    assert "bleu" in output and "held out of train" in unwrapped(output)
    code, output, errors = run_here("evaluate", "latest", "--metrics", "bleu", "--against", "latest", cwd=folder)
    assert code == 0, errors
    assert "A paired bootstrap over the sentences" in unwrapped(output)
    written = json.loads((sorted((folder / "runs").glob("0*"))[0] / "evaluation.json").read_text())
    (compared,) = written["against"]["figures"]
    assert compared["name"] == "bleu" and compared["difference"] == 0


@pytest.mark.slow
def test_the_exported_model_takes_and_gives_strings(folder, tmp_path):
    model = the_model(folder)
    model.export(tmp_path / "exported", verbose=False)
    served = tf.saved_model.load(tmp_path / "exported").signatures
    texts = ["1987-07-23 512", "", "7", "漢"]
    methods = {"serving_default": "greedy", "translate_text": "greedy", "translate_text_beam": "beam"}
    for signature, method in methods.items():
        answer = served[signature](text=tf.constant(texts))["text"].numpy()
        assert [text.decode() for text in answer] == model.translate(texts, method=method)
    tokens = served["translate_tokens"](tokens=tf.constant([model.source_subwords.tokens("7")]))["tokens"]
    assert tokens.shape == (1, model.max_length)


@pytest.mark.slow
def test_tflite_translates_tokens_where_its_operations_allow(tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    model = small_model("adversarial_nmt")
    report = export_model(model, tmp_path / "transformer", tflite_batch_sizes=(1, 4))
    folder = Path(report["path"])
    # XNNPACK, LiteRT's own kernels, may write other tokens where a state grows: such a file is none to publish.
    why = report.get("left_out_of_tflite", {}).get("translator")
    assert (why is None) == ("tflite_translator" in report) == (folder / "tflite").exists()
    assert (folder / "source_vocabulary.txt").read_text("utf-8").split("\n")[:-1] == [*model.source_vocabulary]
    assert (folder / "target_vocabulary.txt").read_text("utf-8").split("\n")[:-1] == [*model.target_vocabulary]
    if why is not None:
        assert "the model's label to" in why and any(why in warning for warning in report["warnings"])
        return
    assert list(report["tflite_translator"]) == ["float32"]
    file = Interpreter(model_path=str(folder / "tflite" / "translator_float32.tflite"))
    tokens = model.source_subwords.encode(tf.constant(["a red star", "a", "the blue circle", "near"])).numpy()
    expected = model.endpoints()["translate_tokens"][0](tf.constant(tokens))["tokens"]
    np.testing.assert_array_equal(file.get_signature_runner("batch_4")(tokens=tokens)["tokens"], expected)
    alone = file.get_signature_runner("serving_default")(tokens=tokens[1:2, :3])["tokens"]
    np.testing.assert_array_equal(alone, expected[1:2])


@pytest.mark.slow
def test_tflite_has_no_gru(tmp_path):
    said, rnn = [], small_model("adversarial_nmt", generator={"name": "rnn_search", "units": 4})
    report = export_model(rnn, tmp_path / "rnn", progress=said.append)
    assert "tflite_translator" not in report and not (Path(report["path"]) / "tflite").exists()
    assert any("no TFLite file of translate_tokens: Keras's GRU" in line for line in said)


@pytest.mark.slow
def test_a_published_version_holds_the_vocabularies(tmp_path):
    model = small_model("adversarial_nmt")
    folder = Path(export_model(model, tmp_path)["path"])
    for side, pieces in (("source", model.source_vocabulary), ("target", model.target_vocabulary)):
        assert (folder / f"{side}_vocabulary.txt").read_text("utf-8").split("\n") == [*pieces, ""]
    tokens = model.source_subwords.encode(tf.constant(["a red star", "a"]))
    served = tf.saved_model.load(folder).signatures["translate_tokens"](tokens=tokens)["tokens"]
    np.testing.assert_array_equal(served, model.endpoints()["translate_tokens"][0](tokens)["tokens"])


# Building -------------------------------------------------------------------------------------------------------


def test_networks_that_do_not_fit_are_refused():
    recipe = recipe_for("adversarial_nmt")
    fields = {
        "source": Texts(vocabulary=a_model().source_vocabulary),
        "target": Texts(vocabulary=a_model().target_vocabulary),
    }
    model = build_model(recipe, fields)
    with pytest.raises(UserError, match="The generator knows 40 source tokens. Received a source_vocabulary of 34"):
        kg.schemes.AdversarialNMT(model.generator, model.discriminator, *[model.target_vocabulary] * 2)
    wide = kg.networks.pair_grid_discriminator(40, 34, length=10, embedding_units=None, translator_units=5)
    with pytest.raises(UserError, match="the generator's vectors, of 12 numbers. Received one that takes"):
        kg.schemes.AdversarialNMT(model.generator, wide, model.source_vocabulary, model.target_vocabulary)
    free = keras.Model(*[inputs := [keras.Input((None,)), keras.Input((None,))], inputs[0]])
    with pytest.raises(UserError, match="of one fixed length"):
        kg.schemes.AdversarialNMT(model.generator, free, model.source_vocabulary, model.target_vocabulary)


def test_whoever_imports_schemes_can_load_a_file():
    # `keras_gans.schemes` imports the layers, and no networks.
    for scheme in (a_model(), small_model("adversarial_nmt", generator={"name": "rnn_search", "units": 4})):
        layers = [each for role in scheme.network_names() for each in layers_of(getattr(scheme, role))]
        assert {type(each).__module__.split(".")[0] for each in layers} == {"keras", "keras_gans"}
        own = {type(each).__module__ for each in layers if type(each).__module__.startswith("keras_gans")}
        assert all(module.startswith("keras_gans.layers") for module in own)


def test_the_vocabulary_size_is_a_setting_of_the_recipe():
    texts = {"source": Texts(("a b c a b",)), "target": Texts((("x y", "z"),))}
    fields = kg.schemes.AdversarialNMT.read_data(texts, {"vocabulary_size": 12})
    assert len(fields["source"].vocabulary) <= 12 and {"x", "z"} <= {*fields["target"].vocabulary}
    assert kg.schemes.AdversarialNMT.read_data(fields, {}) == fields, "one that is there is kept"
    assert named("adversarial_nmt").tokenizer == {"vocabulary_size": 160}
    with pytest.raises(UserError, match="only option is vocabulary_size. Received: 'level'"):
        kg.schemes.AdversarialNMT.read_data(texts, {"level": "word"})
