"""One look after another at a model in training, without changing anything in it."""

import numpy as np
import tensorflow as tf

from keras_gans.doctor.snapshot import plain
from keras_gans.doctor.vital_signs import VitalSigns, separation
from keras_gans.engine.replicas import spans_machines
from keras_gans.pixels import from_uint8

_BATCH = 256


class Examination:
    """Takes the vital signs of a model, each look compared with the one before.

    Between looks it holds a copy of the players' trainable weights.

    Args:
        model: a compiled `AdversarialModel`; those without `sample` are judged by losses, gradients and weights alone.
        reference: `Reference`, or None likewise.
        seed: of the first of the latents whose samples are looked at; always the same ones.
    """

    def __init__(self, model, reference=None, seed=0):
        self.model = model
        self.reference = reference if hasattr(model, "sample") else None
        self.seed = seed
        self._embedded = None
        self._curve_sums = {}
        self._scorer = None if self.reference is None else _scorer(model)
        self._weights = self._copy_weights()

    def look(self, step, logs=None):
        """The `VitalSigns` now.

        Args:
            step: training steps taken.
            logs: {curve: value} as `fit` reports them; None before the first step, where there is nothing to compare.
        """
        signs = {"learning_rates": self._learning_rates()}
        if logs is not None:
            curves = self._curves(logs)
            players = self.model.players
            signs["losses"] = {player: curves[f"{player}_loss"] for player in players}
            signs["gradient_norms"] = {player: curves[f"{player}_gradient_norm"] for player in players}
            signs["weight_changes"] = self._weight_changes()
            signs["separation"] = _separation_of_curves(curves)
        if self.reference is not None:
            signs.update(self._signs_of_samples())
        return VitalSigns(step, **signs)

    def _signs_of_samples(self):
        samples = self.model.sample(self.reference.count, seed=self.seed)
        embedded = self.reference.embed(samples)
        if not np.isfinite(embedded).all():
            return {"finite": False}
        signs = self.reference.compare(samples, embedded)
        if self._embedded is not None:
            moved = np.linalg.norm(embedded - self._embedded, axis=1).mean()
            signs["sample_change"] = float(moved / self.reference.scale)
        self._embedded = embedded
        return {**signs, **self._signs_of_scores(samples)}

    def _signs_of_scores(self, samples):
        if self._scorer is None:
            return {}
        real, fake = (
            np.concatenate([self._scorer(piece) for piece in np.array_split(values, -(-len(values) // _BATCH))])
            for values in (self.reference.samples, samples)
        )
        both = np.concatenate([real, fake])
        if not np.isfinite(both).all():
            return {"finite": False}
        size = float(np.sqrt(np.square(both).mean()))
        spread = float(both.std()) / size if size > 0 else 0.0
        return {"separation": separation(real, fake), "score_spread": spread}

    def _curves(self, logs):
        """{curve: mean since the last look}, whether or not another callback has started the means anew meanwhile."""
        if spans_machines(self.model.distribute_strategy):
            return {name: float(value) for name, value in logs.items()}
        means = {}
        for name, curve in self.model.curves.items():
            total, count = (float(tf.convert_to_tensor(part)) for part in (curve.total, curve.count))
            old_total, old_count = self._curve_sums.get(name, (0.0, 0.0))
            self._curve_sums[name] = (total, count)
            if count <= old_count or count == 0.0:
                old_total = old_count = 0.0
            # A callback that came first may have started them anew just now; then `logs` still have the mean.
            means[name] = (total - old_total) / (count - old_count) if count else float(logs.get(name, np.nan))
        return means

    def _learning_rates(self):
        optimizers = self.model.optimizers.items()
        return {player: float(tf.convert_to_tensor(plain(optimizer).learning_rate)) for player, optimizer in optimizers}

    def _copy_weights(self):
        return {
            player: [tf.identity(tf.convert_to_tensor(variable)) for variable in self.model.variables_of(player)]
            for player in self.model.players
        }

    def _weight_changes(self):
        before, self._weights = self._weights, self._copy_weights()
        changes = {}
        for player, weights in self._weights.items():
            moves = [now - then for now, then in zip(weights, before[player], strict=True)]
            size = float(tf.linalg.global_norm(weights))
            changes[player] = float(tf.linalg.global_norm(moves)) / max(size, 1e-30)
        return changes


def _judges_alone(discriminator, sample_shape):
    """Whether a discriminator takes samples and nothing else, and answers with one score first."""
    takes, gives = discriminator.inputs, discriminator.outputs
    return len(takes) == 1 and tuple(takes[0].shape[1:]) == tuple(sample_shape) and tuple(gives[0].shape[1:]) == (1,)


def _scorer(model):
    """A graph from samples to the discriminator's raw scores, None where it does not score samples alone.

    The scores are as used, not as trained: batch normalization goes by its moving averages.
    """
    discriminator = getattr(model, "discriminator", None)
    if discriminator is None or not _judges_alone(discriminator, model.sample_shape()):
        return None

    def scores(samples):
        answers = discriminator(from_uint8(samples) if samples.dtype == tf.uint8 else samples, training=False)
        return tf.reshape(tf.cast(tf.nest.flatten(answers)[0], tf.float32), [-1])

    return tf.function(scores, reduce_retracing=True, autograph=False)


def _separation_of_curves(curves):
    """What stands in for the separation where the scores cannot be had: a fair guess's chance of being right."""
    if not {"real_probability", "fake_probability"} <= set(curves):
        return None
    return 0.5 + 0.5 * (curves["real_probability"] - curves["fake_probability"])


def first_samples(dataset, count):
    """The first `count` samples of a tf.data.Dataset of batches, or of (batches, labels), as an array."""
    samples = dataset.map(lambda *element: element[0]).unbatch().take(count)
    return np.stack(list(samples.as_numpy_iterator()))
