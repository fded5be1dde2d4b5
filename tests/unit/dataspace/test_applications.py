"""The application's form and states."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest

from dataspace.domain.actors import Organisation
from dataspace.domain.applications import (
    CHANGES_NOTHING,
    COMPLETENESS,
    NO_DATA,
    TRANSITIONS,
    AccessApplication,
    ApplicationAction,
    ApplicationForm,
    ApplicationState,
    Period,
    check_complete,
    missing_fields,
)
from dataspace.domain.errors import InvalidApplication, WrongState
from dataspace.domain.privacy import Guarantee
from dataspace.domain.purposes import LegalBasis, Purpose
from dataspace.domain.scopes import Scope
from tests.factories import make_schema

NOW = datetime(2026, 11, 23, tzinfo=UTC)
COMPANY = Organisation("Company")
FORM = ApplicationForm(
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


@pytest.mark.parametrize(("state", "action"), list(product(ApplicationState, ApplicationAction)))
def test_every_state_and_action(state: ApplicationState, action: ApplicationAction) -> None:
    application = AccessApplication("app", "DAA-1", "rita", FORM, NOW, state=state)
    if (state, action) in TRANSITIONS:
        after = application.after(action)
        assert (after.state, after.version) == (TRANSITIONS[state, action], 2)
    elif action not in CHANGES_NOTHING:
        with pytest.raises(WrongState, match=f"application DAA-1 is {state}"):
            application.after(action)


def test_a_complete_form_passes() -> None:
    assert missing_fields(FORM) == {}
    check_complete(FORM, COMPANY, NOW)


@pytest.mark.parametrize("field", COMPLETENESS)
def test_each_field_is_asked_for(field: str) -> None:
    emptied = replace(FORM, **{field: getattr(ApplicationForm(), field)})
    assert list(missing_fields(emptied)) == [field]
    with pytest.raises(InvalidApplication, match="not complete"):
        check_complete(emptied, COMPANY, NOW)


def test_blank_text_is_missing_and_all_that_is_missing_is_said_at_once() -> None:
    assert list(missing_fields(replace(FORM, title="  "))) == ["title"]
    assert set(missing_fields(ApplicationForm())) == set(COMPLETENESS)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_some_purposes_are_for_public_bodies_or_those_acting_for_one(purpose: Purpose) -> None:
    form = replace(FORM, purposes=frozenset({purpose}))
    check_complete(form, Organisation("Ministry", public_body=True), NOW)
    check_complete(replace(form, acting_for="Ministry"), COMPANY, NOW)
    if purpose.reserved_to_public_bodies:
        with pytest.raises(InvalidApplication, match=r"reserved to public bodies \(Art\. 53\(2\)\)"):
            check_complete(form, COMPANY, NOW)
    else:
        check_complete(form, COMPANY, NOW)


def test_a_period_in_the_past_is_refused() -> None:
    with pytest.raises(InvalidApplication, match="already over"):
        check_complete(FORM, COMPANY, NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW, NOW),
        (NOW, NOW - timedelta(days=1)),
        (NOW, NOW + timedelta(days=3654)),
        (NOW.replace(tzinfo=None), NOW.replace(tzinfo=None) + timedelta(days=1)),
    ],
)
def test_periods_that_make_no_sense(start: datetime, end: datetime) -> None:
    with pytest.raises(InvalidApplication, match="period"):
        Period(start, end)


def test_whole_tables_become_columns_and_public_lookups_come_along() -> None:
    granted = Scope.of(("registry", "person", "*"), ("registry", "visit", "days")).expand({"registry": make_schema()})
    assert granted == {
        ("registry", "person", "sex"),
        ("registry", "person", "birth_year"),
        ("registry", "visit", "days"),
        ("registry", "concept", "code"),
        ("registry", "concept", "name"),
    }


@pytest.mark.parametrize(
    "ref", [("other", "person", "*"), ("registry", "nope", "*"), ("registry", "person", "person_key")]
)
def test_data_that_do_not_exist_cannot_be_asked_for(ref: tuple[str, str, str]) -> None:
    with pytest.raises(InvalidApplication, match="do not exist"):
        Scope.of(ref).expand({"registry": make_schema()})


def test_no_data_is_no_scope() -> None:
    assert NO_DATA.datasets == ()
