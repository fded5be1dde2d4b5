"""What a history of choices means at a time, and what is shown of a person who made them."""

from datetime import UTC, datetime, timedelta

import pytest

from dataspace.domain.errors import InvalidApplication
from dataspace.domain.opt_outs import (
    MEANING,
    Channel,
    Choice,
    KeyName,
    Latest,
    OptOutEntry,
    PersonKey,
    Pseudonymised,
    check_exception,
    is_opted_out,
    new_receipt_number,
    status_at,
)
from dataspace.domain.purposes import Purpose

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANNA = PersonKey(KeyName("tests", "key1"), 4_660_046_610_375_530_309)


def entry(choice: Choice, at: datetime, receipt: str = "OO-1") -> OptOutEntry:
    return OptOutEntry(ANNA, choice, at, Channel.SELF, receipt)


def test_without_a_choice_nobody_is_opted_out() -> None:
    assert status_at([], NOON) is None
    assert not is_opted_out([], NOON)


def test_an_opt_out_counts_from_its_own_instant_on() -> None:
    history = [entry(Choice.OPT_OUT, NOON)]
    assert [is_opted_out(history, NOON + n * SECOND) for n in (-1, 0, 1)] == [False, True, True]


def test_a_withdrawal_counts_from_its_own_instant_on_and_changes_nothing_before() -> None:
    history = [entry(Choice.OPT_OUT, NOON), entry(Choice.WITHDRAWAL, NOON + 2 * SECOND)]
    assert [is_opted_out(history, NOON + n * SECOND) for n in range(-1, 4)] == [False, True, True, False, False]


def test_of_two_choices_at_one_instant_the_last_written_counts() -> None:
    there_and_back = [entry(Choice.OPT_OUT, NOON, "OO-1"), entry(Choice.WITHDRAWAL, NOON, "OO-2")]
    assert not is_opted_out(there_and_back, NOON)
    assert is_opted_out(there_and_back[::-1], NOON)


def test_a_clock_that_was_set_back_does_not_reorder_what_was_chosen_when() -> None:
    history = [entry(Choice.OPT_OUT, NOON), entry(Choice.WITHDRAWAL, NOON - SECOND)]
    assert is_opted_out(history, NOON)
    assert not is_opted_out(history, NOON - SECOND)


def test_choices_and_approvals_keep_their_order_whatever_the_clock_says() -> None:
    resolution = timedelta.resolution
    assert Latest(None, None).time_of_choice(NOON) == Latest(None, None).time_of_approval(NOON) == NOON
    for clock in (NOON - SECOND, NOON):
        assert Latest(None, NOON).time_of_choice(clock) == NOON + resolution
        assert Latest(NOON, None).time_of_approval(clock) == NOON
    assert Latest(NOON, NOON).time_of_choice(NOON + SECOND) == NOON + SECOND
    assert Latest(NOON, NOON).time_of_approval(NOON + SECOND) == NOON + SECOND


def test_a_person_key_is_not_shown_when_something_is_printed() -> None:
    known = Pseudonymised(ANNA, frozenset({ANNA}))
    assert str(ANNA.number) not in f"{ANNA!r} {entry(Choice.OPT_OUT, NOON)!r} {known!r} {known}"


def test_every_choice_says_what_it_means_and_that_earlier_permits_go_on() -> None:
    assert set(MEANING) == set(Choice)
    assert "Permits approved earlier go on" in MEANING[Choice.OPT_OUT]
    assert "go on without them" in MEANING[Choice.WITHDRAWAL]


def test_receipt_numbers_do_not_count() -> None:
    numbers = {new_receipt_number(2026) for _ in range(100)}
    assert len(numbers) == 100
    assert all(number.startswith("OO-2026-") and len(number) == 24 for number in numbers)


def test_opt_outs_are_set_aside_only_for_the_purposes_the_law_names() -> None:
    check_exception("law of 1 March, article 3", frozenset({Purpose.PUBLIC_INTEREST, Purpose.RESEARCH}))
    check_exception("", frozenset({Purpose.EDUCATION}))
    with pytest.raises(InvalidApplication, match=r"purpose d, f .*71\(4\)"):
        check_exception("law of 1 March", frozenset({Purpose.EDUCATION, Purpose.CARE, Purpose.POLICY}))
