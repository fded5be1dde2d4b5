"""Pseudonyms are stable within a domain, and say nothing across domains."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.keystore import DomainKey
from pipelines.pseudonyms import Pseudonymiser

IDENTIFIERS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20), unique=True
)
HERE, THERE = DomainKey("here", 1, b"1" * 32), DomainKey("there", 1, b"2" * 32)


@given(IDENTIFIERS)
def test_two_holders_with_one_key_link_and_two_domains_never_do(identifiers: list[str]) -> None:
    here = Pseudonymiser(HERE).pseudonyms(identifiers)
    assert Pseudonymiser(HERE).pseudonyms(list(reversed(identifiers))) == list(reversed(here))
    there = Pseudonymiser(THERE).pseudonyms(identifiers)
    keys, others = {p[:8] for p in here if p}, {p[:8] for p in there if p}
    assert len(keys) == len(identifiers)
    assert not keys & others


@given(st.text(max_size=30))
def test_the_declared_form_decides_and_not_the_spelling(identifier: str) -> None:
    folded = Pseudonymiser(HERE, ("alphanumeric", "upper"))
    spelt = "".join(f" {c}" for c in identifier)
    assert folded.person_key(identifier) == folded.person_key(spelt)


def test_many_identifiers_of_two_domains_share_no_person_key() -> None:
    identifiers = [str(n) for n in range(100_000)]
    here = {p[:8] for p in Pseudonymiser(HERE).pseudonyms(identifiers) if p}
    there = {p[:8] for p in Pseudonymiser(THERE).pseudonyms(identifiers) if p}
    assert len(here) == len(there) == 100_000
    assert not here & there
