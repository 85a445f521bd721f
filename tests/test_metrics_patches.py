"""Features of patches: the paper's formula, what they see that random features do not, and that they are made once."""

import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from keras_gans import data, metrics
from keras_gans.data import cache
from keras_gans.errors import UserError
from keras_gans.metrics import features, patches
from keras_gans.pixels import as_float

# Eleven places halve into six and five, padded at the end.
HALVES = (slice(0, 6), slice(6, 11))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A cache of its own, and fewer patches, for speed."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(patches, "_PATCHES", 8000)
    return tmp_path / "cache" / "classifiers"


@pytest.fixture(scope="module")
def digits():
    return data.open_source("digits", image_size=16).samples


def test_features_are_triangles_summed_over_quadrants(digits):
    images = digits[:60]
    network = patches.made_from(images)
    (kernel, bias), (product, squares), (matrix, offset) = (
        network.get_layer(name).get_weights() for name in ("whitened", "products", "features")
    )
    centroids = product[0, 0].T / -2
    assert squares == pytest.approx((centroids**2).sum(axis=1), rel=1e-4)
    # Coates et al. (2011), section 3.2.2: f_k = max(0, mean of all distances - distance to the k-th).
    image = images[3].astype(np.float64) / 127.5 - 1
    near = np.zeros((11, 11, len(centroids)))
    for row in range(11):
        for column in range(11):
            white = image[row : row + 6, column : column + 6].ravel() @ kernel.reshape(36, 36) + bias
            distances = np.linalg.norm(white - centroids, axis=1)
            near[row, column] = np.maximum(0, distances.mean() - distances)
    quadrants = [near[rows, columns].mean((0, 1)) for rows in HALVES for columns in HALVES]
    expected = np.concatenate(quadrants) @ matrix + offset
    found = features.Extractor("patches", network).features(images)
    assert found[3] == pytest.approx(expected, abs=2e-3)
    assert np.mean(np.square(found)) == pytest.approx(1, rel=0.05), "the scale that the kernel distance wants"


def test_patches_are_whitened(digits):
    to_white, mean, centroids = patches._learned(digits[:300], 0)
    rows = patches._patches(as_float(digits[:300]).numpy(), 6, np.random.default_rng(1))
    variances = np.linalg.eigvalsh(np.cov(((rows - mean) @ to_white).T))
    # What has a hundredth of the largest variance is halved, what has more goes to 1.
    assert variances.max() == pytest.approx(1 / 1.01, abs=0.05) and (variances < 1.05).all()
    assert centroids.shape == (128, 36)


def test_blur_is_seen_where_random_features_hardly_see_it():
    shapes = data.open_source("shapes/16").samples
    learned, held_out = shapes[:400], shapes[400:800]
    blurred = gaussian_filter(learned.astype(float), (0, 0.5, 0.5, 0)).round().astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, learned.shape, np.uint8)
    times = {}
    for extractor in (
        features.patches_extractor(data.open_source(learned)),
        features.random_extractor(learned.shape[1:]),
    ):
        real = extractor.features(held_out)
        floor, *found = (
            metrics.frechet_distance(extractor.features(each), real)
            for each in (learned, learned[:20].repeat(20, axis=0), blurred, noise)
        )
        times[extractor.name] = np.asarray(found) / floor
    few, blur, far = times["patches"]
    assert blur > 2 * times["random"][1], times
    assert few > 2 and far > 10, times


def test_a_network_is_made_once_and_of_these_images(digits, folder, monkeypatch):
    source = data.open_source(digits[:200])
    first = features.patches_extractor(source)
    with monkeypatch.context() as patched:
        patched.setattr(patches, "made_from", lambda *_, **__: pytest.fail("made again"))
        again = features.patches_extractor(source)
    assert again.identity == first.identity
    assert (again.features(digits[:9]) == first.features(digits[:9])).all()
    assert features.patches_extractor(data.open_source(digits[:201])).identity != first.identity
    for kept in folder.iterdir():
        record = json.loads((kept / "record.json").read_text())
        (kept / "record.json").write_text(json.dumps({**record, "identity": "0" * 16}))
    with pytest.raises(UserError, match="patches-.* cannot be used.*Delete that folder"):
        features.patches_extractor(source)


@pytest.mark.parametrize(
    "shape, count",
    [((40, 8, 8, 1), 39), ((70, 28, 28, 1), 64), ((9, 32, 32, 3), 8), ((9, 128, 128, 3), 8)],
    ids=["digits", "mnist", "few", "large"],
)
def test_images_of_any_size_have_patches(shape, count):
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    extractor = features.made_for(data.open_source(images), "patches")
    assert (extractor.name, extractor.dimensions, extractor.class_count) == ("patches", count, 0)
    assert np.isfinite(extractor.features(images)).all()


def test_images_of_one_colour_have_finite_features():
    images = np.full((20, 16, 16, 3), 200, np.uint8)
    images[:10] = 90
    assert np.isfinite(features.Extractor("patches", patches.made_from(images)).features(images)).all()


def test_an_evaluation_says_whose_features_it_has_and_scores_no_classes(digits):
    evaluation = metrics.Evaluation(digits[:300], samples=50, extractor="patches").prepare()
    assert "classifier_score" not in evaluation.names and "frechet_distance" in evaluation.names
    protocol = evaluation.protocols()["frechet_distance"]
    assert (protocol.extractor, protocol.extractor_identity) == ("patches", evaluation.extractor.identity)
    with pytest.raises(UserError, match="'classifier_score' needs a classifier"):
        metrics.Evaluation(digits[:300], ["classifier_score"], extractor="patches")
    with pytest.raises(UserError, match="'patches' is made for a source of images"):
        metrics.extractor("patches")
