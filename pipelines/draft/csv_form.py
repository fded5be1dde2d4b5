"""The form of text files: delimiter and encoding, by their beginnings and the first byte that is no UTF-8."""

import codecs
import csv
import io
from collections.abc import Sequence
from typing import Any

from charset_normalizer import from_bytes

from pipelines.draft.texts import Text

DELIMITERS = (";", "\t", "|", ",")
"""Signs that may divide cells; on a tie the first wins, since a comma is also found inside of numbers and texts."""

BLOCK = 1 << 20
"""Bytes read at a time."""

MOST = 1 << 30
"""Bytes read of one file in search of the first that is no UTF-8."""

AROUND = 20_000
"""Bytes before and after that one, from which the encoding is told."""

LATIN = ("latin_1", "cp1252", "iso8859_15", "cp1250", "iso8859_2")
OTHER_ALPHABETS = ("cp1251", "koi8_r", "cp1253", "iso8859_7")
"""Encodings that text which is no Unicode is tried in; which of the Latin ones it is cannot be told for sure."""

LEAST_SENSE = 0.1
"""Coherence from which on text is taken to be in another alphabet."""

RECORDS = 50
"""Records from which the delimiter is told."""


def csv_options(texts: Sequence[Text]) -> tuple[dict[str, Any], dict[str, str]]:
    """Options that read most of the files, and why the other tables cannot be read with them, by table."""
    encodings = {t: encoding_of(t) for t in texts}
    common = max(encodings.values(), key=list(encodings.values()).count, default="utf-8")
    other = {t.table: _said(e, common) for t, e in encodings.items() if e != common}
    delimiters = {delimiter_of(t, common) for t in texts if t.table not in other}
    options = {"delimiter": delimiters.pop()} if len(delimiters) == 1 else {}
    return options | ({"encoding": common} if common != "utf-8" else {}), other


def _said(encoding: str, common: str) -> str:
    return (
        f"it is written in {encoding} and the other files in {common}, and a source has one encoding: deliver it in "
        f"{common}, or draft a plan of its own for it"
    )


def encoding_of(text: Text) -> str:
    """The name the reader has for the encoding of a file."""
    decoder, before, seen = codecs.getincrementaldecoder("utf-8")(), b"", 0
    with text.opened() as stream:
        while (block := stream.read(BLOCK)) and seen < MOST:
            if not seen and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-16"
            try:
                decoder.decode(block)
            except UnicodeDecodeError as failure:
                at = len(before) + failure.start
                return _other((before + block)[max(0, at - AROUND) :] + stream.read(AROUND))
            before, seen = block[-AROUND:], seen + len(block)
    return "utf-8"


def _other(piece: bytes) -> str:
    """An encoding of one byte a letter: Western European, unless the text makes sense in another alphabet only."""
    found = from_bytes(piece[: 2 * AROUND], cp_isolation=[*LATIN, *OTHER_ALPHABETS])
    sense = {match.encoding: match.coherence for match in found}
    latin = max((sense.get(e, 0.0) for e in LATIN), default=0.0)
    other = max(OTHER_ALPHABETS, key=lambda e: sense.get(e, 0.0))
    if sense.get(other, 0.0) > max(latin, LEAST_SENSE):
        return other.replace("_", "-")
    # bytes that are letters and quotation marks to Windows and control characters to Latin-1
    return "cp1252" if any(0x80 <= byte < 0xA0 for byte in piece) else "latin-1"


def delimiter_of(text: Text, encoding: str) -> str:
    """The delimiter that divides the first records into the same number of cells, more than one if any does."""
    with text.opened() as stream:
        beginning = stream.read(BLOCK).decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    return max(DELIMITERS, key=lambda d: _agreement(beginning, d))


def _agreement(text: str, delimiter: str) -> tuple[float, int]:
    """Share of records that have as many cells as the header, and how many these are; 0 if it divides nothing."""
    try:
        rows = [row for row, _ in zip(csv.reader(io.StringIO(text), delimiter=delimiter), range(RECORDS), strict=False)]
    except csv.Error:
        return 0.0, 0
    cells = len(rows[0]) if rows else 0
    if cells < 2:
        return 0.0, 0
    return sum(len(row) == cells for row in rows) / len(rows), cells
