"""The form of text files: delimiter and encoding, by their beginnings and the first byte that is no UTF-8."""

import codecs
import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from charset_normalizer import from_bytes

from pipelines.errors import SourceError
from pipelines.readers.csv_files import DELIMITERS, ENCODINGS

BLOCK = 1 << 20
"""Bytes read at a time."""

AROUND = 20_000
"""Bytes before and after the first one that is no UTF-8, from which the encoding is told."""

RECORDS = 50
"""Records from which the delimiter is told."""


def csv_options(files: Sequence[Path]) -> dict[str, Any]:
    """Options that read all files; raises SourceError if no single choice does."""
    encodings = {f: encoding_of(f) for f in files}
    chosen = sorted(set(encodings.values()))
    if len(chosen) > 1:
        common = max(chosen, key=list(encodings.values()).count)
        others = ", ".join(f.name for f, e in encodings.items() if e != common)
        raise SourceError(
            f"The files are in several encodings ({', '.join(chosen)}), and a source has one. "
            f"Draft a plan of its own for {others}, or deliver it in {common}."
        )
    delimiters = {delimiter_of(f, encodings[f]) for f in files}
    options = {"delimiter": delimiters.pop()} if len(delimiters) == 1 else {}
    return options | ({"encoding": chosen[0]} if chosen and chosen[0] != "utf-8" else {})


def encoding_of(file: Path) -> str:
    """The name the reader has for the file's encoding."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    before = b""
    with opened(file) as stream:
        while block := stream.read(BLOCK):
            if not before and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-16"
            try:
                decoder.decode(block)
            except UnicodeDecodeError as failure:
                at = len(before) + max(0, failure.start)
                return _other((before + block)[max(0, at - AROUND) :] + stream.read(AROUND))
            before = block[-AROUND:]
    return "utf-8"


def _other(piece: bytes) -> str:
    best = from_bytes(piece[: 2 * AROUND]).best()
    named = codecs.lookup(best.encoding).name if best else "latin-1"
    known = next((ours for ours, name in ENCODINGS.items() if codecs.lookup(name).name == named), None)
    # the engine reads Windows' Western set as Latin-1: they differ in signs that no code has
    return known if known and known != "utf-8" else "latin-1"


def delimiter_of(file: Path, encoding: str) -> str:
    """The delimiter that divides the first records into the same number of cells, more than one if any does."""
    with opened(file) as stream:
        text = stream.read(BLOCK).decode(ENCODINGS[encoding], errors="replace")
    return max(DELIMITERS, key=lambda d: _agreement(text, d))


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


def opened(file: Path) -> BinaryIO:
    """The file's bytes, unpacked if it is compressed; raises SourceError."""
    try:
        return cast(BinaryIO, gzip.open(file, "rb") if file.name.lower().endswith(".gz") else file.open("rb"))
    except OSError:
        raise SourceError(f"{file}: the file cannot be read.") from None
