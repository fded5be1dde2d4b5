"""FHIRPath text cut into tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pipelines.readers.fhir.tree import PathError

LONGEST_PATH = 1_000
"""Characters of a path: enough for any column, and too few to nest deeper than the engine goes."""


class Sort(StrEnum):
    NAME = "name"
    QUOTED_NAME = "quoted name"
    NUMBER = "number"
    TEXT = "text"
    CONSTANT = "constant"
    VARIABLE = "variable"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True)
class Token:
    """`text` is the meaning: without quotes, escapes resolved."""

    sort: Sort
    text: str


TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | `(?P<quoted_name>[A-Za-z_][A-Za-z0-9_]*)`
    | '(?P<text>(?:[^'\\]|\\.)*)'
    | %(?P<constant>[A-Za-z_][A-Za-z0-9_]*)
    | \$(?P<variable>[a-z]+)
    | (?P<sign><=|>=|!=|!~|[-+*/&|=~<>.,()\[\]{}])
    )""",
    re.VERBOSE | re.DOTALL,
)

ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)

ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/"}


def tokens(path: str) -> Iterator[Token]:
    """The tokens of a path and an END; raises PathError."""
    if len(path) > LONGEST_PATH:
        raise PathError(f"the path is longer than {LONGEST_PATH:,} characters")
    position, end = 0, len(path.rstrip())
    while position < end:
        found = TOKEN.match(path, position)
        if found is None or found.lastgroup is None:
            raise PathError(f"character {position + 1} begins nothing a path may hold")
        sort = Sort(found.lastgroup.replace("_", " "))
        text = found[found.lastgroup]
        yield Token(sort, ESCAPE.sub(_unescaped, text) if sort is Sort.TEXT else text)
        position = found.end()
    yield Token(Sort.END, "")


def _unescaped(found: re.Match[str]) -> str:
    sign = found[1]
    if len(sign) > 1:
        return chr(int(sign[1:], 16))
    if sign not in ESCAPED:
        raise PathError(f"\\{sign} is no escape of FHIRPath")
    return ESCAPED[sign]
