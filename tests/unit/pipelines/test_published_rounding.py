"""Figures about persons are rounded with a secret, lasting offset before they leave the node."""

from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipelines.keystore import Rotation
from pipelines.published import LEAST_STEP, Rounding, lasting_secret, rounding_of
from tests.unit.pipelines.clinic import Clinic

KEYS = [Rounding(f"key {n}".encode(), "clinic") for n in range(2_000)]
rounding = st.builds(Rounding, st.binary(min_size=8, max_size=8), st.just("clinic"))
counts = st.integers(0, 10**9)


@given(rounding, counts)
def test_a_count_is_near_and_never_shows_few(key: Rounding, count: int) -> None:
    shown = key.count("persons", count)
    assert shown >= 0
    if count < 10:
        assert shown == 0
    if count >= 30:
        assert abs(shown - count) <= max(LEAST_STEP, count // 5)
        assert shown % LEAST_STEP == 0


@given(rounding, counts)
def test_the_offset_lasts(key: Rounding, count: int) -> None:
    assert key.count("persons", count) == Rounding(key.secret, "clinic").count("persons", count)


@given(rounding, counts, counts)
def test_more_never_shows_as_much_fewer(key: Rounding, one: int, other: int) -> None:
    low, high = sorted((one, other))
    # where the step changes with the order of magnitude, a figure may go back by less than the coarser step
    assert key.count("persons", low) <= key.count("persons", high) + max(LEAST_STEP, high // 10)


def test_one_person_more_seldom_shows_whatever_the_count() -> None:
    """Over the keys, the odds that n and n + 1 differ are near one in LEAST_STEP, and no count is a sure border."""
    for count in (9, 10, 19, 29, 99, 100, 199, 249, 250, 999, 1_000, 1_999, 2_694, 9_999, 10_000, 123_456):
        differing = sum(key.count("persons", count) != key.count("persons", count + 1) for key in KEYS) / len(KEYS)
        assert differing < 2.5 / LEAST_STEP, count


def test_where_the_border_lies_depends_on_the_key_alone() -> None:
    borders = {
        key: next(n for n in range(300, 400) if key.count("p", n) != key.count("p", n + 1)) for key in KEYS[:200]
    }
    assert len({border % LEAST_STEP for border in borders.values()}) > LEAST_STEP / 2


def test_figures_of_one_dataset_have_offsets_of_their_own() -> None:
    key = KEYS[0]
    assert key.offset("persons") != key.offset("rows")
    assert key.offset("persons") != Rounding(key.secret, "other").offset("persons")


@given(rounding, st.decimals(0, 1, places=6), st.integers(0, 10**6))
def test_shares_stay_shares_and_get_coarser_with_fewer_persons(key: Rounding, share: Decimal, persons: int) -> None:
    shown = key.share("completeness", share, persons)
    assert 0 <= shown <= 1
    step = Decimal("0.5") if persons < 40 else min(Decimal("0.5"), max(Decimal("0.01"), Decimal(50) / persons))
    assert abs(shown - share) <= step
    assert key.share("completeness", Decimal(1), persons) == 1
    assert key.share("completeness", Decimal(0), persons) == 0


def test_the_secret_outlasts_rotations_of_the_key(tmp_path: Path) -> None:
    """A count that does not change is published alike: another secret would be one more look at it."""
    clinic, found = Clinic(tmp_path), set()
    for rotation in (Rotation.CHAINED, Rotation.FRESH, Rotation.CHAINED):
        found.add(rounding_of(clinic.deliver()).secret)
        clinic.keys.rotate("tests", rotation)
    assert len(found | {rounding_of(clinic.deliver()).secret}) == 1


def test_a_first_secret_is_the_same_at_every_link_of_a_chain(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    first = clinic.keys.key("tests", purpose="test")
    clinic.keys.rotate("tests", Rotation.CHAINED)
    later = clinic.keys.key("tests", purpose="test")
    assert lasting_secret(None, first, "clinic") == lasting_secret(None, later, "clinic")
    assert lasting_secret(None, first, "clinic") != lasting_secret(None, first, "other")
