"""The keystore that the environment names.

DATASPACE_KEYSTORE                  a folder, or vault:MOUNT/KEY to have keys wrapped by Vault or OpenBao
DATASPACE_KEY_ROOT, DATASPACE_HOME  the folder where DATASPACE_KEYSTORE names none: the node's own
DATASPACE_KEYSTORE_PASSPHRASE_FILE  file with the folder's passphrase; DATASPACE_KEYSTORE_PASSPHRASE: itself
VAULT_ADDR, VAULT_TOKEN             the key service
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pipelines.errors import KeystoreError
from pipelines.keystore.folder import Keystore
from pipelines.keystore.vault import open_vault
from pipelines.keystore.wrapping import PassphraseWrapping, Wrapping

SERVICE = "vault:"


def open_keystore(folder: Path | None = None, settings: Mapping[str, str] | None = None) -> Keystore:
    """The keystore of the environment; `folder` goes before the folder that `settings` name (the environment's)."""
    settings = os.environ if settings is None else settings
    named = settings.get("DATASPACE_KEYSTORE", "")
    if named.startswith(SERVICE):
        return Keystore(folder or _own_folder(settings), open_vault(named.removeprefix(SERVICE), settings))
    place = folder or (Path(named) if named else _own_folder(settings))
    return Keystore(place, _passphrase_wrapping(place, settings))


def _own_folder(settings: Mapping[str, str]) -> Path:
    home = Path(settings.get("DATASPACE_HOME") or ".dataspace/node")
    return Path(settings.get("DATASPACE_KEY_ROOT") or home / "keys")


def _passphrase_wrapping(folder: Path, settings: Mapping[str, str]) -> Wrapping | None:
    given, file = settings.get("DATASPACE_KEYSTORE_PASSPHRASE"), settings.get("DATASPACE_KEYSTORE_PASSPHRASE_FILE")
    if file:
        try:
            given = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise KeystoreError(f"{file}: the keystore's passphrase cannot be read from this file.") from None
    if file and not given:
        raise KeystoreError(f"{file}: the file holds no passphrase.")
    return PassphraseWrapping(folder, given) if given else None
