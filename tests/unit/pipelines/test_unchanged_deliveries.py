"""A delivery that is replaced while it is read is noticed, in every format that lies in files."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import adbc_driver_sqlite.dbapi as sqlite
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import SourceError
from pipelines.readers import open_source

ROWS = [("a", "F"), ("b", "M")]


def csv(file: Path) -> None:
    file.write_text("id,sex\na,F\nb,M\n")


def packed(file: Path) -> None:
    file.write_bytes(gzip.compress(b"id,sex\na,F\nb,M\n"))


def parquet(file: Path) -> None:
    pq.write_table(pa.table({"id": ["a", "b"], "sex": ["F", "M"]}), file)


def fhir(file: Path) -> None:
    file.write_text("".join(json.dumps({"resourceType": "Patient", "id": i, "gender": g}) + "\n" for i, g in ROWS))


def duck(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE t AS SELECT * FROM (VALUES ('a', 'F'), ('b', 'M')) AS v(id, sex)")


def lite(file: Path) -> None:
    with sqlite.connect(str(file)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id TEXT, sex TEXT)")
        cursor.execute("INSERT INTO t VALUES ('a', 'F'), ('b', 'M')")
        connection.commit()


FORMATS: list[tuple[str, str, str, Callable[[Path], None]]] = [
    ("csv", "t.csv", "t", csv),
    ("csv", "t.csv.gz", "t", packed),
    ("parquet", "t.parquet", "t", parquet),
    ("fhir-ndjson", "Patient.ndjson", "patient", fhir),
    ("duckdb", "t.duckdb", "t", duck),
    ("sqlite", "t.sqlite", "t", lite),
]


def touch(file: Path) -> None:
    """Another byte, the same size, and the old times set again."""
    before, data = file.stat(), bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    other.replace(file)


@pytest.mark.parametrize("change", [touch, replace, Path.unlink])
@pytest.mark.parametrize(("format_", "name", "table", "write"), FORMATS)
def test_a_changed_file_is_noticed(
    tmp_path: Path, format_: str, name: str, table: str, write: Callable[[Path], None], change: Callable[[Path], None]
) -> None:
    file = tmp_path / name
    write(file)
    with open_source(format_, file, {}) as source:
        assert source.batches(table, ["id", "sex"]).read_all().num_rows == 2
        source.digests()
        source.check_unchanged()
        change(file)
        with pytest.raises(SourceError, match=f"{name} changed while it was read; deliver it again"):
            source.check_unchanged()


def test_a_view_that_changes_is_noticed_and_a_file_of_no_table_is_not(tmp_path: Path) -> None:
    fhir(tmp_path / "Patient.ndjson")
    (tmp_path / "README.txt").write_text("one")
    own = {"name": "eye", "resource": "Patient", "select": [{"column": [{"name": "k", "path": "id"}]}]}
    (tmp_path / "eye.json").write_text(json.dumps(own))
    with open_source("fhir-ndjson", tmp_path, {"views": ["eye.json"], "views_folder": str(tmp_path)}) as source:
        (tmp_path / "README.txt").write_text("two")
        source.check_unchanged()
        (tmp_path / "eye.json").write_text(json.dumps(own).replace('"id"', '"gender"'))
        with pytest.raises(SourceError, match=r"eye\.json changed while it was read"):
            source.check_unchanged()


def test_views_of_a_duckdb_file_are_no_tables_of_a_delivery(tmp_path: Path) -> None:
    """Their rows have no order of their own, and may come from elsewhere."""
    duck(tmp_path / "t.duckdb")
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.execute("CREATE VIEW v AS SELECT * FROM t")
    with open_source("duckdb", tmp_path / "t.duckdb", {}) as source:
        assert source.tables() == ("t",)
