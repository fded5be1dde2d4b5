"""The store's reader: exactly the opened columns of exactly one bucket, and nothing else on the machine."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.errors import NotInSnapshot, SnapshotNotFound, StoreDamaged, StoreError
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.pseudonyms import bucket_of
from pipelines.store.reader import Rows, Store, _Excluded
from pipelines.store.record import from_json, to_json
from pipelines.store.writer import make_current
from tests.unit.pipelines.deliveries import PLAN, write_clinic, write_plan

COLUMNS = frozenset({("clinic", "stay", "ward"), ("clinic", "person", ""), ("clinic", "ward", "name")})


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, dict[str, str]]:
    """Two datasets of the same pseudonymisation domain: one with eight buckets, one with two."""
    folder = tmp_path_factory.mktemp("node")
    write_clinic(folder)
    store, keys = Store(folder / "store"), Keystore(folder / "keys")
    fine = ingest(load_plan(write_plan(folder)), store, keys, validate=False, bucket_rows=1)
    other = PLAN.replace('id = "clinic"', 'id = "other-clinic"')
    coarse = ingest(load_plan(write_plan(folder, other)), store, keys, validate=False, bucket_rows=3)
    return store, {"clinic": fine.snapshot.id, "other-clinic": coarse.snapshot.id}


@pytest.fixture
def rows(node: tuple[Store, dict[str, str]]) -> Iterator[Rows]:
    store, snapshots = node
    with store.open({"clinic": snapshots["clinic"]}, COLUMNS) as opened:
        yield opened


def total(rows: Rows, query: str) -> int:
    return sum(rows.scan(query, bucket).column(0)[0].as_py() for bucket in range(rows.buckets))


def test_buckets_add_up_to_the_table(rows: Rows) -> None:
    assert rows.buckets == 8
    assert total(rows, 'SELECT count(*) FROM "clinic"."stay"') == 5
    assert total(rows, 'SELECT count(*) FROM "clinic"."person"') == 4


def test_joins_on_the_person_stay_within_a_bucket(rows: Rows) -> None:
    assert total(rows, 'SELECT count(*) FROM "clinic"."stay" JOIN "clinic"."person" USING (person_key)') == 5


def test_lookup_tables_are_whole_in_every_bucket(rows: Rows) -> None:
    assert [rows.scan('SELECT count(*) FROM "clinic"."ward"', b).column(0)[0].as_py() for b in range(8)] == [3] * 8


def test_types_hold_where_a_bucket_is_empty(rows: Rows) -> None:
    schemas = {str(rows.scan('SELECT ward, person_key, row_rank FROM "clinic"."stay"', b).schema) for b in range(8)}
    assert len(schemas) == 1


@pytest.mark.parametrize(
    "query",
    [
        'SELECT cost FROM "clinic"."stay"',
        'SELECT sex FROM "clinic"."person"',
        'SELECT code FROM "clinic"."ward"',
        'SELECT person_bucket FROM "clinic"."stay"',
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM duckdb_secrets() WHERE getenv('HOME') = ''",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "ATTACH '/tmp/other.duckdb' AS other",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "RESET lock_configuration",
    ],
)
def test_nothing_else_can_be_read_written_or_changed(rows: Rows, query: str) -> None:
    with pytest.raises(StoreError) as caught:
        rows.scan(query, 0)
    assert "passwd" not in str(caught.value)


def test_other_files_of_the_store_cannot_be_read(node: tuple[Store, dict[str, str]], rows: Rows) -> None:
    store, _ = node
    record = next(store.root.glob("clinic/_snapshots/*.json"))
    other = next(store.root.glob("other-clinic/stay/*/*.parquet"))
    for query in (f"SELECT * FROM read_text('{record}')", f"SELECT * FROM read_parquet('{other}')"):
        with pytest.raises(StoreError):
            rows.scan(query, 0)
    opened = next(store.root.glob("clinic/stay/*/*.parquet"))
    with pytest.raises(StoreError):
        rows.scan(f"COPY (SELECT 1 AS a) TO '{opened}' (FORMAT parquet)", 0)


def test_errors_say_nothing_of_the_data(rows: Rows) -> None:
    with pytest.raises(StoreError) as caught:
        total(rows, 'SELECT coalesce(sum(CAST(ward AS INTEGER)), 0) FROM "clinic"."stay"')
    assert "CARD" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_lookups_are_joined_by_name_and_gone_after(rows: Rows) -> None:
    bands = pa.table({"code": ["CARD", "NEUR"], "band": [1, 2]})
    query = 'SELECT count(*) FROM "clinic"."stay" JOIN bands ON bands.code = ward'
    assert sum(rows.scan(query, b, {"bands": bands}).column(0)[0].as_py() for b in range(8)) == 4
    with pytest.raises(StoreError):
        rows.scan("SELECT * FROM bands", 0)


def test_excluded_persons_are_not_there(node: tuple[Store, dict[str, str]]) -> None:
    store, snapshots = node
    with store.open(snapshots, COLUMNS) as rows:
        pairs = [rows.scan('SELECT person_key FROM "clinic"."stay"', b).column(0).to_pylist() for b in range(2)]
    keys = [key for bucket in pairs for key in bucket]
    anna = max(set(keys), key=keys.count)
    with store.open(snapshots, COLUMNS, excluded=dict.fromkeys(snapshots, frozenset({anna, 12345, -1}))) as rows:
        assert total(rows, 'SELECT count(*) FROM "clinic"."stay"') == 2
        assert total(rows, 'SELECT count(*) FROM "clinic"."person"') == 3
        assert rows.scan('SELECT count(*) FROM "clinic"."ward"', 0).column(0)[0].as_py() == 3


def test_a_person_is_excluded_from_the_dataset_named_and_no_other(node: tuple[Store, dict[str, str]]) -> None:
    """The same number in another domain is somebody else."""
    store, snapshots = node
    columns = frozenset((dataset, table, "") for dataset in snapshots for table in ("stay", "person"))
    persons = {name: f'SELECT person_key FROM "{name}"."person"' for name in snapshots}
    with store.open(snapshots, columns) as rows:
        everyone = rows.scan(persons["clinic"], None).column(0).to_pylist()
    for gone in ([everyone[0]], everyone[:2], everyone):
        for keys in (gone, np.array(gone[::-1], np.int64)):
            with store.open(snapshots, columns, {"clinic": keys}) as rows:
                apart = [k for b in range(rows.buckets) for k in rows.scan(persons["clinic"], b).column(0).to_pylist()]
                assert sorted(apart) == sorted(set(everyone) - set(gone))
                assert sorted(rows.scan(persons["clinic"], None).column(0).to_pylist()) == sorted(apart)
                assert total(rows, 'SELECT count(*) FROM "other-clinic"."person"') == 4
                joined = 'SELECT count(*) FROM "clinic"."person" JOIN "other-clinic"."person" USING (person_key)'
                assert total(rows, joined) == 4 - len(gone)


def test_the_excluded_persons_cannot_be_read(node: tuple[Store, dict[str, str]]) -> None:
    store, snapshots = node
    with store.open(snapshots, COLUMNS, {"clinic": [1, 2, 3]}) as rows, pytest.raises(StoreError):
        rows.scan("SELECT * FROM excluded_keys", None)


def test_an_empty_list_of_persons_excludes_nobody(node: tuple[Store, dict[str, str]]) -> None:
    store, snapshots = node
    with store.open(snapshots, COLUMNS, {"clinic": np.empty(0, np.int64), "other-clinic": ()}) as rows:
        assert total(rows, 'SELECT count(*) FROM "clinic"."person"') == 4


def test_the_edges_of_the_buckets(node: tuple[Store, dict[str, str]]) -> None:
    """Keys at both ends of the signed and of the unsigned numbers fall where `bucket_of` says."""
    keys = [0, 1, -1, 2**63 - 1, -(2**63), 2**61, 2**61 - 1, -(2**61), -(2**61) - 1]
    for buckets in (1, 2, 8, 64):
        excluded = _Excluded(keys, buckets)
        for bucket in range(buckets):
            assert sorted(excluded.of(bucket)) == sorted(key for key in keys if bucket_of(key, buckets) == bucket)
        assert sorted(excluded.of(None)) == sorted(keys)


def test_datasets_of_different_bucket_counts_meet_in_the_coarser_buckets(node: tuple[Store, dict[str, str]]) -> None:
    store, snapshots = node
    columns = frozenset({("clinic", "stay", ""), ("other-clinic", "stay", "")})
    with store.open(snapshots, columns) as rows:
        assert rows.buckets == 2
        assert total(rows, 'SELECT count(*) FROM "clinic"."stay"') == 5
        # three rows of one person meet three, the two others meet themselves
        joined = 'SELECT count(*) FROM "clinic"."stay" JOIN "other-clinic"."stay" USING (person_key)'
        assert total(rows, joined) == 9 + 1 + 1


def test_scans_from_several_threads_do_not_meet(rows: Rows) -> None:
    query = 'SELECT count(*) FROM "clinic"."stay"'
    expected = [rows.scan(query, b).column(0)[0].as_py() for b in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda b: rows.scan(query, b).column(0)[0].as_py(), list(range(8)) * 5))
    assert found == expected * 5


def test_what_is_not_there_is_told(node: tuple[Store, dict[str, str]], rows: Rows) -> None:
    store, snapshots = node
    for triple in (("clinic", "stay", "height"), ("clinic", "death", ""), ("elsewhere", "stay", "")):
        with pytest.raises(NotInSnapshot):
            store.open({"clinic": snapshots["clinic"]}, frozenset({triple}))
    for dataset, snapshot in (("clinic", "0" * 16), ("nowhere", "0" * 16), ("clinic", "../../clinic"), ("..", "x")):
        with pytest.raises(SnapshotNotFound):
            store.snapshot(dataset, snapshot)
    with pytest.raises(SnapshotNotFound):
        store.current("nowhere")
    with pytest.raises(ValueError, match="bucket 8"):
        rows.scan("SELECT 1", 8)


def test_an_older_snapshot_stays_readable(tmp_path: Path) -> None:
    store, keys = Store(tmp_path / "store"), Keystore(tmp_path / "keys")
    snapshots = []
    for count in (5, 3, 4):
        write_clinic(tmp_path, stays=[("AB1", "2020-01-01", "CARD", str(n), "1") for n in range(count)])
        snapshots.append(ingest(load_plan(write_plan(tmp_path)), store, keys, validate=False).snapshot.id)
    counts = []
    for snapshot in snapshots:
        with store.open({"clinic": snapshot}, frozenset({("clinic", "stay", "")})) as rows:
            counts.append(total(rows, 'SELECT count(*) FROM "clinic"."stay"'))
    assert counts == [5, 3, 4]
    make_current(store.folder("clinic"), snapshots[0])
    assert store.current("clinic").id == snapshots[0]


def test_a_record_reads_back_as_it_was_written(node: tuple[Store, dict[str, str]]) -> None:
    store, snapshots = node
    snapshot = store.snapshot("clinic", snapshots["clinic"])
    assert from_json(to_json(snapshot), "record") == snapshot
    for text in (
        "",
        "{}",
        '{"format": 1}',
        '{"format": 99}',
        to_json(replace(snapshot, buckets=8)).replace('"key"', '"k"'),
    ):
        with pytest.raises(StoreDamaged):
            from_json(text, "record")


def test_a_record_from_before_the_spelling_was_kept_says_that_it_does_not_know(
    node: tuple[Store, dict[str, str]],
) -> None:
    store, snapshots = node
    snapshot = store.snapshot("clinic", snapshots["clinic"])
    assert snapshot.key.normalise == ("no-spaces", "upper")
    content = json.loads(to_json(snapshot))
    del content["key"]["normalise"]
    old = from_json(json.dumps(content), "record")
    assert old == replace(snapshot, key=replace(snapshot.key, normalise=None))
    assert from_json(to_json(old), "record") == old


def test_all_buckets_at_once_are_the_buckets_together(rows: Rows) -> None:
    query = 'SELECT person_key, row_rank FROM "clinic"."stay"'
    together = sorted(map(tuple, (row.values() for row in rows.scan(query, None).to_pylist())))
    apart = [tuple(row.values()) for bucket in range(rows.buckets) for row in rows.scan(query, bucket).to_pylist()]
    assert together == sorted(apart)
    assert together
