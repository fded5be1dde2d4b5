"""Counting periods: what must hold for every day, length, country and clock change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspace.domain.calendars import AT_ONCE, Calendar, Length, Unit
from dataspace.national_days import national_calendar

PLACES = [
    ("FR", "Europe/Paris"),
    ("DE-BY", "Europe/Berlin"),
    ("PT", "Atlantic/Azores"),
    ("FI", "Europe/Helsinki"),
    ("BG", "Europe/Sofia"),
]
CALENDARS = st.sampled_from([national_calendar(*place) for place in PLACES])
DAYS = st.dates(date(2025, 1, 1), date(2045, 12, 31))
MOMENTS = st.integers(0, 20 * 365 * 24 * 60).map(lambda m: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=m))
LENGTHS = st.builds(
    Length, st.integers(1, 60), st.sampled_from([Unit.DAYS, Unit.WEEKS, Unit.MONTHS, Unit.WORKING_DAYS])
)
FRANCE = national_calendar("FR", "Europe/Paris")


@given(CALENDARS, DAYS, LENGTHS)
def test_a_period_never_ends_on_a_day_off(calendar: Calendar, day: date, length: Length) -> None:
    assert calendar.working(calendar.last_day(day, length))


@given(CALENDARS, DAYS, st.integers(0, 400), LENGTHS)
def test_what_begins_later_does_not_end_earlier(calendar: Calendar, day: date, later: int, length: Length) -> None:
    ends = [calendar.last_day(start, length) for start in (day, day + timedelta(days=later))]
    assert ends[0] <= ends[1]


@given(CALENDARS, DAYS, LENGTHS, st.integers(0, 12))
def test_a_longer_period_does_not_end_earlier(calendar: Calendar, day: date, length: Length, more: int) -> None:
    longer = Length(length.count + more, length.unit)
    assert calendar.last_day(day, length) <= calendar.last_day(day, longer)


@given(CALENDARS, DAYS, LENGTHS, st.integers(0, 90))
def test_standing_still_never_shortens(calendar: Calendar, day: date, length: Length, paused: int) -> None:
    plain = calendar.last_day(day, length)
    assert calendar.last_day(day, length, timedelta(days=paused)) >= plain


@given(DAYS, st.integers(1, 40))
def test_working_days_are_those_counted_one_by_one(day: date, count: int) -> None:
    end = FRANCE.last_day(day, Length(count, Unit.WORKING_DAYS))
    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(FRANCE.working(each) for each in between) == count


@given(DAYS, st.integers(1, 60))
def test_a_period_of_months_ends_on_the_same_date_or_the_last_of_the_month_or_after_days_off(
    day: date, count: int
) -> None:
    end = FRANCE.last_day(day, Length(count, Unit.MONTHS))
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    first_of_next = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    expected = min(date(year, month + 1, 1) + timedelta(days=day.day - 1), first_of_next - timedelta(days=1))
    assert end >= expected
    assert not any(FRANCE.working(expected + timedelta(days=n)) for n in range((end - expected).days))


@given(CALENDARS, MOMENTS)
def test_a_day_is_over_at_midnight_of_the_place_also_where_clocks_change(calendar: Calendar, at: datetime) -> None:
    day = calendar.day_of(at)
    over = calendar.over(day)
    assert over > at
    assert over - at <= timedelta(hours=25)
    assert calendar.day_of(over - timedelta(microseconds=1)) == day
    assert calendar.day_of(over) == day + timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "length", "end"),
    [
        (date(2028, 1, 31), Length(1, Unit.MONTHS), date(2028, 2, 29)),  # a leap year
        (date(2027, 1, 31), Length(1, Unit.MONTHS), date(2027, 3, 1)),  # 28 February is a Sunday
        (date(2027, 3, 31), Length(3, Unit.MONTHS), date(2027, 6, 30)),
        (date(2028, 2, 29), Length(1, Unit.YEARS), date(2029, 2, 28)),
        (date(2028, 2, 29), Length(4, Unit.YEARS), date(2032, 3, 1)),  # 29 February 2032 is a Sunday
        (date(2026, 11, 30), Length(4, Unit.WEEKS), date(2026, 12, 28)),
        (date(2026, 10, 1), Length(3, Unit.MONTHS), date(2027, 1, 4)),  # New Year, then a weekend
        (date(2026, 12, 23), Length(2, Unit.WORKING_DAYS), date(2026, 12, 28)),
        (date(2026, 12, 25), AT_ONCE, date(2026, 12, 25)),  # a holiday is no excuse
    ],
)
def test_by_hand(day: date, length: Length, end: date) -> None:
    assert FRANCE.last_day(day, length) == end


def test_backwards_the_date_stays_where_it_is() -> None:
    assert FRANCE.day_before(date(2027, 3, 31), Length(1, Unit.MONTHS)) == date(2027, 2, 28)
    assert not FRANCE.working(date(2027, 2, 28))


def test_a_day_has_25_hours_in_autumn_and_23_in_spring() -> None:
    for day, hours in ((date(2026, 10, 25), 25), (date(2027, 3, 28), 23), (date(2027, 3, 29), 24)):
        assert FRANCE.over(day) - FRANCE.over(day - timedelta(days=1)) == timedelta(hours=hours)


def test_the_day_of_an_event_is_the_one_at_the_place() -> None:
    at = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert FRANCE.day_of(at) == date(2026, 11, 24)
    assert national_calendar("PT", "Atlantic/Azores").day_of(at) == date(2026, 11, 23)
    assert FRANCE.zone == ZoneInfo("Europe/Paris")


def test_a_part_of_a_country_has_its_own_holidays() -> None:
    epiphany = date(2027, 1, 6)
    assert not national_calendar("DE-BY", "Europe/Berlin").working(epiphany)
    assert national_calendar("DE-HH", "Europe/Berlin").working(epiphany)


@pytest.mark.parametrize(("country", "zone"), [("XX", "Europe/Paris"), ("DE-XX", "Europe/Berlin"), ("FR", "Moon/Base")])
def test_unknown_places_are_refused(country: str, zone: str) -> None:
    with pytest.raises(ValueError, match="no"):
        national_calendar(country, zone)


@given(CALENDARS, st.dates(), st.builds(Length, st.integers(0, 2000), st.sampled_from(Unit)))
def test_no_day_is_too_early_or_late_to_count_with(calendar: Calendar, day: date, length: Length) -> None:
    last = calendar.last_day(day, length, timedelta(days=2000))
    assert last >= min(day + timedelta(days=1), date.max) if day < date.max else last == date.max
    assert calendar.over(last) >= calendar.over(day)
    if length.unit is not Unit.WORKING_DAYS:
        assert calendar.day_before(day, length) <= day


@pytest.mark.parametrize("moment", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_moment_at_the_end_of_the_calendar_falls_on_its_last_day(moment: datetime, zone: str) -> None:
    fallen = national_calendar("FR", zone).day_of(moment)
    assert abs(fallen - moment.date()) <= timedelta(days=1)
