"""Names of delivered files and folders are names: no pattern of other files, and no column of the table in them."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import sqltext as sql
from pipelines.readers import open_source

SIGNS = ("t[1]", "t*", "t?", "[!x]", "**", "t[[]1]")
"""Names that match others beside them, or not themselves, when they are taken for patterns."""


def deliver(folder: Path, format_: str, name: str, who: str, sex: str = "M") -> None:
    file = folder / f"{name}.{'ndjson' if format_ == 'fhir-ndjson' else format_}"
    file.parent.mkdir(parents=True, exist_ok=True)
    if format_ == "parquet":
        pq.write_table(pa.table({"id": [who], "sex": [sex]}), file)
    elif format_ == "csv":
        file.write_text(f"id,sex\n{who},{sex}\n")
    else:
        file.write_text(f'{{"resourceType": "Patient", "id": "{who}", "gender": "{sex}"}}\n')


def read(format_: str, location: Path, table: str) -> list[tuple[str, str]]:
    """The rows as `batches` gives them, which `relation`, if there is one, gives too."""
    with open_source(format_, location, {}) as source:
        rows = source.batches(table, ["id", "sex"], numbered=False).read_all().to_pylist()
        found = [tuple(row.values()) for row in rows]
        relation = source.relation(table)
        if relation is not None:
            assert duckdb.sql(f"SELECT id, sex FROM {relation}").fetchall() == found
    return found


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_folder_called_like_a_column_changes_no_value(tmp_path: Path, format_: str) -> None:
    deliver(tmp_path, format_, "sex=F/id=other/t", "a")
    assert read(format_, tmp_path, "t") == [("a", "M")]


def test_a_folder_above_fhir_files_changes_no_value(tmp_path: Path) -> None:
    deliver(tmp_path, "fhir-ndjson", "sex=F/id=other/Patient", "a")
    assert read("fhir-ndjson", tmp_path / "sex=F" / "id=other", "patient") == [("a", "M")]


@pytest.mark.parametrize("format_", ["csv", "parquet"])
@pytest.mark.parametrize("name", SIGNS)
def test_a_file_called_like_a_pattern_is_itself(tmp_path: Path, format_: str, name: str) -> None:
    for other in ("t1", "tx", "a"):
        deliver(tmp_path, format_, other, "other")
    deliver(tmp_path, format_, name, "itself")
    assert read(format_, tmp_path, name) == [("itself", "M")]


@pytest.mark.parametrize("name", SIGNS)
def test_a_connection_that_may_read_some_files_reads_them_and_no_others(tmp_path: Path, name: str) -> None:
    """As a store is read, whose folder may be called anything."""
    for folder in (name, "t1", "tx", "a"):
        deliver(tmp_path / folder, "parquet", "f", folder)
    with duckdb.connect() as connection:
        connection.execute(f"SET allowed_paths = {sql.allowed_paths([tmp_path / name / 'f.parquet'])}")
        connection.execute("SET enable_external_access = false")
        listed = sql.paths([tmp_path / name / "f.parquet"])
        assert connection.execute(f"SELECT id FROM read_parquet({listed})").fetchall() == [(name,)]
        with pytest.raises(duckdb.PermissionException):
            connection.execute(f"FROM read_parquet({sql.paths([tmp_path / 'a' / 'f.parquet'])})")
