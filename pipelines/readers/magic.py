"""What a file really is, by its first bytes, whatever its name says."""

from pipelines.errors import SourceError

MAGIC = (
    (b"PAR1", "Parquet"), (b"SQLite format 3\0", "SQLite"), (b"PK\x03\x04", "zip (or a spreadsheet)"),
    (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf", "7-Zip"), (b"\xd0\xcf\x11\xe0", "an old spreadsheet"), (b"%PDF", "PDF"), (b"{\\rtf", "RTF"),
    (b"ARROW1", "Arrow"), (b"Obj\x01", "Avro"), (b"\x7fELF", "a program"),
)  # fmt: skip

MARKUP = ((b"<!doctype html", "HTML"), (b"<html", "HTML"), (b"<?xml", "XML"))

BEGINNING = 64
"""Bytes that are enough to tell."""


def kind(beginning: bytes) -> str | None:
    """The kind of file these first bytes belong to, None if they are of no kind known here: text, for one."""
    if beginning[8:12] == b"DUCK":
        return "DuckDB"
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    known = (name for magic, name in MAGIC if beginning.startswith(magic))
    markup = (name for magic, name in MARKUP if text.startswith(magic))
    return next(known, None) or next(markup, None)


def check_kind(name: str, beginning: bytes, wanted: str | None, called: str) -> None:
    """Raise SourceError unless the file is of the `wanted` kind (None: plain text); `called` is its kind in words."""
    found = kind(beginning)
    if found != wanted:
        really = f"It begins as {found}" if found else "It does not begin as one"
        raise SourceError(f"{name}: this is no {called} file. {really}. Name it after what it is, or deliver it again.")
