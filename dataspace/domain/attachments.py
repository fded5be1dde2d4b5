"""Files that belong to an application: of an allowed kind by name and by content alike, small, never opened here."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from dataspace.domain.errors import TooLarge, WrongAttachment

LARGEST = 1_000_000
"""Bytes of one file (TEHDAS2 D6.3: 1 MB)."""

MOST = 30
"""Files of one application."""


class FileKind(StrEnum):
    """The kinds that may be attached; the value is the ending of the name."""

    PDF = "pdf"
    DOC = "doc"
    DOCX = "docx"
    XLS = "xls"
    XLSX = "xlsx"
    ODT = "odt"


OLE = bytes.fromhex("d0cf11e0a1b11ae1")
ODT_TYPE = b"application/vnd.oasis.opendocument.text"

_OLE_STREAMS = {FileKind.DOC: ("WordDocument",), FileKind.XLS: ("Workbook", "Book")}
_ZIP_PARTS = {FileKind.DOCX: "word/document.xml", FileKind.XLSX: "xl/workbook.xml"}


@dataclass(frozen=True)
class Attachment:
    """One file without its content; `field` is the question of the form that it answers."""

    id: str
    application: str
    field: str
    name: str
    kind: FileKind
    size: int
    sha256: str
    added_at: datetime
    added_by: str


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def clean_name(name: str) -> str:
    """The name of a file without the folders before it and without characters that mean something elsewhere.

    Raises WrongAttachment if nothing is left.
    """
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*;').strip(" .")
    if not kept or len(kept) > 200:
        raise WrongAttachment("give the file a name of at most 200 characters, such as plan.pdf")
    return kept


def check_file(name: str, content: bytes) -> FileKind:
    """The kind of the file. Raises TooLarge, or WrongAttachment if name or content is not of an allowed kind."""
    if len(content) > LARGEST:
        raise TooLarge(f"the file has {len(content)} bytes; an attachment has at most {LARGEST}")
    if not content:
        raise WrongAttachment("the file is empty; attach it again")
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if ending not in set(FileKind):
        raise WrongAttachment(f"attach a file of one of the kinds {', '.join(FileKind)}; its name says which")
    kind = FileKind(ending)
    if not _is(kind, content):
        raise WrongAttachment(f"the content of the file is not {kind}, as its name says; save it as one and attach it")
    return kind


def _is(kind: FileKind, content: bytes) -> bool:
    if kind is FileKind.PDF:
        return content.startswith(b"%PDF-")
    if kind in _OLE_STREAMS:
        names = [name.encode("utf-16-le") for name in _OLE_STREAMS[kind]]
        return content.startswith(OLE) and any(name in content for name in names)
    return content.startswith(b"PK\x03\x04") and _is_zipped(kind, content)


def _is_zipped(kind: FileKind, content: bytes) -> bool:
    """Only the list of parts is read, and of an ODT the few bytes that name its type; macros are refused."""
    try:
        with ZipFile(BytesIO(content)) as parts:
            names = set(parts.namelist())
            if kind is FileKind.ODT:
                stored = parts.getinfo("mimetype")
                return stored.file_size == len(ODT_TYPE) and parts.read(stored) == ODT_TYPE
    except (BadZipFile, KeyError, NotImplementedError, RuntimeError, ValueError, OSError):
        return False
    macros = any(name.endswith("vbaProject.bin") for name in names)
    return {"[Content_Types].xml", _ZIP_PARTS[kind]} <= names and not macros
