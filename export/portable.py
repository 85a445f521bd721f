"""What an exported version answers by its ONNX or TFLite files, without TensorFlow.

The files hold networks alone. Around them the signatures of the SavedModel are computed here as the SavedModel computes
them: latents from seeds (`latents`), the way from one to another, texts to numbers (`words`), levels of pixels, PNG,
names of classes, and which rows are valid. As a version is opened, the golden answers that lie in it are asked for
again, and a signature that would be answered otherwise is left out.
"""

import functools
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans.fields import UNLABELLED
from keras_gans.limits import IMAGE_LIMIT, TEXT_LIMIT
from keras_gans.words import read_vocabulary, tokens_in_python

from .edge import tflite_entries
from .formats import VOCABULARY_FILE
from .latents import latents
from .runtimes import PORTABLE, Network, cores, kind_of, networks_of
from .verify import allowed_difference

_DEFAULT, _VALID = "serving_default", "valid"
_TINY = np.float32(1e-6)
# What stands where there is no answer; of other outputs 0, an empty string or False.
_FILLERS = {"label": UNLABELLED}
Tensors = Mapping[str, np.ndarray]


class PortableVersion:
    """An exported version, asked without TensorFlow by the names of the SavedModel's signatures.

    Args:
        version: folder of it.
        report: of it, see `report.read_report`.
        format: one of `runtimes.PORTABLE`, of which the version has files.
        threads: that one call may use; all cores unless given.

    Attributes:
        report: as given.
        signatures: {name: {"inputs" and "outputs": {name: {"dtype", "shape"}}}} of those that are answered, as the
            SavedModel has them.
        left_out: {name of a further signature: why it is not answered}.

    Raises:
        UserError: a file cannot be loaded.
    """

    def __init__(self, version: str | Path, report: Mapping[str, Any], format: str, threads: int | None = None):
        self.format, self.report, self._folder = format, report, Path(version)
        networks = networks_of(version, report, format, threads or cores())
        described = report["signatures"]
        ways = _Ways(report, self._folder, networks).found
        self._ways = {name: way for name, way in ways.items() if name in described}
        self.left_out = {name: self._reason(name) for name in described if name not in self._ways}
        self.signatures = {name: described[name] for name in described if name in self._ways}

    def _reason(self, name):
        takes = self.report["signatures"][name]["inputs"]
        if "image_bytes" in takes:
            return "it reads image files, which the SavedModel alone does"
        if "text" in takes:
            return "it reads texts, which the SavedModel alone does"
        return f"there is no {PORTABLE[self.format]} file of what it computes"

    def answer(self, signature: str, tensors: Tensors) -> dict[str, np.ndarray]:
        """What a signature answers.

        Args:
            signature: one of `signatures`.
            tensors: {input: array (rows, ...)} of the types and shapes that it takes, equally many rows of each; bytes
                as objects.

        Returns:
            {output: array (rows, ...)}, in the order of the names.
        """
        described = self.signatures[signature]
        outputs = described["outputs"]
        count = len(next(iter(tensors.values())))
        if not count:
            return {name: _empty(outputs[name]) for name in sorted(outputs)}
        valid, rows = np.ones(count, bool), {}
        for name, values in tensors.items():
            fits = self._valid_rows(name, values)
            # Zeros can always be answered; what is wrong might fail.
            rows[name] = values if fits.all() else _where(fits, values, _nothing(values))
            valid &= fits
        answered = dict(self._ways[signature](rows))
        valid &= answered.pop(_VALID, True)
        found = {}
        for name in sorted(outputs):
            values = valid if name == _VALID else _typed(answered[name], outputs[name]["dtype"])
            if name != _VALID and not valid.all():
                values = _where(valid, values, _FILLERS.get(name, _nothing(values)))
            found[name] = values
        return found

    def _valid_rows(self, name, values):
        """Which rows of an input can be answered, told by its name, as `engine.validity` tells it."""
        names = self.report["class_names"]
        if name == "label" and names and values.dtype.kind in "iu":
            return _within(values, 0, len(names) - 1)
        if name == "tokens":
            return _within(values, 0, self._words - 1)
        if name == "text":
            return np.array([len(text) <= TEXT_LIMIT for text in values], bool)
        if values.dtype.kind != "f":
            return np.ones(len(values), bool)
        limits = np.finfo(values.dtype)
        ranges = {"image": (-IMAGE_LIMIT, IMAGE_LIMIT), "fraction": (0.0, 1.0)}
        return _within(values, *(np.float32(each) for each in ranges.get(name, (limits.min, limits.max))))

    @functools.cached_property
    def _words(self):
        """How many tokens there are of what is read."""
        names = VOCABULARY_FILE, f"source_{VOCABULARY_FILE}"
        path = next(path for path in (self._folder / name for name in names) if path.is_file())
        return len(read_vocabulary(path))

    def replay(self) -> dict[str, str]:
        """Asks each signature for a golden answer of one row, so that the next is fast, and leaves out what differs.

        Files of fewer bits than float32 are asked, and held against nothing: by how much they differ was measured when
        they were exported.

        Returns:
            {signature: why it is left out}, which `left_out` has from then on.
        """
        stored = self.report.get("golden", {}).get(self.format)
        if stored is None:
            return {}
        of_tflite = tflite_entries(self.report).values()
        exact = self.format == "onnx" or all(kind_of(kinds) == "float32" for kinds in of_tflite)
        found = {}
        with np.load(self._folder / stored["file"]) as arrays:
            golden = {key: value[:1] for key, value in arrays.items()}
        for signature in list(self.signatures):
            inputs, expected = ({}, {})
            for key, value in golden.items():
                name, side, tensor = key.split("/")
                if name == signature:
                    (inputs if side == "inputs" else expected)[tensor] = _object(value)
            fault = self._fault(signature, inputs, expected if exact else {}, stored["tolerance"]) if inputs else None
            if fault is not None:
                found[signature] = fault
                del self.signatures[signature]
        self.left_out |= found
        return found

    def _fault(self, signature, inputs, expected, tolerance):
        try:
            answered = self.answer(signature, inputs)
        except Exception as error:
            return f"the {PORTABLE[self.format]} file fails here: {' '.join(str(error).split())[:200]}"
        for name, values in expected.items():
            if _difference(answered[name], values) > allowed_difference(_pixels(values), tolerance):
                return f"its {name} is another than the model's, by the {PORTABLE[self.format]} files"
        return None


class _Ways:
    """{signature: function of {input: array} that answers it}, `found`; all rows that they are given are valid."""

    def __init__(self, report, folder, networks: Mapping[str, Network]):
        self._report, self._described, self._folder = report, report["signatures"], folder
        self.found: dict[str, Callable[[Tensors], dict[str, np.ndarray]]] = dict(networks)
        # A translator is filed under its direction, and a decoder under what it is by default.
        for name, other in ((_DEFAULT, "a_to_b"), ("decode", _DEFAULT)):
            if name not in self.found and other in self.found and self._alike(name, other):
                self.found[name] = self.found[other]
        self._add_names()
        self._add_draws()
        self._add_translations()
        self._add_pictures()

    def _alike(self, name, other):
        return self._described.get(name) == self._described[other]

    def _takes(self, name):
        return set(self._described.get(name, {}).get("inputs", ()))

    def _add_names(self):
        """Names of the classes beside their numbers, which no such file has strings for."""
        for name, way in list(self.found.items()):
            outputs = self._described[name]["outputs"]
            if {"label", "name"} <= set(outputs) and self._report["class_names"]:
                self.found[name] = functools.partial(_named, way, _strings(self._report["class_names"]))

    def _add_draws(self):
        """What answers to seeds, by the network that answers to latents."""
        prior = self._report.get("latents")
        others = self._takes(_DEFAULT) - {"z"}
        if prior is None or _DEFAULT not in self.found or "z" not in self._takes(_DEFAULT):
            return
        draw = functools.partial(latents, latent_dim=prior["size"], prior=prior["prior"])
        way = slerp if prior["prior"] == "normal" else linear

        def of_seeds(tensors):
            return self._levels("sample", {"z": draw(tensors["seed"]), **_without(tensors, "seed")})

        def between(tensors):
            ends = draw(tensors["from_seed"]), draw(tensors["to_seed"])
            z = way(*ends, tensors["fraction"])
            return self._levels("interpolate", {"z": z, **_without(tensors, "from_seed", "to_seed", "fraction")})

        if self._takes("sample") == {"seed", *others}:
            self.found["sample"] = of_seeds
        if self._takes("interpolate") == {"from_seed", "to_seed", "fraction", *others}:
            self.found["interpolate"] = between
        tokenizer = self._report.get("tokenizer")
        if self._takes("text") == {"seed", "text"} and others == {"tokens"} and tokenizer and "sample" in self.found:
            vocabulary = read_vocabulary(self._folder / VOCABULARY_FILE)

            def of_texts(tensors):
                texts = (bytes(text).decode("utf-8", "replace") for text in tensors["text"])
                tokens = [tokens_in_python(text, vocabulary, **tokenizer) for text in texts]
                return of_seeds({"seed": tensors["seed"], "tokens": np.array(tokens, np.int32)})

            self.found["text"] = of_texts

    def _levels(self, signature, tensors):
        """What the network makes of latents, in levels of pixels where the signature has such."""
        answered = self.found[_DEFAULT](tensors)
        outputs = self._described[signature]["outputs"]
        return {
            name: to_levels(value) if outputs.get(name, {}).get("dtype") == "uint8" else value
            for name, value in answered.items()
        }

    def _add_translations(self):
        """Pixels to pixels, by the networks from floats to floats."""

        def translated(way, tensors):
            answered = way({"image": tensors["image"].astype(np.float32) / np.float32(127.5) - np.float32(1)})
            return {**answered, "image": to_levels(answered["image"])}

        for name, way in list(self.found.items()):
            pixels = self._described.get(f"translate_{name}", {"inputs": {}})["inputs"].get("image", {})
            if f"translate_{name}" not in self.found and pixels.get("dtype") == "uint8":
                self.found[f"translate_{name}"] = functools.partial(translated, way)

    def _add_pictures(self):
        """PNG files of what gives levels of pixels."""

        def as_files(way, tensors):
            answered = dict(way(tensors))
            return {"image_bytes": _strings([png(image) for image in answered.pop("image")]), **answered}

        for name, way in list(self.found.items()):
            if self._takes(f"{name}_png") == self._takes(name):
                self.found[f"{name}_png"] = functools.partial(as_files, way)


# Numbers --------------------------------------------------------------------------------------------------------


def to_levels(images: np.ndarray) -> np.ndarray:
    """As `pixels.to_uint8`: float images in [-1, 1] as uint8, rounded to the nearest level, in NumPy."""
    return np.clip(np.round((images.astype(np.float32) + np.float32(1)) * np.float32(127.5)), 0, 255).astype(np.uint8)


def png(image: np.ndarray) -> bytes:
    """The PNG file of a uint8 image (height, width, 1 or 3)."""
    import PIL.Image

    file = io.BytesIO()
    PIL.Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "PNG")
    return file.getvalue()


def linear(first: np.ndarray, second: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """As `latent.linear`, in NumPy: float32 (rows, d) between two such, by a float32 (rows,)."""
    t = fraction[:, np.newaxis]
    return (np.float32(1) - t) * first + t * second


def slerp(first: np.ndarray, second: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """As `latent.slerp`, in NumPy: float32 (rows, d) between two such, by a float32 (rows,)."""
    t = fraction[:, np.newaxis]
    lengths = _length(first), _length(second)
    u, v = _divided(first, lengths[0]), _divided(second, lengths[1])
    u, v = np.where(lengths[0] == 0, v, u), np.where(lengths[1] == 0, u, v)
    cosine = np.sum(u * v, axis=-1, keepdims=True)
    across = v - cosine * u
    sine = _length(across)
    across = np.where(sine < _TINY, _at_right_angle(u), _divided(across, sine))
    across = across - np.sum(across * u, axis=-1, keepdims=True) * u
    w, angle = _divided(across, _length(across)), t * np.arctan2(sine, cosine)
    between = linear(*lengths, fraction) * (np.cos(angle) * u + np.sin(angle) * w)
    return np.where(t == 0, first, np.where(t == 1, second, between))


def _at_right_angle(u):
    axis = np.eye(u.shape[-1], dtype=np.float32)[np.argmin(np.abs(u), axis=-1)]
    axis = axis - np.sum(axis * u, axis=-1, keepdims=True) * u
    return _divided(axis, _length(axis))


def _length(vectors):
    return np.sqrt(np.sum(np.square(vectors), axis=-1, keepdims=True))


def _divided(numbers, by):
    return np.divide(numbers, by, out=np.zeros_like(numbers), where=by != 0)


# Rows -----------------------------------------------------------------------------------------------------------


def _within(values, lowest, highest):
    fits = (values >= lowest) & (values <= highest)
    return fits.reshape(len(values), -1).all(axis=1)


def _where(rows, values, filler):
    return np.where(rows.reshape(-1, *(1 for _ in values.shape[1:])), values, filler)


def _nothing(values):
    return b"" if values.dtype == object else values.dtype.type(0)


def _typed(values, dtype):
    return values if dtype == "string" else np.asarray(values).astype(dtype, copy=False)


def _empty(described):
    shape = (0, *(size or 0 for size in described["shape"][1:]))
    return np.zeros(shape, object if described["dtype"] == "string" else described["dtype"])


def _strings(values):
    array = np.empty(len(values), object)
    array[:] = [value.encode() if isinstance(value, str) else value for value in values]
    return array


def _object(value):
    return value.astype(object) if value.dtype.kind == "S" else value


def _named(way, names, tensors):
    answered = dict(way(tensors))
    # Of a row that is invalid there is no label, and no name either.
    return {**answered, "name": names[np.clip(answered["label"], 0, len(names) - 1)]}


def _without(tensors, *names):
    return {name: value for name, value in tensors.items() if name not in names}


def _pixels(values):
    """PNG files as the levels that they hold; anything else as it is."""
    if values.dtype != object or not all(bytes(value).startswith(b"\x89PNG") for value in values):
        return values
    import PIL.Image

    return np.stack([np.asarray(PIL.Image.open(io.BytesIO(value))) for value in values])


def _difference(answered, expected):
    answered, expected = _pixels(answered), _pixels(expected)
    if answered.shape != expected.shape:
        return float("inf")
    if expected.dtype == object:
        return 0.0 if answered.tolist() == expected.tolist() else float("inf")
    return float(np.max(np.abs(answered.astype(np.float64) - expected.astype(np.float64)), initial=0.0))
