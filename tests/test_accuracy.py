"""What a classifier's accuracy is taken of, and where it is said."""

import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import keras_gans as kg
from keras_gans.errors import UserError
from keras_gans.metrics.accuracy import sentence
from keras_gans.schemes import SGAN
from tests.test_training_cli import run_here, unwrapped

DARK, BRIGHT = 50, 200


def shades(labels, seed=0):
    """Images whose class is how bright they are: 50 for class 0, 200 for class 1, with a little noise."""
    noise = np.random.default_rng(seed).integers(0, 20, (len(labels), 8, 8, 1))
    return (np.where(np.reshape(labels, (-1, 1, 1, 1)), BRIGHT, DARK) + noise).astype("uint8")


class ByBrightness:
    """Classifies as bright whatever lies above a threshold in [-1, 1]."""

    is_interrupted = False

    def __init__(self, threshold=0.0):
        self.threshold = threshold

    def classify(self, samples):
        assert samples.min() >= -1.0 and samples.max() <= 1.0
        bright = samples.mean(axis=(1, 2, 3)) > self.threshold
        return np.stack([1.0 - bright, bright], axis=1)


def with_held_out(held_labels, wrong=0):
    """Ten training rows of two classes, and held-out rows of which the first `wrong` are labelled wrongly."""
    labels = np.array([0, 1] * 5)
    source = kg.data.open_source((shades(labels), labels))
    shown = np.array(held_labels)
    said = np.where(np.arange(len(shown)) < wrong, 1 - shown, shown)
    return kg.data.open_source((shades(shown, 1), said)), source


def test_the_labelled_few_and_the_held_out_are_counted_apart():
    held_out, source = with_held_out([0, 1] * 10, wrong=5)
    source = dataclasses.replace(source, held_out=dataclasses.replace(held_out, split="held out of train"))
    accuracy = kg.metrics.ClassifierAccuracy(source, SGAN.takes, labels_per_class=2)
    labelled, held = accuracy.of(ByBrightness())
    assert labelled[:2] == ("labelled", 1.0) and labelled.count == 4
    assert held.name == "held_out" and held.value == 0.75 and held.count == 20 and held.split == "held out of train"
    # Agresti and Coull: (15 + 2) / 24 right, and sqrt(0.7083 * 0.2917 / 24).
    assert held.standard_error == pytest.approx(0.0928, abs=1e-4)
    # Everything is bright to it, as half of the labelled and 11 of the 20 others are said to be.
    assert [each.value for each in accuracy.of(ByBrightness(-2.0))] == [0.5, 0.55]
    said = sentence(accuracy.of(ByBrightness()))
    assert said == "classified right: 0.750 ± 0.093 of the 20 held out (held out of train) and 1.000 of the 4 labelled"


def test_without_held_out_data_it_says_so():
    _, source = with_held_out([0])
    (labelled,) = kg.metrics.ClassifierAccuracy(source, SGAN.takes).of(ByBrightness())
    assert labelled.count == 10 and "nothing was held out" in sentence([labelled])


def save(folder, images):
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image[..., 0]).save(folder / f"{number}.png")


def test_classes_are_known_by_their_names_where_a_split_lacks_some(tmp_path):
    for name, label in (("a_dark", 0), ("b_bright", 1)):
        save(tmp_path / "train" / name, shades([label] * 6))
    save(tmp_path / "test/b_bright", shades([1] * 4, 1))
    save(tmp_path / "test/a_dark", shades([0] * 2, 1))
    source = kg.data.open_source(tmp_path, labels=True)
    assert [each.value for each in kg.metrics.ClassifierAccuracy(source, SGAN.takes).of(ByBrightness())] == [1.0, 1.0]
    # Alone, the bright ones are class 0 of the split.
    for path in (tmp_path / "test/a_dark").iterdir():
        path.unlink()
    assert [each.value for each in kg.metrics.ClassifierAccuracy(source, SGAN.takes).of(ByBrightness())] == [1.0, 1.0]
    save(tmp_path / "test/c_grey", shades([1] * 2, 1))
    with pytest.raises(UserError, match="c_grey"):
        kg.metrics.ClassifierAccuracy(source, SGAN.takes)


def test_the_callback_says_it_and_records_it(tmp_path):
    _, source = with_held_out([0])
    console = Console(file=io.StringIO(), width=200)
    accuracy = kg.metrics.ClassifierAccuracy(source, SGAN.takes)
    callback = kg.callbacks.Accuracy(
        tmp_path, accuracy, every=2, metrics_file=tmp_path / "metrics.jsonl", console=console
    )
    model = ByBrightness()
    model.steps_taken = 0
    callback.set_model(model)
    callback.on_train_begin()
    for batch in range(4):
        callback.on_train_batch_end(batch, {})
    callback.on_train_end()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["accuracy_labelled"]) for line in lines] == [(2, 1.0), (4, 1.0)]
    said = console.file.getvalue()
    assert "step 2: classified right: 1.000 of the 10 labelled" in said and "Classifier: classified right" in said
    events = EventAccumulator(str(tmp_path)).Reload()
    assert events.Tags()["tensors"] == ["3 accuracy/labelled"]


def test_a_run_and_its_evaluation_say_how_well_it_classifies(tmp_path):
    small = ["--set", "generator.hidden_units=[8]", "--set", "discriminator.hidden_units=[16]", "--batch-size", "32"]
    steps = ["--steps", "20", "--set", "picture_every=10", "--doctor", "off"]
    code, output, errors = run_here("train", "sgan", *small, *steps, cwd=tmp_path)
    assert code == 0, errors
    output = unwrapped(output)
    assert "step 10: classified right: 0." in output and "of the 500 held out (test)" in output
    assert "Classifier: classified right: 0." in output and "of the 100 labelled" in output
    metrics = ["--metrics", "sliced_wasserstein_distance", "--samples", "64"]
    code, said, errors = run_here("evaluate", "latest", *metrics, cwd=tmp_path)
    assert code == 0, errors
    final = output[output.index("Classifier:") :].split("labelled")[0]
    assert final in unwrapped(said)
    events = EventAccumulator(str(tmp_path / "runs/00001-sgan-digits")).Reload()
    assert [point.step for point in events.Tensors("2 evaluation/sliced_wasserstein_distance")] == [20]
    record = json.loads((tmp_path / "runs/00001-sgan-digits/evaluation.json").read_text())["classifier"]
    assert [each["name"] for each in record] == ["labelled", "held_out"] and record[1]["count"] == 500
