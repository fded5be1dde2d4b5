"""One table of a TOML plan while it is read: typed access, unknown keys refused, complaints with their line."""

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

from pipelines.errors import PlanError

T = TypeVar("T")
_MISSING: Any = object()


class Section:
    """A table at `path` of the document; remembers which keys were asked for, so that `finish` finds the others."""

    def __init__(self, content: dict[str, Any], path: tuple[str, ...], text: str, file: str) -> None:
        self._content, self._path, self._text, self._file = content, path, text, file
        self._asked: set[str] = set()

    @property
    def name(self) -> str:
        return self._path[-1]

    def fail(self, key: str | None, message: str, mend: str = "") -> NoReturn:
        where = ".".join((*self._path, key) if key else self._path)
        raise PlanError(self._file, message, line=self._line(key), where=where, mend=mend)

    def finish(self) -> None:
        """Refuse keys nobody asked for: a misspelt key must not be silently without effect."""
        for key in self._content:
            if key not in self._asked:
                close = get_close_matches(key, self._asked, 1)
                self.fail(key, "unknown key.", f"Did you mean {close[0]!r}?" if close else "Remove it.")

    def has(self, key: str) -> bool:
        return key in self._content

    def at(self, *path: str) -> "Section":
        """The section further down, for complaints found later."""
        content: Any = self._content
        for key in path:
            content = content[key]
        return Section(content, (*self._path, *path), self._text, self._file)

    def section(self, key: str, *, optional: bool = False) -> "Section":
        return Section(self.table(key, required=not optional), (*self._path, key), self._text, self._file)

    def sections(self, key: str) -> Iterator["Section"]:
        """The named sub-tables of table `key`, in the file's order; at least one."""
        for name, content in self.table(key, required=True).items():
            if not isinstance(content, dict):
                self.fail(key, f"{name!r} is not a table.", f"Write [{'.'.join((*self._path, key, name))}].")
            yield Section(content, (*self._path, key, name), self._text, self._file)

    def items(self, key: str) -> Iterator["Section"]:
        """The tables of the array `key`."""
        for content in self._get(key, list, "a list of tables", []):
            if not isinstance(content, dict):
                self.fail(key, "is a list of tables.")
            yield Section(content, (*self._path, key), self._text, self._file)

    def table(self, key: str, *, required: bool = False) -> dict[str, Any]:
        table: dict[str, Any] = self._get(key, dict, "a table", _MISSING if required else {})
        return table

    def text(self, key: str, default: str = _MISSING) -> str:
        text: str = self._get(key, str, "text in quotes", default)
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """Texts of the list `key`; one text alone is a list of one."""
        value = self._get(key, (list, str), "a list of texts", [])
        values = [value] if isinstance(value, str) else value
        if not all(isinstance(v, str) for v in values):
            self.fail(key, "is a list of texts.")
        return tuple(values)

    def lists(self, key: str) -> tuple[tuple[str, ...], ...]:
        """Lists of texts of the list `key`, for example [["sex"], ["region", "age"]]."""
        values = self._get(key, list, "a list of lists of texts", [])
        if not all(isinstance(value, list) and all(isinstance(text, str) for text in value) for value in values):
            self.fail(key, "is a list of lists of texts.", 'Write for example [["sex"], ["region", "age"]].')
        return tuple(tuple(value) for value in values)

    def value(self, key: str) -> Any:
        """What stands under `key`, of whatever type; None if nothing does."""
        self._asked.add(key)
        return self._content.get(key)

    def flag(self, key: str) -> bool:
        return bool(self._get(key, bool, "true or false", False))

    def count(self, key: str, default: int) -> int:
        return int(self._get(key, int, "a whole number", default))

    def number(self, key: str, default: Decimal) -> Decimal:
        return Decimal(self._get(key, (int, Decimal), "a number", default))

    def share(self, key: str, default: Decimal) -> Decimal:
        value = self.number(key, default)
        if not 0 <= value <= 1:
            self.fail(key, "is a share from 0 to 1.")
        return value

    def pair(self, key: str) -> tuple[Any, Any]:
        value = self._get(key, list, "a list of two", _MISSING)
        if len(value) != 2:
            self.fail(key, "is a list of two: the smallest and the largest.")
        return value[0], value[1]

    def match(self, key: str, pattern: re.Pattern[str], said: str) -> str:
        value = self.text(key)
        if not pattern.fullmatch(value):
            self.fail(key, f"is made of {said}.")
        return value

    def choice(self, key: str, allowed: Sequence[str], default: Any = _MISSING) -> Any:
        value = self._get(key, str, "text in quotes", default)
        if value is not default and value not in allowed:
            self.fail(key, f"{value!r} is not known.", f"Choose one of {', '.join(allowed)}.")
        return value

    def choices(self, key: str, allowed: Sequence[str]) -> tuple[str, ...]:
        values = self.texts(key)
        for value in values:
            if value not in allowed:
                self.fail(key, f"{value!r} is not known.", f"Choose among {', '.join(allowed)}.")
        return values

    def build(self, make: Callable[[], T]) -> T:
        """What `make` returns; its ValueError becomes a complaint about this section."""
        try:
            return make()
        except ValueError as failure:
            self.fail(None, f"{failure}.")

    def _get(self, key: str, type_: Any, said: str, default: Any) -> Any:
        self._asked.add(key)
        value = self._content.get(key, default)
        if value is _MISSING:
            self.fail(key, "is missing.", f"Add the key {key!r}.")
        # TOML booleans are Python ints: a flag where a number is wanted is a mistake
        if value is not default and (not isinstance(value, type_) or (isinstance(value, bool) and type_ is not bool)):
            self.fail(key, f"is {said}.")
        return value

    def _line(self, key: str | None) -> int | None:
        """Line of the key, else of the table's header, else None: found by looking, since tomllib does not tell."""
        lines = self._text.splitlines()
        header = _header_line(lines, self._path)
        if key is None:
            return header
        wanted = re.compile(rf"\s*(?:\"{re.escape(key)}\"|{re.escape(key)})\s*[=.]")
        for number, line in enumerate(lines[header or 0 :], start=(header or 0) + 1):
            if line.lstrip().startswith("["):
                break
            if wanted.match(line):
                return number
        return header


def _header_line(lines: list[str], path: tuple[str, ...]) -> int | None:
    if not path:
        return None
    spelt = r"\s*\.\s*".join(rf"\"?{re.escape(part)}\"?" for part in path)
    wanted = re.compile(rf"\s*\[\[?\s*{spelt}\s*\]")
    inline = re.compile(rf"\s*\"?{re.escape(path[-1])}\"?\s*=")
    found = next((n for n, line in enumerate(lines, start=1) if wanted.match(line)), None)
    if found is not None:
        return found
    parent = _header_line(lines, path[:-1])
    start = parent or 0
    here = next((n for n, line in enumerate(lines[start:], start=start + 1) if inline.match(line)), None)
    return here or parent
