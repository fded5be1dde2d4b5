"""Data access applications up to the decision, which is in `permits`."""

from dataclasses import replace

from dataspace.domain.actors import Actor
from dataspace.domain.applications import AccessApplication, ApplicationAction, ApplicationForm, check_complete
from dataspace.domain.errors import InvalidApplication, NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.permissions import NodeAction, check_may, check_may_act_on_application, may_act_on_application
from dataspace.services.ports import Clock, UnitOfWork


def file_application(uow: UnitOfWork, clock: Clock, by: Actor, form: ApplicationForm) -> AccessApplication:
    """Begin a draft, which may be incomplete."""
    check_may(by, NodeAction.FILE_APPLICATION)
    now = clock.now()
    with uow:
        number = uow.applications.next_number(now.year)
        application = AccessApplication(new_id("app"), number, by.id, form, now)
        uow.applications.add(application, _event(EventKind.APPLICATION_FILED, by, application, clock))
        uow.commit()
    return application


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


def submit_application(uow: UnitOfWork, clock: Clock, by: Actor, application_id: str) -> AccessApplication:
    """Hand a complete draft to the access body. Raises InvalidApplication with everything that is missing."""
    now = clock.now()
    with uow:
        before = _visible(uow, by, application_id)
        check_may_act_on_application(by, ApplicationAction.SUBMIT, before)
        check_complete(before.form, by.organisation, now)
        _check_references(uow, before.form)
        submitted = replace(before.after(ApplicationAction.SUBMIT), submitted_at=now)
        uow.applications.save(submitted, _event(EventKind.APPLICATION_SUBMITTED, by, submitted, clock))
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
        check_may_act_on_application(by, ApplicationAction.START_ASSESSMENT, before)
        taken = replace(before.after(ApplicationAction.START_ASSESSMENT), assessor=by.id)
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


def _visible(uow: UnitOfWork, by: Actor, application_id: str) -> AccessApplication:
    application = uow.applications.get(application_id)
    if not may_act_on_application(by, ApplicationAction.VIEW, application):
        raise NotFound(f"there is no application {application_id}")
    return application


def _check_references(uow: UnitOfWork, form: ApplicationForm) -> None:
    """The data asked for exist and the persons named are registered."""
    known = {dataset.id: dataset.current for dataset in uow.datasets.all()}
    current = {d: uow.datasets.schema(d, s) for d, s in known.items() if s is not None and d in form.scope.datasets}
    form.scope.expand(current)
    unknown = form.persons - {person.id for person in uow.accounts.all()}
    if unknown:
        raise InvalidApplication(f"{len(unknown)} of the persons named are not registered; register them first")


def _event(kind: EventKind, by: Actor, application: AccessApplication, clock: Clock) -> AuditEvent:
    return AuditEvent(kind, by.id, application.id, clock.now(), {"number": application.number})
