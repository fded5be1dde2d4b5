"""Changes of a permit on request: asked for by its holder, proposed by an assessor, decided by another person."""

from dataclasses import replace
from datetime import datetime

from dataspace.domain.actors import Actor
from dataspace.domain.errors import NotFound, NotPermitted, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.permissions import check_may_act_on_permit, may_act_on_permit
from dataspace.domain.permit_changes import (
    ChangeAction,
    ChangeKind,
    PermitChange,
    Wanted,
    changed_permit,
    check_wanted,
)
from dataspace.domain.permits import DataPermit, PermitAction, PermitVersion
from dataspace.domain.reasons import check_reasons
from dataspace.domain.scopes import ColumnRef, Scope
from dataspace.services.duties import check_can_be_named, check_free_to_act, check_official_on_permit
from dataspace.services.ports import Clock, UnitOfWork

MADE = {ChangeKind.AMENDMENT: EventKind.PERMIT_AMENDED, ChangeKind.EXTENSION: EventKind.PERMIT_EXTENDED}


def ask_change(
    uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str, kind: ChangeKind, wanted: Wanted, *, reasons: str
) -> PermitChange:
    """Ask for an amendment or an extension; one at a time.

    Raises InvalidInput, or WrongState for a second extension or one asked for less than a month before expiry.
    """
    now = clock.now()
    with uow:
        permit = _visible(uow, by, permit_id, now)
        check_may_act_on_permit(by, PermitAction.ASK_CHANGE, permit, now)
        check_free_to_act(uow, by, now)
        if uow.tabulations.plan(permit.application) is not None:
            raise WrongState("an approval of a data request is not changed; file another request")
        if any(change.open for change in uow.permit_changes.of_permit(permit.id)):
            raise WrongState(
                f"a change of permit {permit.number} is open already; withdraw it, or wait for its decision"
            )
        change = PermitChange(new_id("chg"), permit.id, kind, wanted, reasons.strip(), by.id, now)
        _check(uow, change, permit, now)
        uow.permit_changes.add(change, _event(EventKind.PERMIT_CHANGE_ASKED, by, permit, change, now))
        uow.commit()
    return change


def withdraw_change(uow: UnitOfWork, clock: Clock, by: Actor, change_id: str) -> PermitChange:
    """The holder no longer wants it."""
    now = clock.now()
    with uow:
        change, permit = _change(uow, by, change_id, now)
        check_may_act_on_permit(by, PermitAction.WITHDRAW_CHANGE, permit, now)
        withdrawn = change.after(ChangeAction.WITHDRAW)
        uow.permit_changes.save(withdrawn, _event(EventKind.PERMIT_CHANGE_WITHDRAWN, by, permit, change, now))
        uow.commit()
    return withdrawn


def propose_change(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    change_id: str,
    *,
    favourable: bool,
    reasons: str,
    version: int | None = None,
) -> PermitChange:
    """The assessor's view: approve or reject, with reasons."""
    check_reasons(reasons)
    now = clock.now()
    with uow:
        change, permit = _change(uow, by, change_id, now)
        check_official_on_permit(uow, by, PermitAction.PROPOSE_CHANGE, permit, now)
        _check_not_named(by, change)
        _check_version(change, version)
        proposed = replace(
            change.after(ChangeAction.PROPOSE), assessor=by.id, favourable=favourable, assessment=reasons.strip()
        )
        uow.permit_changes.save(proposed, _event(EventKind.PERMIT_CHANGE_PROPOSED, by, permit, change, now))
        uow.commit()
    return proposed


def send_back_change(
    uow: UnitOfWork, clock: Clock, by: Actor, change_id: str, *, reasons: str, version: int | None = None
) -> PermitChange:
    """The decision maker does not adopt the proposal."""
    check_reasons(reasons)
    now = clock.now()
    with uow:
        change, permit = _deciding(uow, by, change_id, version, now)
        back = replace(change.after(ChangeAction.SEND_BACK), decision=reasons.strip())
        uow.permit_changes.save(back, _event(EventKind.PERMIT_CHANGE_SENT_BACK, by, permit, back, now))
        uow.commit()
    return back


def decide_change(
    uow: UnitOfWork, clock: Clock, by: Actor, change_id: str, *, reasons: str, version: int | None = None
) -> PermitChange:
    """Adopt the proposal, by another person than its assessor; the permit gets its next version, the old ones stay.

    A permit that ended meanwhile is not changed (WrongState).
    """
    check_reasons(reasons)
    with uow:
        # the changed permit is approved anew, so no opt-out may be on its way
        latest, now = uow.opt_outs.hold(), clock.now()
        change, permit = _deciding(uow, by, change_id, version, now)
        action = ChangeAction.APPROVE if change.favourable else ChangeAction.REJECT
        decided = replace(change.after(action), decided_by=by.id, decided_at=now, decision=reasons.strip())
        if action is ChangeAction.APPROVE:
            columns = _check(uow, change, permit, now)
            newer = changed_permit(permit, decided, columns, latest.time_of_approval(now))
            uow.permits.save(newer, _event(MADE[change.kind], by, permit, decided, now))
            uow.permit_changes.save(decided, _event(MADE[change.kind], by, permit, decided, now))
        else:
            uow.permit_changes.save(decided, _event(EventKind.PERMIT_CHANGE_REJECTED, by, permit, decided, now))
        uow.commit()
    return decided


def list_changes(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str) -> list[PermitChange]:
    """Every change asked for, oldest first, for whoever may see the permit."""
    with uow.reading():
        return uow.permit_changes.of_permit(_visible(uow, by, permit_id, clock.now()).id)


def list_versions(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str) -> list[PermitVersion]:
    """Every version of a permit, oldest first, for whoever may see it."""
    with uow.reading():
        return uow.permits.versions(_visible(uow, by, permit_id, clock.now()).id)


def _check(uow: UnitOfWork, change: PermitChange, permit: DataPermit, now: datetime) -> frozenset[ColumnRef]:
    """The columns wanted, one by one. Raises if the change is not possible, or names somebody who cannot be named."""
    check_wanted(change, permit)
    check_can_be_named(uow, change.wanted.persons, now)
    if not change.wanted.columns:
        return frozenset()
    schemas = {dataset: uow.datasets.schema(dataset, snapshot) for dataset, snapshot in permit.snapshots.items()}
    return Scope(change.wanted.columns).expand(schemas)


def _deciding(
    uow: UnitOfWork, by: Actor, change_id: str, version: int | None, now: datetime
) -> tuple[PermitChange, DataPermit]:
    change, permit = _change(uow, by, change_id, now)
    check_official_on_permit(uow, by, PermitAction.DECIDE_CHANGE, permit, now)
    _check_not_named(by, change)
    if by.id == change.assessor:
        raise NotPermitted("you proposed this; another person decides on it (two-person decision)")
    _check_version(change, version)
    return change, permit


def _change(uow: UnitOfWork, by: Actor, change_id: str, now: datetime) -> tuple[PermitChange, DataPermit]:
    change = uow.permit_changes.get(change_id)
    permit = uow.permits.get(change.permit)
    if not may_act_on_permit(by, PermitAction.VIEW, permit, now):
        raise NotFound(f"there is no change {change_id}")
    return change, permit


def _visible(uow: UnitOfWork, by: Actor, permit_id: str, now: datetime) -> DataPermit:
    permit = uow.permits.get(permit_id)
    if not may_act_on_permit(by, PermitAction.VIEW, permit, now):
        raise NotFound(f"there is no permit {permit_id}")
    return permit


def _check_not_named(by: Actor, change: PermitChange) -> None:
    if by.id in change.wanted.persons:
        raise NotPermitted("this change would give you access; another official acts on it (Art. 55(3))")


def _check_version(change: PermitChange, version: int | None) -> None:
    if version is not None and version != change.version:
        raise WrongState(f"this {change.kind} was changed by someone else meanwhile; read it again")


def _event(kind: EventKind, by: Actor, permit: DataPermit, change: PermitChange, now: datetime) -> AuditEvent:
    details = {"number": permit.number, "change": change.id, "kind": change.kind.value}
    return AuditEvent(kind, by.id, permit.id, now, details | ({"reasons": change.decision} if change.decision else {}))
