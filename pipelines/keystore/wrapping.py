"""What wraps keys at rest: the interface, and two wrappings that need nothing but the keystore's folder.

Sources: NIST SP 800-38D (AES-GCM), RFC 9106 (Argon2id, second recommended parameters).
"""

import json
import secrets
from base64 import b64decode, b64encode
from functools import cached_property
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from pipelines.errors import KeystoreError
from pipelines.keystore.files import make_folder, read_private, write_once
from pipelines.keystore.keys import KEY_BYTES

NONCE_BYTES = 12
SALT_BYTES = 16
ARGON2ID = {"iterations": 3, "lanes": 4, "memory_cost": 64 * 1024}
"""Passes, lanes and memory in KiB."""

RIGHT_PASSPHRASE = b"dataspace|passphrase"


class NotUnwrapped(KeystoreError):
    """What was wrapped was changed, moved to another context, or wrapped by another key."""


class Wrapping(Protocol):
    """Wraps keys under a key of its own. `context` says what is wrapped; under another one, unwrapping fails."""

    @property
    def name(self) -> str:
        """Stands in each key's file, so that a keystore opened the wrong way says so."""
        ...

    def wrap(self, plaintext: bytes, context: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises NotUnwrapped."""
        ...


class KeyFileWrapping:
    """AES-256-GCM under a key file in the keystore's folder, made on first use."""

    name = "key-file"

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "wrapping.key"

    def wrap(self, plaintext: bytes, context: bytes) -> bytes:
        return _sealed(self._key(), plaintext, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        return _unsealed(self._key(), wrapped, context)

    def _key(self) -> bytes:
        if _passphrase_file(self._folder).exists():
            raise KeystoreError(
                f"{self._folder}: this keystore is opened with a passphrase, and none was given. "
                "Set DATASPACE_KEYSTORE_PASSPHRASE_FILE."
            )
        make_folder(self._folder)
        if not self._file.exists():
            write_once(self._file, secrets.token_bytes(KEY_BYTES))
        key = read_private(self._file)
        if len(key) != KEY_BYTES:
            raise KeystoreError(f"{self._file}: not a wrapping key of {KEY_BYTES} bytes. Restore it from its backup.")
        return key


class PassphraseWrapping:
    """AES-256-GCM under a key that Argon2id makes of a passphrase; the folder keeps salt and parameters."""

    name = "passphrase"

    def __init__(self, folder: Path, passphrase: str) -> None:
        self._folder, self._file, self._passphrase = folder, _passphrase_file(folder), passphrase

    def wrap(self, plaintext: bytes, context: bytes) -> bytes:
        return _sealed(self._key, plaintext, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        return _unsealed(self._key, wrapped, context)

    @cached_property
    def _key(self) -> bytes:
        if (self._folder / "wrapping.key").exists():
            raise KeystoreError(
                f"{self._folder}: this keystore has a key file and takes no passphrase. "
                "Leave the passphrase out, or begin another keystore."
            )
        make_folder(self._folder)
        if not self._file.exists():
            write_once(self._file, self._begin())
        return self._opened(read_private(self._file))

    def _begin(self) -> bytes:
        salt = secrets.token_bytes(SALT_BYTES)
        key = _stretched(self._passphrase, salt, ARGON2ID)
        content = {"salt": _text(salt), "argon2id": ARGON2ID, "check": _text(_sealed(key, b"", RIGHT_PASSPHRASE))}
        return json.dumps(content).encode()

    def _opened(self, stored: bytes) -> bytes:
        try:
            content = json.loads(stored)
            key = _stretched(self._passphrase, b64decode(content["salt"]), content["argon2id"])
            _unsealed(key, b64decode(content["check"]), RIGHT_PASSPHRASE)
        except NotUnwrapped:
            raise KeystoreError(f"{self._folder}: this is not the keystore's passphrase.") from None
        except (ValueError, KeyError, TypeError):
            raise KeystoreError(f"{self._file}: the file is damaged. Restore it from its backup.") from None
        return key


def _passphrase_file(folder: Path) -> Path:
    # no domain can have this name: a key's file ends with its version
    return folder / "passphrase.json"


def _stretched(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    made = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=cost["iterations"],
        lanes=cost["lanes"],
        memory_cost=cost["memory_cost"],
    )
    return made.derive(passphrase.encode())


def _sealed(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, context)


def _unsealed(key: bytes, wrapped: bytes, context: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
    except (InvalidTag, ValueError):
        raise NotUnwrapped("the key cannot be unwrapped") from None


def _text(content: bytes) -> str:
    return b64encode(content).decode()
