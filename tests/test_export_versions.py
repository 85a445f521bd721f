import importlib.util
import os
import stat
import subprocess
import sys
import tempfile
import threading
import time

import pytest

from keras_gans.errors import UserError
from keras_gans.export import versions as versions_module
from keras_gans.export.formats import check_batch_sizes, check_formats, check_keep, check_target, check_tflite_kinds
from keras_gans.export.versions import publish, remove_old, scratch_folder, staging, versions


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


def test_a_dead_exports_directory_is_removed_and_a_living_ones_is_not(tmp_path):
    for dead in (tmp_path / ".exporting-dead", tmp_path / ".removing-dead"):
        dead.mkdir()
        (dead / "saved_model.pb").touch()
    with staging(tmp_path) as living:
        assert (tmp_path / ".exporting-dead").exists(), "it may have been made this moment, and not be locked yet"
        (living / "file").touch()
        for path in (living, tmp_path / ".exporting-dead", tmp_path / ".removing-dead"):
            os.utime(path, (time.time() - 3600,) * 2)
        put(tmp_path, "other")
        assert sorted(os.listdir(tmp_path)) == [living.name, "1"]
    assert os.listdir(tmp_path) == ["1"]


def test_scratch_folders_of_killed_exports_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = """
import os, signal
from keras_gans.export.versions import scratch_folder
with scratch_folder() as path:
    (path / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": root}
    subprocess.run([sys.executable, "-c", code], env=environment)
    (left,) = tmp_path.iterdir()
    assert (left / "half").exists()
    os.utime(left, (time.time() - 3600,) * 2)
    with scratch_folder() as path:
        assert list(tmp_path.iterdir()) == [path]
    assert not list(tmp_path.iterdir())


def test_where_there_are_no_locks_only_what_is_a_day_old_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(versions_module, "fcntl", None)
    for name, hours in ((".exporting-young", 23), (".exporting-old", 25)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - 3600 * hours,) * 2)
    put(tmp_path, "first")
    assert sorted(os.listdir(tmp_path)) == [".exporting-young", "1"]


def test_everything_is_on_the_disk_before_the_rename(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(os, "fsync", lambda file: done.append(os.readlink(f"/proc/self/fd/{file}")))
    rename = os.rename
    monkeypatch.setattr(os, "rename", lambda *paths: (done.append("rename"), rename(*paths)))
    with staging(tmp_path) as path:
        (path / "deep").mkdir()
        (path / "deep" / "file").touch()
        publish(path, tmp_path, lambda number: (path / "report.json").touch())
    before = done[: done.index("rename")]
    assert {os.path.relpath(each, path) for each in before} == {".", "deep", "deep/file", "report.json"}
    assert done[done.index("rename") + 1 :] == [str(tmp_path)]


def test_old_versions_make_room_and_needed_ones_do_not(tmp_path):
    for _ in range(5):
        put(tmp_path, "one")
    assert remove_old(tmp_path, keep=2, needed={1, None}) == [2, 3]
    assert sorted(os.listdir(tmp_path)) == ["1", "4", "5"]


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
    assert check_tflite_kinds(["weight_int8", "float32", "float32"]) == ("float32", "weight_int8")
    if importlib.util.find_spec("ai_edge_quantizer"):
        assert check_tflite_kinds(["full_int8", "float32"]) == ("float32", "full_int8")
    else:
        with pytest.raises(UserError, match=r"pip install 'keras_gans\[int8\]'"):
            check_tflite_kinds(["full_int8"])
    with pytest.raises(UserError, match="Did you mean 'full_int8'"):
        check_tflite_kinds(["ful_int8"])
    with pytest.raises(UserError, match="at least one kind"):
        check_tflite_kinds([])
    for bad in (0, -1, True, 2.0):
        with pytest.raises(UserError, match="1 or more"):
            check_keep(bad)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        check_target(tmp_path / "file" / "model")
    check_target(tmp_path / "new" / "model")
