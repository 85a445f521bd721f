"""Which features rank samples as a classifier does that learned from all labelled images of the data set.

    python -m benchmarks.feature_ranking --data cifar10 fashion_mnist
    python -m benchmarks.feature_ranking --data cifar10 --rows --classifiers 3 --seeds 0 1 2 3
    python -m benchmarks.feature_ranking --data cifar10 --rows 100 1000 --only-show

Samples good and bad are put in order by their Fréchet distance to held-out images: training images and what becomes of
them when they are blurred, mixed, few and so on, noise, and what two GANs draw early and late. The order that the data
set's own classifier finds is compared, by Spearman's rank correlation, with that of

- random convolutions, which need no training,
- what is common among the patches of 3,000 of the training images,
- a classifier of the data's own classes, of as few of the training images as --rows says,
- the same network when it learned without labels, from 10,000 images: to tell which way up an image is (Gidaris et al.
  2018), and which two of many views are of one image (Chen et al. 2020).

Where a classifier begins is chance, and so is some of the order that it finds. With --classifiers others are trained
that differ by that alone; a row's correlation is the mean over all of them, and a classifier's that with the others,
above which no features can be expected to come.

Every figure is added to --output at once and not measured again.
"""

import argparse
import functools
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr
from sklearn.decomposition import PCA

import keras_gans as kg
from benchmarks.filed import known_runs, run_once
from keras_gans.metrics import features, frechet_distance, patches
from keras_gans.metrics.classifiers import CLASSIFIERS, Classifier, build, for_images, train
from keras_gans.training import recipe as recipes
from keras_gans.training.train import build_for, to_dataset

COUNT = 2000
_REFERENCE = "reference"
UNLABELLED = 10_000
GANS, GAN_STEPS = ("dcgan", "wgan_gp"), (25, 100, 300, 900)
_STEPS, _BATCH, _TEMPERATURE = 600, 128, 0.2
# The network of `classifiers.for_images`, so that features differ in what they learned alone.
_BLOCKS = ((32, 3, 1), (32, 3, 2), (64, 3, 2), (64, 3, 1), (64, 3, 2))
# What a generator may do wrong; the others are there to be told from them.
OF_GENERATORS = (
    "training",
    "noise",
    "copies of 20",
    "copies of 200",
    *(f"{gan} {n}" for gan in GANS for n in GAN_STEPS),
)


def altered(images, labels, seed):
    """{name: uint8 images} of what no generator made.

    Args:
        images, labels: training images, uint8, and their classes.
        seed: of what is drawn.
    """
    rng = np.random.default_rng(seed)
    some = images[rng.permutation(len(images))[:COUNT]]
    values = some.astype(np.float32)
    flat = values.reshape(len(values), -1)
    components = PCA(20, random_state=0).fit(flat)
    codes = components.transform(flat)
    found = {
        "training": values,
        "noise of 16 levels": values + rng.normal(0, 16, values.shape),
        "noise of 48 levels": values + rng.normal(0, 48, values.shape),
        "blurred a little": gaussian_filter(values, (0, 0.7, 0.7, 0)),
        "blurred": gaussian_filter(values, (0, 1.5, 1.5, 0)),
        "quarters exchanged": _quarters_exchanged(values, rng),
        "inverted": 255 - values,
        "mixed in pairs": (values + values[rng.permutation(len(values))]) / 2,
        "normal pixels": values.mean(0) + values.std(0) * rng.normal(size=values.shape),
        "twenty components": components.inverse_transform(rng.normal(size=codes.shape) * codes.std(0)).reshape(
            values.shape
        ),
        "noise": rng.integers(0, 256, values.shape),
    }
    for few in (20, 200):
        found[f"copies of {few}"] = values[rng.integers(0, min(few, len(values)), COUNT)]
    for name, chosen in (("one class", labels == labels.min()), ("half of the classes", labels < np.median(labels))):
        found[name] = images[rng.choice(np.flatnonzero(chosen), COUNT)]
    return {name: np.clip(each, 0, 255).astype(np.uint8) for name, each in found.items()}


def _quarters_exchanged(values, rng):
    height, width = (side // 2 for side in values.shape[1:3])
    corners = [(row, column) for row in (0, height) for column in (0, width)]
    exchanged = values.copy()
    for image, made in zip(values, exchanged, strict=True):
        for (row, column), (from_row, from_column) in zip(corners, rng.permutation(corners), strict=True):
            part = image[from_row : from_row + height, from_column : from_column + width]
            made[row : row + height, column : column + width] = part
    return exchanged


def drawn(data, seed):
    """{name: uint8 samples} of GANs of 16 filters, early and late in one short training."""
    found = {}
    for name in GANS:
        small = {"generator.base_filters": 16, "discriminator.base_filters": 16}
        recipe = recipes.named(name).replace(data=data, seed=seed, steps=GAN_STEPS[-1], steps_per_execution=5)
        recipe = recipes.with_settings(recipe, small)
        source = kg.data.open_source(data)
        model, batches = build_for(recipe, source), to_dataset(recipe, source)
        for step in GAN_STEPS:
            model.fit(batches, steps_per_epoch=step - model.steps_taken, verbose=0)
            found[f"{name} {step}"] = model.sample(COUNT, seed=seed)
    return found


# Features -------------------------------------------------------------------------------------------------------------


@functools.cache
def another_classifier(data, seed):
    """The data set's own classifier, begun and shown its images by another seed."""
    return features.Extractor(_another(seed), train(CLASSIFIERS[data], seed=seed)[0])


def _another(seed):
    return f"{_REFERENCE}, seed {seed}"


def own_classes(source, rows, seed):
    """A classifier of so many of the images."""
    chosen = source.take(np.random.default_rng([seed, 1]).permutation(len(source))[:rows])
    return features.Extractor("own_classes", for_images(chosen)[0])


def of_patches(images, seed):
    """What is common among the patches of 3,000 of the images."""
    return features.Extractor("patches", patches.made_from(images[:3000], seed))


def rotations(images, seed):
    """The network that learned by how many quarter turns an image was turned."""
    turns = np.random.default_rng(seed).integers(0, 4, len(images))
    turned = np.stack([np.rot90(image, turn) for image, turn in zip(images, turns, strict=True)])
    hidden, logits = _network(images.shape[1:], 4, seed)
    logits.compile(keras.optimizers.Adam(2e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    epochs = max(1, _STEPS * _BATCH // len(images))
    logits.fit(kg.pixels.from_uint8(turned), turns, batch_size=_BATCH, epochs=epochs, verbose=0)
    return features.Extractor("rotations", hidden)


def contrast(images, seed):
    """The network that learned which two of 256 views, cropped, mirrored and in other colours, are of one image."""
    keras.utils.set_random_seed(seed)
    hidden, _ = _network(images.shape[1:], 1, seed)
    head = keras.Sequential([layers.Dense(128, activation="relu"), layers.Dense(64)])
    whole = keras.Model(hidden.input, head(hidden.output))
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, _STEPS))
    view = keras.Sequential(
        [
            layers.RandomFlip("horizontal"),
            layers.RandomZoom((-0.5, 0.0), fill_mode="reflect"),
            layers.RandomTranslation(0.15, 0.15, fill_mode="reflect"),
            layers.RandomBrightness(0.3, value_range=(-1, 1)),
            layers.RandomContrast(0.4, value_range=(-1, 1)),
        ]
    )
    places = np.concatenate([np.arange(_BATCH) + _BATCH, np.arange(_BATCH)])

    @tf.function
    def step(batch):
        views = ops.concatenate([view(batch, training=True), view(batch, training=True)])
        with tf.GradientTape() as tape:
            codes = ops.normalize(whole(views, training=True))
            likeness = ops.matmul(codes, ops.transpose(codes)) / _TEMPERATURE - 1e9 * ops.eye(2 * _BATCH)
            loss = ops.mean(ops.sparse_categorical_crossentropy(places, likeness, from_logits=True))
        optimizer.apply(tape.gradient(loss, whole.trainable_variables), whole.trainable_variables)

    rng = np.random.default_rng(seed)
    for _ in range(_STEPS):
        step(kg.pixels.from_uint8(images[rng.integers(0, len(images), _BATCH)]))
    return features.Extractor("contrast", hidden)


def _network(image_shape, class_count, seed):
    return build(Classifier("", _BLOCKS), image_shape, class_count, seed)


# Measuring ------------------------------------------------------------------------------------------------------------


def measure(data, rows, seed, classifiers=1, said=print):
    """{features: {set of samples: Fréchet distance to held-out images}}.

    Args:
        data: a key of `CLASSIFIERS`.
        rows: of how many images classifiers of own classes are, each a row.
        seed: of samples and features.
        classifiers: how many of all labelled images there are, the data set's own one and others.
        said: called with a line on what is measured.
    """
    source, held_out = (kg.data.open_source(data, split=split, labels=True) for split in ("train", "test"))
    images = np.asarray(source.samples)
    sets = altered(images, np.asarray(source.labels), seed) | drawn(data, seed)
    reference = held_out.samples[np.random.default_rng([seed, 2]).permutation(len(held_out))[:COUNT]]
    unlabelled = images[np.random.default_rng([seed, 3]).permutation(len(images))[:UNLABELLED]]
    made = {
        _REFERENCE: lambda: features.extractor(data),
        "random": lambda: features.random_extractor(source.sample_shape, seed),
        "patches": lambda: of_patches(unlabelled, seed),
        "rotations": lambda: rotations(unlabelled, seed),
        "contrast": lambda: contrast(unlabelled, seed),
    } | {f"own classes, {count:,} images": lambda count=count: own_classes(source, count, seed) for count in rows}
    others = range(1, classifiers)
    made |= {_another(other): lambda other=other: another_classifier(data, other) for other in others}
    found = {}
    for name, make in made.items():
        said(f"{data}: {name} ...")
        extractor = make()
        real = extractor.features(reference)
        found[name] = {key: frechet_distance(extractor.features(each), real) for key, each in sets.items()}
    return {"distances": found}


def rank_correlation(distances, reference, names):
    """Spearman's, of the sets of samples named."""
    return float(spearmanr(*([each[name] for name in names] for each in (distances, reference)))[0])


def judges(distances, name=None):
    """The classifiers of all labelled images of which `measure` gives distances, but the features of that name."""
    return [each for each in distances if each.split(",")[0] == _REFERENCE and each != name]


def agreement(distances, name, names):
    """The mean rank correlation of features with each classifier of all labelled images, but themselves.

    Args:
        distances: what `measure` gives of one seed.
        name: of the features.
        names: of the sets of samples.
    """
    found = [rank_correlation(distances[name], distances[judge], names) for judge in judges(distances, name)]
    return float(np.mean(found))


def show(console, runs):
    """Prints the rank correlations of each data set and number of classifiers, the median and range over seeds."""
    groups = {(run["data"], len(judges(run["distances"]))) for run in runs}
    for data, count in sorted(groups):
        title = data if count == 1 else f"{data}, {count} classifiers"
        table = Table("features", "all samples", "generators, noise, copies", title=title)
        every = [run["distances"] for run in runs if run["data"] == data]
        mine = [each for each in every if len(judges(each)) == count]
        for name in dict.fromkeys(name for each in mine for name in each if judges(each, name)):
            having = [each for each in mine if name in each]
            cells = []
            for group in (list(having[0][name]), OF_GENERATORS):
                ranks = [agreement(each, name, group) for each in having]
                cells.append(f"{np.median(ranks):.2f} [{min(ranks):.2f}, {max(ranks):.2f}]")
            table.add_row(name, *cells)
        console.print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=CLASSIFIERS, default=["digits"])
    parser.add_argument("--rows", nargs="*", type=int, default=[100, 300, 1000, 3000], help="of own classes' images")
    parser.add_argument("--classifiers", type=int, default=1, help="of all labelled images, that judge; 1 unless given")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--output", type=Path, default=Path("feature_ranking.jsonl"), help="file of the figures")
    parser.add_argument("--only-show", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    if arguments.classifiers < 1:
        parser.error(f"--classifiers takes a number from 1 on. Received: {arguments.classifiers}.")
    console = Console()
    for data in [] if arguments.only_show else arguments.data:
        for seed in arguments.seeds:
            key = {"data": data, "rows": arguments.rows, "seed": seed, "classifiers": arguments.classifiers}
            run_once(arguments.output, key, lambda key=key: measure(**key))
    show(console, [run for run in known_runs(arguments.output) if run["data"] in arguments.data])


if __name__ == "__main__":
    main()
