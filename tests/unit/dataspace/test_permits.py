"""What a permit covers, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dataspace.domain.actors import Actor, Organisation, Role
from dataspace.domain.errors import NotPermitted, OutOfScope, WrongState
from dataspace.domain.permits import DataPermit, PermitState, check_covers, covers
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.domain.purposes import PURPOSE_TEXTS, Purpose

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
NAMED = Actor("rita", "Rita", Organisation("uni"), frozenset({Role.APPLICANT}))
PERMIT = DataPermit(
    id="pmt",
    number="DP-2026-0001",
    application="app",
    holder="boss",
    persons=frozenset({"rita"}),
    columns=frozenset({("registry", "person", "sex"), ("registry", "visit", "days")}),
    purposes=frozenset({Purpose.RESEARCH}),
    valid_from=START,
    valid_until=END,
    guarantee=Guarantee(Decimal(1), Decimal("0.000001")),
    limit=PrivacyLoss(10),
    snapshots={"registry": "s1"},
    granted_at=START,
    granted_by="dora",
)


def test_it_covers_what_it_names_and_tables_without_a_column() -> None:
    check_covers(PERMIT, NAMED, [("registry", "person", "sex"), ("registry", "visit", "")], START)


def test_what_is_not_covered_is_named() -> None:
    columns = [("registry", "person", "sex"), ("registry", "person", "birth_year"), ("registry", "death", "")]
    with pytest.raises(OutOfScope, match=r"does not cover registry\.death, registry\.person\.birth_year; leave it out"):
        check_covers(PERMIT, NAMED, columns, START)
    assert not covers(PERMIT, NAMED, columns, START)


def test_a_long_list_is_cut() -> None:
    with pytest.raises(OutOfScope, match=r"registry\.t4 and 3 more"):
        check_covers(PERMIT, NAMED, [("registry", f"t{n}", "") for n in range(8)], START)


def test_only_persons_named_may_use_it_not_even_its_holder() -> None:
    with pytest.raises(NotPermitted, match="not named in permit DP-2026-0001"):
        check_covers(PERMIT, replace(NAMED, id="boss"), [], START)


@pytest.mark.parametrize(
    ("permit", "now", "message"),
    [
        (PERMIT, START - timedelta(microseconds=1), "begins on 2026-01-01 00:00 UTC"),
        (PERMIT, END, "expired on 2027-01-01 00:00 UTC"),
        (replace(PERMIT, suspended_at=START), START, "is suspended"),
        (replace(PERMIT, revoked_at=START), START, "was revoked"),
        (replace(PERMIT, revoked_at=START), END, "was revoked"),
    ],
)
def test_outside_of_its_time_or_state_it_covers_nothing(permit: DataPermit, now: datetime, message: str) -> None:
    with pytest.raises(WrongState, match=message):
        check_covers(permit, NAMED, [], now)


def test_it_is_in_force_from_its_first_until_before_its_last_moment() -> None:
    assert covers(PERMIT, NAMED, [], START)
    assert covers(PERMIT, NAMED, [], END - timedelta(microseconds=1))


def test_suspension_can_be_lifted_and_revocation_cannot() -> None:
    suspended = PERMIT.suspended(START, "audit")
    assert suspended.state(START) is PermitState.SUSPENDED
    resumed = suspended.resumed(START, "audit passed")
    assert (resumed.state(START), resumed.version) == (PermitState.ACTIVE, 3)
    revoked = resumed.revoked(START, "misuse")
    for change in (revoked.suspended, revoked.resumed, revoked.revoked):
        with pytest.raises(WrongState, match="was revoked"):
            change(START, "again")


def test_purposes_are_the_six_letters_of_the_law() -> None:
    assert [purpose.letter for purpose in Purpose] == list("abcdef")
    assert set(PURPOSE_TEXTS) == set(Purpose)
    assert {p.letter for p in Purpose if p.reserved_to_public_bodies} == set("abc")
