"""Data access applications up to the decision, which is in `permits`; drafts with all of their form are in `forms`."""

from collections.abc import Collection
from dataclasses import replace

from dataspace.domain.actors import Actor
from dataspace.domain.applications import (
    AccessApplication,
    ApplicationAction,
    ApplicationForm,
    ApplicationKind,
    ApplicationState,
    Edition,
    Written,
)
from dataspace.domain.errors import NotFound, StaleEdit
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.permissions import (
    NodeAction,
    check_may,
    check_may_act_on_application,
    may_act_on_application,
    sees_received,
)
from dataspace.domain.proposals import CaseStep, Step
from dataspace.services.duties import check_can_be_named, check_free_to_act, check_official
from dataspace.services.ports import Clock, ToLimit, UnitOfWork, Viewer
from dataspace.services.submittable import check_submittable


def file_application(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    form: ApplicationForm,
    *,
    kind: ApplicationKind = ApplicationKind.ACCESS,
) -> AccessApplication:
    """Begin a short draft, which may be incomplete."""
    return file_written(uow, clock, by, Written(form), kind)


def file_written(
    uow: UnitOfWork, clock: Clock, by: Actor, written: Written, kind: ApplicationKind
) -> AccessApplication:
    """Begin a draft of what was written; the caller checked it against its form."""
    check_may(by, NodeAction.FILE_APPLICATION)
    with uow:
        application = _file(uow, clock, by, written, kind)
        uow.commit()
    return application


def apply(uow: UnitOfWork, clock: Clock, by: Actor, form: ApplicationForm, *, to_limit: ToLimit) -> AccessApplication:
    """File an application and submit it, in one transaction: what cannot be submitted leaves nothing behind.

    Raises InvalidApplication with everything that is missing, or for a budget no dataset could ever hold.
    """
    check_may(by, NodeAction.FILE_APPLICATION)
    with uow:
        submitted = _submit(uow, clock, by, _file(uow, clock, by, Written(form)), to_limit)
        uow.commit()
    return submitted


def edit_application(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, form: ApplicationForm, *, version: int
) -> AccessApplication:
    """Replace the typed heart of a draft; a `version` that is not the present one raises StaleEdit."""
    with uow:
        before = visible(uow, by, application_id)
        edited = edit(by, before, Written(form, before.written.answers), version)
        uow.applications.save(edited, _event(EventKind.APPLICATION_EDITED, by, edited, clock))
        uow.commit()
    return edited


def edit(by: Actor, before: AccessApplication, written: Written, version: int) -> AccessApplication:
    """`before` with what is written now. Raises NotPermitted, WrongState, or StaleEdit."""
    check_may_act_on_application(by, ApplicationAction.EDIT, before)
    if version != before.version:
        raise StaleEdit(
            f"application {before.number} was changed by someone else meanwhile (it is version {before.version}, you"
            f" read version {version}); read it again and repeat your edit"
        )
    return before.rewritten(written).after(ApplicationAction.EDIT)


def submit_application(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, to_limit: ToLimit | None = None
) -> AccessApplication:
    """Hand a complete draft to the access body. Raises InvalidApplication with everything that is missing.

    With `to_limit`, also for a budget above the whole capacity of a dataset, which no grant could give.
    """
    with uow:
        submitted = _submit(uow, clock, by, visible(uow, by, application_id), to_limit)
        uow.commit()
    return submitted


def withdraw_application(uow: UnitOfWork, clock: Clock, by: Actor, application_id: str) -> AccessApplication:
    """End a case before it is decided."""
    with uow:
        before = visible(uow, by, application_id)
        check_may_act_on_application(by, ApplicationAction.WITHDRAW, before)
        withdrawn = before.after(ApplicationAction.WITHDRAW)
        uow.applications.save(withdrawn, _event(EventKind.APPLICATION_WITHDRAWN, by, withdrawn, clock))
        uow.commit()
    return withdrawn


def start_assessment(uow: UnitOfWork, clock: Clock, by: Actor, application_id: str) -> AccessApplication:
    """Take up a submitted application as its assessor, who cannot be the one to decide on it."""
    with uow:
        before = visible(uow, by, application_id)
        check_official(uow, by, ApplicationAction.START_ASSESSMENT, before)
        taken = replace(before.after(ApplicationAction.START_ASSESSMENT), assessor=by.id)
        uow.decisions.add_step(taken.id, CaseStep(Step.TAKEN_UP, by.id, clock.now()))
        uow.applications.save(taken, _event(EventKind.ASSESSMENT_STARTED, by, taken, clock))
        uow.commit()
    return taken


def get_application(uow: UnitOfWork, by: Actor, application_id: str) -> AccessApplication:
    """Raises NotFound also for an application that `by` may not see."""
    with uow.reading():
        return visible(uow, by, application_id)


def page_applications(
    uow: UnitOfWork, by: Actor, *, states: Collection[ApplicationState] = (), after: str | None = None, most: int = 100
) -> list[AccessApplication]:
    """At most `most` of those that `by` may see, newest first, from the one that follows case `after` on."""
    with uow.reading():
        if after is not None:
            visible(uow, by, after)
        return uow.applications.page(Viewer(by.id, sees_received(by)), states, after, most)


def list_applications(uow: UnitOfWork, by: Actor) -> list[AccessApplication]:
    """All that `by` may see, newest first."""
    with uow.reading():
        return [a for a in uow.applications.all() if may_act_on_application(by, ApplicationAction.VIEW, a)]


def visible(uow: UnitOfWork, by: Actor, application_id: str) -> AccessApplication:
    """Inside a transaction. Raises NotFound also for an application that `by` may not see."""
    application = uow.applications.get(application_id)
    if not may_act_on_application(by, ApplicationAction.VIEW, application):
        raise NotFound(f"there is no application {application_id}")
    return application


def _file(
    uow: UnitOfWork, clock: Clock, by: Actor, written: Written, kind: ApplicationKind = ApplicationKind.ACCESS
) -> AccessApplication:
    now = clock.now()
    check_free_to_act(uow, by, now)
    number = uow.applications.next_number(now.year, kind)
    application = AccessApplication(
        new_id("app"), number, by.id, written.form, now, kind=kind, answers=written.answers
    )  # fmt: skip
    uow.applications.add(application, _event(EventKind.APPLICATION_FILED, by, application, clock))
    return application


def _submit(
    uow: UnitOfWork, clock: Clock, by: Actor, draft: AccessApplication, to_limit: ToLimit | None
) -> AccessApplication:
    """The submitted version of the form is kept for good, beside those before it."""
    now = clock.now()
    check_may_act_on_application(by, ApplicationAction.SUBMIT, draft)
    check_submittable(uow, by, draft, now, to_limit)
    check_free_to_act(uow, by, now)
    check_can_be_named(uow, draft.form.persons, now)
    submitted = draft.handed_in(now)
    before = len(uow.submissions.editions(submitted.id))
    kind = EventKind.APPLICATION_RESUBMITTED if before else EventKind.APPLICATION_SUBMITTED
    uow.applications.save(submitted, _event(kind, by, submitted, clock))
    uow.submissions.add_edition(submitted.id, Edition(before + 1, submitted.written, now, by.id))
    return submitted


def _event(kind: EventKind, by: Actor, application: AccessApplication, clock: Clock) -> AuditEvent:
    return AuditEvent(kind, by.id, application.id, clock.now(), {"number": application.number})
