"""Does a column hold what an identifier column holds, in any disguise `pipelines.quality.readings` can see through?

Readings of the distinct values are cut into keys, and every identifier of the delivery streams past them: few values
stay in memory, many identifiers do not. An identifier counts as found, by its kind,

- `sure` (letters with digits or an @, numbers from 13 digits on; check digits of a national number are left out):
  anywhere inside of a value;
- `phrase` (several words, ten letters or more): anywhere inside of a value; `name` (shorter ones): as whole words.
  In public lists only if many values are such names, since places and products are named like persons;
- `word` (one word of letters): as the whole value, and only if many values are such words;
- numbers of 6 to 12 digits: as a run of digits, and only more often than chance gives. Chance is known: it is how
  densely identifiers fill the numbers around the value, so codes may lie in the range of running numbers.

Shorter identifiers are compared within their own row alone (`pipelines.quality.identifiers`).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.quality.readings import plain, readings, runs, starts

SHORTEST = 6
"""Characters of the shortest identifier that is looked for in other rows."""

SURE_DIGITS = 13
"""Digits from which on a number is no accident."""

NEIGHBOURS = 1000
"""Numbers around a value in which identifiers are counted."""

WORD_SHARE = 0.2
"""Share of a column's values that may be some person's name by accident: towns and families share names."""

CUT = (6, 8, 12, 16, 24)
"""Lengths of keys; an identifier is looked up by the longest that fits, so that few values answer."""

MOST_KEYS = 4_000_000
"""Keys in memory at a time, about 40 bytes each; more values take another pass over the identifiers."""

FEW = 2
"""Coincidences that are overlooked where chance is not negligible."""

RARE = 0.01
"""Coincidences to be expected below which a single one is none."""

NIR = "[1-478][0-9]{4}([0-9]{2}|2[ab])[0-9]{8}"


def _without_check_digits(text: str) -> str:
    """SQL of a folded identifier, a national number without its check digits."""
    return f"CASE WHEN length({text}) = 15 AND regexp_full_match({text}, '{NIR}') THEN left({text}, 13) ELSE {text} END"


KEYED = f"""
SELECT w, f, kind, hash(left(f, CASE {" ".join(f"WHEN length(f) >= {n} THEN {n}" for n in reversed(CUT))} END)) AS key
"""

FORMS = rf"""
WITH words AS (
    SELECT trim(regexp_replace(lower(identifier), '[^\p{{L}}\p{{N}}]+', ' ', 'g')) AS w, identifier FROM delivered
), folded AS (SELECT w, replace(w, ' ', '') AS f, identifier FROM words WHERE length(w) >= {SHORTEST}),
written AS (
    SELECT w, {_without_check_digits("f")} AS f,
        CASE WHEN regexp_full_match(f, '[0-9]+') THEN if(length(f) >= {SURE_DIGITS}, 'sure', 'number')
            WHEN regexp_matches(f, '[0-9]') OR contains(identifier, '@') THEN 'sure'
            WHEN NOT contains(w, ' ') THEN 'word' ELSE if(length(f) >= 10, 'phrase', 'name') END AS kind
    FROM folded WHERE length(f) >= {SHORTEST}
), tokens AS (
    SELECT string_split(w, ' ') AS t, kind FROM written
    WHERE kind IN ('sure', 'phrase', 'name') AND contains(w, ' ') AND NOT regexp_matches(w, '[0-9]{{3}}.* ')
), turned AS (
    SELECT w, f, kind FROM written WHERE kind <> 'number'
    UNION ALL
    SELECT v, replace(v, ' ', ''), kind FROM (
        SELECT array_to_string(unnest([list_reverse(t), [t[-1]] || t[:-2], t[2:] || [t[1]]]), ' ') AS v, kind
        FROM tokens)
)
{KEYED} FROM turned
"""
"""Spellings of each delivered identifier: folded, and with the family name, of one word or several, first or last."""

PLAIN_FORMS = f"""
WITH written AS (
    SELECT w, {_without_check_digits("w")} AS f, kind
    FROM delivered WHERE kind <> 'number'
)
{KEYED} FROM written
"""
"""The same of identifiers that are one piece of ASCII letters and digits, a third of the work; `_kinds` names kinds."""

NUMBERS = f"""
SELECT DISTINCT TRY_CAST(f AS BIGINT) AS number FROM (
    SELECT regexp_replace(identifier, '[^0-9A-Za-z]+', '', 'g') AS f FROM delivered)
WHERE regexp_full_match(f, '0*[1-9][0-9]{{{SHORTEST - 1},{SURE_DIGITS - 2}}}')
    AND TRY_CAST(f AS BIGINT) // {NEIGHBOURS} IN (SELECT number // {NEIGHBOURS} FROM searched_runs)
"""

HELD = """
SELECT DISTINCT col, kind, val FROM forms JOIN searched_keys USING (key)
JOIN searched USING (number)
WHERE CASE WHEN kind IN ('sure', 'phrase') THEN contains(text, f) WHEN kind = 'word' THEN text = f
    ELSE text = f OR contains(' ' || spaced || ' ', ' ' || w || ' ') END
"""

BY_CHANCE = f"""
WITH near AS (SELECT number // {NEIGHBOURS} AS block, count(*) AS n FROM identifying GROUP BY ALL)
SELECT col, count(*) FILTER (number IN (FROM identifying)), sum(coalesce(n, 0)) / {NEIGHBOURS}
FROM searched_runs LEFT JOIN near ON block = number // {NEIGHBOURS} GROUP BY ALL
"""
"""Per column: numbers that are identifiers, and how many would be by chance."""

Streams = Callable[[], Iterator[pa.RecordBatchReader]]
"""The delivery's identifiers: readers of one text column, from the start at each call."""


def find_identifiers(
    connection: duckdb.DuckDBPyConnection,
    values: Iterable[tuple[int, str]],
    identifiers: Streams,
    lists: frozenset[int] = frozenset(),
) -> dict[int, int]:
    """How many distinct values hold identifiers, by number of the column; columns without any are left out.

    `values` are pairs of a column's number and a distinct value of it, `lists` the numbers of public lists. Values are
    read in chunks, up to the first with an identifier: memory does not grow with their number, time does.
    """
    for searched in _chunks(values, lists):
        _prepare(connection, searched)
        found = Counter[int]()
        if searched.read:
            found |= _held(connection, searched, identifiers())
        for reader in identifiers() if searched.runs else ():
            connection.register("delivered", _plain(reader))
            found |= Counter(dict(_more_than_chance(connection)))
            connection.unregister("delivered")
        if found:
            return dict(sorted(found.items()))
    return {}


def _plain(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The batches with all that is not ASCII folded; the rest is left to SQL."""
    schema = pa.schema([("identifier", pa.string())])
    return pa.RecordBatchReader.from_batches(schema, (_plain_batch(batch, schema) for batch in reader))


def _plain_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    texts = batch.column(0).cast(pa.string())
    if not pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        texts = pa.array([None if t is None else plain(t) for t in texts.to_pylist()], pa.string())
    return pa.record_batch([texts], schema=schema)


@dataclass(frozen=True)
class Searched:
    """Readings of some values as (column, number of the value, reading, starts), and runs of digits by column."""

    lists: frozenset[int]
    read: list[tuple[int, int, str, list[int]]] = field(default_factory=list)
    runs: set[tuple[int, int]] = field(default_factory=set)
    values: Counter[int] = field(default_factory=Counter)


def _chunks(values: Iterable[tuple[int, str]], lists: frozenset[int]) -> Iterator[Searched]:
    current, keys = Searched(lists), 0
    for number, (column, value) in enumerate(values):
        current.values[column] += 1
        for read in readings(value):
            if len(read) - read.count(" ") >= SHORTEST:
                current.read.append((column, number, read, starts(read)))
                keys += len(CUT) * len(current.read[-1][-1])
            current.runs.update((column, n) for n in runs(read, SHORTEST, SURE_DIGITS - 1))
        if keys > MOST_KEYS:
            yield current
            current, keys = Searched(lists), 0
    yield current


def _prepare(connection: duckdb.DuckDBPyConnection, searched: Searched) -> None:
    types: dict[str, pa.DataType] = {
        "col": pa.int32(),
        "val": pa.int64(),
        "spaced": pa.string(),
        "starts": pa.list_(pa.int32()),
    }
    _register(connection, types, searched.read)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE searched AS SELECT row_number() OVER () AS number, *,"
        " replace(spaced, ' ', '') AS text FROM given"
    )
    sizes = ", ".join(f"({n})" for n in CUT)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE searched_keys AS SELECT DISTINCT hash(substr(text, p, n)) AS key, number FROM"
        f" (SELECT number, text, unnest(starts) AS p FROM searched), (VALUES {sizes}) AS sizes(n)"
        " WHERE p + n - 1 <= length(text)"
    )
    _register(connection, {"col": pa.int32(), "number": pa.int64()}, sorted(searched.runs))
    connection.execute("CREATE OR REPLACE TEMP TABLE searched_runs AS SELECT * FROM given")
    connection.unregister("given")


def _register(connection: duckdb.DuckDBPyConnection, types: dict[str, pa.DataType], rows: Sequence[Any]) -> None:
    columns = zip(*rows, strict=True) if rows else [()] * len(types)
    table = {name: pa.array(column, types[name]) for name, column in zip(types, columns, strict=True)}
    connection.register("given", pa.table(table))


def _held(
    connection: duckdb.DuckDBPyConnection, searched: Searched, identifiers: Iterable[pa.RecordBatchReader]
) -> Counter[int]:
    """Values that hold an identifier, by column.

    Batch by batch: each spelling of an identifier is made of the one before, so the engine keeps all it is given.
    """
    found = Counter[int]()
    for reader in identifiers:
        held: dict[tuple[int, str], set[int]] = defaultdict(set)
        for batch in _plain(reader):
            in_one_piece = pc.ascii_is_alnum(batch.column(0))
            for rows, forms in (
                (_kinds(batch.filter(in_one_piece)), PLAIN_FORMS),
                (batch.filter(pc.invert(in_one_piece)), FORMS),
            ):
                if rows.num_rows:
                    connection.register("delivered", rows)
                    for column, kind, value in connection.execute(f"WITH forms AS ({forms}) {HELD}").fetchall():
                        held[column, kind].add(value)
                    connection.unregister("delivered")
        found |= Counter(
            {c: len(values) for (c, kind), values in held.items() if _counts(searched, c, kind, len(values))}
        )
    return found


def _kinds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Identifiers of one piece as `w`, those of SHORTEST characters or more, and what `kind` of identifier each is."""
    texts = batch.column(0)
    words = pc.ascii_lower(texts.filter(pc.greater_equal(pc.binary_length(texts), SHORTEST)))
    number = pc.if_else(pc.greater_equal(pc.binary_length(words), SURE_DIGITS), "sure", "number")
    kinds = pc.if_else(pc.ascii_is_decimal(words), number, pc.if_else(pc.ascii_is_alpha(words), "word", "sure"))
    return pa.record_batch([words, kinds], ["w", "kind"])


def _counts(searched: Searched, column: int, kind: str, values: int) -> bool:
    """True if so many values of a column are no accident."""
    by_accident = kind == "word" or (column in searched.lists and kind in ("name", "phrase"))
    return not by_accident or (values > FEW and values > WORD_SHARE * searched.values[column])


def _more_than_chance(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int]]:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE identifying AS {NUMBERS}")
    for column, found, expected in connection.execute(BY_CHANCE).fetchall():
        if found > 2 * expected + 3 * sqrt(expected) and (found > FEW or expected < RARE):
            yield column, found
