"""A stored release comes back as it was, whatever is in it."""

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dataspace.db import release_codec
from dataspace.domain.privacy import ContributionBounds, PrivacyLoss
from dataspace.domain.releases import Estimate, Release, ReleaseRow, ReleaseTable

AMOUNTS = st.integers(min_value=0, max_value=2**62)
KEYS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.dates(),
    st.datetimes(),
    st.decimals(allow_nan=False, allow_infinity=False),
)
NUMBERS = st.none() | st.floats(allow_nan=False)
ROWS = st.builds(
    ReleaseRow,
    st.lists(KEYS, max_size=3).map(tuple),
    st.lists(st.builds(Estimate, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.booleans()), max_size=2).map(tuple),
)
NAMES = st.lists(st.text(), max_size=3).map(tuple)
RELEASES = st.builds(
    Release,
    id=st.text(),
    permit_id=st.text(),
    sql=st.text(),
    fingerprint=st.text(),
    snapshots=st.dictionaries(st.text(), st.text(), max_size=3),
    bounds=st.builds(ContributionBounds, st.integers(1, 10_000), st.integers(1, 10_000)),
    loss=st.builds(PrivacyLoss, AMOUNTS, AMOUNTS),
    table=st.builds(ReleaseTable, NAMES, NAMES, NAMES, st.lists(ROWS, max_size=4).map(tuple), NAMES),
    released_at=st.datetimes(timezones=st.just(UTC)),
)


def kinds(release: Release) -> list[list[tuple[type, str]]]:
    """Types and spellings of the keys: 1 equals True and 1.0 equals 1.00, but they are not the same key."""
    return [[(type(key), str(key)) for key in row.keys] for row in release.table.rows]


@given(RELEASES)
def test_there_and_back(release: Release) -> None:
    back = release_codec.loads(release_codec.dumps(release))
    assert back == release
    assert kinds(back) == kinds(release)


@given(RELEASES)
def test_the_text_is_strict_json(release: Release) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(release_codec.dumps(release), parse_constant=refuse)


def test_the_odd_values() -> None:
    keys = (None, True, 1, "1", Decimal("1.00"), date(2026, 1, 1), datetime.fromisoformat("2026-01-01T00:00:00.000001"))
    row = ReleaseRow(keys, (Estimate(-0.0, -math.inf, math.inf, 5e-324), Estimate(math.nan, None, None)))
    table = ReleaseTable(("a",), ("a",), (), (row,))
    release = Release(
        "r", "p", "s", "f", {}, ContributionBounds(1, 1), PrivacyLoss(1), table, datetime(2026, 1, 1, tzinfo=UTC)
    )
    back = release_codec.loads(release_codec.dumps(release)).table.rows[0]
    assert repr(back) == repr(row)
