"""Applications and requests with all of their form: the part of the session that writes, submits and compares them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from dataspace import wire
from dataspace.client.asking import checked
from dataspace.client.transport import Transport
from dataspace.wire import forms as shapes


def content_of(fields: dict[str, Any]) -> shapes.Content:
    """What an applicant writes, from the fields of a TOML or JSON file; raises InvalidInput."""
    return checked(shapes.Content, _plain(fields))


class Forms(Transport):
    """Methods of `Dataspace` on drafts, submitted versions and attachments."""

    def forms(self) -> list[shapes.FormEntry]:
        """Every version of every form of the node."""
        return self._send("GET", "/forms", list[shapes.FormEntry])

    def form(self, name: str, version: int | None = None) -> shapes.Form:
        """What one form asks: `access-application` (Art. 67) or `data-request` (Art. 69)."""
        return self._send("GET", f"/forms/{name}" + _query(version=version), shapes.Form)

    def begin_draft(self, content: shapes.Content) -> shapes.DraftEntry:
        """Begin a draft, which may leave anything out; `missing` says what it lacks."""
        return self._send("POST", "/applications/drafts", shapes.DraftEntry, json=content.model_dump(mode="json"))

    def draft(self, application: str) -> shapes.DraftEntry:
        """The newest that was written, what is missing, and what the access body asked for."""
        return self._send("GET", f"/applications/{application}/draft", shapes.DraftEntry)

    def rewrite_draft(self, application: str, content: shapes.Content, *, version: int) -> shapes.DraftEntry:
        """Replace all that was written; `version` is that of the draft that was read, so a stale edit is refused."""
        body, headers = content.model_dump(mode="json"), {"If-Match": f'"{version}"'}
        path = f"/applications/{application}/draft"
        return self._send("PUT", path, shapes.DraftEntry, json=body, headers=headers)

    def submit(self, application: str) -> wire.ApplicationEntry:
        """Hand a complete draft to the access body, the first time or after it was returned."""
        return self._send("POST", f"/applications/{application}/submission", wire.ApplicationEntry)

    def return_for_completion(self, application: str, missing: dict[str, str]) -> wire.ApplicationEntry:
        """Send it back with what is missing by `section.field`; for an access body's assessor (Art. 68(4))."""
        body = checked(shapes.ReturnRequest, {"missing": missing}).model_dump(mode="json")
        return self._send("POST", f"/applications/{application}/return", wire.ApplicationEntry, json=body)

    def versions(self, application: str) -> list[shapes.EditionEntry]:
        """Every submitted version, oldest first."""
        return self._send("GET", f"/applications/{application}/versions", list[shapes.EditionEntry])

    def differences(
        self, application: str, before: int | None = None, after: int | None = None
    ) -> list[shapes.Difference]:
        """What differs between two submitted versions, field by field; by default the last two."""
        path = f"/applications/{application}/differences" + _query(before=before, after=after)
        return self._send("GET", path, list[shapes.Difference])

    def attach(self, application: str, field: str, file: str | Path) -> shapes.AttachmentEntry:
        """Add a file to the answer of a field of a draft: pdf, doc, docx, xls, xlsx or odt, at most 1 MB."""
        path = f"/applications/{application}/attachments" + _query(field=field, name=Path(file).name)
        headers = {"Content-Type": "application/octet-stream"}
        return self._send("POST", path, shapes.AttachmentEntry, content=Path(file).read_bytes(), headers=headers)

    def attachments(self, application: str) -> list[shapes.AttachmentEntry]:
        """Files of a case, without their contents."""
        return self._send("GET", f"/applications/{application}/attachments", list[shapes.AttachmentEntry])

    def download(self, application: str, attachment: str) -> bytes:
        """The content of a file."""
        content: bytes = self._received("GET", f"/applications/{application}/attachments/{attachment}").content
        return content

    def detach(self, application: str, attachment: str) -> None:
        """Take a file out of a draft; what was submitted keeps it."""
        self._received("DELETE", f"/applications/{application}/attachments/{attachment}")


def _plain(value: Any) -> Any:
    """Dates as text, as JSON has them."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _query(**members: str | int | None) -> str:
    given = {name: value for name, value in members.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""
