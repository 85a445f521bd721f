"""What the documents say is so: examples run, commands exist, links lead somewhere, and the site builds strictly."""

import functools
import importlib
import importlib.util
import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import typer.main
from scipy.spatial import cKDTree

import keras_gans as kg
from keras_gans import registry
from keras_gans.training import cli
from keras_gans.training import recipe as recipes

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "benchmarks/README.md", *sorted(DOCS.rglob("*.md"))]
README_LIMIT = 12_000
GALLERY_LIMIT = 400_000
FENCE = re.compile(r"(?P<before>[^\n]*)\n```(?P<language>\w+)\n(?P<code>.*?)\n```", re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: \S.* -->")
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)|src=\"(?P<source>[^\"]+)\"")
# A median with its range, such as 0.63 [0.60, 0.71].
FIGURE = re.compile(r"\d[\d.,]*(?: %)? \[\d[\d.]*, \d[\d.]*\]")


def text_of(page):
    return page.read_text(encoding="utf-8")


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(page, language):
    """[(line before the block, code)] of a page's code blocks in a language."""
    found = FENCE.finditer(text_of(page))
    return [(each["before"], each["code"]) for each in found if each["language"] == language]


@functools.cache
def building():
    """The module that makes the site, docs/building.py."""
    pytest.importorskip("mkdocs", reason='the site needs pip install -e ".[docs]"')
    specification = importlib.util.spec_from_file_location("building", DOCS / "building.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


# Complete ---------------------------------------------------------------------------------------------------------


def test_the_readme_is_short():
    assert len(README.read_bytes()) <= README_LIMIT


@pytest.mark.parametrize("scheme", registry.schemes)
def test_every_scheme_has_a_page_a_picture_and_its_rows(scheme):
    page, picture = DOCS / "schemes" / f"{scheme}.md", DOCS / "gallery" / f"{scheme}.png"
    assert page.is_file() and picture.is_file()
    assert f"(../gallery/{scheme}.png)" in text_of(page)
    assert f'src="docs/gallery/{scheme}.png"' in text_of(README) and f"(docs/schemes/{scheme}.md)" in text_of(README)
    assert f"]({scheme}.md)" in text_of(DOCS / "schemes/index.md")
    for heading in ("Objective", "Recipes", "Measured", "What goes wrong"):
        assert f"\n## {heading}\n" in text_of(page)


@pytest.mark.parametrize("scheme", registry.schemes)
def test_a_schemes_page_lists_its_recipes_as_they_are(scheme):
    page = DOCS / "schemes" / f"{scheme}.md"
    assert text_of(page) == building().with_recipes(scheme, text_of(page)), "run: python docs/building.py"


def test_the_table_of_presets_is_of_them_as_they_are():
    page = DOCS / "presets.md"
    assert text_of(page) == building().with_presets(text_of(page)), "run: python docs/building.py"


def test_the_gallery_is_small():
    assert sum(path.stat().st_size for path in (DOCS / "gallery").iterdir()) <= GALLERY_LIMIT


def test_figures_on_the_schemes_pages_are_those_that_were_measured():
    known = " ".join(text_of(DOCS / "measured.md").split())
    for page in (DOCS / "schemes").glob("*.md"):
        # What the recipes say of themselves is among it.
        for figure in FIGURE.findall(" ".join(text_of(page).split())):
            assert figure in known, f"{name_of(page)}: {figure}"


def test_the_summary_of_speeds_is_the_benchmarks_own():
    report = text_of(ROOT / "benchmarks/README.md")
    ratios = re.findall(r"\| (\d\.\d\d)(?= \|)", text_of(DOCS / "benchmarks.md"))
    assert len(ratios) >= 16
    for ratio in ratios:
        assert f"**{ratio}**" in report, ratio


# True -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for found in LINK.finditer(text_of(page)):
        target = (found["target"] or found["source"]).partition("#")[0]
        if target and not target.startswith(("https://", "http://")):
            assert (page.parent / target).exists(), target


@pytest.fixture
def registries():
    """Takes what an example registers away again."""
    kept = (registry.schemes, registry.networks, registry.sources, recipes.recipes)
    before = [dict(each.items()) for each in kept]
    yield
    for each, entries in zip(kept, before, strict=True):
        each._registered.clear()
        each._registered.update(entries)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name_of)
def test_python_examples_run(page, tmp_path, monkeypatch, registries):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "example"}
    for before, code in blocks(page, "python"):
        if not NOT_RUN.fullmatch(before):
            # One epoch shows that it runs; what the others lead to is for the slow test below.
            once = re.sub(r"\bepochs=\d+", "epochs=1", code)
            exec(compile(once, name_of(page), "exec"), names)


# "gan.fit(" and what an example calls its model.
TRAINS = re.compile(r"^(\w+)\.fit\(", re.MULTILINE)
TRAINING_PAGES = [page for page in PAGES if any(TRAINS.search(code) for _, code in blocks(page, "python"))]


def check_worth_looking_at(model, names):
    """Fails unless what an example trained draws digits that a classifier reads, or points that lie on the data."""
    count = 512
    if model.sample_shape() == (2,):
        # Of a normal distribution 0.2 lie as near.
        near = cKDTree(names["crescent"](split="test").samples).query(model.sample(count, seed=0))[0]
        assert np.mean(near < 0.1) >= 0.8
        return
    reader = kg.metrics.extractor_for("digits")
    labels = np.arange(count) % 10 if model.takes_labels else None
    probabilities = reader.probabilities(model.sample(count, seed=0, **({} if labels is None else {"labels": labels})))
    found, sure = probabilities.argmax(axis=1), probabilities.max(axis=1) >= 0.9
    # Of noise 0.1 are, and 0.2 of digits whose pixels are shuffled; of held-out digits 0.98.
    assert np.mean(sure) >= 0.5
    assert np.sum(np.bincount(found[sure], minlength=10) >= 0.02 * count) >= 9
    if labels is not None:
        assert np.mean(found == labels) >= 0.6
    if isinstance(model, kg.schemes.AdversarialAutoencoder):
        digits = kg.data.open_source("digits", split="test", labels=True)
        read = reader.probabilities(model.reconstruct(digits.samples / 127.5 - 1.0)).argmax(axis=1)
        assert np.mean(read == digits.labels) >= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("page", TRAINING_PAGES, ids=name_of)
def test_python_examples_end_in_something_worth_looking_at(page, tmp_path, monkeypatch, registries):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "example"}
    for before, code in blocks(page, "python"):
        if NOT_RUN.fullmatch(before):
            continue
        keras.utils.set_random_seed(0)
        exec(compile(code, name_of(page), "exec"), names)
        for model in TRAINS.findall(code):
            check_worth_looking_at(names[model], names)


def commands():
    """[(page, words)] of every keras-gans command in a block of commands or within a sentence."""
    for page in PAGES:
        lines = [line for _, code in blocks(page, "bash") for line in code.replace("\\\n", " ").splitlines()]
        inline = re.findall(r"(?<!`)`(keras-gans [^`]+)`(?!`)", FENCE.sub("", text_of(page)))
        for line in (*lines, *(" ".join(each.split()) for each in inline)):
            words = shlex.split(line, comments=True)
            if words[:1] == ["keras-gans"]:
                yield name_of(page), words[1:]


@pytest.mark.parametrize(("page", "words"), [pytest.param(*each, id=" ".join(each[1])) for each in commands()])
def test_commands_exist(page, words):
    command, rest = typer.main.get_command(cli.app), list(words)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    # An option or a command that is not there raises.
    given = command.make_context(words[0], rest, resilient_parsing=True).params
    name = given.get("name")
    if command.name == "train" and name and ":" not in name:
        settings = dict(map(recipes.parse_assignment, given.get("settings") or ()))
        check_arguments(recipes.with_settings(recipes.named(name), settings), settings)


def check_arguments(recipe, settings):
    """Fails where a setting of a scheme or a network is no argument of it, which shows only when it is built."""
    for key in settings:
        path = key.split(".")
        if path[0] == "scheme":
            scheme = registry.schemes[recipe.scheme["name"]]
            assert any(path[1] in inspect.signature(base.__init__).parameters for base in scheme.__mro__), key
        elif path[0] == "networks":
            assert path[2] in inspect.signature(registry.networks[recipe.networks[path[1]]["name"]]).parameters, key


@pytest.mark.parametrize("module", sorted({m for p in PAGES for m in re.findall(r"python -m ([\w.]+)", text_of(p))}))
def test_modules_that_are_run_exist(module):
    assert importlib.util.find_spec(module)


# The site ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built strictly: a dead link, a page that is in no menu or a faulty docstring is an error."""
    building()
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_asks_nobody_else(site):
    outside = re.compile(r"<(?:script|img|iframe|link)\b[^>]*(?:src|href)=\"?(?:https?:)?//[^\s\">]+|url\(\"?https?:")
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        found = [each for each in outside.findall(text_of(path)) if 'rel="canonical"' not in each]
        assert not found, f"{path.name}: {found[:3]}"


def test_formulas_need_no_script(site):
    for page in [DOCS / "theory.md", *(DOCS / "schemes").glob("*.md")]:
        built = text_of(site / page.relative_to(DOCS).with_suffix(".html"))
        assert built.count("<math") >= text_of(page).count("$") // 4 and "arithmatex" not in built
        assert not re.search(r"<m[a-z]+>\\\\?[a-z]+<", built), "a command that was not understood"


def own_methods(thing):
    """[(name, method)] of a class's public methods but those that it overrides, whose base class says what they do."""
    if not inspect.isclass(thing):
        return []
    inherited = {name for base in thing.__mro__[1:] for name in vars(base)}
    methods = [(name, value) for name, value in vars(thing).items() if inspect.isroutine(value)]
    return [(f"{thing.__name__}.{name}", value) for name, value in methods if name[0] != "_" and name not in inherited]


def test_whatever_is_public_is_documented():
    modules = [
        module
        for page in (DOCS / "api").glob("*.md")
        for listed in re.findall(r"<!-- api: (.+) -->", text_of(page))
        for module in listed.split(", ")
    ]
    assert len(modules) > 20
    missing = []
    for module in modules:
        for name, home in building().public_names(module):
            thing = getattr(importlib.import_module(home), name)
            missing += [f"{home}.{label}" for label, each in [(name, thing), *own_methods(thing)] if not each.__doc__]
    assert not missing, "\n".join(missing)


def test_everything_public_is_in_the_reference():
    listed = "\n".join(text_of(page) for page in (DOCS / "api").glob("*.md"))
    for name, home in kg._HOMES.items():
        parts = home.removeprefix("keras_gans.")
        assert f"api: {parts}" in listed or f", {parts}" in listed or parts == "engine.inputs", name
