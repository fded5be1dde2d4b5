"""What a holder is told after a draft: what it has, what was left out and why, what to check, what to do next."""

from collections.abc import Iterator
from pathlib import Path

from catalog.schema import TableKind
from pipelines.draft.form import CHECK, Draft, DraftTable, by_reason, open_questions
from pipelines.draft.write import one_line, written

SAID = {
    TableKind.PERSONS: "one row for each person",
    TableKind.EVENTS: "rows of persons",
    TableKind.LOOKUP: "public, about nobody",
}


def summary(draft: Draft, file: Path) -> Iterator[str]:
    """Lines for the terminal: names of tables and columns, and numbers of them; no value."""
    for table in draft.tables:
        yield f"{table.plan.name}: {SAID[table.plan.kind]}{_person(table)}, {len(table.columns)} columns"
    yield from _left_out(draft)
    public = [t.plan.name for t in draft.tables if t.plan.kind is TableKind.LOOKUP]
    if public:
        yield f"Everybody may see the rows of {', '.join(public)}. Make sure that nobody's data are in them."
    for table in draft.tables:
        if table.no_person:
            yield (
                f"{table.plan.name}: no column says whose rows these are, so it cannot be loaded yet. Add an identifier"
                f" of the person to the delivery; if it is about nobody, draft again with --public {table.plan.source}."
            )
    yield f"Wrote {file}: {open_questions(written(draft))} places marked '{CHECK.strip()}'."
    yield f"Next: edit {file}, then run `dataspace ingest {file}`."


def _person(table: DraftTable) -> str:
    return f" ({one_line(table.plan.person)})" if table.plan.person and not table.no_person else ""


def _left_out(draft: Draft) -> Iterator[str]:
    for listed, why in by_reason(draft.left_out):
        yield f"left out: {one_line(listed)}: {why}"
    for table in draft.tables:
        if table.plan.identifiers:
            yield f"not stored: {table.plan.name}: identifiers {', '.join(map(one_line, table.plan.identifiers))}"
        for listed, why in by_reason(table.left_out):
            yield f"left out of {table.plan.name}: {one_line(listed)}: {why}"
