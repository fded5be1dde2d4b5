"""Public health data sets as their holders deliver them, read cell by cell as Python's own parser reads them."""

import csv
import gzip
import io
from pathlib import Path

import pytest

from pipelines.errors import SourceError
from pipelines.readers import open_source

DATA = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not beside the checkout")


def cells(folder: str, file: str, **options: str) -> list[list[str | None]]:
    with open_source("csv", DATA / folder / file, options) as source:
        (table,) = source.tables()
        columns = list(source.describe(table).columns)
        found = source.batches(table, columns, numbered=False).read_all().to_pylist()
    return [columns, *(list(row.values()) for row in found)]


def by_python(folder: str, file: str, delimiter: str) -> list[list[str | None]]:
    data = (DATA / folder / file).read_bytes()
    text = (gzip.decompress(data) if file.endswith("gz") else data).decode("utf-8-sig")
    return [[c or None for c in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]


def files(folder: str) -> list[str]:
    return sorted(file.name for file in (DATA / folder).glob("*.csv*"))


@pytest.mark.parametrize("file", files("fr-nomenclatures"))
def test_french_nomenclatures(file: str) -> None:
    """`;`, cells of several lines, codes with leading zeros and dates like 01JAN1996:00:00:00: all text."""
    header = by_python("fr-nomenclatures", file, "\0")[0][0] or ""
    assert cells("fr-nomenclatures", file) == by_python("fr-nomenclatures", file, max(";,", key=header.count))


@pytest.mark.parametrize("file", files("real-cohorts"))
def test_cohorts(file: str) -> None:
    assert cells("real-cohorts", file) == by_python("real-cohorts", file, ",")


def test_french_hospital_admissions() -> None:
    rows = cells("fr-covid-hospital", "covid-hospit-incid-2023-03-31-18h01.csv.gz")
    assert len(rows) == 113_017
    latin = "metadonnees-donnees-hospitalieres-covid19-classes-age-maj20210810.csv"
    with pytest.raises(SourceError, match="not in the encoding utf-8"):
        cells("fr-covid-hospital", latin)
    assert "é" in "".join(c or "" for row in cells("fr-covid-hospital", latin, encoding="latin-1") for c in row)
    with pytest.raises(SourceError, match="begins as RTF"):
        cells("fr-covid-hospital", "metadonnees-sexe.csv")


@pytest.mark.parametrize(
    ("format_", "file", "person"),
    [("csv", "Synthea27Nj_5.4.zip", "PERSON"), ("parquet", "Synthea27NjParquet_5.4.zip", "person")],
)
def test_omop_as_a_whole_from_a_zip(format_: str, file: str, person: str) -> None:
    with open_source(format_, DATA / "omop-synthea27nj" / file, {}) as source:
        counts = {t.lower(): source.batches(t, [next(iter(source.describe(t).columns))]) for t in source.tables()}
        rows = {t: sum(b.num_rows for b in batches) for t, batches in counts.items()}
    assert len(rows) == 39
    assert (rows["person"], rows["measurement"], rows["concept_relationship"]) == (28, 10_040, 266_588)
    assert source.tables().count(person) == 1


def test_snds_from_a_tar_with_sub_folders() -> None:
    with open_source("csv", DATA / "snds-synthetic" / "snds-synthetic.tar.xz", {}) as source:
        assert len(source.tables()) == 34
        rows = source.batches("ER_PRS_F", source.describe("ER_PRS_F").columns).read_all()
    assert (rows.num_rows, rows.num_columns) == (10, 123)
