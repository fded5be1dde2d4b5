"""How dates are spelt: strptime formats that read every filled cell of a column."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipelines import sqltext as sql
from pipelines.draft.measure import EXTREMES, ODD, ColumnFacts, Look, nearly, text_of

DAYS = (
    "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y.%m.%d", "%Y%m%d", "%d%m%Y", "%d%b%Y",
    "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%b-%y",
    "%d%b%y", "%Y-%m", "%Y-%m-%d",
)  # fmt: skip
TIMES = ("", ":%H:%M:%S", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", " %I:%M:%S %p", " %I:%M %p", ":%H:%M:%S.%f")
FORMATS = tuple(day + time for day in DAYS for time in TIMES if day != "%Y-%m-%d" or time.startswith(":"))
"""Tried in this order; what the engine reads without being told (ISO 8601) is not among them."""

UNMARKED = ("%Y%m%d", "%d%m%Y")
"""Formats that a number could have by accident."""

PLAUSIBLE = (1600, 2999)
"""Years that numbers taken for dates fall into; 1600 and 2999 stand for none and for ever."""


@dataclass(frozen=True)
class Spelling:
    """`formats` is empty for ISO 8601 and for columns that are delivered as dates; `timed` if a time of day is there.

    `is_doubtful` is true if day and month can be exchanged and every cell still reads; `odd` cells are no dates.
    """

    formats: tuple[str, ...]
    timed: bool
    is_doubtful: bool = False
    odd: int = 0


def likely_formats(look: Look, facts: ColumnFacts) -> tuple[str, ...]:
    """Formats that read at least one of the samples, so that all of them together are worth trying on every row."""
    samples = [s for s in facts.samples if any(c.isdigit() for c in s)]
    if not samples or (facts.whole and {len(s) for s in samples} != {8}):
        return ()
    asked = ", ".join("count(*) FILTER (try_strptime(v, ?) IS NOT NULL)" for _ in FORMATS)
    counts = look.small(f"SELECT {asked} FROM (SELECT unnest(?) AS v)", [*FORMATS, samples])[0]
    fitting = [f for f, count in zip(FORMATS, counts, strict=True) if count == len(samples) and _suits(f, samples)]
    if fitting:
        return tuple(fitting)
    if facts.filled >= ODD and len(samples) >= EXTREMES:
        # odd cells lie at the ends of the alphabet, as the samples do
        most = [f for f, count in zip(FORMATS, counts, strict=True) if 2 * count > len(samples) and _suits(f, samples)]
        if most:
            return tuple(most)
    return _covering(look, samples, [f for f, count in zip(FORMATS, counts, strict=True) if count])


def _suits(format_: str, samples: list[str]) -> bool:
    """True unless months have no leading zero where it would be the only sign of a date: 2345-7 is a LOINC code."""
    return format_ != "%Y-%m" or {len(s) for s in samples} == {len("2020-01")}


def _covering(look: Look, samples: list[str], formats: list[str]) -> tuple[str, ...]:
    """Several formats that together read all samples, if there are any."""
    if not 1 < len(formats) <= 6:
        return ()
    read = look.small(
        "SELECT count(*) FROM (SELECT unnest(?) AS v) WHERE try_strptime(v, ?) IS NOT NULL"
        " OR isfinite(TRY_CAST(v AS TIMESTAMP))",
        [samples, formats],
    )[0][0]
    return tuple(formats) if read == len(samples) else ()


def spellings(look: Look, table: str, facts: Mapping[str, ColumnFacts]) -> dict[str, Spelling]:
    """How each column that holds nothing but dates spells them, by column."""
    likely = {c: f for c, f in facts.items() if _may_be_date(f)}
    tried = {c: () if _is_iso(f) else likely_formats(look, f) for c, f in likely.items()}
    tried = {c: formats for c, formats in tried.items() if formats or _is_iso(facts[c])}
    if not tried:
        return {}
    asked = ", ".join(_counts(c, facts[c], formats) for c, formats in tried.items())
    row = list(look.ask(table, tried, f"SELECT {asked} FROM delivered")[0])
    found = {}
    for column, formats in tried.items():
        spelling = _spelling(facts[column], formats, [row.pop(0) for _ in range(len(formats) + 3)])
        if spelling:
            found[column] = spelling
    return found


def _may_be_date(facts: ColumnFacts) -> bool:
    if facts.family.value in ("date", "time", "zoned"):
        return facts.filled > 0
    is_decimal = facts.number == facts.filled > facts.whole
    return facts.family.value in ("text", "whole") and 6 <= facts.longest <= 32 and facts.filled > 0 and not is_decimal


def _is_iso(facts: ColumnFacts) -> bool:
    return nearly(facts.iso, facts.filled)


def _counts(column: str, facts: ColumnFacts, formats: tuple[str, ...]) -> str:
    t = text_of(column, facts.family)
    listed = ", ".join(sql.text(f) for f in formats)
    read = f"try_strptime({t}, [{listed}])" if formats else f"TRY_CAST({t} AS TIMESTAMP)"
    within = f"year({read}) BETWEEN {PLAUSIBLE[0]} AND {PLAUSIBLE[1]}"
    timed = f"count(*) FILTER ({read} <> date_trunc('day', {read}))"
    each = [f"count(*) FILTER (try_strptime({t}, {sql.text(f)}) IS NOT NULL)" for f in formats]
    return ", ".join([*each, f"count({read})", f"count(*) FILTER ({within})", timed])


def _spelling(facts: ColumnFacts, formats: tuple[str, ...], counts: list[int]) -> Spelling | None:
    *each, together, within, timed = counts
    wanted = facts.filled
    if _is_iso(facts):
        return Spelling((), timed > 0, odd=wanted - facts.iso)
    if not nearly(together, wanted) or (within != together and any("%d" not in f or f in UNMARKED for f in formats)):
        return None
    whole = [f for f, count in zip(formats, each, strict=True) if count == together]
    if not whole:
        return Spelling(formats, timed > 0, odd=wanted - together)
    return replace(_chosen(whole, timed > 0), odd=wanted - together)


def _chosen(whole: list[str], timed: bool) -> Spelling:
    exchanged = {f.replace("%d", "%M1").replace("%m", "%d").replace("%M1", "%m") for f in whole}
    doubtful = any(f in exchanged and "%b" not in f and "%B" not in f for f in whole) or "%y" in whole[0]
    return Spelling((whole[0],), timed, doubtful)
