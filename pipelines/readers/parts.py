"""The files of a delivery by table: plain, compressed, in archives, in sub-folders, whole tables or parts of one.

A table is named after its file without the endings. Numbered files `name.000.csv`, `name.001.csv` are parts of one
table `name`, and files `part-0.csv`, `part-1.csv` parts of the table their folder is named after.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pipelines.errors import SourceError
from pipelines.readers.archives import is_archive, members, open_member
from pipelines.readers.limits import Limits
from pipelines.readers.source import SourceFile, digest_file
from pipelines.readers.streams import compression, open_file
from pipelines.readers.unchanged import Noted, note

NUMBERED = re.compile(r"(?P<table>.+)\.(?P<number>\d+)")
PART = re.compile(r"part[-_.]?(?P<number>\d+)([-_.].*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """Bytes of one table: `name` is the path in the delivery, `size` their number unpacked (None if not known).

    `file` is the delivered file they lie in, `plain` says that it is nothing but these bytes; `open` streams them.
    """

    name: str
    size: int | None
    file: Path
    plain: bool
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class Delivery:
    """The parts of each table, in order, and the folder or file they were found at."""

    location: Path
    tables: Mapping[str, tuple[Part, ...]]
    noted: Noted

    def digests(self) -> Iterator[SourceFile]:
        """Hash and size of each delivered file a table lies in; an archive is one file."""
        return (digest_file(file, _name(file, self.location)) for file in self._files())

    def check_unchanged(self) -> None:
        """Raise SourceError if one of these files changed since they were found."""
        self.noted.of(self._files()).check()

    def _files(self) -> Iterable[Path]:
        return dict.fromkeys(part.file for parts in self.tables.values() for part in parts)


def find_parts(location: Path, suffixes: tuple[str, ...], limits: Limits) -> Delivery:
    """Files that end in one of `suffixes` (and are perhaps compressed), at a file, in an archive or below a folder.

    A single file may have any name. Raises SourceError for hostile archives and for two files of one table.
    """
    files = list(_below(location)) if location.is_dir() else [location]
    noted = note(files)
    found = [p for f in files for p in _parts(f, _name(f, location), suffixes, limits)]
    if not location.is_dir() and not found and not is_archive(location.name):
        found = [_file_part(location, location.name, limits)]
    if not found:
        raise SourceError(
            f"{location}: no file in it ends in {', '.join(suffixes)}, packed or not. "
            "Check the location and the format in the plan."
        )
    return Delivery(location, _by_table(found, suffixes), noted)


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        check_inside(path, folder)
        if path.is_file() and not _is_junk(_name(path, folder)):
            yield path


def check_inside(path: Path, folder: Path) -> None:
    """Raise SourceError if a path in a delivered folder is a link that leads out of it."""
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        raise SourceError(f"{_name(path, folder)}: this link leads out of the delivery. Deliver the file itself.")


def _parts(file: Path, name: str, suffixes: tuple[str, ...], limits: Limits) -> Iterator[Part]:
    if not is_archive(name):
        if _endless(name).lower().endswith(suffixes):
            yield _file_part(file, name, limits)
        return
    for member in members(file, limits):
        if _endless(member.name).lower().endswith(suffixes) and not _is_junk(member.name):
            inside = f"{name}/{member.name}"
            size = None if compression(member.name) else member.size
            yield Part(inside, size, file, False, partial(open_member, file, member, inside, limits))


def _file_part(file: Path, name: str, limits: Limits) -> Part:
    if not file.is_file():
        raise SourceError(f"{file}: this is neither a file nor a folder. Check the location in the plan.")
    plain = not compression(name)
    return Part(name, file.stat().st_size if plain else None, file, plain, partial(open_file, file, name, limits))


def _by_table(parts: list[Part], suffixes: tuple[str, ...]) -> dict[str, tuple[Part, ...]]:
    tables: dict[str, list[tuple[int, Part]]] = defaultdict(list)
    for part, (table, number) in zip(parts, _named([_stem(p.name, suffixes) for p in parts]), strict=True):
        same = [p for n, p in tables[table] if n == number]
        if same:
            raise SourceError(f"{same[0].name} and {part.name} are both table {table!r}. Deliver one of them.")
        tables[table].append((number, part))
    return {t: tuple(p for _, p in sorted(found, key=lambda f: f[0])) for t, found in sorted(tables.items())}


def _named(stems: list[PurePosixPath]) -> list[tuple[str, int]]:
    """Table and part number of each file, -1 for a table in one file."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for stem in stems:
        if numbered := NUMBERED.fullmatch(stem.name):
            numbers[numbered["table"]].add(int(numbered["number"]))
    return [_table_of(stem, numbers) for stem in stems]


def _table_of(stem: PurePosixPath, numbers: Mapping[str, set[int]]) -> tuple[str, int]:
    part, numbered = PART.fullmatch(stem.name), NUMBERED.fullmatch(stem.name)
    if part and stem.parent.name:
        return stem.parent.name, int(part["number"])
    # numbers that do not count from 0 or 1 are part of the name: a year, for one
    if numbered and min(numbers[numbered["table"]]) <= 1:
        _check_complete(numbered["table"], numbers[numbered["table"]])
        return numbered["table"], int(numbered["number"])
    return stem.name, -1


def _check_complete(table: str, numbers: set[int]) -> None:
    missing = set(range(min(numbers), max(numbers))) - numbers
    if missing:
        raise SourceError(f"Table {table!r} comes in numbered files, and number {min(missing)} is missing. Deliver it.")


def _stem(name: str, suffixes: tuple[str, ...]) -> PurePosixPath:
    """The path without endings, its folder's without them too: `person.csv/part-0.csv.gz` is part of `person`."""
    path = PurePosixPath(_endless(name))
    return PurePosixPath(_bare(path.parent.name, suffixes)) / _bare(path.name, suffixes)


def _bare(name: str, suffixes: tuple[str, ...]) -> str:
    suffix = next((s for s in suffixes if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)]


def _endless(name: str) -> str:
    """The name without the ending of a compression."""
    return name[: len(name) - len(compression(name))]


def _is_junk(name: str) -> bool:
    return any(p.startswith(".") or p == "__MACOSX" for p in PurePosixPath(name).parts)


def _name(file: Path, location: Path) -> str:
    return file.relative_to(location).as_posix() if location.is_dir() else file.name
