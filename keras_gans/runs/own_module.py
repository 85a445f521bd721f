"""Modules of the user's own, which register recipes, schemes, networks or data."""

import importlib
import os
import sys

from keras_gans.errors import UserError


def import_module(name: str) -> None:
    """Imports a module of the user's own, which registers recipes, schemes, networks or data.

    Args:
        name: of the module; the working directory is looked in first.

    Raises:
        UserError: there is no such module, or it fails.
    """
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise UserError(f"The module {name!r} needs {error.name!r}, which is not installed.") from error
        raise UserError(
            f"There is no module {name!r} in {os.getcwd()} or among the installed ones. A recipe of your own is "
            "written MODULE:NAME, with the module's name as Python imports it."
        ) from None
    except Exception as error:  # A user's module raises anything.
        raise UserError(f"The module {name!r} cannot be imported: {type(error).__name__}: {error}") from error


def module_of(recipe_name: str) -> str | None:
    """The module that a recipe's name "MODULE:NAME" says it comes from, or None for one that comes along."""
    module, separator, _ = str(recipe_name).rpartition(":")
    return module if separator else None
