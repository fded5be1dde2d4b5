"""Decisions on applications, and on the permits they became."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from dataspace.domain.actors import HDAB_ROLES, Actor
from dataspace.domain.applications import AccessApplication, ApplicationAction
from dataspace.domain.errors import InvalidApplication, InvalidInput, NotFound, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.ledger import Describe, as_rho
from dataspace.domain.opt_outs import check_exception
from dataspace.domain.permissions import check_may_act_on_application, check_may_act_on_permit, may_act_on_permit
from dataspace.domain.permits import DataPermit, PermitAction, PermitState, SnapshotRule
from dataspace.services.ports import Clock, ToLimit, UnitOfWork


def grant_permit(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    application_id: str,
    *,
    to_limit: ToLimit,
    conditions: tuple[str, ...] = (),
    snapshot_rule: SnapshotRule = SnapshotRule.AT_GRANT,
    opt_out_exception: str = "",
    describe: Describe = as_rho,
) -> DataPermit:
    """Grant an application: the permit, its budget out of every dataset's capacity, the decision, in one transaction.

    `opt_out_exception` is the ground on which persons who opted out are included (Art. 71(4)), if there is one.
    Raises NotPermitted, WrongState, or InsufficientBudget if a dataset's capacity does not hold the budget asked for.
    """
    with uow:
        # the time of the approval decides whose opt-out counts, so no opt-out may be on its way
        latest, now = uow.opt_outs.hold(), clock.now()
        application = _undecided(uow, by, application_id, ApplicationAction.GRANT)
        check_exception(opt_out_exception.strip(), application.form.purposes)
        permit = replace(
            _permit(uow, application, by, now, to_limit),
            granted_at=latest.time_of_approval(now),
            conditions=conditions,
            snapshot_rule=snapshot_rule,
            opt_out_exception=opt_out_exception.strip(),
        )
        decided = _decided(application, ApplicationAction.GRANT, by, now)
        details = {"number": application.number, "permit": permit.id}
        uow.applications.save(decided, AuditEvent(EventKind.APPLICATION_GRANTED, by.id, application.id, now, details))
        issued = {"number": permit.number}
        if permit.opt_out_exception:
            issued["opt_out_exception"] = permit.opt_out_exception
        uow.permits.add(permit, AuditEvent(EventKind.PERMIT_ISSUED, by.id, permit.id, now, issued))
        uow.ledger.allocate(permit, describe)
        uow.commit()
    return permit


def refuse_application(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, reasons: str
) -> AccessApplication:
    """Refuse with reasons, which are published (Art. 57(1)(j)(iii))."""
    _check_reasons(reasons)
    now = clock.now()
    with uow:
        application = _undecided(uow, by, application_id, ApplicationAction.REFUSE)
        refused = replace(_decided(application, ApplicationAction.REFUSE, by, now), reasons=reasons)
        details = {"number": application.number, "reasons": reasons}
        uow.applications.save(refused, AuditEvent(EventKind.APPLICATION_REFUSED, by.id, application.id, now, details))
        uow.commit()
    return refused


def revoke_permit(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str, *, reasons: str) -> DataPermit:
    """End a permit; the very next query is refused and what is unspent returns to the datasets (Art. 63(3))."""
    now = clock.now()
    with uow:
        revoked = _change(uow, by, permit_id, PermitAction.REVOKE, DataPermit.revoked, now, reasons)
        uow.permits.save(revoked, _event(EventKind.PERMIT_REVOKED, by, revoked, now))
        uow.ledger.release_allocation(revoked.id, _event(EventKind.BUDGET_RETURNED, by, revoked, now))
        uow.commit()
    return revoked


def suspend_permit(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str, *, reasons: str) -> DataPermit:
    """Stop queries for the time being; the budget stays with the permit."""
    now = clock.now()
    with uow:
        suspended = _change(uow, by, permit_id, PermitAction.SUSPEND, DataPermit.suspended, now, reasons)
        uow.permits.save(suspended, _event(EventKind.PERMIT_SUSPENDED, by, suspended, now))
        uow.commit()
    return suspended


def resume_permit(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str, *, reasons: str) -> DataPermit:
    """End a suspension."""
    now = clock.now()
    with uow:
        resumed = _change(uow, by, permit_id, PermitAction.RESUME, DataPermit.resumed, now, reasons)
        uow.permits.save(resumed, _event(EventKind.PERMIT_RESUMED, by, resumed, now))
        uow.commit()
    return resumed


def return_expired_budgets(uow: UnitOfWork, clock: Clock, by: Actor) -> list[DataPermit]:
    """Give what expired permits have not spent back to their datasets; run by the node, safe to run again."""
    now, returned = clock.now(), []
    with uow:
        for permit in uow.permits.all():
            left = uow.ledger.budget(permit.id).remaining
            if permit.state(now) is PermitState.EXPIRED and (left.pico_rho or left.atto_delta):
                uow.ledger.release_allocation(permit.id, _event(EventKind.BUDGET_RETURNED, by, permit, now))
                returned.append(permit)
        uow.commit()
    return returned


def get_permit(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str) -> DataPermit:
    """Raises NotFound also for a permit that `by` may not see."""
    with uow.reading():
        return _visible(uow, by, permit_id, clock.now())


def identify(uow: UnitOfWork, clock: Clock, by: Actor, named: str) -> str:
    """The identifier of the permit that `named` is the number of; `named` itself where `by` may see no such permit."""
    try:
        return get_permit(uow, clock, by, named).id
    except NotFound:
        return named


def list_my_permits(uow: UnitOfWork, by: Actor) -> list[DataPermit]:
    """Permits that `by` holds or is named in, newest first, in any state."""
    with uow.reading():
        return uow.permits.of_person(by.id)


def list_permits(uow: UnitOfWork, clock: Clock, by: Actor) -> list[DataPermit]:
    """All that `by` may see, newest first."""
    now = clock.now()
    with uow.reading():
        return [p for p in uow.permits.all() if may_act_on_permit(by, PermitAction.VIEW, p, now)]


def page_permits(uow: UnitOfWork, by: Actor, after: str | None = None, most: int = 100) -> list[DataPermit]:
    """At most `most` of those that `by` may see, newest first, from the one that follows number `after` on."""
    with uow.reading():
        return uow.permits.page(None if by.roles & HDAB_ROLES else by.id, after, most)


def _undecided(uow: UnitOfWork, by: Actor, application_id: str, action: ApplicationAction) -> AccessApplication:
    application = uow.applications.get(application_id)
    check_may_act_on_application(by, action, application)
    return application


def _decided(application: AccessApplication, action: ApplicationAction, by: Actor, now: datetime) -> AccessApplication:
    return replace(application.after(action), decided_at=now, decision_maker=by.id)


def _permit(uow: UnitOfWork, application: AccessApplication, by: Actor, now: datetime, to_limit: ToLimit) -> DataPermit:
    form = application.form
    if form.guarantee is None or form.period is None:
        raise InvalidApplication(f"application {application.number} is not complete; refuse it instead")
    if form.period.end <= now:
        raise WrongState(f"the period asked for in application {application.number} is over; refuse it instead")
    snapshots = _snapshots(uow, form.scope.datasets)
    schemas = {dataset: uow.datasets.schema(dataset, snapshot) for dataset, snapshot in snapshots.items()}
    return DataPermit(
        id=new_id("pmt"),
        number=uow.permits.next_number(now.year),
        application=application.id,
        holder=application.applicant,
        persons=form.persons,
        columns=form.scope.expand(schemas),
        purposes=form.purposes,
        valid_from=max(form.period.start, now),
        valid_until=form.period.end,
        guarantee=form.guarantee,
        limit=to_limit(form.guarantee),
        snapshots=snapshots,
        granted_at=now,
        granted_by=by.id,
    )


def _snapshots(uow: UnitOfWork, datasets: tuple[str, ...]) -> dict[str, str]:
    """The current snapshot of each dataset; one that has none cannot be granted."""
    found = {}
    for dataset in datasets:
        current = uow.datasets.get(dataset).current
        if current is None:
            raise WrongState(f"dataset {dataset} has no published snapshot yet")
        found[dataset] = current
    return found


def _change(
    uow: UnitOfWork,
    by: Actor,
    permit_id: str,
    action: PermitAction,
    change: Callable[[DataPermit, datetime, str], DataPermit],
    now: datetime,
    reasons: str,
) -> DataPermit:
    _check_reasons(reasons)
    permit = _visible(uow, by, permit_id, now)
    check_may_act_on_permit(by, action, permit, now)
    return change(permit, now, reasons)


def _visible(uow: UnitOfWork, by: Actor, permit_id: str, now: datetime) -> DataPermit:
    permit = uow.permits.get(permit_id)
    if not may_act_on_permit(by, PermitAction.VIEW, permit, now):
        raise NotFound(f"there is no permit {permit_id}")
    return permit


def _check_reasons(reasons: str) -> None:
    if not reasons.strip():
        raise InvalidInput("give the reasons; they are part of the decision")


def _event(kind: EventKind, by: Actor, permit: DataPermit, now: datetime) -> AuditEvent:
    return AuditEvent(kind, by.id, permit.id, now, {"number": permit.number, "reasons": permit.reasons})
