"""The embedded data sets as TensorFlow Datasets builders; importing this module registers them with `tfds.load`."""

import dataclasses

import numpy as np
import tensorflow_datasets as tfds

from keras_gans.data import embedded

_TRAIN_POINTS, _TEST_POINTS = 50_000, 10_000
_TEST_DIGITS = 500


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
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        digits = load_digits()
        everything = np.arange(len(digits.target))
        train, test = train_test_split(everything, test_size=_TEST_DIGITS, stratify=digits.target, random_state=0)
        return {
            "train": self._generate_examples(digits, np.sort(train)),
            "test": self._generate_examples(digits, np.sort(test)),
        }

    def _generate_examples(self, digits, indices):
        for index in indices:
            image = np.round(digits.images[index] * (255 / 16)).astype("uint8")
            yield int(index), {"image": image[..., np.newaxis], "label": int(digits.target[index])}


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


BUILDERS = {"digits": Digits, "digit_styles": DigitStyles, "ring": Ring, "grid": Grid}
