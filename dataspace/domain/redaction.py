"""Confidential parts: what the public register leaves out, and the mark that says so (Art. 57(1)(j), 52).

A part is a whole field, or a passage wherever it occurs in the published texts of a case. The five particulars of
Art. 57(1)(e) are never left out as a whole: a title or summary that is confidential is replaced by the mark.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from dataspace.domain.errors import InvalidInput


class Ground(StrEnum):
    """Why something is not published."""

    TRADE_SECRET = "trade-secret"  # noqa: S105 - the name of a ground
    INTELLECTUAL_PROPERTY = "intellectual-property"
    PERSONAL_DATA = "personal-data"
    SECURITY = "security"


class Part(StrEnum):
    """What may be confidential: a field as a whole, or a passage wherever it stands."""

    TITLE = "title"
    LAY_SUMMARY = "lay-summary"
    REASONS = "reasons"
    PASSAGE = "passage"


SHORTEST_PASSAGE = 3
"""Letters or digits; a shorter passage would black out parts of other words."""

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class ConfidentialPart:
    """One part of a case named confidential; `reason` is for the access body and is not published, the ground is.

    `lifts` is the identifier of an earlier part that this entry takes back, empty otherwise.
    """

    id: str
    case: str
    part: Part
    ground: Ground
    reason: str
    declared_by: str
    declared_at: datetime
    passage: str = ""
    lifts: str = ""

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise InvalidInput("say why the part is confidential; without a reason it is published")
        if (self.part is Part.PASSAGE) != bool(self.passage.strip()) and not self.lifts:
            raise InvalidInput("a passage is given with its text, a whole field without one")
        if self.passage and sum(c.isalnum() for c in self.passage) < SHORTEST_PASSAGE:
            raise InvalidInput(f"a confidential passage has at least {SHORTEST_PASSAGE} letters or digits")


def mark(ground: Ground) -> str:
    """What stands where something was left out."""
    return f"[withheld: {ground.value.replace('-', ' ')}]"


@dataclass(frozen=True)
class Redaction:
    """What to leave out of the texts of one case."""

    fields: frozenset[tuple[Part, Ground]] = frozenset()
    passages: tuple[tuple[str, Ground], ...] = ()
    names: tuple[str, ...] = ()

    @staticmethod
    def of(parts: Iterable[ConfidentialPart], names: Iterable[str] = ()) -> "Redaction":
        """From the parts in force, and names of natural persons who are not themselves the applicant."""
        declared = tuple(parts)
        lifted = {part.lifts for part in declared}
        standing = [part for part in declared if not part.lifts and part.id not in lifted]
        return Redaction(
            frozenset((p.part, p.ground) for p in standing if p.part is not Part.PASSAGE),
            tuple((p.passage, p.ground) for p in standing if p.part is Part.PASSAGE),
            tuple(sorted({name for name in names if name.strip()})),
        )

    def field(self, part: Part, text: str) -> str:
        """The text of one field as it is published."""
        grounds = sorted(ground for named, ground in self.fields if named is part)
        return mark(grounds[0]) if grounds and text.strip() else self.text(text)

    def text(self, text: str) -> str:
        """`text` with every confidential passage and name replaced, however it is spaced or capitalised."""
        return _redacted(self, text)

    def spans(self, text: str) -> Iterator[tuple[int, int, Ground]]:
        """Where `text` holds something to leave out, and why; one may lie within another."""
        for passage, ground in self.passages:
            yield from ((*found, ground) for found in _occurrences(_anywhere(passage), text))
        for name in self.names:
            for pattern in _as_whole(name):
                yield from ((*found, Ground.PERSONAL_DATA) for found in _occurrences(pattern, text))


@lru_cache(maxsize=4096)
def _redacted(redaction: Redaction, text: str) -> str:
    """Public pages show the same texts again and again, and each is looked through for every name."""
    plain = unicodedata.normalize("NFC", text)
    spans = sorted(redaction.spans(plain), key=lambda span: (span[0], -span[1]))
    pieces, end = [], 0
    for start, stop, ground in spans:
        if start >= end:
            pieces += [plain[end:start], mark(ground)]
        end = max(end, stop)
    return "".join([*pieces, plain[end:]])


@lru_cache(maxsize=4096)
def _anywhere(passage: str) -> re.Pattern[str]:
    return _overlapping(_loosely(passage))


@lru_cache(maxsize=65_536)
def _as_whole(name: str) -> tuple[re.Pattern[str], ...]:
    """A name in each order of its words, where it is not a part of other words."""
    return tuple(_overlapping(rf"(?<!\w){_loosely(spelled)}(?!\w)") for spelled in sorted(_spellings(name)))


def _overlapping(pattern: str) -> re.Pattern[str]:
    """Finds also what begins within an earlier find."""
    return re.compile(f"(?=({pattern}))", re.IGNORECASE)


def _loosely(text: str) -> str:
    words = _WORD.findall(unicodedata.normalize("NFC", text))
    return r"\s+".join("".join(map(_any_case, word)) for word in words)


def _any_case(letter: str) -> str:
    """A letter however it is capitalised, also where that makes two of one, as of ß."""
    forms = {letter, letter.upper(), letter.lower(), letter.casefold(), letter.title()}
    spelled = sorted((re.escape(unicodedata.normalize("NFC", form)) for form in forms), key=len, reverse=True)
    return spelled[0] if len(spelled) == 1 else f"(?:{'|'.join(spelled)})"


def _occurrences(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    for found in pattern.finditer(text):
        yield found.span(1)


def _spellings(name: str) -> set[str]:
    words = name.split()
    if len(words) < 2:
        return {name}
    return {name, f"{words[-1]} {' '.join(words[:-1])}", f"{words[-1]}, {' '.join(words[:-1])}"}
