"""Names of folders, files and columns are names and nothing else: they set no value, match no other file, show none."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.collected import delivered
from pipelines.errors import SourceError
from pipelines.plan_file import load_plan
from pipelines.readers import Source, open_source
from tests.unit.pipelines.deliveries import PLAN, write_plan


def rows(source: Source, table: str, *columns: str) -> list[tuple[object, ...]]:
    """By the source's own reading, and by an engine that reads the relation, if there is one."""
    import duckdb

    found = source.batches(table, columns, numbered=False).read_all()
    listed = list(zip(*(found.column(c).to_pylist() for c in columns), strict=True))
    relation = source.relation(table)
    if relation is not None:
        assert duckdb.sql(f"SELECT {', '.join(columns)} FROM {relation}").fetchall() == listed
    return listed


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_folder_called_like_a_column_sets_no_value(tmp_path: Path, format_: str) -> None:
    folder = tmp_path / "in" / "sex=F" / "id=zz"
    folder.mkdir(parents=True)
    if format_ == "csv":
        (folder / "t.csv").write_text("id,sex\na,M\n")
    else:
        pq.write_table(pa.table({"id": ["a"], "sex": ["M"]}), folder / "t.parquet")
    with open_source(format_, tmp_path / "in", {}) as source:
        assert rows(source, "t", "id", "sex") == [("a", "M")]


@pytest.mark.parametrize(("name", "other"), [("t[1]", "t1"), ("t*", "tx"), ("t?", "ty")])
def test_a_name_that_looks_like_a_pattern_is_a_name(tmp_path: Path, name: str, other: str) -> None:
    for stem, value in ((name, "mine"), (other, "other")):
        (tmp_path / f"{stem}.csv").write_text(f"a\n{value}\n")
        pq.write_table(pa.table({"a": [value]}), tmp_path / f"{stem}.parquet")
    for format_ in ("csv", "parquet"):
        with open_source(format_, tmp_path, {}) as source:
            assert rows(source, name, "a") == [("mine",)]


def test_parts_of_different_types_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t/part-0.parquet")
    pq.write_table(pa.table({"a": [1.7]}), tmp_path / "t/part-1.parquet")
    with open_source("parquet", tmp_path, {}) as source, pytest.raises(SourceError, match="differ from those of"):
        source.describe("t")


def test_a_first_line_of_data_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "stay.csv").write_text("185057800608436,Jean Dupont,jean@x.fr\n")
    table = load_plan(write_plan(tmp_path, PLAN)).table["stay"]
    with open_source("csv", tmp_path, {}) as source, pytest.raises(SourceError) as told:
        delivered(source, table)
    assert "option `columns`" in str(told.value)
    for cell in ("185057800608436", "Jean", "jean@x.fr"):
        assert cell not in str(told.value)


def test_a_misspelt_column_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "stay.csv").write_text("person_id,day,wards,cost,nights\n")
    table = load_plan(write_plan(tmp_path, PLAN)).table["stay"]
    with open_source("csv", tmp_path, {}) as source, pytest.raises(SourceError, match="Is 'wards' meant"):
        delivered(source, table)
