"""Where the translations of a folder's pictures go: each has a file of its own, whatever the others are called."""

from keras_gans.training.translate_command import _work


def targets(folder, *names):
    """{picture: its translation's name} of empty files."""
    source = folder / "in"
    for name in names:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    work = _work(source, folder / "out")
    return {str(path.relative_to(source)): str(to.relative_to(folder / "out")) for path, to in work.items()}


def test_a_translation_has_its_originals_name(tmp_path):
    assert targets(tmp_path, "a.jpg", "b/c.png") == {"a.jpg": "a.png", "b/c.png": "b/c.png"}


def test_pictures_that_would_meet_keep_their_whole_names(tmp_path):
    found = targets(tmp_path, "a.jpg", "a.png", "a.png.jpg", "a.png.jpg.bmp", "d.jpg", "e/a.gif")
    assert found["a.jpg"] == "a.jpg.png" and found["a.png"] == "a.png.png"
    assert found["d.jpg"] == "d.png" and found["e/a.gif"] == "e/a.png"
    assert len(set(found.values())) == len(found) == 6


def test_names_of_many_pictures_take_no_time(tmp_path, monkeypatch):
    """Each is looked at a few times, and not once for every other."""
    files = [tmp_path / "in" / f"{number}.jpg" for number in range(20_000)]
    (tmp_path / "in").mkdir()
    monkeypatch.setattr("keras_gans.data.folder.image_files", lambda folder: iter(files))
    assert len(_work(tmp_path / "in", tmp_path / "out")) == 20_000
