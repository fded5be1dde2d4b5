"""Identifiers of one piece are spelled and named alike by the short way and by the one that all others take."""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.quality import matching

PIECES = st.text("abzABZ0189", min_size=1, max_size=20)
NIRS = st.from_regex(r"[12][0-9]{4}(2[abAB]|[0-9]{2})[0-9]{8}", fullmatch=True)


@given(st.lists(PIECES | NIRS, min_size=1, max_size=20))
@example(["123456", "1234567890123", "abcdef", "abc123", "ABCDE", "185057800608436", "1850578006084ab"])
def test_both_ways_give_the_same_forms(identifiers: list[str]) -> None:
    batch = pa.record_batch([pa.array(identifiers)], ["identifier"])
    assert pc.all(pc.ascii_is_alnum(batch.column(0))).as_py()
    with duckdb.connect() as connection:

        def forms(rows: pa.RecordBatch, query: str) -> list[tuple[object, ...]]:
            connection.register("delivered", rows)
            return sorted(connection.execute(f"SELECT DISTINCT * FROM ({query})").fetchall())

        assert forms(matching._kinds(batch), matching.PLAIN_FORMS) == forms(batch, matching.FORMS)
