"""Applications and requests with all of their form: drafts, submitting, returning, versions, differences, files."""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from dataspace import wire
from dataspace.domain.applications import ApplicationKind, Edition
from dataspace.domain.attachments import Attachment
from dataspace.domain.errors import InvalidInput
from dataspace.services import applications, attachments, forms
from dataspace.services.forms import Draft
from dataspace.web.api import contents, present
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.wire import forms as shapes

router = APIRouter(prefix="/applications", tags=["forms"])

IfMatch = Annotated[str, Header(alias="If-Match", max_length=30, description="the ETag that was read")]
Version = Annotated[int | None, Query(ge=1, le=10_000)]
FieldName = Annotated[str, Query(max_length=200, description="`section.field` that the file answers")]
FileName = Annotated[str, Query(min_length=1, max_length=400, description="the file's name with its ending")]


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/drafts", status_code=201)
def begin(content: shapes.Content, node: CurrentNode, actor: CurrentActor, response: Response) -> shapes.DraftEntry:
    """Begin a draft, which may be incomplete; the answer says what is missing."""
    kind, written = ApplicationKind(content.kind), contents.written(content, actor)
    case = forms.begin_draft(node.unit_of_work(), node.clock, actor, kind, written)
    return _read(case.id, node, actor, response)


@router.get("/{application_id}/draft")
def read(application_id: Identifier, node: CurrentNode, actor: CurrentActor, response: Response) -> shapes.DraftEntry:
    """The newest that the applicant wrote, for them and the persons named; for others, what was submitted last."""
    return _read(application_id, node, actor, response)


@router.put("/{application_id}/draft")
def rewrite(
    application_id: Identifier,
    content: shapes.Content,
    node: CurrentNode,
    actor: CurrentActor,
    response: Response,
    version: IfMatch,
) -> shapes.DraftEntry:
    """Replace all that was written, in a draft or a returned application; a stale edit is refused."""
    uow, written = node.unit_of_work(), contents.written(content, actor)
    forms.rewrite_draft(uow, node.clock, actor, application_id, written, version=_version(version))
    return _read(application_id, node, actor, response)


@router.post("/{application_id}/submission")
def submit(application_id: Identifier, node: CurrentNode, actor: CurrentActor) -> wire.ApplicationEntry:
    """Hand it in, the first time or after completion; it must be complete, and is kept as it is for good."""
    uow = node.unit_of_work()
    case = applications.submit_application(uow, node.clock, actor, application_id, to_limit=node.limit_of)
    return present.application(case)


@router.post("/{application_id}/return")
def return_for_completion(
    application_id: Identifier, notice: shapes.ReturnRequest, node: CurrentNode, actor: CurrentActor
) -> wire.ApplicationEntry:
    """Send it back with what is missing, field by field; for the access body's assessor (Art. 68(4))."""
    uow = node.unit_of_work()
    return present.application(
        forms.return_application(uow, node.clock, actor, application_id, missing=notice.missing)
    )  # fmt: skip


@router.get("/{application_id}/versions")
def list_versions(application_id: Identifier, node: CurrentNode, actor: CurrentActor) -> list[shapes.EditionEntry]:
    """Every submitted version, oldest first."""
    case = applications.get_application(node.unit_of_work(), actor, application_id)
    return [_edition(case.kind, edition) for edition in forms.list_editions(node.unit_of_work(), actor, case.id)]


@router.get("/{application_id}/versions/{number}")
def get_version(application_id: Identifier, number: int, node: CurrentNode, actor: CurrentActor) -> shapes.EditionEntry:
    """One submitted version."""
    case = applications.get_application(node.unit_of_work(), actor, application_id)
    return _edition(case.kind, forms.get_edition(node.unit_of_work(), actor, case.id, number))


@router.get("/{application_id}/differences")
def compare(
    application_id: Identifier, node: CurrentNode, actor: CurrentActor, before: Version = None, after: Version = None
) -> list[shapes.Difference]:
    """What differs between two submitted versions, field by field; between the last two, if it is not said."""
    found = forms.compare_editions(node.unit_of_work(), actor, application_id, before, after)
    return [
        shapes.Difference(
            field=one.address,
            label=shapes.Said(en=one.label.en, fr=one.label.fr),
            before=one.before,
            after=one.after,
        )
        for one in found
    ]


@router.post("/{application_id}/attachments", status_code=201)
def attach(
    application_id: Identifier,
    field: FieldName,
    name: FileName,
    content: Annotated[bytes, Depends(_body)],
    node: CurrentNode,
    actor: CurrentActor,
    response: Response,
) -> shapes.AttachmentEntry:
    """Add a file to the answer of a field: the body is the file, at most 1 MB of pdf, doc, docx, xls, xlsx or odt."""
    uow = node.unit_of_work()
    file, case = attachments.add_attachment(
        uow, node.clock, actor, application_id, field=field, name=name, content=content
    )
    response.headers["ETag"] = f'"{case.version}"'
    return _attachment(file)


@router.get("/{application_id}/attachments")
def list_files(application_id: Identifier, node: CurrentNode, actor: CurrentActor) -> list[shapes.AttachmentEntry]:
    """Files of the case, without their contents."""
    return [_attachment(file) for file in attachments.list_attachments(node.unit_of_work(), actor, application_id)]


@router.get("/{application_id}/attachments/{attachment_id}", response_class=Response)
def download(application_id: Identifier, attachment_id: Identifier, node: CurrentNode, actor: CurrentActor) -> Response:
    """A file to be saved, never shown in place."""
    file, content = attachments.read_attachment(node.unit_of_work(), actor, application_id, attachment_id)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "Cache-Control": "no-store",
        "ETag": f'"{file.sha256}"',
    }
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.delete("/{application_id}/attachments/{attachment_id}", status_code=204)
def detach(application_id: Identifier, attachment_id: Identifier, node: CurrentNode, actor: CurrentActor) -> None:
    """Take a file out of a draft; what was submitted keeps it."""
    attachments.remove_attachment(node.unit_of_work(), node.clock, actor, application_id, attachment_id)


def _read(application_id: str, node: CurrentNode, actor: CurrentActor, response: Response) -> shapes.DraftEntry:
    entry = _draft(forms.get_draft(node.unit_of_work(), actor, application_id))
    response.headers["ETag"] = f'"{entry.version}"'
    return entry


def _version(etag: str) -> int:
    found = re.fullmatch(r'"?([0-9]{1,9})"?', etag.strip())
    if found is None:
        raise InvalidInput('send the ETag that you read as If-Match, such as "3"')
    return int(found[1])


def _draft(draft: Draft) -> shapes.DraftEntry:
    returned = draft.returned
    return shapes.DraftEntry(
        id=draft.case.id,
        number=draft.case.number,
        state=draft.case.state.value,
        version=draft.case.version,
        content=contents.content_of(draft.case.kind, draft.written),
        missing=[shapes.FieldFault(field=field, text=text) for field, text in draft.missing],
        returned=shapes.Return(
            version=returned.edition,
            missing=[shapes.FieldFault(field=field, text=text) for field, text in returned.missing.items()],
            returned_at=returned.returned_at,
        )
        if returned
        else None,
        attachments=[_attachment(file) for file in draft.attachments],
    )


def _edition(kind: ApplicationKind, edition: Edition) -> shapes.EditionEntry:
    return shapes.EditionEntry(
        version=edition.number,
        submitted_at=edition.submitted_at,
        submitted_by=edition.submitted_by,
        content=contents.content_of(kind, edition.written),
    )


def _attachment(file: Attachment) -> shapes.AttachmentEntry:
    return shapes.AttachmentEntry(
        id=file.id,
        field=file.field,
        name=file.name,
        kind=file.kind.value,
        size=file.size,
        sha256=file.sha256,
        added_at=file.added_at,
    )
