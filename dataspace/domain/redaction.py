"""Confidential parts: what the public register leaves out, and the mark that says so (Art. 57(1)(j), 52).

A part is a whole field, or a passage wherever it occurs in the published texts of a case. The five particulars of
Art. 57(1)(e) are never left out as a whole: a title or summary that is confidential is replaced by the mark.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate

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


SHORTEST_PASSAGE, LONGEST_PASSAGE = 3, 500
"""Letters or digits, and characters: shorter ones black out other words, longer ones are whole fields."""


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
        if self.passage and len(fold(self.passage)) < SHORTEST_PASSAGE:
            raise InvalidInput(f"a confidential passage has at least {SHORTEST_PASSAGE} letters or digits")


def check_passage(passage: str) -> None:
    """Raises InvalidInput for a passage of one letter again and again, or too long to be declared."""
    if passage and len(set(fold(passage))) < 2:
        raise InvalidInput("a confidential passage has at least two different letters or digits")
    if len(passage) > LONGEST_PASSAGE:
        raise InvalidInput(f"a confidential passage has at most {LONGEST_PASSAGE} characters; name the parts of it")


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

    def spans(self, text: "Folded") -> Iterator[tuple[int, int, Ground]]:
        """Where the text holds something to leave out, and why; one may lie within another."""
        for passage, ground in self.passages:
            yield from ((*found, ground) for found in text.anywhere(passage))
        for name in self.names:
            for spelled in _spellings(name):
                yield from ((*found, Ground.PERSONAL_DATA) for found in text.whole(spelled))


@lru_cache(maxsize=4096)
def _redacted(redaction: Redaction, text: str) -> str:
    """Public pages show the same texts again and again, and each is looked through for every name."""
    plain = unicodedata.normalize("NFC", text)
    spans = sorted(redaction.spans(Folded(plain)), key=lambda span: (span[0], -span[1]))
    pieces, end = [], 0
    for start, stop, ground in spans:
        if start >= end:
            pieces += [plain[end:start], mark(ground)]
        end = max(end, stop)
    return "".join([*pieces, plain[end:]])


class Folded:
    """A text as it is searched: letters and digits alone, without case, accents and marks, each with its place.

    Searching is plain search for strings, so that no text makes it slow.
    """

    def __init__(self, text: str) -> None:
        self._text, self._letters, self._places = text, fold(text), _places(text)
        self._blanks = list(accumulate((c.isspace() for c in text), initial=0))

    def anywhere(self, words: str) -> Iterator[tuple[int, int]]:
        """Every place of `words`, however they are spelled and put apart; one word is not looked for across blanks."""
        alone = len(words.split()) == 1
        for start, end in self._found(words):
            if not (alone and self._blanks[end] > self._blanks[start]):
                yield start, end

    def whole(self, words: str) -> Iterator[tuple[int, int]]:
        """Every place of `words` where they are not a part of other words."""
        for start, end in self.anywhere(words):
            if not (_joins(self._text[start - 1 : start]) or _joins(self._text[end : end + 1])):
                yield start, end

    def _found(self, words: str) -> Iterator[tuple[int, int]]:
        wanted = fold(words)
        at = self._letters.find(wanted) if wanted else -1
        while at >= 0:
            end = self._places[at + len(wanted) - 1] + 1
            while unicodedata.combining(self._text[end : end + 1] or " "):
                end += 1
            yield self._places[at], end
            at = self._letters.find(wanted, at + 1)


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Letters and digits alone, without case, width, accents and marks."""
    return "".join(_letters(c) for c in unicodedata.normalize("NFC", text))


def _places(text: str) -> list[int]:
    """Of each letter of the folded text, where it comes from."""
    return [place for place, c in enumerate(text) for _ in _letters(c)]


@lru_cache(maxsize=65_536)
def _letters(character: str) -> str:
    # capitals first: a dotless i has the capital of i
    large = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).upper()).upper()
    return "".join(c for c in unicodedata.normalize("NFKD", large.casefold()) if c.isalnum())


def _joins(neighbour: str) -> bool:
    return neighbour.isalnum() or neighbour == "_"


@lru_cache(maxsize=65_536)
def _spellings(name: str) -> tuple[str, ...]:
    """A name in each order of its words, and with its first name as an initial."""
    words = name.split()
    if len(words) < 2:
        return (name,)
    last, before = words[-1], " ".join(words[:-1])
    return (name, f"{last} {before}", f"{words[0][0]}. {last}", f"{last} {words[0][0]}.")
