"""Signing in: sessions, one-time links, the password policy, and how fast somebody may guess."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from secrets import token_urlsafe

from dataspace.domain.errors import InvalidInput

SESSION_IDLE = timedelta(minutes=30)
SESSION_LONGEST = timedelta(hours=12)
INVITATION_VALID = timedelta(days=3)
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256


class SignInMethod(StrEnum):
    PASSWORD = "password"  # noqa: S105 - the name of a method
    OIDC = "oidc"


@dataclass(frozen=True)
class Session:
    """A browser that signed in: kept by the SHA-256 of what its cookie holds."""

    id: str
    digest: str = field(repr=False)
    person: str
    method: SignInMethod
    started_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        """When it ends if nothing more is asked, at the latest `SESSION_LONGEST` after its start."""
        return min(self.seen_at + SESSION_IDLE, self.started_at + SESSION_LONGEST)

    def valid(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.expires_at


@dataclass(frozen=True)
class LocalAccount:
    """A person's password, as Argon2id text. A `demo` password has to be changed outside of demo mode."""

    login: str
    person: str
    password_hash: str = field(repr=False)
    demo: bool = False


@dataclass(frozen=True)
class Invitation:
    """A one-time link for a person: to set a password under `login`, or to link their identity at the provider."""

    digest: str = field(repr=False)
    person: str
    login: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    def valid(self, now: datetime) -> bool:
        return self.used_at is None and now < self.expires_at


@dataclass(frozen=True)
class Throttle:
    """Failed attempts under one name: an account or a network address, both kept as SHA-256."""

    key: str
    failures: int
    last_at: datetime
    blocked_until: datetime | None = None


@dataclass(frozen=True)
class Allowance:
    """Failures before the first wait, which doubles with each further one up to `longest`; forgotten after `memory`."""

    free: int
    first: timedelta
    longest: timedelta
    memory: timedelta


ALLOWANCES = {
    "account": Allowance(5, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=24)),
    "address": Allowance(20, timedelta(seconds=30), timedelta(hours=1), timedelta(hours=24)),
}
"""An account's longest wait is short enough that a stranger cannot keep its owner out for a day."""


def throttle_key(kind: str, name: str) -> str:
    """`account` or `address`, and whom it is about, without saying it."""
    return f"{kind}:{digest(name.strip().casefold())}"


def after_failure(throttle: Throttle | None, key: str, now: datetime) -> Throttle:
    """One more failure, and until when the next attempt is refused unseen."""
    allowance = ALLOWANCES[key.partition(":")[0]]
    known = throttle is not None and now - throttle.last_at < allowance.memory
    failures = (throttle.failures if throttle and known else 0) + 1
    beyond = failures - allowance.free
    if beyond < 0:
        return Throttle(key, failures, now)
    wait = min(allowance.first * 2 ** min(beyond, 20), allowance.longest)
    return Throttle(key, failures, now, now + wait)


def after_success(throttle: Throttle) -> Throttle | None:
    """The attempt just counted was right: it is taken back, and no other. None if nothing is left."""
    left = throttle.failures - 1
    return Throttle(throttle.key, left, throttle.last_at) if left > 0 else None


def check_password(password: str, *names: str) -> None:
    """Raises InvalidInput saying what is wrong with a new password; never repeats it."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInput(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; choose another")
    if len(set(password)) < 5:
        raise InvalidInput("a password has at least five different characters; choose another")
    folded = _letters(password)
    for name in names:
        for part in (name, *name.split()):
            wanted = _letters(part)
            if len(wanted) >= 4 and wanted in folded and len(folded) - len(wanted) < 6:
                raise InvalidInput("a password is not one's name, or hardly more than it; choose another")


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def new_secret() -> str:
    """256 random bits as text: for a session's cookie or a one-time link."""
    return token_urlsafe(32)


def digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
