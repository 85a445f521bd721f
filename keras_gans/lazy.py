"""Packages whose public names are imported on first use, so that importing the package takes no time."""

import importlib
from collections.abc import Callable
from typing import Any


def public_names(
    package: str, homes: dict[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """What a package's `__getattr__`, `__dir__` and `__all__` are, so that it shows its public names and no others.

    Args:
        package: name of the package, `__name__` there.
        homes: {public name: the module that defines it, or is it}.

    Returns:
        (`__getattr__`, `__dir__`, `__all__`).
    """

    def get(name):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(homes[name])
        return module if homes[name].rpartition(".")[2] == name else getattr(module, name)

    def listed():
        return sorted(homes)

    return get, listed, listed()
