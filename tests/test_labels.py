"""Labels on their whole way: drawn, checked, masked, sampled by and served with."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.engine.replicas import batch_mean, masked_mean
from keras_gans.errors import UserError
from tests.small import BATCH, batch_for, images, small_model


def step_of(model):
    model.train_step(tf.nest.map_structure(tf.constant, batch_for(model, BATCH * model.batches_per_step())))


def recorded(model, name, monkeypatch):
    """The arguments of each call of a method."""
    calls, original = [], getattr(model, name)
    monkeypatch.setattr(model, name, lambda *args: calls.append(args) or original(*args))
    return calls


# Which label goes with which sample ------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["cgan", "acgan"])
def test_real_samples_keep_their_labels_and_fakes_the_one_they_were_made_for(scheme, monkeypatch):
    model = small_model(scheme, rate=0.0)
    made = []
    generator = model.generator

    def spy(inputs, training):
        made.append(inputs[1].numpy())
        return generator(inputs, training=training)

    monkeypatch.setattr(model, "generate", lambda rows: _generate(model, spy, rows))
    discriminator = recorded(model, "discriminator_loss", monkeypatch)
    generated = recorded(model, "generator_loss", monkeypatch)
    real, labels = batch_for(model, BATCH)
    model.train_step((tf.constant(real), tf.constant(labels)))
    (seen, seen_labels, _, fake_labels), (_, generator_labels) = discriminator[0], generated[0]
    np.testing.assert_array_equal(seen, real)
    np.testing.assert_array_equal(seen_labels, labels)
    np.testing.assert_array_equal(fake_labels, made[0])
    np.testing.assert_array_equal(generator_labels, made[1])
    assert not np.array_equal(fake_labels, labels), "the fakes' labels are copied from the real batch"
    assert not np.array_equal(fake_labels, generator_labels), "the generator's step draws no labels of its own"


def _generate(model, generator, rows):
    labels = model.draw_labels(rows)
    return generator([model.latents(rows), labels], training=True), labels


def test_cgan_scores_pair_each_sample_with_its_label(monkeypatch):
    model = small_model("cgan")
    calls = []
    monkeypatch.setattr(model, "score", lambda inputs: calls.append(inputs) or tf.zeros((len(inputs[0]), 1)))
    real, fake = tf.constant(images(2, seed=1)), tf.constant(images(2, seed=2))
    model.discriminator_loss(real, tf.constant([0, 1]), fake, tf.constant([2, 0]))
    (first, first_labels), (second, second_labels) = calls
    np.testing.assert_array_equal(first, real)
    np.testing.assert_array_equal(second, fake)
    assert first_labels.numpy().tolist() == [0, 1] and second_labels.numpy().tolist() == [2, 0]


def test_a_discriminator_that_may_see_both_at_once_scores_them_as_if_apart():
    classes = {"class_count": 3, "conditioning": "concat"}
    model = kg.schemes.CGAN(
        kg.networks.mlp_generator((8, 8, 1), 6, **classes),
        kg.networks.mlp_discriminator((8, 8, 1), **classes),
        class_count=3,
    )
    real, fake = tf.constant(images(4, seed=1)), tf.constant(images(4, seed=2))
    real_labels, fake_labels = tf.constant([0, 1, 2, 0], tf.int64), tf.constant([2, 2, 1, 1], tf.int64)
    together = model.scores([real, real_labels], [fake, fake_labels])
    np.testing.assert_allclose(together[0], model.score([real, real_labels]), atol=1e-6)
    np.testing.assert_allclose(together[1], model.score([fake, fake_labels]), atol=1e-6)


def test_training_labels_follow_the_prior():
    model = small_model("cgan")
    drawn = np.concatenate([model.draw_labels(4000).numpy()])
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 4000, [0.25, 0.25, 0.5], atol=0.03)


# ACGAN's two terms ------------------------------------------------------------------------------------------------


def zeros(model, monkeypatch, *shapes):
    outputs = lambda inputs, training: [tf.zeros((len(inputs), *shape)) for shape in shapes]  # noqa: E731
    monkeypatch.setattr(model, "discriminator", outputs)


def test_acgan_adds_the_class_loss_of_real_and_of_generated_samples_to_both_players(monkeypatch):
    model = small_model("acgan")
    zeros(model, monkeypatch, (1,), (10,))
    samples, labels = tf.zeros((4, 8, 8, 1)), tf.constant([0, 3, 9, 5], tf.int64)
    loss, _ = model.discriminator_loss(samples, labels, samples, labels)
    # 2 log 2 of the source, log 10 of each class term; without the fakes' it would be 3.689.
    assert float(loss) == pytest.approx(2 * np.log(2) + 2 * np.log(10), abs=1e-4)
    assert float(loss) == pytest.approx(5.9915, abs=1e-4)
    assert float(model.generator_loss(samples, labels)[0]) == pytest.approx(2.9957, abs=1e-4)


# SGAN's masks -----------------------------------------------------------------------------------------------------


def sgan(objective, classes=10, generator_objective="adversarial"):
    head = "classes_and_fake" if objective == "odena" else "classes"
    return kg.schemes.SGAN(
        kg.networks.mlp_generator((8, 8, 1), 6),
        kg.networks.mlp_discriminator((8, 8, 1), class_count=classes, head=head),
        class_count=classes,
        objective=objective,
        generator_objective=generator_objective,
    )


@pytest.mark.parametrize(
    ("objective", "logits", "supervised", "real", "fake", "weight"),
    [("odena", 11, 2.3979, 0.0953, 2.3979, 1.0), ("salimans", 10, 2.3026, 0.0953, 2.3979, 0.5)],
)
def test_sgan_at_equal_logits(objective, logits, supervised, real, fake, weight, monkeypatch):
    model = sgan(objective)
    zeros(model, monkeypatch, (logits,), (4,))
    rows, labels = tf.zeros((4, 8, 8, 1)), tf.constant([7, -1, 2, -1], tf.int64)
    loss, logs = model.discriminator_loss(rows, labels, rows)
    assert float(logs["supervised_loss"]) == pytest.approx(supervised, abs=1e-4)
    assert float(loss) == pytest.approx(supervised + weight * (real + fake), abs=2e-4)
    assert float(logs["real_probability"]) == pytest.approx(10 / 11, abs=1e-4)
    assert float(logs["fake_probability"]) == pytest.approx(10 / 11, abs=1e-4)
    generator_loss, _ = model.generator_loss(rows, rows, labels)
    assert float(generator_loss) == pytest.approx(real, abs=1e-4)
    model.adversarial_weight = 0.25
    loss, _ = model.discriminator_loss(rows, labels, rows)
    assert float(loss) == pytest.approx(supervised + 0.25 * weight * (real + fake), abs=2e-4)


def test_all_but_the_gan_never_hears_of_generated_samples(monkeypatch):
    """Consistency still reads unlabelled rows, so that what the GAN adds is all that differs."""
    model = small_model("sgan_mnist")
    model.adversarial_weight = 0.0
    logits = tf.constant([[0.0, 5.0, 0.0], [9.0, 0.0, 0.0], [50.0, -50.0, 3.0]])
    passes = iter([logits[:2], logits[2:], logits[1::-1]])
    monkeypatch.setattr(model, "discriminator", lambda inputs, training: [next(passes), tf.zeros((2, 1))])
    loss, logs = model.discriminator_loss(
        tf.zeros((2, 8, 8, 1)), tf.constant([1, -1], tf.int64), tf.zeros((1, 8, 8, 1))
    )
    assert float(logs["disagreement"]) > 0.1
    expected = float(logs["supervised_loss"]) + model.consistency_weight * float(logs["disagreement"])
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_a_row_without_a_label_enters_no_class(monkeypatch):
    model = sgan("odena", classes=3)
    logits = tf.constant([[0.0, 5.0, 0.0, 0.0], [9.0, 0.0, 0.0, 0.0]])
    monkeypatch.setattr(model, "discriminator", lambda inputs, training: [logits[: len(inputs)], tf.zeros((2, 1))])
    rows = tf.zeros((2, 8, 8, 1))
    _, logs = model.discriminator_loss(rows, tf.constant([1, -1], tf.int64), rows)
    # Were -1 taken for class 0 or for the last class, the second row would enter.
    assert float(logs["supervised_loss"]) == pytest.approx(np.log(np.exp(5) + 3) - 5, abs=1e-4)
    assert float(logs["labelled_accuracy"]) == 1.0


def test_large_logits_stay_finite(monkeypatch):
    model = sgan("salimans", classes=3)
    logits = tf.constant([[900.0, -900.0, 0.0], [-900.0, -900.0, -900.0]])
    monkeypatch.setattr(model, "discriminator", lambda inputs, training: [logits, tf.zeros((2, 1))])
    rows = tf.zeros((2, 8, 8, 1))
    loss, _ = model.discriminator_loss(rows, tf.constant([0, -1], tf.int64), rows)
    # By hand: labelled right, 0; the unlabelled real row -log(Z / (Z + 1)) = 900 - log 3; fakes (900 + 0) / 2.
    assert float(loss) == pytest.approx(0 + 0.5 * (900 - np.log(3)) + 0.5 * 450, rel=1e-5)


def test_consistency_is_the_squared_distance_of_two_passes_over_the_real_samples(monkeypatch):
    model = small_model("sgan_mnist")
    assert model.consistency_weight == 10.0
    passes = iter([[0.0, 0.0, np.log(2.0)], [0.0, 0.0, 0.0], [np.log(2.0), 0.0, 0.0]])
    seen = []

    def discriminator(inputs, training):
        seen.append(float(inputs[0, 0, 0, 0]))
        return [tf.constant([next(passes)] * 2, tf.float32), tf.zeros((2, 1))]

    monkeypatch.setattr(model, "discriminator", discriminator)
    real, fake = tf.zeros((2, 8, 8, 1)), tf.ones((2, 8, 8, 1))
    loss, logs = model.discriminator_loss(real, tf.constant([2, -1], tf.int64), fake)
    assert seen == [0.0, 1.0, 0.0]
    # (1/4, 1/4, 1/2) against (1/2, 1/4, 1/4).
    assert float(logs["disagreement"]) == pytest.approx(2 / 16)
    # log 2 of the labelled row; 1/2 of -log(4 / 5) of the unlabelled one and of log 4 of the fakes.
    rest = np.log(2) + 0.5 * (np.log(5 / 4) + np.log(4))
    assert float(loss) == pytest.approx(rest + 10 * 2 / 16, rel=1e-5)


def test_two_passes_differ_in_training_by_the_random_layers():
    model = small_model("sgan_mnist")
    _, logs = model.discriminator_loss(tf.constant(images(8)), tf.constant([0, -1] * 4, tf.int64), images(8, seed=1))
    assert float(logs["disagreement"]) > 1e-4


def test_consistency_of_a_discriminator_without_randomness_is_refused():
    with pytest.raises(UserError, match="no random layer"):
        kg.schemes.SGAN(
            kg.networks.mlp_generator((8, 8, 1), 6),
            kg.networks.mlp_discriminator((8, 8, 1), class_count=3, head="classes"),
            class_count=3,
            consistency_weight=1.0,
        )


def test_feature_matching_compares_mean_activations_of_unlabelled_rows(monkeypatch):
    model = sgan("salimans", classes=3, generator_objective="feature_matching")
    features = {0.0: [[1.0, 1.0], [9.0, 9.0]], 1.0: [[4.0, 3.0], [2.0, 1.0]]}

    def discriminator(inputs, training):
        return [tf.zeros((2, 3)), tf.constant(features[float(inputs[0, 0, 0, 0])])]

    monkeypatch.setattr(model, "discriminator", discriminator)
    real, fake = tf.zeros((2, 8, 8, 1)), tf.ones((2, 8, 8, 1))
    loss, _ = model.generator_loss(fake, real, tf.constant([-1, 0], tf.int64))
    assert float(loss) == (1 - 3) ** 2 + (1 - 2) ** 2


def test_feature_matching_compares_with_a_batch_that_the_discriminator_has_not_just_seen(monkeypatch):
    model = small_model("sgan", rate=0.0)
    assert model.generator_objective == "feature_matching" and model.batches_per_step() == 2
    discriminator = recorded(model, "discriminator_loss", monkeypatch)
    generator = recorded(model, "generator_loss", monkeypatch)
    step_of(model)
    seen, compared = discriminator[0][0].numpy(), generator[0][1].numpy()
    assert seen.shape == compared.shape == (BATCH, 8, 8, 1)
    assert not {row.tobytes() for row in seen} & {row.tobytes() for row in compared}


def test_a_masked_mean_counts_the_rows_of_all_replicas(two_replicas):
    values, mask = [[1.0, 3.0], [5.0, 7.0]], [[True, True], [True, False]]
    rows = [[[2.0], [4.0]], [[6.0], [9.0]]]

    def on_replica(index):
        index = int(index)
        weights = tf.cast(mask[index], tf.float32)
        return masked_mean(tf.constant(values[index]), tf.constant(mask[index])), batch_mean(
            tf.constant(rows[index]), weights
        )

    def run():
        return on_replica(tf.distribute.get_replica_context().replica_id_in_sync_group)

    parts, means = (two_replicas.experimental_local_results(value) for value in two_replicas.run(run))
    assert np.mean([float(part) for part in parts]) == pytest.approx((1 + 3 + 5) / 3)
    assert [float(mean[0]) for mean in means] == pytest.approx([4.0, 4.0])
    assert float(masked_mean(tf.constant([1.0]), tf.constant([False]))) == 0.0


# Data -------------------------------------------------------------------------------------------------------------


def source(count=60, classes=3):
    labels = np.arange(count) % classes
    return kg.data.open_source((np.repeat(np.arange(count, dtype=np.uint8), 64).reshape(count, 8, 8, 1), labels))


def test_the_labelled_subset_is_stratified_and_a_function_of_the_seed():
    few = kg.data.labelled_subset(source(), 4, seed=3)
    assert np.bincount(few.labels).tolist() == [4, 4, 4]
    numbers = few.samples[:, 0, 0, 0]
    assert len(set(numbers.tolist())) == 12 and (numbers % 3 == few.labels).all()
    np.testing.assert_array_equal(numbers, kg.data.labelled_subset(source(), 4, seed=3).samples[:, 0, 0, 0])
    assert not np.array_equal(numbers, kg.data.labelled_subset(source(), 4, seed=4).samples[:, 0, 0, 0])


def test_a_labelled_subset_may_be_uneven_by_one():
    few = kg.data.labelled_subset(source(), 7 / 3, seed=3)
    assert sorted(np.bincount(few.labels).tolist()) == [2, 2, 3]


def test_half_of_a_semi_supervised_batch_has_labels_and_the_rest_is_everything():
    few = set(kg.data.labelled_subset(source(), 2, seed=0).samples[:, 0, 0, 0].tolist())
    dataset = kg.data.to_semi_supervised_dataset(source(), labels_per_class=2, batch_size=8)
    labelled, unlabelled = [], []
    for rows, labels in dataset.take(30):
        numbers = np.rint((rows[:, 0, 0, 0].numpy() + 1) * 127.5).astype(int)
        has_label = labels.numpy() >= 0
        assert has_label.tolist() == [True, False] * 4
        assert (numbers[has_label] % 3 == labels.numpy()[has_label]).all()
        labelled += numbers[has_label].tolist()
        unlabelled += numbers[~has_label].tolist()
    assert set(labelled) == few
    assert np.bincount(unlabelled, minlength=60).tolist() == [2] * 60, "every item once in each epoch"


def test_semi_supervised_batches_go_on_where_they_stopped():
    options = {"labels_per_class": 2, "batch_size": 8, "seed": 5}
    whole = list(kg.data.to_semi_supervised_dataset(source(), **options).take(7))
    rest = list(kg.data.to_semi_supervised_dataset(source(), **options, skip_batches=4).take(3))
    for (images_a, labels_a), (images_b, labels_b) in zip(whole[4:], rest, strict=True):
        np.testing.assert_array_equal(images_a, images_b)
        np.testing.assert_array_equal(labels_a, labels_b)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels_per_class": 21}, "20 items of class '0'.*labels_per_class=21"),
        ({"labels_per_class": 0}, "number from 1.*Received: 0"),
        ({"labels_per_class": 2.5}, "Received: 2.5, which makes 7.5; 2.66667 makes 8"),
        ({"labels_per_class": 2, "batch_size": 7}, "even number. Received: 7"),
    ],
)
def test_semi_supervised_mistakes_are_named(options, message):
    with pytest.raises(UserError, match=message):
        kg.data.to_semi_supervised_dataset(source(), **options)


# Mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "trains on labels, and fit.. received none"),
        (np.arange(16) % 4, "from 0 to 2. Received: . to 3"),
        (np.full(16, -1), "from 0 to 2. Received: -1 to -1"),
        (np.zeros(16), "integers of shape .batch,.. Received: float64"),
        (np.zeros((16, 3), int), r"Received: int64 of shape \(8, 3\)"),
    ],
)
def test_fit_refuses_labels_that_are_no_classes(labels, message):
    model = small_model("cgan")
    with pytest.raises(UserError, match=message):
        model.fit(images(16), labels, batch_size=8, verbose=0)
    assert model.steps_taken == 0


def test_sgan_says_when_nothing_is_unlabelled():
    with pytest.raises(UserError, match="only labelled rows.*objective='odena'"):
        small_model("sgan").fit(images(16), np.arange(16) % 3, batch_size=8, verbose=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kg.networks.dcgan_generator((8, 8, 1), conditioning="concat"), "'concat' needs class_count"),
        (lambda: kg.networks.mlp_discriminator((8, 8, 1), class_count=3), "has no effect by itself"),
        (lambda: kg.networks.mlp_discriminator((8, 8, 1), class_count=3, head="clases"), "Did you mean 'classes'"),
        (lambda: kg.networks.dcgan_generator((8, 8, 1), class_count=3, conditioning="project"), "'projection'"),
        (
            lambda: kg.networks.mlp_discriminator((8, 8, 1), class_count=3, head="auxiliary", conditioning="concat"),
            "must not see it",
        ),
        (lambda: kg.networks.mlp_generator((2,), class_count=3, conditioning="projection"), "through batch norm"),
        (lambda: kg.schemes.CGAN(*unconditional(), class_count=3), "generator takes .latents, labels."),
        (lambda: kg.schemes.ACGAN(*unconditional(3), class_count=3), "ends in a score and 3 class logits"),
        (lambda: kg.schemes.CGAN(*unconditional(3), class_count=3), "discriminator takes .samples, labels."),
        (lambda: kg.schemes.SGAN(*unconditional(), class_count=3), "head='classes'"),
        (lambda: kg.schemes.SGAN(*unconditional(), class_count=3, objective="odenna"), "Did you mean 'odena'"),
        (lambda: sgan("odena", classes=1), "class_count, 2 or more"),
    ],
)
def test_mistakes_are_named_at_construction(make, message):
    with pytest.raises(UserError, match=message):
        make()


def unconditional(classes=None):
    given = {} if classes is None else {"class_count": classes, "conditioning": "concat"}
    return kg.networks.mlp_generator((8, 8, 1), 6, **given), kg.networks.mlp_discriminator((8, 8, 1))


# Sampling ---------------------------------------------------------------------------------------------------------


def test_samples_by_label_name_and_number_agree_and_differ_between_classes():
    model = small_model("cgan")
    np.testing.assert_array_equal(model.sample(4, labels=1), model.sample(4, labels="bee"))
    np.testing.assert_array_equal(model.sample(2, labels=["cat", 0]), model.sample(2, labels=[2, 0]))
    assert not np.array_equal(model.sample(4, labels=0), model.sample(4, labels=1))


def test_without_labels_the_classes_come_in_the_priors_proportion():
    model = small_model("cgan")
    (labels,) = model.sampled_labels(np.arange(100, 500, dtype=np.int64), None)
    np.testing.assert_allclose(np.bincount(labels) / 400, [0.25, 0.25, 0.5], atol=0.01)
    # A function of the seed alone.
    np.testing.assert_array_equal(labels[7:], model.sampled_labels(np.arange(107, 500, dtype=np.int64), None)[0])


@pytest.mark.parametrize(("classes", "shape"), [(1, (8, 8)), (2, (8, 8)), (3, (7, 9)), (10, (6, 10)), (70, (1, 64))])
def test_a_picture_has_every_class_in_columns_and_is_as_square_as_that_allows(classes, shape, monkeypatch):
    model, shown = small_model("cgan"), []
    monkeypatch.setattr(model, "class_count", classes)
    monkeypatch.setattr(model, "sample", lambda count, seed, labels: shown.append(labels) or np.zeros((count, 8, 8, 1)))
    model.shows(None, 64)
    rows = shown[0].reshape(shape)
    assert (rows == rows[0]).all() and (np.diff(rows[0]) >= 0).all()
    assert set(rows[0]) == set(range(min(classes, 64)))


@pytest.mark.parametrize(
    ("labels", "message"),
    [("bea", "Did you mean 'bee'"), (3, "0 to 2.*Received: 3"), (-1, "Received: -1"), (1.5, "Received: 1.5")],
)
def test_unknown_classes_are_refused(labels, message):
    with pytest.raises(UserError, match=message):
        small_model("cgan").sample(2, labels=labels)


def test_an_unconditional_model_refuses_labels():
    with pytest.raises(UserError, match="not conditional.*labels=7.*cgan, acgan"):
        small_model("dcgan").sample(2, labels=7)


def test_the_exported_graph_answers_an_unknown_label_as_invalid(tmp_path):
    model = small_model("acgan")
    model.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved").signatures["sample"]
    answer = served(seed=tf.constant([0, 1], tf.int64), label=tf.constant([3, 1], tf.int64))
    assert answer["valid"].numpy().tolist() == [False, True]
    np.testing.assert_array_equal(answer["image"][1], model.sample(1, seed=1, labels=1)[0])


@pytest.mark.parametrize("scheme", ["sgan", "semi_supervised_aae"])
def test_a_classifier_is_served_with_the_names(scheme, tmp_path):
    model = small_model(scheme)
    step_of(model)
    model.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved").signatures["classify"]
    answer = served(image=tf.constant(images(5)))
    probabilities = model.classify(images(5))
    np.testing.assert_allclose(answer["probabilities"], probabilities, atol=1e-6)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
    names = [model.class_names[label].encode() for label in probabilities.argmax(axis=1)]
    assert answer["name"].numpy().tolist() == names


@pytest.mark.parametrize("scheme", ["sgan", "semi_supervised_aae"])
def test_images_are_classified_as_they_are_drawn(scheme):
    """`sample` gives uint8, which is not to be taken for floats."""
    model = small_model(scheme)
    drawn = model.sample(5)
    floats = drawn.astype("float32") / 127.5 - 1.0
    np.testing.assert_allclose(model.classify(drawn), model.classify(floats), atol=1e-6)
    assert model.classify(drawn[:0]).shape == (0, model.class_count)
    for wrong, message in ((floats[:, :5], "of shape"), (floats * 100, r"in \[-1, 1\]"), (floats * np.nan, "NaN")):
        with pytest.raises(UserError, match=message):
            model.classify(wrong)


def test_the_classifier_ignores_the_logit_of_generated_samples():
    model = sgan("odena", classes=3)
    model.discriminator.layers[-2].bias.assign([0.0, 0.0, 0.0, 50.0])
    assert model.classify(images(3)).shape == (3, 3)
    np.testing.assert_allclose(model.classify(images(3)).sum(axis=1), 1.0, atol=1e-5)
