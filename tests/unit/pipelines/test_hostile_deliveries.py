"""Deliveries that are broken or meant to do harm: each is refused in words, within limits, before it costs anything."""

import bz2
import gzip
import io
import lzma
import resource
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.errors import SourceError
from pipelines.readers import Limits, open_source
from tests.unit.pipelines.test_packed_deliveries import CSV, parquet, read, tarred, zipped

BOMB = b"who,code\n" + b"A,1\n" * 2_500_000
SMALL = Limits(ratio_from=1 << 20)


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("t.csv.gz", lambda data: gzip.compress(data, 9)),
        ("t.csv.bz2", bz2.compress),
        ("t.csv.xz", lambda data: lzma.compress(data, preset=1)),
        ("t.csv.zst", lambda data: pa.compress(data, "zstd", asbytes=True)),
        ("d.zip", lambda data: zipped({"t.csv": data})),
        ("d.tar.xz", lambda data: lzma.compress(tarred({"t.csv": data}), preset=1)),
        ("d.zip", lambda data: zipped({"t.csv.gz": gzip.compress(data, 9)})),
    ],
)
def test_bombs_are_stopped_while_they_unpack(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / name).write_bytes(pack(BOMB))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError, match="out of proportion to its size"):
        read(tmp_path, limits=SMALL)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_what_unpacks_is_limited_in_all(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(CSV * 1000))
    with pytest.raises(SourceError, match="more than 10,000 bytes come out of it"):
        read(tmp_path, limits=Limits(unpacked_bytes=10_000))


def test_a_zip_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    """A member said to be small gives no more than that, and then its check sum is wrong."""
    data = bytearray(zipped({"t.csv": CSV * 1000}))
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", len(CSV) * 2)
    (tmp_path / "d.zip").write_bytes(bytes(data))
    with pytest.raises(SourceError, match="cannot be read, or is not what its name says"):
        read(tmp_path)


@pytest.mark.parametrize(
    "name", ["../t.csv", "/etc/t.csv", "a/../../t.csv", "..\\t.csv", "C:\\t.csv", "a/b/../../../t.csv"]
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_lead_out_of_an_archive_are_refused(
    tmp_path: Path, name: str, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    file = tmp_path / ("d.zip" if pack is zipped else "d.tar")
    file.write_bytes(pack({"good.csv": CSV, name: CSV}))
    with pytest.raises(SourceError, match="file 2 has a name that leads out of the archive"):
        open_source("csv", file, {})


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("t.csv", CSV)
        archive.writestr("t.csv", b"who,code\nother,1\n")
    with pytest.raises(SourceError, match="two members have one name"):
        open_source("csv", tmp_path, {})


def test_links_and_devices_in_archives_are_refused(tmp_path: Path) -> None:
    for type_ in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        with tarfile.open(tmp_path / "d.tar", "w") as archive:
            info = tarfile.TarInfo("t.csv")
            info.type, info.linkname = type_, "/etc/passwd"
            archive.addfile(info)
        with pytest.raises(SourceError, match="member 1 is a link or a device"):
            open_source("csv", tmp_path / "d.tar", {})
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as zipped_link:
        link = zipfile.ZipInfo("t.csv")
        link.external_attr = 0o120777 << 16
        zipped_link.writestr(link, "/etc/passwd")
    with pytest.raises(SourceError, match="member 1 is a link"):
        open_source("csv", tmp_path / "d.zip", {})


def test_links_that_lead_out_of_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "delivery").mkdir()
    (tmp_path / "secret.csv").write_bytes(CSV)
    (tmp_path / "delivery" / "t.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(SourceError, match="this link leads out of the delivery"):
        open_source("csv", tmp_path / "delivery", {})


def test_encrypted_archives_are_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"t.csv": CSV}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "d.zip").write_bytes(bytes(data))
    with pytest.raises(SourceError, match="encrypted"):
        open_source("csv", tmp_path, {})


def test_a_tar_header_that_asks_for_memory_is_refused(tmp_path: Path) -> None:
    """Python reads an extended header whole, whatever size it claims."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    packed = gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(30 << 20), 9)
    (tmp_path / "d.tar.gz").write_bytes(packed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError, match="cannot be read"):
        open_source("csv", tmp_path, {})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    members = {f"t{n}.csv": CSV for n in range(11)}
    for name, data in (("d.zip", zipped(members)), ("d.tar", tarred(members))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match="more than 10 members"):
            open_source("csv", tmp_path / name, {}, Limits(members=10))


LONG = b"who,code\n" + b"".join(b"A%d,%d\n" % (n * 7919 % 10007, n * 31 % 9973) for n in range(100_000))


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.999])
@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("t.csv.gz", gzip.compress(LONG)),
        ("t.csv.bz2", bz2.compress(LONG)),
        ("t.csv.xz", lzma.compress(LONG)),
        ("t.csv.zst", pa.compress(LONG, "zstd", asbytes=True)),
        ("d.zip", zipped({"t.csv": LONG})),
        ("d.tar", tarred({"t.csv": LONG})),
        ("d.tar.gz", tarred({"t.csv": LONG}, "w:gz")),
        ("d.tar.xz", tarred({"t.csv": LONG}, "w:xz")),
    ],
)
def test_files_that_are_cut_off_are_refused(tmp_path: Path, name: str, packed: bytes, cut: float) -> None:
    # what is missing from a tar alone may be its padding
    whole = packed.rstrip(b"\0") if name == "d.tar" else packed
    (tmp_path / name).write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(SourceError, match=r"cut off|not what its name says"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "packed"),
    [("t.csv.gz", gzip.compress(LONG)), ("t.csv.xz", lzma.compress(LONG)), ("d.zip", zipped({"t.csv": LONG}))],
)
def test_a_changed_byte_is_noticed(tmp_path: Path, name: str, packed: bytes) -> None:
    """Also in a check sum itself, which the engine's own gzip reader does not compare."""
    places = [len(packed) // 2] + ([len(packed) - 6] if name.endswith("gz") else [])
    for place in places:
        data = bytearray(packed)
        data[place] ^= 0x10
        (tmp_path / name).write_bytes(bytes(data))
        with pytest.raises(SourceError):
            read(tmp_path)


@pytest.mark.parametrize("cut", [0.2, 0.6, 0.99])
def test_truncated_parquet_is_refused(tmp_path: Path, cut: float) -> None:
    data = parquet(who=[str(n) for n in range(10_000)])
    (tmp_path / "t.parquet").write_bytes(data[: int(len(data) * cut)])
    with pytest.raises(SourceError, match="the Parquet file is cut off"):
        read(tmp_path, "parquet")


def test_parquet_damaged_inside_is_refused(tmp_path: Path) -> None:
    data = parquet(who=[str(n) for n in range(10_000)])
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + bytes(len(data) - 8) + b"PAR1")
    with pytest.raises(SourceError, match="cannot be read"):
        read(tmp_path, "parquet")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (parquet(), "begins as Parquet"),
        (zipped({"t.csv": CSV}), "begins as zip"),
        (gzip.compress(CSV), "begins as gzip"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "begins as HTML"),
        (b"\n <HTML>\n", "begins as HTML"),
        (b'<?xml version="1.0"?><a/>', "begins as XML"),
        (b"%PDF-1.7\n", "begins as PDF"),
        (b"{\\rtf1\\ansi\n", "begins as RTF"),
        (b"SQLite format 3\0" + bytes(100), "begins as SQLite"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "begins as an old spreadsheet"),
    ],
)
def test_a_file_is_told_by_what_it_is_and_not_by_its_name(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SourceError, match=f"is no CSV file. It {said}"):
        read(tmp_path)
    (tmp_path / "t.csv").write_bytes(zipped({"t.csv": content}))
    (tmp_path / "t.csv").rename(tmp_path / "d.zip")
    with pytest.raises(SourceError, match=f"is no CSV file. It {said}"):
        read(tmp_path)


def test_a_folder_without_a_known_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.docx").write_bytes(b"x")
    for format_ in ("csv", "parquet"):
        with pytest.raises(SourceError, match="no file in it ends in"):
            open_source(format_, tmp_path, {})


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_bytes(CSV)
    opened = Path.open

    def refuse(self: Path, *args: object, **more: object) -> io.IOBase:
        if self.name == "t.csv":
            raise PermissionError
        return opened(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match="this account may not read it"):
        read(tmp_path)
