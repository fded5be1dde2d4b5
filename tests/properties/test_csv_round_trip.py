"""Whatever rows a holder writes as CSV, plain or packed, in pieces or whole, the same rows are read."""

import csv
import gzip
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.readers import Limits, csv_chunks, open_source

CELLS = st.text(st.sampled_from("ab7é\"',;\n\r\t \u2028"), max_size=12)
ROWS = st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=60)
FORMS = st.fixed_dictionaries(
    {"delimiter": st.sampled_from(",;\t|"), "lineterminator": st.sampled_from(["\n", "\r\n"])},
    optional={"quoting": st.just(csv.QUOTE_ALL)},
)
TINY = Limits(row_bytes=200)


def written(rows: list[list[str]], form: dict[str, Any]) -> str:
    text = io.StringIO()
    # the writer of Python 3.11 leaves a bare carriage return unquoted, and so makes another end of line of it
    quoting = csv.QUOTE_ALL if any("\r" in cell for row in rows for cell in row) else csv.QUOTE_MINIMAL
    csv.writer(text, **{"quoting": quoting} | form).writerows([["x", "y", "z"], *rows])
    return text.getvalue()


def read(name: str, data: bytes, limits: Limits, **options: str) -> list[list[str | None]]:
    with TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(data)
        with open_source("csv", Path(folder), options, limits) as source:
            table = source.batches("t", ["x", "y", "z"]).read_all()
    assert table["__row_number"].to_pylist() == list(range(1, table.num_rows + 1))
    return [list(row.values())[:3] for row in table.to_pylist()]


@pytest.fixture(autouse=True, scope="module")
def pieces_of_a_few_rows() -> Any:
    """Every text is cut many times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_chunks, "CHUNK", 1)
        patch.setattr(csv_chunks, "BLOCK", 37)
        yield


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, form=FORMS)
def test_rows_come_back_as_they_were_written(rows: list[list[str]], form: dict[str, Any]) -> None:
    expected = [[cell or None for cell in row] for row in rows]
    data = written(rows, form).encode()
    assert read("t.csv", data, TINY, delimiter=form["delimiter"]) == expected
    assert read("t.csv.gz", gzip.compress(data, 1), TINY, delimiter=form["delimiter"]) == expected
    assert (
        read("t.csv", data.decode().encode("utf-16"), TINY, delimiter=form["delimiter"], encoding="utf-16") == expected
    )


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=30), form=FORMS, data=st.data())
def test_a_lost_character_is_an_error_or_a_changed_cell_and_never_a_lost_row(
    rows: list[list[str]], form: dict[str, Any], data: st.DataObject
) -> None:
    """Of a text without quotes inside, whose rows are numbered: what is read is all rows up to an error."""
    numbered = [[str(n), *(cell.replace('"', "") for cell in row[1:])] for n, row in enumerate(rows)]
    text = written(numbered, form | {"quoting": csv.QUOTE_ALL})
    places = [n for n, character in enumerate(text) if character == '"']
    place = data.draw(st.sampled_from(places[6:]))
    broken = (text[:place] + text[place + 1 :]).encode()
    for name, content in (("t.csv", broken), ("t.csv.gz", gzip.compress(broken, 1))):
        try:
            found = read(name, content, Limits(), delimiter=form["delimiter"])
        except SourceError:
            continue
        assert len(found) == len(numbered)
