"""Pseudonymisation keys in a folder apart from the data: 32 bytes for each domain and version, wrapped at rest.

Each key is wrapped with AES-256-GCM under the folder's wrapping key and bound to its domain and version, so that a key
file renamed or copied over another is refused. Only the owner may read the files. Keys are made on first use.
Source of the construction: NIST SP 800-38D (GCM), RFC 5869 (HKDF).
"""

import json
import os
import re
import secrets
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from hmac import digest
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipelines.errors import KeystoreError

KEY_BYTES = 32
NONCE_BYTES = 12
DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class DomainKey:
    """One version of a domain's key. The secret is not shown by repr; `id` names the key without telling it."""

    domain: str
    version: int
    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Short hex name: equal for equal keys, one-way."""
        return digest(self.secret, b"key id", "sha256").hex()[:16]

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for another purpose, from which this one cannot be computed."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"{self.domain}|v{self.version}|{purpose}".encode()).derive(
            self.secret
        )


class Keystore:
    """The keys in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, domain: str, version: int | None = None) -> DomainKey:
        """The key of a domain: the newest version unless one is named; made if the domain has none yet."""
        if not DOMAIN.fullmatch(domain):
            raise KeystoreError("A pseudonymisation domain is named in lower-case letters, digits and single dashes.")
        wrapping = self._wrapping_key()
        versions = self.versions(domain)
        if version is None and not versions:
            self._make(domain, 1, wrapping)
            versions = (1,)
        wanted = versions[-1] if version is None else version
        if wanted not in versions:
            raise KeystoreError(f"{self.folder}: domain {domain!r} has no key version {wanted}.")
        return self._unwrap(domain, wanted, wrapping)

    def versions(self, domain: str) -> tuple[int, ...]:
        """Key versions of a domain, oldest first."""
        found = (re.fullmatch(rf"{re.escape(domain)}\.v(\d+)\.json", f.name) for f in self.folder.glob("*.json"))
        return tuple(sorted(int(match[1]) for match in found if match))

    def _file(self, domain: str, version: int) -> Path:
        return self.folder / f"{domain}.v{version}.json"

    def _make(self, domain: str, version: int, wrapping: bytes) -> None:
        nonce = secrets.token_bytes(NONCE_BYTES)
        wrapped = AESGCM(wrapping).encrypt(nonce, secrets.token_bytes(KEY_BYTES), _bound_to(domain, version))
        content = {"domain": domain, "version": version, "nonce": _text(nonce), "wrapped": _text(wrapped)}
        self._write_once(self._file(domain, version), json.dumps(content).encode())

    def _unwrap(self, domain: str, version: int, wrapping: bytes) -> DomainKey:
        file = self._file(domain, version)
        try:
            content = json.loads(self._read(file))
            nonce, wrapped = b64decode(content["nonce"]), b64decode(content["wrapped"])
            secret = AESGCM(wrapping).decrypt(nonce, wrapped, _bound_to(domain, version))
        except (InvalidTag, ValueError, KeyError):
            raise KeystoreError(
                f"{file}: the key cannot be unwrapped: the file was changed, or belongs to another keystore. "
                "Restore the folder from its backup."
            ) from None
        return DomainKey(domain, version, secret)

    def _wrapping_key(self) -> bytes:
        file = self.folder / "wrapping.key"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as failure:
            raise KeystoreError(f"{self.folder}: the keystore cannot be made: {failure.strerror}.") from None
        if not file.exists():
            self._write_once(file, secrets.token_bytes(KEY_BYTES))
        key = self._read(file)
        if len(key) != KEY_BYTES:
            raise KeystoreError(f"{file}: not a wrapping key of {KEY_BYTES} bytes. Restore it from its backup.")
        return key

    def _read(self, file: Path) -> bytes:
        try:
            if file.stat().st_mode & 0o077:
                raise KeystoreError(f"{file}: others can read this key. Allow only its owner: chmod 600.")
            return file.read_bytes()
        except OSError as failure:
            raise KeystoreError(f"{file}: the key cannot be read: {failure.strerror}.") from None

    def _write_once(self, file: Path, content: bytes) -> None:
        """Write a file of mode 0600 whole or not at all; if another process was first, its file stays."""
        temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
            with suppress(FileExistsError):
                os.link(temporary, file)
        except OSError as failure:
            raise KeystoreError(f"{file}: the key cannot be written: {failure.strerror}.") from None
        finally:
            temporary.unlink(missing_ok=True)


def _bound_to(domain: str, version: int) -> bytes:
    return f"dataspace|pseudonym|{domain}|v{version}".encode()


def _text(content: bytes) -> str:
    return b64encode(content).decode()
