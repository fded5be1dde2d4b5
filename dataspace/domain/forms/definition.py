"""What a form asks: sections and fields with their kinds, conditions and texts, as one version of it says.

A definition is data (a TOML file beside this module) and never changes once an application was written under it: a new
wording is a new version. A field with `core` is answered in the typed heart (`ApplicationForm`), every other one in
`Answers`; no fact has two homes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an answer is; in JSON a text unless said otherwise."""

    TEXT = "text"  # one line
    LONG_TEXT = "long-text"
    CHOICE = "choice"
    SEVERAL = "several"  # list of choices
    DATE = "date"  # YYYY-MM-DD
    AMOUNT = "amount"  # decimal number, of euros
    NUMBER = "number"  # whole number
    COUNTRY = "country"  # two letters of ISO 3166-1
    EMAIL = "e-mail"
    ENTRIES = "entries"  # list of objects, with the fields in `entry`
    CONFIRMATION = "confirmation"  # true
    ATTACHMENT = "attachment"  # list of identifiers of attachments
    # answered in the typed heart alone
    SCOPE = "scope"
    PERSONS = "persons"
    BUDGET = "budget"
    PERIOD = "period"
    PLAN = "plan"
    DERIVED = "derived"  # follows from another answer or from the register: shown, never asked


CORE_KINDS = frozenset({Kind.SCOPE, Kind.PERSONS, Kind.BUDGET, Kind.PERIOD, Kind.PLAN})

LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class Said:
    """One text in each language."""

    en: str
    fr: str = ""


@dataclass(frozen=True)
class Condition:
    """Holds if the answer of `field` is, or has among it, one of `among`; if that is empty, if there is none."""

    field: str
    among: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """One question. It is asked if all of `when` hold, and then has to be answered if it is `mandatory`."""

    id: str
    kind: Kind
    label: Said
    help: Said = Said("")
    mandatory: bool = False
    when: tuple[Condition, ...] = ()
    public: bool = False
    article: str = ""
    core: str = ""
    words: int | None = None
    choices: Mapping[str, Said] | None = None
    entry: tuple["Field", ...] = ()


@dataclass(frozen=True)
class Section:
    id: str
    title: Said
    help: Said
    article: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Definition:
    """One version of a form. Fields are addressed `section.field`, fields of an entry `section.field.entry-field`."""

    name: str
    version: int
    article: str
    title: Said
    sections: tuple[Section, ...]

    def fields(self) -> Iterator[tuple[str, Field]]:
        """Every question with its address, in the order of the form."""
        for section in self.sections:
            for asked in section.fields:
                yield f"{section.id}.{asked.id}", asked

    @property
    def by_address(self) -> dict[str, Field]:
        return dict(self.fields())

    @property
    def of_core(self) -> dict[str, str]:
        """Name in the typed heart -> address."""
        return {asked.core: address for address, asked in self.fields() if asked.core}
