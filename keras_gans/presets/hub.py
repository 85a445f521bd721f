"""Models in repositories of the Hugging Face Hub: a preset's files, whose card is the repository's README."""

import contextlib
import importlib.util
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from keras_gans.errors import UserError
from keras_gans.runs import published

# Of a repository no more is fetched than this, whatever it holds.
_MOST_BYTES = {published.MODEL: 2 << 30}
_MOST_OTHERS = 8 << 20
_NEEDED = (published.DESCRIPTION, published.RECIPE, published.MODEL)


def check_installed() -> None:
    """Raises a `UserError` where `huggingface_hub` is missing."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise UserError("The Hub needs huggingface_hub: pip install 'keras_gans[hub]'.")


def push(
    run: str | Path,
    repository: str,
    *,
    checkpoint: str = "latest",
    half: bool = False,
    private: bool = False,
    message: str | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> str:
    """Puts a run's model, or a preset, into a repository of the Hub, as one commit.

    The files are those of `runs.published`; README.md is the card, in the Hub's format. The repository is made if there
    is none.

    Args:
        run: path of a run directory.
        repository: "USER/REPO".
        checkpoint: see `runs.run_directory.checkpoint_file`.
        half: whether the weights go as float16; a preset's go as they are.
        private: whether a repository that is made is private.
        message: of the commit.
        progress: function of a line of text.

    Returns:
        The address of the repository.

    Raises:
        UserError: a name that is none, a run that no preset can hold, no token, or what the Hub refuses.
    """
    check_installed()
    from .storing import check_can_store, store

    published.hub_folder(repository, "")
    run = Path(run)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        if published.is_published(run):
            published.check(run)
            published.copy(run, folder)
        else:
            check_can_store(run)
            progress("Writing weights and card")
            store(run, folder, name=repository.partition("/")[2], half=half, checkpoint=checkpoint)
        progress(f"Sending them to {repository}")
        return _send(folder, repository, private, message or f"Step {published.step_of(folder):,}")


def _send(folder, repository, private, message):
    import huggingface_hub

    api = _api()
    files = sorted(path for path in folder.iterdir() if path.is_file())
    with _as_user_errors(repository):
        where = api.create_repo(repository, private=private, exist_ok=True)
        operations = [huggingface_hub.CommitOperationAdd(path.name, path.read_bytes()) for path in files]
        api.create_commit(repository, operations, commit_message=message)
    return str(where)


def pull(
    repository: str,
    root: str | Path = "runs",
    *,
    revision: str | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Path:
    """Fetches a model that `push` has put into a repository, and checks it by building it.

    Args:
        repository: "USER/REPO".
        root: folder of the runs; it becomes `hub-USER--REPO` there, in place of what was pulled before.
        revision: a branch, a tag or a commit; the main branch unless given.
        progress: function of a line of text.

    Returns:
        pathlib.Path of a run directory.

    Raises:
        UserError: there is no such repository, it holds something else, or more than is fetched; it is damaged, or not
            built of what keras_gans has. Then `root` is left as it was.
    """
    check_installed()
    from .loading import load_folder

    target = published.hub_folder(repository, root)
    api = _api()
    with _as_user_errors(repository):
        found = api.model_info(repository, revision=revision, files_metadata=True)
    sizes = {each.rfilename: each.size for each in found.siblings or ()}
    missing = [name for name in _NEEDED if name not in sizes]
    if missing:
        held = ", ".join(sorted(sizes)[:8]) or "nothing"
        raise UserError(
            f"{repository} is no model that keras-gans push has put there: it has no {' and no '.join(missing)}. It "
            f"holds: {held}."
        )
    wanted = [name for name in (*_NEEDED, *published.BESIDE) if name in sizes]
    for name in wanted:
        most = _MOST_BYTES.get(name, _MOST_OTHERS)
        if (sizes[name] or 0) > most:
            raise UserError(f"{name} of {repository} has {sizes[name]:,} bytes; at most {most:,} are fetched.")
    with tempfile.TemporaryDirectory() as scratch:
        progress(f"Fetching {repository}")
        with _as_user_errors(repository):
            for name in wanted:
                # The commit that was asked about, so that the files belong together.
                api.hf_hub_download(repository, name, revision=found.sha, local_dir=scratch)
        progress("Building the model")
        load_folder(scratch)
        published.copy(Path(scratch), target)
    return target


def _api():
    import huggingface_hub

    # As the environment has it now: huggingface_hub reads it once, when it is imported.
    return huggingface_hub.HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name="keras_gans")


@contextlib.contextmanager
def _as_user_errors(repository):
    """Has what the Hub or the network refuses be one line."""
    from huggingface_hub import errors

    try:
        yield
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        said = _first_line(error)
        if isinstance(error, errors.LocalTokenNotFoundError) or status in (401, 403):
            raise UserError(
                f"The Hub wants a token that may use {repository}: hf auth login stores one, or set HF_TOKEN. It said: "
                f"{said}"
            ) from None
        if isinstance(error, errors.RevisionNotFoundError):
            raise UserError(f"{repository} has no such revision. The Hub said: {said}") from None
        if status == 404:
            raise UserError(
                f"There is no repository {repository} on the Hub, or it is private and no token was given."
            ) from None
        if isinstance(error, OSError | ValueError | RuntimeError) or _is_of_the_network(error):
            raise UserError(f"The Hub did not do as asked about {repository}: {said}") from None
        raise


def _is_of_the_network(error):
    return type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "requests", "urllib3")


def _first_line(error):
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
