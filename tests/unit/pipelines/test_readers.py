"""Readers: the same batches whatever the format, and a plain word for a file that is not what it should be."""

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import SourceError
from pipelines.readers import READERS, ROW_NUMBER, open_source
from pipelines.readers.source import BATCH_ROWS

CSV = 'who,code\nA,007\nB,"two\nlines"\nC,\n'


def read(format_: str, location: Path, table: str = "t", **options: Any) -> list[dict[str, Any]]:
    with open_source(format_, location, options) as source:
        found: list[dict[str, Any]] = source.batches(table, ["who", "code"]).read_all().to_pylist()
    return found


EXPECTED = [
    {"who": "A", "code": "007", ROW_NUMBER: 1},
    {"who": "B", "code": "two\nlines", ROW_NUMBER: 2},
    {"who": "C", "code": None, ROW_NUMBER: 3},
]


def test_parquet_and_duckdb_give_the_same(tmp_path: Path) -> None:
    table = pa.table({"who": ["A", "B", "C"], "code": ["007", "two\nlines", None]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert read("parquet", tmp_path) == EXPECTED
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.register("given", table)
        connection.execute("CREATE TABLE t AS SELECT * FROM given")
    assert read("duckdb", tmp_path / "t.duckdb") == EXPECTED


def test_parquet_parts_of_different_types_are_refused(tmp_path: Path) -> None:
    """The engine would cast them to the first one's."""
    (tmp_path / "t").mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t/part-0.parquet")
    pq.write_table(pa.table({"a": [1.7]}), tmp_path / "t/part-1.parquet")
    with open_source("parquet", tmp_path, {}) as source, pytest.raises(SourceError, match="differ from those of"):
        source.describe("t")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"who,,code\nA,x,1\n", "column 2 of the header has no name"),
        ("t.csv", b"who,code,WHO\nA,1,2\n", "columns 1 and 3 of the header have the same name"),
        ("t.csv", CSV.encode() + b"SECRET,1,2\n", "t.csv, row 4, has not a cell for each column"),
        ("t.csv", CSV.encode() + b"SECRET\n", "t.csv, row 4, has not a cell for each column"),
        ("t.csv", CSV.encode() + b'SECRET,"open\n', "t.csv, row 4, has a quote left open"),
        ("t.csv.gz", CSV.encode(), "not what its name says"),
        ("t.csv.gz", gzip.compress(CSV.encode() * 9, mtime=0)[:-12], "is cut off"),
        ("t.parquet", CSV.encode(), "is no Parquet file"),
        ("t.duckdb", CSV.encode() * 500, "cannot be opened as a DuckDB database"),
        ("t.sqlite", CSV.encode() * 500, "is no SQLite file"),
    ],
)
def test_a_bad_file_is_told_without_a_value(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=said) as caught:
        read(name.split(".")[1], tmp_path / name)
    assert "SECRET" not in str(caught.value)


def test_unknown_options_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    for format_, options in (("csv", {"seperator": ";"}), ("csv", {"encoding": "ebcdic"}), ("parquet", {"null": ""})):
        with pytest.raises(SourceError, match=r"known|no option"):
            open_source(format_, tmp_path, options)


def test_a_missing_delivery_is_told() -> None:
    for format_ in set(READERS) - {"postgresql"}:
        with pytest.raises(SourceError, match="no such file or folder"):
            open_source(format_, Path("nowhere"), {})


@pytest.mark.parametrize("address", ["http://", "file:///data/t.csv", "s3://bucket/t.csv", "postgresql://me@host/db"])
def test_an_address_where_a_file_is_wanted_is_told(address: str) -> None:
    for format_ in set(READERS) - {"postgresql"}:
        with pytest.raises(SourceError, match="is a file or folder of this machine"):
            open_source(format_, address, {})


def test_names_are_matched_without_regard_to_case_if_that_is_clear(tmp_path: Path) -> None:
    (tmp_path / "T.csv").write_text(CSV.replace("who", "WHO"))
    with open_source("csv", tmp_path, {}) as source:
        described = source.describe("t")
        assert described.column_named("who") == "WHO"
        assert described.column_named("whom") is None


def test_batches_are_small_and_numbered_through(tmp_path: Path) -> None:
    duckdb.sql(f"COPY (SELECT range AS who, 'c' AS code FROM range(300000)) TO '{tmp_path / 't.parquet'}'")
    with open_source("parquet", tmp_path, {}) as source:
        batches = list(source.batches("t", ["who"]))
    assert max(b.num_rows for b in batches) <= BATCH_ROWS
    numbers = [n for b in batches for n in b.column(ROW_NUMBER).to_pylist()]
    assert numbers == list(range(1, 300_001))


def test_a_reader_cannot_reach_other_files(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.execute("CREATE VIEW t AS SELECT content AS who, '' AS code FROM read_text('/etc/hostname')")
    with pytest.raises(SourceError):
        read("duckdb", tmp_path / "t.duckdb")


def test_hashes_name_the_delivered_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "t.csv").write_text("who,code\n")
    with open_source("csv", tmp_path, {}) as source:
        (file,) = source.digests()
    assert (file.name, file.size) == ("sub/t.csv", 9)
    assert len(file.sha256) == 64


def test_an_engine_that_reads_batches_is_told_what_the_reader_says(tmp_path: Path) -> None:
    """An error in a stream reaches an engine as text only; `reading` brings the reader's own words back."""
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(CSV.encode() + b"SECRET\n"))
    told = pytest.raises(SourceError, match=r"t\.csv\.gz, row 4, has not a cell for each column")
    with duckdb.connect() as other, open_source("csv", tmp_path, {}) as source:
        batches = source.batches("t", ["who"])
        other.register("delivered", batches)
        with told as caught, source.reading("table 't' could not be mapped"):
            other.execute("SELECT count(who) FROM delivered")
    assert "SECRET" not in str(caught.value)


def test_leaving_the_delivery_ends_reads_that_are_under_way(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"who,code\n" + b"A,1\n" * 300_000))
    handles = len(list(Path("/proc/self/fd").iterdir()))
    with open_source("csv", tmp_path, {}) as source:
        batches = source.batches("t", ["who"])
        assert 0 < batches.read_next_batch().num_rows <= BATCH_ROWS
    assert len(list(Path("/proc/self/fd").iterdir())) == handles
    with pytest.raises(SourceError, match="was closed"):
        batches.read_next_batch()
