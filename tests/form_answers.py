"""Complete answers for any form, made from its own definition."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dataspace.domain.applications import Answers, ApplicationForm, PlannedTable, Written
from dataspace.domain.forms import Definition, Field, Kind, values_of
from dataspace.domain.forms.answers import is_asked

ANSWERS: Mapping[Kind, Callable[[Field], Any]] = {
    Kind.TEXT: lambda _: "a line",
    Kind.LONG_TEXT: lambda _: "some words",
    Kind.CHOICE: lambda field: list(field.choices or ())[-1],
    Kind.SEVERAL: lambda field: [list(field.choices or ())[-1]],
    Kind.DATE: lambda _: "2026-11-23",
    Kind.AMOUNT: lambda _: "1250.00",
    Kind.NUMBER: lambda _: 12,
    Kind.COUNTRY: lambda _: "PT",
    Kind.EMAIL: lambda _: "someone@example.org",
    Kind.ENTRIES: lambda field: [{inner.id: answer(inner) for inner in field.entry}],
    Kind.CONFIRMATION: lambda _: True,
}

SQL = "SELECT sex, COUNT(DISTINCT person) AS n FROM registry.person GROUP BY sex"


def answer(field: Field) -> Any:
    """An answer that does for a field of this kind."""
    return ANSWERS[field.kind](field)


def complete(form: Definition, heart: ApplicationForm, **given: Any) -> Written:
    """`heart` with an answer to every mandatory question that is asked; `given` ones, `section__field`, come first."""
    written = Written(heart, Answers(form.name, form.version, {k.replace("__", "."): v for k, v in given.items()}))
    # an answer may lead to further questions, which come later in the form or in one of its later sections
    for _ in range(3):
        for address, field in form.fields():
            values = values_of(form, written)
            if not field.core and field.mandatory and is_asked(field, values) and address not in values:
                if field.kind is Kind.ATTACHMENT:
                    continue
                written = with_answer(written, address, answer(field))
    return written


def with_answer(written: Written, address: str, value: Any) -> Written:
    return replace(written, answers=replace(written.answers, values={**written.answers.values, address: value}))


def without(written: Written, address: str) -> Written:
    kept = {known: value for known, value in written.answers.values.items() if known != address}
    return replace(written, answers=replace(written.answers, values=kept))


def request_heart(heart: ApplicationForm, *tables: PlannedTable) -> ApplicationForm:
    """The typed heart of a data request: no persons, no period, a plan instead."""
    return replace(heart, persons=frozenset(), period=None, tabulation=tables)
