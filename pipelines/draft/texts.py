"""The text files of a delivery, wherever they lie: alone, in a folder, packed, or in an archive."""

import bz2
import gzip
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, cast

from pipelines.errors import SourceError

PACKED: dict[str, Callable[[Path], object]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
"""Endings of files packed one by one, and what opens them."""

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")

TEXTS = tuple(kind + packed for kind in (".csv", ".tsv", ".txt") for packed in ("", ".gz", ".xz", ".bz2", ".zst"))


@dataclass(frozen=True)
class Text:
    """One text file; `inside` is its name in the archive `file`, if it lies in one."""

    file: Path
    inside: str = ""

    @property
    def table(self) -> str:
        """The name of the table it is delivered as: the file's, without folder and endings, in lower case."""
        return stem(self.inside or self.file.name)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Its bytes, unpacked; raises SourceError."""
        try:
            with _archive(self.file) if self.inside else _plain(self.file) as stream:
                if not self.inside:
                    yield cast(BinaryIO, stream)
                elif isinstance(stream, zipfile.ZipFile):
                    with stream.open(self.inside) as member:
                        yield cast(BinaryIO, member)
                else:
                    yield cast(BinaryIO, cast(tarfile.TarFile, stream).extractfile(self.inside))
        except (OSError, EOFError, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, RuntimeError):
            raise SourceError(f"{self.file}: the file cannot be read, or is not what its name says.") from None


def stem(name: str) -> str:
    """A file's name without folders and endings, in lower case."""
    lower = PurePath(name).name.lower()
    ending = max((e for e in (*TEXTS, ".parquet", *ARCHIVES) if lower.endswith(e)), key=len, default="")
    return lower[: len(lower) - len(ending)] if ending else PurePath(lower).stem


def texts_of(location: Path, files: Sequence[Path]) -> list[Text]:
    """Text files of a delivery."""
    if len(files) == 1 and location.is_file():
        if is_archive(location):
            return [Text(location, name) for name in names_in(location) if name.lower().endswith(TEXTS)]
        return [] if location.name.lower().endswith(".zst") else [Text(location)]
    listed = files if len(files) > 1 else sorted(location.iterdir())
    return [Text(f) for f in listed if f.is_file() and f.name.lower().endswith(TEXTS[:4] + TEXTS[5:9])]


def is_archive(file: Path) -> bool:
    return file.name.lower().endswith(ARCHIVES)


def names_in(archive: Path) -> list[str]:
    """Names of the files in an archive, without what a Mac adds; raises SourceError."""
    try:
        with _archive(archive) as opened:
            names = opened.namelist() if isinstance(opened, zipfile.ZipFile) else opened.getnames()
    except (OSError, EOFError, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile):
        raise SourceError(f"{archive}: the archive cannot be read, or is not what its name says.") from None
    return [n for n in names if "__MACOSX" not in n and not PurePath(n).name.startswith(".")]


def _archive(file: Path) -> zipfile.ZipFile | tarfile.TarFile:
    return zipfile.ZipFile(file) if file.name.lower().endswith(".zip") else tarfile.open(file)


def _plain(file: Path) -> BinaryIO:
    packed = next((opener for end, opener in PACKED.items() if file.name.lower().endswith(end)), None)
    return cast(BinaryIO, packed(file)) if packed else file.open("rb")
