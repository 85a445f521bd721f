"""Every registered scheme from the export through each format to the answers that a client gets: what the docs say.

All of it is slow. `python -m benchmarks.formats` writes the documents' table. Pages are made and opened where there is
a network, as in test_export_web.py.
"""

import base64
import json
import os
import re
import urllib.request
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason='needs pip install -e ".[onnx,int8,serve]"')
pytest.importorskip("ai_edge_quantizer", reason='needs pip install -e ".[onnx,int8,serve]"')
pytest.importorskip("aiohttp", reason='needs pip install -e ".[onnx,int8,serve]"')

from benchmarks import formats
from keras_gans.export import replay
from keras_gans.export.edge import PARTS
from keras_gans.export.formats import FORMATS
from keras_gans.export.golden import golden_answers
from keras_gans.export.runtimes import FORMATS as SERVED
from keras_gans.export.runtimes import formats_of
from keras_gans.export.server.models import Model
from keras_gans.export.server.running import DevelopmentServer
from tests.processes import HANGS
from tests.test_export_web import browser, downloaded, opened  # noqa: F401

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parent.parent / "docs" / "serving.md"
HAS_NETWORK = "KERAS_GANS_TEST_NETWORK" in os.environ
# Rows that a server is asked for at once.
ROWS = 3


def documented():
    """{case as it is named: cells} of the table in the documents."""
    _, _, below = DOCUMENT.read_text(encoding="utf-8").partition("| | SavedModel | TFLite | ONNX | page |\n")
    lines = [line for line in below.partition("\n\n")[0].splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: tuple(cells[1:]) for cells in rows for name in cells[0].split(", ")}


@pytest.fixture(scope="module", params=formats.cases())
def case(request):
    return request.param


@pytest.fixture(scope="module")
def model(case):
    return formats.model_of(case)


@pytest.fixture(scope="module")
def exported(case, model, tmp_path_factory):
    """(folder of versions, report) of a case."""
    folder = tmp_path_factory.mktemp("models") / "small"
    return folder, formats.export_case(model, folder, FORMATS if HAS_NETWORK else FORMATS[:-1])


def test_the_documents_say_what_holds_it(case, exported):
    report = exported[1]
    said, found = documented()[formats.name_of(case)], formats.cells(formats.row_of(report))
    count = 4 if HAS_NETWORK else 3
    assert said[:count] == found[:count], "run: python -m benchmarks.formats"
    for name, reason in report["not_made"].items():
        assert name not in report["formats"] and reason in report["warnings"] and "\n" not in reason
        assert not (Path(report["path"]) / name).exists()


def test_what_was_made_answers_as_the_model(model, exported):
    row = formats.row_of(exported[1])
    assert set(row["saved_model"]) == set(model.endpoints())
    # Of pixels and labels, one level at the most.
    assert max(row["saved_model"].values()) <= 1.0
    assert max(row["onnx"].values(), default=0.0) <= 1.0
    assert row["saved_model"]["serving_default"] <= 1e-5
    assert row["onnx"].get("serving_default", 0.0) <= 1e-4
    for kinds in row["tflite"].values():
        assert kinds["float32"] <= 1e-4
    # One table to choose by has them all, with the threads of their times.
    table = exported[1]["choice"]["table"]
    assert all(each["threads"] == 1 for each in table if each["format"] != "saved_model")
    assert any(each["format"] == "onnx" for each in table) == bool(row["onnx"].keys() & set(PARTS.values()))


def test_it_is_verified_where_it_is_used(exported):
    folder, report = exported
    verified = replay.verify_version(folder)
    assert verified["ok"], verified["checks"]
    assert [check["check"] for check in verified["checks"]] == ["files", *(set_of_replayed(report))]


def set_of_replayed(report):
    """The formats whose golden answers are replayed, in that order."""
    return [name for name in ("saved_model", "onnx", "tflite") if name in report["golden"]]


def as_json(values):
    """An input as REST takes it."""
    values = np.asarray(values)
    if values.dtype.kind in "SO":
        return [{"b64": base64.b64encode(bytes(value)).decode()} for value in values.tolist()]
    return values.tolist()


@pytest.mark.parametrize("format", SERVED)
def test_a_server_answers_each_signature(model, exported, format):
    folder, report = exported
    if format not in formats_of(folder / "1"):
        pytest.skip(report["not_made"][format])
    answers = golden_answers(model, rows=ROWS + 3)
    with DevelopmentServer([Model("small", folder)], format=format) as server:
        left_out = server.models.named("small").find().left_out
        for signature, reason in left_out.items():
            # The files hold no network for it, or it takes what is read in TensorFlow alone.
            takes = answers[signature][0].keys()
            is_lacking = "there is no TFLite file" in reason and report["left_out_of_tflite"]
            assert format != "saved_model" and (takes & {"image_bytes", "text"} or is_lacking), (signature, reason)
        url = f"http://127.0.0.1:{server.port}/v1/models/small:predict"
        for signature, (inputs, outputs) in answers.items():
            if signature in left_out:
                continue
            columns = {name: as_json(values[:ROWS]) for name, values in inputs.items()}
            body = json.dumps({"signature_name": signature, "inputs": columns}).encode()
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=HANGS) as response:
                found = json.load(response)["outputs"]
            found = found if len(outputs) > 1 else {next(iter(outputs)): found}
            assert found.keys() == outputs.keys()
            for name, values in outputs.items():
                compare(signature, found[name], values[:ROWS])


def compare(signature, found, expected):
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(np.array(found, "float32"), expected, atol=1e-4, err_msg=signature)
    elif expected.dtype.kind in "iu":
        np.testing.assert_allclose(np.array(found), expected, atol=int(expected.dtype == np.uint8), err_msg=signature)
    elif expected.dtype.kind == "b":
        assert found == expected.tolist()
    elif isinstance(found[0], dict):
        assert all(base64.b64decode(each["b64"]).startswith(b"\x89PNG") for each in found)
    else:
        assert found == [bytes(value).decode() for value in expected.tolist()]


@pytest.mark.network
def test_its_page_shows_what_the_model_makes(browser, case, model, exported, tmp_path):  # noqa: F811
    folder, report = exported
    if "web" in report["not_made"]:
        assert report["not_made"]["web"].startswith("A page for browsers can show nothing of this model: ")
        pytest.skip(report["not_made"]["web"])
    parts = report["web"]["models"]
    with opened(browser, folder / "1") as page:
        assert page.is_visible("#draw") == ("generator" in parts)
        if "generator" in parts:
            inputs = {name for name in report["signatures"]["serving_default"]["inputs"]}
            asked = {}
            if "label" in inputs:
                asked = {"labels": 2}
                page.select_option("#class", "2")
            if "tokens" in inputs:
                asked = {"texts": "a small blue star"}
                page.fill("#text", asked["texts"])
                page.press("#text", "Enter")
            page.fill("#seed", "11")
            page.press("#seed", "Enter")
            page.wait_for_selector('#drawn[data-name^="seed-11"]')
            name, image = downloaded(page, "drawn")
            caption = page.inner_text("#drawn-caption")
            if "point" in report["signatures"]["serving_default"]["outputs"]:
                assert name == "small-seed-11-points-300.png" and "300 points of the seeds from 11 on" in caption
                # Dots on white.
                assert image.shape == (640, 640) and 0.001 < np.mean(image < 128) < 0.5
            else:
                expected = model.sample(1, 11, **asked)[0].astype(np.float32)
                expected = expected[..., 0] if expected.shape[-1] == 1 else expected @ [0.299, 0.587, 0.114]
                # In float16, and rounded once more by the download's grey.
                np.testing.assert_allclose(image, expected, atol=3)
                assert caption.startswith("Seed 11") and str(asked.get("texts", "")) in caption
                assert "label" not in inputs or f"class {model.class_names[2]}" in caption
            page.focus("#fraction")
            page.press("#fraction", "End")
            page.wait_for_selector('#blended[data-name$="-at-100"]')
        tasks = [part for part in parts if part != "generator"]
        assert page.is_visible("#own") == bool(tasks)
        if tasks:
            from PIL import Image

            own = tmp_path / "own.png"
            Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)).save(own)
            page.set_input_files("#file", own)
        for task in tasks:
            if len(tasks) > 1:
                page.select_option("#task", task)
            page.wait_for_selector(f'#made[data-name="{task}"]', state="attached")


@pytest.mark.network
def test_no_page_names_an_unknown_word_wrongly(browser, case, exported):  # noqa: F811
    folder, report = exported
    if not report["tokenizer"]:
        pytest.skip("it reads no texts")
    with opened(browser, folder / "1") as page:
        page.fill("#text", "a zebra of colour")
        page.press("#text", "Enter")
        page.wait_for_function("document.querySelector('#text-help').textContent.includes('zebra')")
        help_ = page.inner_text("#text-help")
        assert re.search(r"Never read in training: zebra", help_), help_
