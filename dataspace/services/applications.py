"""Data access applications up to the decision, which is in `permits`."""

from dataclasses import replace

from dataspace.domain.actors import Actor
from dataspace.domain.applications import AccessApplication, ApplicationAction, ApplicationForm, check_complete
from dataspace.domain.errors import InvalidApplication, NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.ledger import as_rho
from dataspace.domain.permissions import NodeAction, check_may, check_may_act_on_application, may_act_on_application
from dataspace.domain.privacy import Guarantee
from dataspace.domain.proposals import CaseStep, Step
from dataspace.services.duties import check_can_be_named, check_free_to_act, check_official
from dataspace.services.ports import Clock, ToLimit, UnitOfWork


def file_application(uow: UnitOfWork, clock: Clock, by: Actor, form: ApplicationForm) -> AccessApplication:
    """Begin a draft, which may be incomplete."""
    check_may(by, NodeAction.FILE_APPLICATION)
    with uow:
        application = _file(uow, clock, by, form)
        uow.commit()
    return application


def apply(uow: UnitOfWork, clock: Clock, by: Actor, form: ApplicationForm, *, to_limit: ToLimit) -> AccessApplication:
    """File an application and submit it, in one transaction: what cannot be submitted leaves nothing behind.

    Raises InvalidApplication with everything that is missing, or for a budget no dataset could ever hold.
    """
    check_may(by, NodeAction.FILE_APPLICATION)
    with uow:
        submitted = _submit(uow, clock, by, _file(uow, clock, by, form), to_limit)
        uow.commit()
    return submitted


def edit_application(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, form: ApplicationForm, *, version: int
) -> AccessApplication:
    """Replace the form of a draft; `version` is the one that was read, so that a stale edit is refused (WrongState)."""
    with uow:
        before = _visible(uow, by, application_id)
        check_may_act_on_application(by, ApplicationAction.EDIT, before)
        edited = replace(before, form=form, version=version).after(ApplicationAction.EDIT)
        uow.applications.save(edited, _event(EventKind.APPLICATION_EDITED, by, edited, clock))
        uow.commit()
    return edited


def submit_application(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, to_limit: ToLimit | None = None
) -> AccessApplication:
    """Hand a complete draft to the access body. Raises InvalidApplication with everything that is missing.

    With `to_limit`, also for a budget above the whole capacity of a dataset, which no grant could give.
    """
    with uow:
        submitted = _submit(uow, clock, by, _visible(uow, by, application_id), to_limit)
        uow.commit()
    return submitted


def withdraw_application(uow: UnitOfWork, clock: Clock, by: Actor, application_id: str) -> AccessApplication:
    """End a case before it is decided."""
    with uow:
        before = _visible(uow, by, application_id)
        check_may_act_on_application(by, ApplicationAction.WITHDRAW, before)
        withdrawn = before.after(ApplicationAction.WITHDRAW)
        uow.applications.save(withdrawn, _event(EventKind.APPLICATION_WITHDRAWN, by, withdrawn, clock))
        uow.commit()
    return withdrawn


def start_assessment(uow: UnitOfWork, clock: Clock, by: Actor, application_id: str) -> AccessApplication:
    """Take up a submitted application as its assessor, who cannot be the one to decide on it."""
    with uow:
        before = _visible(uow, by, application_id)
        check_official(uow, by, ApplicationAction.START_ASSESSMENT, before)
        taken = replace(before.after(ApplicationAction.START_ASSESSMENT), assessor=by.id)
        uow.decisions.add_step(taken.id, CaseStep(Step.TAKEN_UP, by.id, clock.now()))
        uow.applications.save(taken, _event(EventKind.ASSESSMENT_STARTED, by, taken, clock))
        uow.commit()
    return taken


def get_application(uow: UnitOfWork, by: Actor, application_id: str) -> AccessApplication:
    """Raises NotFound also for an application that `by` may not see."""
    with uow.reading():
        return _visible(uow, by, application_id)


def list_applications(uow: UnitOfWork, by: Actor) -> list[AccessApplication]:
    """All that `by` may see, newest first."""
    with uow.reading():
        return [a for a in uow.applications.all() if may_act_on_application(by, ApplicationAction.VIEW, a)]


def _file(uow: UnitOfWork, clock: Clock, by: Actor, form: ApplicationForm) -> AccessApplication:
    now = clock.now()
    check_free_to_act(uow, by, now)
    application = AccessApplication(new_id("app"), uow.applications.next_number(now.year), by.id, form, now)
    uow.applications.add(application, _event(EventKind.APPLICATION_FILED, by, application, clock))
    return application


def _submit(
    uow: UnitOfWork, clock: Clock, by: Actor, draft: AccessApplication, to_limit: ToLimit | None
) -> AccessApplication:
    now = clock.now()
    check_may_act_on_application(by, ApplicationAction.SUBMIT, draft)
    check_complete(draft.form, by.organisation, now)
    check_free_to_act(uow, by, now)
    check_can_be_named(uow, draft.form.persons, now)
    _check_references(uow, draft.form)
    if to_limit is not None:
        _check_capacity(uow, draft.form, to_limit)
    submitted = replace(draft.after(ApplicationAction.SUBMIT), submitted_at=now)
    uow.applications.save(submitted, _event(EventKind.APPLICATION_SUBMITTED, by, submitted, clock))
    return submitted


def _visible(uow: UnitOfWork, by: Actor, application_id: str) -> AccessApplication:
    application = uow.applications.get(application_id)
    if not may_act_on_application(by, ApplicationAction.VIEW, application):
        raise NotFound(f"there is no application {application_id}")
    return application


def _check_references(uow: UnitOfWork, form: ApplicationForm) -> None:
    """The data asked for exist."""
    known = {dataset.id: dataset.current for dataset in uow.datasets.all()}
    current = {d: uow.datasets.schema(d, s) for d, s in known.items() if s is not None and d in form.scope.datasets}
    form.scope.expand(current)


def _check_capacity(uow: UnitOfWork, form: ApplicationForm, to_limit: ToLimit) -> None:
    """No dataset asked for has a capacity, whole and unspent, below the budget asked for; both are public."""
    if form.guarantee is None:
        return
    wanted = to_limit(form.guarantee)
    for dataset in (uow.datasets.get(name) for name in form.scope.datasets):
        if not wanted.fits_in(dataset.limit):
            raise InvalidApplication(
                f"the budget asked for, {_said(form.guarantee)} ({as_rho(wanted)}), is above all that permits on"
                f" dataset {dataset.id} may ever spend together, {_said(dataset.capacity)} ({as_rho(dataset.limit)});"
                " ask for less"
            )


def _said(guarantee: Guarantee) -> str:
    return f"epsilon {guarantee.epsilon:f} at delta {guarantee.delta:f}"


def _event(kind: EventKind, by: Actor, application: AccessApplication, clock: Clock) -> AuditEvent:
    return AuditEvent(kind, by.id, application.id, clock.now(), {"number": application.number})
