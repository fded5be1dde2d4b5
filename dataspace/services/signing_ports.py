"""What the services need to sign, and to keep what was signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from dataspace.jose import Claims, PublicKey, Typ


@dataclass(frozen=True)
class NewKey:
    """A signing key not stored yet, as a JWK with its private part, which nothing prints."""

    kid: str
    private: Mapping[str, Any] = field(repr=False)


class Signatures(Protocol):
    """The node's signing keys."""

    def published(self) -> tuple[PublicKey, ...]:
        """Oldest first; the last one signs."""
        ...

    def draw(self) -> NewKey: ...
    def keep(self, key: NewKey, at: datetime) -> None: ...
    def sign(self, typ: Typ, claims: Claims, header: Claims | None = None) -> str: ...


class CheckpointStore(Protocol):
    """Where signed checkpoints are kept, apart from the database."""

    @property
    def name(self) -> str: ...
    def add(self, places: tuple[int, int], token: str) -> None:
        """Keep the checkpoint at these places of the ledger and of the audit trail."""
        ...

    def newest(self) -> str | None: ...
