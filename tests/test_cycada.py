"""CyCADA: what the semantic loss asks, of whom, and when the classifiers are fixed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import UserError
from tests.test_cyclegan import SHAPE, constant_judge, identity, images


def classifier(*logits):
    """Sees in every image the classes of these logits, whatever it shows."""
    inputs = keras.Input(SHAPE)
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    dense = keras.layers.Dense(len(logits), kernel_initializer="zeros")
    model = keras.Model(inputs, dense(pooled))
    dense.bias.assign(logits)
    return model


def cycada(classifier_a, classifier_b, **options):
    networks = [identity(), identity(), constant_judge(), constant_judge(), classifier_a, classifier_b]
    model = kg.schemes.CyCADA(*networks, class_count=2, **options)
    model.compile()
    return model


def losses_of(model, label_a, label_b):
    a, b = (tf.constant(images(len(label_a), seed)) for seed in (0, 1))
    losses, curves = model.all_losses(a, tf.constant(label_a), b, tf.constant(label_b))
    return [{name: float(value) for name, value in each.items()} for each in (losses, curves)]


def test_the_class_of_the_original_is_asked_of_the_other_domains_classifier():
    # softmax(log 3, 0) is (3/4, 1/4): of class 0 the cross-entropy is log 4/3, of class 1 it is log 4.
    model = cycada(classifier(np.log(3.0), 0.0), classifier(0.0, 0.0), semantic_weight=2.0)
    losses, curves = losses_of(model, [0, 0, 1, 1], [0, 0, 0, 1])
    a_to_b, b_to_a = np.log(2.0), 0.75 * np.log(4.0 / 3.0) + 0.25 * np.log(4.0)
    assert curves["semantic_loss"] == pytest.approx(a_to_b + b_to_a, rel=1e-5)
    assert losses["translators"] == pytest.approx(2.0 + 2.0 * (a_to_b + b_to_a), rel=1e-5)
    own = 0.5 * np.log(4.0 / 3.0) + 0.5 * np.log(4.0), np.log(2.0)
    assert losses["classifiers"] == pytest.approx(sum(own), rel=1e-5)
    assert curves["classifier_accuracy_a"] == 0.5 and curves["classifier_accuracy_b"] == 0.75


def test_an_image_without_a_label_has_the_class_that_is_seen_in_it_and_teaches_none():
    sure, other = classifier(9.0, 0.0), classifier(0.0, np.log(3.0))
    losses, curves = losses_of(cycada(sure, other), [-1, -1], [-1, 1])
    # Class 0 is seen in A's, of which the other gives log 4; of B's all have class 1, of which the first gives 9.
    assert curves["semantic_loss"] == pytest.approx(np.log(4.0) + 9.0, rel=1e-3)
    assert losses["classifiers"] == pytest.approx(np.log(4.0 / 3.0), rel=1e-4)


def rows_of(labels_a, labels_b):
    a, b = (images(len(labels_a), seed) for seed in (0, 1))
    return tf.data.Dataset.from_tensors((a, np.array(labels_a), b, np.array(labels_b)))


@pytest.mark.parametrize("optimizers", [None, {"classifiers": "sgd"}], ids=["adam", "sgd"])
def test_the_classifiers_learn_for_their_steps_and_are_then_fixed_to_the_bit(optimizers):
    model = cycada(classifier(0.0, 0.0), classifier(0.0, 0.0), classifier_steps=2)
    model.compile(optimizers)
    seen = []
    for step in range(6):
        assert model.is_resting("classifiers") == (step >= 2) and not model.is_resting("translators")
        before = [np.array(v) for v in model.variables_of("classifiers")]
        found = model.fit(rows_of([0, 1, 0, 1], [0, 0, 0, 1]), verbose=0).history
        assert ("classifiers_loss" in found) == (step < 2) and "classifier_accuracy_a" in found
        after = [np.array(v) for v in model.variables_of("classifiers")]
        seen.append(any(not np.array_equal(*pair) for pair in zip(before, after, strict=True)))
    assert seen == [True, True, False, False, False, False]


def test_labels_that_fall_unevenly_on_replicas_teach_as_on_one_device(two_replicas):
    """All labels of A are in the first half of the batch, and one of B's."""
    moved = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            model = cycada(classifier(0.0, 1.0), classifier(0.5, 0.0), classifier_steps=9)
            model.compile({"classifiers": keras.optimizers.SGD(0.5)})
        found = model.fit(rows_of([0, 1, 0, -1, -1, -1], [0, -1, -1, 1, 1, 0]), verbose=0).history
        moved.append((found["classifiers_loss"], found["classifier_accuracy_b"], model.classifier_a.layers[-1].bias))
    for one, two in zip(*moved, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(two), rtol=1e-5)


def test_networks_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match=r"classifier_b maps images .* to 2 logits. Received: .* to 3"):
        cycada(classifier(0.0, 0.0), classifier(0.0, 0.0, 0.0))
    with pytest.raises(UserError, match="classifier_steps is a whole number from 0. Received: -1"):
        cycada(classifier(0.0, 0.0), classifier(0.0, 0.0), classifier_steps=-1)


def test_collections_without_labels_are_refused_with_a_hint():
    source = kg.data.open_source(kg.data.Unpaired(images(4), images(5)))
    with pytest.raises(UserError, match="has no labels"):
        source.match(kg.schemes.CyCADA.takes)
