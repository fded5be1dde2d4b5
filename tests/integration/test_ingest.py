"""A delivery on its way into the store: what is kept, what is set aside, what stops it."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.errors import (
    DeliveryRefused,
    IdentifierLeft,
    KeystoreError,
    NotPersonLevel,
    PseudonymCollision,
    SourceError,
    StoreBusy,
    TooManyBadRows,
)
from pipelines.ingest import IngestReport, ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.progress import Step
from pipelines.pseudonyms import Pseudonymiser, bucket_of
from pipelines.store.reader import Store
from tests.unit.pipelines.deliveries import PERSONS, PLAN, STAYS, WARDS, write_clinic, write_plan

Load = Callable[..., IngestReport]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def load(tmp_path: Path, store: Store) -> Load:
    """Write a delivery and a plan, and ingest them without Great Expectations."""

    def run(plan: str = PLAN, **tables: list[tuple[str, ...]]) -> IngestReport:
        options = {k: tables.pop(k) for k in ("opt_outs", "bucket_rows", "progress") if k in tables}
        write_clinic(tmp_path, **tables)
        return ingest(
            load_plan(write_plan(tmp_path, plan)), store, Keystore(tmp_path / "keys"), validate=False, **options
        )

    return run


def rows_of(store: Store, report: IngestReport, table: str, columns: str = "*") -> list[tuple[object, ...]]:
    files = [str(store.root / "clinic" / table / f.path) for f in report.snapshot.table[table].files]
    if not files:
        return []
    return duckdb.sql(f"SELECT {columns} FROM read_parquet({files}, hive_partitioning=false) ORDER BY ALL").fetchall()


def person_key(tmp_path: Path, identifier: str) -> int:
    key = Keystore(tmp_path / "keys").key("tests", purpose="test")
    found = Pseudonymiser(key, ("no-spaces", "upper")).person_key(identifier)
    assert found is not None
    return found


def test_rows_arrive_cast_and_keyed(load: Load, store: Store, tmp_path: Path) -> None:
    report = load()
    stays = rows_of(store, report, "stay", "person_key, CAST(day AS VARCHAR), ward, cost, nights")
    anna, boris, chloe = (person_key(tmp_path, i) for i in ("AB1", "AB2", "AB3"))
    expected = [
        (anna, "2020-01-01", "CARD", 10.25, 1),
        (anna, "2020-01-01", "CARD", 10.25, 1),
        (anna, "2020-02-01", "CARD", 10.25, 1),
        (boris, "2021-05-06", "NEUR", 0.1, 3),
        (chloe, "2022-05-06", None, None, None),
    ]
    assert sorted(stays, key=repr) == sorted(expected, key=repr)
    assert [(s, y) for s, y in rows_of(store, report, "person", "sex, year_of_birth")] == [
        ("F", 1950), ("F", 1971), ("M", 1960), ("M", 1980),
    ]  # fmt: skip
    assert store.current("clinic").id == report.snapshot.id


def test_row_ranks_count_each_persons_rows_from_one(load: Load, store: Store, tmp_path: Path) -> None:
    report = load()
    ranks = rows_of(store, report, "stay", "person_key, row_rank")
    anna = person_key(tmp_path, "AB1")
    assert [r for key, r in ranks if key == anna] == [1, 2, 3]
    assert all(r == 1 for key, r in ranks if key != anna)


def test_closed_lists_come_from_the_lookup_table(load: Load) -> None:
    column = load().snapshot.schema.table["stay"].column["ward"]
    assert column.values is not None
    assert [(v.code, v.label) for v in column.values] == [("CARD", "Cardiology"), ("NEUR", "Neurology")]


@pytest.mark.parametrize(
    ("stay", "reason"),
    [
        (("AB1", "2020-13-01", "CARD", "1", "1"), "day: not a date"),
        (("AB1", "", "CARD", "1", "1"), "day: missing"),
        (("AB1", "1999-12-31", "CARD", "1", "1"), "day: outside of 2000-01-01 to 2025-12-31"),
        (("AB1", "2020-01-01", "OLD", "1", "1"), "ward: not in lookup table ward"),
        (("AB1", "2020-01-01", "CARD", "NaN", "1"), "cost: not a finite number in range"),
        (("AB1", "2020-01-01", "CARD", "inf", "1"), "cost: not a finite number in range"),
        (("AB1", "2020-01-01", "CARD", "ten", "1"), "cost: not a finite number in range"),
        (("AB1", "2020-01-01", "CARD", "1", "1.5"), "nights: not a whole number"),
        (("", "2020-01-01", "CARD", "1", "1"), "no person identifier"),
        (("AB9", "2020-01-01", "CARD", "1", "1"), "the person is not in the table of persons"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason(load: Load, stay: tuple[str, ...], reason: str) -> None:
    report = load(stays=[STAYS[0], stay, STAYS[3]])
    stored = report.snapshot.table["stay"]
    assert (stored.delivered, stored.rows, stored.quarantined) == (3, 2, 1)
    assert dict(stored.reasons) == {reason: 1}
    assert report.quarantine is not None
    listed = pq.read_table(report.quarantine / "stay.parquet").to_pylist()
    column, _, why = reason.rpartition(": ")
    assert listed == [{"source_table": "stay", "row_number": 2, "column": column, "reason": why}]


def test_a_row_that_fails_twice_is_counted_once_and_listed_twice(load: Load) -> None:
    report = load(stays=[STAYS[0], ("AB1", "x", "CARD", "y", "1")])
    assert report.snapshot.table["stay"].quarantined == 1
    assert len(report.snapshot.table["stay"].reasons) == 2


def test_a_value_that_is_not_in_the_plans_list_is_set_aside(load: Load) -> None:
    report = load(persons=[*PERSONS[:3], ("AB4", "Denis Dutilleul", "1980-01-01", "X")])
    assert dict(report.snapshot.table["person"].reasons) == {"sex: not in the list of values": 1}


def test_two_rows_for_one_person_are_both_set_aside_and_so_are_the_events(load: Load) -> None:
    report = load(persons=[*PERSONS, ("ab2", "Boris Bellanger", "1961-07-09", "M")])
    assert dict(report.snapshot.table["person"].reasons) == {"several rows for one person": 2}
    assert dict(report.snapshot.table["stay"].reasons) == {"the person is not in the table of persons": 1}


def test_too_many_bad_rows_stop_the_load_and_leave_a_report(load: Load, store: Store) -> None:
    before = load().snapshot
    bad = [("AB1", "x", "CARD", "1", "1")] * 3
    with pytest.raises(TooManyBadRows, match=r"3 of 4 rows of table stay failed, the threshold is 50.00%") as caught:
        load(stays=[STAYS[0], *bad])
    assert caught.value.report is not None
    assert pq.read_table(caught.value.report / "stay.parquet").num_rows == 3
    assert store.current("clinic").id == before.id
    assert len(store.snapshots("clinic")) == 1


def test_a_delivery_without_one_good_person_is_reported_like_any_other(load: Load) -> None:
    with pytest.raises(TooManyBadRows, match=r"4 of 4 rows of table person failed") as caught:
        load(persons=[(p[0], p[1], p[2], "X") for p in PERSONS])
    assert caught.value.report is not None
    assert pq.read_table(caught.value.report / "person.parquet").num_rows == 4


def test_short_numbers_of_persons_are_found_in_a_column_of_decimals(load: Load) -> None:
    people = [(str(10_200 + n), f"Person {n}", "1950-03-01", "F") for n in range(40)]
    with pytest.raises(IdentifierLeft, match=r"stay\.cost would carry identifiers"):
        load(persons=people, stays=[(p[0], "2020-01-01", "CARD", p[0], "1") for p in people])


def test_a_person_level_column_with_two_values_stops_the_load(load: Load) -> None:
    plan = PLAN.replace("[tables.stay.columns.nights]\n", "[tables.stay.columns.nights]\nperson_level = true\n")
    load(plan, stays=STAYS[:3])
    with pytest.raises(NotPersonLevel, match=r"stay\.nights") as caught:
        load(plan, stays=[("AB1", "2020-01-01", "CARD", "1", "77"), ("AB1", "2020-01-01", "CARD", "1", "88")])
    assert "77" not in str(caught.value)
    with pytest.raises(NotPersonLevel):
        load(plan, stays=[("AB1", "2020-01-01", "CARD", "1", "7"), ("AB1", "2020-01-01", "CARD", "1", "")])


FREE = "[tables.stay.columns.nights]\n"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["Anna Archambault", "-", "-", "-"], "hold direct identifiers of the delivery"),
        (["AB1", "AB1", "AB1", "AB1"], "repeat a direct identifier"),
        (["a.b@example.org", "-", "-", "-"], "an e-mail address"),
        (["+33 6 12 34 56 78", "-", "-", "-"], "a telephone number"),
        (["0f8fad5b-d9cb-469f-a165-70867728950e", "-", "-", "-"], "a UUID"),
        (["Boris Bellanger", "-", "-", "-"], "hold direct identifiers of the delivery"),
    ],
)
def test_a_column_that_carries_identifiers_stops_the_load(
    load: Load, tmp_path: Path, store: Store, values: list[str], said: str
) -> None:
    plan = PLAN.replace(
        FREE, '[tables.stay.columns.remark]\nsource = "nights"\ntype = "code"\n[tables.stay.columns.nights]\n'
    ).replace('kind = "events"\n', 'kind = "events"\nidentifiers = ["ward"]\n', 1)
    plan = plan.replace('[tables.stay.columns.ward]\ntype = "code"\nvalues_from = { table = "ward", code = "code", '
                        'label = "name", where = { open = "yes" } }\n', "")  # fmt: skip
    plan = plan.replace('[tables.stay.columns.nights]\ntype = "integer"\n', "")
    names = ["Anna Archambault", "Boris Bellanger", "Chloe Castelnau", "Denis Dutilleul"]
    stays = [("AB1", "2020-01-01", names[i and 1], "1", v) for i, v in enumerate(values)]
    with pytest.raises(IdentifierLeft, match=r"stay\.remark") as caught:
        load(plan, stays=stays)
    assert said in str(caught.value)
    assert not any(v in str(caught.value) for v in values if v != "-")
    assert not (store.root / "clinic" / "stay").exists()
    load(plan, stays=[("AB1", "2020-01-01", "-", "1", "C50.1"), ("AB2", "2020-01-01", "-", "1", "755621000000101")])


def test_opted_out_persons_are_left_out_everywhere(load: Load, store: Store, tmp_path: Path) -> None:
    Keystore(tmp_path / "keys").key("tests", purpose="test")
    anna = person_key(tmp_path, "ab1")
    report = load(opt_outs=frozenset({anna}))
    for table in ("person", "stay"):
        keys = {key for (key,) in rows_of(store, report, table, "person_key")}
        assert keys
        assert anna not in keys
    assert report.snapshot.table["stay"].quarantined == 0


def test_rows_are_divided_by_the_top_bits_of_the_person_key(load: Load, store: Store) -> None:
    report = load(bucket_rows=1)
    assert report.snapshot.buckets == 8
    for file in report.snapshot.table["stay"].files:
        keys = pq.read_table(store.root / "clinic" / "stay" / file.path)["person_key"].to_pylist()
        assert keys == sorted(keys)
        assert {bucket_of(key, 8) for key in keys} == {file.bucket}


def test_the_same_delivery_gives_the_same_snapshot(load: Load, store: Store) -> None:
    first = load()
    again = load(stays=list(reversed(STAYS)))
    assert again.repeated
    assert again.snapshot.id == first.snapshot.id
    assert len(store.snapshots("clinic")) == 1


def test_an_unchanged_table_is_not_stored_twice(load: Load, store: Store) -> None:
    first, second = load().snapshot, load(stays=STAYS[:-1]).snapshot
    assert second.id != first.id
    assert second.table["person"].files == first.table["person"].files
    assert second.table["stay"].version == first.table["stay"].version + 1
    assert [s.id for s in store.snapshots("clinic")] == [first.id, second.id]


def test_a_header_without_data_counts_as_delivered_empty(load: Load, tmp_path: Path, store: Store) -> None:
    write_clinic(tmp_path)
    with duckdb.connect(str(tmp_path / "clinic.duckdb")) as connection:
        connection.execute("DROP TABLE stay")
        connection.execute("CREATE TABLE stay AS SELECT 'person_id' AS column0, 'day' AS column1")
    report = ingest(load_plan(write_plan(tmp_path)), store, Keystore(tmp_path / "keys"), validate=False)
    assert report.snapshot.table["stay"].rows == 0
    assert "header row without data" in str(report.snapshot.table["stay"].note)


def test_a_delivery_without_what_the_plan_reads_is_told(load: Load, tmp_path: Path, store: Store) -> None:
    with pytest.raises(SourceError, match="has no column 'cost_eur'"):
        load(PLAN.replace("[tables.stay.columns.cost]\n", '[tables.stay.columns.cost]\nsource = "cost_eur"\n'))
    with pytest.raises(SourceError, match="'stays', which was not delivered"):
        load(PLAN.replace("[tables.stay]\n", '[tables.stay]\nsource = "stays"\n'))
    with pytest.raises(SourceError, match="no such file"):
        ingest(load_plan(write_plan(tmp_path)), store, Keystore(tmp_path / "k"), source=tmp_path / "x", validate=False)
    (tmp_path / "y.duckdb").write_bytes(b"not a database" * 500)
    with pytest.raises(SourceError, match="cannot be opened"):
        ingest(
            load_plan(write_plan(tmp_path)), store, Keystore(tmp_path / "k"), source=tmp_path / "y.duckdb",
            validate=False,
        )  # fmt: skip
    assert store.datasets() == ()


def test_a_second_ingestion_of_the_same_dataset_waits_for_its_turn(load: Load) -> None:
    def meddle(step: Step) -> None:
        if step.doing == "store":
            with pytest.raises(StoreBusy):
                load()

    load(progress=meddle)


def test_keys_next_to_the_data_are_refused(tmp_path: Path, store: Store) -> None:
    write_clinic(tmp_path)
    with pytest.raises(KeystoreError, match="apart from the data"):
        ingest(load_plan(write_plan(tmp_path)), store, Keystore(store.root / "keys"), validate=False)


def test_no_plain_identifier_is_left_under_the_store(load: Load, store: Store) -> None:
    load()
    with pytest.raises(DeliveryRefused):
        load(stays=[("AB1", "Anna Archambault", "CARD", "1", "1")])
    content = b"".join(f.read_bytes() for f in store.root.rglob("*") if f.is_file())
    for person in PERSONS:
        assert person[1].encode() not in content
        assert person[1].split()[1].encode() not in content
    assert b"AB1" not in content
    assert not list(store.root.glob("*/_staging/*"))


def test_lookup_rows_are_sorted_and_public(load: Load, store: Store) -> None:
    report = load(wards=list(reversed(WARDS)))
    assert rows_of(store, report, "ward") == sorted(WARDS)
    assert [f.bucket for f in report.snapshot.table["ward"].files] == [None]


def test_two_persons_with_one_key_stop_the_load(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    def colliding(self: Pseudonymiser, identifiers: list[str]) -> list[bytes | None]:
        return [bytes(8) + i.encode().rjust(8) for i in identifiers]

    monkeypatch.setattr(Pseudonymiser, "pseudonyms", colliding)
    with pytest.raises(PseudonymCollision, match="1 person keys"):
        load()


def test_an_identifier_that_fails_its_check_digits_sets_the_row_aside(load: Load) -> None:
    plan = PLAN.replace('["no-spaces", "upper"]', '["nir"]')
    persons = [("1851275108745", "A", "1985-12-01", "M"), ("AB2", "B", "1960-07-09", "M")]
    report = load(plan, persons=persons, stays=[("1 85 12 75 108 745", "2020-01-01", "CARD", "1", "1")])
    assert report.snapshot.table["stay"].rows == 1
    reasons = dict(report.snapshot.table["person"].reasons)
    assert reasons == {"the person identifier fails its declared normalisation": 1}


def test_a_lookup_table_that_carries_identifiers_stops_the_load(load: Load) -> None:
    plan = PLAN.replace('normalise = ["no-spaces", "upper"]', 'normalise = ["nir"]')
    persons = [(f"18512751087{n}", f"Person {n}", "1985-12-01", "M") for n in range(45, 49)]
    stays = [(persons[0][0], "2020-01-01", "CARD", "1", "1")]
    assert load(plan, persons=persons, stays=stays).snapshot.table["stay"].rows == 1
    hidden = [("CARD", "Cardiology", "yes"), ("X1", "ward of 1 85 12 75 108 747", "yes")]
    with pytest.raises(IdentifierLeft, match=r"ward\.name"):
        load(plan, persons=persons, stays=stays, wards=hidden)


def test_names_of_the_table_of_persons_are_looked_for_in_the_events(load: Load, store: Store) -> None:
    plan = PLAN.replace('values_from = { table = "ward", code = "code", label = "name", where = { open = "yes" } }', "")
    with pytest.raises(IdentifierLeft, match=r"stay\.ward"):
        load(plan, stays=[("AB1", "2020-01-01", "Mr BELLANGER,  boris: seen", "1", "1")])
    digits = [(f"{n * 7919 + 10**7}", f"Some Body{n}", "1985-12-01", "M") for n in range(30)]
    with pytest.raises(IdentifierLeft, match=r"stay\.nights"):
        load(plan, persons=digits, stays=[(digits[0][0], "2020-01-01", "A", "1", digits[1][0])])
    assert store.datasets() == ()


def test_a_record_says_where_opting_out_cannot_take_effect(load: Load, tmp_path: Path) -> None:
    from pipelines.publish import record_of

    facts = '\n[catalogue]\nhealth_category = ["EHRS"]\ncontact = "data@clinic.example"\n'
    for stated, expected in (("", False), ("opt_out_not_applicable = true\n", True)):
        report = load(PLAN + facts + stated)
        record = record_of(load_plan(tmp_path / "clinic.toml"), report.snapshot, "https://node.example")
        rights = record.distribution[0].rights
        assert (rights is not None) is expected
        if rights is not None:
            assert "71(8)" in rights.label[0].value


def test_a_plan_that_leaks_writes_nothing_down(load: Load, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first rows show it before any row is written: not even a killed run could leave them."""
    from pipelines import loading

    def never(*_: object) -> None:
        raise AssertionError("rows were written")

    leaking = PLAN.replace(
        '[tables.stay.columns.nights]\ntype = "integer"', '[tables.stay.columns.nights]\ntype = "code"'
    )
    stays = [(f"AB{n}", "2020-01-01", "CARD", "1", f"AB{n}") for n in (1, 2, 3, 4)]
    original = loading.map_table
    monkeypatch.setattr(
        loading, "map_table", lambda d, how, *o: never() if how.plan.name == "stay" else original(d, how, *o)
    )
    with pytest.raises(IdentifierLeft, match=r"stay\.nights"):
        load(leaking, stays=stays)


@pytest.mark.parametrize("generalise", ["first-9", "first-5"])
def test_a_shortened_identifier_is_one(load: Load, generalise: str) -> None:
    shortened = f'[tables.stay.columns.nights]\ntype = "code"\ngeneralise = "{generalise}"'
    plan = PLAN.replace('[tables.stay.columns.nights]\ntype = "integer"', shortened)
    persons = [(f"AB{n}00{n}7{n}", f"Name{n}", "1950-01-01", "F") for n in (1, 2, 3, 4)]
    stays = [(p[0], "2020-01-01", "CARD", "1", p[0]) for p in persons]
    with pytest.raises(IdentifierLeft, match=r"stay\.nights"):
        load(plan, persons=persons, stays=stays)
