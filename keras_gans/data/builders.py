"""The embedded data sets as TensorFlow Datasets builders; importing this module registers them with `tfds.load`."""

import dataclasses

import numpy as np
import tensorflow_datasets as tfds

from keras_gans.data import embedded, shapes

_TRAIN_POINTS, _TEST_POINTS = 50_000, 10_000
_TEST_DIGITS = 500
_TRAIN_STACKED, _TEST_STACKED = 50_000, 26_000
_TRAIN_TEXTS, _TEST_TEXTS = 12_000, 600
# Over how many patches of photographs each training digit is laid.
_COPIES = 4
# In a data set's metadata: names of the splits whose images are grey, whatever the feature says.
GREY_SPLITS = "grey_splits"


class Digits(tfds.core.GeneratorBasedBuilder):
    """scikit-learn's 8x8 handwritten digits, split by class into 1,297 train and 500 test images."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "1,797 handwritten digits of 8x8 pixels, as scikit-learn carries them (the test set of the UCI data "
                "set, licence CC BY 4.0). The 17 grey levels are spread over 0..255. The split into 1,297 train and "
                "500 test images keeps the proportion of every class."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(8, 8, 1), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
            citation=(
                "@misc{alpaydin1998optical, author={Alpaydin, E. and Kaynak, C.}, year={1998}, "
                "title={Optical Recognition of Handwritten Digits}, publisher={UCI Machine Learning Repository}, "
                "doi={10.24432/C50P49}}"
            ),
        )

    def _split_generators(self, dl_manager):
        # The digits come inside scikit-learn, so there is nothing for the download manager to fetch.
        del dl_manager
        return {split: self._generate_examples(*rows) for split, rows in _digits_by_split().items()}

    def _generate_examples(self, indices, images, labels):
        for index, image, label in zip(indices, images, labels, strict=True):
            yield int(index), {"image": image[..., np.newaxis], "label": int(label)}


class DigitStyles(tfds.core.GeneratorBasedBuilder):
    """scikit-learn's digits in two styles, of which no two training images show the same digit."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "scikit-learn's digits of 8x8 pixels in two styles. A: as they are, bright on dark; B: -0.8 x - 0.2 "
                "for x in [-1, 1], dark on a light grey. The 700 training images of B are of other digits than the 700 "
                "of A; the 397 test images of both show the same digits, in orders of their own."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(8, 8, 1), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # The digits come inside scikit-learn.
        from sklearn.datasets import load_digits

        digits = load_digits()
        order = np.random.default_rng(0).permutation(len(digits.target))
        parts = {"trainA": order[:700], "trainB": order[700:1400], "testA": order[1400:], "testB": order[1400:]}
        return {
            split: self._generate_examples(digits, rows, inverted=split.endswith("B")) for split, rows in parts.items()
        }

    def _generate_examples(self, digits, rows, inverted):
        for place, row in enumerate(rows):
            image = digits.images[row] / 8.0 - 1.0
            image = -0.8 * image - 0.2 if inverted else image
            pixels = np.round((image[..., np.newaxis] + 1.0) * 127.5).astype("uint8")
            yield place, {"image": pixels, "label": int(digits.target[row])}


@dataclasses.dataclass
class DigitsOverPhotographsConfig(tfds.core.BuilderConfig):
    """Which digits: of what size, how many are in A, and over how many patches each other one is laid."""

    size: int = 8
    in_a: int = 500
    copies: int = _COPIES


class DigitsOverPhotographs(tfds.core.GeneratorBasedBuilder):
    """Grey digits (A), and other digits as |photograph - digit| in colour (B): the protocol of MNIST-M."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    BUILDER_CONFIGS = [
        DigitsOverPhotographsConfig(
            name="digits",
            description="scikit-learn's digits: 500 in A and 900 others in B, each over four patches; 397 test",
        ),
        DigitsOverPhotographsConfig(
            name="mnist",
            description="MNIST: 30,000 in A and 30,000 others in B; 10,000 test",
            size=28,
            in_a=30_000,
            copies=1,
        ),
    ]
    DEFAULT_BUILDER_CONFIG_NAME = "digits"

    def _info(self):
        size = self.builder_config.size
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "Digits in two domains of which no two training images show the same digit. A: grey, bright on dark. "
                "B: |patch - digit| in each channel, where the patch is a square of 3 to 12 times the digit's side, "
                "shrunk to it, of the two photographs that scikit-learn carries. Training patches come from the left "
                "three quarters of the photographs and test patches from the rest. Both test splits show the same "
                "digits."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(size, size, 3), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            # The splits of one data set share their features, so that grey images are stored as colour ones.
            metadata=tfds.core.MetadataDict({GREY_SPLITS: ["trainA", "testA"]}),
            homepage="https://arxiv.org/abs/1505.07818",
            citation=(
                "@article{ganin2016domain, author={Ganin, Y. and others}, journal={JMLR}, "
                "title={Domain-Adversarial Training of Neural Networks}, year={2016}}"
            ),
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # The photographs and the small digits come inside scikit-learn.
        train, test = self._digits()
        parts = {
            "trainA": (train, slice(None, self.builder_config.in_a)),
            "trainB": (train, slice(self.builder_config.in_a, None)),
            "testA": (test, slice(None)),
            "testB": (test, slice(None)),
        }
        return {
            split: self._generate_examples(split, images[rows], labels[rows])
            for split, ((images, labels), rows) in parts.items()
        }

    def _digits(self):
        """(images uint8 (n, side, side), labels) to train on and to test with."""
        if self.builder_config.name == "mnist":
            splits = (tfds.as_numpy(tfds.load("mnist", split=split, batch_size=-1)) for split in ("train", "test"))
            return [(each["image"][..., 0], each["label"]) for each in splits]
        return list(_scattered_digits().values())

    def _generate_examples(self, split, images, labels):
        over_photographs, is_training = split.endswith("B"), split.startswith("train")
        patches = embedded.PhotographPatches(self.builder_config.size, is_training) if over_photographs else None
        copies = self.builder_config.copies if over_photographs and is_training else 1
        for place in range(len(labels) * copies):
            digit = images[place // copies][..., np.newaxis]
            image = np.abs((patches.draw() if over_photographs else np.zeros(3)) - digit).round().astype("uint8")
            yield place, {"image": image, "label": int(labels[place // copies])}


class PhotographedDigits(tfds.core.GeneratorBasedBuilder):
    """Pairs: a digit over a photograph, and the grey digit that was laid there."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "scikit-learn's digits of 8x8 pixels, each over a photograph (image_a), as in digits_over_photographs, "
                "and as it is (image_b): 1,400 digits over four patches each to train on, 397 to test with."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "image_a": tfds.features.Image(shape=(8, 8, 3), dtype=np.uint8),
                    "image_b": tfds.features.Image(shape=(8, 8, 1), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # The photographs and the digits come inside scikit-learn.
        return {split: self._generate_examples(split) for split in ("train", "test")}

    def _generate_examples(self, split):
        images, labels = _scattered_digits()[split]
        patches = embedded.PhotographPatches(8, split == "train")
        for place in range(len(labels) * (_COPIES if split == "train" else 1)):
            row = place // (_COPIES if split == "train" else 1)
            digit = images[row][..., np.newaxis]
            over = np.abs(patches.draw() - digit).round().astype("uint8")
            yield place, {"image_a": over, "image_b": digit, "label": int(labels[row])}


@dataclasses.dataclass
class ShapesConfig(tfds.core.BuilderConfig):
    """How large the pictures are; `size` is their side in pixels."""

    size: int = shapes.SIZES[shapes.DEFAULT_CONFIG]


class Shapes(tfds.core.GeneratorBasedBuilder):
    """Drawn shapes with captions, some combinations of what the captions say being held out."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    BUILDER_CONFIGS = [
        ShapesConfig(name=name, description=f"{size}x{size}x3", size=size) for name, size in shapes.SIZES.items()
    ]
    DEFAULT_BUILDER_CONFIG_NAME = shapes.DEFAULT_CONFIG

    def _info(self):
        size = self.builder_config.size
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "One or two equal shapes on a dark ground, and four captions of each picture that all say its colour, "
                "size, shape, position and count in several words and orders; the first is always of the form 'a small "
                "red circle, top left'. A tenth of the 480 combinations, such as 'a small green star, top left', occur "
                "in the split held_out alone."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(size, size, 3), dtype=np.uint8),
                    "text": tfds.features.Sequence(tfds.features.Text()),
                }
                | {name: tfds.features.ClassLabel(names=names) for name, names in shapes.ATTRIBUTES.items()}
            ),
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # The shapes are drawn, not downloaded.
        return {
            split: self._generate_examples(split, number, count)
            for number, (split, count) in enumerate(shapes.COUNTS.items())
        }

    def _generate_examples(self, split, number, count):
        every = shapes.combinations(held_out=split == "held_out")
        for place in range(count):
            # A generator of its own for each picture, so that all sizes show the same ones.
            random = np.random.default_rng([number, place])
            combination = every[place % len(every)]
            texts = shapes.captions(combination, random)
            image = shapes.draw(combination, self.builder_config.size, random)
            yield place, {"image": image, "text": texts} | combination.labels


def _digits_by_split():
    """{split: (indices, images uint8 (n, 8, 8), labels)} of scikit-learn's digits, in their own order, by class."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    everything = np.arange(len(digits.target))
    parts = train_test_split(everything, test_size=_TEST_DIGITS, stratify=digits.target, random_state=0)
    images = np.round(digits.images * (255 / 16)).astype("uint8")
    parts = dict(zip(("train", "test"), map(np.sort, parts), strict=True))
    return {split: (rows, images[rows], digits.target[rows]) for split, rows in parts.items()}


def _scattered_digits():
    """{split: (images uint8 (n, 8, 8), labels)} of scikit-learn's digits in an order of their own."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    images = np.round(digits.images * (255 / 16)).astype("uint8")
    parts = {"train": order[:1400], "test": order[1400:]}
    return {split: (images[rows], digits.target[rows]) for split, rows in parts.items()}


def _points_info(builder, description, modes, citation):
    return tfds.core.DatasetInfo(
        builder=builder,
        description=description,
        features=tfds.features.FeaturesDict(
            {
                "point": tfds.features.Tensor(shape=(2,), dtype=np.float32),
                "label": tfds.features.ClassLabel(num_classes=modes),
            }
        ),
        supervised_keys=("point", "label"),
        citation=citation,
    )


def _point_splits(builder, centres, sigma):
    sizes = {"train": _TRAIN_POINTS, "test": _TEST_POINTS}
    return {
        split: builder._generate_examples(*embedded.sample_modes(centres, sigma, size, seed=[0, number]))
        for number, (split, size) in enumerate(sizes.items())
    }


def _point_examples(points, labels):
    for index, (point, label) in enumerate(zip(points, labels, strict=True)):
        yield index, {"point": point, "label": int(label)}


@dataclasses.dataclass
class RingConfig(tfds.core.BuilderConfig):
    """A ring of 8 Gaussians; `radius` and `sigma` are in the units of the points."""

    radius: float = embedded.RING_RADII[embedded.DEFAULT_CONFIG]
    sigma: float = embedded.RING_SIGMAS[embedded.DEFAULT_CONFIG]


class Ring(tfds.core.GeneratorBasedBuilder):
    """8 Gaussians on a circle; a point's label is the index of its Gaussian."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    BUILDER_CONFIGS = [
        RingConfig(
            name=name,
            description=f"radius {radius:.4g}, sigma {embedded.RING_SIGMAS[name]:.3g}",
            radius=radius,
            sigma=embedded.RING_SIGMAS[name],
        )
        for name, radius in embedded.RING_RADII.items()
    ]
    DEFAULT_BUILDER_CONFIG_NAME = embedded.DEFAULT_CONFIG

    def _info(self):
        return _points_info(
            self,
            "Points of 8 equally likely round Gaussians whose centres lie evenly on a circle around the origin, the "
            "usual test of mode collapse.",
            modes=8,
            citation=(
                "@inproceedings{srivastava2017veegan, author={Srivastava, A. and Valkov, L. and Russell, C. and "
                "Gutmann, M. and Sutton, C.}, year={2017}, booktitle={NeurIPS}, "
                "title={VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning}}"
            ),
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # The points are drawn, not downloaded.
        config = self.builder_config
        return _point_splits(self, embedded.ring_centres(config.radius), config.sigma)

    def _generate_examples(self, points, labels):
        return _point_examples(points, labels)


class Grid(tfds.core.GeneratorBasedBuilder):
    """25 Gaussians on a square grid; a point's label is the index of its Gaussian."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}

    def _info(self):
        return _points_info(
            self,
            "Points of 25 equally likely round Gaussians centred on {-4, -2, 0, 2, 4} squared, sigma 0.05.",
            modes=25,
            citation=(
                "@inproceedings{lin2018pacgan, author={Lin, Z. and Khetan, A. and Fanti, G. and Oh, S.}, year={2018}, "
                "booktitle={NeurIPS}, title={PacGAN: The Power of Two Samples in Generative Adversarial Networks}}"
            ),
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # The points are drawn, not downloaded.
        return _point_splits(self, embedded.grid_centres(), embedded.GRID_SIGMA)

    def _generate_examples(self, points, labels):
        return _point_examples(points, labels)


class NumbersAndDates(tfds.core.GeneratorBasedBuilder):
    """Numbers and dates in digits and in words, which have another order; no test pair is among the training pairs."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "12,000 train and 600 test pairs for translation, drawn by a generator of fixed seed: a third are "
                "numbers from 0 to 9,999, a third dates of 1900 to 2099, a third a date with a number. In digits a "
                "date is year, month, day, and the number follows it; in words it is day, month, year, after the "
                "number. Each text in digits has one translation, and none occurs twice."
            ),
            features=tfds.features.Translation(languages=("digits", "words")),
            supervised_keys=("digits", "words"),
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # The pairs are made, not downloaded.
        train, test = embedded.numbers_and_dates((_TRAIN_TEXTS, _TEST_TEXTS))
        return {"train": self._generate_examples(train), "test": self._generate_examples(test)}

    def _generate_examples(self, pairs):
        for place, (digits, words) in enumerate(pairs):
            yield place, {"digits": digits, "words": words}


@dataclasses.dataclass
class StackedDigitsConfig(tfds.core.BuilderConfig):
    """Which digits are stacked."""

    of: str = "digits"
    size: int = 8


class StackedDigits(tfds.core.GeneratorBasedBuilder):
    """A digit in each of the three channels: 1,000 modes that a classifier of one channel can count."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    BUILDER_CONFIGS = [
        StackedDigitsConfig(name="digits", description="scikit-learn's digits, 8x8x3"),
        StackedDigitsConfig(
            name="mnist", description="MNIST, 28x28x3: the literature's stacked MNIST", of="mnist", size=28
        ),
    ]
    DEFAULT_BUILDER_CONFIG_NAME = "digits"

    def _info(self):
        size = self.builder_config.size
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "Three digits of one split, drawn at random by a generator of fixed seed, one in each channel: 50,000 "
                "train and 26,000 test images. Whether a generator reaches all 1,000 combinations is counted by "
                "`keras_gans.metrics.stacked_mode_coverage`."
            ),
            features=tfds.features.FeaturesDict({"image": tfds.features.Image(shape=(size, size, 3), dtype=np.uint8)}),
            homepage="https://arxiv.org/abs/1611.02163",
            citation=(
                "@inproceedings{metz2017unrolled, author={Metz, L. and Poole, B. and Pfau, D. and Sohl-Dickstein, J.}, "
                "title={Unrolled Generative Adversarial Networks}, booktitle={ICLR}, year={2017}}"
            ),
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # The digits come inside scikit-learn, or from MNIST's own builder.
        return {split: self._generate_examples(split) for split in ("train", "test")}

    def _generate_examples(self, split):
        digits = self._digits(split)
        seed, count = {"train": (0, _TRAIN_STACKED), "test": (1, _TEST_STACKED)}[split]
        chosen = np.random.default_rng(seed).integers(0, len(digits), (count, 3))
        for place, each in enumerate(chosen):
            yield place, {"image": np.moveaxis(digits[each], 0, -1)}

    def _digits(self, split):
        """uint8 (n, side, side) of a split."""
        if self.builder_config.of == "mnist":
            return tfds.as_numpy(tfds.load("mnist", split=split, batch_size=-1))["image"][..., 0]
        return _digits_by_split()[split][1]


BUILDERS = {
    "digits": Digits,
    "stacked_digits": StackedDigits,
    "digit_styles": DigitStyles,
    "digits_over_photographs": DigitsOverPhotographs,
    "photographed_digits": PhotographedDigits,
    "shapes": Shapes,
    "ring": Ring,
    "grid": Grid,
    "numbers_and_dates": NumbersAndDates,
}
