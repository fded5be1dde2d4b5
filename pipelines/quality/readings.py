"""Ways to read a stored value: what somebody would see in it who looks for an identifier in disguise.

Folding makes spellings equal that a reader takes for equal: compatibility forms (NFKC), case, accents, look-alike
letters of other alphabets, foreign digits, invisible characters, separators. On top of it a value is read backwards,
decoded, with digits for the letters that resemble them, and as its digits alone.
"""

import binascii
import html
import re
import unicodedata
from base64 import b32decode, b64decode
from collections.abc import Callable, Iterator
from urllib.parse import unquote

LOOK_ALIKES = str.maketrans(
    "авекмнорстухѕіјԁɡαβεικνορτυχωøłđðıæœ",
    "abekmhopctyxsijdgabeikvoptuxwolddiao",
)
"""Letters taken for Latin ones, case-folded."""

DIGIT_ALIKES = str.maketrans("oilzsbg", "0112589")
"""Letters taken for digits, read so only in a word that has more digits than letters."""

SPELT = {"at", "arobase", "chez", "dot", "point"}
"""Words for the signs of an e-mail address."""

SHORTEST_CODED = 8
"""Characters from which on a word is tried as hexadecimal, base 32 or base 64."""

SCANNED = 40
"""Values up to this length are searched from every character on, longer ones from the start of each word."""


def plain(text: str) -> str:
    """The text with spellings made equal and separators kept; SQL's lower() does the same to ASCII."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = (_digit(c) for c in folded if unicodedata.category(c) not in ("Mn", "Cf"))
    return "".join(kept).translate(LOOK_ALIKES)


def _digit(character: str) -> str:
    found = unicodedata.decimal(character, None)
    return character if found is None else str(found)


def words(text: str) -> list[str]:
    """Runs of letters and digits of the folded text."""
    return re.findall(r"[^\W_]+", plain(text))


def readings(value: str) -> Iterator[str]:
    """Texts to search for identifiers: folded words with one blank between them, first as the value is written."""
    if len(value) < SHORTEST_CODED and value.isascii() and value.isdigit():
        # most numbers are this short, and these are all their readings
        yield from {value: None, value[::-1]: None}
        return
    seen = set()
    for text in _texts(value):
        for read in _orders(words(text)):
            joined = " ".join(read)
            if joined and joined not in seen:
                seen.add(joined)
                yield joined


def _texts(value: str) -> Iterator[str]:
    yield value
    if "&" in value or "%" in value:
        yield unquote(html.unescape(value))
    for word in re.findall(rf"[A-Za-z0-9+/=]{{{SHORTEST_CODED},}}", value):
        yield from _decoded(word)


def _orders(found: list[str]) -> Iterator[list[str]]:
    yield found
    yield [word[::-1] for word in reversed(found)]
    if not SPELT.isdisjoint(found):
        yield [word for word in found if word not in SPELT]
    digits = [_as_digits(word) for word in found]
    if digits != found:
        yield digits
        yield ["".join(digits)[::-1]]
    alone = re.sub("[^0-9]", "", "".join(digits))
    if len(alone) >= SHORTEST_CODED:
        yield [alone]
        yield [alone[::-1]]


def _as_digits(word: str) -> str:
    if word.isdigit() or sum(c.isdigit() for c in word) * 2 <= len(word):
        return word
    changed = word.translate(DIGIT_ALIKES)
    return changed if changed.isdigit() else word


DECODERS: tuple[Callable[[str], bytes], ...] = (bytes.fromhex, b64decode, b32decode)


def _decoded(word: str) -> Iterator[str]:
    for decode in DECODERS:
        try:
            text = decode(word + "=" * (-len(word) % 4) if decode is b64decode else word).decode()
        except (ValueError, binascii.Error):
            continue
        if text.isprintable():
            yield text


def starts(read: str) -> list[int]:
    """Positions from 1, in the reading without its blanks, from which an identifier may start."""
    length = len(read) - read.count(" ")
    if length <= SCANNED:
        return list(range(1, length + 1))
    found: list[int] = []
    position = 1
    for word in read.split(" "):
        # digits may be glued together: every position of a long run of them counts
        found += range(position, position + len(word)) if word.isdigit() else [position]
        position += len(word)
    return found


def runs(read: str, shortest: int, longest: int) -> Iterator[int]:
    """Runs of digits of a reading as numbers, those of a length that short numeric identifiers have."""
    for run in re.findall("[0-9]+", read):
        if shortest <= len(run.lstrip("0")) <= longest:
            yield int(run)
