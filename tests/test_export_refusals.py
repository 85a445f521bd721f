"""Whatever is wrong with a file, nothing is published and the folder stays as it was."""

import errno
import os
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import networks, schemes
from keras_gans.errors import UserError
from keras_gans.export import export_model, exporter, fresh_process, making, verify
from keras_gans.export.golden import golden_answers
from keras_gans.export.saved_model import WARMUP_FILE, write_warmup


class Determinant(keras.layers.Layer):
    """An operation that TFLite does not have."""

    def call(self, inputs):
        return inputs + tf.linalg.det(inputs[:, :, :, 0])[:, None, None, None]


def tiny(own_layer=None):
    generator = networks.dcgan_generator((8, 8, 1), latent_dim=4, base_filters=4)
    if own_layer:
        generator = keras.Model(generator.input, own_layer(generator.output))
    model = schemes.DCGAN(generator, networks.dcgan_discriminator((8, 8, 1), base_filters=4))
    model.compile()
    return model


@pytest.fixture
def folder(tmp_path):
    """A folder that holds a version already."""
    (tmp_path / "models" / "1").mkdir(parents=True)
    (tmp_path / "models" / "1" / "saved_model.pb").write_text("precious")
    yield tmp_path / "models"
    assert os.listdir(tmp_path / "models") == ["1"], "something was published or left behind"
    assert (tmp_path / "models" / "1" / "saved_model.pb").read_text() == "precious"


def refused(model, folder, match, formats=("saved_model",)):
    with pytest.raises(UserError, match=match):
        export_model(model, folder, formats)


def test_nan_weights(folder):
    model = tiny()
    model.generator.layers[1].kernel.assign(model.generator.layers[1].kernel * np.nan)
    refused(model, folder, "image is NaN or infinite after step 0")


def test_weights_that_are_not_the_models(folder, monkeypatch):
    """Of all that can go wrong in writing, what no reader notices: other numbers."""
    model = tiny()
    kernel = model.generator.layers[1].kernel
    write = model.export

    def write_others(path, **arguments):
        right = kernel.numpy()
        kernel.assign(1000.0 * right)
        write(path, **arguments)
        kernel.assign(right)

    monkeypatch.setattr(model, "export", write_others)
    refused(model, folder, r"(?s)SavedModel serving_default: image differs by .*SavedModel sample: image differs by")


def test_a_corrupted_saved_model(folder, monkeypatch):
    model = tiny()
    write = model.export

    def write_and_corrupt(path, **arguments):
        write(path, **arguments)
        variables = f"{path}/variables/variables.data-00000-of-00001"
        content = bytearray(open(variables, "rb").read())
        content[200] ^= 0xFF
        open(variables, "wb").write(content)

    monkeypatch.setattr(model, "export", write_and_corrupt)
    refused(model, folder, "(?s)verify.py ended with code 1, so nothing was published.*hecksum")


def test_rows_that_see_each_other_and_weights_written_twice(folder, monkeypatch):
    model = tiny()
    serving_default = model.endpoints()["serving_default"]

    def less_their_mean(function):
        def mixed(rows):
            answer = function(rows)
            return {key: value - tf.reduce_mean(value, axis=0, keepdims=True) for key, value in answer.items()}

        return mixed

    monkeypatch.setattr(model, "endpoints", lambda: {"serving_default": serving_default})

    def write_badly(path, **arguments):
        archive = keras.export.ExportArchive()
        for name, (function, signature) in model.endpoints().items():
            archive.add_endpoint(name, less_their_mean(function), input_signature=signature)
        archive.track(model.generator)
        archive.track(model.discriminator)
        archive.write_out(path, verbose=False)

    monkeypatch.setattr(model, "export", write_badly)
    refused(model, folder, "(?s)it stores .* bytes of variables, but uses.*rows one by one: image differs")


def test_warmup_requests_that_would_keep_a_server_from_starting(folder, monkeypatch):
    right = making.write_saved_model

    def write_with_bad_warmup(model, path, answers, batch_limit):
        right(model, path, answers, batch_limit)
        write_warmup(path, {"serving_default": {"z": np.zeros((1, 5), "float32")}})

    monkeypatch.setattr(making, "write_saved_model", write_with_bad_warmup)
    refused(tiny(), folder, r"Warmup request 1 \(serving_default\) fails")


def test_an_empty_file_of_warmup_requests(tmp_path):
    write_warmup(tmp_path, {})
    failures = []
    assert verify._replay_warmup(None, str(tmp_path / WARMUP_FILE), failures) == 0
    assert failures == ["The file of warmup requests is empty."]


@pytest.mark.slow
def test_an_operation_that_tflite_lacks_is_named(folder):
    refused(tiny(Determinant()), folder, "TFLite float32: .* no operation of its own for MatrixDeterminant", ["tflite"])


def test_a_full_disk(folder, monkeypatch):
    def fail(path, **arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    model = tiny()
    monkeypatch.setattr(model, "export", fail)
    refused(model, folder, "No space left on device")


def test_a_crash_before_the_rename(folder, monkeypatch):
    monkeypatch.setattr(exporter, "publish", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
    figures = {"signatures": {}, "weights": {"stored_bytes": 0}}
    monkeypatch.setattr(making.Making, "make", lambda self: self.figures.update(figures))
    with pytest.raises(KeyboardInterrupt):
        export_model(tiny(), folder, ["saved_model"])


def test_an_input_of_which_no_example_is_known(folder, monkeypatch):
    model = tiny()
    endpoint = (lambda text: {"image": text}, [tf.TensorSpec((None,), tf.int32, name="text")])
    monkeypatch.setattr(model, "endpoints", lambda: {"serving_default": endpoint})
    refused(model, folder, "no telling what a valid 'text' is. .* example_input")


def test_a_model_that_answers_nothing(folder):
    refused(tiny().generator, folder, "Functional has no endpoints")


def test_a_scheme_says_what_its_inputs_may_hold(monkeypatch):
    model = tiny()
    endpoint = (lambda number: {"image": number}, [tf.TensorSpec((None,), tf.int32, name="number")])
    monkeypatch.setattr(model, "endpoints", lambda: {"serving_default": endpoint})
    monkeypatch.setattr(model, "example_inputs", lambda signature, rows: {"number": range(rows)}, raising=False)
    inputs, outputs = golden_answers(model)["serving_default"]
    np.testing.assert_array_equal(inputs["number"], np.arange(16))
    np.testing.assert_array_equal(outputs["image"], np.arange(16))


def test_a_checking_process_that_dies_is_explained_and_the_next_runs(tmp_path, monkeypatch):
    """Forked from one process that has imported TensorFlow, without Keras; and should that die, on its own."""
    ends = {
        "killed": "print('last words', flush=True); os.kill(os.getpid(), signal.SIGSEGV)",
        "raising": "raise ValueError('last words')",
        "leaving": "sys.exit(3)",
        "answering": "json.dump({'failures': [], 'parent': os.getppid(), 'keras': bool(sys.modules.get('keras')), "
        "'tensorflow': 'tensorflow' in sys.modules, 'folder': os.getcwd()}, open(sys.argv[2], 'w'))",
    }
    for name, code in ends.items():
        (tmp_path / f"{name}.py").write_text(f"import json, os, signal, sys\n{code}")
    monkeypatch.setattr(fresh_process, "__file__", str(tmp_path / "fresh_process.py"))
    monkeypatch.chdir(tmp_path)
    with fresh_process.warm():
        for name, message in (
            ("killed", "(?s)killed.py was killed by SIGSEGV.*last words"),
            ("raising", "(?s)raising.py ended with code 1.*ValueError: last words"),
            ("leaving", "leaving.py ended with code 3"),
        ):
            with pytest.raises(UserError, match=message):
                fresh_process.run_script(name, {}, tmp_path)
        shared = [fresh_process.run_script("answering", {}, tmp_path) for _ in range(2)]
        assert shared[0] == shared[1] == {**shared[0], "keras": False, "tensorflow": True, "folder": str(tmp_path)}
        assert shared[0]["parent"] != os.getpid()
        os.kill(shared[0]["parent"], signal.SIGKILL)
        assert fresh_process.run_script("answering", {}, tmp_path)["parent"] == os.getpid()


def test_the_check_refuses_to_run_beside_keras(monkeypatch):
    with pytest.raises(AssertionError, match="proves nothing"):
        verify._assert_alone()


def test_an_answer_that_depends_on_the_place_of_a_row_is_refused():
    """The last row answers one more than it does alone, and another row is the last in reverse."""
    inputs = {"z": np.arange(4.0)}

    def by_place(tensors):
        return {"image": tensors["z"] + (np.arange(len(tensors["z"])) == 3)}

    for call, wrong in ((lambda tensors: {"image": tensors["z"] * 2}, False), (by_place, True)):
        failures = []
        golden = {"inputs": inputs, "outputs": call(inputs)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(verify, "_latency_ms", lambda call: 0.0)
            checks = verify._check_signature("sample", call, golden, {"float": 1e-6, "levels": 0}, failures)
        assert any("rows in reverse" in failure for failure in failures) == wrong
        assert (checks["max_abs_difference_reversed"] == 1.0) == wrong


def test_threads_are_those_that_tensorflow_is_told_or_the_process_s_own_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0: {2, 3, 5}}.get(process, {0}), raising=False)
    for told, threads in (("", 3), ("0", 3), ("two", 3), ("2", 2)):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", told)
        assert verify._threads() == threads


def test_a_target_without_a_name_is_not_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(tiny(), "", "folder of their own.*Received: ''")
    assert not list(tmp_path.iterdir())
