"""A delivery that adds to the current snapshot: new rows, newer persons, mended rows; and what it may not add to."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipelines.addition import Mode
from pipelines.errors import AlreadyLoaded, CannotAdd, SnapshotNotFound
from pipelines.ingest import IngestReport, ingest
from pipelines.keystore import Keystore, Rotation
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store
from pipelines.store.verify import verify
from tests.unit.pipelines.deliveries import PERSONS, PLAN, STAYS, WARDS, write_clinic, write_plan

Load = Callable[..., IngestReport]
Rows = list[tuple[str, ...]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def load(tmp_path: Path, store: Store) -> Load:
    def run(mode: Mode = Mode.REPLACE, plan: str = PLAN, bucket_rows: int = 2_000_000, **tables: Rows) -> IngestReport:
        write_clinic(tmp_path, **tables)
        return ingest(
            load_plan(write_plan(tmp_path, plan)), store, Keystore(tmp_path / "keys"), mode=mode, validate=False,
            bucket_rows=bucket_rows,
        )  # fmt: skip

    return run


def rows_of(store: Store, table: str, columns: str) -> list[tuple[object, ...]]:
    stored = store.current("clinic").table[table]
    files = [str(store.root / "clinic" / table / f.path) for f in stored.files]
    return duckdb.sql(f"SELECT {columns} FROM read_parquet({files}, hive_partitioning=false) ORDER BY ALL").fetchall()


MORE: Rows = [("AB4", "2023-01-01", "CARD", "7", "2"), ("AB1", "2023-02-01", "NEUR", "8", "1")]
NEW_PERSON = ("AB5", "Emma Escoffier", "1990-05-05", "F")


@pytest.mark.parametrize("bucket_rows", [2_000_000, 2])
def test_added_rows_stand_beside_the_stored_ones_as_if_delivered_together(
    load: Load, store: Store, tmp_path: Path, bucket_rows: int
) -> None:
    load(stays=STAYS, bucket_rows=bucket_rows)
    report = load(Mode.APPEND, persons=[NEW_PERSON], stays=MORE, bucket_rows=bucket_rows)
    content = "person_key, row_rank, CAST(day AS VARCHAR), ward, cost, nights"
    added, persons = rows_of(store, "stay", content), rows_of(store, "person", "person_key, sex, year_of_birth")
    assert report.snapshot.table["stay"].rows == report.snapshot.table["stay"].delivered == len(STAYS) + len(MORE)
    assert verify(store, "clinic", report.snapshot.id) == []
    together = load(persons=[*PERSONS, NEW_PERSON], stays=[*STAYS, *MORE], bucket_rows=bucket_rows)
    assert rows_of(store, "stay", content) == added
    assert rows_of(store, "person", "person_key, sex, year_of_birth") == persons
    assert together.snapshot.buckets >= report.snapshot.buckets


def test_a_persons_newer_row_takes_the_place_of_the_stored_one(load: Load, store: Store) -> None:
    load()
    load(Mode.APPEND, persons=[("AB1", "Anna Archambault", "1951-03-01", "F")], stays=[])
    assert rows_of(store, "person", "year_of_birth") == [(1951,), (1960,), (1971,), (1980,)]
    assert len(rows_of(store, "stay", "day")) == len(STAYS)


def test_two_newer_rows_of_a_person_are_set_aside_and_the_stored_one_stands(load: Load, store: Store) -> None:
    load()
    twice = [("AB1", "A", "1951-03-01", "F"), ("AB1", "A", "1952-03-01", "F"), ("AB2", "B", "1961-01-01", "M")]
    report = load(Mode.APPEND, plan=PLAN.replace("threshold = 0.5", "threshold = 0.9"), persons=twice, stays=[])
    assert rows_of(store, "person", "year_of_birth") == [(1950,), (1961,), (1971,), (1980,)]
    assert report.snapshot.table["person"].quarantined == 2


def test_buckets_without_new_rows_stay_the_files_they_are(load: Load, store: Store) -> None:
    before = load(bucket_rows=1).snapshot
    after = load(Mode.APPEND, persons=[], stays=MORE[:1], bucket_rows=1).snapshot
    assert after.buckets == before.buckets
    kept = {f.sha256 for f in before.table["stay"].files} & {f.sha256 for f in after.table["stay"].files}
    assert len(kept) >= len(before.table["stay"].files) - 1
    assert {f.sha256 for f in after.table["person"].files} == {f.sha256 for f in before.table["person"].files}
    assert verify(store, "clinic", before.id) == verify(store, "clinic", after.id) == []


def test_a_table_that_is_not_delivered_stays_as_it_was(load: Load, store: Store, tmp_path: Path) -> None:
    load()
    (tmp_path / "clinic.duckdb").unlink()
    with duckdb.connect(str(tmp_path / "clinic.duckdb")) as connection:
        connection.execute("CREATE TABLE stay AS SELECT 'AB2' AS person_id, '2024-01-01' AS day, 'NEUR' AS ward,"
                           " '1' AS cost, '1' AS nights")  # fmt: skip
    plan = load_plan(write_plan(tmp_path))
    report = ingest(plan, store, Keystore(tmp_path / "keys"), mode=Mode.APPEND, validate=False)
    assert report.snapshot.table["stay"].rows == len(STAYS) + 1
    assert report.snapshot.table["person"].rows == len(PERSONS)
    assert report.snapshot.table["ward"].rows == len(WARDS)


def test_mended_rows_leave_the_quarantine(load: Load, store: Store) -> None:
    bad: Rows = [("AB2", "2021-13-45", "NEUR", "2", "1"), ("AB9", "2021-01-01", "NEUR", "2", "1")]
    first = load(stays=[*STAYS, *bad])
    assert first.snapshot.table["stay"].quarantined == 2
    mended = load(Mode.CORRECT, persons=[], stays=[("AB2", "2021-12-15", "NEUR", "2", "1")])
    stay = mended.snapshot.table["stay"]
    assert (stay.delivered, stay.rows, stay.quarantined) == (len(STAYS) + 2, len(STAYS) + 1, 1)
    assert stay.reasons == first.snapshot.table["stay"].reasons
    assert stay.note == "1 rows of the quarantine have been mended"


def test_the_same_delivery_is_not_added_twice(load: Load, store: Store, tmp_path: Path) -> None:
    load()
    report = load(Mode.APPEND, persons=[], stays=MORE)
    with pytest.raises(AlreadyLoaded, match="count it twice"):
        ingest(
            load_plan(tmp_path / "clinic.toml"), store, Keystore(tmp_path / "keys"), mode=Mode.APPEND, validate=False
        )
    assert store.current("clinic").id == report.snapshot.id


def test_nothing_is_added_under_another_key_or_to_other_columns(load: Load, tmp_path: Path) -> None:
    load()
    other = PLAN.replace('type = "decimal"\nstep = 0.01', 'type = "decimal"\nstep = 0.1')
    with pytest.raises(CannotAdd, match="other tables or columns"):
        load(Mode.APPEND, plan=other, stays=MORE)
    Keystore(tmp_path / "keys").rotate("tests", Rotation.FRESH)
    with pytest.raises(CannotAdd, match="another pseudonymisation key"):
        load(Mode.APPEND, stays=MORE)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('normalise = ["no-spaces", "upper"]', "normalise = []", "spells identifiers"),
        ('generalise = "year"', 'generalise = "decade"', "makes values in another way"),
        ('values = { F = "Female", M = "Male" }', 'values = { F = "Female" }', "lacks values of the current snapshot"),
    ],
)
def test_nothing_is_added_by_a_plan_with_another_meaning(load: Load, old: str, new: str, complaint: str) -> None:
    load()
    with pytest.raises(CannotAdd, match=complaint):
        load(Mode.APPEND, plan=PLAN.replace(old, new), stays=MORE)


def test_a_list_of_values_may_grow(load: Load, store: Store) -> None:
    load()
    wider = PLAN.replace('M = "Male" }', 'M = "Male", X = "Other" }')
    load(Mode.APPEND, plan=wider, persons=[("AB7", "Eve", "1990-01-01", "X")], stays=[])
    assert {sex for (sex,) in rows_of(store, "person", "sex")} == {"F", "M", "X"}


def test_one_known_file_among_new_ones_is_enough_to_refuse(store: Store, tmp_path: Path) -> None:
    plan = load_plan(write_plan(tmp_path, PLAN.replace('"duckdb"', '"csv"').replace("clinic.duckdb", "delivery")))
    (tmp_path / "delivery").mkdir()
    texts = {
        "person": "person_id,full_name,birth_date,sex\nAB1,Anna Archambault,1950-01-01,F\n",
        "stay": "person_id,day,ward,cost,nights\nAB1,2020-01-01,CARD,1,1\n",
        "ward": "code,name,open\nCARD,Cardiology,yes\n",
    }
    for name, text in texts.items():
        (tmp_path / f"delivery/{name}.csv").write_text(text)
    keys = Keystore(tmp_path / "keys")
    ingest(plan, store, keys, validate=False)
    (tmp_path / "delivery/person.csv").write_text(texts["person"] + "AB2,Boris Bellanger,1960-01-01,M\n")
    with pytest.raises(AlreadyLoaded, match=r"stay\.csv is in the current snapshot"):
        ingest(plan, store, keys, mode=Mode.APPEND, validate=False)
    (tmp_path / "delivery/stay.csv").write_text(texts["stay"].replace("2020", "2021"))
    # the wards are the same file again, which only replaces them
    report = ingest(plan, store, keys, mode=Mode.APPEND, validate=False)
    assert report.snapshot.table["stay"].rows == 2


def test_there_must_be_something_to_add_to(load: Load) -> None:
    with pytest.raises(SnapshotNotFound, match="Ingest it first"):
        load(Mode.APPEND)


def test_more_mended_rows_than_are_in_quarantine_are_refused(load: Load, store: Store) -> None:
    """Most of them are stored already: they would count twice."""
    bad: Rows = [("AB2", "2021-13-15", "NEUR", "2", "1"), ("AB9", "2021-01-01", "NEUR", "2", "1")]
    first = load(stays=[*STAYS, *bad]).snapshot
    with pytest.raises(CannotAdd, match="6 rows of table 'stay' were delivered as mended, and 2 are in quarantine"):
        load(Mode.CORRECT, persons=[], stays=[*STAYS, ("AB2", "2021-12-15", "NEUR", "2", "1")])
    assert store.current("clinic").id == first.id
