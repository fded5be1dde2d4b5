"""What names give away: who a column identifies, what may not be stored, which classification codes come from."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from catalog.schema import RESERVED

KNOWN: dict[str, Any] = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
PERSON, PUBLIC = KNOWN["person"], KNOWN["public"]

SHORTHAND = 4
"""Letters of words that may be short for something else in the name of a table."""

DATUM = r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T].*)?|.*@.*[.].*|[0-9 ]{9,}|[0-9]{2}[A-Z]{3}[0-9]{4}.*"
"""Dates, e-mail addresses and long numbers: no column is called so."""

LONGEST = 63
"""Characters of a stored name."""


@dataclass(frozen=True)
class Forbidden:
    """What a column holds that may not be stored; `is_identifier` if its values are to be searched for elsewhere."""

    said: str
    is_identifier: bool


def words_of(name: str) -> str:
    """A name in lower case, without accents, its words joined by "_"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    return re.sub("[^a-z0-9]+", "_", apart.lower()).strip("_")


def stored_names(delivered: tuple[str, ...], fallback: str) -> dict[str, str]:
    """A stored name for each delivered one: valid in a plan, no word of the query language, each only once."""
    made: dict[str, str] = {}
    taken: set[str] = set()
    for position, name in enumerate(delivered, start=1):
        wanted = words_of(name) or f"{fallback}_{position}"
        if not wanted[0].isalpha():
            wanted = f"{fallback}_{wanted}"
        if wanted in RESERVED or wanted in _query_words():
            wanted = f"{wanted}_value"
        made[name] = _unused(wanted[:LONGEST], taken)
        taken.add(made[name])
    return made


def _unused(wanted: str, taken: set[str]) -> str:
    number, name = 2, wanted
    while name in taken:
        suffix = f"_{number}"
        name, number = wanted[: LONGEST - len(suffix)] + suffix, number + 1
    return name


@cache
def _query_words() -> frozenset[str]:
    """Words a query cannot use as a name."""
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'")
        return frozenset(word for (word,) in rows.fetchall())


def strong_rank(column: str, table: str) -> int | None:
    """How surely a column identifies a person, 0 the surest; None if its name does not say so."""
    name, words, number = words_of(column), "|".join(PERSON["words"]), "|".join(PERSON["number"])
    if name in PERSON["strong"]:
        return 1 + int(PERSON["strong"].index(name))
    if re.fullmatch(rf"({words})_?({number})|({number})_?({words})|({number})_({words})_({number})", name):
        return 0
    if name in PERSON["alone"]:
        return 100
    is_own = name in ("id", "identifier", "identifiant", "key", *(f"{n}" for n in PERSON["number"]))
    return 101 if is_own and names_persons(table) else None


def weak_rank(column: str) -> int | None:
    """The same for names that identify a person only where nothing better is there."""
    name = words_of(column)
    return int(PERSON["weak"].index(name)) if name in PERSON["weak"] else None


def is_position(column: str) -> bool:
    return words_of(column) in PERSON["position"]


def names_persons(table: str) -> bool:
    """True if a table's name says that its rows are persons."""
    return any(word in PERSON["words"] and len(word) > SHORTHAND for word in words_of(table).split("_"))


def is_sign_of_person(column: str) -> bool:
    """True for columns found where rows are about persons: age, sex, treatment."""
    name = words_of(column)
    return name in PERSON["signs"] or any(word in PERSON["signs"][:8] for word in name.split("_")) or is_birth(column)


def forbidden(column: str) -> Forbidden | None:
    """What a column holds, by its name, that may not be stored; several of a kind are numbered."""
    name = re.sub("_?[0-9]+$", "", words_of(column)) or words_of(column)
    for rule in KNOWN["columns"]:
        if any(re.fullmatch(pattern, name) for pattern in rule["names"]):
            return Forbidden(rule["said"], rule["treat"] == "identifier")
    return None


def is_birth(column: str) -> bool:
    return _fits(KNOWN["birth"]["names"], column)


def is_postcode(column: str) -> bool:
    return _fits(KNOWN["postcode"]["names"], column)


def is_code(column: str) -> bool:
    """True if a name says that the column holds the codes of a list."""
    return _fits(PUBLIC["code"], column)


def is_label(column: str) -> bool:
    """True if a name says that the column holds what codes mean."""
    return _fits(PUBLIC["label"], column)


def _fits(patterns: list[str], column: str) -> bool:
    name = words_of(column)
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def known_range(column: str, low: float, high: float) -> tuple[int, int, str] | None:
    """Bounds and unit that are common knowledge for a quantity of this name, if the data are anywhere near them."""
    for rule in KNOWN["ranges"]:
        first, last = rule["within"]
        if re.fullmatch(rule["names"], words_of(column)) and first <= low and high <= last:
            return rule["bounds"][0], rule["bounds"][1], rule["unit"]
    return None


def code_system(column: str, values: tuple[str, ...]) -> str | None:
    """The classification that values seem to come from, by name and shape; `values` are some distinct ones."""
    for rule in KNOWN["systems"]:
        fitting = sum(bool(re.fullmatch(rule["shape"], value)) for value in values)
        share = fitting / max(1, len(values))
        if re.fullmatch(rule["names"], words_of(column)) and share >= (0.95 if rule["own"] else 0.8) and fitting > 1:
            return str(rule["name"])
    return None


def is_record_number(column: str) -> bool:
    """True if a name says that the column counts or names records."""
    return _fits(KNOWN["record"]["names"], column)


def points_to(column: str, table: str, target: str) -> bool:
    """True if a name says that a column holds values of column `target` of another table."""
    name, wanted, other = words_of(column), words_of(target), words_of(table)
    ones = {other, other.removesuffix("s"), other.removesuffix("es")}
    made = {f"{one}_{part}" for one in ones for part in (wanted, "id", "code", "key", "cod")} | ones
    generic = wanted in ("id", "code", "key", "name", "label")
    return name in made if generic else name == wanted or name in made


def are_data(columns: tuple[str, ...]) -> bool:
    """True if what should name columns is rather the first row of data, and so must not be shown to anybody."""
    years = [c for c in columns if re.fullmatch("(19|20)[0-9]{2}", c)]
    numbers = [c for c in columns if re.fullmatch("[+-]?[0-9]+([.,][0-9]+)?", c) and c not in years]
    if len(numbers) * 2 > len(columns):
        return True
    return any(re.fullmatch(DATUM, c) for c in columns)
