"""Names for the things that recipes and the command line choose between."""

import importlib
from collections.abc import Callable
from typing import Any

from keras_gans.errors import unknown_name


class Registry:
    """A mapping from a name to a class or function that refuses duplicates.

    Args:
        kind: what the names stand for, as error messages call it, such as "scheme".
        package: the package whose import registers the entries, imported on the first look.
    """

    def __init__(self, kind: str, package: str):
        self.kind = kind
        self.package = package
        self._registered = {}

    @property
    def _entries(self):
        importlib.import_module(self.package)
        return self._registered

    def register(self, name: str) -> Callable[[Any], Any]:
        """Decorator that files a class or function under `name`.

        Raises:
            ValueError: the name is taken.
        """

        def add(entry):
            if name in self._registered:
                raise ValueError(f"The {self.kind} {name!r} is already registered as {self._registered[name]!r}.")
            self._registered[name] = entry
            return entry

        return add

    def __getitem__(self, name):
        if name not in self:
            raise unknown_name(self.kind, name, self._entries)
        return self._entries[name]

    def __iter__(self):
        return iter(sorted(self._entries))

    def __contains__(self, name):
        # Whatever a user wrote may be asked for, lists too.
        return isinstance(name, str) and name in self._entries

    def __len__(self):
        return len(self._entries)

    def in_order(self) -> list[str]:
        """The names in the order in which they were registered."""
        return list(self._entries)

    def items(self) -> list[tuple[str, Any]]:
        """(name, entry) pairs, sorted by name."""
        return [(name, self._entries[name]) for name in self]


schemes = Registry("scheme", "keras_gans.schemes")
networks = Registry("network", "keras_gans.networks")
penalties = Registry("penalty", "keras_gans.penalties")
# Data sets of a user's own, opened by name; none come along.
sources = Registry("data set", "keras_gans.data")
# What reads a checkpoint that Keras did not write, by the file's name.
readers = Registry("kind of checkpoint", "keras_gans.presets.loading")
