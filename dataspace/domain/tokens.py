"""Personal access tokens: shown once, kept as SHA-256 only, expiring.

A token carries 256 random bits, so a plain hash is enough: there is nothing to guess and nothing to slow down.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from secrets import token_urlsafe

from dataspace.domain.token_scopes import TokenScope

PREFIX = "ehds_"


@dataclass(frozen=True)
class AccessToken:
    """What the node remembers of a token: its digest, whose it is, what for, until when, and the day of its last use.

    Without `scopes` it may do all that its person may.
    """

    id: str
    digest: str = field(repr=False)
    person: str
    label: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    scopes: frozenset[TokenScope] | None = None
    last_used_on: date | None = None

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


def new_plaintext() -> str:
    return PREFIX + token_urlsafe(32)


def digest(plaintext: str) -> str:
    return sha256(plaintext.encode()).hexdigest()
