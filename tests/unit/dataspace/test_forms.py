"""The two forms: what each asks, that every field does what it says, and that completeness is neither more nor less."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspace.domain.applications import Answers, ApplicationForm, ApplicationKind, Period, PlannedTable, Written
from dataspace.domain.errors import InvalidAnswers, NotFound
from dataspace.domain.forms import (
    Definition,
    Field,
    Kind,
    check_addresses,
    check_answers,
    check_draft,
    definition,
    definitions,
    differences,
    faults,
    newest,
    public_part,
    values_of,
)
from dataspace.domain.forms.answers import FaultKind, core_values, is_asked
from dataspace.domain.forms.definition import LANGUAGES
from dataspace.domain.forms.reading import _check
from dataspace.domain.privacy import ByEpsilon, Guarantee
from dataspace.domain.purposes import LegalBasis, Purpose
from dataspace.domain.scopes import Scope
from tests.form_answers import SQL, answer, complete, request_heart, with_answer, without

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HEART = ApplicationForm(
    title="title",
    purposes=frozenset({Purpose.RESEARCH}),
    scope=Scope.of(("registry", "person", "*")),
    justification="why",
    lay_summary="what for",
    legal_basis=LegalBasis.CONSENT,
    persons=frozenset({"rita"}),
    guarantee=Guarantee(Decimal(1), Decimal("0.000001")),
    period=Period(NOW, NOW + timedelta(days=1)),
)
ACCESS, REQUEST = newest(ApplicationKind.ACCESS), newest(ApplicationKind.REQUEST)
HEARTS = {
    "access-application": HEART,
    "data-request": request_heart(HEART, PlannedTable("by_sex", SQL, ByEpsilon(Decimal("0.1")))),
}
FIELDS = [(form, address, field) for form in definitions().values() for address, field in form.fields()]
IDS = [f"{form.name}-{address}" for form, address, _ in FIELDS]

SECTIONS = {
    "access-application": "sources public applicant payment purpose data other_data processing additional confirmation",
    "data-request": "sources public applicant payment purpose data tabulation confirmation",
}


def with_fields(form: Definition, heart: ApplicationForm) -> list[Written]:
    """Complete forms that differ in what they choose, so that between them every question of the form is asked."""
    many = ["a", "e"]
    chosen = [
        {
            field.id: choice
            for _, field in form.fields()
            if field.kind is Kind.CHOICE and field.choices
            for choice in [list(field.choices)[min(number, len(field.choices) - 1)]]
        }
        for number in range(6)
    ]
    made = []
    for by_id in chosen:
        given = {
            address.replace(".", "__"): by_id[field.id]
            for address, field in form.fields()
            if field.id in by_id and not field.core and not field.when
        }
        given["data__earlier_file"] = ["att_1"]
        wanted = replace(heart, purposes=frozenset(map(Purpose, many)))
        written = complete(form, wanted, **given)
        made.append(written if not faults(form, written) else without(written, "data.earlier_file"))
    reasoned = replace(heart, lay_summary="")
    return [*made, complete(form, reasoned, public__no_summary_reason="a trade secret", data__cohort="criteria")]


COMPLETE = [(form, written) for form in (ACCESS, REQUEST) for written in with_fields(form, HEARTS[form.name])]


@pytest.mark.parametrize(("form", "written"), COMPLETE, ids=[f"{f.name}-{n}" for n, (f, _) in enumerate(COMPLETE)])
def test_these_are_complete(form: Definition, written: Written) -> None:
    assert [str(fault) for fault in faults(form, written)] == []
    check_answers(form, written)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_sections_of_the_law(name: str) -> None:
    assert [section.id for section in definition(name).sections] == SECTIONS[name].split()


@pytest.mark.parametrize(("form", "address", "field"), FIELDS, ids=IDS)
def test_every_field_speaks_both_languages(form: Definition, address: str, field: Field) -> None:
    said = [field.label, *(inner.label for inner in field.entry), *(field.choices or {}).values()]
    assert all(getattr(text, language).strip() for text in said for language in LANGUAGES)
    assert bool(field.help.en) == bool(field.help.fr)


@pytest.mark.parametrize(("form", "address", "field"), FIELDS, ids=IDS)
def test_every_mandatory_field_is_asked_for_alone(form: Definition, address: str, field: Field) -> None:
    asking = [written for known, written in COMPLETE if known is form and is_asked(field, values_of(form, written))]
    assert asking, "some complete form has this question"
    if field.core or not field.mandatory:
        return
    written = next(one for one in asking if address in one.answers.values)
    lacking = without(written, address)
    missing = [fault.address for fault in faults(form, lacking) if fault.kind is FaultKind.MISSING]
    assert missing == [address]


@pytest.mark.parametrize(("form", "address", "field"), FIELDS, ids=IDS)
def test_an_answer_of_another_kind_is_refused_even_in_a_draft(form: Definition, address: str, field: Field) -> None:
    written = next(one for known, one in COMPLETE if known is form and is_asked(field, values_of(form, one)))
    with pytest.raises(InvalidAnswers) as refused:
        check_draft(form, with_answer(written, address, 1.5))
    assert {at for at, _ in refused.value.fields} == {address}


@pytest.mark.parametrize(
    ("form", "address", "field"),
    [one for one in FIELDS if one[2].when and not one[2].core],
    ids=[name for name, one in zip(IDS, FIELDS, strict=True) if one[2].when and not one[2].core],
)
def test_a_field_that_is_not_asked_is_not_answered(form: Definition, address: str, field: Field) -> None:
    silent = [one for known, one in COMPLETE if known is form and not is_asked(field, values_of(form, one))]
    assert silent, "some complete form does not have this question"
    value = ["att_1"] if field.kind is Kind.ATTACHMENT else answer(field)
    found = faults(form, with_answer(silent[0], address, value))
    assert [(fault.address, fault.kind) for fault in found] == [(address, FaultKind.NOT_ASKED)]
    check_draft(form, with_answer(silent[0], address, value))


@pytest.mark.parametrize("name", core_values(HEART))
def test_the_typed_heart_has_one_home(name: str) -> None:
    for form in (ACCESS, REQUEST):
        written = complete(form, HEARTS[form.name], data__cohort="criteria")
        if name in form.of_core:
            address = form.of_core[name]
            with pytest.raises(InvalidAnswers, match=f"written as `{name}`"):
                check_draft(form, with_answer(written, address, "again"))
            emptied = replace(written, form=replace(written.form, **{name: getattr(ApplicationForm(), name)}))
            missing = {fault.address for fault in faults(form, emptied)}
            assert (address in missing) == form.by_address[address].mandatory
        else:
            extra = replace(written.form, **{name: getattr(HEARTS["access-application"], name)})
            extra = extra if extra != written.form else replace(extra, tabulation=HEARTS["data-request"].tabulation)
            with pytest.raises(InvalidAnswers, match="this form does not ask for it"):
                check_draft(form, replace(written, form=extra))


def test_only_section_two_is_public() -> None:
    for form in (ACCESS, REQUEST):
        public = {address for address, field in form.fields() if field.public}
        assert {address.split(".")[0] for address in public} == {"public"}
        assert "public.no_summary_reason" not in public


def test_the_public_part_has_nothing_else_in_it() -> None:
    for form, written in COMPLETE:
        part = public_part(written)
        assert part.keys() <= {address for address, field in form.fields() if field.public}
        assert part["public.project_name"] == written.form.title
    assert set(public_part(Written(HEART))) == {"title", "purposes", "lay_summary"}


@given(st.data())
def test_completeness_both_ways(data: st.DataObject) -> None:
    """Whatever is taken away, exactly the mandatory questions that are asked and not answered are missing."""
    form, written = data.draw(st.sampled_from(COMPLETE))
    gone = data.draw(st.sets(st.sampled_from(sorted(written.answers.values)), max_size=30))
    left = replace(
        written.answers, values={address: v for address, v in written.answers.values.items() if address not in gone}
    )
    values = values_of(form, replace(written, answers=left))
    expected = {
        address
        for address, field in form.fields()
        if field.mandatory and address not in values and all(_holds(one, values) for one in field.when)
    }
    found = faults(form, replace(written, answers=left))
    assert {fault.address for fault in found if fault.kind is FaultKind.MISSING} == expected
    assert {fault.kind for fault in found} <= {FaultKind.MISSING, FaultKind.NOT_ASKED}
    check_draft(form, replace(written, answers=left))


def _holds(condition: Any, values: dict[str, Any]) -> bool:
    """The slow twin of the conditions."""
    if condition.among == ():
        return condition.field not in values
    value = values.get(condition.field)
    return bool(set(condition.among) & set(value if isinstance(value, list) else [value]))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(FIELDS), PLAIN)
def test_no_answer_makes_the_check_fail_otherwise(asked: tuple[Definition, str, Field], value: Any) -> None:
    form, address, _ = asked
    found = faults(form, Written(HEARTS[form.name], Answers(form.name, form.version, {address: value})))
    assert all(fault.text for fault in found)


@pytest.mark.parametrize(
    ("address", "value", "reason"),
    [
        ("public.domicile", "XX", "two capital letters"),
        ("data.periods", [{"from": "2020-02-30", "to": "2021-01-01"}], "YYYY-MM-DD"),
        ("data.size", True, "whole number"),
        ("data.size", -1, "whole number"),
        ("payment.invoice", "fax", "choose one of electronic, paper"),
        ("applicant.name", "two\nlines", "one line"),
        ("applicant.address", " ".join(["word"] * 61), "61 words; shorten it to at most 60"),
        ("applicant.contact_email", "nobody", "name@domain"),
        ("applicant.consortium", [{"name": "x", "country": "PT", "size": 1}], "no such field"),
        ("applicant.consortium", [{"name": "x"}], "say: Country"),
        ("applicant.consortium", [{}] * 51, "at most 50"),
        ("confirmation.truth", "yes", "true to confirm"),
        ("purpose.plan_file", ["att_1", "att_1"], "list of identifiers"),
        ("nothing.here", "x", "no such field"),
        ("sources.holders", "x", "follows from other answers"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(address: str, value: object, reason: str) -> None:
    written = complete(ACCESS, HEART, data__cohort="criteria", applicant__person="natural")
    found = [fault for fault in faults(ACCESS, with_answer(written, address, value)) if reason in fault.text]
    assert [fault.address.startswith(address) for fault in found].count(True) >= 1


def test_a_summary_is_at_most_250_words_and_may_be_replaced_by_a_reason() -> None:
    written = complete(ACCESS, replace(HEART, lay_summary="word " * 251), data__cohort="criteria")
    assert [str(fault) for fault in faults(ACCESS, written)] == [
        "public.lay_summary: this has 251 words; shorten it to at most 250"
    ]
    without_any = replace(written, form=replace(HEART, lay_summary=""))
    assert [fault.address for fault in faults(ACCESS, without_any)] == ["public.lay_summary"]
    assert faults(ACCESS, with_answer(without_any, "public.no_summary_reason", "a trade secret")) == ()


def test_differences_are_told_field_by_field() -> None:
    before = complete(ACCESS, HEART, data__cohort="criteria", additional__notes="n")
    after = with_answer(without(before, "additional.notes"), "purpose.benefit", "another")
    after = replace(after, form=replace(HEART, title="new"))
    told = [(one.address, one.before, one.after) for one in differences(before, after)]
    assert told == [
        ("public.project_name", "title", "new"),
        ("purpose.benefit", "some words", "another"),
        ("additional.notes", "n", None),
    ]
    assert differences(before, before) == ()
    assert [one.address for one in differences(Written(HEART), Written(replace(HEART, title="new")))] == ["title"]


def test_only_fields_of_the_form_can_be_asked_for() -> None:
    check_addresses(Written(HEART, Answers(ACCESS.name, 1)), {"purpose.benefit": "x"})
    check_addresses(Written(HEART), {"title": "x"})
    for written, name in ((Written(HEART, Answers(ACCESS.name, 1)), "title"), (Written(HEART), "purpose.benefit")):
        with pytest.raises(InvalidAnswers, match="no such field"):
            check_addresses(written, {name: "x"})


@pytest.mark.parametrize(("name", "version"), [("access-application", 99), ("other", None)])
def test_an_unknown_form_is_not_found(name: str, version: int | None) -> None:
    with pytest.raises(NotFound, match="the forms are access-application, data-request"):
        definition(name, version)


@pytest.mark.parametrize(
    "change",
    [
        {"core": "nothing"},
        {"kind": Kind.SCOPE},
        {"kind": Kind.CHOICE},
        {"kind": Kind.ENTRIES},
    ],
)
def test_a_definition_that_contradicts_itself_is_not_read(change: dict[str, Any]) -> None:
    section = ACCESS.sections[8]
    broken = replace(section, fields=(replace(section.fields[0], **change), *section.fields[1:]))
    with pytest.raises(ValueError, match=r"additional\.notes contradicts itself"):
        _check(replace(ACCESS, sections=(*ACCESS.sections[:8], broken)))
