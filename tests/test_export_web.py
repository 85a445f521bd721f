"""The page of an exported model: what goes into it, what is refused, and what it does in a browser."""

import base64
import contextlib
import functools
import hashlib
import http.server
import io
import json
import re
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_gans import export
from keras_gans.errors import UserError
from keras_gans.export import export_model, web_page, web_runtime
from keras_gans.export.formats import check_formats, check_tflite_kinds, check_web
from keras_gans.latent.interpolation import slerp
from keras_gans.layers.tokenizer import Tokenizer
from keras_gans.pixels import to_uint8
from keras_gans.words import LEVELS, pieces
from tests.small import small_model

PAGE = Path(export.__file__).with_name("web")
IMAGES = np.zeros((2, 8, 8, 1), np.float32)
LATENTS = np.zeros((2, 6), np.float32)


def test_a_page_brings_the_tflite_files_that_it_runs():
    assert check_formats(["web"]) == ("tflite", "web")


@pytest.mark.parametrize(
    "kinds, batches, message",
    [
        (["dynamic_int8"], (1,), "float16, float32, weight_int8. Received the kinds: dynamic_int8"),
        (["float32"], (4, 1), "is 1. Received: 4"),
    ],
)
def test_a_page_that_could_not_run_is_refused(kinds, batches, message):
    with pytest.raises(UserError, match=re.escape(message)):
        check_web(("tflite", "web"), check_tflite_kinds(kinds), batches)
    check_web(("tflite",), kinds, batches)


def test_without_npm_it_is_said_how_to_get_the_runtime(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="npm is not on the PATH") as refused:
        web_runtime.require_runtime()
    assert "npm pack @litertjs/core@2.5.3 @litertjs/wasm-utils@2.5.3" in str(refused.value)
    assert str(tmp_path / "web") in str(refused.value)


def test_another_archive_than_the_published_one_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nfor name in core wasm-utils; do echo forged > litertjs-$name-2.5.3.tgz; done\n")
    npm.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(npm))
    with pytest.raises(UserError, match="its hash is another"):
        web_runtime.require_runtime()
    assert list((tmp_path / "cache" / "web").iterdir()) == []


def test_what_a_page_shows_follows_from_what_the_signatures_take_and_give():
    def shown(has_latents=True, has_words=False, **answers):
        return web_page.shown_parts(answers, has_latents, has_words)

    picture = ({"z": LATENTS}, {"image": IMAGES})
    one_way = ({"image": IMAGES}, {"image": IMAGES})
    assert shown(serving_default=picture) == (["generator"], {})
    assert shown(serving_default=({"z": LATENTS}, {"point": LATENTS})) == (["generator"], {})
    assert shown(serving_default=one_way, a_to_b=one_way, has_latents=False)[0] == ["a_to_b"]
    parts, left_out = shown(serving_default=picture, reconstruct=one_way, has_latents=False)
    assert parts == ["autoencoder"] and left_out == {"generator": "nothing says how its latents are drawn"}
    of_text = ({"z": LATENTS, "tokens": LATENTS}, {"image": IMAGES})
    assert shown(serving_default=of_text, has_words=True) == (["generator"], {})
    infrared = ({"z": LATENTS}, {"image": np.zeros((2, 8, 8, 2), np.float32)})
    for answers, reason in (
        (of_text, "it takes tokens that are no words"),
        (({"text": IMAGES}, {"text": IMAGES}), "it takes text"),
        (infrared, "it has images of 2 channels"),
        (({"z": LATENTS}, {"point": LATENTS[:, :1]}), "its points have no two coordinates"),
        (({"image": IMAGES, "label": LATENTS}, {"z": LATENTS}), "it takes more than an image"),
        (({"point": LATENTS}, {"z": LATENTS}), "it takes point"),
        (({"z": LATENTS}, {"score": LATENTS}), "it has neither images nor points"),
    ):
        parts, left_out = shown(serving_default=answers)
        assert (parts, left_out) == ([], {"generator": reason})
    said = "A page for browsers can show nothing of this model: generator: it takes text."
    assert web_page.nothing_shown({"generator": "it takes text."}) == said


def test_the_page_allows_its_own_import_map_and_no_other_server():
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    (imports,) = re.findall(r'<script type="importmap">(.*?)</script>', page)
    digest = base64.b64encode(hashlib.sha256(imports.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page and "default-src 'none'" in page
    for file in PAGE.glob("*"):
        if file.name != "LICENSE.txt":
            assert "//" not in re.sub(r"(?m)^ *//.*$", "", file.read_text(encoding="utf-8")), f"{file} names an address"
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    assert labelled == set(re.findall(r'<(?:input|select) id="([^"]+)"', page))


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_javascript_blends_and_rounds_as_the_exported_model_does(tmp_path):
    first, second = np.random.default_rng(0).normal(size=(2, 16)).astype("float32")
    shutil.copyfile(PAGE / "numbers.js", tmp_path / "numbers.mjs")
    numbers = np.linspace(-1, 1, 48, dtype=np.float32)
    script = f"""
import {{ blend, seedOf, toLevels, toNumbers }} from "./numbers.mjs";
const [first, second] = {json.dumps([first.tolist(), second.tolist()])}.map((each) => Float32Array.from(each));
const levels = toLevels(Float32Array.from({numbers.tolist()}), 3);
function isRefused(text) {{
  try {{ seedOf(text); return false; }} catch {{ return true; }}
}}
console.log(JSON.stringify([
  ...["normal", "uniform"].map((prior) => Array.from(blend(first, second, 0.3, prior))),
  Array.from(levels),
  ["", "1.5", "9223372036854775808"].every(isRefused),
  String(seedOf(" -9223372036854775808")),
  Array.from(toNumbers(levels, 3)),
]));
"""
    (tmp_path / "ask.mjs").write_text(script)
    run = subprocess.run(["node", str(tmp_path / "ask.mjs")], capture_output=True, text=True, check=True)
    round_way, straight, levels, refused, seed, back = json.loads(run.stdout)
    np.testing.assert_allclose(round_way, np.asarray(slerp(first, second, 0.3)), atol=1e-6)
    np.testing.assert_allclose(straight, 0.7 * first + 0.3 * second, atol=1e-6)
    expected = np.asarray(to_uint8(numbers)).reshape(16, 3)
    np.testing.assert_array_equal(np.reshape(levels, (16, 4)), np.insert(expected, 3, 255, axis=1))
    np.testing.assert_allclose(back, expected.ravel() / 127.5 - 1, atol=1e-6)
    assert refused and seed == "-9223372036854775808"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_javascript_finds_the_words_that_the_model_reads(tmp_path):
    """The tokenizer on texts of every kind, and points on their canvas."""
    texts = [
        "A red CIRCLE!",
        "",
        "  two\n\tlarge\u2003circles ",
        "caf\u00e9 \u00c9 I\u0130",
        "red-blue_1 2\u00d73",
        "\U0001f600 red",
    ]
    texts += ["red " * 9, "\x7fred\x80blue\u00a0a", "constructor __proto__ red"]
    shutil.copyfile(PAGE / "numbers.js", tmp_path / "numbers.mjs")
    tokenizers = [Tokenizer.of(["red circle two large caf\u00e9 blue a"], level, length=6) for level in LEVELS]
    described = [
        {"words": tokenizer.vocabulary, "tokenizer": {"level": tokenizer.level, "length": tokenizer.length}}
        for tokenizer in tokenizers
    ]
    script = f"""
import {{ fitted, tokensOf }} from "./numbers.mjs";
const found = {json.dumps(described)}.map(({{ words, tokenizer }}) => {{
  const vocabulary = new Map(words.map((word, number) => [word, number]));
  return {json.dumps(texts)}.map((text) => tokensOf(text, vocabulary, tokenizer))
    .map(({{ tokens, unknown, count }}) => [Array.from(tokens), unknown, count]);
}});
const {{ at, ends }} = fitted([[0, 0], [4, 2], [2, 1]], 100, 10);
console.log(JSON.stringify([found, [at([0, 0]), at([4, 2]), at([2, 1])], ends, fitted([[3, 3]], 100, 10).at([3, 3])]));
"""
    (tmp_path / "ask.mjs").write_text(script)
    run = subprocess.run(["node", str(tmp_path / "ask.mjs")], capture_output=True, text=True, check=True)
    found, places, ends, alone = json.loads(run.stdout)
    for tokenizer, rows in zip(tokenizers, found, strict=True):
        np.testing.assert_array_equal([tokens for tokens, _, _ in rows], tokenizer.encode(texts))
        assert [unknown for _, unknown, _ in rows] == [tokenizer.unknown(text) for text in texts]
        assert [count for _, _, count in rows] == [len(pieces(text, tokenizer.level)) for text in texts]
    # As long in both directions, and upwards.
    assert places == [[10, 70], [90, 30], [50, 50]] and ends == [[0, 4], [0, 2]] and alone == [50, 50]


# In a browser -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def served(folder):
    """The address of a plain server of static files."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, pip install playwright")
    try:
        web_runtime.require_runtime()
    except UserError as error:
        pytest.skip(str(error))
    with playwright.sync_playwright() as running:
        try:
            started = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"needs Chromium: {str(error).splitlines()[0]}")
        yield started
        started.close()


@contextlib.contextmanager
def opened(browser, folder):
    """A phone's page of a version that is ready; nothing outside its folder may be asked for, and nothing may fail."""
    with served(folder / "web") as address:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        asked, wrong = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address)
        page.wait_for_selector("body[data-ready]", timeout=60_000)
        yield page
        assert not wrong and "wrong" not in (page.get_attribute("#status", "class") or "")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "a phone would scroll sideways"
        assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []
        page.close()


def downloaded(page, canvas):
    with page.expect_download() as download:
        page.click(f'[data-download="{canvas}"]')
    image = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    return download.value.suggested_filename, np.asarray(image.convert("L"), np.int32)


def published(scheme, to):
    model = small_model(scheme)
    report = export_model(model, to / scheme, ["web"])
    assert {"web/index.html", "web/model.json", "web/runtime/litert_wasm_internal.wasm"} <= report["files"].keys()
    return model, to / scheme / "1", report


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("scheme", ["dcgan", "cgan"])
def test_a_generator_in_a_browser_draws_what_the_model_does(browser, tmp_path, scheme):
    model, folder, report = published(scheme, tmp_path)
    assert report["web"]["models"] == {"generator": "float16"}
    with opened(browser, folder) as page:
        if scheme == "cgan":
            assert page.locator("#class option").all_inner_texts() == ["As the seed has it", *model.class_names]
            page.select_option("#class", "2")
            page.select_option("#between-class", "2")
        # By keyboard alone.
        page.fill("#seed", "11")
        page.press("#seed", "Enter")
        page.wait_for_selector('#drawn[data-name^="seed-11"]')
        name, image = downloaded(page, "drawn")
        label = {"labels": 2} if scheme == "cgan" else {}
        assert name == f"{scheme}-seed-11{'-class-2' if label else ''}.png"
        expected = model.sample(1, 11, **label)[0, ..., 0]
        np.testing.assert_allclose(image, expected, atol=1)
        page.fill("#to", "11")
        page.press("#to", "Tab")
        page.focus("#fraction")
        page.press("#fraction", "End")
        page.wait_for_selector('#blended[data-name="seed-7-to-11-at-100"]')
        np.testing.assert_allclose(downloaded(page, "blended")[1], image, atol=1)
        page.fill("#seed", "one")
        page.press("#seed", "Enter")
        page.wait_for_selector("#status.wrong")
        assert "A seed is a whole number. Received: one." in page.inner_text("#status")
        page.fill("#seed", "11")
        page.press("#seed", "Enter")
        page.wait_for_selector("#status:not(.wrong)")


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("scheme", ["semi_supervised_aae", "cyclegan"])
def test_a_picture_of_ones_own_is_classified_encoded_and_translated(browser, tmp_path, scheme):
    model, folder, report = published(scheme, tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "own.png")
    image = (pixels[None, ..., None] / 127.5 - 1).astype("float32")
    tasks = [part for part in report["web"]["models"] if part != "generator"]
    assert set(tasks) == ({"a_to_b", "b_to_a"} if scheme == "cyclegan" else {"classifier", "encoder", "autoencoder"})
    with opened(browser, folder) as page:
        page.set_input_files("#file", tmp_path / "own.png")
        for task in tasks:
            page.select_option("#task", task)
            page.wait_for_selector(f'#made[data-name="{task}"]', state="attached")
            answers = getattr(model, "classify" if task == "classifier" else task, None)
            if task == "classifier":
                assert page.locator("#shares li").count() == 3
                assert not page.is_visible("#made")
            elif task == "encoder":
                assert page.text_content("#numbers").count(" ") == len(np.asarray(answers_of(model, image))[0]) - 1
            elif task in ("a_to_b", "b_to_a"):
                expected = np.asarray(to_uint8(answers(image, training=False)))[0, ..., 0]
                np.testing.assert_allclose(downloaded(page, "made")[1], expected, atol=1)


def answers_of(model, image):
    function, _ = model.endpoints()["encode"]
    return function(image)["z"]
