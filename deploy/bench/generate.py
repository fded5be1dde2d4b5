"""A seeded table of hospital stays, written like the store writes: one Parquet file a bucket, sorted by person.

Of 10 million stays there are 3.4 million persons, half with one or two stays, a few with hundreds; 13 regions (8 %
of stays outside the home region), 10 age bands, 200 diagnoses of very different frequency, length of stay and cost.
"""

from pathlib import Path

import duckdb
from questions import DICTIONARY

from catalog.schema import index_columns

ROWS_PER_PERSON = 2.94
BUCKET_ROWS = 2_000_000

_PERSONS = """
CREATE OR REPLACE TABLE people AS
SELECT CAST(CAST(hash(i) AS HUGEINT) - CASE WHEN hash(i) >> 63 = 1 THEN 18446744073709551616 ELSE 0 END AS BIGINT)
        AS person_key,
    hash(i) >> {shift} AS bucket,
    least(400, CAST(floor(1.35 * power((hash(i, 1) % 1000000 + 1) / 1000000.0, -0.6)) AS INTEGER)) AS stays,
    CAST(power(hash(i, 2) % 1000 / 1000.0, 1.5) * 13 AS INTEGER) % 13 AS home,
    CAST(hash(i, 3) % 10 AS BIGINT) * 10 AS age,
    CASE WHEN hash(i, 4) % 2 = 0 THEN 'F' ELSE 'M' END AS sex
FROM range({persons}) AS t(i)
"""

_STAYS = """
COPY (
    WITH stays AS (SELECT
        printf('R%02d', CASE WHEN hash(person_key, n, 1) % 100 < 8 THEN hash(person_key, n, 2) % 13 ELSE home END)
            AS region,
        age, sex,
        printf('D%03d', CAST(power(hash(person_key, n, 3) % 100000 / 100000.0, 3) * 200 AS INTEGER) % 200)
            AS diagnosis,
        DATE '2020-01-01' + CAST(hash(person_key, n, 4) % 1826 AS INTEGER) AS admitted,
        CAST(least(90, floor(-6 * ln((hash(person_key, n, 5) % 100000 + 1) / 100000.0))) AS BIGINT) AS days,
        CAST(hash(person_key, n, 6) % 2000000 AS DOUBLE) / 100 AS cost,
        person_key,
        CAST(n AS INTEGER) AS row_rank
    FROM (SELECT *, unnest(range(1, stays + 1)) AS n FROM people WHERE bucket = {number}))
    SELECT *, {indexes} FROM stays ORDER BY person_key, row_rank
) TO '{file}' (FORMAT parquet, COMPRESSION zstd)
"""


def _indexes() -> str:
    """Columns of the contribution indexes that the dictionary of the benchmark declares."""
    made: list[str] = []
    stays = DICTIONARY["hospital"].table["stays"]
    for position, dimensions in enumerate(stays.dimensions, start=1):
        names, (group, row, cell) = ", ".join(dimensions), index_columns(position)
        cells = f"PARTITION BY person_key ORDER BY hash({names}, person_key), {names}"
        rank, first = (
            f"dense_rank() OVER ({cells})",
            f"row_number() OVER (PARTITION BY person_key, {names} ORDER BY row_rank)",
        )
        made.append(f"CAST(CASE WHEN {first} = 1 THEN {rank} ELSE -{rank} END AS INTEGER) AS {group}")
        made.append(f"CAST({first} AS INTEGER) AS {row}")
        number = "0"
        for name, values in zip(dimensions, stays.index_values(dimensions) or (), strict=True):
            codes = str([value for value in values if value is not None])
            number = f"({number} * {len(values)} + coalesce(list_position({codes}, {name}) - 1, {len(values) - 1}))"
        made.append(f"CAST({number} AS INTEGER) AS {cell}")
    return ", ".join(made)


_PATIENTS = """
COPY (
    SELECT sex, age, CAST(1 AS INTEGER) AS row_rank, person_key FROM people WHERE bucket = {number} ORDER BY person_key
) TO '{file}' (FORMAT parquet, COMPRESSION zstd)
"""


def generate(folder: Path, rows: int) -> int:
    """Write about `rows` stays below `folder`, unless they are there; returns the number of buckets."""
    buckets = 1 << max(0, (rows // BUCKET_ROWS - 1).bit_length()) if rows > BUCKET_ROWS else 1
    if (folder / "complete").is_file():
        return buckets
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2; SET memory_limit = '2GB'")
        # a bucket is the top bits of the key; DuckDB shifts by at most 63, and one bucket has none
        shift = 65 - buckets.bit_length() if buckets > 1 else 63
        connection.execute(_PERSONS.format(persons=round(rows / ROWS_PER_PERSON), shift=shift))
        if buckets == 1:
            connection.execute("UPDATE people SET bucket = 0")
        for table, text in (("stays", _STAYS), ("patients", _PATIENTS)):
            for number in range(buckets):
                file = folder / table / f"person_bucket={number}" / "part-0.parquet"
                file.parent.mkdir(parents=True, exist_ok=True)
                connection.execute(text.format(number=number, file=file, indexes=_indexes()))
    (folder / "complete").touch()
    return buckets
