"""Pseudonyms: the construction, the declared normalisation, the buckets."""

import hmac

import duckdb
import pyarrow as pa
import pytest

from pipelines.keystore import DomainKey
from pipelines.pseudonyms import NORMALISATIONS, Pseudonymiser, bucket_of, bucket_sql, nir, nir_check_digits

KEY = DomainKey("tests", 1, b"k" * 32)


def test_a_person_key_is_the_head_of_the_standard_mac() -> None:
    mac = hmac.digest(KEY.secret, b"AB1", "sha256")
    assert Pseudonymiser(KEY).person_key(" AB1 ") == int.from_bytes(mac[:8], "big", signed=True)


def test_normalisation_is_declared_and_ordered() -> None:
    plain, folded = Pseudonymiser(KEY), Pseudonymiser(KEY, ("no-spaces", "upper"))
    assert folded.person_key("ab 1") == folded.person_key("AB1") == plain.person_key("AB1")
    assert plain.person_key("ab1") != plain.person_key("AB1")
    assert folded.person_key("   ") is None


@pytest.mark.parametrize("department", ["75", "2A", "2b"])
def test_a_french_national_number_is_the_same_with_and_without_check_digits(department: str) -> None:
    number = f"18512{department.upper()}108745"
    check = f"{nir_check_digits(number):02d}"
    assert nir(f"1 85 12 {department} 108 745 {check}") == nir(number) == number
    wrong = f"{(int(check) % 97) + 1:02d}"
    assert nir(number + wrong) is None


def test_a_known_check_digit() -> None:
    # the specimen number the French health insurance prints
    assert nir_check_digits("2690549588157") == 80


def test_what_is_no_national_number_has_no_pseudonym() -> None:
    assert Pseudonymiser(KEY, ("nir",)).pseudonyms(["12345", "1851275108745"])[0] is None


def test_every_normalisation_is_idempotent() -> None:
    for step in NORMALISATIONS.values():
        once = step("1 85 12 75 108 745")
        assert once is not None
        assert step(once) == once


@pytest.mark.parametrize("buckets", [1, 2, 64, 4096])
def test_sql_and_python_agree_on_the_bucket(buckets: int) -> None:
    keys = [0, 1, -1, 2**63 - 1, -(2**63), 123456789 << 30, -(987654321 << 31)]
    rows = duckdb.execute(f"SELECT {bucket_sql(buckets)} FROM (SELECT unnest(?::BIGINT[]) AS person_key)", [keys])
    assert [b for (b,) in rows.fetchall()] == [bucket_of(key, buckets) for key in keys]


def test_finer_buckets_nest_in_coarser_ones() -> None:
    for key in (-5, 17, 2**62, -(2**61)):
        assert bucket_of(key, 64) >> 4 == bucket_of(key, 4)


@pytest.mark.parametrize("spelling", ["１２３４５", "12345\u00a0", "１2３4５"])
def test_one_identifier_in_two_encodings_is_one_person(spelling: str) -> None:
    assert Pseudonymiser(KEY).person_key(spelling) == Pseudonymiser(KEY).person_key("12345")
    composed, apart = "Zo\u00eb", "Zoe\u0308"
    assert Pseudonymiser(KEY, ("upper",)).person_key(composed) == Pseudonymiser(KEY, ("upper",)).person_key(apart)


def test_a_national_number_has_ascii_digits() -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in "1851275108745")
    assert nir(wide) is None
    assert nir("".join(chr(0x660 + int(c)) for c in "1851275108745")) is None
    with_nir = Pseudonymiser(KEY, ("nir",))
    assert with_nir.person_key(wide) == with_nir.person_key("1851275108745") is not None


@pytest.mark.parametrize("code", range(128))
def test_an_identifier_has_one_pseudonym_whatever_stands_beside_it(code: int) -> None:
    """Alone in plain company it is read fast, beside a sign that is not ASCII it is not: both strip alike."""
    maker = Pseudonymiser(KEY)
    for identifier in (f"A{chr(code)}", f"{chr(code)}A"):
        alone, beside = maker.halves(pa.array([identifier])), maker.halves(pa.array([identifier, "é"]))
        assert alone[0][0].tolist() == beside[0][0].tolist()
        assert int(alone[0][0][0]) == maker.person_key(identifier)
