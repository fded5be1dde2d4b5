"""Changes of a data permit on request: amendment (Art. 68(13)) and extension (Art. 68(12)), decided by two persons."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dataspace.domain.applications import LONGEST_PERIOD
from dataspace.domain.errors import InvalidInput, WrongState
from dataspace.domain.permits import DataPermit
from dataspace.domain.scopes import ColumnRef


class ChangeKind(StrEnum):
    AMENDMENT = "amendment"
    EXTENSION = "extension"


class ChangeState(StrEnum):
    ASKED = "asked"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class ChangeAction(StrEnum):
    PROPOSE = "propose"
    SEND_BACK = "send-back"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


CHANGE_TRANSITIONS = {
    (ChangeState.ASKED, ChangeAction.PROPOSE): ChangeState.PROPOSED,
    (ChangeState.ASKED, ChangeAction.WITHDRAW): ChangeState.WITHDRAWN,
    (ChangeState.PROPOSED, ChangeAction.SEND_BACK): ChangeState.ASKED,
    (ChangeState.PROPOSED, ChangeAction.APPROVE): ChangeState.APPROVED,
    (ChangeState.PROPOSED, ChangeAction.REJECT): ChangeState.REJECTED,
    (ChangeState.PROPOSED, ChangeAction.WITHDRAW): ChangeState.WITHDRAWN,
}
"""What each action makes of each state; a pair that is not here is not possible."""

OPEN = frozenset(state for state, _ in CHANGE_TRANSITIONS)
"""States in which the decision is still to come."""


@dataclass(frozen=True)
class Wanted:
    """What is to change. Columns are of the permit's own datasets; `valid_until` is an extension's alone."""

    columns: frozenset[ColumnRef] = frozenset()
    persons: frozenset[str] = frozenset()
    persons_leaving: frozenset[str] = frozenset()
    conditions: tuple[str, ...] | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True)
class PermitChange:
    """One request for a change. `favourable` is what the assessor proposes; `version` notices a stale action."""

    id: str
    permit: str
    kind: ChangeKind
    wanted: Wanted
    reasons: str
    asked_by: str
    asked_at: datetime
    state: ChangeState = ChangeState.ASKED
    version: int = 1
    assessor: str | None = None
    favourable: bool | None = None
    assessment: str = ""
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: str = ""

    @property
    def open(self) -> bool:
        return self.state in OPEN

    def after(self, action: ChangeAction) -> "PermitChange":
        """The change in the state that `action` leads to. Raises WrongState."""
        check_change_possible(action, self)
        return replace(self, state=CHANGE_TRANSITIONS[self.state, action], version=self.version + 1)


def check_change_possible(action: ChangeAction, change: PermitChange) -> None:
    """Raises WrongState if the state of the change does not allow the action, whoever asks."""
    if (change.state, action) not in CHANGE_TRANSITIONS:
        possible = " or ".join(sorted(state for state, known in CHANGE_TRANSITIONS if known is action))
        raise WrongState(
            f"the {change.kind} is {change.state}; to {action.replace('-', ' ')} it must be {possible or 'open'}"
        )


def month_before(time: datetime) -> datetime:
    """The same day of the month before, or that month's last day."""
    year, month = (time.year, time.month - 1) if time.month > 1 else (time.year - 1, 12)
    for day in range(time.day, 27, -1):
        try:
            return time.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    return time.replace(year=year, month=month)


def check_extension(permit: DataPermit, until: datetime | None, asked_at: datetime) -> None:
    """Raises WrongState or InvalidInput unless Art. 68(12) allows it: once, in time, at most ten years."""
    if permit.extended:
        raise WrongState(
            f"permit {permit.number} was extended already, which is possible once (Art. 68(12)); apply for a new permit"
        )
    if asked_at > month_before(permit.valid_until):
        raise WrongState(
            f"permit {permit.number} ends on {permit.valid_until:%Y-%m-%d}: an extension is asked for at least one"
            " month before (Art. 68(12)); apply for a new permit"
        )
    more = None if until is None or until.tzinfo is None else until - permit.valid_until
    if more is None or not timedelta() < more <= LONGEST_PERIOD:
        raise InvalidInput(
            f"an extension ends after {permit.valid_until:%Y-%m-%d} and at most ten years later (Art. 68(12))"
        )


def check_wanted(change: PermitChange, permit: DataPermit) -> None:
    """Raises InvalidInput for a change that changes nothing, mixes both kinds or leaves the permit's datasets."""
    wanted = change.wanted
    amends = bool(wanted.columns or wanted.persons or wanted.persons_leaving or wanted.conditions is not None)
    if not change.reasons.strip():
        raise InvalidInput("say why the permit is to change")
    if change.kind is ChangeKind.EXTENSION:
        if amends:
            raise InvalidInput("an extension changes the period alone; ask for an amendment beside it")
        check_extension(permit, wanted.valid_until, change.asked_at)
        return
    if not amends or wanted.valid_until is not None:
        raise InvalidInput("an amendment changes columns, persons or conditions, and not the period")
    if {dataset for dataset, _, _ in wanted.columns} - set(permit.datasets):
        raise InvalidInput("an amendment adds columns of the permit's datasets; apply for a permit on other datasets")
    if not (permit.persons | wanted.persons) - wanted.persons_leaving:
        raise InvalidInput("no person would be left; ask the access body to revoke the permit instead")


def changed_permit(
    permit: DataPermit, change: PermitChange, columns: frozenset[ColumnRef], approved_at: datetime
) -> DataPermit:
    """The permit's next version; `columns` are the wanted ones, by name.

    It is a new approval: whoever opted out before `approved_at` is left out from now on (Art. 71(3)).
    """
    wanted = change.wanted
    return replace(
        permit,
        columns=permit.columns | columns,
        persons=(permit.persons | wanted.persons) - wanted.persons_leaving,
        conditions=permit.conditions if wanted.conditions is None else wanted.conditions,
        valid_until=wanted.valid_until or permit.valid_until,
        extended=permit.extended or change.kind is ChangeKind.EXTENSION,
        granted_at=approved_at,
        reasons=change.decision,
        version=permit.version + 1,
    )
