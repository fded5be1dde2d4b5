"""The register's own spelling: whoever a dataset takes for one person is one person in the register."""

from itertools import permutations

import pytest

from pipelines.keystore import DomainKey
from pipelines.opt_outs import linked, register_numbers
from pipelines.pseudonyms import NORMALISATIONS, Pseudonymiser, nir_check_digits

KEY = DomainKey("opt-out-register", 1, b"r" * 32)
OTHER = DomainKey("tests", 1, b"t" * 32)

SPELLINGS = [
    (f"1850578006084{nir_check_digits('1850578006084')}", "1 85 05 78 006 084", "1850578006084"),
    ("ab 1", "AB1", "a-b 1", "ＡＢ１"),
    ("ab-12/c", "AB12C"),
    ("Ωμέγα", "ΩΜΈΓΑ"),
]


@pytest.mark.parametrize("spellings", SPELLINGS)
def test_one_person_however_spelled(spellings: tuple[str, ...]) -> None:
    numbers = register_numbers(KEY, spellings)
    assert None not in numbers
    assert len(set(numbers)) == 1


def test_different_persons_differ_and_nothing_is_nobody() -> None:
    one, two, nobody = register_numbers(KEY, ["AB1", "AB2", "  "])
    assert one != two
    assert nobody is None


@pytest.mark.parametrize("rule", [(), *((s,) for s in NORMALISATIONS), *permutations(NORMALISATIONS, 2)])
def test_no_rule_of_a_plan_joins_what_the_register_tells_apart(rule: tuple[str, ...]) -> None:
    texts = [text for spellings in SPELLINGS for text in spellings] + ["AB2", "ab 2", "1", "01"]
    by_plan = Pseudonymiser(OTHER, rule).pseudonyms(texts)
    by_register = register_numbers(KEY, texts)
    for mac in {mac for mac in by_plan if mac is not None}:
        assert len({n for n, own in zip(by_register, by_plan, strict=True) if own == mac}) == 1


def test_only_persons_in_the_register_are_linked() -> None:
    one, two = register_numbers(KEY, ["AB1", "AB2"])
    assert one is not None
    assert linked(KEY, {one}, [("ab 1", 11), ("AB2", 22), ("", 33)]) == {one: {11}}
    assert two not in linked(KEY, {one}, [("AB2", 22)])
