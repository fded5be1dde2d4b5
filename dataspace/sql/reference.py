"""The language reference as Markdown, made from the tables that the compiler works with."""

from dataspace.sql.analyses import FORMS
from dataspace.sql.functions import FUNCTIONS
from dataspace.sql.shorthands import HISTOGRAM

_AGGREGATES = (
    ("COUNT(DISTINCT person)", "persons"),
    ("COUNT(*), COUNT(x), COUNT_IF(condition)", "records; those where x is known; those that fulfil the condition"),
    ("SUM(x), AVG(x)", "sum and mean of numbers"),
    ("VARIANCE(x), STDDEV(x)", "spread of a sample"),
    ("MEDIAN(x), QUANTILE(x, q), PERCENTILE_CONT(q) WITHIN GROUP (ORDER BY x)", "quantiles"),
    ("PROPORTION(condition)", "share of records that fulfil the condition among those where it is known"),
    ("RATE(a, b), SUM(a) / SUM(b)", "ratio of two sums, for example events per person-time"),
    (
        "GROUP BY ROLLUP (a, b), CUBE (a, b), GROUPING SETS ((a, b), (a), ())",
        "totals at several levels that add up; the column level says by what a row is grouped",
    ),
    (HISTOGRAM, "records in each band of x: short for BIN(x, …), COUNT(*) and GROUP BY the band"),
    ("… FILTER (WHERE condition)", "any of these over some of the records"),
)
_PER_PERSON = (
    ("COUNT, SUM, AVG, MIN, MAX, bool_or, bool_and", "over the rows of a person"),
    (
        "first(x ORDER BY y), last(x ORDER BY y), arg_min(x, y), arg_max(x, y)",
        "x of the first or last row where both are known",
    ),
)
_WINDOWS = (
    ("row_number(), rank(), dense_rank()", "position among the rows of the person"),
    ("lag(x, n), lead(x, n), first_value(x), last_value(x)", "x of another row of the person"),
    ("sum, count, min, max, avg", "along the rows of the person"),
)


def language_reference() -> str:
    """Aggregates, windows and functions of the query language, one table each."""
    functions = list(dict.fromkeys((f.usage, f.meaning) for f in FUNCTIONS.values()))
    analyses = tuple((form.usage, form.meaning) for form in FORMS.values())
    parts = [
        ("Aggregates of the outermost SELECT", _AGGREGATES),
        ("Analyses: one in the outermost SELECT, beside its groups", analyses),
        ("Aggregates in a sub-query grouped by person", _PER_PERSON),
        ("Windows: OVER (PARTITION BY person ORDER BY …)", _WINDOWS),
        ("Functions", tuple(functions)),
    ]
    return "\n\n".join(_table(title, rows) for title, rows in parts) + "\n"


def _table(title: str, rows: tuple[tuple[str, str], ...]) -> str:
    lines = [f"| `{usage.replace('|', chr(92) + '|')}` | {meaning} |" for usage, meaning in rows]
    return "\n".join([f"## {title}", "", "| write | means |", "|---|---|", *lines])
