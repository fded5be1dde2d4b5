"""Files of an application: added to and removed from what the applicant writes, read by those who may see the case."""

from dataclasses import replace

from dataspace.domain.actors import Actor
from dataspace.domain.applications import AccessApplication, ApplicationAction, Written
from dataspace.domain.attachments import MOST, Attachment, check_file, clean_name, digest
from dataspace.domain.errors import InvalidInput, NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.forms import Kind, form_of
from dataspace.domain.identifiers import new_id
from dataspace.domain.permissions import check_may_act_on_application
from dataspace.services.applications import visible
from dataspace.services.forms import event_of, visible_files
from dataspace.services.ports import Clock, UnitOfWork
from dataspace.services.submittable import attached


def add_attachment(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, *, field: str, name: str, content: bytes
) -> tuple[Attachment, AccessApplication]:
    """Store a file and make it part of the answer to `field`, in one change of the draft.

    Raises TooLarge, WrongAttachment, or InvalidInput for a field that takes no files or a case that has too many.
    """
    tidy = clean_name(name)
    kind = check_file(tidy, content)
    now = clock.now()
    with uow:
        case = visible(uow, by, application_id)
        check_may_act_on_application(by, ApplicationAction.EDIT, case)
        _check_takes_files(case.written, field)
        if len(uow.attachments.of(case.id)) >= MOST:
            raise InvalidInput(f"an application has at most {MOST} attachments; remove one first")
        file = Attachment(new_id("att"), case.id, field, tidy, kind, len(content), digest(content), now, by.id)
        details = {"number": case.number, "attachment": file.id, "field": field, "sha256": file.sha256}
        uow.attachments.add(file, content, AuditEvent(EventKind.ATTACHMENT_ADDED, by.id, case.id, now, details))
        edited = _with_files(case, field, [*case.written.answers.values.get(field, []), file.id])
        uow.applications.save(edited, event_of(EventKind.APPLICATION_EDITED, by, edited, clock))
        uow.commit()
    return file, edited


def remove_attachment(
    uow: UnitOfWork, clock: Clock, by: Actor, application_id: str, attachment_id: str
) -> AccessApplication:
    """Take a file out of a draft. What was submitted keeps it; a file that never was is erased."""
    with uow:
        case = visible(uow, by, application_id)
        check_may_act_on_application(by, ApplicationAction.EDIT, case)
        file = _found(visible_files(uow, by, case), attachment_id)
        left = [one for one in case.written.answers.values.get(file.field, []) if one != file.id]
        edited = _with_files(case, file.field, left)
        uow.applications.save(edited, event_of(EventKind.APPLICATION_EDITED, by, edited, clock))
        if not any(file.id in attached(edition.written) for edition in uow.submissions.editions(case.id)):
            details = {"number": case.number, "attachment": file.id, "sha256": file.sha256}
            event = AuditEvent(EventKind.ATTACHMENT_REMOVED, by.id, case.id, clock.now(), details)
            uow.attachments.remove(file.id, event)
        uow.commit()
    return edited


def list_attachments(uow: UnitOfWork, by: Actor, application_id: str) -> tuple[Attachment, ...]:
    """Files of a case, without their contents."""
    with uow.reading():
        return visible_files(uow, by, visible(uow, by, application_id))


def read_attachment(uow: UnitOfWork, by: Actor, application_id: str, attachment_id: str) -> tuple[Attachment, bytes]:
    """A file and its content. Raises NotFound also for one that `by` may not see."""
    with uow.reading():
        file = _found(visible_files(uow, by, visible(uow, by, application_id)), attachment_id)
        return file, uow.attachments.content(file.id)


def _check_takes_files(written: Written, field: str) -> None:
    form = form_of(written)
    takes = {address for address, asked in form.fields() if asked.kind is Kind.ATTACHMENT} if form else set()
    if field not in takes:
        fields = ", ".join(sorted(takes)) or "none: a short application has no attachments"
        raise InvalidInput(f"this field takes no files; the fields that do are {fields}")


def _with_files(case: AccessApplication, field: str, files: list[str]) -> AccessApplication:
    written = case.written
    values = {address: value for address, value in written.answers.values.items() if address != field}
    answers = replace(written.answers, values=values | ({field: files} if files else {}))
    return case.rewritten(Written(written.form, answers)).after(ApplicationAction.EDIT)


def _found(files: tuple[Attachment, ...], attachment_id: str) -> Attachment:
    found = next((file for file in files if file.id == attachment_id), None)
    if found is None:
        raise NotFound("there is no such attachment of this application")
    return found
