"""Deliveries packed in every way holders pack them: the same tables and rows as plain files, nothing on a disk."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import SourceError
from pipelines.readers import ROW_NUMBER, Limits, open_source
from pipelines.readers.parts import find_parts

CSV = b'who,code\nA,007\nB,"two\nlines"\n'
ROWS = [{"who": "A", "code": "007", ROW_NUMBER: 1}, {"who": "B", "code": "two\nlines", ROW_NUMBER: 2}]


def read(location: Path, format_: str = "csv", limits: Limits | None = None) -> dict[str, list[dict[str, Any]]]:
    with open_source(format_, location, {}, limits) as source:
        return {t: source.batches(t, source.describe(t).columns).read_all().to_pylist() for t in source.tables()}


def zipped(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members: Mapping[str, bytes], mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def parquet(**columns: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns or {"who": ["A", "B"], "code": ["007", "two\nlines"]}), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("t.csv.gz", gzip.compress),
        ("t.csv.gz", lambda data: gzip.compress(data[:11]) + gzip.compress(data[11:])),
        ("t.csv.bz2", bz2.compress),
        ("t.csv.xz", lzma.compress),
        ("t.csv.zst", lambda data: pa.compress(data, "zstd", asbytes=True)),
        ("d.zip", lambda data: zipped({"t.csv": data})),
        ("d.zip", lambda data: zipped({"deep/er/T.CSV".lower(): data, "deep/read.me": b"x"})),
        ("d.zip", lambda data: zipped({"t.csv.gz": gzip.compress(data)})),
        ("d.tar", lambda data: tarred({"t.csv": data})),
        ("d.tar.gz", lambda data: tarred({"a/other.pdf": b"%PDF", "a/t.csv": data}, "w:gz")),
        ("d.tgz", lambda data: tarred({"t.csv": data}, "w:gz")),
        ("d.tar.bz2", lambda data: tarred({"t.csv": data}, "w:bz2")),
        ("d.tar.xz", lambda data: tarred({"x" * 150 + "/t.csv": data}, "w:xz")),
        ("d.tar.zst", lambda data: pa.compress(tarred({"t.csv": data}), "zstd", asbytes=True)),
    ],
)
def test_a_packed_file_reads_as_the_plain_one(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / name).write_bytes(pack(CSV))
    assert read(tmp_path / name) == {"t": ROWS}
    assert read(tmp_path) == {"t": ROWS}


@pytest.mark.parametrize("name", ["t.parquet.gz", "d.zip", "d.tar.xz"])
def test_packed_parquet_is_read_in_memory_up_to_a_limit(tmp_path: Path, name: str) -> None:
    members = {"t.parquet": parquet()}
    packed = {"t.parquet.gz": gzip.compress(parquet()), "d.zip": zipped(members), "d.tar.xz": tarred(members, "w:xz")}
    (tmp_path / name).write_bytes(packed[name])
    assert read(tmp_path, "parquet") == {"t": ROWS}
    with pytest.raises(SourceError, match="must fit into memory"):
        read(tmp_path, "parquet", Limits(parquet_bytes=100))


def test_a_folder_may_mix_plain_packed_and_archived_files(tmp_path: Path) -> None:
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "a.csv").write_bytes(CSV)
    (tmp_path / "sub" / "b.csv.gz").write_bytes(gzip.compress(CSV))
    (tmp_path / "sub" / "deep" / "c.csv").write_bytes(CSV)
    (tmp_path / "more.zip").write_bytes(zipped({"d.csv": CSV, "__MACOSX/._d.csv": b"junk", ".hidden.csv": b"junk"}))
    (tmp_path / "notes.pdf").write_bytes(b"%PDF")
    (tmp_path / ".e.csv").write_bytes(CSV)
    assert read(tmp_path) == dict.fromkeys("abcd", ROWS)
    with open_source("csv", tmp_path, {}) as source:
        assert [d.name for d in source.digests()] == ["a.csv", "sub/b.csv.gz", "sub/deep/c.csv", "more.zip"]
        assert [source.size_hint(t) for t in "abcd"] == [len(CSV), None, len(CSV), len(CSV)]


@pytest.mark.parametrize(
    "names",
    [
        ["t/part-0.csv", "t/part-2.csv", "t/part-10.csv"],
        ["t.csv/part-00000-8e1c.csv", "t.csv/part-00001-8e1c.csv", "t.csv/part-00002-8e1c.csv"],
        ["t.000.csv", "t.001.csv", "t.002.csv"],
        ["t.1.csv.gz", "t.2.csv", "t.3.csv"],
    ],
)
def test_several_files_may_be_one_table(tmp_path: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        data = f"who,code\nA,{number}\nB,{number}\n".encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    (rows,) = read(tmp_path).values()
    assert [(r["code"], r[ROW_NUMBER]) for r in rows] == [("0", 1), ("0", 2), ("1", 3), ("1", 4), ("2", 5), ("2", 6)]


def test_numbers_that_do_not_count_are_names(tmp_path: Path) -> None:
    for name in ("stays.2020.csv", "stays.2021.csv"):
        (tmp_path / name).write_bytes(CSV)
    assert set(read(tmp_path)) == {"stays.2020", "stays.2021"}


def test_parts_must_be_complete_and_alike(tmp_path: Path) -> None:
    (tmp_path / "t.0.csv").write_bytes(CSV)
    (tmp_path / "t.2.csv").write_bytes(CSV)
    with pytest.raises(SourceError, match="number 1 is missing"):
        read(tmp_path)
    (tmp_path / "t.1.csv").write_bytes(b"code,who\nx,y\n")
    with pytest.raises(SourceError, match=r"t\.1\.csv: its header differs from that of t\.0\.csv"):
        read(tmp_path)


@pytest.mark.parametrize("others", [["t.csv.gz"], ["sub/t.csv"], ["sub.zip"]])
def test_two_files_of_one_table_are_refused(tmp_path: Path, others: list[str]) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "t.csv").write_bytes(CSV)
    (tmp_path / others[0]).write_bytes(zipped({"t.csv": CSV}) if others[0].endswith("zip") else CSV)
    with pytest.raises(SourceError, match="are both table 't'"):
        open_source("csv", tmp_path, {})


def test_ndjson_members_stream_to_whoever_reads_them(tmp_path: Path) -> None:
    (tmp_path / "d.zip").write_bytes(zipped({"Patient.000.ndjson": b'{"a":1}\n', "Patient.001.ndjson": b'{"a":2}\n'}))
    (parts,) = find_parts(tmp_path, (".ndjson",), Limits()).tables.values()
    lines = []
    for part in parts:
        with part.open() as stream:
            lines += list(stream)
    assert lines == [b'{"a":1}\n', b'{"a":2}\n']


def test_nothing_is_written_while_a_packed_delivery_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is opened for writing: what must be a file for the engine exists in memory alone."""
    delivery, elsewhere = tmp_path / "delivery", tmp_path / "elsewhere"
    delivery.mkdir()
    elsewhere.mkdir()
    (delivery / "d.tar.xz").write_bytes(tarred({"t.csv": CSV, "u.parquet": parquet()}, "w:xz"))
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    before = delivery.stat()
    assert read(delivery) == {"t": ROWS}
    assert read(delivery, "parquet") == {"u": ROWS}
    assert list(elsewhere.iterdir()) == []
    assert delivery.stat().st_mtime_ns == before.st_mtime_ns
