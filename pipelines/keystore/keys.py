"""One key of a pseudonymisation domain, and how it follows from the version before.

Source of the derivation: RFC 5869 (HKDF).
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from hmac import digest

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

REGISTER_DOMAIN = "opt-out-register"
"""The opt-out register's own domain: no dataset uses it, and its key is never rotated."""


class Rotation(StrEnum):
    """How a version comes after the one before; decision 006 says what each protects against."""

    FRESH = "fresh"
    """A new start: person keys come from identifiers, and have nothing to do with those before."""

    CHAINED = "chained"
    """Person keys come from those of the version before, so that stored ones can be re-keyed."""


@dataclass(frozen=True)
class DomainKey:
    """One version of a domain's key. The secret is not shown by repr; `id` names the key without telling it.

    `before` is the key whose person keys this one re-keys; None if this one is applied to identifiers.
    """

    domain: str
    version: int
    secret: bytes = field(repr=False)
    before: "DomainKey | None" = field(default=None, repr=False)

    @property
    def first(self) -> "DomainKey":
        """The first link of the chain: what outlives a chained rotation is derived from it."""
        return self if self.before is None else self.before.first

    @property
    def id(self) -> str:
        """Short hex name: equal for equal keys, one-way."""
        return digest(self.secret, b"key id", "sha256").hex()[:16]

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for another purpose, from which this one cannot be computed."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"{self.domain}|v{self.version}|{purpose}".encode()).derive(
            self.secret
        )

    def row_order(self, dataset: str) -> bytes:
        """The key of the keyed-hash order in which a dataset's rows are ranked."""
        return self.derive(f"row order of {dataset}")
