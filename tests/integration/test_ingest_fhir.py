"""A FHIR bulk export from its files to a snapshot, and every built-in view compared with another implementation."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.errors import SourceError, TooManyBadRows
from pipelines.ingest import IngestReport, ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.readers import open_source
from pipelines.readers.fhir.library import BUILT_IN
from pipelines.store.reader import Store

ROOT = Path(__file__).parents[2]
EXPORT = ROOT.parent / "shared" / "data" / "synthea-bulk-ndjson"
PLAN = ROOT / "deploy" / "plans" / "fhir-bulk.toml"

needs_export = pytest.mark.skipif(not EXPORT.is_dir(), reason="the shared bulk export is not there")

VIEWS = sorted(file.stem for file in BUILT_IN.glob("*.json"))

DELIVERED = {
    "person": 13, "encounter": 1215, "condition": 555, "procedure": 2056, "observation": 0, "medication_request": 1745,
    "immunization": 161, "allergy": 11, "device": 16, "document": 1215,
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, IngestReport]:
    folder = tmp_path_factory.mktemp("fhir")
    store = Store(folder / "store")
    return store, ingest(load_plan(PLAN), store, Keystore(folder / "keys"), source=EXPORT, validate=False)


@needs_export
def test_every_resource_of_the_export_is_stored(loaded: tuple[Store, IngestReport]) -> None:
    _, report = loaded
    stored = {t.name: (t.delivered, t.rows, t.quarantined) for t in report.snapshot.tables}
    assert stored == {name: (rows, rows, 0) for name, rows in DELIVERED.items()}
    assert report.snapshot.table["observation"].note == "no Observation was delivered"


@needs_export
def test_rows_of_one_patient_meet_under_one_person_key(loaded: tuple[Store, IngestReport]) -> None:
    store, report = loaded

    def persons(table: str) -> str:
        files = [str(store.root / "fhir-bulk" / table / f.path) for f in report.snapshot.table[table].files]
        return f"(SELECT DISTINCT person_key FROM read_parquet({files}))"

    for table in ("condition", "encounter", "medication_request"):
        strangers = duckdb.sql(
            f"SELECT count(*) FROM {persons(table)} ANTI JOIN {persons('person')} USING (person_key)"
        )
        assert strangers.fetchall() == [(0,)]


@needs_export
def test_no_key_of_the_export_is_left_in_the_store(loaded: tuple[Store, IngestReport]) -> None:
    store, _ = loaded
    keys = {json.loads(line)["id"].encode() for line in _lines("Patient", "Encounter")}
    stored = [file.read_bytes() for file in store.root.rglob("*") if file.is_file()]
    assert stored
    assert not any(key in content for content in stored for key in keys)


@needs_export
@pytest.mark.parametrize("name", VIEWS)
def test_a_built_in_view_gives_the_rows_of_sqlonfhir(name: str) -> None:
    pytest.importorskip("sqlonfhir", reason="the extra `oracles` is not installed")
    from tests.reference.fhir_views import rows_of

    view = json.loads((BUILT_IN / f"{name}.json").read_text())
    expected = rows_of(map(json.loads, _lines(view["resource"])), view)
    days = {c["name"] for select in view["select"] for c in select["column"] if "tag" in c}
    with open_source("fhir-ndjson", EXPORT, {"views": [name]}) as source:
        columns = list(source.describe(name).columns)
        ours = source.batches(name, columns, numbered=False).read_all().to_pylist()
    assert _counted(ours, set()) == _counted(expected, days)


def _counted(rows: Iterable[dict[str, Any]], days: set[str]) -> Counter[str]:
    """Rows with how often each occurs; the oracle gives `days` with their time."""
    return Counter(
        repr({name: _comparable(value, day=name in days) for name, value in sorted(row.items())}) for row in rows
    )


def _comparable(value: Any, *, day: bool) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        return float(value)
    return str(value)[:10] if day else str(value)


def _lines(*types: str) -> list[str]:
    files = [file for type_ in types for file in sorted(EXPORT.glob(f"{type_}.*.ndjson.gz"))]
    return [line for file in files for line in gzip.decompress(file.read_bytes()).decode().splitlines()]


# --- a small delivery with errors ------------------------------------------------------------------------------------


def _patient(number: int, **more: Any) -> str:
    born = f"19{number % 90 + 10}-01-01"
    return json.dumps({"resourceType": "Patient", "id": f"pat-{number}", "gender": "other", "birthDate": born, **more})


def test_a_line_that_cannot_be_read_is_quarantined_or_stops_the_load(tmp_path: Path) -> None:
    good = [_patient(n) for n in range(200)]
    (tmp_path / "export").mkdir()
    plan = load_plan(PLAN)

    def load(lines: list[str]) -> IngestReport:
        (tmp_path / "export" / "Patient.ndjson").write_text("\n".join(lines))
        store, keys = Store(tmp_path / "store"), Keystore(tmp_path / "keys")
        return ingest(plan, store, keys, source=tmp_path / "export", validate=False)

    person = load([*good[:50], '{"resourceType": "Patient", "id', *good[50:]]).snapshot.table["person"]
    assert (person.delivered, person.rows, person.quarantined) == (201, 200, 1)
    with pytest.raises(TooManyBadRows, match="person"):
        load([*good, *(["not JSON"] * 30)])


def test_a_birth_date_may_be_a_year(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_text(
        "\n".join([_patient(1, birthDate="1950"), _patient(2, birthDate="1960-02")])
    )
    store = Store(tmp_path / "store")
    report = ingest(load_plan(PLAN), store, Keystore(tmp_path / "keys"), source=tmp_path, validate=False)
    files = [str(store.root / "fhir-bulk" / "person" / f.path) for f in report.snapshot.table["person"].files]
    years = duckdb.sql(f"SELECT year_of_birth FROM read_parquet({files}) ORDER BY ALL").fetchall()
    assert years == [(1950,), (1960,)]


def test_the_reason_a_file_cannot_be_read_reaches_the_holder(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    file = tmp_path / "export" / "Patient.ndjson.gz"
    file.write_bytes(gzip.compress("\n".join(_patient(n) for n in range(100_000)).encode(), 1)[:-50_000])
    store = Store(tmp_path / "store")
    with pytest.raises(SourceError, match="the file is cut off"):
        ingest(load_plan(PLAN), store, Keystore(tmp_path / "keys"), source=tmp_path / "export", validate=False)
