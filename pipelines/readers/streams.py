"""Bytes of a delivered file, unpacked on the way and counted: nothing touches a disk, nothing is read as a whole."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.readers.limits import Limits

BLOCK = 1 << 20

UNPACKERS: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda raw: gzip.GzipFile(fileobj=raw),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": lambda raw: pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd"),
}
"""By the ending of a name, what unpacks it in a stream; each checks the check sums of its format."""

BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, pa.ArrowException)
"""What the libraries raise on a file that is cut off or damaged."""


class Unpacked(io.RawIOBase):
    """An unpacked stream that ends with a SourceError if it is damaged or grows beyond what its file may hold."""

    def __init__(self, name: str, source: IO[bytes], most: int, held: ExitStack) -> None:
        super().__init__()
        self._name, self._source, self._most, self._held = name, source, most, held
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with damage_told(self._name):
            found = self._source.read(len(buffer))
        self._given += len(found)
        if self._given > self._most:
            raise SourceError(
                f"{self._name}: more than {self._most:,} bytes come out of it, which is out of proportion to its size. "
                "Deliver it unpacked, or raise the node's limit for unpacked deliveries."
            )
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        if not self.closed:
            self._held.close()
        super().close()


def compression(name: str) -> str:
    """The compression a file's name ends with, "" if none."""
    return next((suffix for suffix in UNPACKERS if name.lower().endswith(suffix)), "")


def open_file(file: Path, name: str, limits: Limits) -> BinaryIO:
    """Bytes of a delivered file, unpacked if its name ends so. Raises SourceError, at the latest while reading."""
    return unpacked(name, lambda held: held.enter_context(file.open("rb")), limits.most_unpacked(file.stat().st_size))


def unpacked(name: str, opened: Callable[[ExitStack], IO[bytes]], most: int) -> BinaryIO:
    """The stream that `opened` gives, unpacked by the end of `name`; closing it closes all that was entered."""
    with ExitStack() as held:
        with damage_told(name):
            source = opened(held)
            unpacker = UNPACKERS.get(compression(name))
            if unpacker is not None:
                source = held.enter_context(unpacker(source))
        return io.BufferedReader(Unpacked(name, source, most, held.pop_all()), BLOCK)
    raise AssertionError("unreachable")


@contextmanager
def damage_told(name: str) -> Iterator[None]:
    """Turn what a library raises on a damaged file into a SourceError that names the file alone."""
    try:
        yield
    except EOFError:
        raise SourceError(f"{name}: the file is cut off. Deliver it again, whole.") from None
    except PermissionError:
        raise SourceError(f"{name}: this account may not read it. Change the file's permissions.") from None
    except BROKEN:
        raise SourceError(
            f"{name}: the file cannot be read, or is not what its name says. Check that it arrived whole."
        ) from None
