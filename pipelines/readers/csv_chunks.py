"""CSV text that only streams: cut where records end, each piece parsed in memory by the engine.

One parser then reads every delivery, plain or packed, with the same meaning and the same words for what is wrong.
DuckDB reads pipes too, but either keeps all it read in memory or gives up on cells of several lines.
"""

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO

import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.readers.csv_dialect import Dialect
from pipelines.readers.failures import BadRow, too_long
from pipelines.readers.limits import MIB, Limits

CHUNK = 16 * MIB
"""Bytes parsed at a time."""

Parse = Callable[[memoryview, bool, int], pa.Table]


def utf_8_blocks(name: str, stream: BinaryIO, dialect: Dialect) -> Iterator[bytes]:
    """The stream as UTF-8 in blocks, however it is encoded; raises SourceError with the place of a wrong byte."""
    blocks = iter(lambda: stream.read(MIB * 4), b"")
    seen = 0
    for block in blocks if dialect.is_utf_8 else _transcoded(name, blocks, dialect.encoding):
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


def cuts(data: bytes, dialect: Dialect, limits: Limits) -> list[int]:
    """Where `data`, which begins with a record, can be cut after a record: the likeliest place first.

    An end of line inside of quotes is none. Quotes tell inside from outside by being even or odd, unless an unquoted
    cell holds one; then the other reading is right. A wrong cut is always noticed: it leaves a quote open.
    """
    end = b"\n" if b"\n" in data else b"\r"
    found = [_last_end(data, end, dialect.quote.encode(), odd) for odd in (0, 1)]
    return [cut for cut in found if cut and len(data) - cut <= limits.row_bytes]


def _last_end(data: bytes, end: bytes, quote: bytes, odd: int) -> int:
    cut = data.rfind(end) + 1
    if not quote:
        return 0 if odd else cut
    inside = data.count(quote, 0, cut) % 2
    while cut and inside != odd:
        before = data.rfind(end, 0, max(data.rfind(quote, 0, cut), 0)) + 1
        inside = (inside + data.count(quote, before, cut)) % 2
        cut = before
    return cut


def parsed(
    part: str, blocks: Iterator[bytes], headed: bool, dialect: Dialect, limits: Limits, parse: Parse
) -> Iterator[pa.Table]:
    """The text piece by piece as `parse` reads it; raises BadRow with the row's place in the whole text.

    `parse` is given complete records, whether a header comes first, and the number of rows before them.
    """
    rest, rows = b"", 0
    for block, is_last in _with_last(_gathered(blocks, max(CHUNK, 2 * limits.row_bytes))):
        data = rest + block
        places = [len(data)] if is_last else cuts(data, dialect, limits)
        try:
            table, cut = _first_parsed(data, places or [len(data)], headed, rows, parse)
        except BadRow as failure:
            raise failure.after(rows) from None
        if not places:
            raise BadRow(part, None, too_long(limits))
        yield table
        rest, rows, headed = data[cut:], rows + table.num_rows, False


def _first_parsed(data: bytes, places: list[int], headed: bool, rows: int, parse: Parse) -> tuple[pa.Table, int]:
    failures = []
    for cut in places:
        try:
            return parse(memoryview(data)[:cut], headed, rows), cut
        except BadRow as failure:
            failures.append(failure)
    # a wrong cut fails at its end, after the row that is wrong in itself
    raise min(failures, key=lambda f: f.row or 0)


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
