"""LiteRT.js, which runs .tflite files in a browser: of a pinned release, from npm, kept in the cache.

It is Apache-2.0, by Google. Its WebAssembly has 9 MB, and there is one more for browsers without relaxed SIMD: so it is
no part of keras_gans, but is had by `npm pack` when a page is first made, or is put into the cache by hand.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from keras_gans.errors import UserError

RELEASE = "2.5.3"
# {file of `npm pack`: (package, sha512 as npm's registry has it)}.
ARCHIVES = {
    f"litertjs-core-{RELEASE}.tgz": (
        "@litertjs/core",
        "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
    ),
    f"litertjs-wasm-utils-{RELEASE}.tgz": (
        "@litertjs/wasm-utils",
        "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
    ),
}
_CORE, _UTILS = ARCHIVES
# {name beside the page: (archive, its place there)}. The threaded files are left out: they need headers that only a
# configured server sends.
_FILES = {
    "litert.js": (_CORE, "package/dist/index.js"),
    "wasm-utils.js": (_UTILS, "package/dist/index.js"),
    **{
        f"litert_wasm_{kind}.{suffix}": (_CORE, f"package/wasm/litert_wasm_{kind}.{suffix}")
        for kind in ("internal", "compat_internal")
        for suffix in ("js", "wasm")
    },
}
_SECONDS = 300


def runtime_folder() -> Path:
    """Where the archives lie: in `web` of the cache, see `data.cache.cache_path`."""
    from keras_gans.data.cache import cache_path

    return cache_path("web")


def require_runtime() -> Path:
    """The folder of the archives, had from npm where they are not there yet.

    Raises:
        UserError: they are not there and npm cannot get them, or gets others; it says how to provide them.
    """
    from keras_gans.data.cache import require_writable

    folder = runtime_folder()
    for name, (package, _) in ARCHIVES.items():
        if _is_right(folder / name):
            continue
        require_writable(folder)
        reason = _pack(package, name, folder)
        if reason is not None:
            packages = " ".join(f"{each}@{RELEASE}" for each, _ in ARCHIVES.values())
            raise UserError(
                f"A page for browsers needs {package} {RELEASE}, and {reason}. Where there is a network, run: npm pack "
                f"{packages}; then put both files into {folder}. Or export without the format web."
            )
    return folder


def copy_runtime(to: Path) -> None:
    """Writes the files of the runtime that a page needs into a folder, which is made.

    Args:
        to: pathlib.Path of a folder that does not exist.
    """
    folder = require_runtime()
    to.mkdir()
    for name, (archive, place) in _FILES.items():
        with tarfile.open(folder / archive) as packed, open(to / name, "wb") as file:
            shutil.copyfileobj(packed.extractfile(place), file)


def _is_right(path):
    """Whether a file is the archive of its name."""
    if not path.is_file():
        return False
    digest = hashlib.sha512(path.read_bytes()).digest()
    return base64.b64encode(digest).decode() == ARCHIVES[path.name][1]


def _pack(package, name, folder):
    """Has npm fetch an archive into the folder; returns None, or why that did not work."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not on the PATH"
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        try:
            done = subprocess.run(
                [npm, "pack", f"{package}@{RELEASE}", "--silent"],
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"npm did not answer: {str(error)[:200]}"
        got = Path(scratch) / name
        if done.returncode != 0 or not got.is_file():
            words = (done.stderr or done.stdout).strip().splitlines()
            return f"npm could not fetch it: {' '.join(words)[:300] or f'code {done.returncode}'}"
        if not _is_right(got):
            return "what npm fetched is not what was published: its hash is another"
        got.replace(folder / name)
    return None
