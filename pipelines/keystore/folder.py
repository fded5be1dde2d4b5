"""The keystore: wrapped keys in a folder apart from the data, made on first use, rotated on demand.

Each key is bound to its domain, version and rotation, so that a key file renamed, copied over another or declared to
be of the other kind is refused. Only the owner may read the files.
"""

import json
import re
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import KeystoreError
from pipelines.keystore.files import make_folder, read_private, write_once
from pipelines.keystore.keys import DOMAIN, KEY_BYTES, REGISTER_DOMAIN, DomainKey, Rotation
from pipelines.keystore.log import record_use
from pipelines.keystore.wrapping import KeyFileWrapping, NotUnwrapped, Wrapping

MADE = "make the key"


@dataclass(frozen=True)
class _Use:
    purpose: str
    dataset: str


@dataclass(frozen=True)
class _Stored:
    rotation: Rotation
    wrapping: str
    wrapped: bytes


class Keystore:
    """The keys in one folder, unwrapped by `wrapping`: the folder's own key file unless another is given."""

    def __init__(self, folder: Path, wrapping: Wrapping | None = None) -> None:
        self.folder = folder
        self.wrapping: Wrapping = wrapping or KeyFileWrapping(folder)

    def key(self, domain: str, version: int | None = None, *, purpose: str, dataset: str = "") -> DomainKey:
        """The key of a domain: the newest version unless one is named; made if the domain has none yet.

        `purpose` and `dataset` go into the key log: words of the program, never of a person. A chained key brings the
        keys before it along, each with an event of its own.
        """
        _check_domain(domain)
        if not purpose:
            raise ValueError("a key is opened for a purpose")
        use = _Use(purpose, dataset)
        make_folder(self.folder)
        if version is None and not self.versions(domain):
            self._make(domain, 1, Rotation.FRESH, use)
        versions = self.versions(domain)
        wanted = versions[-1] if version is None else version
        if wanted not in versions:
            raise KeystoreError(f"{self.folder}: domain {domain!r} has no key version {wanted}.")
        return self._open(domain, wanted, use)

    def versions(self, domain: str) -> tuple[int, ...]:
        """Key versions of a domain, oldest first."""
        found = (re.fullmatch(rf"{re.escape(domain)}\.v(\d+)\.json", f.name) for f in self.folder.glob("*.json"))
        return tuple(sorted(int(match[1]) for match in found if match))

    def rotate(self, domain: str, rotation: Rotation = Rotation.FRESH) -> int:
        """Make a new version of a domain's key and return its number; the ones before stay readable."""
        _check_domain(domain)
        if domain == REGISTER_DOMAIN:
            raise KeystoreError(
                "The opt-out register's key is not rotated: the register has forgotten the identifiers, so every"
                " choice in it would be lost."
            )
        versions = self.versions(domain)
        if not versions:
            raise KeystoreError(f"{self.folder}: domain {domain!r} has no key yet; its first use makes one.")
        version = versions[-1] + 1
        if not self._make(domain, version, rotation, _Use(f"rotate ({rotation})", "")):
            raise KeystoreError(f"{self.folder}: domain {domain!r} was rotated by another process at the same time.")
        return version

    def rotation(self, domain: str, version: int) -> Rotation:
        """How a version came after the one before."""
        return self._stored(domain, version).rotation

    def _open(self, domain: str, version: int, use: _Use) -> DomainKey:
        stored = self._stored(domain, version)
        before = self._open(domain, version - 1, use) if stored.rotation is Rotation.CHAINED else None
        key = DomainKey(domain, version, self._unwrap(domain, version, stored), before)
        self._record(key, use)
        return key

    def _unwrap(self, domain: str, version: int, stored: _Stored) -> bytes:
        if stored.wrapping != self.wrapping.name:
            raise KeystoreError(
                f"{self._file(domain, version)}: the key is wrapped by {stored.wrapping}, and the keystore was opened "
                f"with {self.wrapping.name}. Set DATASPACE_KEYSTORE to what wrapped it."
            )
        try:
            return self.wrapping.unwrap(stored.wrapped, _bound_to(domain, version, stored.rotation))
        except NotUnwrapped:
            raise self._damaged(domain, version) from None

    def _make(self, domain: str, version: int, rotation: Rotation, use: _Use) -> bool:
        """False if another process made this version first."""
        make_folder(self.folder)
        key = DomainKey(domain, version, secrets.token_bytes(KEY_BYTES))
        wrapped = self.wrapping.wrap(key.secret, _bound_to(domain, version, rotation))
        content = {
            "domain": domain,
            "version": version,
            "rotation": rotation,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "wrapping": self.wrapping.name,
            "wrapped": b64encode(wrapped).decode(),
        }
        # on record before it exists: a key nobody has seen made must not turn up
        self._record(key, _Use(f"{MADE}: {use.purpose}", use.dataset))
        return write_once(self._file(domain, version), json.dumps(content).encode())

    def _record(self, key: DomainKey, use: _Use) -> None:
        record_use(
            self.folder, domain=key.domain, version=key.version, key=key.id, purpose=use.purpose, dataset=use.dataset
        )

    def _stored(self, domain: str, version: int) -> _Stored:
        stored = read_private(self._file(domain, version))
        try:
            content = json.loads(stored)
            # the first layout kept the nonce apart, and knew one wrapping and no rotation
            wrapped = b64decode(content.get("nonce", "")) + b64decode(content["wrapped"])
            rotation = Rotation(content.get("rotation", Rotation.FRESH))
            return _Stored(rotation, content.get("wrapping", KeyFileWrapping.name), wrapped)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._damaged(domain, version) from None

    def _file(self, domain: str, version: int) -> Path:
        return self.folder / f"{domain}.v{version}.json"

    def _damaged(self, domain: str, version: int) -> KeystoreError:
        return KeystoreError(
            f"{self._file(domain, version)}: the key cannot be unwrapped: the file was changed, or belongs to another "
            "keystore. Restore the folder from its backup."
        )


def _check_domain(domain: str) -> None:
    if not DOMAIN.fullmatch(domain):
        raise KeystoreError("A pseudonymisation domain is named in lower-case letters, digits and single dashes.")


def _bound_to(domain: str, version: int, rotation: Rotation) -> bytes:
    chained = "|chained" if rotation is Rotation.CHAINED else ""
    return f"dataspace|pseudonym|{domain}|v{version}{chained}".encode()
