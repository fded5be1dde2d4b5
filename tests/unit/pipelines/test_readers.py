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


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("t.csv", CSV.encode(), {}),
        ("t.csv", b"\xef\xbb\xbf" + CSV.encode(), {}),
        ("t.csv", CSV.replace(",", ";").encode(), {}),
        ("t.tsv", CSV.replace(",", "\t").encode(), {}),
        ("t.csv", CSV.replace('"', "'").replace(",", "|").encode(), {"quote": "'", "delimiter": "|"}),
        ("t.csv", CSV.replace("C,", "C,NA").encode(), {"null": "NA"}),
        ("t.csv.gz", gzip.compress(CSV.encode(), mtime=0), {}),
    ],
)
def test_csv_in_its_dialects(tmp_path: Path, name: str, content: bytes, options: dict[str, str]) -> None:
    (tmp_path / name).write_bytes(content)
    assert read("csv", tmp_path, **options) == EXPECTED
    assert read("csv", tmp_path / name, **options) == EXPECTED


def test_latin_1_is_read_as_declared(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("who,code\nA,é\n".encode("latin-1"))
    assert read("csv", tmp_path, encoding="latin-1")[0]["code"] == "é"
    with pytest.raises(SourceError, match="encoding"):
        read("csv", tmp_path)


def test_parquet_and_duckdb_give_the_same(tmp_path: Path) -> None:
    table = pa.table({"who": ["A", "B", "C"], "code": ["007", "two\nlines", None]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert read("parquet", tmp_path) == EXPECTED
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.register("given", table)
        connection.execute("CREATE TABLE t AS SELECT * FROM given")
    assert read("duckdb", tmp_path / "t.duckdb") == EXPECTED
    assert set(READERS) == {"csv", "duckdb", "fhir-ndjson", "parquet"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"who,,code\nA,x,1\n", "column 2 of the header has no name"),
        ("t.csv", b"who,code,WHO\nA,1,2\n", "columns 1 and later of the header have the same name"),
        ("t.csv", CSV.encode() + b"SECRET,1,2\n", "row 4 is not as the header"),
        ("t.csv", CSV.encode() + b"SECRET\n", "row 4 is not as the header"),
        ("t.csv", CSV.encode() + b'SECRET,"open\n', "row 4 is not as the header"),
        ("t.csv.gz", CSV.encode(), "not what its name says"),
        ("t.csv.gz", gzip.compress(CSV.encode() * 9, mtime=0)[:-12], "not what its name says"),
        ("t.parquet", CSV.encode(), "cannot be read"),
        ("t.duckdb", CSV.encode() * 500, "cannot be opened as a DuckDB database"),
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


def test_two_files_of_one_table_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(CSV.encode(), mtime=0))
    with pytest.raises(SourceError, match="are both table 't'"):
        open_source("csv", tmp_path, {})


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
    (tmp_path / "t.csv").write_text("who,code\n")
    with open_source("csv", tmp_path, {}) as source:
        (file,) = source.digests()
    assert (file.name, file.size) == ("t.csv", 9)
    assert len(file.sha256) == 64
