"""Encoders of texts and images that a measure trains for itself, to say which caption a picture is of.

As Xu et al., "AttnGAN: Fine-Grained Text to Image Generation with Attentional Generative Adversarial Networks" (2018),
section 4, measure R-precision; with the encoders and the loss of Reed et al. (2016).
"""

import hashlib
import json
import random
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_gans import losses
from keras_gans.data import cache
from keras_gans.data.pictures import progress_bar
from keras_gans.data.pipeline import to_dataset
from keras_gans.data.source import Source, class_column
from keras_gans.data.texts import TextArray
from keras_gans.errors import UserError
from keras_gans.layers.tokenizer import Tokenizer
from keras_gans.metrics.classifiers import identity_of
from keras_gans.networks.text import image_encoder, text_encoder
from keras_gans.pixels import from_uint8
from keras_gans.words import read_vocabulary

_SEED, _VERSION, _BATCH = 0, 1, 64
_DIMENSIONS, _FEWEST_STEPS = 64, 200
_CHUNK = 256


class Matcher(NamedTuple):
    """Two encoders into one space, and how words become their numbers.

    Attributes:
        texts: keras.Model, int32 (n, length) -> (n, d).
        images: keras.Model, float32 (n, height, width, channels) in [-1, 1] -> (n, d).
        tokenizer: `Tokenizer`.
        identity: of both networks' weights, 16 hexadecimal digits.
    """

    texts: keras.Model
    images: keras.Model
    tokenizer: Tokenizer
    identity: str

    def text_codes(self, texts: list[str]) -> np.ndarray:
        """float32 (n, d)."""
        return self.texts(self.tokenizer.encode(texts), training=False).numpy()

    def image_codes(self, images: np.ndarray) -> np.ndarray:
        """float32 (n, d) of uint8 images."""
        chunks = (images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK))
        return np.concatenate([self.images(from_uint8(chunk), training=False).numpy() for chunk in chunks])


def matcher_of(source: Source, groups: np.ndarray, progress: bool = False) -> Matcher:
    """Encoders trained on the images and texts of a source, from the cache where they have been trained before.

    Args:
        source: a `Source` with fields `image` and `text`.
        groups: int64 (n,), equal for rows whose texts describe each other's images.
        progress: whether to draw a progress bar.

    Raises:
        UserError: the cache cannot be written, or what lies there cannot be read.
    """
    texts: TextArray = source.columns["text"].values
    steps = min(1500, max(_FEWEST_STEPS, 20 * len(source) // _BATCH))
    digest = hashlib.sha256(json.dumps([_VERSION, _SEED, steps, _DIMENSIONS]).encode())
    for part in (source.columns["image"].values, texts.characters, texts.starts, texts.rows, groups):
        digest.update(np.ascontiguousarray(part))
    folder = cache.cache_path("matchers", digest.hexdigest()[:12])
    if not folder.exists():
        trained = _train(source, groups, steps, progress)
        with cache.made_atomically(folder) as workshop:
            made = workshop / folder.name
            made.mkdir()
            trained.texts.save(made / "texts.keras")
            trained.images.save(made / "images.keras")
            trained.tokenizer.write_vocabulary(made / "vocabulary.txt")
            record = {"length": trained.tokenizer.length, "identity": trained.identity}
            (made / "record.json").write_text(json.dumps(record) + "\n", encoding="utf-8")
    return _read(folder)


def _read(folder):
    try:
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        files = [folder / f"{name}.keras" for name in ("texts", "images")]
        texts, images = (keras.saving.load_model(file, compile=False) for file in files)
        if _identity(texts, images) == record["identity"]:
            tokenizer = Tokenizer(read_vocabulary(folder / "vocabulary.txt"), record["length"])
            return Matcher(texts, images, tokenizer, record["identity"])
        reason = "their weights are not those that were recorded"
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
    raise UserError(f"The encoders in {folder} cannot be used: {reason}. Delete that folder; it is made again.")


def _identity(*networks):
    return hashlib.sha256(" ".join(map(identity_of, networks)).encode()).hexdigest()[:16]


def _loss(groups, codes):
    """The joint embedding's loss of codes of texts and of images, one after the other: (batch, 2 d)."""
    texts, images = codes[:, :_DIMENSIONS], codes[:, _DIMENSIONS:]
    return losses.structured_joint_embedding(texts, images, ops.ravel(groups))


def _train(source, groups, steps, progress):
    """Encoders after so many steps; the global random state is as before."""
    tokenizer = Tokenizer.of(source.columns["text"].values)
    # Where Keras takes the seeds of its initializers from.
    before = random.getstate()
    random.seed(_SEED)
    texts = text_encoder(tokenizer.vocabulary, _DIMENSIONS, length=tokenizer.length, units=64)
    images = image_encoder(source.columns["image"].field.shape, _DIMENSIONS, base_filters=16)
    random.setstate(before)
    tokens, pictures = keras.Input((tokenizer.length,), dtype="int32"), keras.Input(images.input_shape[1:])
    pair = keras.Model([pictures, tokens], keras.layers.Concatenate()([texts(tokens), images(pictures)]))
    pair.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)), _loss)
    columns = source.columns | {"group": class_column(groups)}
    rows = Source(source.name, source.split, {name: columns[name] for name in ("image", "text", "group")})
    batches = to_dataset(
        rows, batch_size=min(_BATCH, len(source)), fields=("image", "text", "group"), seed=_SEED, repeat=True
    )
    batches = batches.map(lambda image, text, group: ((image, tokenizer(text)), group))
    with progress_bar("Training encoders that match captions, once", steps, progress) as advance:
        each = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: advance(1))
        pair.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[each])
    return Matcher(texts, images, tokenizer, _identity(texts, images))
