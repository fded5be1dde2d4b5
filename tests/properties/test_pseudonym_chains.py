"""A chained version gives the same person key from an identifier as from the person key before; domains never link."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import KeystoreError
from pipelines.keystore import DomainKey
from pipelines.pseudonyms import Pseudonymiser, rekeyed

FIRST = DomainKey("tests", 1, b"1" * 32)
SECOND = DomainKey("tests", 2, b"2" * 32, FIRST)
THIRD = DomainKey("tests", 3, b"3" * 32, SECOND)
AFRESH = DomainKey("tests", 4, b"4" * 32)
AFTER = DomainKey("tests", 5, b"5" * 32, AFRESH)
ELSEWHERE = DomainKey("elsewhere", 2, b"6" * 32, DomainKey("elsewhere", 1, b"7" * 32))

IDENTIFIER = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)


def test_a_chained_person_key_is_the_head_of_the_mac_of_the_one_before() -> None:
    before = hmac.digest(FIRST.secret, b"AB1", "sha256")
    after = hmac.digest(SECOND.secret, before[:8], "sha256")
    assert Pseudonymiser(SECOND).pseudonyms(["AB1"]) == [after[:8] + before[8:16]]


@given(st.lists(IDENTIFIER, max_size=20))
def test_identifiers_and_stored_person_keys_lead_to_the_same(identifiers: list[str]) -> None:
    stored = [Pseudonymiser(FIRST).person_key(i) for i in identifiers]
    known = [key for key in stored if key is not None]
    expected = [Pseudonymiser(THIRD).person_key(i) for i in identifiers]
    assert rekeyed(THIRD, 1, known) == [key for key in expected if key is not None]
    assert rekeyed(THIRD, 2, rekeyed(SECOND, 1, known)) == rekeyed(THIRD, 1, known)
    assert rekeyed(THIRD, 3, known) == known


@given(st.sets(IDENTIFIER, min_size=2, max_size=20))
def test_versions_and_domains_do_not_link(identifiers: set[str]) -> None:
    found = [
        Pseudonymiser(key).person_key(i)
        for key in (FIRST, SECOND, THIRD, AFRESH, AFTER, ELSEWHERE)
        for i in identifiers
    ]
    valid = [key for key in found if key is not None]
    assert len(set(valid)) == len(valid)


@given(IDENTIFIER, IDENTIFIER)
def test_the_half_that_tells_persons_apart_goes_along(one: str, other: str) -> None:
    """Person keys that met at any link would still have different checks, and one person has one."""
    first, second = Pseudonymiser(THIRD).pseudonyms([one, other])
    assert first is not None
    assert second is not None
    assert (first[8:] == second[8:]) == (Pseudonymiser(FIRST).person_key(one) == Pseudonymiser(FIRST).person_key(other))


@pytest.mark.parametrize(("key", "since"), [(AFRESH, 3), (AFTER, 3), (FIRST, 0), (SECOND, 0), (FIRST, 2), (SECOND, 3)])
def test_a_fresh_version_cannot_be_reached_without_identifiers(key: DomainKey, since: int) -> None:
    with pytest.raises(KeystoreError, match="cannot be re-keyed"):
        rekeyed(key, since, [1])
