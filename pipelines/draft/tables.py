"""A table of the plan made of what was seen: its kind, whose rows they are, its columns, and what is left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.schema import ColumnType, TableKind
from pipelines import sqltext as sql
from pipelines.draft import names
from pipelines.draft.columns import Setting, draft_column, is_countable
from pipelines.draft.form import CHECK, DraftColumn, DraftTable, LeftOut
from pipelines.draft.keys import Key, crowding
from pipelines.draft.leaks import looking_like
from pipelines.draft.links import Link
from pipelines.draft.looked import Looked
from pipelines.draft.measure import Look, text_of
from pipelines.draft.people import Whose
from pipelines.draft.rare import count_groups, decade, magnitude
from pipelines.draft.repeats import without_repeats
from pipelines.mapping import Family, identifier
from pipelines.plan import TablePlan

MISSING_PERSON = "person_id"
"""What the plan names where no delivered column says whose row it is; the load then asks for this column."""

SINGLE = 0.9
"""Share of rows with a value of their own from which on a column may point at single persons."""

FEW_ROWS = 20
"""Rows below which nothing follows from every row having its own value."""

MOST_GROUPED = 8
"""Columns whose groups are counted for each person."""

NO_PERSON = (
    f"{CHECK}no column says whose rows these are. Add one that identifies the person and name it under `person`: the",
    "position of a row cannot, since a row would be another person in every delivery. If nobody's data are in it, set",
    'kind = "lookup" and remove `person`, or draft again with --public and the table\'s name.',
)


@dataclass(frozen=True)
class Around:
    """What a table is drafted with: stored names of tables, links to others."""

    stored: Mapping[str, str]
    whose: Whose
    kind: TableKind
    links: Sequence[Link] = ()
    pointed_at: frozenset[str] = frozenset()
    threshold: Decimal = Decimal(0)


def draft_table(look: Look, table: Looked, around: Around) -> DraftTable | LeftOut:
    """The table, or why nothing of it can be kept."""
    person = around.whose.person
    identifiers, out = _forbidden(table, around)
    kept = [c for c in table.facts if c != person and c not in identifiers and c not in {o.name for o in out}]
    if not around.whose.is_public:
        looks = looking_like(look, table, kept)
        identifiers += [c for c, said in looks.items() if said not in ("a UUID", "a digest")]
        out += [LeftOut(c, f"the values look like {said}") for c, said in looks.items() if c not in identifiers]
        out += _single(table, [c for c in kept if c not in looks], around)
    kept = [c for c in kept if c not in identifiers and c not in {o.name for o in out}]
    setting = _setting(look, table, kept, around)
    stored = names.stored_names(tuple(table.facts), "column")
    made = {
        c: draft_column(stored[c], table.facts[c], table.readings[c], table.said.field_of(c), setting) for c in kept
    }
    out += [m for m in made.values() if isinstance(m, LeftOut)]
    columns = tuple(_linked(m, around.links) for m in made.values() if isinstance(m, DraftColumn))
    if not columns:
        return LeftOut(table.name, "no column of it can be kept: " + _reasons(out, identifiers, person))
    drafted = _table(look, table, around, columns, identifiers, out)
    return drafted if around.whose.is_public else without_repeats(look, table, drafted)


def _forbidden(table: Looked, around: Around) -> tuple[list[str], list[LeftOut]]:
    """Delivered columns whose names say that they may not be stored: identifiers, and those that are not read."""
    identifiers: list[str] = []
    out = list(table.left_out)
    for column in table.facts:
        rule = names.forbidden(column)
        if column == around.whose.person:
            continue
        if around.whose.is_public:
            if rule and rule.is_identifier:
                out.append(LeftOut(column, f"by its name it holds {rule.said}"))
        elif rule and not rule.is_identifier:
            out.append(LeftOut(column, f"by its name it holds {rule.said}"))
        elif rule or names.strong_rank(column, "") is not None:
            identifiers.append(column)
    return identifiers, out


def _single(table: Looked, columns: Sequence[str], around: Around) -> list[LeftOut]:
    """Columns in which nearly every row has a value of its own, and that nothing points at."""
    if table.rows < FEW_ROWS:
        return []
    found = []
    for column in columns:
        facts, type_ = table.facts[column], table.readings[column].type
        if column in around.pointed_at or facts.distinct < SINGLE * facts.filled or not facts.filled:
            continue
        numbered = (names.is_record_number(column) or names.is_position(column)) and type_ in (
            ColumnType.INTEGER,
            ColumnType.CODE,
        )
        if numbered or type_ is ColumnType.CODE:
            found.append(LeftOut(column, "nearly every row has a value of its own, which would point at single rows"))
    return found


def _setting(look: Look, table: Looked, kept: Sequence[str], around: Around) -> Setting:
    """The groups of the columns that are kept, counted by person."""
    person = around.whose.person
    by = identifier(person, table.families[person]) if person and not around.whose.is_public else None
    read = dict.fromkeys([*kept, *([person] if by and person else [])])
    listed, classes = {}, {}
    for column in kept:
        facts, reading = table.facts[column], table.readings[column]
        text = text_of(column, table.families[column])
        if is_countable(facts, reading) and not around.whose.is_public:
            listed[column] = text if reading.type is ColumnType.CODE else f"{facts.number_sql}::BIGINT"
        if reading.type.is_number:
            classes[column] = magnitude(facts.number_sql)
        if reading.type in (ColumnType.DATE, ColumnType.TIMESTAMP):
            formats = reading.spelling.formats if reading.spelling else ()
            classes[column] = decade(moment_of(column, table.families[column], formats))
    return Setting(
        is_public=around.whose.is_public,
        listed=count_groups(look, table.name, read, listed, by),
        classes=count_groups(look, table.name, read, classes, by),
    )


def moment_of(column: str, family: Family, formats: Sequence[str]) -> str:
    """SQL of a cell as a moment, NULL if it is none."""
    text = text_of(column, family)
    if formats:
        return f"try_strptime({text}, [{', '.join(sql.text(f) for f in formats)}])"
    return f"CASE WHEN isfinite(TRY_CAST({text} AS TIMESTAMP)) THEN TRY_CAST({text} AS TIMESTAMP) END"


def _linked(column: DraftColumn, links: Sequence[Link]) -> DraftColumn:
    """The column with its reference to a lookup table, or with a remark if it points at a table of persons."""
    for link in links:
        if link.column == column.plan.source and not column.plan.generalise:
            return link.applied(column)
    return column


def _table(
    look: Look,
    table: Looked,
    around: Around,
    columns: tuple[DraftColumn, ...],
    identifiers: list[str],
    out: list[LeftOut],
) -> DraftTable:
    person, is_public = around.whose.person, around.whose.is_public
    remarks = [CHECK + around.whose.why] if around.whose.why else []
    rows = groups = 1
    if person:
        if around.kind is TableKind.EVENTS:
            remarks.append("contribution bounds: 99 of 100 persons have no more rows, and no more groups of one column")
        rows, groups, columns = _bounds(look, table.key(person), around.kind, table, columns)
    elif not is_public:
        remarks += NO_PERSON
    if around.threshold:
        remarks.append(f"{CHECK}a part of the rows will be set aside: {_aside(person)}. How many may be?")
    plan = TablePlan(
        name=around.stored[table.name], kind=around.kind, source=table.name, columns=(),
        title=table.said.title, description=table.said.description,
        person=None if is_public else person or MISSING_PERSON, identifiers=tuple(identifiers),
        rows_per_person=rows, groups_per_person=groups, threshold=around.threshold,
    )  # fmt: skip
    return DraftTable(plan, columns, tuple(remarks), tuple(out), no_person=not is_public and person is None)


def _bounds(
    look: Look, person: Key, kind: TableKind, table: Looked, columns: tuple[DraftColumn, ...]
) -> tuple[int, int, tuple[DraftColumn, ...]]:
    if kind is not TableKind.EVENTS:
        return 1, 1, columns
    codes = [c for c in columns if c.plan.column.type is ColumnType.CODE or c.plan.column.values]
    grouped: dict[str, Family] = {c.plan.source: table.families[c.plan.source] for c in codes[:MOST_GROUPED]}
    found = crowding(look, person, grouped)
    return found.rows, found.groups, columns


def _aside(person: str | None) -> str:
    broken = "cells that cannot be read, or with line breaks or control characters"
    unknown = "rows without a person, or of persons who are not in the table of persons"
    return broken if person is None else f"{unknown}, or {broken}"


def _reasons(out: Sequence[LeftOut], identifiers: Sequence[str], person: str | None) -> str:
    named = [*([f"{person} identifies persons"] if person else []), *(f"{c} is an identifier" for c in identifiers)]
    return "; ".join([*named, *(f"{o.name}: {o.why}" for o in out)]) or "it has none"


def kind_of(whose: Whose, is_persons: bool) -> TableKind:
    """Persons for the one table that has each person once, lookup for public tables, else events."""
    if whose.is_public:
        return TableKind.LOOKUP
    return TableKind.PERSONS if is_persons else TableKind.EVENTS
