"""What the model card says of the data's licence, and where it says that none is known."""

import types

import pytest

from keras_gans.data import embedded, naming
from keras_gans.export.licences import licence_of


@pytest.mark.parametrize("name", embedded.names())
def test_all_data_that_come_along_have_one(name):
    assert licence_of(name)


@pytest.mark.parametrize(
    "data, licence",
    [
        ("digits", "CC BY 4.0"),
        ("digits[3]", "CC BY 4.0"),
        ("fashion_mnist:3.0.1", "MIT (Zalando SE)"),
        ("mnist", "CC BY-SA 3.0 (as Keras's documents say; the source states none)"),
        ("digits[0] + digits[8]", "CC BY 4.0"),
        (
            "digits + svhn_cropped",
            "digits: CC BY 4.0; svhn_cropped: for non-commercial use only, by the source",
        ),
        ("no_such_data", None),
        ("digits + no_such_data", None),
        ("/nowhere/pictures", None),
    ],
)
def test_of_names(data, licence, monkeypatch):
    monkeypatch.setattr(naming, "_tfds_names", lambda: {"mnist", "fashion_mnist", "svhn_cropped"})
    assert licence_of(data) == licence


def test_a_folder_of_ones_own_is_no_data_set_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "mine" / "color").mkdir(parents=True)
    folder = str(tmp_path / "mine" / "color")
    assert licence_of(folder) is None
    (tmp_path / "mine" / "LICENSE.md").write_text("\n#### My artwork\n\n* CC BY 4.0\n")
    assert licence_of(folder) == "in its file LICENSE.md, which begins: My artwork"
    (tmp_path / "mine" / "color" / "LICENSE").write_text("My colours\n")
    (tmp_path / "mine" / "color" / "red.png").touch()
    assert licence_of(folder) == licence_of(f"{folder}/red.png") == "in its file LICENSE, which begins: My colours"
    (tmp_path / "mine" / "color" / "LICENSE").unlink()
    assert licence_of(f"halves:{folder}") == licence_of(folder)
    assert licence_of(f"{folder} + digits") == f"color: {licence_of(folder)}; digits: CC BY 4.0"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cifar10").mkdir()
    assert licence_of("./cifar10") is None


def test_what_tensorflow_datasets_notes_is_said(monkeypatch):
    import tensorflow_datasets as tfds

    noted = types.SimpleNamespace(license="Apache\n 2.0")
    builder = types.SimpleNamespace(info=types.SimpleNamespace(redistribution_info=noted))
    monkeypatch.setattr(naming, "is_known_to_tfds", lambda name, data_dir=None: name == "flowers")
    monkeypatch.setattr(tfds, "builder", lambda name, **options: builder)
    assert licence_of("flowers") == "Apache 2.0"
    noted.license = ""
    assert licence_of("flowers") is None
    noted.license = None
    assert licence_of("flowers") is None
