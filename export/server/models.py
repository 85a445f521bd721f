"""Models and their versions: found by looking again and again, loaded, warmed up, swapped and named by labels."""

import gc
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..runtimes import AUTO, WORDS
from ..versions import versions
from .backends import opened
from .refusal import Refusal, refusal_of
from .tensors import Input, check_shapes

DEFAULT_SIGNATURE = "serving_default"
# Of states, as TensorFlow Serving numbers them.
START, LOADING, AVAILABLE, UNLOADING, END = 10, 20, 30, 40, 50


class Servable:
    """A loaded version. Who holds it is answered by it, whatever becomes of the version.

    Args:
        folder: pathlib.Path of it, whose name is its number.
        format: one of `runtimes.FORMATS`, or `runtimes.AUTO`.

    Attributes:
        number: of the version.
        format: that of `runtimes.FORMATS` by which it answers.
        definitions: {signature: `tensorflow.SignatureDef`}.
        left_out: {name of a further signature of the version: why it is not answered}.

    Raises:
        Refusal: it cannot be loaded, or cannot answer its warmup requests.
    """

    def __init__(self, folder: Path, format: str = AUTO):
        self._backend = opened(folder, format)
        self.number, self.format = int(folder.name), self._backend.format
        self.definitions, self.left_out = self._backend.definitions, self._backend.left_out
        for signature, arrays in self._backend.warmup():
            self.predict(signature, arrays)

    def inputs(self, signature: str) -> dict[str, Input]:
        """{name: `Input`} of a signature's inputs; "" is the default signature.

        Raises:
            Refusal: there is no such signature.
        """
        signature, there = signature or DEFAULT_SIGNATURE, self._backend.inputs
        if signature in there:
            return there[signature]
        known = ", ".join(sorted(there))
        if signature in self.left_out:
            message = f'Serving signature key "{signature}" is not answered by {WORDS[self.format]}'
            raise Refusal("FAILED_PRECONDITION", f"{message}: {self.left_out[signature]}. Answered: {known}.")
        raise Refusal("FAILED_PRECONDITION", f'Serving signature key "{signature}" not found. Known: {known}.')

    def predict(self, signature: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What a signature answers.

        Args:
            signature: its name, "" for the default one.
            arrays: {input: array}.

        Returns:
            {output: array}, bytes as objects, in the order of the names.

        Raises:
            Refusal: no such signature, other inputs than it takes, or what the runtime says.
        """
        check_shapes(arrays, self.inputs(signature))
        try:
            return self._backend.answer(signature or DEFAULT_SIGNATURE, arrays)
        except Exception as error:
            raise refusal_of(error) from error


class Version:
    """What is known of one numbered folder.

    Args:
        folder: pathlib.Path of it, whose name is its number.

    Attributes:
        state: `START`, `LOADING`, `AVAILABLE`, `UNLOADING` or `END`.
        refusal: `Refusal` that says why it cannot be served, or None.
        servable: `Servable` while it is `AVAILABLE`, else None.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.state, self.refusal = START, None
        self.servable: Servable | None = None

    def load(self, format: str) -> None:
        """Loads and warms it up; afterwards it is `AVAILABLE`, or at its `END` with a `refusal`."""
        self.state = LOADING
        try:
            self.servable = Servable(self.folder, format)
            self.state = AVAILABLE
        except Exception as error:
            self.refusal, self.state = refusal_of(error), END

    def unload(self) -> None:
        """Lets go of it; those that hold its `servable` are answered still."""
        self.state = UNLOADING
        self.servable = None
        gc.collect()
        self.state = END


class Model:
    """A folder of versions under one name.

    Args:
        name: by which clients ask for it.
        folder: pathlib.Path of the versions.
        policy: function of the numbers that there are, ascending, to those that are to be served.
        labels: {label: version}.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        policy: Callable[[list[int]], list[int]] = lambda numbers: numbers[-1:],
        labels: Mapping[str, int] | None = None,
    ):
        self.name, self.folder, self.policy = name, folder, policy
        self.labels = dict(labels or {})
        self.versions: dict[int, Version] = {}

    def poll(self, format: str = AUTO) -> list[str]:
        """Loads what is new and lets go of what is old; one thread at a time.

        Args:
            format: one of `runtimes.FORMATS`, or `runtimes.AUTO`.

        Returns:
            Lines that say what happened, for people.
        """
        return self.load(format) + self.let_go()

    def load(self, format: str = AUTO) -> list[str]:
        """Loads those versions that are wanted and not there yet; returns what happened, likewise."""
        happened = []
        for number in self.policy(versions(self.folder)):
            version = self.versions.get(number)
            if version is not None and (version.state == AVAILABLE or version.refusal is not None):
                continue
            version = Version(self.folder / str(number))
            # Replaced and not changed, as other threads read it.
            self.versions = {**self.versions, number: version}
            start = time.perf_counter()
            version.load(format)
            if version.refusal is None:
                seconds = f"{time.perf_counter() - start:.1f} s"
                happened.append(
                    f"{self.name}: version {number} is served, by its {_described(version)}, after {seconds}"
                )
            else:
                happened.append(f"{self.name}: version {number} cannot be served: {version.refusal.message}")
        return happened

    def let_go(self) -> list[str]:
        """Lets go of those versions that are wanted no more; returns what happened, likewise.

        A version goes only once one that is wanted can answer, so that there is always one that does.
        """
        wanted, happened = self.policy(versions(self.folder)), []
        ready = any(number in self.versions and self.versions[number].state == AVAILABLE for number in wanted)
        for number, version in list(self.versions.items()):
            if number not in wanted and version.state == AVAILABLE and ready:
                version.unload()
                happened.append(f"{self.name}: version {number} is served no more")
        return happened

    def find(self, number: int | None = None, label: str | None = None) -> Servable:
        """The version that a client asks for: the highest that can answer, unless it says which.

        Raises:
            Refusal: there is none, or no such label.
        """
        while label:
            labels = self.labels
            if label not in labels:
                raise Refusal("INVALID_ARGUMENT", f"Unrecognized servable version label: {label}")
            number, version = labels[label], self.versions.get(labels[label])
            if version is not None and (servable := version.servable) is not None:
                return servable
            # Where the label has gone on to another version meanwhile, that one answers.
            if labels is self.labels:
                break
        # Each is looked at once: another thread may let go of it.
        pairs = ((each, version.servable) for each, version in sorted(self.versions.items()))
        available = {each: servable for each, servable in pairs if servable is not None}
        if number is None and available:
            return available[max(available)]
        if number in available:
            return available[number]
        asked = f"Latest({self.name})" if number is None else f"Specific({self.name}, {number})"
        raise Refusal("NOT_FOUND", f"Servable not found for request: {asked}")

    def label(self, labels: Mapping[str, int]) -> None:
        """Gives labels, in place of those there are.

        Raises:
            Refusal: one is for a version that cannot answer.
        """
        for label, number in labels.items():
            if number not in self.versions or self.versions[number].state != AVAILABLE:
                raise Refusal(
                    "FAILED_PRECONDITION",
                    f"Request to assign label {label} to version {number} of model {self.name}, which is not currently "
                    "available for inference",
                )
        self.labels = dict(labels)


def _described(version):
    """By what a version answers, and what it does not."""
    servable = version.servable
    left_out = f" (without {', '.join(sorted(servable.left_out))})" if servable.left_out else ""
    return f"{WORDS[servable.format]}{left_out}"


# Models, each with its {label: version}.
Configured = Sequence[tuple[Model, Mapping[str, int]]]


class Models:
    """All that a server serves, and the thread that looks after it.

    Args:
        models: to begin with.
        seconds: between two looks at the folders.
        say: function of a line about what happened.
        configured: function that returns what `replace` takes where that is to change, else None; asked at each look.
        format: by which versions answer, one of `runtimes.FORMATS`; the first of them that a version has unless given.
    """

    def __init__(
        self,
        models: list[Model],
        seconds: float = 1.0,
        say: Callable[[str], None] = lambda line: None,
        configured: Callable[[], Configured | None] = lambda: None,
        format: str = AUTO,
    ):
        self._format = format
        self.models = {model.name: model for model in models}
        self._seconds, self._say, self._configured = seconds, say, configured
        # Loading takes a thread's time, and polling and a client's new configuration may come together.
        self._changing = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="versions", daemon=True)

    def start(self) -> None:
        """Loads what there is, and goes on looking."""
        self.poll()
        self._thread.start()

    def stop(self) -> None:
        """Looks no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def poll(self) -> None:
        """Looks at the configuration and at every folder once."""
        try:
            if (configured := self._configured()) is not None:
                self.replace(configured)
        except Refusal as refusal:
            self._say(f"The configuration is not used: {refusal.message}")
        except OSError as error:
            self._say(f"The configuration is not used: it cannot be read: {error}")
        with self._changing:
            for model in list(self.models.values()):
                self._told(model, lambda model=model: model.poll(self._format))

    def _told(self, model, work):
        """Has a model load or let go of versions, and tells what happened."""
        try:
            happened = work()
        except OSError as error:
            happened = [f"{model.name}: {model.folder} cannot be read: {error}"]
        for line in happened:
            self._say(line)

    def _look_after(self):
        while not self._ended.wait(self._seconds):
            self.poll()

    def named(self, name: str) -> Model:
        """The model of that name.

        Raises:
            Refusal: there is none.
        """
        if name not in self.models:
            known = ", ".join(sorted(self.models))
            raise Refusal("NOT_FOUND", f"Servable not found for request: Latest({name}). Served here: {known}")
        return self.models[name]

    def ready(self) -> bool:
        """Whether every model has a version that can answer."""
        return bool(self.models) and all(
            any(version.state == AVAILABLE for version in model.versions.values()) for model in self.models.values()
        )

    def replace(self, models: Configured) -> None:
        """Serves these models, with these labels, in place of those there are; versions that stay are not loaded again.

        A label goes from one version to the next without a moment in between: what is new is loaded first, and what is
        old goes last. Where a label is refused, its model keeps those that it had.

        Raises:
            Refusal: a label is for a version that cannot answer.
        """
        with self._changing:
            refusals, wanted = [], {}
            for model, labels in models:
                known = self.models.get(model.name)
                if known is not None and known.folder == model.folder:
                    # The same object, in which a request under way looks again.
                    known.policy, model = model.policy, known
                wanted[model.name] = model
                self._told(model, lambda model=model: model.load(self._format))
                try:
                    model.label(labels)
                except Refusal as refusal:
                    refusals.append(refusal)
            self.models = wanted
            for model in wanted.values():
                self._told(model, model.let_go)
            if refusals:
                raise refusals[0]
