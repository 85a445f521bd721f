"""Autoencoders on handwritten digits, over three seeds: how near reconstructions of held-out digits come."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

import keras_gans as kg
from keras_gans.training import recipe as recipes
from tests.science import SAMPLES, SEEDS, DigitMeasures, digits_split, report, trained

pytestmark = pytest.mark.slow


def held_out():
    """The 500 held-out digits, float32 (500, 8, 8, 1) in [-1, 1]."""
    return digits_split("test")[0].reshape(-1, 8, 8, 1).astype("float32")


def reconstruction_error(model, images=None):
    """Mean squared error a pixel of the held-out digits; `images` are what is encoded, those digits unless given."""
    clean = held_out()
    return float(np.square(model.reconstruct(clean if images is None else images) - clean).mean())


def principal_components_error(components):
    train, test = digits_split("train")[0], digits_split("test")[0]
    projection = PCA(components, random_state=0).fit(train)
    return float(np.square(projection.inverse_transform(projection.transform(test)) - test).mean())


def test_a_linear_autoencoder_is_as_good_as_eight_principal_components():
    bound = 1.04 * principal_components_error(8)
    errors = [reconstruction_error(trained("autoencoder_linear", seed)) for seed in SEEDS]
    assert report("autoencoder_linear: squared error", errors, f"at most {bound:.4f}, 4 % above PCA's") <= bound


def test_an_autoencoder_is_better_than_any_linear_one():
    errors = [reconstruction_error(trained("autoencoder", seed)) for seed in SEEDS]
    print(f"the mean image: {np.square(digits_split('train')[0].mean(axis=0) - digits_split('test')[0]).mean():.3f}")
    assert report("autoencoder: squared error", errors, "at most 0.060") <= 0.060


def test_a_denoising_autoencoder_removes_noise_that_a_plain_one_keeps():
    noise = 0.5 * np.random.default_rng(0).standard_normal(held_out().shape)
    # Clipped, as a stored picture would be.
    noisy = np.clip(held_out() + noise, -1.0, 1.0).astype("float32")
    plain, denoising = (
        [reconstruction_error(trained(name, seed), noisy) for seed in SEEDS]
        for name in ("autoencoder", "autoencoder_denoising")
    )
    plain = report("autoencoder, of noisy digits", plain, "for comparison")
    assert report("autoencoder_denoising, of noisy digits", denoising, "at most 0.8 of that") <= 0.8 * plain


# The adversarial autoencoder ------------------------------------------------------------------------------------


def sliced_distance(first, second, directions=200):
    """Mean Wasserstein-1 distance of two equally large samples along random directions."""
    axes = np.random.default_rng(0).standard_normal((directions, first.shape[1]))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    return float(np.abs(np.sort(first @ axes.T, axis=0) - np.sort(second @ axes.T, axis=0)).mean())


def code_figures(model):
    """(distance of the held-out digits' codes from draws of the prior, the same of other draws, codes' deviation)."""
    codes = model.draw_codes(held_out()).numpy()
    prior, other = (
        kg.latent.draw_latents(len(codes), model.latent_dim, seed, model.latent_prior).numpy()
        for seed in (np.array([0, 1]), np.array([0, 2]))
    )
    return sliced_distance(codes, prior), sliced_distance(other, prior), codes.std(axis=0).mean()


def test_codes_are_normal_where_a_plain_autoencoders_are_not():
    plain = [trained("autoencoder", seed) for seed in SEEDS]
    adversarial = [trained("aae", seed) for seed in SEEDS]
    limit = 1.25 * report(
        "autoencoder: squared error", [reconstruction_error(model) for model in plain], "for comparison"
    )
    distances, between_draws, deviations = zip(*map(code_figures, adversarial), strict=True)
    errors = [reconstruction_error(model) for model in adversarial]
    plain_distances = [code_figures(model)[0] for model in plain]
    print(f"two samples of the prior: {np.median(between_draws):.3f}")
    assert report("aae: sliced distance of codes from the prior", distances, "at most 0.15") <= 0.15
    assert report("autoencoder: the same", plain_distances, "at least 0.5") >= 0.5
    assert 0.85 <= report("aae: deviation of codes", deviations, "0.85 to 1.15") <= 1.15
    assert report("aae: squared error", errors, f"at most {limit:.4f}") <= limit


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("aae", {"posterior": "gaussian"}),
        ("aae", {"posterior": "universal"}),
        ("aae_mixture", {}),
        ("aae_swiss_roll", {}),
    ],
    ids=["gaussian", "universal", "mixture", "swiss_roll"],
)
def test_codes_follow_the_other_priors_and_posteriors(name, changes):
    encoder = {**recipes.named(name).encoder, **changes}
    figures = [code_figures(trained(name, seed, encoder=encoder))[0] for seed in SEEDS]
    assert report(f"{name} {changes}: sliced distance of codes from the prior", figures, "at most 0.20") <= 0.20


# VAE/GAN --------------------------------------------------------------------------------------------------------


def test_vae_gan_reconstructs_the_digit_and_samples_all_of_them():
    measures, names = DigitMeasures(), ("of the right digit", "squared error", "smallest class share", "deviation")
    results = {name: [] for name in names}
    for seed in SEEDS:
        model = trained("vae_gan", seed)
        copies = model.reconstruct(held_out()).reshape(-1, 64)
        samples = model.sample(SAMPLES, seed=10_000).reshape(SAMPLES, -1) / 127.5 - 1.0
        shares = np.bincount(measures.judge.predict(samples), minlength=10) / SAMPLES
        spread = samples.std(axis=0).mean() / digits_split("train")[0].std(axis=0).mean()
        right = measures.judge.score(copies, measures.held_out_labels)
        for name, value in zip(names, (right, reconstruction_error(model), shares.min(), spread), strict=True):
            results[name].append(value)
    assert report("vae_gan: copies of the right digit", results["of the right digit"], "at least 0.93") >= 0.93
    assert report("vae_gan: squared error", results["squared error"], "at most 0.09") <= 0.09
    assert report("vae_gan: smallest class share", results["smallest class share"], "at least 0.04") >= 0.04
    assert 0.85 <= report("vae_gan: deviation over the data's", results["deviation"], "0.85 to 1.15") <= 1.15


def frechet_distances(names, seeds=SEEDS, **changes):
    """{recipe: [Fréchet distance of 5,000 samples in the features of the digits' classifier, for each seed]}."""
    judge = kg.metrics.Evaluation(kg.data.open_source("digits"), ["frechet_distance"], 5000)
    return {name: [judge.of(trained(name, seed, **changes))[0].value for seed in seeds] for name in names}


class FittedPrior:
    """A model whose latents are drawn from the Gaussian fitted to its training images' codes."""

    def __init__(self, model):
        codes = model.encode(digits_split("train")[0].reshape(-1, 8, 8, 1).astype("float32"))
        self.model, self.mean, self.root = model, codes.mean(axis=0), np.linalg.cholesky(np.cov(codes.T)).T
        self.sample_shape = model.sample_shape

    def sample(self, count, seed=0):
        latents = kg.latent.latents_from_seeds(np.arange(seed, seed + count), self.model.latent_dim).numpy()
        return kg.pixels.to_uint8(self.model.decode(self.mean + latents @ self.root)).numpy()


def test_an_adversarial_autoencoder_samples_better_than_a_plain_and_a_variational_one():
    """Makhzani et al. (2015), section 2: the aggregated posterior is matched to the prior, so every draw decodes."""
    # The same networks and size of code, but for the two heads of the variational one's encoder.
    found = frechet_distances(("aae", "vae", "autoencoder"), latent_dim=8)
    judge = kg.metrics.Evaluation(kg.data.open_source("digits"), ["frechet_distance"], 5000)
    fitted = [judge.of(FittedPrior(trained("autoencoder", seed)))[0].value for seed in SEEDS]
    plain = report("autoencoder: FID of decoded draws of N(0, I)", found["autoencoder"], "for comparison")
    fitted = report("autoencoder: of draws of the Gaussian fitted to its codes", fitted, "for comparison")
    variational = report("vae of eight latents: FID", found["vae"], "for comparison")
    ours = report("aae: FID", found["aae"], "at most 3.5, and 0.7 of each of the others")
    assert ours <= 3.5 and ours <= 0.7 * min(plain, fitted, variational)


def test_vae_gan_samples_better_than_the_vae_of_pixels_and_copies_them_worse():
    """Larsen et al. (2016), section 4: a learned measure of likeness gives up pixels for what samples look like."""
    measures, results = DigitMeasures(), {}
    judge = kg.metrics.Evaluation(kg.data.open_source("digits"), ["frechet_distance"], 5000)
    for name in ("vae_gan", "vae"):
        models = [trained(name, seed) for seed in SEEDS]
        copies = [model.reconstruct(held_out()).reshape(-1, 64) for model in models]
        right = [measures.judge.score(each, measures.held_out_labels) for each in copies]
        results[name] = (
            report(f"{name}: FID", [judge.of(model)[0].value for model in models], "VAE/GAN's at most 0.7 of VAE's"),
            report(f"{name}: squared error", list(map(reconstruction_error, models)), "VAE's at most 0.7 of VAE/GAN's"),
            report(f"{name}: copies of the right digit", right, "within 0.03 of each other"),
        )
    (distance, error, right), (pixel_distance, pixel_error, pixel_right) = results["vae_gan"], results["vae"]
    assert distance <= 0.7 * pixel_distance
    assert pixel_error <= 0.7 * error
    assert abs(right - pixel_right) <= 0.03


def test_labels_give_each_class_a_petal_of_its_own():
    labels, shares = digits_split("test")[1], []
    for seed in SEEDS:
        codes = trained("aae_labelled", seed).encode(held_out())
        petals = np.round(np.arctan2(codes[:, 1], codes[:, 0]) / (2 * np.pi / 10)).astype(int) % 10
        shares.append((petals == labels).mean())
    assert report("aae_labelled: held-out digits in their class's petal", shares, "at least 0.80") >= 0.80
