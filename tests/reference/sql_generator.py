"""Hypothesis strategies for queries of the language, over the tables of `sql_cases`.

Texts name the person `{person}`, so that a query can be given to `parse_query` (person) and to DuckDB (person_key).
`safe` leaves out what DuckDB itself would refuse or answer differently: functions of ours, divisors that may be zero.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

COLUMNS = {
    "number": ("p.year_of_birth", "d.days_supply", "d.drug_concept_id", "d.dose"),
    "date": ("d.drug_exposure_start_date",),
    "text": ("p.sex",),
}
SMALL = st.sampled_from(["0", "1", "2", "7", "-3", "0.5", "1e2", "1950", "3000000000"])
HUGE = st.sampled_from(["9223372036854775807", "1e300", "-1e300", "1e-300", "0.1"])
DAYS = st.sampled_from(["DATE '2012-04-25'", "DATE '0001-01-01'", "DATE '9999-12-31'", "DATE '2000-02-29'"])
WORDS = st.sampled_from(["'F'", "'M'", "''", "'x%'", "'12'", "'2012-01-01'"])
COMPARISONS = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"])
UNITS = st.sampled_from(["day", "week", "month", "quarter", "year"])


@dataclass(frozen=True)
class Language:
    """Which constructs are drawn."""

    safe: bool = False
    aliases: tuple[str, ...] = ("p", "d")


def _columns(kind: str, language: Language) -> st.SearchStrategy[str]:
    return st.sampled_from([c for c in COLUMNS[kind] if c[0] in language.aliases] or ["NULLIF(1, 1)"])


@st.composite
def numbers(draw: st.DrawFn, language: Language, depth: int) -> str:
    """A numeric expression."""
    if depth <= 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.one_of(_columns("number", language), SMALL if language.safe else st.one_of(SMALL, HUGE)))
    a = draw(numbers(language, depth - 1))
    if language.safe:
        return draw(_safe_number(a, language, depth))
    b = draw(numbers(language, depth - 1))
    options = [
        *(f"({a} {op} {b})" for op in ("+", "-", "*", "/", "%", "//")),
        *(f"{f}({a})" for f in ("abs", "floor", "ceil", "round", "trunc", "sqrt", "ln", "exp", "sign")),
        f"power({a}, {b})",
        f"mod({a}, {b})",
        f"(-{a})",
        f"least({a}, {b})",
        f"greatest({a}, {b})",
        f"coalesce({a}, {b})",
        f"nullif({a}, {b})",
        f"round({a}, 2)",
        f"CLAMP({a}, -5, 5)",
        f"CAST({a} AS BIGINT)",
    ]
    return draw(st.one_of(st.sampled_from(options), _case(language, depth, a, b), _from_others(language, depth)))


@st.composite
def _safe_number(draw: st.DrawFn, a: str, language: Language, depth: int) -> str:
    b = draw(numbers(language, depth - 1))
    wide = f"CAST({a} AS DOUBLE)"
    options = [
        *(f"({wide} {op} CAST({b} AS DOUBLE))" for op in ("+", "-", "*")),
        f"({wide} / 7)",
        f"abs({wide})",
        f"floor({wide} / 10)",
        f"least({a}, {b})",
        f"greatest({a}, {b})",
        f"coalesce({a}, {b})",
    ]
    return draw(st.one_of(st.sampled_from(options), _case(language, depth, a, b)))


@st.composite
def _case(draw: st.DrawFn, language: Language, depth: int, a: str, b: str) -> str:
    condition = draw(conditions(language, depth - 1))
    return f"CASE WHEN {condition} THEN {a} {draw(st.sampled_from(['', f'ELSE {b} ']))}END"


@st.composite
def _from_others(draw: st.DrawFn, language: Language, depth: int) -> str:
    day, other = draw(dates(language, depth - 1)), draw(dates(language, depth - 1))
    text = draw(texts(language, depth - 1))
    unit = draw(UNITS)
    part = draw(st.sampled_from(["year", "month", "week", "dayofweek", "isodow", "dayofyear", "isoyear"]))
    options = [
        f"date_diff('{unit}', {day}, {other})",
        f"date_sub('{unit}', {day}, {other})",
        f"{part}({day})",
        f"({day} - {other})",
        f"length({text})",
        f"CAST({text} AS DOUBLE)",
        f"CAST({text} AS INTEGER)",
    ]
    return draw(st.sampled_from(options))


@st.composite
def dates(draw: st.DrawFn, language: Language, depth: int) -> str:
    """A date expression."""
    if depth <= 0 or draw(st.integers(0, 2)) == 0:
        return draw(st.one_of(_columns("date", language).filter(lambda c: "NULLIF" not in c), DAYS))
    day, unit = draw(dates(language, depth - 1)), draw(UNITS)
    if language.safe:
        return f"CAST(date_trunc('{unit}', {day}) AS DATE)"
    number, text = draw(numbers(language, depth - 1)), draw(texts(language, depth - 1))
    options = [
        f"date_trunc('{unit}', {day})",
        f"({day} + INTERVAL {draw(st.sampled_from(['1', '90', '-90', '250']))} {unit})",
        f"({day} + {number})",
        f"({day} - {number})",
        f"coalesce({day}, {draw(dates(language, depth - 1))})",
        f"CAST({text} AS DATE)",
    ]
    return draw(st.sampled_from(options))


@st.composite
def texts(draw: st.DrawFn, language: Language, depth: int) -> str:
    """A text expression."""
    if depth <= 0 or draw(st.integers(0, 2)) == 0:
        return draw(st.one_of(_columns("text", language).filter(lambda c: "NULLIF" not in c), WORDS))
    a = draw(texts(language, depth - 1))
    options = [f"lower({a})", f"upper({a})", f"trim({a})", f"substr({a}, 1, 1)", f"({a} || {draw(WORDS)})"]
    if not language.safe:
        number = draw(numbers(language, depth - 1))
        options += [f"CAST({number} AS VARCHAR)", f"BIN({number}, 0, 100, 10)", f"right({a}, 1)"]
    return draw(st.sampled_from(options))


@st.composite
def conditions(draw: st.DrawFn, language: Language, depth: int) -> str:
    """A condition."""
    if depth <= 0 or draw(st.integers(0, 2)) == 0:
        kind = draw(st.sampled_from([numbers, dates, texts]))
        a, b = draw(kind(language, depth - 1)), draw(kind(language, depth - 1))
        return draw(st.sampled_from([f"({a} {draw(COMPARISONS)} {b})", f"({a} IS NULL)", f"({a} BETWEEN {b} AND {a})"]))
    a, b = draw(conditions(language, depth - 1)), draw(conditions(language, depth - 1))
    text = draw(texts(language, depth - 1))
    options = [
        f"({a} AND {b})",
        f"({a} OR {b})",
        f"(NOT {a})",
        f"({text} LIKE 'F%')",
        f"({text} IN ('F', 'M', 'x'))",
        f"({draw(numbers(language, depth - 1))} NOT IN (1, 2.5, 7))",
        f"({a} IS TRUE)",
        "(p.{person} IN (SELECT {person} FROM condition_occurrence WHERE condition_concept_id > 10))",
        "EXISTS (SELECT 1 FROM condition_occurrence c WHERE c.{person} = p.{person} "
        "AND c.condition_concept_id > d.drug_concept_id - 40)",
    ]
    allowed = options if language.aliases == ("p", "d") else options[:-2]
    return draw(st.sampled_from(allowed))


JOINS = st.sampled_from(
    [
        "person p JOIN drug_exposure d ON p.{person} = d.{person}",
        "person p LEFT JOIN drug_exposure d ON d.{person} = p.{person}",
        "drug_exposure d JOIN person p ON p.{person} = d.{person}",
        "person p LEFT JOIN drug_exposure d ON d.{person} = p.{person} AND d.dose > 1",
    ]
)


@st.composite
def row_queries(draw: st.DrawFn, *, safe: bool = False, depth: int = 3) -> str:
    """One selection with joins, a filter, groups and conditional counts."""
    language = Language(safe)
    key = draw(st.sampled_from(["p.sex", "p.year_of_birth > 1975", "floor(p.year_of_birth / 25)"]))
    if not safe:
        key = draw(st.one_of(st.just(key), texts(language, 2), conditions(language, 1)).filter(lambda k: "p." in k))
        value = f"SUM(CLAMP({draw(numbers(language, depth))}, -1000, 1000)) AS v, "
    else:
        value = ""
    condition, kept = draw(conditions(language, depth)), draw(conditions(language, depth - 1))
    return (
        f"SELECT {key} AS k, {value}COUNT(*) AS n, COUNT(*) FILTER (WHERE {condition}) AS hits, "
        f"COUNT(DISTINCT p.{{person}}) AS persons FROM {draw(JOINS)} WHERE {kept} GROUP BY 1"
    )


@st.composite
def person_queries(draw: st.DrawFn, *, depth: int = 2) -> str:
    """Aggregates per person or windows in a sub-query, and a sum around it."""
    language = Language(aliases=("d",))
    number, condition = draw(numbers(language, depth)), draw(conditions(language, depth))
    day = draw(dates(language, 1))
    if draw(st.booleans()):
        function = draw(
            st.sampled_from(["SUM", "AVG", "MIN", "MAX", "COUNT"]).map(lambda f: f"{f}({number})")
            | st.sampled_from(["first", "last"]).map(lambda f: f"{f}({number} ORDER BY {day})")
            | st.sampled_from([f"arg_min({number}, {day})", f"COUNT(DISTINCT {number})"])
        )
        inner = f"SELECT d.person, {function} FILTER (WHERE {condition}) AS x FROM drug_exposure d GROUP BY d.person"
    else:
        function = draw(
            st.sampled_from(["SUM", "AVG", "MIN", "MAX", "COUNT", "lag", "lead", "first_value"]).map(
                lambda f: f"{f}({number})"
            )
            | st.sampled_from(["row_number()", "rank()", "dense_rank()"])
        )
        frame = draw(st.sampled_from(["", " ROWS BETWEEN 1 PRECEDING AND CURRENT ROW"]))
        inner = (
            f"SELECT d.person, {function} OVER (PARTITION BY d.person ORDER BY {day}{frame}) AS x "
            f"FROM drug_exposure d WHERE {condition}"
        )
    return f"SELECT SUM(CLAMP(x, -100, 100)) AS s, COUNT(x) AS n FROM ({inner}) AS i"
