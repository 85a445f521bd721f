"""Adversarial neural machine translation: a translator whose sentences a discriminator takes for human ones or not.

Wu et al., "Adversarial Neural Machine Translation" (2017), https://arxiv.org/abs/1704.06933
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import losses, randomness
from keras_gans.checks import check_number, check_whole
from keras_gans.engine import decoding, undoing
from keras_gans.engine.base import register_scheme
from keras_gans.engine.given import check_raw_scores
from keras_gans.engine.kinds import Judged
from keras_gans.engine.phases import Phase
from keras_gans.engine.replicas import masked_mean, mean_over_replicas
from keras_gans.engine.translating_texts import TextTranslatingModel, shifted, trimmed
from keras_gans.errors import UserError, unknown_name
from keras_gans.hints import Loss, Tensor
from keras_gans.optimizers import Adam
from keras_gans.sentence_bleu import sentence_bleu
from keras_gans.subwords import END, PAD

REWARDS = ("discriminator", "sentence_bleu")
LIKELIHOOD, WARM_UP, ADVERSARIAL = "maximum likelihood", "discriminator", "adversarial"
# Weight of what was before in the moving average of the discriminator's accuracy.
_ACCURACY_MOMENTUM = 0.9
_GRADIENT_NORM = 1.0
_RISK_SAMPLES, _RISK_SHARPNESS = 4, 0.05
Batch = dict[str, Tensor]


@register_scheme("adversarial_nmt")
class AdversarialNMT(TextTranslatingModel):
    """Maximum likelihood; then D learns to tell pairs (x, y) from (x, y'), y' drawn by G; then G is rewarded by D.

    In the last phase each step takes the loss p L_G + (1 - p) L_MLE with
    L_G = -(R - b) log p(y'|x), R = D(x, y') and b a moving average of R (equations 4 and 5): the paper takes the two
    sorts of minibatches by turns, of which this is the expectation. Either is summed over its sentences and divided by
    how many tokens they have. D then learns on the same y', unless its accuracy,
    a moving average, is above `accuracy_ceiling`: where it is too sure, every reward is 0.

    With `roll_outs` each token has a reward of its own: the mean R of so many sentences that begin as y' up to it and
    go on as the policy draws (Yu et al., "SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient" (2017),
    equation 4). That takes as many decodings as there are tokens.

    With `reward="sentence_bleu"` no discriminator has a part in L_G: it is the expected risk 1 - BLEU of several
    drawn translations (minimum-risk training, Shen et al. 2016). The discriminator looks on, as a measure.

    Curves: `likelihood` is -log p(y|x) a token, and `token_accuracy` the share of tokens that are the likeliest, both
    with the reference's tokens before them; `entropy` is the policy's, a token, in nats; `reward` the mean R of what
    was drawn, `baseline` b, and `discriminator_accuracy` the share of pairs that D finds right.

    Args:
        generator: keras.Model, see `TextTranslatingModel`.
        discriminator: keras.Model, [source, target] tokens of one fixed length -> raw scores (batch, 1). Its length is
            the `max_length` of training. One that takes vectors (batch, length, d) in place of tokens sees those of the
            generator, as in the paper: as they are at each step, and no gradient passes through them.
        source_vocabulary, target_vocabulary: see `TextTranslatingModel`.
        likelihood_steps: of the first phase.
        warm_up_steps: of the discriminator's.
        adversarial_share: p, 1/2 in the paper; 0 goes on with maximum likelihood alone.
        reward: "discriminator" (the paper) or "sentence_bleu".
        roll_outs: sentences that each token's reward is the mean of; 0, as in the paper, for the sentence's own reward.
        accuracy_ceiling: the accuracy of D from which on it rests, above 1/2 and up to 1, where it never does.
        baseline_momentum: of the moving average b.
        label_smoothing: of the maximum likelihood; the paper has none.
        risk_samples: drawn translations of each sentence, 4 unless given; for `reward="sentence_bleu"` alone.
        risk_sharpness: the power of p that weighs them, 0.05 unless given; likewise.
        **kwargs: as `TextTranslatingModel`.

    Attributes:
        baseline: b, a float32 variable; saved with the weights and equal on all replicas.
        accuracy: the moving average of D's accuracy, likewise.

    Raises:
        UserError: networks or vocabularies that do not fit together, an unknown reward, or numbers out of range.
    """

    players = {"generator": ("generator",), "discriminator": ("discriminator",)}
    rivals = {"generator": ("discriminator",)}
    judged_fields = ("source", "target")
    option_examples = {
        "reward": ("sentence_bleu",),
        "accuracy_ceiling": (0.5,),
        "label_smoothing": (0.1,),
        "adversarial_share": (0.25,),
        "baseline_momentum": (0.5,),
        "roll_outs": (2,),
        "risk_samples": (3,),
        "risk_sharpness": (1.0,),
        # A model's networks know two vocabularies.
        "source_vocabulary": (("<pad>", "<s>", "</s>", "<unk>", "a"),),
        "target_vocabulary": (("<pad>", "<s>", "</s>", "<unk>", "a"),),
    }
    log_names = ("likelihood", "token_accuracy", "entropy", "reward", "baseline", "discriminator_accuracy")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        source_vocabulary: Sequence[str],
        target_vocabulary: Sequence[str],
        *,
        likelihood_steps: int = 2000,
        warm_up_steps: int = 300,
        adversarial_share: float = 0.5,
        reward: str = "discriminator",
        roll_outs: int = 0,
        accuracy_ceiling: float = 0.82,
        baseline_momentum: float = 0.99,
        label_smoothing: float = 0.0,
        risk_samples: int | None = None,
        risk_sharpness: float | None = None,
        **kwargs: Any,
    ):
        lengths = {shape[1] for shape in discriminator.input_shape}
        if len(lengths) != 1 or None in lengths:
            raise UserError(
                "The discriminator takes source and target tokens of one fixed length, as "
                f"networks.pair_grid_discriminator does. Received one that takes {discriminator.input_shape}."
            )
        sizes = {shape[2] for shape in discriminator.input_shape if len(shape) == 3}
        if sizes and sizes != {generator.vector_size}:
            raise UserError(
                f"The discriminator reads the generator's vectors, of {generator.vector_size} numbers. Received one "
                f"that takes {discriminator.input_shape}."
            )
        check_raw_scores("discriminator", discriminator)
        super().__init__(generator, source_vocabulary, target_vocabulary, **kwargs)
        if reward not in REWARDS:
            raise unknown_name("reward", reward, REWARDS)
        check_number("adversarial_share", adversarial_share, 0.0, 1.0, example="0.5")
        check_number("accuracy_ceiling", accuracy_ceiling, 0.5, 1.0, example="0.82")
        check_number("baseline_momentum", baseline_momentum, 0.0, 1.0, example="0.99")
        check_number("label_smoothing", label_smoothing, 0.0, 0.99, example="0.1")
        check_whole("roll_outs", roll_outs, 0)
        if roll_outs and reward != "discriminator":
            raise UserError(f"roll_outs is for reward='discriminator'. Received: {roll_outs} with reward={reward!r}.")
        for option, value in (("risk_samples", risk_samples), ("risk_sharpness", risk_sharpness)):
            if value is not None and reward != "sentence_bleu":
                raise UserError(f"{option} is for reward='sentence_bleu'. Received: {value!r} with reward={reward!r}.")
        if risk_samples is not None:
            check_whole("risk_samples", risk_samples, 2)
        if risk_sharpness is not None:
            check_number("risk_sharpness", risk_sharpness, above=True, example="0.005")
        self.discriminator, self.reward, self.roll_outs = discriminator, reward, roll_outs
        self.likelihood_steps, self.warm_up_steps = likelihood_steps, warm_up_steps
        self.adversarial_share, self.accuracy_ceiling = adversarial_share, accuracy_ceiling
        self.baseline_momentum, self.label_smoothing = baseline_momentum, label_smoothing
        self.risk_samples, self.risk_sharpness = risk_samples, risk_sharpness
        self.baseline, self.accuracy = (
            self.add_weight(
                name=variable,
                shape=(),
                initializer=keras.initializers.Constant(0.5),
                trainable=False,
                aggregation="only_first_replica",
            )
            for variable in ("baseline", "accuracy")
        )
        # Refuses what are no numbers of steps.
        self.phase_starts()

    @classmethod
    def arguments_of_others(cls, role: str, networks: Mapping[str, keras.Model]) -> dict[str, Any]:
        return {"translator_units": networks["generator"].vector_size} if role == "discriminator" else {}

    @property
    def max_length(self) -> int:
        return self.discriminator.input_shape[0][1]

    def phases(self) -> tuple[Phase, ...]:
        return (
            Phase(LIKELIHOOD, self.likelihood_steps, ("generator",)),
            Phase(WARM_UP, self.warm_up_steps, ("discriminator",)),
            Phase(ADVERSARIAL, None, tuple(self.players)),
        )

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        # Without momentum a discriminator that is held stands still.
        return {
            "generator": Adam(1e-3, global_clipnorm=_GRADIENT_NORM),
            "discriminator": Adam(1e-3, beta_1=0.0),
        }

    def play(self, source: Tensor, target: Tensor) -> None:
        batch = self.read(source, target)
        if self.phase.name == LIKELIHOOD:
            self.update("generator", self.likelihood_loss, batch)
            return
        drawn = self.draw_translations(batch, 1)
        rewards = self.rewards(batch, drawn)
        if self.phase.name == ADVERSARIAL:
            credits = self.rolled_out(batch, drawn, self.next_seed()) if self.roll_outs else rewards
            self.update("generator", self.generator_loss, batch, drawn, credits, self.next_seed())
        is_unsure = tf.cast(self.accuracy.value < self.accuracy_ceiling, tf.float32)
        weights = {"discriminator": {"loss": is_unsure}}
        curves = self.update_together(weights, self.discriminator_loss, batch, drawn)
        self._move(self.accuracy, curves["discriminator_accuracy"], _ACCURACY_MOMENTUM)
        reward = masked_mean(rewards, batch["is_short"])
        self._log({"reward": reward, "baseline": self.baseline.value})
        self._move(self.baseline, reward, self.baseline_momentum)

    def _move(self, average, value, momentum):
        # Of the global batch: it must be the same on every replica.
        moved = momentum * average.value + (1.0 - momentum) * mean_over_replicas(value)
        undoing.at_the_end(functools.partial(average.assign, moved))

    # The generator's side ---------------------------------------------------------------------------------------

    def likelihood_loss(self, batch: Batch) -> Loss:
        """-log p(y|x) a token of the references, and curves."""
        logits = self.generator([batch["source"], batch["previous"]], training=True)
        tokens, mask = batch["target"], (batch["target"] != PAD) & batch["is_short"][:, tf.newaxis]
        # Padding and the beginning are impossible, and not to be smoothed.
        errors = losses.token_cross_entropy(tf.maximum(tokens - END, 0), logits[..., END:], self.label_smoothing)
        probabilities = tf.nn.log_softmax(logits[..., END:])
        entropy = -tf.reduce_sum(tf.exp(probabilities) * probabilities, axis=-1)
        is_right = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == tokens, tf.float32)
        loss, entropy, right = (_over_tokens(each, mask) for each in (errors, entropy, is_right))
        return loss, {"likelihood": loss, "token_accuracy": right, "entropy": entropy}

    def draw_translations(self, batch: Batch, count: int, seed: Tensor | None = None) -> Tensor:
        """Tokens (batch * count, length) drawn from the policy, `count` for each source in turn.

        They have `max_length` tokens at the most.
        """
        sources = tf.repeat(batch["source"], count, axis=0) if count > 1 else batch["source"]
        seed = self.next_seed() if seed is None else seed
        return trimmed(decoding.sample(self.generator, sources, self.max_length, seed))

    def token_log_probabilities(self, source: Tensor, tokens: Tensor) -> Tensor:
        """log p of each token of y', (batch, t), 0 for padding; by the policy that draws them: without dropout."""
        logits = self.generator([source, shifted(tokens)], training=False)
        return tf.where(tokens != PAD, -losses.token_cross_entropy(tokens, logits), 0.0)

    def log_probabilities(self, source: Tensor, tokens: Tensor) -> Tensor:
        """log p(y'|x) of whole sentences, (batch,)."""
        return tf.reduce_sum(self.token_log_probabilities(source, tokens), axis=1)

    def rewards(self, batch: Batch, drawn: Tensor) -> Tensor:
        """R of each drawn translation, (batch,), from 0 to 1."""
        if self.reward == "sentence_bleu":
            return sentence_bleu(drawn, batch["target"])
        return tf.sigmoid(self.scores(batch["source"], drawn, training=False))

    def rolled_out(self, batch: Batch, drawn: Tensor, seed: Tensor) -> Tensor:
        """R of each token of drawn translations (batch, t): the mean of `roll_outs` sentences that begin so."""
        count = self.roll_outs
        sources, begun = (tf.repeat(each, count, axis=0) for each in (batch["source"], drawn))

        def of_first(places):
            at_place = randomness.fold_in(seed, places)
            whole = decoding.sample(self.generator, sources, self.max_length, at_place, (begun, places))
            rewards = self.rewards({"source": sources}, trimmed(whole))
            return tf.reduce_mean(tf.reshape(rewards, (-1, count)), axis=1)

        places = tf.range(1, tf.shape(drawn)[1] + 1)
        signature = tf.TensorSpec((drawn.shape[0],), tf.float32)
        return tf.transpose(tf.map_fn(of_first, places, fn_output_signature=signature, parallel_iterations=1))

    def generator_loss(self, batch: Batch, drawn: Tensor, rewards: Tensor, seed: Tensor) -> Loss:
        """p L_G + (1 - p) L_MLE, and the curves of the latter; with rewards of sentences (batch,) or of each token."""
        likelihood, curves = self.likelihood_loss(batch)
        if self.reward == "sentence_bleu":
            policy = masked_mean(self._risk(batch, seed), batch["is_short"])
        else:
            probabilities = self.token_log_probabilities(batch["source"], drawn)
            rewards = rewards if rewards.shape.rank == 2 else rewards[:, tf.newaxis]
            each = losses.reinforce(probabilities, rewards, self.baseline.value)
            # A token weighs as much as one of the likelihood, so that p is the share that it says it is.
            policy = _over_tokens(each, (drawn != PAD) & batch["is_short"][:, tf.newaxis])
        return self.adversarial_share * policy + (1.0 - self.adversarial_share) * likelihood, curves

    def _risk(self, batch, seed):
        """The expected risk of `risk_samples` translations of each source, (batch,)."""
        count = self.risk_samples or _RISK_SAMPLES
        drawn = self.draw_translations(batch, count, seed)
        sources, targets = (tf.repeat(batch[side], count, axis=0) for side in ("source", "target"))
        risks = tf.reshape(1.0 - sentence_bleu(drawn, targets), (-1, count))
        probabilities = tf.reshape(self.log_probabilities(sources, drawn), (-1, count))
        rows = tf.reshape(drawn, (-1, count, tf.shape(drawn)[1]))
        is_equal = tf.reduce_all(rows[:, :, tf.newaxis] == rows[:, tf.newaxis], axis=-1)
        earlier = tf.range(count)[:, tf.newaxis] > tf.range(count)
        is_first = ~tf.reduce_any(is_equal & earlier, axis=-1)
        return losses.minimum_risk(probabilities, risks, is_first, self.risk_sharpness or _RISK_SHARPNESS)

    # The discriminator's side -----------------------------------------------------------------------------------

    def scores(self, source: Tensor, target: Tensor, training: bool = True) -> Tensor:
        """D's raw scores of pairs of tokens, (batch,)."""
        pair = {side: self._padded(each) for side, each in (("source", source), ("target", target))}
        if len(self.discriminator.input_shape[0]) == 3:
            vectors = (self.generator.vectors(side, tokens) for side, tokens in pair.items())
            pair = {side: tf.stop_gradient(each) for side, each in zip(pair, vectors, strict=True)}
        return tf.cast(self.discriminator(list(pair.values()), training=training), tf.float32)[:, 0]

    def _padded(self, tokens):
        """Tokens at the one length that D takes."""
        tokens = tf.pad(tokens, [(0, 0), (0, self.max_length - tf.shape(tokens)[1])])
        return tf.ensure_shape(tokens, (None, self.max_length))

    def discriminator_loss(self, batch: Batch, drawn: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """{"loss": -log D(x, y) - log(1 - D(x, y'))} (equation 2) and D's accuracy."""
        real, fake = (self.scores(batch["source"], target) for target in (batch["target"], drawn))
        errors = tf.nn.softplus(-real) + tf.nn.softplus(fake)
        right = 0.5 * (tf.cast(real > 0, tf.float32) + tf.cast(fake < 0, tf.float32))
        loss, accuracy = (masked_mean(each, batch["is_short"]) for each in (errors, right))
        return {"loss": loss}, {"discriminator_accuracy": accuracy}

    # What may be asked ------------------------------------------------------------------------------------------

    def judged(
        self, real: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray] | None = None, training: bool = False
    ) -> Judged:
        batch = self.read(*(tf.convert_to_tensor(real[side]) for side in ("source", "target")))
        if made is None:
            drawn = self.draw_translations(batch, 1)
        else:
            drawn = self.target_subwords.encode(tf.convert_to_tensor(made["target"]), self.max_length)
        return {
            "discriminator": tuple(self.scores(batch["source"], each, training) for each in (batch["target"], drawn))
        }

    def realness(self, *values: Tensor, training: bool = False) -> Tensor:
        batch = self.read(*values)
        return self.scores(batch["source"], batch["target"], training)


def _over_tokens(values, mask):
    """The mean over all tokens of the global batch that a mask (batch, t) selects."""
    return masked_mean(tf.reshape(values, (-1,)), tf.reshape(mask, (-1,)))
