"""The house rules that a machine can hold: which way imports run, and that every folder is packaged."""

import ast
import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {
    # Which folders of keras_gans a folder may import from, besides the modules at its top.
    "schemes": {"engine", "layers"},
    "networks": {"layers"},
    "callbacks": {"metrics", "doctor", "drawing", "engine"},
    "doctor": {"metrics", "engine"},
    "engine": {"drawing", "latent", "layers"},
    "latent": {"drawing", "engine"},
    "data": {"data"},
    "layers": set(),
    "metrics": {"data"},
    "drawing": set(),
    "runs": {"layers", "schemes"},
    "testing": {"engine"},
}
FILES = sorted(path for folder in ("keras_gans", "training", "export") for path in (ROOT / folder).rglob("*.py"))


def imports(path):
    """Dotted names that a file imports absolutely."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    place = path.relative_to(ROOT).parts
    for name in imports(path):
        parts = name.split(".")
        if place[0] == "keras_gans" and len(place) > 2:
            assert parts[0] not in ("training", "export") and parts[:2] not in (
                ["keras_gans", "training"],
                ["keras_gans", "export"],
            ), f"the library imports {name}"
        if (
            place[0] == "keras_gans"
            and len(place) == 3
            and parts[0] == "keras_gans"
            and len(parts) > 1
            and (ROOT / "keras_gans" / parts[1]).is_dir()
        ):
            assert parts[1] == place[1] or parts[1] in ALLOWED[place[1]], f"{place[1]} imports {name}"
        if place[0] in ("training", "export"):
            other = {"training": "export", "export": "training"}[place[0]]
            assert parts[0] != other or place[1] == "cli.py", f"{place[0]} imports {name}"


def test_the_only_tapes_are_the_updates_the_penaltys_and_the_inversions():
    users = {path.name for path in FILES if "GradientTape" in path.read_text(encoding="utf-8")}
    assert users == {"updating.py", "inversion.py", "penalties.py"}


def test_the_listed_packages_are_the_folders():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    folders = {path.parent.relative_to(ROOT).parts for path in FILES if path.name == "__init__.py"}
    assert listed == {".".join(parts if parts[0] == "keras_gans" else ("keras_gans", *parts)) for parts in folders}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_readable(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what it is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            has_docstring = ast.get_docstring(node) is not None
            first = node.body[1 if has_docstring and len(node.body) > 1 else 0]
            assert node.end_lineno - first.lineno < 45, f"{node.name} is too long"
