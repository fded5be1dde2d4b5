"""Which files may be attached: told by name and content alike."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspace.domain.attachments import LARGEST, ODT_TYPE, OLE, FileKind, check_file, clean_name
from dataspace.domain.errors import TooLarge, WrongAttachment


def zipped(**parts: bytes) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name.replace("__", "/").replace("_", "."), content)
    return packed.getvalue()


WORD = zipped(**{"[Content_Types]_xml": b"<x/>", "word__document_xml": b"<x/>"})
EXCEL = zipped(**{"[Content_Types]_xml": b"<x/>", "xl__workbook_xml": b"<x/>"})
SOUND = {
    "a.pdf": b"%PDF-1.7\n",
    "a.docx": WORD.replace(b"[Content.Types].xml", b"[Content_Types].xml"),
    "a.xlsx": EXCEL.replace(b"[Content.Types].xml", b"[Content_Types].xml"),
    "a.odt": zipped(mimetype=ODT_TYPE),
    "a.doc": OLE + b"\0" * 40 + "WordDocument".encode("utf-16-le"),
    "a.xls": OLE + b"\0" * 40 + "Workbook".encode("utf-16-le"),
}


@pytest.mark.parametrize("name", SOUND)
def test_every_allowed_kind_is_known_by_its_content(name: str) -> None:
    assert check_file(name.upper(), SOUND[name]) == FileKind(name.removeprefix("a."))


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("content", SOUND)
def test_the_content_is_what_the_name_says(name: str, content: str) -> None:
    if name != content:
        with pytest.raises(WrongAttachment, match="as its name says"):
            check_file(name, SOUND[content])


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.docm", "a.zip", "a", "a.pdf.exe", ".pdf.js"])
def test_no_other_kind(name: str) -> None:
    with pytest.raises(WrongAttachment, match="one of the kinds"):
        check_file(name, b"%PDF-1.7")


def test_macros_and_broken_archives_are_refused() -> None:
    macros = {"[Content_Types].xml": b"", "word/document.xml": b"", "word/vbaProject.bin": b"x"}
    packed = BytesIO()
    with ZipFile(packed, "w") as file:
        for part, content in macros.items():
            file.writestr(part, content)
    for wrong in (packed.getvalue(), SOUND["a.docx"][:60], b"PK\x03\x04"):
        with pytest.raises(WrongAttachment):
            check_file("a.docx", wrong)
    with pytest.raises(WrongAttachment, match="empty"):
        check_file("a.pdf", b"")


def test_the_largest_file_and_one_byte_more() -> None:
    assert check_file("a.pdf", b"%PDF-".ljust(LARGEST, b"x")) is FileKind.PDF
    with pytest.raises(TooLarge, match="1000001 bytes"):
        check_file("a.pdf", b"%PDF-".ljust(LARGEST + 1, b"x"))


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/plan.pdf", "plan.pdf"),
        ("C:\\temp\\plan.pdf", "plan.pdf"),
        ('a"b;\r\nc.pdf', "abc.pdf"),
        ("é.pdf", "é.pdf"),
    ],
)
def test_a_name_loses_folders_and_what_means_something_elsewhere(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@pytest.mark.parametrize("name", ["", "/", "..", "\n", "x" * 201])
def test_a_name_with_nothing_left_is_refused(name: str) -> None:
    with pytest.raises(WrongAttachment, match="200 characters"):
        clean_name(name)


@given(st.sampled_from(sorted(SOUND)), st.binary(max_size=200))
def test_any_bytes_are_answered_with_a_kind_or_a_refusal(name: str, noise: bytes) -> None:
    for content in (noise, SOUND[name][:4] + noise, SOUND[name] + noise):
        try:
            kind = check_file(name, content)
        except WrongAttachment:
            continue
        assert kind.value == name.removeprefix("a.")
