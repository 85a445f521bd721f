"""What the site is made of beside the pages that stand here: formulas as MathML, the API's pages, the benchmarks'.

MkDocs calls the functions whose names begin with on_, see `hooks` in mkdocs.yml. Nothing here imports TensorFlow: the
API's pages are read off the source.
"""

import ast
import atexit
import html
import re
import shutil
import tempfile
from pathlib import Path

import latex2mathml.converter
from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
# The folders that are installed under another name than they have here, see `package_dir` in setup.cfg.
INSTALLED_ELSEWHERE = {"training": "training", "export": "export"}
# {page of the reference: (title, the modules whose public names it documents)}.
API = {
    "schemes": ("keras_gans.schemes", ["schemes"]),
    "networks": ("keras_gans.networks", ["networks"]),
    "layers": ("keras_gans.layers", ["layers"]),
    "losses": ("keras_gans.losses", ["losses"]),
    "penalties": ("keras_gans.penalties", ["penalties"]),
    "optimizers": ("keras_gans.optimizers", ["optimizers"]),
    "data": ("keras_gans.data", ["data"]),
    "fields": ("keras_gans.fields", ["fields"]),
    "callbacks": ("keras_gans.callbacks", ["callbacks"]),
    "doctor": ("keras_gans.doctor", ["doctor"]),
    "metrics": ("keras_gans.metrics", ["metrics", "metrics.checkerboard"]),
    "latent": ("keras_gans.latent", ["latent"]),
    "drawing": ("Drawing", ["drawing.picture", "drawing.plot"]),
    "engine": ("keras_gans.engine", ["engine"]),
    "testing": ("keras_gans.testing", ["testing"]),
    "training": ("keras_gans.training", ["training.recipe"]),
    "export": ("keras_gans.export", ["export"]),
    "small": ("Errors and small things", ["errors", "runs.run_directory", "labels", "pixels", "randomness", "registry"]),
}


def on_config(config):
    """Shows mkdocstrings the package as it is installed: keras_gans with all of its folders in one place."""
    whole = Path(tempfile.mkdtemp(prefix="keras_gans-site-"))
    atexit.register(shutil.rmtree, whole, ignore_errors=True)
    package = whole / "keras_gans"
    package.mkdir()
    for part in (ROOT / "keras_gans").iterdir():
        (package / part.name).symlink_to(part)
    for name, folder in INSTALLED_ELSEWHERE.items():
        if not (package / name).exists():
            (package / name).symlink_to(ROOT / folder)
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"] = [str(whole)]
    return config


def on_files(files, config):
    """Adds the pages that are made from what stands elsewhere."""
    for name, text in generated_pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_content(text, page, config, files):
    """Turns formulas, as pymdownx.arithmatex leaves them, into MathML, which browsers draw without any script."""
    return re.sub(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', _mathml, text, flags=re.DOTALL)


def _mathml(found):
    display = "inline" if found[2] == "(" else "block"
    formula = latex2mathml.converter.convert(html.unescape(found[3]).strip(), display=display)
    return formula if display == "inline" else f'<div class="formula">{formula}</div>'


def generated_pages():
    """{path in the site: Markdown} of the API's pages and of the benchmarks'."""
    pages = {f"api/{page}.md": api_page(title, modules) for page, (title, modules) in API.items()}
    report = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    pages["benchmarks-all.md"] = report.replace("](../docs/", "](").replace("# Benchmarks", "# Every benchmark", 1)
    return pages


def api_page(title, modules):
    """Markdown that has mkdocstrings document the public names of `modules`, which are names below keras_gans."""
    lines = [f"# {title}", ""]
    for module in modules:
        if len(modules) > 1:
            lines += [f"## keras_gans.{module}", ""]
        lines += [f"::: keras_gans.{module}", "    options: {members: false}", ""]
        for name, home in public_names(module):
            lines += [f"::: {home}.{name}", "    options: {show_root_heading: true, show_root_toc_entry: true}", ""]
    return "\n".join(lines)


def public_names(module):
    """[(name, dotted name of the module that defines it)] of the public functions and classes of a module.

    Args:
        module: dotted name below keras_gans.
    """
    path, dotted = source_of(module), f"keras_gans.{module}"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.name != "__init__.py":
        return [(node.name, dotted) for node in tree.body if _is_public_definition(node)]
    found = [(node.name, dotted) for node in tree.body if _is_public_definition(node)]
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    exported = _exported(tree)
    for node in imported:
        home = node.module if not node.level else f"{dotted}.{node.module}"
        for alias in node.names:
            if (alias.asname or alias.name) in exported and _is_defined(home, alias.name):
                found.append((alias.name, home))
    return sorted(set(found))


def source_of(module):
    """The file of a module, given by its dotted name below keras_gans."""
    folder, _, rest = module.partition(".")
    start = ROOT / (folder if (ROOT / folder).is_dir() and folder in INSTALLED_ELSEWHERE else f"keras_gans/{folder}")
    path = start.joinpath(*rest.split(".")) if rest else start
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _exported(tree):
    """The names that a package shows: those of `__all__`, or of the table of its lazy names."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "_HOMES"):
            value = node.value.keys if isinstance(node.value, ast.Dict) else getattr(node.value, "elts", ())
            return {key.value for key in value if isinstance(key, ast.Constant)}
    return set()


def _is_defined(home, name):
    tree = ast.parse(source_of(home.removeprefix("keras_gans.")).read_text(encoding="utf-8"))
    return any(_is_public_definition(node) and node.name == name for node in tree.body)


def _is_public_definition(node):
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
