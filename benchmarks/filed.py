"""Runs that are filed as soon as they are done and never run again, so that work can be interrupted and shared out."""

import json


def known_runs(path):
    """The runs in a file, a list of dictionaries.

    Args:
        path: pathlib.Path of a file with one JSON object a line; it need not exist.
    """
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def run_once(path, key, measure):
    """Measures what the file does not have yet, and adds it there.

    Args:
        path: as for `known_runs`.
        key: dictionary that tells a run from all others.
        measure: function of nothing that returns the run's figures, a dictionary.

    Returns:
        The figures, or None where the file had the run. What is None counts as left out, on either side, so that
        a recipe may get a new field; a key's None is no other value of a run.
    """
    if is_known(path, key):
        return None
    figures = measure()
    add_run(path, key | figures)
    return figures


def is_known(path, key):
    """Whether the file has a run of that key; arguments as for `run_once`."""
    return any(all(_stated(run.get(name)) == _stated(value) for name, value in key.items()) for run in known_runs(path))


def add_run(path, run):
    """Adds a run, a dictionary, to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(run) + "\n")


def _stated(value):
    """A dictionary without what is None in it, at any depth; any other value as it is."""
    if not isinstance(value, dict):
        return value
    return {name: _stated(inner) for name, inner in value.items() if inner is not None}
