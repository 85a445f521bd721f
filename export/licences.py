"""Under which licence the data of a run are, as far as that is known: for the model card, and no legal advice."""

from collections.abc import Iterator

from keras_gans.data import naming
from keras_gans.data.pairs import class_of, halves_of, pair_of
from keras_gans.files import at_home

# UCI's Optical Recognition of Handwritten Digits, and the photographs that scikit-learn carries.
_DIGITS = "CC BY 4.0"
_PHOTOGRAPHS = "of the photographs CC BY 2.0 (danielbuechele, vultilion)"
_MNIST = "CC BY-SA 3.0 (as Keras's documents say; the source states none)"
_OWN = "none needed: keras_gans draws them"
# Of embedded data and of those whose sources say so, where TensorFlow Datasets does not.
_KNOWN = {
    "digits": _DIGITS,
    "digit_styles": _DIGITS,
    "stacked_digits": _DIGITS,
    "stacked_digits/mnist": _MNIST,
    "digits_over_photographs": f"{_DIGITS}, {_PHOTOGRAPHS}",
    "digits_over_photographs/mnist": f"{_MNIST}, {_PHOTOGRAPHS}",
    "photographed_digits": f"{_DIGITS}, {_PHOTOGRAPHS}",
    "photographed_digits/mnist": f"{_MNIST}, {_PHOTOGRAPHS}",
    "ring": _OWN,
    "grid": _OWN,
    "shapes": _OWN,
    "numbers_and_dates": _OWN,
    "mnist": _MNIST,
    "fashion_mnist": "MIT (Zalando SE)",
    "cifar10": "none stated by the source",
    "svhn_cropped": "for non-commercial use only, by the source",
}
_FILES = ("LICENSE*", "LICENCE*", "COPYING*")
_LONGEST = 100


def licence_of(data: str) -> str | None:
    """The licence of a data set, of both where it is of two; None where one is not known.

    Args:
        data: as `data.open_source` takes it: a name, the path of a folder, or two of those as "A + B" or "A = B". Of a
            folder it is how its file LICENSE begins, or that of the folder above.
    """
    found = {part: _licence_of_one(part) for part in _parts(data)}
    if not found or None in found.values():
        return None
    different = dict.fromkeys(found.values())
    if len(different) == 1:
        return next(iter(different))
    return "; ".join(f"{_short(part)}: {licence}" for part, licence in found.items())


def _parts(data: str) -> Iterator[str]:
    """The names and paths that a description of data is made of."""
    halves, pair = halves_of(data), pair_of(data)
    if halves is not None:
        yield str(halves.folder)
    elif pair is not None:
        for side in (pair.a, pair.b):
            yield from _parts(str(side))
    else:
        yield str(class_of(data)[0])


def _licence_of_one(part):
    path = at_home(part.partition("{split}")[0])
    if not naming.is_embedded(part) and part not in _KNOWN and path.exists():
        return _of_folder(path if path.is_dir() else path.parent)
    # Of another version or configuration, what is known of the name.
    return _KNOWN.get(part) or _KNOWN.get(naming.base_name(part)) or _of_tfds(part)


def _of_folder(folder):
    files = [file for each in (folder, folder.absolute().parent) for name in _FILES for file in sorted(each.glob(name))]
    for file in files:
        lines = [line.strip("#*= ") for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]
        first = next((line for line in lines if line), None)
        if first is not None:
            # Which of several licences in it is that of the pictures, a person has to read.
            return f"in its file {file.name}, which begins: {first[:_LONGEST]}"
    return None


def _of_tfds(name):
    """What TensorFlow Datasets notes of a data set that is there."""
    try:
        if not naming.is_known_to_tfds(name):
            return None
        import tensorflow_datasets as tfds

        builder = tfds.builder(name, data_dir=naming.tfds_folder(None), try_gcs=False)
        return " ".join(builder.info.redistribution_info.license.split())[:_LONGEST] or None
    except Exception:
        # Builders are anybody's code; of data that cannot be asked, nothing is known.
        return None


def _short(part):
    """The name of a source without the folders that lead to it, which are nobody's business."""
    return part.rstrip("/").rpartition("/")[2] if "/" in part and not naming.is_embedded(part) else part
