"""Measures of translated sentences: BLEU and chrF by sacreBLEU, exact matches, and how peaked the policy is.

Post, "A Call for Clarity in Reporting BLEU Scores" (2018); Popović, "chrF: character n-gram F-score for automatic MT
evaluation" (2015). Why peakiness stands beside them: Choshen et al., "On the Weaknesses of Reinforcement Learning for
Neural Machine Translation" (2020).
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.data.holding_out import held_out_of
from keras_gans.errors import UserError
from keras_gans.fields import Texts
from keras_gans.metrics import measures
from keras_gans.metrics.on_held_out import SAMPLES, OnHeldOutData, chosen
from keras_gans.metrics.protocol import Protocol, Score, identity_of, packages
from keras_gans.private_apis import interval_of, score_of_statistics, sentence_statistics

if TYPE_CHECKING:
    from keras_gans.engine.translating_texts import TextTranslatingModel

_MOST = 100_000
_BOOTSTRAPS = 1000
# What the references score in the translations' place.
_FLOORS = {"bleu": 100.0, "chrf": 100.0, "exact_match": 1.0, "entropy": 0.0, "likeliest_share": 1.0}
# The half-width of a 95 % interval in standard errors.
_HALF_WIDTH = 1.96


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One system's figure against another's on the same sentences.

    Attributes:
        name: of the measure.
        value, other: the figures of either.
        interval: (low, high) between which 95 % of the differences of bootstrap samples lie.
        p_value: how often chance alone would make a difference as large, whatever its sign, as sacreBLEU has it.
    """

    name: str
    value: float
    other: float
    interval: tuple[float, float]
    p_value: float

    @property
    def difference(self) -> float:
        """The first figure less the second."""
        return self.value - self.other

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON takes it."""
        return {**dataclasses.asdict(self), "difference": self.difference}


class SentenceEvaluation(OnHeldOutData):
    """Translates held-out sentences, greedily, and compares them with their references.

    - `bleu` and `chrf`: of the corpus, by sacreBLEU with its own settings, whose signature is in the protocol; their
      standard errors are of 1,000 bootstrap samples of the sentences.
    - `exact_match`: the share of translations that are the reference.
    - `entropy`: of the policy's next token behind the reference's tokens, in nats, the mean over all tokens.
    - `likeliest_share`: the share of sentences drawn from the policy that are those that greedy decoding finds.

    The last two say nothing of quality: reinforcement learning makes a policy more peaked, and BLEU may rise by that.

    Held-out sentences are those that were set aside, or the data set's split "test" or "validation"; where there is
    neither, half of the training data, which the model has seen.

    Args:
        source: the training data, or whatever `keras_gans.data.open_source` takes.
        translates: as the scheme has it, of one direction.
        metrics: names out of `measures.OF_SENTENCES`; all unless given.
        samples: sentences at the most.
        seed: of the choice of sentences, and of what is drawn.
        extractor: has no meaning here, and must be None.
        data_dir, progress: as `keras_gans.data.open_source`.

    Attributes:
        names: the results in their order.

    Raises:
        UserError: no such measure, or data that are no texts.
    """

    def __init__(
        self,
        source: Any,
        translates: Mapping[str, tuple[str, str]],
        metrics: Sequence[str] | None = None,
        samples: Any = SAMPLES,
        seed: int = 0,
        extractor: Any = None,
        *,
        data_dir: str | Path | None = None,
        progress: bool = False,
    ):
        if extractor is not None:
            raise UserError(f"Texts are compared as they are, without an extractor. Received: {extractor!r}.")
        super().__init__(source, samples, seed, extractor, data_dir, progress)
        self.samples = min(self.samples, _MOST)
        self.measures = self.names = chosen(metrics, measures.OF_SENTENCES, "metric of texts")
        ((self.direction, self._fields),) = translates.items()
        self._takes = {name: (Texts,) for name in self._fields}
        self.source.match(self._takes)

    def prepare(self) -> "SentenceEvaluation":
        """Opens the held-out sentences, unless that has been done; returns this object."""
        self.protocols()
        return self

    @property
    def held_out(self) -> tuple[list[str], list[str]]:
        """(sources, references) that are compared."""
        return self._held[:2]

    @cached_property
    def _held(self):
        """(sources, references, name of their split)."""
        found = held_out_of(self.source, data_dir=self._data_dir)
        if found is None:
            return *self._rows(self.source, len(self.source) // 2), f"half of {self.source.split}"
        return *self._rows(found, len(found)), found.split

    def _rows(self, source, count):
        rows = source.rows_for(self._takes)
        order = np.random.default_rng([self.seed, 0]).permutation(len(source))[:count][: self.samples]
        return [[rows[name][place] for place in order] for name in self._fields]

    def of(self, model: "TextTranslatingModel") -> list[Score]:
        """Translates the held-out sentences with a model and measures what comes of it.

        Args:
            model: anything with `translate(texts, direction)` and `peakiness(sources, targets, seed)`.

        Returns:
            List of `Score`.
        """
        sources, references, _ = self._held
        values = self.of_texts(model.translate(sources, self.direction))
        if {"entropy", "likeliest_share"} & set(self.names):
            entropy, share = model.peakiness(sources, references, self.seed)
            values["entropy"] = entropy, None
            values["likeliest_share"] = share, measures.error_of_share(share, len(sources))
        return [
            Score(
                name=name,
                value=values[name][0],
                standard_error=values[name][1],
                floor=_FLOORS[name],
                floor_samples=len(references),
                higher_is_better=name != "entropy",
                protocol=self.protocols()[name],
            )
            for name in self.names
        ]

    def of_texts(self, translated: Sequence[str]) -> dict[str, tuple[float, float | None]]:
        """{result: (value, standard error)} of translations of the held-out sentences, without what needs a model."""
        _, references, _ = self._held
        values: dict[str, tuple[float, float | None]] = {}
        for name, metric in self._metrics.items():
            if name in self.names:
                found = metric.corpus_score(list(translated), [references], n_bootstrap=_BOOTSTRAPS)
                values[name] = float(found.score), interval_of(found) / _HALF_WIDTH
        share = float(np.mean([one == other for one, other in zip(translated, references, strict=True)]))
        return values | {"exact_match": (share, measures.error_of_share(share, len(references)))}

    def compare(self, translated: Sequence[str], others: Sequence[str]) -> list[Comparison]:
        """The paired bootstrap over sentences of two systems' translations of the held-out sentences.

        Both are measured on each of 1,000 samples of the sentences, drawn with replacement: what is hard for one is
        hard for the other too, so that their difference varies less than either figure (Koehn, "Statistical
        Significance Tests for Machine Translation Evaluation" (2004)).

        Args:
            translated, others: of the system in question and of the one that it is compared with.

        Returns:
            List of `Comparison`, of BLEU, chrF and exact matches as far as they are among `names`.
        """
        _, references, _ = self._held
        both = [list(translated), list(others)]
        if any(len(each) != len(references) for each in both):
            raise UserError(
                f"There are {len(references)} held-out sentences. Received translations of {len(both[0])} and "
                f"{len(both[1])}."
            )
        random = np.random.default_rng([self.seed, 1])
        shape = (_BOOTSTRAPS, len(references))
        counts = np.stack([np.bincount(rows, minlength=shape[1]) for rows in random.integers(shape[1], size=shape)])
        found = []
        for name, (statistics, score) in self._statistics(both).items():
            values = [score(each.sum(axis=0)) for each in statistics]
            sampled = [np.array([score(row) for row in counts @ each]) for each in statistics]
            differences = sampled[0] - sampled[1]
            low, high = np.percentile(differences, [2.5, 97.5]).tolist()
            # sacreBLEU's, which is Moses's, but for the same translations twice: they differ by chance alone.
            sizes = np.abs(differences)
            strays = np.count_nonzero(sizes - sizes.mean() >= abs(values[0] - values[1]))
            p_value = (strays + 1) / (_BOOTSTRAPS + 1)
            found.append(Comparison(name, *values, (low, high), p_value))
        return found

    def _statistics(self, systems):
        """{measure: (what is counted of each sentence, for either system; the figure of the sums)}."""
        _, references, _ = self._held
        found = {
            name: (
                [sentence_statistics(metric, texts, references) for texts in systems],
                functools.partial(score_of_statistics, metric),
            )
            for name, metric in self._metrics.items()
        }
        right = [np.array([[one == other] for one, other in zip(texts, references, strict=True)]) for texts in systems]
        found["exact_match"] = right, lambda total: float(total[0]) / len(references)
        return {name: each for name, each in found.items() if name in self.names}

    def against(self, model: "TextTranslatingModel", other: "TextTranslatingModel") -> list[Comparison]:
        """`compare` of what two models make of the held-out sentences, greedily."""
        sources, _, _ = self._held
        return self.compare(*(each.translate(sources, self.direction) for each in (model, other)))

    @cached_property
    def _metrics(self):
        from sacrebleu.metrics import BLEU, CHRF

        # sacreBLEU keeps what it has counted of the references with their number alone.
        return {"bleu": BLEU(), "chrf": CHRF()}

    def protocols(self) -> dict[str, Protocol]:
        """{result: Protocol} of what `of` will return."""
        _, references, split = self._held
        identity = identity_of(np.frombuffer("\n".join(references).encode(), np.uint8))
        return {
            name: Protocol(
                data=self.source.name,
                split=split,
                data_identity=identity,
                reference_samples=len(references),
                samples=len(references),
                resize="none",
                extractor=None,
                extractor_identity=None,
                seed=self.seed,
                settings=self._settings(name),
                packages=packages(),
            )
            for name in self.names
        }

    def _settings(self, name):
        if name not in self._metrics:
            return (("decoding", "greedy"),)
        self._metrics[name].num_refs = 1
        return (("decoding", "greedy"), ("signature", str(self._metrics[name].get_signature())))
