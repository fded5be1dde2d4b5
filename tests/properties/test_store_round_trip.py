"""Whatever is delivered comes out again: the same multiset of rows, sorted, in its bucket, the same bytes twice."""

import tempfile
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.pseudonyms import Pseudonymiser, bucket_of
from pipelines.store.files import RowRanks
from pipelines.store.reader import Store
from pipelines.store.verify import verify

PLAN = """
[dataset]
id = "events"
title = "Events"
[source]
format = "parquet"
location = "events.parquet"
[pseudonyms]
domain = "tests"
[quarantine]
threshold = 1
[tables.events]
kind = "events"
person = "who"
[tables.events.columns.number]
type = "integer"
[tables.events.columns.share]
type = "decimal"
step = 0.25
[tables.events.columns.day]
type = "date"
[tables.events.columns.code]
type = "code"
"""

CODE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=5)
ROW = st.tuples(
    st.one_of(st.none(), st.sampled_from("abcdefgh")),
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    st.one_of(st.none(), st.integers(-(2**40), 2**40).map(lambda n: n / 4)),
    st.one_of(st.none(), st.dates(min_value=date(1000, 1, 1))),
    st.one_of(st.none(), CODE),
)


def delivery(rows: list[tuple[object, ...]], file: Path) -> None:
    types = [pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.string()]
    names = ["who", "number", "share", "day", "code"]
    columns = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(types)]
    pq.write_table(pa.table(dict(zip(names, columns, strict=True))), file)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROW, max_size=60), st.sampled_from([1, 4, 1000]))
def test_load_then_read_gives_the_same_multiset(rows: list[tuple[object, ...]], bucket_rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        delivery(rows, folder / "events.parquet")
        (folder / "events.toml").write_text(PLAN, encoding="utf-8")
        store, keys = Store(folder / "store"), Keystore(folder / "keys")
        plan = load_plan(folder / "events.toml")
        snapshot = ingest(plan, store, keys, validate=False, bucket_rows=bucket_rows).snapshot
        person = Pseudonymiser(keys.key("tests", purpose="test"))
        expected = Counter((person.person_key(str(r[0])), *r[1:]) for r in rows if r[0] is not None)
        stored = snapshot.table["events"]
        assert stored.quarantined == sum(r[0] is None for r in rows)
        found: Counter[tuple[object, ...]] = Counter()
        for file in stored.files:
            read = pq.read_table(store.root / "events" / "events" / file.path).to_pylist()
            order = [(r["person_key"], r["row_rank"]) for r in read]
            assert order == sorted(order)
            assert {bucket_of(key, snapshot.buckets) for key, _ in order} == {file.bucket}
            for key in {key for key, _ in order}:
                ranks = [rank for k, rank in order if k == key]
                assert ranks == list(range(1, len(ranks) + 1))
            found.update((r["person_key"], r["number"], r["share"], r["day"], r["code"]) for r in read)
        assert found == expected
        assert verify(store, "events", snapshot.id) == []
        # another order of delivery is the same content
        delivery(list(reversed(rows)), folder / "events.parquet")
        assert ingest(plan, store, keys, validate=False, bucket_rows=bucket_rows).snapshot.id == snapshot.id


@given(st.lists(st.integers(0, 5), max_size=40).map(sorted), st.lists(st.integers(0, 40), max_size=5))
def test_row_ranks_do_not_depend_on_batch_borders(keys: list[int], cuts: list[int]) -> None:
    whole = RowRanks().of(pa.array(keys, pa.int64()).to_numpy()).tolist()
    borders = [0, *sorted(c for c in cuts if c <= len(keys)), len(keys)]
    ranks = RowRanks()
    parts = [ranks.of(pa.array(keys[a:b], pa.int64()).to_numpy()).tolist() for a, b in pairwise(borders)]
    assert [r for part in parts for r in part] == whole
    assert whole == [keys[: i + 1].count(k) for i, k in enumerate(keys)]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROW, min_size=1, max_size=30), st.sampled_from("abcdefgh"))
def test_a_persons_rows_do_not_depend_on_other_persons(rows: list[tuple[object, ...]], gone: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "events.toml").write_text(PLAN, encoding="utf-8")
        store, keys = Store(folder / "store"), Keystore(folder / "keys")
        key = Pseudonymiser(keys.key("tests", purpose="test")).person_key(gone)
        seen = []
        for kept in (rows, [r for r in rows if r[0] != gone]):
            delivery(kept, folder / "events.parquet")
            table = ingest(load_plan(folder / "events.toml"), store, keys, validate=False).snapshot.table["events"]
            files = [str(store.root / "events" / "events" / f.path) for f in table.files]
            read = (
                duckdb.sql(f"SELECT * FROM read_parquet({files}, hive_partitioning=false)").fetchall() if files else []
            )
            seen.append([r for r in read if r[-2] != key])
        assert seen[0] == seen[1]
