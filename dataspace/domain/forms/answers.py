"""Answers against the form they are given under: what is wrong or missing, field by field.

`faults` sees every value of a form at once, those of the typed heart among them, as `values_of` lays them out: address
to plain JSON value.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from dataspace.domain.applications import ApplicationForm, Written
from dataspace.domain.errors import InvalidAnswers
from dataspace.domain.forms.countries import COUNTRIES
from dataspace.domain.forms.definition import Condition, Definition, Field, Kind
from dataspace.domain.forms.reading import CORE, definition
from dataspace.domain.privacy import ByAccuracy, ByEpsilon, ByRho, Price

LONGEST_LINE = 400
LONGEST_TEXT = 20_000
MOST_ENTRIES = 50
"""Characters and entries that an answer may have at most."""

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_NAME = re.compile("[a-z][a-z0-9_]{0,59}")
_FILE = re.compile("att_[a-z0-9_]{1,36}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}")


class FaultKind(StrEnum):
    MISSING = "missing"
    INVALID = "invalid"  # an answer of the right shape that does not do yet
    MALFORMED = "malformed"  # not an answer to this question at all
    UNKNOWN = "unknown"  # no such question
    NOT_ASKED = "not-asked"  # another answer says that this one is not asked


KEPT_IN_DRAFTS = frozenset({FaultKind.MISSING, FaultKind.INVALID, FaultKind.NOT_ASKED})
"""What a draft may still have; the others are refused as they are written."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with the field at `address`, and what to do about it."""

    address: str
    kind: FaultKind
    text: str

    def __str__(self) -> str:
        return f"{self.address}: {self.text}"


def form_of(written: Written) -> Definition | None:
    """The definition it was written under; None for a short application, which is the typed heart alone."""
    return definition(written.answers.form, written.answers.version) if written.answers.form else None


def values_of(form: Definition, written: Written) -> dict[str, Any]:
    """Every answer that is not empty by its address, those of the typed heart among them."""
    plain = core_values(written.form)
    core = {address: plain[name] for name, address in form.of_core.items()}
    return {address: value for address, value in {**written.answers.values, **core}.items() if not _is_empty(value)}


def core_values(form: ApplicationForm) -> dict[str, Any]:
    """The typed heart as plain values, by name."""
    period, guarantee = form.period, form.guarantee
    plain = {
        "title": form.title,
        "purposes": sorted(purpose.letter for purpose in form.purposes),
        "scope": sorted(".".join(ref) for ref in form.scope.columns),
        "justification": form.justification,
        "lay_summary": form.lay_summary,
        "legal_basis": form.legal_basis.value if form.legal_basis else "",
        "persons": sorted(form.persons),
        "guarantee": f"epsilon {guarantee.epsilon:f}, delta {guarantee.delta:f}" if guarantee else "",
        "period": f"{period.start.isoformat()} to {period.end.isoformat()}" if period else "",
        "acting_for": form.acting_for,
        "tabulation": [
            {"name": table.name, "sql": table.sql, "price": price_text(table.price), "description": table.description}
            for table in form.tabulation
        ],
    }
    assert plain.keys() == CORE, "every part of the typed heart is shown"  # noqa: S101
    return plain


def price_text(price: Price) -> str:
    match price:
        case ByEpsilon(epsilon):
            return f"epsilon {epsilon:f}"
        case ByRho(rho):
            return f"rho {Decimal(rho.numerator) / Decimal(rho.denominator):f}"
        case ByAccuracy(half_width):
            return f"accuracy {half_width:f}"


def faults(form: Definition, written: Written) -> tuple[Fault, ...]:
    """Everything that keeps it from being submitted; empty if it is complete."""
    values, asked = values_of(form, written), form.by_address
    homes = {address: field.core for address, field in asked.items() if field.core}
    found = [_stray(address, homes) for address in written.answers.values if address in homes or address not in asked]
    found += [_outside(name) for name in _not_on(form, written.form)]
    for address, field in asked.items():
        found += _of_field(address, field, values)
    return tuple(found)


def check_draft(form: Definition, written: Written) -> None:
    """Raises InvalidAnswers for answers that cannot be kept, even in a draft."""
    _refuse("these answers cannot be kept", [f for f in faults(form, written) if f.kind not in KEPT_IN_DRAFTS])


def check_answers(form: Definition, written: Written) -> None:
    """Raises InvalidAnswers unless all that the form asks is answered."""
    _refuse("the application is not complete", list(faults(form, written)))


def check_addresses(written: Written, addresses: Mapping[str, str]) -> None:
    """Raises InvalidAnswers for what is no field of the form."""
    form = form_of(written)
    known = set(form.by_address) if form else set(CORE)
    unknown = [Fault(one, FaultKind.UNKNOWN, "the form has no such field") for one in addresses if one not in known]
    _refuse("these are not fields of the form", unknown)


def is_asked(field: Field, values: Mapping[str, Any]) -> bool:
    """Whether the conditions of the field hold."""
    return all(_holds(condition, values.get(condition.field)) for condition in field.when)


def _refuse(what: str, found: list[Fault]) -> None:
    if found:
        more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
        text = "; ".join(map(str, found[:5])) + more
        raise InvalidAnswers(f"{what}: {text}", tuple((fault.address, fault.text) for fault in found))


def _stray(address: str, homes: Mapping[str, str]) -> Fault:
    if address in homes:
        return Fault(address, FaultKind.UNKNOWN, f"this is written as `{homes[address]}`, outside of the answers")
    return Fault(address, FaultKind.UNKNOWN, "the form has no such field; GET /forms lists them")


def _outside(name: str) -> Fault:
    return Fault(name, FaultKind.UNKNOWN, "this form does not ask for it; leave it out")


def _not_on(form: Definition, heart: ApplicationForm) -> list[str]:
    """Parts of the typed heart that were written although the form has no field for them."""
    return [name for name, value in core_values(heart).items() if name not in form.of_core and not _is_empty(value)]


def _of_field(address: str, field: Field, values: Mapping[str, Any]) -> Iterator[Fault]:
    value = values.get(address)
    if field.kind is Kind.DERIVED:
        if value is not None:
            yield Fault(address, FaultKind.UNKNOWN, "this follows from other answers; leave it out")
    elif not is_asked(field, values):
        if value is not None:
            because = ", ".join(condition.field for condition in field.when)
            yield Fault(address, FaultKind.NOT_ASKED, f"what {because} says makes this unnecessary; leave it out")
    elif value is None:
        if field.mandatory:
            yield _missing(address, field)
    elif not field.core:
        yield from _of_value(address, field, value)
    elif field.words is not None:
        yield from _too_long(address, field.words, str(value))


def _missing(address: str, field: Field) -> Fault:
    home = f" (written as `{field.core}`)" if field.core else ""
    advice = "confirm" if field.kind is Kind.CONFIRMATION else "choose" if field.choices else "say"
    return Fault(address, FaultKind.MISSING, f"{advice}: {field.label.en}{home}")


def _of_value(address: str, field: Field, value: Any) -> Iterator[Fault]:
    fault = _CHECKS[field.kind](field, value)
    if fault is not None:
        yield Fault(address, fault[0], fault[1])
    elif field.words is not None:
        yield from _too_long(address, field.words, value)
    elif field.kind is Kind.ENTRIES:
        for number, entry in enumerate(value):
            yield from _of_entry(f"{address}.{number}", field, entry)


def _of_entry(address: str, field: Field, entry: Mapping[str, Any]) -> Iterator[Fault]:
    asked = {inner.id: inner for inner in field.entry}
    for name in entry.keys() - asked.keys():
        where = f"{address}.{name}" if _NAME.fullmatch(name) else address
        yield Fault(where, FaultKind.UNKNOWN, "an entry has no such field")
    for name, inner in asked.items():
        value = entry.get(name)
        if not _is_empty(value):
            yield from _of_value(f"{address}.{name}", inner, value)
        elif inner.mandatory:
            yield _missing(f"{address}.{name}", inner)


def _too_long(address: str, most: int, text: str) -> Iterator[Fault]:
    words = len(text.split())
    if words > most:
        yield Fault(address, FaultKind.INVALID, f"this has {words} words; shorten it to at most {most}")


def _holds(condition: Condition, value: Any) -> bool:
    if not condition.among:
        return _is_empty(value)
    given = value if isinstance(value, list) else [value]
    return any(one in condition.among for one in given)


def _is_empty(value: Any) -> bool:
    """False as a confirmation is as good as none; the number 0 is an answer."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not (value and _said(value)))


def _said(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else True


Verdict = tuple[FaultKind, str] | None


def _text(longest: int) -> Callable[[Field, Any], Verdict]:
    def check(_field: Field, value: Any) -> Verdict:
        if not isinstance(value, str):
            return FaultKind.MALFORMED, "write a text"
        if _UNWRITABLE.search(value):
            return FaultKind.MALFORMED, "write a text without characters that cannot be stored"
        if len(value) > longest:
            return FaultKind.MALFORMED, f"a text here has at most {longest} characters"
        if longest == LONGEST_LINE and not value.isprintable():
            return FaultKind.MALFORMED, "write one line, without control characters"
        return None

    return check


def _choice(field: Field, value: Any) -> Verdict:
    if isinstance(value, str) and value in (field.choices or ()):
        return None
    return FaultKind.MALFORMED, f"choose one of {', '.join(field.choices or ())}"


def _several(field: Field, value: Any) -> Verdict:
    if isinstance(value, list) and len(value) == len({str(one) for one in value}):
        return next((fault for one in value if (fault := _choice(field, one)) is not None), None)
    return FaultKind.MALFORMED, f"write a list of some of {', '.join(field.choices or ())}, each once"


def _date(_field: Field, value: Any) -> Verdict:
    try:
        sound = isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        sound = False
    return None if sound else (FaultKind.MALFORMED, "write a date as YYYY-MM-DD")


def _amount(_field: Field, value: Any) -> Verdict:
    try:
        amount = Decimal(value) if isinstance(value, str) and len(value) <= 30 else Decimal("nan")
    except InvalidOperation:
        amount = Decimal("nan")
    sound = amount.is_finite() and 0 <= amount <= 10**12
    return None if sound else (FaultKind.MALFORMED, 'write an amount in euros as a text, such as "1250.00"')


def _number(_field: Field, value: Any) -> Verdict:
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**12
    return None if sound else (FaultKind.MALFORMED, "write a whole number, 0 or more")


def _country(_field: Field, value: Any) -> Verdict:
    sound = isinstance(value, str) and value in COUNTRIES
    return None if sound else (FaultKind.MALFORMED, "write the two capital letters of the country, such as FR")


def _email(_field: Field, value: Any) -> Verdict:
    if not isinstance(value, str) or len(value) > LONGEST_LINE or not value.isprintable():
        return FaultKind.MALFORMED, "write an e-mail address"
    return None if _EMAIL.fullmatch(value) else (FaultKind.INVALID, "this is not an e-mail address; write name@domain")


def _entries(_field: Field, value: Any) -> Verdict:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        return FaultKind.MALFORMED, "write a list of entries, each with its fields by name"
    if len(value) > MOST_ENTRIES:
        return FaultKind.MALFORMED, f"there are at most {MOST_ENTRIES} entries"
    return None


def _confirmation(_field: Field, value: Any) -> Verdict:
    return None if value is True else (FaultKind.MALFORMED, "write true to confirm, or leave it out")


def _attachment(_field: Field, value: Any) -> Verdict:
    sound = isinstance(value, list) and all(isinstance(one, str) and _FILE.fullmatch(one) for one in value)
    sound = sound and len(set(value)) == len(value) <= MOST_ENTRIES
    return None if sound else (FaultKind.MALFORMED, "write the list of identifiers that the uploads were given")


_CHECKS: Mapping[Kind, Callable[[Field, Any], Verdict]] = {
    Kind.TEXT: _text(LONGEST_LINE),
    Kind.LONG_TEXT: _text(LONGEST_TEXT),
    Kind.CHOICE: _choice,
    Kind.SEVERAL: _several,
    Kind.DATE: _date,
    Kind.AMOUNT: _amount,
    Kind.NUMBER: _number,
    Kind.COUNTRY: _country,
    Kind.EMAIL: _email,
    Kind.ENTRIES: _entries,
    Kind.CONFIRMATION: _confirmation,
    Kind.ATTACHMENT: _attachment,
}
