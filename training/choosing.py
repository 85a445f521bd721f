"""Which recipe fits data, where nobody named one: what is found in them, by rules, and why in a sentence."""

import json
import statistics
from typing import Any

from keras_gans.data import hold_out as set_aside
from keras_gans.data import open_source
from keras_gans.data.folder import KEPT_SIZES, headers, image_files, size_for
from keras_gans.data.opening import DEFAULT_IMAGE_SIZE, is_folder
from keras_gans.data.pairs import Paired, check_paired, class_of, halves_of, pair_of
from keras_gans.data.source import Column, Source
from keras_gans.errors import UserError
from keras_gans.fields import Classes, Images, Points, Texts
from keras_gans.files import at_home

from . import recipe as recipes
from .recipe import Recipe
from .strategy import suited_precision

# With fewer images of a class on average, no class is learned by itself.
_FEW_A_CLASS = 10
# Up to this size the small networks for translating do.
_SMALL = 16
# Made for data that nobody tuned them to.
_OF_ANY_IMAGES = ("dcgan_images", "dcgan_r1", "cgan_images")
# So many grey digits, letters or clothes of this size are drawn nearer by `dcgan_r1`. DCGAN's discriminator halves them
# twice alone and sees ten pixels across. Larger ones, those in colour and most small sets are not (docs/measured.md).
_SEEN_IN_PARTS, _MANY = 28, 10_000
# Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training" (2020): colour, translation and cutout, at
# the strengths of their code. Where each image is seen more often than this: of images in classes, seen 2,100 times,
# it took the distance to a half and less. In the steps of `dcgan_images` it cost at as many and was worth fewer copies
# at 6,400; in three times its steps, seen 1,200 times, it took a quarter of the distance away (docs/measured.md).
# By 2,500, with the batches that few images have, all sets of fewer than 256 images are augmented there.
AUGMENTATION = {"shift": 0.125, "brightness": 0.5, "saturation": 1.0, "contrast": 0.5, "cutout": 0.5}
_MOST_TIMES_SEEN, _MOST_IN_OWN_STEPS = 1000, {"dcgan_images": 2500}
# Steps that come to each image so often, but no fewer than the recipe's and no more than the last, ten minutes of two
# cores at 32 pixels. One set was drawn best at so many and worse after; others bore 500 times (docs/measured.md).
_TIMES_SEEN, _MOST_STEPS = 150, 30_000
# Headers that are read to choose a size; more would tell no more.
_MOST_HEADERS = 2000
_PIECE = 256


def choose(
    data: str,
    image_size: int | None = None,
    labels_per_class: float | None = None,
    skip_unreadable: bool = False,
    batch_size: int | None = None,
    precision: str | None = None,
    channels: int | None = None,
    steps: int | None = None,
    hold_out: float | None = None,
    augmentation: bool = True,
) -> Recipe:
    """The recipe that is trained where data alone are named.

    | what is found | recipe |
    |---|---|
    | images in class folders, or with labels | `cgan_images`; with `labels_per_class` `sgan` |
    | images in classes of fewer than ten | as images alone |
    | images alone | `dcgan_images`; 10,000 and more, grey and of 28 pixels, `dcgan_r1` |
    | images and captions | `text_to_image`, of 16 pixels `text_to_image_small` |
    | pairs of images | `pix2pix_unet`, of up to 16 pixels `pix2pix` |
    | two collections of images | `cyclegan_resnet`, of up to 16 pixels `cyclegan` |
    | pairs of sentences | `adversarial_nmt_rnn` |
    | points | `wgan_gp_ring` |

    Images of several sizes become squares of the largest size of 8, 16, 28, 32 and 64 that is no larger than half of
    them are; images of one size that networks make keep it. A batch has no more rows than half of those that are left
    to train on. The recipes
    for images take 10,000 steps, and more of more images, up to 30,000; they calculate in bfloat16 where the hardware
    does, and so take a quarter to a half more steps in the same time; they draw one channel where every pixel is grey,
    though the files or the data set may have three; and where the steps come to each image more than 1,000 times, or
    2,500 in no more than the own steps of `dcgan_images`, their discriminator sees random changes, see `AUGMENTATION`.

    Args:
        data: as `keras_gans.data.open_source` takes it.
        image_size, labels_per_class, skip_unreadable, batch_size, precision, channels, steps, hold_out: what is asked
            for besides, as fields of a `Recipe`.
        augmentation: whether images may be changed, see above; False where the augmentation is asked for too.

    Returns:
        The `Recipe`, with `data`, and with `chosen` saying what was found and why that recipe.

    Raises:
        UserError: the data cannot be opened, or nothing fits them.
    """
    asked = {"image_size": image_size, "labels_per_class": labels_per_class, "skip_unreadable": skip_unreadable}
    asked |= {"batch_size": batch_size, "precision": precision, "channels": channels, "steps": steps}
    asked |= {"hold_out": hold_out}
    # Refuses what no recipe takes, before any of it is calculated with.
    recipes.with_settings(recipes.named(_OF_ANY_IMAGES[0]), {k: v for k, v in asked.items() if v is not None})
    size, why_size = (image_size, "") if image_size is not None else _size_for(data)
    source = open_source(data, image_size=size, skip_unreadable=skip_unreadable, channels=channels)
    images = [column for column in source.columns.values() if isinstance(column.field, Images)]
    is_grey = all(map(_is_grey, images))
    name, reason = _recipe_for(source, labels_per_class, images, is_grey)
    changes: dict[str, Any] = {"data": data, "image_size": size}
    rows = len(set_aside(source, recipes.named(name).hold_out if hold_out is None else hold_out))
    if batch_size is None and (batch := _batch_for(rows, recipes.named(name).batch_size)) is not None:
        changes["batch_size"] = batch
        reason += f" With {rows:,} rows to train on a batch has {batch}."
    if steps is None and name in _OF_ANY_IMAGES:
        own = recipes.named(name)
        changes["steps"] = _steps_for(rows, batch_size or changes.get("batch_size", own.batch_size), own.steps)
        if changes["steps"] > own.steps:
            reason += f" {rows:,} to train on are worth {changes['steps']:,} steps; --steps takes another number."
    if channels is None and name in _OF_ANY_IMAGES and is_grey and source.sample_shape[-1] == 3:
        changes["channels"] = 1
        reason += " They are stored in three equal channels, of which one is drawn; --set channels=3 keeps all."
    if precision is None and name in _OF_ANY_IMAGES and (suited := suited_precision()) != "float32":
        changes["precision"] = suited
        reason += f" In {suited}, which is faster on this machine; --set precision=float32 takes the other."
    found = recipes.named(name).replace(**changes)
    counts = {"batch_size": batch_size, "steps": steps}
    as_asked = recipes.with_settings(found, {key: value for key, value in counts.items() if value is not None})
    if augmentation and name in _OF_ANY_IMAGES and is_seen_often(as_asked, rows):
        found = with_augmentation(found)
        by_itself = json.dumps(recipes.named(name).networks["discriminator"].get("augmentation"))
        reason += (
            f" Each image is seen some {_times_seen(as_asked, rows):,.0f} times, enough to be learned by heart, so the "
            f"discriminator sees them changed at random; --set 'discriminator.augmentation={by_itself}' is what it "
            "sees otherwise."
        )
    return found.replace(chosen=" ".join(filter(None, (reason, why_size))))


def is_seen_often(recipe: Recipe, rows: int) -> bool:
    """Whether the training of a recipe comes to each of so many images so often that they are augmented."""
    in_own = recipe.steps <= recipes.named(recipe.name).steps
    most = _MOST_IN_OWN_STEPS.get(recipe.name, _MOST_TIMES_SEEN) if in_own else _MOST_TIMES_SEEN
    return _times_seen(recipe, rows) > most


def _times_seen(recipe, rows):
    return recipe.steps * recipe.batch_size / rows


def with_augmentation(recipe: Recipe) -> Recipe:
    """The recipe with `AUGMENTATION` before its discriminator."""
    changed = {**recipe.networks["discriminator"], "augmentation": AUGMENTATION}
    return recipe.replace(networks={**recipe.networks, "discriminator": changed})


def _is_grey(column):
    """Whether images have one channel, or three that are equal everywhere; in pieces, as most tell by their first."""
    images = column.values
    if images.shape[-1] != 3:
        return images.shape[-1] == 1
    pieces = (images[start : start + _PIECE] for start in range(0, len(images), _PIECE))
    return all((piece == piece[..., :1]).all() for piece in pieces)


def _size_for(data):
    """(size to make images of, a sentence on why), (None, "") where the data's own will do."""
    found = _headers_of(data)
    if not found or size_for(found) != DEFAULT_IMAGE_SIZE or {side for each in found for side in each.size} == {64}:
        return None, ""
    middle = statistics.median(min(each.size) for each in found)
    fitting = [size for size in KEPT_SIZES if size <= min(middle, DEFAULT_IMAGE_SIZE)]
    size = fitting[-1] if fitting else KEPT_SIZES[0]
    ends = sorted({min(each.size) for each in found})
    sides = f"{ends[0]}" if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"
    return (
        size,
        f"Images of {sides} pixels on their shorter side become {size}x{size}; --image-size chooses another size.",
    )


def _headers_of(data):
    """The headers of some of the images that data name, of halves as they are by themselves; none but of folders."""
    if (halves := halves_of(data)) is not None:
        return [each.half() for each in _some_headers([halves.folder])]
    pair = pair_of(data)
    if isinstance(pair, Paired):
        return _some_headers(path for path in check_paired(pair) if path.is_dir())
    folders = [class_of(side)[0] for side in ((data,) if pair is None else (pair.a, pair.b))]
    return _some_headers(folders) if all(map(is_folder, folders)) else []


def _some_headers(folders):
    files = sorted(file for folder in folders for file in image_files(at_home(folder)))
    return headers(files[:: max(1, len(files) // _MOST_HEADERS)])


def with_size_kept(recipe: Recipe) -> Recipe:
    """The recipe with the size that all images of its folder share, where all its networks are dense and make any.

    Other networks make the sizes of `KEPT_SIZES` alone, which images keep by themselves, see `data.open_source`. What
    names a size, no folder, or images of more than the largest of those pixels: the recipe as it is.
    """
    is_dense = all(network["name"].startswith("mlp_") for network in recipe.networks.values())
    folder = _folder_of(recipe.data) if is_dense and recipe.image_size is None else None
    if folder is None:
        return recipe
    sides = {side for each in headers(image_files(at_home(folder))) for side in each.size}
    return recipe.replace(image_size=min(sides)) if len(sides) == 1 and min(sides) <= KEPT_SIZES[-1] else recipe


def _folder_of(data):
    """The one folder that data name, or None."""
    if halves_of(data) is not None or pair_of(data) is not None:
        return None
    folder, _ = class_of(data)
    return folder if is_folder(folder) else None


def _recipe_for(source: Source, labels_per_class: float | None, images: list[Column], is_grey: bool) -> tuple[str, str]:
    """(name of the recipe, what was found and why it fits)."""
    kinds = {name: column.field for name, column in source.columns.items()}
    texts = [name for name, field in kinds.items() if isinstance(field, Texts)]
    classes = next((field for field in kinds.values() if isinstance(field, Classes)), None)
    found = _found(source, images, is_grey)
    if len(texts) == 2 and not images:
        return "adversarial_nmt_rnn", f"{len(source):,} pairs of sentences, so one is translated into the other."
    if len(images) == 2:
        is_small = max(size for side in images for size in side.field.shape[:2]) <= _SMALL
        if images[0].group == images[1].group:
            name = "pix2pix" if is_small else "pix2pix_unet"
            return name, f"{found} in pairs: one of a pair is made from the other."
        name = "cyclegan" if is_small else "cyclegan_resnet"
        counts = " and ".join(f"{len(side):,}" for side in images)
        return name, f"Two collections, of {counts} images, no two of which belong together: translated both ways."
    if images and texts:
        name = "text_to_image_small" if max(images[0].field.shape[:2]) <= _SMALL else "text_to_image"
        return name, f"{found} with captions, so images are drawn to texts."
    if images and labels_per_class is not None and classes is not None:
        return (
            "sgan",
            f"{found} of {classes.count} classes, few of which keep their label: a classifier learns from those.",
        )
    if images and classes is not None and classes.count > 1:
        if len(source) >= _FEW_A_CLASS * classes.count:
            return "cgan_images", f"{found} in {classes.count} classes, so they are drawn by class."
        return _alone(source, images, is_grey), (
            f"{found} in {classes.count} classes, fewer than {_FEW_A_CLASS} images of each, so they are drawn without "
            "regard to class."
        )
    if images:
        return _alone(source, images, is_grey), f"{found} without classes or captions, so images like them are drawn."
    if any(isinstance(field, Points) for field in kinds.values()):
        return "wgan_gp_ring", f"{len(source):,} points, so points like them are drawn."
    held = ", ".join(f"{name} ({field.describe()})" for name, field in kinds.items())
    raise UserError(f"No recipe fits {source.name}, which holds {held}. Name one: keras-gans list.")


def _alone(source, images, is_grey):
    """The recipe for images without regard to classes."""
    fits = is_grey and images[0].field.shape[0] == _SEEN_IN_PARTS and len(source) >= _MANY
    return "dcgan_r1" if fits else "dcgan_images"


def _found(source, images, is_grey):
    """How many images there are, of which size, in colour or grey."""
    if not images:
        return ""
    height, width, _ = images[0].field.shape
    return f"{len(source):,} images of {width}x{height}, {'grey' if is_grey else 'in colour'},"


def _steps_for(rows, batch, fewest):
    """How many steps so many rows are worth, in thousands."""
    return max(fewest, min(_MOST_STEPS, 1000 * round(_TIMES_SEEN * rows / batch / 1000)))


def _batch_for(rows, batch):
    """A smaller batch for few rows, a power of two of at least 4; None where the recipe's is small enough."""
    if 2 * batch <= rows:
        return None
    return max(4, 1 << max(0, (rows // 2).bit_length() - 1))
