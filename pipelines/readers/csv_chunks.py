"""CSV text as a stream: cut where records end, each piece parsed in memory by the engine.

One parser then reads every delivery, plain or packed, with the same meaning and the same words for what is wrong.
DuckDB reads pipes too, but either keeps all it read in memory or gives up on cells of several lines. Each piece is
between two records of our own: the first shows the engine how lines end, and if the last does not come back, a quote
was left open before it, which the engine would not tell.
"""

from codecs import BOM_UTF8, getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import RawIOBase
from itertools import chain
from secrets import token_hex
from typing import BinaryIO

import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.readers.csv_dialect import Dialect, Header
from pipelines.readers.failures import OPEN_QUOTE, BadRow, too_long
from pipelines.readers.limits import MIB, Limits
from pipelines.readers.memory_files import memory_file
from pipelines.readers.parts import Part
from pipelines.readers.streams import damage_told

CHUNK = 16 * MIB
"""Bytes parsed at a time."""

BLOCK = 4 * MIB
"""Bytes decoded at a time."""

OURS = token_hex(16)
"""What the cells of our own records hold."""

Parse = Callable[[str, int], pa.Table]
"""Parses the text at a path, whose first record is no data; raises BadRow for rows counted without so many headers."""


def utf_8_blocks(name: str, stream: BinaryIO | RawIOBase, dialect: Dialect) -> Iterator[bytes]:
    """The stream as UTF-8 in blocks, however it is encoded; raises SourceError with the place of a wrong byte."""
    blocks = iter(lambda: stream.read(BLOCK) or b"", b"")
    seen = 0
    for block in _without_mark(blocks) if dialect.is_utf_8 else _transcoded(name, blocks, dialect.encoding):
        nul = block.find(b"\0")
        if nul >= 0:
            raise nul_error(name, seen + nul)
        seen += len(block)
        yield block


def nul_error(name: str, place: int) -> SourceError:
    """A NUL byte in a text: the file is damaged, or not what it is said to be."""
    return SourceError(
        f"{name}: there is a NUL byte at position {place + 1:,}. Export it again; if it is UTF-16, set `encoding`."
    )


def has_long_cells(part: Part, quote: str) -> bool:
    """True if a quote in a plain file is still open where a line ends: cells of several lines, perhaps.

    Raises SourceError if there is a NUL byte. Memory speed without quotes, about 1 GB/s with them.
    """
    marks = quote.encode()
    others = bytes(set(range(256)) - set(marks + b"\r\n"))
    with damage_told(part.name), part.file.open("rb", buffering=0) as stream:
        rest = b""
        for block in utf_8_blocks(part.name, stream, Dialect()):
            if marks and (rest or marks in block):
                kept = rest + block.translate(None, others).replace(b"\r", b"\n")
                lines, end, rest = kept.rpartition(b"\n")
                if marks in (lines + end).replace(marks + marks, b""):
                    return True
    return bool(marks) and marks in rest.replace(marks + marks, b"")


@dataclass(frozen=True)
class Pieces:
    """Parses a text piece by piece: `parse` does it for one, given as a path."""

    part: str
    header: Header
    dialect: Dialect
    limits: Limits
    parse: Parse

    def tables(self, blocks: Iterator[bytes]) -> Iterator[pa.Table]:
        """The rows of the text; raises BadRow with the row's place in the whole text."""
        rest, rows, headed = b"", 0, self.header.lines > 0
        for block, is_last in _with_last(_gathered(blocks, max(CHUNK, 2 * self.limits.row_bytes))):
            data = rest + block
            try:
                table, cut = self._first_parsed(data, [len(data)] if is_last else self.cuts(data), headed)
            except BadRow as failure:
                raise failure.after(rows) from None
            yield table
            rest, rows, headed = data[cut:], rows + table.num_rows, False

    def cuts(self, data: bytes) -> Iterator[int]:
        """Where `data`, which begins with a record, can be cut after a record: the likeliest place first.

        An end of line inside of quotes is none. Quotes tell inside from outside by being even or odd, unless an
        unquoted cell holds one; then the other reading is right. A wrong cut leaves a quote open, and is noticed.
        """
        end, quote = self.header.end.encode(), self.dialect.quote.encode()
        least = max(0, len(data) - self.limits.row_bytes)
        return filter(None, (_last_end(data, end, quote, odd, least) for odd in (0, 1)))

    def _first_parsed(self, data: bytes, places: Iterable[int], headed: bool) -> tuple[pa.Table, int]:
        failures = []
        for cut in places:
            try:
                return self._parsed(data[:cut], headed), cut
            except BadRow as failure:
                failures.append(failure)
        if not failures:
            # no record ends where one must: the engine tells which it is
            self._parsed(data, headed)
            failures = [BadRow(self.part, None, too_long(self.limits))]
        # a wrong cut fails at its end, after the row that is wrong in itself
        raise min(failures, key=lambda f: f.row or 0)

    def _parsed(self, data: bytes, headed: bool) -> pa.Table:
        end = self.header.end.encode()
        frame = self.header.delimiter.join([OURS] * len(self.header.names)).encode() + end
        with memory_file([frame, data, b"" if data.endswith(end) or not data else end, frame]) as path:
            table = self.parse(path, 1 + headed)
        if not table.num_rows or table.column(0)[-1].as_py() != OURS:
            raise BadRow(self.part, table.num_rows + 1 - headed, OPEN_QUOTE)
        return table.slice(int(headed), table.num_rows - 1 - headed)


def _last_end(data: bytes, end: bytes, quote: bytes, odd: int, least: int) -> int:
    """The place after the last end of line with an even (or odd) number of quotes before it; 0 if none is in reach."""
    cut = data.rfind(end) + len(end) if end in data else 0
    if not quote:
        return 0 if odd else cut
    inside = data.count(quote, 0, cut) % 2
    while cut > least and inside != odd:
        found = data.rfind(end, 0, max(data.rfind(quote, 0, cut), 0))
        before = found + len(end) if found >= 0 else 0
        inside = (inside + data.count(quote, before, cut)) % 2
        cut = before
    return cut if cut > least and inside == odd else 0


def _gathered(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    waiting: list[bytes] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= size:
            yield b"".join(waiting)
            waiting = []
    yield b"".join(waiting)


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    before = next(blocks)
    for block in blocks:
        yield before, False
        before = block
    yield before, True


def _without_mark(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """UTF-8 without the byte order mark."""
    yield next(blocks, b"").removeprefix(BOM_UTF8)
    yield from blocks


def _transcoded(name: str, blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = getincrementaldecoder(encoding)()
    fed = 0
    for block, is_last in _with_last(chain(blocks, [b""])):
        try:
            text = decoder.decode(block, is_last)
        except UnicodeDecodeError as failure:
            place = fed + len(block) - len(failure.object) + failure.start
            raise SourceError(
                f"{name}: the byte at position {place + 1:,} is not in the encoding {encoding}. Set `encoding` in the "
                "plan, or write the file in one encoding."
            ) from None
        yield text.removeprefix("\ufeff").encode() if not fed else text.encode()
        fed += len(block)
