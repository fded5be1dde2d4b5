"""Files that only their owner may read, written whole or not at all."""

import os
import secrets
from pathlib import Path

from pipelines.errors import KeystoreError


def make_folder(folder: Path) -> None:
    """The keystore's folder, for its owner alone; raises KeystoreError if others can change what is in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o022:
            raise KeystoreError(f"{folder}: others can put keys here. Allow only its owner: chmod 700.")
    except OSError as failure:
        raise KeystoreError(f"{folder}: the keystore cannot be made: {failure.strerror}.") from None


def read_private(file: Path) -> bytes:
    """Content of a file that nobody but its owner can read; raises KeystoreError if others can."""
    try:
        if file.stat().st_mode & 0o077:
            raise KeystoreError(f"{file}: others can read this key. Allow only its owner: chmod 600.")
        return file.read_bytes()
    except OSError as failure:
        raise KeystoreError(f"{file}: the key cannot be read: {failure.strerror}.") from None


def write_once(file: Path, content: bytes) -> bool:
    """Write a file of mode 0600 whole or not at all; False if another process was first, and its file stays."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(temporary, file)
        except FileExistsError:
            return False
        _sync_folder(file.parent)
        return True
    except OSError as failure:
        raise KeystoreError(f"{file}: the key cannot be written: {failure.strerror}.") from None
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    # a key that made pseudonyms must not vanish with the power
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
