"""TensorFlow Serving's configuration of models (`models.config`): which folders, which versions, which labels."""

from collections.abc import Callable
from pathlib import Path

from google.protobuf import text_format

from ..protos import file_system_storage_path_source_pb2, model_server_config_pb2
from .models import Model
from .refusal import Refusal


def models_of(config: model_server_config_pb2.ModelServerConfig) -> list[tuple[Model, dict[str, int]]]:
    """(model, its labels) of each entry.

    Raises:
        Refusal: none, one twice, one without a name, another platform, or a folder that is not there.
    """
    entries = config.model_config_list.config
    if not entries:
        raise Refusal("INVALID_ARGUMENT", "The configuration has no model_config_list with a model in it.")
    found = []
    for entry in entries:
        if not entry.name or entry.name in {model.name for model, _ in found}:
            raise Refusal("INVALID_ARGUMENT", f"Each model has a name of its own. Received: {entry.name!r}.")
        if entry.model_platform != "tensorflow":
            raise Refusal("INVALID_ARGUMENT", f"The platform is 'tensorflow'. Received: {entry.model_platform!r}.")
        folder = Path(entry.base_path)
        if not folder.is_absolute() or not folder.is_dir():
            raise Refusal(
                "INVALID_ARGUMENT",
                f"Expected model {entry.name} to have an absolute path of a folder or "
                f"such. Received: {entry.base_path!r}.",
            )
        found.append((Model(entry.name, folder, policy_of(entry.model_version_policy)), dict(entry.version_labels)))
    return found


def policy_of(
    policy: file_system_storage_path_source_pb2.FileSystemStoragePathSourceConfig.ServableVersionPolicy,
) -> Callable[[list[int]], list[int]]:
    """Function of the versions that there are to those to be served: the latest, unless the policy says more."""
    kind = policy.WhichOneof("policy_choice")
    if kind == "all":
        return lambda numbers: numbers
    if kind == "specific":
        chosen = set(policy.specific.versions)
        return lambda numbers: [number for number in numbers if number in chosen]
    count = max(1, policy.latest.num_versions)
    return lambda numbers: numbers[-count:]


def read(content: bytes, folder: Path, name: str | None = None) -> list[tuple[Model, dict[str, int]]]:
    """(model, its labels) of the one entry of a file in text format.

    Args:
        content: of the file.
        folder: of the versions; in the file it stands where a container sees it.
        name: of the model, in place of the file's.

    Raises:
        Refusal: it is of no model, or of several.
    """
    config = text_format.Parse(content.decode("utf-8"), model_server_config_pb2.ModelServerConfig())
    entries = config.model_config_list.config
    if len(entries) != 1:
        raise Refusal("INVALID_ARGUMENT", f"One model is served from {folder}. Configured: {len(entries)}.")
    entries[0].base_path = str(folder)
    entries[0].name = name or entries[0].name
    return models_of(config)


class ConfigurationFile:
    """A `models.config` that may appear, change and go while a server runs.

    Args:
        path: of it.
        folder: of the versions.
        name: of the model, where there is no file.
        renamed: of the model in any case.
    """

    def __init__(self, path: Path, folder: Path, name: str, renamed: str | None = None):
        self.path, self.folder, self.name, self.renamed = path, folder, renamed or name, renamed
        self._used: bytes | None = None

    def models(self) -> list[tuple[Model, dict[str, int]]]:
        """What it says now: without a file, the latest version under no label.

        Raises:
            Refusal: it cannot be read.
        """
        content = self._content()
        if content is None:
            return [(Model(self.name, self.folder), {})]
        try:
            return read(content, self.folder, self.renamed)
        except (ValueError, text_format.ParseError) as error:
            raise Refusal("INVALID_ARGUMENT", f"{self.path} cannot be read: {error}") from None

    def changed(self) -> list[tuple[Model, dict[str, int]]] | None:
        """What it says now, or None where it has said so before."""
        content = self._content()
        if content == self._used:
            return None
        self._used = content
        return self.models()

    def _content(self):
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
