import os
import stat
import threading
import time

import pytest

from keras_gans.errors import UserError
from keras_gans.export.formats import check_batch_sizes, check_formats, check_target
from keras_gans.export.versions import publish, staging, versions


def put(folder, content, seal=lambda number: None):
    with staging(folder) as path:
        (path / "file").write_text(content)
        return publish(path, folder, seal)


def test_versions_count_up_from_the_highest_and_never_change(tmp_path):
    folder = tmp_path / "new" / "model"
    assert put(folder, "first") == folder / "1"
    (folder / "7").mkdir()
    assert put(folder, "second") == folder / "8"
    assert (folder / "1" / "file").read_text() == "first"
    assert versions(folder) == [1, 7, 8]
    assert sorted(os.listdir(folder)) == ["1", "7", "8"]


def test_what_is_not_a_number_is_no_version(tmp_path):
    for name in ("3.old", "v9", ".exporting-dead", "٤"):
        (tmp_path / name).mkdir()
    assert versions(tmp_path) == []
    assert put(tmp_path, "first") == tmp_path / "1"


def test_a_failure_leaves_the_folder_as_it_was(tmp_path):
    put(tmp_path / "old", "first")
    for folder in (tmp_path / "old", tmp_path / "new" / "deep"):
        with pytest.raises(RuntimeError), staging(folder) as path:
            (path / "file").write_text("half")
            raise RuntimeError
    assert os.listdir(tmp_path) == ["old"]
    assert os.listdir(tmp_path / "old") == ["1"]


def test_a_crashed_exports_directory_is_ignored_then_removed(tmp_path):
    crashed = tmp_path / ".exporting-dead"
    crashed.mkdir()
    (crashed / "saved_model.pb").touch()
    assert put(tmp_path, "first") == tmp_path / "1"
    assert crashed.exists(), "it may be another export at work"
    yesterday = time.time() - 25 * 3600
    os.utime(crashed, (yesterday, yesterday))
    put(tmp_path, "second")
    assert not crashed.exists()


def test_a_number_that_another_export_takes_first_is_left_alone(tmp_path):
    sealed = []

    def seal(number):
        sealed.append(number)
        if number == 1:
            put(tmp_path, "the other's")

    assert put(tmp_path, "ours", seal) == tmp_path / "2"
    assert sealed == [1, 2], "the report must be written again with the number it got"
    assert (tmp_path / "1" / "file").read_text() == "the other's"
    assert (tmp_path / "2" / "file").read_text() == "ours"


def test_concurrent_exports_all_arrive(tmp_path):
    threads = [threading.Thread(target=put, args=(tmp_path / "model", str(index))) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    contents = {(tmp_path / "model" / str(number) / "file").read_text() for number in versions(tmp_path / "model")}
    assert contents == {str(index) for index in range(8)}


def test_a_version_is_as_readable_as_any_folder(tmp_path):
    (tmp_path / "plain").mkdir()
    published = put(tmp_path, "first")
    assert stat.S_IMODE(published.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_formats_and_batch_sizes_are_checked(tmp_path):
    assert check_formats(["tflite", "saved_model", "tflite"]) == ("saved_model", "tflite")
    with pytest.raises(UserError, match="Did you mean 'saved_model'"):
        check_formats(["savedmodel"])
    with pytest.raises(UserError, match="at least one"):
        check_formats([])
    assert check_batch_sizes([1, 16]) == (1, 16)
    for bad in ([], [0], [1, 1], [2.5]):
        with pytest.raises(UserError, match="distinct integers"):
            check_batch_sizes(bad)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        check_target(tmp_path / "file" / "model")
    check_target(tmp_path / "new" / "model")
