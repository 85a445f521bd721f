"""What a scheme says of itself: what it takes, makes, shows, thinks of samples and answers when exported.

Callbacks, the doctor, measures, commands and the export ask this and know no scheme.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans.engine import show, validity
from keras_gans.engine.kinds import Endpoints, Judged, Shown
from keras_gans.errors import UserError
from keras_gans.fields import SAMPLE, Classes, Field, Kinds, sample_of, texts_are_translated
from keras_gans.limits import BATCH_LIMIT


class Asking:
    """The defaults of everything that may be asked of an `AdversarialModel`: one that takes samples and makes none.

    Attributes:
        takes: {field: the kinds it may be of}, what `fit` takes and `play` gets, in this order; see `fields`.
        aligned: whether a row's fields belong together; False where they may come from collections of their own.
        makes: name of that field of `takes` which `sample` gives rows of, or None where it samples nothing.
        translates: {direction: (field it takes, field it makes)}, where the scheme has `translate(rows, direction)`.
        rivals: {player: names of the judges that it tries to fool}; see `judged`.
        judged_fields: names of the fields that `judged` needs, and `realness` takes; none where nothing judges.
        measures: names of the measures that fit what it makes, see `metrics.MEASURES`; None for all of its kind.
        is_generative: whether its samples are meant to resemble the data.
        is_critic: whether its judge's scores have no scale of their own.
        is_saturating: whether its generator's loss goes flat where the judge is sure.
        allows_unlabelled: whether a label may be -1, for a row that has none.
        class_names: of the classes that it knows, for people; none where it knows no classes.
        option_examples: {argument of the constructor: values that it may have}, where `keras_gans.testing` cannot guess
            another value than the one it finds; added to what the bases say. Layers are made by a function without
            arguments that stands for the values, as making one starts TensorFlow, which importing must not.
    """

    takes: dict[str, Kinds] = {"sample": SAMPLE}
    aligned = True
    makes: str | None = None
    translates: dict[str, tuple[str, str]] = {}
    rivals: dict[str, tuple[str, ...]] = {}
    judged_fields: tuple[str, ...] = ()
    measures: tuple[str, ...] | None = None
    is_generative = True
    is_critic = False
    is_saturating = False
    allows_unlabelled = False
    class_names: tuple[str, ...] = ()
    # A model's networks know one number of classes.
    option_examples: dict[str, tuple[Any, ...] | Callable[[], tuple[Any, ...]]] = {"class_count": (2, 3)}

    # Of the data ------------------------------------------------------------------------------------------------

    @classmethod
    def read_data(cls, data_fields: Mapping[str, Field], tokenizer: Mapping[str, Any]) -> dict[str, Field]:
        """The data's fields as the next two methods get them, with what a scheme of texts makes of these.

        Args:
            data_fields: {field: what the data have for it}, of the scheme's `takes`.
            tokenizer: options of the tokenizer to be made, such as {"level": "character"}; a recipe has them.

        Raises:
            UserError: options for a scheme that reads no texts.
        """
        if tokenizer:
            raise UserError(f"{cls.__name__} reads no texts: leave tokenizer out. Received: {dict(tokenizer)!r}.")
        return dict(data_fields)

    @classmethod
    def network_arguments(cls, role: str, data_fields: Mapping[str, Field], latent_dim: int) -> dict[str, Any]:
        """What the function that builds a network is offered; it gets those arguments that it has.

        Args:
            role: the network's name, one of `network_names()`.
            data_fields: {field: what the data have for it}, of the scheme's `takes`.
            latent_dim: size of a latent.

        Returns:
            {argument: value}, here `sample_shape`, `latent_dim` and, with labels, `class_count`.
        """
        sample, label = data_fields.get("sample"), data_fields.get("label")
        arguments = {"latent_dim": latent_dim}
        if sample is not None:
            arguments["sample_shape"] = sample.shape
        if label is not None:
            arguments["class_count"] = label.count
        return arguments

    @classmethod
    def arguments_of_others(cls, role: str, networks: Mapping[str, keras.Model]) -> dict[str, Any]:
        """What that function is offered besides, of the networks that were built before: here nothing."""
        return {}

    @classmethod
    def scheme_arguments(cls, data_fields: Mapping[str, Field]) -> dict[str, Any]:
        """What the constructor is offered of the data, likewise: of labels their `class_count`, names and prior."""
        label = data_fields.get("label")
        if label is None:
            return {}
        known = {"class_count": label.count, "class_names": label.names}
        return known if label.prior is None else known | {"class_prior": list(label.prior)}

    def fields(self) -> dict[str, Field]:
        """{field: what exactly it holds}, of each name in `takes`; a scheme with names of its own says so here."""
        known = {}
        if "sample" in self.takes:
            known["sample"] = sample_of(self.sample_shape())
        if "label" in self.takes:
            known["label"] = Classes(tuple(self.class_names), self.allows_unlabelled)
        return {name: known[name] for name in self.takes}

    @classmethod
    def translates_texts(cls) -> bool:
        """Whether what it `translates` are texts."""
        return texts_are_translated(cls.translates, cls.takes)

    def pair_lengths(self, rows: Mapping[str, Any]) -> np.ndarray:
        """Tokens of each row, of a scheme that `translates_texts`: what batches by tokens are made by.

        Args:
            rows: {field: list of str}, of its `takes`.

        Returns:
            int64 (rows,), those of the row's longest text, with its end; 0 for a row that is left out of training.
        """
        raise UserError(f"{type(self).__name__} reads no texts as tokens, of which there could be so many.")

    def vocabularies(self) -> dict[str, Sequence[str]]:
        """{file beside the exported model, without .txt: its lines}, for whoever hands it tokens."""
        return {}

    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample, without the batch.

        Raises:
            UserError: the scheme makes no samples.
        """
        raise UserError(f"{type(self).__name__} makes no samples, so that there is no shape of them.")

    def check_batch(self, batch: Mapping[str, np.ndarray]) -> None:
        """Raises a `UserError` where a batch of arrays, {field: rows}, is not what the scheme trains on."""
        for name, field in self.fields().items():
            field.check(batch[name], "samples" if name == "sample" else name)

    def remarks_on(self, rows: Mapping[str, np.ndarray]) -> tuple[str, ...]:
        """Sentences for people on what in the data will hardly go with the model's options; none where all is well.

        Args:
            rows: {field: rows} of the data, of the fields that `takes` names.
        """
        return ()

    def example_batch(self, count: int, seed: int = 0) -> dict[str, np.ndarray]:
        """A batch of random rows such as `fit` takes: {field: array of `count` rows}."""
        return {name: field.example(count, seed) for name, field in self.fields().items()}

    # Of the model -----------------------------------------------------------------------------------------------

    def sample(self, count: int, seed: int = 0, labels: Any = None) -> np.ndarray:
        """Draws samples, where the scheme `makes` some; see `serving.Sampler.sample`."""
        raise UserError(f"{type(self).__name__} makes no samples.")

    def check_has_latents(self) -> None:
        """Raises a `UserError` unless the model maps latents to samples, which is what `keras_gans.latent` walks in."""
        if self.makes is None:
            raise UserError(f"{type(self).__name__} maps no latents to samples, so there are none to walk between.")

    def draw(self, count: int, seed: int = 0) -> dict[str, np.ndarray]:
        """What sampling makes, {field: array of `count` rows}, with what the samples were made for: their labels."""
        return {}

    def realness(self, *values: tf.Tensor, training: bool = False) -> tf.Tensor:
        """How real the scheme's judge finds samples, higher being more real, in its own raw scores.

        Args:
            *values: tensors, the batch first, of the `judged_fields`; images are floats in [-1, 1].
            training: whether the networks run as in training.

        Returns:
            float32 tensor (batch,).
        """
        raise UserError(f"{type(self).__name__} has no judge of samples.")

    def judged(
        self, real: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray] | None = None, training: bool = False
    ) -> Judged:
        """What each judge thinks of the data and of what is to pass for them.

        Args:
            real: {field: tensor}, a batch of the fields in `takes`, images as floats in [-1, 1].
            made: what is to pass for it, of the `judged_fields` at least; drawn anew, as training does, unless given.
                Judges of codes draw their own.
            training: whether the networks run as in training.

        Returns:
            {judge: (float32 scores (batch,) of the data, and of the others)}; a judge is a player. Empty where no
            player judges.
        """
        return {}

    def shows_data(self, real: Mapping[str, np.ndarray]) -> Shown:
        """What is drawn once of the data: {tag: uint8 picture (height, width, channels), or list of texts}.

        Args:
            real: {field: array}, images as uint8.
        """
        return show.data(real, self.fields())

    def shows(self, real: Mapping[str, np.ndarray] | None, count: int, seed: int = 0) -> Shown:
        """What is drawn again and again while it trains, likewise.

        Args:
            real: {field: array} of data to stand beside, or None.
            count: images to draw at the most.
            seed: of what is drawn at random.
        """
        return {}

    def endpoints(self) -> Endpoints:
        """What the exported model answers: {signature: (function, its input specifications)}; here nothing."""
        return {}

    def not_in_tflite(self) -> dict[str, str]:
        """{signature of `endpoints`: why it has operations that TFLite lacks}; here none is known to."""
        return {}

    def valid_rows(self, specification: tf.TensorSpec, values: tf.Tensor) -> tf.Tensor | None:
        """Which rows of an input of the `endpoints` can be answered, bool (batch,); None where every value can be.

        Here by the input's name: a `label` is a class; an `image` of floats lies in [-1, 1], and a `fraction` in
        [0, 1]; a `text` is not longer than `validity.TEXT_LIMIT` bytes; other floats are finite. The other rows are
        answered all the same; see `validity.served_endpoints`. Of comparisons alone, so that TFLite and ONNX have them.

        Args:
            specification: of the input.
            values: tensor (batch, ...).
        """
        return validity.valid_rows(self, specification, values)

    def export(
        self,
        filepath: str | Path,
        format: str = "tf_saved_model",
        *,
        batch_limit: int = BATCH_LIMIT,
        **kwargs: Any,
    ) -> None:
        """Writes a SavedModel with the signatures of `endpoints`, each weight once.

        A row that cannot be answered is answered as invalid, and the others as ever; see `validity.served_endpoints`.

        Args:
            filepath: folder to write.
            format: "tf_saved_model"; `keras_gans.export` and `keras-gans export` write TFLite beside it, and any other
                format of Keras is one of a single network.
            batch_limit: rows that one call may have; more are refused.
            **kwargs: `verbose`, as `keras.export.ExportArchive.write_out`.

        Raises:
            UserError: another format, or a limit that is none.
        """
        if format != "tf_saved_model":
            instead = (
                "keras-gans export RUN writes TFLite files of it, each compared with the model"
                if format in ("litert", "tflite")
                else f"take a single network, such as model.{next(iter(self.network_names()))}.export(..., {format=})"
            )
            raise UserError(f"A scheme is exported as 'tf_saved_model': {instead}. Received: format={format!r}.")
        archive = keras.export.ExportArchive()
        for name, (function, signature) in validity.served_endpoints(self, batch_limit).items():
            archive.add_endpoint(name, function, input_signature=signature)
        archive.write_out(filepath, **kwargs)

    def example_inputs(self, signature: str, rows: int) -> dict[str, np.ndarray]:
        """Valid inputs of one of the `endpoints`: {input: array of `rows` rows}."""
        return {spec.name: self.example_input(spec, rows) for spec in self.endpoints()[signature][1]}

    def example_input(self, specification: tf.TensorSpec, rows: int) -> np.ndarray:
        """An array of `rows` rows that an input of that name, shape and type may hold, for checks and warm-up.

        Raises:
            UserError: there is no telling.
        """
        raise UserError(
            f"There is no telling what a valid {specification.name!r} is. Give {type(self).__name__} a method "
            "example_input(specification, rows) that returns an array."
        )
