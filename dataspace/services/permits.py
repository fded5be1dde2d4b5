"""Decisions on applications, and on the permits they became."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from dataspace.domain import assessments
from dataspace.domain.actors import HDAB_ROLES, Actor
from dataspace.domain.applications import (
    AccessApplication,
    ApplicationAction,
    ApplicationForm,
    ApplicationKind,
    ApplicationState,
    Period,
)
from dataspace.domain.assessments import Criterion, Verdict
from dataspace.domain.errors import InvalidApplication, NotFound, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.ledger import Describe, as_rho
from dataspace.domain.opt_outs import check_exception
from dataspace.domain.permissions import may_act_on_permit
from dataspace.domain.permits import DataPermit, Particulars, PermitAction, PermitState, SnapshotRule
from dataspace.domain.proposals import GRANTING, Outcome, Proposal
from dataspace.domain.reasons import check_reasons
from dataspace.domain.steps import data_orders
from dataspace.domain.tabulations import NODE_USER, RunState, TabulationPlan, TabulationRun, plan_of
from dataspace.services.duties import check_can_be_named, check_official, check_official_on_permit
from dataspace.services.populations import check_population
from dataspace.services.ports import Clock, ToLimit, UnitOfWork

APPROVAL_LASTS = timedelta(days=365)
"""How long the plan of an approved data request may be run and its answers be made."""

DATA_FORMAT = "pseudonymised at the node; what leaves is anonymised, differentially private statistics"
"""Art. 68(10)(a): the format of the data, pseudonymised or not."""

ENVIRONMENT = (
    "queries in the node's query language over its API or its portal; no row leaves the node, and every answer is paid"
    " from the permit's privacy budget"
)
"""Art. 68(10)(f): technical characteristics and tools of the processing environment."""


def grant_permit(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    application_id: str,
    *,
    to_limit: ToLimit,
    conditions: tuple[str, ...] = (),
    snapshot_rule: SnapshotRule | None = None,
    opt_out_exception: str = "",
    describe: Describe = as_rho,
    version: int | None = None,
) -> DataPermit:
    """Adopt the proposal to grant: the permit, its budget out of every dataset's capacity, in one transaction.

    `conditions` are added to those proposed. `opt_out_exception` is the ground on which persons who opted out are
    included (Art. 71(4)), if there is one and the proposal names none. What the applicant has accepted is issued as it
    is. For a tabulation plan the permit is an approval, whose only user is the node.
    Raises NotPermitted, WrongState, or InsufficientBudget if a dataset's capacity does not hold the budget.
    """
    with uow:
        # the time of the approval decides whose opt-out counts, so no opt-out may be on its way
        latest, now = uow.opt_outs.hold(), clock.now()
        application = _undecided(uow, by, application_id, ApplicationAction.GRANT, version)
        proposal = _adopted(uow, application, conditions or opt_out_exception or snapshot_rule)
        exception = opt_out_exception.strip() or proposal.terms.opt_out_exception
        _check_exception(uow, application, proposal, exception)
        permit = replace(
            _permit(uow, application, proposal, by, now, to_limit),
            granted_at=latest.time_of_approval(now),
            conditions=(*proposal.terms.conditions, *conditions),
            snapshot_rule=snapshot_rule or proposal.terms.snapshot_rule,
            opt_out_exception=exception,
        )
        plan = proposal.plan or plan_of(application.form.tabulation)
        if plan is None:
            check_can_be_named(uow, permit.persons, now)
        else:
            permit = replace(permit, persons=frozenset({_node_user(uow, now).id}))
        decided = replace(_decided(application, ApplicationAction.GRANT, by, now), reasons=proposal.reasons)
        details = {"number": application.number, "permit": permit.id, "outcome": proposal.outcome.value}
        uow.applications.save(decided, AuditEvent(EventKind.APPLICATION_GRANTED, by.id, application.id, now, details))
        issued = {"number": permit.number}
        if permit.opt_out_exception:
            issued["opt_out_exception"] = permit.opt_out_exception
        issue = AuditEvent(EventKind.PERMIT_ISSUED, by.id, permit.id, now, issued)
        uow.permits.add(permit, issue)
        uow.ledger.allocate(permit, describe)
        for order in data_orders(permit, issue):
            uow.audit.append(order)
        if plan is not None:
            _plan_runs(uow, application, permit, plan, by, now)
        uow.commit()
    return permit


def refuse_application(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, reasons: str, version: int | None = None
) -> AccessApplication:
    """Adopt the proposal to refuse, with reasons, which are published (Art. 57(1)(j)(iii))."""
    check_reasons(reasons)
    now = clock.now()
    with uow:
        application = _undecided(uow, by, application_id, ApplicationAction.REFUSE, version)
        proposal = uow.decisions.proposals(application.id)[-1]
        if proposal.outcome is not Outcome.REFUSE:
            raise WrongState(f"{_proposed(application, proposal)}; send it back with reasons instead of refusing")
        refused = replace(_decided(application, ApplicationAction.REFUSE, by, now), reasons=reasons)
        criteria = " ".join(criterion.value for criterion in proposal.criteria)
        details = {"number": application.number, "reasons": reasons, "criteria": criteria}
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


def _undecided(
    uow: UnitOfWork, by: Actor, application_id: str, action: ApplicationAction, version: int | None
) -> AccessApplication:
    application = uow.applications.get(application_id)
    check_official(uow, by, action, application)
    if version is not None and version != application.version:
        raise WrongState(f"application {application.number} was changed by someone else meanwhile; read it again")
    return application


def _adopted(uow: UnitOfWork, application: AccessApplication, added: object) -> Proposal:
    """The proposal to be issued. Raises WrongState for one that refuses, or that the applicant has yet to accept."""
    proposal = uow.decisions.proposals(application.id)[-1]
    if proposal.outcome not in GRANTING:
        raise WrongState(f"{_proposed(application, proposal)}; send it back with reasons instead of granting")
    accepted = application.state is ApplicationState.ACCEPTED
    if proposal.needs_acceptance and not accepted:
        raise WrongState(
            f"application {application.number} has a fee, or another kind of answer, that the applicant accepts first"
            " (Art. 62(5), 68(3)); offer the decision"
        )
    if accepted and added:
        raise WrongState(
            f"what the applicant of {application.number} accepted is issued as it is; to change it, send it back"
        )
    return proposal


def _proposed(application: AccessApplication, proposal: Proposal) -> str:
    return f"what is proposed for application {application.number} is: {proposal.outcome.replace('-', ' ')}"


def _check_exception(uow: UnitOfWork, application: AccessApplication, proposal: Proposal, ground: str) -> None:
    """Opt-outs are set aside only for a purpose that allows it, and where criterion 1g was found to be met."""
    check_exception(ground, proposal.terms.purposes or application.form.purposes)
    found = assessments.current(uow.decisions.findings(application.id), application.assessor)
    exception = found.get(Criterion.OPT_OUT_EXCEPTION)
    if ground and (exception is None or exception.verdict is not Verdict.MET):
        raise InvalidApplication("opt-outs can be set aside only where criterion 1g is met (Art. 68(1)(g), 71(4))")


def _node_user(uow: UnitOfWork, now: datetime) -> Actor:
    """Registered at the first approval."""
    try:
        return uow.accounts.get(NODE_USER.id)
    except NotFound:
        uow.accounts.add(NODE_USER, AuditEvent(EventKind.PERSON_REGISTERED, NODE_USER.id, NODE_USER.id, now))
        return NODE_USER


def _plan_runs(
    uow: UnitOfWork, application: AccessApplication, permit: DataPermit, plan: TabulationPlan, by: Actor, now: datetime
) -> None:
    """The plan as it was approved, and its tabulations, waiting to be run."""
    details = {"number": application.number, "tabulations": str(len(plan.tabulations))}
    event = AuditEvent(EventKind.TABULATION_PLAN_SET, by.id, application.id, now, details)
    uow.tabulations.set_plan(application.id, plan, event)
    uow.tabulations.add_runs([TabulationRun(permit.id, t.name, RunState.WAITING, now) for t in plan.tabulations])


def _decided(application: AccessApplication, action: ApplicationAction, by: Actor, now: datetime) -> AccessApplication:
    return replace(application.after(action), decided_at=now, decision_maker=by.id)


def _permit(
    uow: UnitOfWork, application: AccessApplication, proposal: Proposal, by: Actor, now: datetime, to_limit: ToLimit
) -> DataPermit:
    terms = proposal.terms
    form = terms.narrowed(application.form)
    # a request asks for answers and for no time: its approval lasts as long as they may take and be asked again
    request = application.kind is ApplicationKind.REQUEST
    period = form.period or (Period(now, now + APPROVAL_LASTS) if request else None)
    if form.guarantee is None or period is None:
        raise InvalidApplication(f"application {application.number} is not complete; refuse it instead")
    if period.end <= now:
        raise WrongState(f"the period asked for in application {application.number} is over; refuse it instead")
    snapshots = _snapshots(uow, form.scope.datasets)
    schemas = {dataset: uow.datasets.schema(dataset, snapshot) for dataset, snapshot in snapshots.items()}
    columns = terms.granted_columns(form.scope, form.scope.expand(schemas))
    kept = {dataset: snapshot for dataset, snapshot in snapshots.items() if dataset in {ref[0] for ref in columns}}
    check_population(terms.population, [schemas[dataset] for dataset in kept])
    return DataPermit(
        id=new_id("pmt"),
        number=uow.permits.next_number(now.year),
        application=application.id,
        holder=application.applicant,
        persons=form.persons,
        columns=columns,
        purposes=form.purposes,
        valid_from=max(period.start, now),
        valid_until=period.end,
        guarantee=form.guarantee,
        limit=to_limit(form.guarantee),
        snapshots=kept,
        granted_at=now,
        granted_by=by.id,
        min_cell=terms.min_cell,
        aggregates=terms.aggregates,
        population=terms.population,
        particulars=_particulars(uow, form, proposal, kept),
    )


def _particulars(
    uow: UnitOfWork, form: ApplicationForm, proposal: Proposal, datasets: Mapping[str, str]
) -> Particulars:
    """What Art. 68(10) wants written down beside the rest."""
    return Particulars(
        sources=tuple(sorted({uow.datasets.get(dataset).holder for dataset in datasets})),
        data_format=DATA_FORMAT,
        detailed_purpose=form.justification,
        principal_investigator=proposal.terms.principal_investigator,
        environment=ENVIRONMENT,
        fee_cents=proposal.fee.total_cents,
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
    check_reasons(reasons)
    permit = _visible(uow, by, permit_id, now)
    check_official_on_permit(uow, by, action, permit, now)
    return change(permit, now, reasons)


def _visible(uow: UnitOfWork, by: Actor, permit_id: str, now: datetime) -> DataPermit:
    permit = uow.permits.get(permit_id)
    if not may_act_on_permit(by, PermitAction.VIEW, permit, now):
        raise NotFound(f"there is no permit {permit_id}")
    return permit


def _event(kind: EventKind, by: Actor, permit: DataPermit, now: datetime) -> AuditEvent:
    return AuditEvent(kind, by.id, permit.id, now, {"number": permit.number, "reasons": permit.reasons})
