"""The node's signing keys: Ed25519, wrapped at rest as its other keys are, one file a version, readable by it alone.

The newest version signs. A version was in use from when it was made until the next one was; its public half stays
published, so that what it signed can be verified for good.
"""

import json
import os
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from joserfc.jwk import OKPKey

from dataspace import jose
from dataspace.domain.errors import Unavailable, WrongState
from dataspace.services.signing_ports import NewKey
from pipelines.errors import PipelineError


class Sealing(Protocol):
    """Wraps keys at rest; `context` says what is wrapped."""

    @property
    def name(self) -> str: ...
    def wrap(self, plaintext: bytes, context: bytes) -> bytes: ...
    def unwrap(self, wrapped: bytes, context: bytes) -> bytes: ...


@dataclass(frozen=True)
class _Stored:
    version: int
    kid: str
    x: str
    made_at: int
    wrapping: str
    wrapped: bytes


class SigningKeys:
    """`dataspace.services.ports.Signatures` over a folder of its own beside the node's other keys."""

    def __init__(self, folder: Path, sealing: Sealing) -> None:
        self._folder, self._sealing = folder, sealing
        self._opened: dict[str, OKPKey] = {}

    def published(self) -> tuple[jose.PublicKey, ...]:
        """Oldest first; the last one signs."""
        stored = self._all()
        ends = [*(later.made_at for later in stored[1:]), None]
        return tuple(jose.PublicKey(k.kid, k.x, k.made_at, end) for k, end in zip(stored, ends, strict=False))

    def draw(self) -> NewKey:
        """A new key, nowhere yet but in memory."""
        key = OKPKey.generate_key("Ed25519")
        public = key.as_dict(private=False)
        return NewKey(jose.thumbprint(str(public["x"])), key.as_dict(private=True))

    def keep(self, key: NewKey, at: datetime) -> None:
        """Store a key as the newest version. Raises WrongState if another process stored one at the same time."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stored = self._all()
        version, made_at = (stored[-1].version + 1 if stored else 1), int(at.timestamp())
        if stored and made_at < stored[-1].made_at:
            raise WrongState("the clock is behind the making of the newest signing key: set the machine's clock right")
        wrapped = self._sealing.wrap(json.dumps(key.private).encode(), _context(version, key.kid))
        content = {
            "version": version,
            "kid": key.kid,
            "x": key.private["x"],
            "made_at": made_at,
            "wrapping": self._sealing.name,
            "wrapped": b64encode(wrapped).decode(),
        }
        self._write(self._folder / f"signing.v{version}.json", json.dumps(content).encode())

    def sign(self, typ: jose.Typ, claims: jose.Claims, header: jose.Claims | None = None) -> str:
        """By the newest key; raises Unavailable if there is none or it cannot be opened."""
        stored = self._all()
        if not stored:
            raise Unavailable("this node has no signing key yet: dataspace keys signing rotate makes one")
        newest = stored[-1]
        if newest.kid not in self._opened:
            self._opened[newest.kid] = self._open(newest)
        return jose.sign(self._opened[newest.kid], newest.kid, typ, claims, header)

    def _open(self, stored: _Stored) -> OKPKey:
        if stored.wrapping != self._sealing.name:
            raise Unavailable(
                f"signing key {stored.kid} is wrapped by {stored.wrapping}, and the keystore was opened with"
                f" {self._sealing.name}: set DATASPACE_KEYSTORE to what wrapped it"
            )
        try:
            opened = self._sealing.unwrap(stored.wrapped, _context(stored.version, stored.kid))
        except PipelineError:
            raise Unavailable(
                f"signing key {stored.kid} cannot be unwrapped: restore the folder of the node's keys from its backup"
            ) from None
        return OKPKey.import_key(json.loads(opened))

    def _all(self) -> list[_Stored]:
        found = (re.fullmatch(r"signing\.v(\d+)\.json", file.name) for file in self._folder.glob("signing.v*.json"))
        return [self._read(version) for version in sorted(int(match[1]) for match in found if match)]

    def _read(self, version: int) -> _Stored:
        file = self._folder / f"signing.v{version}.json"
        if file.stat().st_mode & 0o077:
            raise Unavailable(f"{file}: others can read this key; allow only its owner: chmod 600")
        try:
            content = json.loads(file.read_bytes())
            stored = _Stored(**{**content, "wrapped": b64decode(content["wrapped"])})
        except (ValueError, KeyError, TypeError):
            raise Unavailable(f"{file}: this signing key is damaged; restore the folder from its backup") from None
        if stored.version != version or jose.thumbprint(stored.x) != stored.kid:
            raise Unavailable(f"{file}: this signing key was changed; restore the folder from its backup")
        return stored

    def _write(self, file: Path, content: bytes) -> None:
        draft = file.with_name(f".{file.name}.{os.urandom(8).hex()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        try:
            file.hardlink_to(draft)
        except FileExistsError:
            raise WrongState(
                "the signing key was rotated by another process at the same time; look, and try again"
            ) from None
        finally:
            draft.unlink()


def _context(version: int, kid: str) -> bytes:
    return f"dataspace|signing|v{version}|{kid}".encode()
