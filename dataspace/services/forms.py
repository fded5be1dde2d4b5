"""Applications and requests with all of their form: drafts, what is missing, returns, and earlier versions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dataspace.domain.actors import Actor
from dataspace.domain.applications import (
    NO_ANSWERS,
    AccessApplication,
    ApplicationAction,
    ApplicationKind,
    Edition,
    Return,
    Written,
    missing_fields,
)
from dataspace.domain.attachments import Attachment
from dataspace.domain.errors import InvalidApplication, NotFound, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.forms import Difference, check_addresses, check_draft, differences, faults, form_of
from dataspace.domain.permissions import SEES_DRAFTS, check_may_act_on_application, parties
from dataspace.services.applications import edit, file_written, visible
from dataspace.services.duties import check_official
from dataspace.services.ports import Clock, UnitOfWork
from dataspace.services.submittable import attached

LONGEST_ADVICE = 2000
"""Characters of what the access body says of one missing field."""


@dataclass(frozen=True)
class Draft:
    """A case as its applicant works on it: the newest that was written, what is missing in it, what was returned."""

    case: AccessApplication
    written: Written
    missing: tuple[tuple[str, str], ...]
    returned: Return | None
    attachments: tuple[Attachment, ...]


def begin_draft(uow: UnitOfWork, clock: Clock, by: Actor, kind: ApplicationKind, written: Written) -> AccessApplication:
    """Begin a draft under a form. Raises InvalidAnswers for what is no answer to its questions."""
    _check_kept(kind, written)
    return file_written(uow, clock, by, written, kind)


def rewrite_draft(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, written: Written, *, version: int
) -> AccessApplication:
    """Replace all that was written; a draft, or an application that was returned.

    `version` is the one that was read: raises StaleEdit if it was changed since.
    """
    with uow:
        before = visible(uow, by, application_id)
        kept = _as_short_as(before, written)
        _check_kept(before.kind, kept)
        edited = edit(by, before, kept, version)
        uow.applications.save(edited, event_of(EventKind.APPLICATION_EDITED, by, edited, clock))
        uow.commit()
    return edited


def get_draft(uow: UnitOfWork, by: Actor, application_id: str) -> Draft:
    """For the applicant and the persons named: the newest; for others, what was submitted."""
    with uow.reading():
        case = visible(uow, by, application_id)
        written = case.written if _sees_drafts(by, case) else case.on_file
        returns = uow.submissions.returns(case.id)
        return Draft(case, written, missing_in(written), returns[-1] if returns else None, visible_files(uow, by, case))


def missing_in(written: Written) -> tuple[tuple[str, str], ...]:
    """(`section.field`, what is missing and what to do), in the order of the form; empty if it is complete."""
    form = form_of(written)
    if form is None:
        return tuple(missing_fields(written.form).items())
    return tuple((fault.address, fault.text) for fault in faults(form, written))


def return_application(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, missing: Mapping[str, str]
) -> AccessApplication:
    """Send a submitted application back with the list of what is missing, field by field (Art. 68(4))."""
    said = {address: text.strip() for address, text in missing.items()}
    if not said or any(not text or len(text) > LONGEST_ADVICE for text in said.values()):
        raise InvalidApplication(
            f"name each missing field, and say in 1 to {LONGEST_ADVICE} characters what is missing"
        )
    now = clock.now()
    with uow:
        before = visible(uow, by, application_id)
        check_official(uow, by, ApplicationAction.RETURN, before)
        check_addresses(before.on_file, said)
        returned = replace(before.after(ApplicationAction.RETURN), returned_at=now)
        details = {"number": returned.number, "fields": ", ".join(said)}
        event = AuditEvent(EventKind.APPLICATION_RETURNED, by.id, returned.id, now, details)
        uow.applications.save(returned, event)
        edition = uow.submissions.editions(returned.id)[-1].number
        uow.submissions.add_return(returned.id, Return(edition, said, now, by.id))
        uow.commit()
    return returned


def lapse_application(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, due: datetime
) -> AccessApplication:
    """Close a returned application that was not completed until `due`, by default of law four weeks after the notice.

    By the node itself or the access body's assessor. Raises WrongState before `due`.
    """
    with uow:
        before = uow.applications.get(application_id)
        check_may_act_on_application(by, ApplicationAction.LAPSE, before)
        if clock.now() < due:
            raise WrongState(f"application {before.number} may be completed until {due.isoformat()}; wait until then")
        lapsed = before.after(ApplicationAction.LAPSE)
        uow.applications.save(lapsed, event_of(EventKind.APPLICATION_LAPSED, by, lapsed, clock))
        uow.commit()
    return lapsed


def list_editions(uow: UnitOfWork, by: Actor, application_id: str) -> list[Edition]:
    """Every submitted version of the form, oldest first."""
    with uow.reading():
        return uow.submissions.editions(visible(uow, by, application_id).id)


def get_edition(uow: UnitOfWork, by: Actor, application_id: str, number: int) -> Edition:
    """One submitted version of the form. Raises NotFound."""
    return _edition(list_editions(uow, by, application_id), number)


def compare_editions(
    uow: UnitOfWork, by: Actor, application_id: str, before: int | None = None, after: int | None = None
) -> tuple[Difference, ...]:
    """What differs between two submitted versions, by default the last two. Raises NotFound if there are not two."""
    editions = list_editions(uow, by, application_id)
    newer = _edition(editions, after if after is not None else len(editions))
    older = _edition(editions, before if before is not None else newer.number - 1)
    return differences(older.written, newer.written)


def visible_files(uow: UnitOfWork, by: Actor, case: AccessApplication) -> tuple[Attachment, ...]:
    """Inside a transaction, of a case that `by` may see. The access body sees the files that came with a submission."""
    files = uow.attachments.of(case.id)
    if _sees_drafts(by, case):
        return tuple(files)
    submitted = {one for edition in uow.submissions.editions(case.id) for one in attached(edition.written)}
    return tuple(file for file in files if file.id in submitted)


def event_of(kind: EventKind, by: Actor, case: AccessApplication, clock: Clock) -> AuditEvent:
    """An event about a case, which its number says."""
    return AuditEvent(kind, by.id, case.id, clock.now(), {"number": case.number})


def _as_short_as(before: AccessApplication, written: Written) -> Written:
    """A short application stays one as long as nothing is answered beside its typed heart."""
    short = before.answers == NO_ANSWERS and not written.answers.values
    return Written(written.form) if short else written


def _check_kept(kind: ApplicationKind, written: Written) -> None:
    form = form_of(written)
    if form is None:
        return
    if form.name != kind:
        raise InvalidApplication(f"a case of kind {kind} is written under the form {kind}; begin another for the other")
    check_draft(form, written)


def _sees_drafts(by: Actor, case: AccessApplication) -> bool:
    return bool(parties(by, case.applicant, case.form.persons) & SEES_DRAFTS)


def _edition(editions: list[Edition], number: int) -> Edition:
    found = next((edition for edition in editions if edition.number == number), None)
    if found is None:
        raise NotFound(f"there is no submitted version {number}; there are {len(editions)}, from 1 on")
    return found
