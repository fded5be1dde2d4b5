"""Members of delivered archives, read where they lie. No name of a member ever becomes a path."""

import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from pipelines.errors import SourceError
from pipelines.readers.limits import MIB, Limits
from pipelines.readers.streams import BLOCK, damage_told, open_file, unpacked

TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst")
SHORT = {".tgz": ".tar.gz", ".tbz2": ".tar.bz2", ".txz": ".tar.xz", ".tzst": ".tar.zst"}

LONGEST_TAR_HEADER = MIB
"""Bytes of a header that tar extends; Python reads it whole, whatever size it claims."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@dataclass(frozen=True)
class Member:
    """A file in an archive: its name there, its size unpacked, and where it starts in a tar or its place in a zip."""

    name: str
    size: int
    place: int


def is_archive(name: str) -> bool:
    """True if the name ends as that of an archive this package reads."""
    return name.lower().endswith((".zip", *TAR))


def members(file: Path, limits: Limits) -> list[Member]:
    """Files of an archive in its order; raises SourceError if one is hostile."""
    found = list(_zip_members(file, limits) if file.name.lower().endswith(".zip") else _tar_members(file, limits))
    _check_names(file.name, [m.name for m in found])
    total = sum(m.size for m in found)
    if total > limits.most_unpacked(file.stat().st_size):
        raise SourceError(
            f"{file.name}: its members come to {total:,} bytes unpacked, out of proportion to its size. "
            "Deliver them unpacked, or raise the node's limit for unpacked deliveries."
        )
    return found


def open_member(file: Path, member: Member, name: str, limits: Limits) -> BinaryIO:
    """Bytes of a member, unpacked once more if its own name ends so."""
    most = limits.most_unpacked(file.stat().st_size)

    def opened(held: ExitStack) -> IO[bytes]:
        if file.name.lower().endswith(".zip"):
            archive = held.enter_context(zipfile.ZipFile(file))
            return held.enter_context(archive.open(archive.infolist()[member.place]))
        stream = held.enter_context(_tar_stream(file, limits))
        return _Slice(_skipped(stream, member.place), member.size)  # type: ignore[return-value]

    return unpacked(name, opened, most)


class _Slice:
    """The next `size` bytes of a stream."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._left = stream, size
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        found = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(found)
        if not found and self._left:
            raise EOFError
        return found


def _zip_members(file: Path, limits: Limits) -> Iterator[Member]:
    with damage_told(file.name), zipfile.ZipFile(file) as archive:
        listed = archive.infolist()
    _check_count(file.name, len(listed), limits)
    for place, info in enumerate(listed):
        if info.flag_bits & 0x1:
            raise SourceError(f"{file.name}: member {place + 1} is encrypted. Deliver the archive without a password.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise SourceError(f"{file.name}: member {place + 1} is a link. Deliver the file it points to.")
        if info.compress_type not in METHODS:
            raise SourceError(f"{file.name}: member {place + 1} is packed in a way that is not known. Use deflate.")
        if not info.is_dir():
            yield Member(info.orig_filename, info.file_size, place)


class _Header(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Header":
        header = super().frombuf(buf, encoding, errors)
        if header.type not in (*tarfile.REGULAR_TYPES, tarfile.DIRTYPE) and header.size > LONGEST_TAR_HEADER:
            raise tarfile.ReadError
        return header


def _tar_members(file: Path, limits: Limits) -> Iterator[Member]:
    with (
        damage_told(file.name),
        _tar_stream(file, limits) as stream,
        tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header, bufsize=BLOCK) as archive,
    ):
        for count, info in enumerate(archive, 1):
            _check_count(file.name, count, limits)
            if not (info.isreg() or info.isdir()) or info.issparse():
                raise SourceError(f"{file.name}: member {count} is a link or a device. Deliver plain files.")
            if info.isreg():
                yield Member(info.name, info.size, info.offset_data)


def _tar_stream(file: Path, limits: Limits) -> BinaryIO:
    name = file.name.lower()
    short = next((s for s in SHORT if name.endswith(s)), "")
    return open_file(file, file.name[: len(name) - len(short)] + SHORT[short] if short else file.name, limits)


def _skipped(stream: BinaryIO, size: int) -> BinaryIO:
    while size:
        found = len(stream.read(min(size, BLOCK)))
        if not found:
            raise EOFError
        size -= found
    return stream


def _check_count(archive: str, count: int, limits: Limits) -> None:
    if count > limits.members:
        raise SourceError(f"{archive}: more than {limits.members:,} members are in it. Deliver fewer, larger files.")


def _check_names(archive: str, names: list[str]) -> None:
    seen: set[str] = set()
    for count, name in enumerate(names, 1):
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or "\0" in name or name[1:2] == ":":
            raise SourceError(f"{archive}: file {count} has a name that leads out of the archive. Pack it again.")
        if str(path).casefold() in seen:
            raise SourceError(f"{archive}: two members have one name (file {count} repeats it). Pack it again.")
        seen.add(str(path).casefold())
