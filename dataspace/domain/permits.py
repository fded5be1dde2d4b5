"""The data permit (Art. 68): what it holds, its states, and whether it covers a query."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dataspace.domain.actors import Actor
from dataspace.domain.errors import DataspaceError, NotPermitted, OutOfScope, WrongState
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.domain.purposes import Purpose
from dataspace.domain.scopes import ColumnRef, listed, not_covered


class PermitState(StrEnum):
    """Derived from what was decided and from the time, never stored."""

    PENDING = "pending"  # granted, its period has not begun
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


ENDED = frozenset({PermitState.REVOKED, PermitState.EXPIRED})
"""States that no permit leaves again."""


class PermitAction(StrEnum):
    VIEW = "view"
    VIEW_BUDGET = "view-budget"
    QUERY = "query"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    VIEW_ANSWERS = "view-answers"
    RETRY_ANSWERS = "retry-answers"
    ASK_CHANGE = "ask-change"
    WITHDRAW_CHANGE = "withdraw-change"
    PROPOSE_CHANGE = "propose-change"
    DECIDE_CHANGE = "decide-change"


IN_LIFE = frozenset({PermitState.PENDING, PermitState.ACTIVE, PermitState.SUSPENDED})

POSSIBLE = {
    PermitAction.VIEW: frozenset(PermitState),
    PermitAction.VIEW_BUDGET: frozenset(PermitState),
    PermitAction.QUERY: frozenset({PermitState.ACTIVE}),
    PermitAction.SUSPEND: frozenset({PermitState.PENDING, PermitState.ACTIVE}),
    PermitAction.RESUME: frozenset({PermitState.SUSPENDED}),
    PermitAction.REVOKE: IN_LIFE,
    PermitAction.VIEW_ANSWERS: frozenset(PermitState),
    PermitAction.RETRY_ANSWERS: frozenset({PermitState.ACTIVE}),
    PermitAction.ASK_CHANGE: IN_LIFE,
    PermitAction.WITHDRAW_CHANGE: frozenset(PermitState),
    PermitAction.PROPOSE_CHANGE: IN_LIFE,
    PermitAction.DECIDE_CHANGE: IN_LIFE,
}
"""In which states each action is possible, whoever acts."""


class SnapshotRule(StrEnum):
    """Which snapshot of each dataset a query under the permit reads."""

    AT_GRANT = "at-grant"
    CURRENT = "current"


@dataclass(frozen=True)
class Particulars:
    """What Art. 68(10) wants in a permit beside what is checked at a query: (a), (b), (d), (f) and (g).

    `sources` are the organisations that hold the data, `fee_cents` is in euro cents.
    """

    sources: tuple[str, ...] = ()
    data_format: str = ""
    detailed_purpose: str = ""
    principal_investigator: str = ""
    environment: str = ""
    fee_cents: int = 0


@dataclass(frozen=True)
class DataPermit:
    """One decision giving named persons access to named columns, for a purpose and a time (contents: Art. 68(10)).

    `limit` is the privacy budget in the ledger's quanta, the most that stays within `guarantee`. `snapshots` names the
    snapshot of each dataset that was current at the grant. `opt_out_exception` is the ground, if persons who opted out
    are included (Art. 71(4)). `min_cell` is in persons; `aggregates` empty means all kinds, `population` empty
    everybody (see `populations`). `granted_at` is the time of the last approval: of the grant, or of an amendment or
    extension.
    """

    id: str
    number: str
    application: str
    holder: str
    persons: frozenset[str]
    columns: frozenset[ColumnRef]
    purposes: frozenset[Purpose]
    valid_from: datetime
    valid_until: datetime
    guarantee: Guarantee
    limit: PrivacyLoss
    snapshots: Mapping[str, str]
    granted_at: datetime
    granted_by: str
    snapshot_rule: SnapshotRule = SnapshotRule.AT_GRANT
    conditions: tuple[str, ...] = ()
    opt_out_exception: str = ""
    suspended_at: datetime | None = None
    revoked_at: datetime | None = None
    reasons: str = ""
    version: int = 1
    min_cell: int = 0
    aggregates: frozenset[str] = frozenset()
    population: str = ""
    particulars: Particulars = Particulars()
    extended: bool = False

    @property
    def datasets(self) -> tuple[str, ...]:
        return tuple(sorted(self.snapshots))

    def state(self, now: datetime) -> PermitState:
        """Revocation beats expiry, expiry beats suspension: the gravest reason that ends access is named."""
        if self.revoked_at is not None:
            return PermitState.REVOKED
        if now >= self.valid_until:
            return PermitState.EXPIRED
        if self.suspended_at is not None:
            return PermitState.SUSPENDED
        return PermitState.ACTIVE if now >= self.valid_from else PermitState.PENDING

    def suspended(self, now: datetime, reasons: str) -> "DataPermit":
        check_possible(PermitAction.SUSPEND, self, now)
        return replace(self, suspended_at=now, reasons=reasons, version=self.version + 1)

    def resumed(self, now: datetime, reasons: str) -> "DataPermit":
        check_possible(PermitAction.RESUME, self, now)
        return replace(self, suspended_at=None, reasons=reasons, version=self.version + 1)

    def revoked(self, now: datetime, reasons: str) -> "DataPermit":
        check_possible(PermitAction.REVOKE, self, now)
        return replace(self, revoked_at=now, reasons=reasons, version=self.version + 1)


@dataclass(frozen=True)
class PermitVersion:
    """The permit as a decision left it, and when that decision was recorded."""

    permit: DataPermit
    at: datetime


def check_possible(action: PermitAction, permit: DataPermit, now: datetime) -> None:
    """Raises WrongState if the permit's state does not allow the action, whoever asks."""
    state = permit.state(now)
    if state in POSSIBLE[action]:
        return
    raise WrongState(f"permit {permit.number} {_state_text(permit, state)}; {_advice(action)}")


def check_covers(permit: DataPermit, actor: Actor, columns: Iterable[ColumnRef], now: datetime) -> None:
    """May this person read these columns under this permit, now?

    Raises NotPermitted (not named), WrongState (not active) or OutOfScope (names what is not covered), in this order,
    so that a stranger learns nothing about the permit.
    """
    if actor.id not in permit.persons:
        raise NotPermitted(
            f"you are not named in permit {permit.number}; only persons it names may use it (Art. 61(2))"
        )
    check_possible(PermitAction.QUERY, permit, now)
    outside = not_covered(columns, permit.columns)
    if outside:
        raise OutOfScope(
            f"permit {permit.number} does not cover {listed(outside)}; leave it out, or apply for an amendment"
        )


def covers(permit: DataPermit, actor: Actor, columns: Iterable[ColumnRef], now: datetime) -> bool:
    """The yes/no shadow of `check_covers`."""
    try:
        check_covers(permit, actor, columns, now)
    except DataspaceError:
        return False
    return True


def _state_text(permit: DataPermit, state: PermitState) -> str:
    return {
        PermitState.PENDING: f"begins on {permit.valid_from:%Y-%m-%d %H:%M} UTC",
        PermitState.ACTIVE: "is active",
        PermitState.SUSPENDED: "is suspended",
        PermitState.REVOKED: "was revoked",
        PermitState.EXPIRED: f"expired on {permit.valid_until:%Y-%m-%d %H:%M} UTC",
    }[state]


def _advice(action: PermitAction) -> str:
    states = " or ".join(sorted(POSSIBLE[action]))
    return f"to {action.replace('-', ' ')}, it must be {states}"
