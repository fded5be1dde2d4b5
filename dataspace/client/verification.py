"""Verifying a data permit offline: its file, the node's published keys, and a status list if there is one.

Nothing is asked of the node. Without a status list, a permit that was revoked after its document was made still looks
valid: the verdict says so.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dataspace import jose
from dataspace.jose import Keys, Refusal, Refused, Typ

ENDED = {"revoked": Refusal.REVOKED, "suspended": Refusal.SUSPENDED}


@dataclass(frozen=True)
class Verdict:
    """A permit that holds at a time; `notes` are what the verifier could not see."""

    number: str
    claims: dict[str, Any]
    notes: tuple[str, ...]


def verify_permit(token: str, keys: Keys, at: datetime, status: str | None = None) -> Verdict:
    """Raises jose.Refused, with a reason of its own for each way in which a permit does not hold at `at`."""
    claims = jose.verify(token.strip(), keys, Typ.PERMIT)
    permit = claims.get("permit")
    if not isinstance(permit, dict) or not isinstance(claims.get("sub"), str):
        raise Refused(Refusal.MALFORMED, "it does not say which permit it is")
    now = int(at.timestamp())
    _check_period(claims, now)
    _check_itself(permit)
    if status is None:
        return Verdict(claims["sub"], claims, ("no status list was given: whether it was revoked is not known",))
    return Verdict(claims["sub"], claims, _check_listed(claims, permit, _read_status(status, keys, claims, now), now))


def _check_period(claims: dict[str, Any], now: int) -> None:
    begins, ends = (jose.seconds(claims, name) for name in ("nbf", "exp"))
    if now < begins:
        raise Refused(Refusal.NOT_YET_VALID, f"its period begins on {_date(begins)}")
    if now >= ends:
        raise Refused(Refusal.EXPIRED, f"its period ended on {_date(ends)}")


def _check_itself(permit: dict[str, Any]) -> None:
    if permit.get("revoked_at"):
        raise Refused(Refusal.REVOKED, "it was revoked before this document was made")
    if permit.get("suspended_at"):
        raise Refused(Refusal.SUSPENDED, "it was suspended when this document was made")


def _read_status(token: str, keys: Keys, claims: dict[str, Any], now: int) -> dict[str, Any]:
    try:
        status = jose.verify(token.strip(), keys, Typ.STATUS)
    except Refused as refused:
        raise Refused(refused.reason, f"the status list cannot be relied on: {refused.message}") from None
    if status["iss"] != claims["iss"]:
        raise Refused(Refusal.ISSUER, "the status list is of another node than the permit")
    if now >= jose.seconds(status, "exp"):
        raise Refused(Refusal.STALE_STATUS, f"the status list is of {_date(status['iat'])}: get a newer one")
    if not isinstance(status.get("permits"), dict):
        raise Refused(Refusal.MALFORMED, "the status list lists no permits")
    return status


def _check_listed(claims: dict[str, Any], permit: dict[str, Any], status: dict[str, Any], now: int) -> tuple[str, ...]:
    entry = status["permits"].get(claims["sub"])
    if entry is None:
        if status["iat"] >= claims["iat"]:
            raise Refused(Refusal.UNLISTED, "the node's status list, which is newer, knows no such permit")
        return ("the status list is older than the permit: whether it was revoked since is not known",)
    if entry["id"] != permit.get("id"):
        raise Refused(Refusal.UNLISTED, "the node's status list has another permit of this number")
    if entry["state"] in ENDED:
        if now >= entry["since"]:
            raise Refused(ENDED[entry["state"]], f"it was {entry['state']} on {_date(entry['since'])}")
        return (f"it was {entry['state']} later, on {_date(entry['since'])}",)
    if entry["version"] > permit.get("version", 0):
        raise Refused(Refusal.SUPERSEDED, f"version {entry['version']} replaced it: ask its holder for that one")
    return (f"status as of {_date(status['iat'])}: {entry['state']}",)


def _date(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
