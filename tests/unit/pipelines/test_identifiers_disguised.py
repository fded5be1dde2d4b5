"""Identifiers in fifty disguises among harmless codes: found one by one, by what the delivery knows of them."""

import base64
from collections.abc import Callable, Iterator
from random import Random
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pytest

from pipelines.pseudonyms import nir_check_digits
from pipelines.quality.looks import looks_like
from pipelines.quality.matching import find_identifiers

EACH = 40
"""Identifiers of each kind."""

FIRST = ("Anaëlle", "Björn", "Chloé", "Dušan", "Éloïse", "Françoise", "Guðrún", "Heinrich", "Íñigo", "Jean-Luc")
LAST = ("Archambault", "Bellanger", "Castelnau", "Dutilleul", "Estévez", "Fürstenberg", "Grönholm", "d'Hautefeuille")

WIDE = {ord(c): chr(ord(c) + 0xFEE0) for c in map(chr, range(33, 127))}
ARABIC = {ord("0") + n: chr(0x660 + n) for n in range(10)}
CYRILLIC = str.maketrans("aeopcxAEOPCX", "аеорсхАЕОРСХ")


def seeded(seed: str | int) -> Random:
    """The same identifiers every time."""
    return Random(seed)  # noqa: S311


def _with_check(number: str) -> str:
    return f"{number}{nir_check_digits(number):02d}"


def _nationals(rng: Random) -> list[str]:
    departments = ("75", "2A", "13", "97", "2B")
    return [
        _with_check(
            f"{rng.choice('12')}{rng.randrange(100):02d}{rng.randrange(1, 13):02d}{departments[n % 5]}"
            f"{rng.randrange(1, 990):03d}{rng.randrange(1, 999):03d}"
        )
        for n in range(EACH)
    ]


def _names(rng: Random) -> list[str]:
    return [f"{FIRST[n % 10]} {LAST[n % 8]}{chr(97 + rng.randrange(26))}{chr(97 + n // 8)}" for n in range(EACH)]


KINDS: dict[str, Callable[[Random], list[str]]] = {
    "national number": _nationals,
    "name": _names,
    "hospital number": lambda rng: [f"HP{rng.randrange(10**7):07d}" for _ in range(EACH)],
    "account number": lambda rng: [f"{rng.randrange(10**10, 10**11)}" for _ in range(EACH)],
    "e-mail": lambda rng: [f"reader{rng.randrange(10**6)}@post{n}.example.org" for n in range(EACH)],
    "uuid": lambda rng: [str(_uuid(rng)) for _ in range(EACH)],
}


def _uuid(rng: Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _grouped(text: str, sign: str, size: int = 3) -> str:
    return sign.join(text[i : i + size] for i in range(0, len(text), size))


def _turned(text: str, sign: str) -> str:
    return sign.join(reversed(text.split(" ")))


DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": lambda t: t,
    "lower case": str.lower,
    "upper case": str.upper,
    "swapped case": str.swapcase,
    "title case": str.title,
    "blanks around": lambda t: f"  {t} ",
    "doubled blanks": lambda t: t.replace(" ", "  "),
    "groups with blanks": lambda t: _grouped(t, " "),
    "groups with dots": lambda t: _grouped(t, "."),
    "groups with dashes": lambda t: _grouped(t, "-", 4),
    "groups with slashes": lambda t: _grouped(t, "/", 2),
    "groups with underscores": lambda t: _grouped(t, "_", 5),
    "groups with bars": lambda t: _grouped(t, " | ", 6),
    "groups with no-break blanks": lambda t: _grouped(t, "\u00a0"),
    "groups with thin blanks": lambda t: _grouped(t, "\u2009", 2),
    "groups with long dashes": lambda t: _grouped(t, "\u2013", 4),
    "every sign apart": lambda t: " ".join(t),
    "every sign starred": lambda t: "*".join(t),
    "every sign a new cell": lambda t: ";".join(t),
    "no blanks": lambda t: t.replace(" ", ""),
    "no dashes": lambda t: t.replace("-", ""),
    "blanks as underscores": lambda t: t.replace(" ", "_"),
    "blanks as dots": lambda t: t.replace(" ", "."),
    "in brackets": lambda t: f"[{t}]",
    "in quotation marks": lambda t: f'"{t}"',
    "as a field": lambda t: f"pid={t};ward=4",
    "as json": lambda t: f'{{"id": "{t}"}}',
    "as a path": lambda t: f"/home/{t}/scan.dcm",
    "as an address of the web": lambda t: f"https://example.org/p?id={quote(t)}",
    "percent signs": lambda t: "".join(f"%{b:02X}" for b in t.encode()),
    "entities": lambda t: "".join(f"&#{ord(c)};" for c in t),
    "in a sentence": lambda t: f"Mme {t} admitted",
    "in a sentence, at its end": lambda t: f"seen with {t}.",
    "in a sentence, at its start": lambda t: f"{t} was seen, then left",
    "in a long sentence": lambda t: f"the ward asked whether {t} had been seen by the second physician on duty",
    "behind a code": lambda t: f"C50.1-{t}",
    "glued behind a word": lambda t: f"NIR{t}",
    "glued before a word": lambda t: f"{t}x",
    "padded with noughts": lambda t: f"000{t}",
    "backwards": lambda t: t[::-1],
    "backwards in a sentence": lambda t: f"seen {t[::-1]} twice",
    "backwards with blanks": lambda t: _grouped(t[::-1], " "),
    "words turned": lambda t: _turned(t, " "),
    "words turned with a comma": lambda t: _turned(t, ", "),
    "without accents": lambda t: t.translate(str.maketrans("ëöéšÉïçðúÍñü", "eoesEicduInu")),
    "wide signs": lambda t: t.translate(WIDE),
    "foreign digits": lambda t: t.translate(ARABIC),
    "letters of another alphabet": lambda t: t.translate(CYRILLIC),
    "invisible signs": lambda t: "\u200b".join(t),
    "base 64": lambda t: base64.b64encode(t.encode()).decode(),
    "hexadecimal": lambda t: t.encode().hex(),
    "letters for digits": lambda t: t.replace("0", "O").replace("1", "l") if t.isdigit() else t,
}

HARMLESS = [
    *(f"{c}{n:02d}.{n % 10}" for c in "ABCDEFGHIJKLMNOPQRSTUVZ" for n in range(100)),
    *(f"{c}{n:02d}{d}B{e}{n % 90 + 10}" for c in "ABCDGHJLMNPRSV" for n in range(1, 17) for d in "ABC" for e in "ABX"),
    *(str(40_000_000 + 7 * n) for n in range(3000)),
    *(f"{n}-{n % 10}" for n in range(1000, 99_999, 37)),
    *("755621000000101", "22298006", "00363016102", "0002-3227-30", "3400930000007", "Chronic kidney disease stage 3"),
]


def _stream(texts: list[str]) -> Callable[[], Iterator[pa.RecordBatchReader]]:
    return lambda: iter([pa.table({"identifier": pa.array(texts, pa.string())}).to_reader()])


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"memory_limit": "1GB", "threads": 2}) as made:
        yield made


def missed(connection: duckdb.DuckDBPyConnection, known: list[str], put: list[str]) -> dict[str, int]:
    """How many of the texts `put` in each disguise are not found, by disguise."""
    values = [(n, disguise(t)) for n, disguise in enumerate(DISGUISES.values()) for t in put]
    found = find_identifiers(connection, values, _stream(known))
    return {name: len(put) - found.get(n, 0) for n, name in enumerate(DISGUISES) if found.get(n, 0) < len(put)}


@pytest.mark.parametrize("kind", KINDS)
def test_identifiers_are_found_in_fifty_disguises(connection: duckdb.DuckDBPyConnection, kind: str) -> None:
    known = KINDS[kind](seeded(kind))
    assert len(DISGUISES) >= 50
    left = missed(connection, known, known)
    assert sum(left.values()) <= 0.01 * len(DISGUISES) * EACH, left


@pytest.mark.parametrize(("delivered", "stored"), [(15, 13), (13, 15)])
def test_a_national_number_is_found_with_and_without_its_check_digits(
    connection: duckdb.DuckDBPyConnection, delivered: int, stored: int
) -> None:
    numbers = KINDS["national number"](seeded(1))
    left = missed(connection, [n[:delivered] for n in numbers], [n[:stored] for n in numbers])
    assert sum(left.values()) <= 0.01 * len(DISGUISES) * EACH, left


@pytest.mark.parametrize("kind", KINDS)
def test_codes_are_no_identifiers(connection: duckdb.DuckDBPyConnection, kind: str) -> None:
    known = KINDS[kind](seeded(kind))
    assert find_identifiers(connection, [(0, v) for v in HARMLESS], _stream(known)) == {}


def test_running_numbers_are_no_identifiers_where_codes_lie_among_them(connection: duckdb.DuckDBPyConnection) -> None:
    persons = [str(n) for n in range(39_990_000, 40_030_000)]
    codes = [(0, str(40_000_000 + 7 * n)) for n in range(3000)]
    assert find_identifiers(connection, codes, _stream(persons)) == {}
    assert find_identifiers(connection, codes, _stream([str(n) for n in range(1, 5401)])) == {}


def test_scattered_numbers_are_identifiers(connection: duckdb.DuckDBPyConnection) -> None:
    persons = [str(n) for n in seeded(2).sample(range(10**7, 10**8), 3000)]
    codes = [(0, str(40_000_000 + 7 * n)) for n in range(3000)]
    assert find_identifiers(connection, [*codes, *((0, p) for p in persons[:20])], _stream(persons))[0] >= 20


def test_a_family_name_in_a_list_of_towns_is_an_accident(connection: duckdb.DuckDBPyConnection) -> None:
    towns = [(0, f"Town {n}") for n in range(50)] + [(0, "Lourdes"), (0, "Bourges"), (0, "Parkinson's disease")]
    assert find_identifiers(connection, towns, _stream(["Lourdes", "Bourges", "Parkinson"])) == {}
    names = [f"Family{chr(97 + n // 5)}{chr(97 + n % 5)}" for n in range(25)]
    assert find_identifiers(connection, [*towns, *((0, n) for n in names)], _stream(names)) == {0: 25}


@pytest.mark.parametrize(
    "value",
    [
        "write to name7@example.org", "a.b [at] example [dot] org", "a.b at example dot org", "<a@b.example.fr>",
        "06 12 34 56 00", "06.12.34.56.00", "call 0612345600", "0612345600 (home)", "tel:+33612345600",
        "+33 (0)6 12 34 56 00", "0033 6 12 34 56 00", "+44 20 7946 0958", "(617) 555-0123",
        "0f8fad5b-d9cb-469f-a165-70867728950e", "id 0f8fad5bd9cb469fa16570867728950e",
        "NIR 255081416802538", "2 55 08 14 168 025 38", "2.55.08.14.168.025.38 seen", "255-08-14-168-025/38",
    ],
)  # fmt: skip
def test_one_value_that_looks_like_an_identifier_is_enough(connection: duckdb.DuckDBPyConnection, value: str) -> None:
    connection.execute("CREATE TABLE stored (v VARCHAR)")
    connection.executemany("INSERT INTO stored VALUES (?)", [[v] for v in (*HARMLESS[::50], value)])
    found = looks_like(connection, "stored")
    assert found is not None
    assert found[1] == 1


def test_bare_telephone_numbers_are_told_by_their_share(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE TABLE stored AS SELECT CAST(20000000000 + i AS VARCHAR) AS v FROM range(100) t(i)")
    connection.execute("INSERT INTO stored VALUES ('0612345600'), ('0612345601'), ('0612345602')")
    assert looks_like(connection, "stored") is None
    connection.execute("DELETE FROM stored WHERE v LIKE '2%'")
    assert looks_like(connection, "stored") == ("a telephone number", 3)


def test_codes_look_like_no_identifier(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE TABLE stored (v VARCHAR)")
    connection.executemany("INSERT INTO stored VALUES (?)", [[v] for v in HARMLESS])
    assert looks_like(connection, "stored") is None


def test_public_lists_may_name_a_place_like_a_person(connection: duckdb.DuckDBPyConnection) -> None:
    persons = ["Martin Vesubie", "HP0012345"]
    towns = [(0, f"Town {n}") for n in range(50)] + [(0, "Saint-Martin-Vésubie")]
    public = frozenset({0})
    assert find_identifiers(connection, towns, _stream(persons)) == {0: 1}
    assert find_identifiers(connection, towns, _stream(persons), public) == {}
    assert find_identifiers(connection, [*towns, (0, "HP0012345")], _stream(persons), public) == {0: 1}
