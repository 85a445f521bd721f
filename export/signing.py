"""Signatures of versions by a private key, with model-signing: `pip install 'keras_gans[sign]'`.

The signature is over the names and the hashes of all files of a version, its report included, and asks no server.
"""

import importlib
from pathlib import Path

from keras_gans.errors import UserError

FILE_NAME = "model.sig"


def check_can_sign(key: str | Path | None) -> None:
    """Refuses a key that is no file, and any where model-signing is not installed; None is no wish to sign."""
    if key is None:
        return
    try:
        importlib.import_module("model_signing")
    except ImportError as error:
        raise UserError(f"Signatures need model-signing: pip install 'keras_gans[sign]'. It says: {error}.") from None
    if not Path(key).is_file():
        raise UserError(f"A key is a PEM file, such as openssl ecparam -genkey writes. Received: {key}.")


def sign(version: str | Path, private_key: str | Path) -> None:
    """Writes `model.sig` into a version's folder.

    Args:
        version: the folder.
        private_key: PEM file of an elliptic key, of one of the curves P-256, P-384 and P-521.

    Raises:
        UserError: it is no such key.
    """
    import model_signing

    signer = model_signing.signing.Config().set_hashing_config(_hashing(version))
    try:
        signer.use_elliptic_key_signer(private_key=Path(private_key)).sign(Path(version), Path(version) / FILE_NAME)
    except (ValueError, TypeError) as error:
        raise UserError(f"{private_key} is no private key that model-signing takes: {error}.") from None


def fault_of(version: str | Path, public_key: str | Path) -> str | None:
    """What is wrong with a version's signature, in words, or None.

    Args:
        version: the folder.
        public_key: PEM file.
    """
    import model_signing

    if not (Path(version) / FILE_NAME).is_file():
        return f"there is no {FILE_NAME}"
    verifier = model_signing.verifying.Config().set_hashing_config(_hashing(version))
    try:
        verifier.use_elliptic_key_verifier(public_key=Path(public_key)).verify(Path(version), Path(version) / FILE_NAME)
    except Exception as error:  # A wrong key, a changed file and a broken signature are errors of several libraries.
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return None


def _hashing(version):
    import model_signing

    # Nothing else is left out, not even what git would ignore.
    paths = [Path(version) / FILE_NAME]
    return model_signing.hashing.Config().set_ignored_paths(paths=paths, ignore_git_paths=False)
