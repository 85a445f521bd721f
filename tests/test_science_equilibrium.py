"""BEGAN on handwritten digits, over seeds: the balance, k, the convergence measure, and how many kinds it draws."""

import keras
import numpy as np
import pytest

import keras_gans as kg
from benchmarks import convergence_measures
from keras_gans.errors import UserError
from tests.science import SAMPLES, SEEDS, digits_split, report, trained

pytestmark = pytest.mark.slow


class Recorder(keras.callbacks.Callback):
    """The curves of each step: {name: list}."""

    def on_train_begin(self, logs=None):
        self.curves = {name: [] for name in self.model.log_names}

    def on_train_batch_end(self, batch, logs=None):
        for name, values in self.curves.items():
            values.append(logs[name])
        # So that the next step's logs are its own, not the mean since the beginning.
        self.model.reset_metrics()


def figures(gamma, seed):
    """Over the run's last fifth L(G(z)) / L(x), k and M_global, that over its mean of the first twentieth; spread."""
    recorder = Recorder()
    model = trained("began", seed, callbacks=[recorder], scheme={"name": "began", "gamma": gamma, "lambda_k": 0.01})
    fifth = len(recorder.curves["k"]) // 5
    last = {name: np.mean(values[-fifth:]) for name, values in recorder.curves.items()}
    samples = model.sample(SAMPLES, seed=10_000).reshape(SAMPLES, -1) / 127.5 - 1.0
    return (
        last["fake_error"] / last["real_error"],
        last["k"],
        last["convergence_measure"] / np.mean(recorder.curves["convergence_measure"][: fifth // 4]),
        samples.std(axis=0).mean() / digits_split("train")[0].std(axis=0).mean(),
    )


def test_the_balance_holds_and_diversity_follows_gamma():
    diversity = {}
    for gamma in (0.3, 0.5, 0.7):
        ratios, ks, falls, spreads = zip(*(figures(gamma, seed) for seed in SEEDS), strict=True)
        assert abs(report(f"gamma {gamma}: L(G(z)) / L(x)", ratios, "within 0.03 of gamma") - gamma) <= 0.03
        assert 0.0 < report(f"gamma {gamma}: k", ks, "between 0 and 0.5") < 0.5
        assert report(f"gamma {gamma}: convergence measure, last over first", falls, "at most 0.5") <= 0.5
        diversity[gamma] = report(f"gamma {gamma}: deviation over the data's", spreads, "0.50 or more at gamma 0.5")
    assert diversity[0.5] >= 0.50
    assert diversity[0.3] < diversity[0.5] < diversity[0.7]


@pytest.mark.parametrize(("name", "data"), [("began", "digits"), ("began_mnist", "mnist")])
def test_all_ten_digits_are_drawn_on_each_of_five_seeds(name, data):
    """Counted where the classifier is sure, as it names whatever it is shown."""
    try:
        source = kg.data.open_source(data)
    except UserError as error:
        pytest.skip(f"MNIST is not at hand: {error}")
    judge, found = kg.metrics.extractor(data), []
    evaluation = kg.metrics.Evaluation(source, metrics=("frechet_distance", "precision_recall"), extractor=judge)
    for seed in range(5):
        model = trained(name, seed, data=source)
        probabilities = judge.probabilities(model.sample(SAMPLES, seed=10_000))
        sure = probabilities.max(axis=1) >= 0.9
        counts = np.bincount(probabilities.argmax(axis=1)[sure], minlength=10)
        scores = {score.name: score.value for score in evaluation.of(model)}
        found.append((np.sort(counts)[:2] / SAMPLES, sure.mean(), scores["frechet_distance"], scores["coverage"]))
        print(f"\nseed {seed}: {counts}", *found[-1], flush=True)
        assert np.count_nonzero(counts >= 0.01 * SAMPLES) >= 9, counts
    rarest, sure, distances, coverages = zip(*found, strict=True)
    report(f"{name}: share of the rarest digit", [pair[0] for pair in rarest], "reported")
    report(f"{name}: share of the second rarest digit", [pair[1] for pair in rarest], "at least 0.01 on each seed")
    report(f"{name}: share of sure samples", sure, "reported")
    report(f"{name}: Frechet distance", distances, "reported")
    report(f"{name}: coverage", coverages, "reported")


def test_measures_of_convergence_rank_the_stages_of_a_run_as_the_frechet_distance_does():
    """Berthelot et al. (2017), section 3.4.1; Xiang and Li (2017), section 4; Gulrajani et al. (2017), section 5.3."""
    base = convergence_measures.recipe_of("began")
    ranks = [convergence_measures.correlations(convergence_measures.measure(base.replace(seed=seed))) for seed in SEEDS]
    for name, bound in (("own", 0.7), ("inversion", 0.8), ("critic", 0.8)):
        found = report(
            f"began: rank correlation of {name} with FID", [rank[name] for rank in ranks], f"at least {bound}"
        )
        assert found >= bound
