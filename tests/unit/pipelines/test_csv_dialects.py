"""CSV in its dialects, encodings and sizes: every cell as text, every row with its number, every fault in words."""

import csv
import gzip
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.errors import SourceError
from pipelines.readers import ROW_NUMBER, Limits, open_source

CSV = 'who,code\nA,007\nB,"two\nlines"\nC,\n'
EXPECTED = [
    {"who": "A", "code": "007", ROW_NUMBER: 1},
    {"who": "B", "code": "two\nlines", ROW_NUMBER: 2},
    {"who": "C", "code": None, ROW_NUMBER: 3},
]


def read(location: Path, limits: Limits | None = None, **options: Any) -> list[dict[str, Any]]:
    with open_source("csv", location, options, limits) as source:
        (table,) = source.tables()
        columns = source.describe(table).columns
        found: list[dict[str, Any]] = source.batches(table, columns).read_all().to_pylist()
    return found


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("t.csv", CSV.encode(), {}),
        ("t.csv", b"\xef\xbb\xbf" + CSV.encode(), {}),
        ("t.csv", CSV.replace(",", ";").encode(), {}),
        ("t.tsv", CSV.replace(",", "\t").encode(), {}),
        ("t.csv", CSV.replace(",", "^").encode(), {"delimiter": "^"}),
        ("t.csv", CSV.replace('"', "'").replace(",", "|").encode(), {"quote": "'", "delimiter": "|"}),
        ("t.csv", CSV.replace("C,", "C,NA").encode(), {"null": "NA"}),
        ("t.csv", CSV.split("\n", 1)[1].encode(), {"columns": ["who", "code"]}),
        ("t.csv", CSV.encode("utf-16"), {"encoding": "utf-16"}),
        ("t.csv", CSV.encode("utf-16-be"), {"encoding": "utf-16-be"}),
        ("t.csv", CSV.encode("cp500"), {"encoding": "cp500"}),
        ("t.csv", CSV.strip().encode(), {}),
        ("t.csv", CSV.replace("\n", "\r\n").replace("two\r\n", "two\n").encode(), {}),
        ("t.csv", CSV.replace("\n", "\r").replace("two\r", "two\n").encode(), {}),
        ("t.csv.gz", gzip.compress(CSV.encode(), mtime=0), {}),
    ],
)
def test_csv_in_its_dialects(tmp_path: Path, name: str, content: bytes, options: dict[str, Any]) -> None:
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path, **options) == EXPECTED
    assert read(tmp_path / name, **options) == EXPECTED


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso-8859-15", "cp850", "mac-roman", "utf-8", "utf-16-le"])
def test_text_is_read_in_the_encoding_the_plan_names(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes("who,code\nA,né à Bésançon\n".encode(encoding))
    assert read(tmp_path, encoding=encoding)[0]["code"] == "né à Bésançon"


@pytest.mark.parametrize(
    ("content", "encoding", "said"),
    [
        ("who,code\nA,é\n".encode("latin-1"), "utf-8", "not in the encoding utf-8"),
        (b"who,code\n" + b"A,1\n" * 300_000 + b"SECRET,\xe9\n", "utf-8", "row 300,001, is not in the encoding"),
        (b"who,code\n" + b"A,1\n" * 300_000 + b"SECRET,\x81\n", "cp1252", "position 1,200,017 is not in the encoding"),
        (b"who,code\n" + b"A,1\n" * 300_000 + b"SECRET,\xe9\n", "ascii", "position 1,200,017 is not in the encoding"),
        ("who,code\nA,1\n".encode("utf-16-le"), "utf-8", "NUL byte in the header. If it is UTF-16"),
        (b"who,code\nA,1\n", "rot13", "encoding 'rot13' is not known"),
        (b"who,code\nA,1\n", "zlib", "encoding 'zlib' is not known"),
    ],
)
def test_a_wrong_encoding_is_told_by_place(tmp_path: Path, content: bytes, encoding: str, said: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SourceError, match=said) as caught:
        read(tmp_path, encoding=encoding)
    assert "SECRET" not in str(caught.value)


MULTI_LINE = ["1,2,3\n", "x", '"', ",", "\n", "yy ", '"a","b"\n']


def write_multi_line(file: Path, rows: int) -> list[tuple[str, str]]:
    """Rows whose cells look like rows, hold quotes and end lines, the longest of them many thousand lines long."""
    chance = random.Random(7)  # noqa: S311
    lengths = [1, 5, 50, 2000, 40_000]
    cells = ["".join(chance.choices(MULTI_LINE, k=lengths[n % 97 % 5])) for n in range(rows)]
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([("id", "text"), *((str(n), cell) for n, cell in enumerate(cells, 1))])
    return [(str(n), cell) for n, cell in enumerate(cells, 1)]


def test_cells_of_several_lines_are_numbered_alike_in_every_read(tmp_path: Path) -> None:
    """Larger than a piece and than the engine's units of parallel work, which such files cut in two."""
    written = write_multi_line(tmp_path / "t.csv", 1_200)
    assert (tmp_path / "t.csv").stat().st_size > 20_000_000
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "t.csv.gz").write_bytes(gzip.compress((tmp_path / "t.csv").read_bytes(), 1))
    for location in (tmp_path / "t.csv", tmp_path / "packed"):
        with open_source("csv", location, {}) as source:
            assert source.relation("t") is None
            for columns in (["id", "text"], ["id"]):
                found = source.batches("t", columns).read_all()
                assert found[ROW_NUMBER].to_pylist() == list(range(1, 1_201))
                assert found["id"].to_pylist() == [n for n, _ in written]
            assert source.batches("t", ["text"]).read_all()["text"].to_pylist() == [c for _, c in written]


def test_a_plain_file_read_by_several_threads_keeps_its_order(tmp_path: Path) -> None:
    duckdb.sql(f"COPY (SELECT range + 1 AS id, 'x, y' AS t FROM range(3000000)) TO '{tmp_path / 't.csv'}' (HEADER)")
    with open_source("csv", tmp_path, {}) as source:
        for batch in source.batches("t", ["id"]):
            assert batch.column(0).to_pylist() == [str(n) for n in batch.column(1).to_pylist()]
        relation = source.relation("t")
        assert source.size_hint("t") == (tmp_path / "t.csv").stat().st_size
    numbered = (
        f"SELECT count(*), count(*) FILTER (n = id::BIGINT) FROM (SELECT id, row_number() OVER () n FROM {relation})"
    )
    for preserved in (True, False):
        with duckdb.connect(config={"threads": 2, "preserve_insertion_order": preserved}) as other:
            assert other.execute(numbered).fetchall() == [(3_000_000, 3_000_000)]


def test_quotes_inside_of_unquoted_cells_are_text(tmp_path: Path) -> None:
    """They turn inside and outside of quotes around for whoever counts them: both readings are tried."""
    rows = b"".join(b'%d,5" wide\n' % n if n % 3 else b'%d,"two\nlines"\n' % n for n in range(1, 900_001))
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"id,text\n" + rows, 1))
    with open_source("csv", tmp_path, {}) as source:
        found = source.batches("t", ["id"]).read_all()
    assert found["id"].to_pylist() == [str(n) for n in found[ROW_NUMBER].to_pylist()]
    assert found.num_rows == 900_000


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('who,code\nA,1\nSECRET,"open\nB,2\n', "row 2, has a quote left open"),
        ('who,code\nA,1\nSECRET,"open\n' + "B,2\n" * 900_000, "row 2, "),
        ('who,code\nA,1\nB,2\nSECRET,"x"y\n', "row 3, has a quote left open, or text after"),
        ("who,code\nA,1\nSECRET\nB,2\n", "row 2, has not a cell for each column"),
        ("who,code\nA,1\nSECRET,2,3\nB,2\n", "row 2, has not a cell for each column"),
        ("who,code\nA,1\nSECRET," + "x" * 10_000_000 + "\nB,2\n", "row 2, is longer than 2,097,152 bytes"),
        ('who,code\nA,1\nSECRET,"' + "x\n" * 5_000_000 + '"\nB,2\n', "row 2, is longer than 2,097,152 bytes"),
        ("who,code\nA,1\nSECRET," + "x" * 40_000_000 + "\nB,2\n", "is longer than 2,097,152 bytes"),
        ("who,code\nA,1\nSECRET,\0\n", "NUL byte at position 21"),
        ("who,code\nA,1\nSECRET,2\r\nB,2\n" * 2, "line end"),
        ("who,code\n" + "A,1\n" * 5_000_000 + "SECRET\n", "row 5,000,001, has not a cell"),
    ],
)
def test_broken_rows_are_told_by_number(tmp_path: Path, name: str, content: str, said: str) -> None:
    data = content.encode()
    (tmp_path / name).write_bytes(gzip.compress(data, 1) if name.endswith("gz") else data)
    with pytest.raises(SourceError, match=said) as caught:
        read(tmp_path)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_longer_rows_are_read_where_the_node_allows_them(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"who,code\nA," + b"x" * 10_000_000 + b"\n"))
    found = read(tmp_path, Limits(row_bytes=20 << 20, ratio=10_000))
    assert len(found[0]["code"]) == 10_000_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b'who,"code\n1,2\n', "header cannot be read|row"),
        (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n", "more than 5,000 columns"),
        (b"a,A\n1,2\n", "columns 1 and 2 of the header have the same name"),
        (b"a, \n1,2\n", "column 2 of the header has no name"),
    ],
)
def test_a_header_that_names_no_columns_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SourceError, match=said):
        read(tmp_path)


def test_wide_tables_are_read(tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(5_000)]
    (tmp_path / "t.csv").write_text(",".join(names) + "\n" + ",".join(str(n) for n in range(5_000)) + "\n")
    (row,) = read(tmp_path)
    assert (row["c0"], row["c4999"]) == ("0", "4999")


@pytest.mark.parametrize("content", [b"who,code\n", b"who,code", b"who,code\r\n"])
def test_a_header_alone_is_an_empty_table(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    assert read(tmp_path) == []


def test_options_are_checked(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    for options in ({"delimiter": "||"}, {"quote": "«"}, {"columns": "who"}, {"columns": [1]}):
        with pytest.raises(SourceError, match="must be"):
            read(tmp_path, **options)
