"""What the site has beside the pages as they stand here: formulas as MathML, the reference, the benchmarks' report.

MkDocs calls the functions whose names begin with on_, see `hooks` in mkdocs.yml. Nothing here imports TensorFlow: the
reference is read off the source. `python docs/building.py` writes the lists of recipes in schemes/ anew.
"""

import ast
import atexit
import html
import re
import shutil
import tempfile
import textwrap
from pathlib import Path

from mkdocs.plugins import event_priority

ROOT = Path(__file__).parent.parent
SCHEME_PAGES = ROOT / "docs/schemes"
# The folders that are installed under keras_gans, see `package_dir` in setup.cfg.
INSTALLED_ELSEWHERE = ("training", "export")
_REFERENCE = re.compile(r"<!-- api: (?P<modules>[\w., ]+) -->")
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
PRESETS_PAGE = ROOT / "docs/presets.md"
_PRESETS = re.compile(r"<!-- presets -->.*?<!-- end of presets -->", re.DOTALL)
_RECIPES = re.compile(r"<!-- recipes -->.*?<!-- end of recipes -->", re.DOTALL)


@event_priority(100)  # before mkdocstrings reads its paths
def on_config(config):
    """Shows mkdocstrings the package as it is installed: keras_gans with all of its folders in one place."""
    whole = Path(tempfile.mkdtemp(prefix="keras_gans-site-"))
    atexit.register(shutil.rmtree, whole, ignore_errors=True)
    package = whole / "keras_gans"
    package.mkdir()
    for part in [*(ROOT / "keras_gans").iterdir(), *(ROOT / name for name in INSTALLED_ELSEWHERE)]:
        (package / part.name).symlink_to(part)
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"] = [str(whole)]
    return config


def on_page_markdown(text, page, config, files):
    """Puts the report of the benchmarks and the directives of the reference in their places."""
    if page.file.src_uri == "benchmarks-all.md":
        report = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
        return report.replace("](../docs/", "](").replace("# Benchmarks", "# Every benchmark", 1)
    return _REFERENCE.sub(lambda found: reference(found["modules"].split(", ")), text)


def on_page_content(text, page, config, files):
    """Turns formulas, as pymdownx.arithmatex leaves them, into MathML, which browsers draw without any script."""
    return _FORMULA.sub(_mathml, text)


def _mathml(found):
    import latex2mathml.converter

    display = "inline" if found[2] == "(" else "block"
    formula = latex2mathml.converter.convert(html.unescape(found[3]).strip(), display=display)
    return formula if display == "inline" else f'<div class="formula">{formula}</div>'


def reference(modules):
    """Markdown that has mkdocstrings document the public names of `modules`, which are names below keras_gans."""
    lines = []
    for module in modules:
        if len(modules) > 1:
            lines += [f"## keras_gans.{module}", ""]
        lines += [f"::: keras_gans.{module}", "    options: {members: false}", ""]
        for name, home in public_names(module):
            lines += [f"::: {home}.{name}", "    options: {show_root_heading: true, show_root_toc_entry: true}", ""]
    return "\n".join(lines)


def public_names(module):
    """[(name, dotted name of the module that defines it)] of a module's public functions and classes.

    Those of a package are the ones that it lists, wherever they are defined.

    Args:
        module: dotted name below keras_gans.
    """
    path, dotted = source_of(module), f"keras_gans.{module}"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [(node.name, dotted) for node in tree.body if _is_public_definition(node)]
    listed = _listed(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            home = f"{dotted}.{node.module}" if node.level else node.module
            found += [(each.name, home) for each in node.names if each.name in listed and _is_defined(home, each.name)]
    return found if path.name != "__init__.py" else sorted(set(found))


def source_of(module):
    """The file of a module, given by its dotted name below keras_gans."""
    parts = module.split(".")
    path = (ROOT if parts[0] in INSTALLED_ELSEWHERE else ROOT / "keras_gans").joinpath(*parts)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _listed(tree):
    """The names that a package shows: those of `__all__`, or of the table of its lazy names."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "_HOMES"):
            values = node.value.keys if isinstance(node.value, ast.Dict) else getattr(node.value, "elts", ())
            return {value.value for value in values if isinstance(value, ast.Constant)}
    return set()


def _is_defined(home, name):
    tree = ast.parse(source_of(home.removeprefix("keras_gans.")).read_text(encoding="utf-8"))
    return any(_is_public_definition(node) and node.name == name for node in tree.body)


def _is_public_definition(node):
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")


def with_recipes(scheme, text):
    """A scheme's page with the list of its recipes as they stand now, between the page's two comments."""
    listed = f"<!-- recipes -->\n\n{recipe_list(scheme)}\n<!-- end of recipes -->"
    return _RECIPES.sub(lambda _: listed, text, count=1)


def recipe_list(scheme):
    """Markdown of all recipes of a scheme: name, what it is, its data, and what to expect of it."""
    from keras_gans.training.recipe import all_names, named, recipes

    items = []
    for name in all_names():
        recipe = named(name)
        if recipe.scheme["name"] == scheme:
            expected = " ".join((recipes[name].__doc__ or "").split())
            items.append(f"**`{name}`**, on {recipe.data}: {recipe.summary}. *{expected}*")
    wrapped = (textwrap.fill(f"- {item}", 120, subsequent_indent="  ", break_on_hyphens=False) for item in items)
    return "\n".join(wrapped) + "\n"


def with_presets(text):
    """The page of presets with the table of them as they stand now, between the page's two comments."""
    return _PRESETS.sub(lambda _: f"<!-- presets -->\n\n{preset_table()}\n<!-- end of presets -->", text, count=1)


def preset_table():
    """Markdown: a row for each preset that comes along."""
    from keras_gans.runs import published

    rows = ["| preset | scheme | what it draws or does | kB | figure (of the data) | float32 |"]
    rows.append("|---|---|---|---|---|---|")
    for name, folder in published.packaged().items():
        described = published.described(folder)
        scheme, size = described["scheme"], described["files"][published.MODEL]["bytes"] / 1000
        record = published.read_json(folder / "evaluation.json")
        score = record["scores"][0]
        floor = "" if score["floor"] is None else f" ({score['floor']:.3g})"
        figures = [f"{score['name'].replace('_', ' ')} {score['value']:.3g}{floor}"]
        classified = [each["value"] for each in record.get("classifier", ()) if each["name"] == "held_out"]
        figures += [f"{value:.3f} of held-out digits classified right" for value in classified]
        page = f"[{scheme}](schemes/{scheme}.md)"
        change = _changed(described["distance_from_float32"])
        rows.append(f"| `{name}` | {page} | {described['draws']} | {size:.0f} | {'; '.join(figures)} | {change} |")
    return "\n".join(rows) + "\n"


def _changed(distance):
    if "same" in distance:
        return f"{distance['same']} of {distance['of']} texts the same"
    unit = "of 255" if "255" in distance["unit"] else ""
    return f"{distance['mean']:.2g}, at most {distance['largest']:.2g} {unit}".strip()


if __name__ == "__main__":
    PRESETS_PAGE.write_text(with_presets(PRESETS_PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for page in SCHEME_PAGES.glob("*.md"):
        page.write_text(with_recipes(page.stem, page.read_text(encoding="utf-8")), encoding="utf-8")
