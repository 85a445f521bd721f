"""The house rules that a machine can hold: which way imports run, what is documented, listed, packaged and taped."""

import ast
import configparser
import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ALLOWED = {
    # Which folders of keras_gans a folder may import from, besides itself and the modules at the top.
    "schemes": {"engine", "layers"},
    "networks": {"layers"},
    "callbacks": {"metrics", "doctor", "drawing", "engine", "runs"},
    "doctor": {"metrics", "engine"},
    "engine": {"drawing", "latent", "layers"},
    "latent": {"drawing", "engine"},
    "data": set(),
    "layers": set(),
    "metrics": {"data", "networks", "layers"},
    "drawing": set(),
    "runs": {"engine", "layers", "schemes"},
    "testing": {"engine"},
    # Above the library, of which they may import anything; the command line alone knows both.
    "training": None,
    "export": None,
    # Above these two.
    "presets": None,
}
ABOVE = ("training", "export", "presets")
ONLY_THE_COMMAND_LINE = [("keras_gans.training.cli", "export"), ("keras_gans.training.cli", "presets")]


def parsed(*folders):
    """[(dotted name of a module as it is imported, path, syntax tree)] of all Python files in `folders`."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            installed = ("keras_gans",) if folder in ("training", "export") else ()
            name = ".".join((*installed, *(part for part in parts if part != "__init__")))
            yield name, path, ast.parse(path.read_text(encoding="utf-8"))


HOUSE = list(parsed("keras_gans", "training", "export"))


def imports(module, path, tree):
    """Dotted names that a module imports anywhere in the code that runs, relative ones in full."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for_hints = {id(node) for block in ast.walk(tree) if _is_for_type_checkers(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in for_hints:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join((*above, *filter(None, [node.module])))
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _is_for_type_checkers(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def room(name):
    """The folder of keras_gans that a dotted name lies in, None for a module at its top or one of elsewhere."""
    parts = name.split(".")
    return parts[1] if parts[0] == "keras_gans" and len(parts) > 1 and parts[1] in ALLOWED else None


def test_imports_run_one_way():
    offences = []
    for module, path, tree in HOUSE:
        here = room(module)
        for name in imports(module, path, tree):
            there = room(name)
            if module == "keras_gans" or there in (None, here):
                continue
            if here == "presets":
                continue
            if here in ABOVE:
                fits = there not in ABOVE or (module, there) in ONLY_THE_COMMAND_LINE
            else:
                # The modules at the top may be imported by every folder, so they may import from none of the two.
                fits = there in ALLOWED[here] if here else there not in ABOVE
            if not fits:
                offences.append(f"{module} imports {name}")
    assert not offences, "\n".join(offences)


def test_what_is_printed_goes_through_the_one_console_that_nothing_acts_on():
    by_rich = [
        name
        for name, path, tree in HOUSE
        if "rich.console.Console" in imports(name, path, tree) and "Console(" in path.read_text(encoding="utf-8")
    ]
    assert not by_rich


def test_every_folder_has_its_rule_and_every_rule_its_folder():
    folders = {path.parent.name for _, path, _ in HOUSE if path.name == "__init__.py"}
    assert set(ALLOWED) == folders - {"keras_gans", "recipes", "theory", "server"}


def test_training_and_export_have_one_name():
    # The two folders stand at the top of the checkout: imported as `training`, a module would exist twice.
    offences = [
        f"{path.relative_to(ROOT)} imports {name}"
        for module, path, tree in [*HOUSE, *parsed("tests", "benchmarks")]
        for name in imports(module, path, tree)
        if name.split(".")[0] in ("training", "export")
    ]
    assert not offences, "\n".join(offences)


def test_what_is_public_is_documented():
    offences = []
    for module, _, tree in [*HOUSE, *parsed("benchmarks")]:
        things = [("", tree)]
        if not module.startswith(("keras_gans.training.recipes", "benchmarks")):
            things += [
                (f".{node.name}", node) for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
            ]
        for name, node in things:
            if not name.startswith("._") and not ast.get_docstring(node):
                offences.append(f"{module}{name} does not say what it is for")
    assert not offences, "\n".join(offences)


def test_the_only_tapes_are_the_updates_the_penaltys_and_the_inversions():
    users = {path.name for _, path, _ in HOUSE if "GradientTape" in path.read_text(encoding="utf-8")}
    assert users == {"updating.py", "inversion.py", "penalties.py"}


def test_the_listed_packages_are_the_folders():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    assert listed == {module for module, path, _ in HOUSE if path.name == "__init__.py"}


def type_checkers_names(tree):
    """{name: module that it comes from, or that it is} of the imports in `if TYPE_CHECKING:` at a module's top."""
    modules = {module for module, _, _ in HOUSE}
    names = {}
    for block in tree.body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for node in block.body:
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    names[alias.asname] = whole if whole in modules else node.module
    return names


def test_lazy_names_are_those_that_a_type_checker_reads_and_all_that_is_listed():
    lazy = {module: tree for module, _, tree in HOUSE if "_HOMES = " in ast.unparse(tree) and type_checkers_names(tree)}
    assert {"keras_gans", "keras_gans.data", "keras_gans.engine"} <= set(lazy)
    for module, tree in lazy.items():
        package = importlib.import_module(module)
        assert type_checkers_names(tree) == package._HOMES, module
        # Whatever has been imported by now: modules that are not public are attributes of the package all the same.
        assert dir(package) == package.__all__ == sorted(package._HOMES), module
        for name, home in package._HOMES.items():
            assert getattr(package, name) in (sys.modules[home], getattr(sys.modules[home], name, None)), name
