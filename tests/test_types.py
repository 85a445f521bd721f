"""Every public function says what it takes and gives, and a user's type checker sees it."""

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [path for folder in ("keras_gans", "training", "export") for path in sorted((ROOT / folder).rglob("*.py"))]


def public_functions(body, owner=""):
    """(name, function) of the public functions and methods in a module's or a class's body."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name == "__init__"):
            yield owner + node.name, node


def untyped(function):
    """Names of a function's parameters without a hint, and "return" where what it gives has none."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    missing = [each.arg for each in named if each and each.annotation is None and each.arg not in ("self", "cls")]
    return missing + ["return"] * (function.returns is None and function.name != "__init__")


def test_every_public_function_has_hints():
    found = []
    for path in FILES:
        for name, function in public_functions(ast.parse(path.read_text(encoding="utf-8")).body):
            if missing := untyped(function):
                found.append(f"{path.relative_to(ROOT)}:{function.lineno} {name}: {', '.join(missing)}")
    assert not found, f"{len(found)} functions:\n" + "\n".join(found)


def test_the_package_says_that_it_is_typed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert "py.typed" in config["options.package_data"]["keras_gans"]
    assert (ROOT / "keras_gans" / "py.typed").is_file()


def test_a_type_checker_sees_every_name_and_finds_a_users_mistakes():
    pytest.importorskip("mypy", reason="mypy is not installed")
    command = [sys.executable, "-m", "mypy", "--python-executable", sys.executable]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
