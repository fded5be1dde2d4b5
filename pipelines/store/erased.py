"""Persons who were erased from a dataset do not come back with its next delivery.

Their person keys are kept encrypted under a key that the store does not hold: without the keystore the list names
nobody. Under a fresh key a person has another person key, which cannot be computed from this one: then the list of
before says nothing, as an erasure under the new key would have to.

Source: AES-256-GCM, NIST SP 800-38D.
"""

import secrets
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.errors import StoreDamaged
from pipelines.pseudonyms import rekeyed
from pipelines.store.layout import DatasetFolder, write_atomically

if TYPE_CHECKING:
    from pipelines.keystore import DomainKey

NONCE_BYTES = 12


def erased_persons(folder: DatasetFolder, key: "DomainKey") -> frozenset[int]:
    """Person keys, under `key`, of persons erased under it or under a link of its chain before."""
    link: DomainKey | None = key
    found: set[int] = set()
    while link is not None:
        found.update(rekeyed(key, link.version, _read(folder, link)))
        link = link.before
    return frozenset(found)


def note_erased(folder: DatasetFolder, key: "DomainKey", persons: Collection[int]) -> None:
    """Keep persons from coming back; the caller holds the dataset's lock."""
    _write(folder, key, _read(folder, key) | frozenset(persons))


def readmit(folder: DatasetFolder, key: "DomainKey", persons: Collection[int]) -> int:
    """Let persons come back with the next delivery, as after an erasure by mistake; returns how many were kept away."""
    known = _read(folder, key)
    _write(folder, key, known - frozenset(persons))
    return len(known & frozenset(persons))


def _file(folder: DatasetFolder, key: "DomainKey") -> Path:
    return folder.path / "_erased" / f"{key.id}.bin"


def _cipher(folder: DatasetFolder, key: "DomainKey") -> AESGCM:
    return AESGCM(key.derive(f"erased persons of {folder.dataset}"))


def _read(folder: DatasetFolder, key: "DomainKey") -> frozenset[int]:
    file = _file(folder, key)
    if not file.is_file():
        return frozenset()
    stored = file.read_bytes()
    try:
        content = _cipher(folder, key).decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], key.id.encode())
    except (InvalidTag, ValueError):
        raise StoreDamaged(f"{file}: the list of erased persons is damaged. Restore it from a backup.") from None
    return frozenset(np.frombuffer(content, dtype=np.int64).tolist())


def _write(folder: DatasetFolder, key: "DomainKey", persons: frozenset[int]) -> None:
    nonce = secrets.token_bytes(NONCE_BYTES)
    content = np.array(sorted(persons), dtype=np.int64).tobytes()
    file = _file(folder, key)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(file, nonce + _cipher(folder, key).encrypt(nonce, content, key.id.encode()))
