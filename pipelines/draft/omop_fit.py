"""A table of the OMOP common data model fitted to a delivery: what it does not hold as the model says is taken back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from catalog.schema import Bounds, Column, ColumnType, TableKind
from pipelines.draft.columns import BROKEN, Reading
from pipelines.draft.form import CHECK, DraftColumn, DraftTable, LeftOut
from pipelines.draft.keys import crowding, share_found
from pipelines.draft.leaks import looking_like
from pipelines.draft.looked import Looked
from pipelines.draft.measure import Look
from pipelines.draft.omop import DAYS
from pipelines.draft.rare import count_groups, decade
from pipelines.draft.repeats import without_repeats
from pipelines.draft.tables import moment_of
from pipelines.mapping import identifier

READS = {
    ColumnType.INTEGER: (ColumnType.INTEGER,),
    ColumnType.DECIMAL: (ColumnType.INTEGER, ColumnType.DECIMAL),
    ColumnType.DATE: (ColumnType.DATE, ColumnType.TIMESTAMP),
    ColumnType.TIMESTAMP: (ColumnType.DATE, ColumnType.TIMESTAMP),
}
"""What a delivered column may be read as for the model's type to hold it; codes and texts hold everything."""

MOST_YEARS = 9_999


@dataclass(frozen=True)
class Fit:
    """The delivered table, the others by their names in the model, and the share of rows that may be set aside."""

    table: Looked
    others: Mapping[str, Looked]
    threshold: Decimal


def fitted(look: Look, made: DraftTable, fit: Fit) -> DraftTable | LeftOut:
    """The table with what was delivered of it."""
    spelling = {c.lower(): c for c in fit.table.facts}
    looks = {} if made.plan.kind is TableKind.LOOKUP else looking_like(look, fit.table, _open(made, fit, spelling))
    out = [LeftOut(c, f"the values look like {said}") for c, said in looks.items()]
    out += [o for o in made.left_out if o.name in spelling]
    known = {c.plan.name for c in made.columns} | {o.name for o in made.left_out} | set(made.plan.identifiers)
    known |= {made.plan.person or ""}
    out += [LeftOut(c, "not a column of the model") for low, c in spelling.items() if low not in known]
    delivered = [c for c in made.columns if c.plan.name in spelling and spelling[c.plan.name] not in looks]
    out += [LeftOut(c.plan.name, "line breaks") for c in delivered if _is_broken(fit.table, spelling[c.plan.name])]
    gone = {o.name for o in out}
    columns = tuple(_column(look, c, fit, spelling[c.plan.name]) for c in delivered if c.plan.name not in gone)
    if not columns:
        return LeftOut(fit.table.name, "it has none of the columns of the model that are kept")
    table = replace(made, columns=columns, plan=replace(made.plan, threshold=fit.threshold))
    table = replace(delivered_of(table, set(spelling)), left_out=tuple(out))
    bounded = _bounded(look, table, fit, spelling)
    return without_repeats(look, fit.table, bounded)


def delivered_of(made: DraftTable, delivered: Collection[str]) -> DraftTable:
    """The table without what was not delivered; `delivered` are names of columns in lower case."""
    columns = tuple(c for c in made.columns if c.plan.name in delivered)
    names = {c.plan.name for c in columns}
    plan = replace(
        made.plan,
        identifiers=tuple(i for i in made.plan.identifiers if i in delivered),
        checks=tuple(c for c in made.plan.checks if names.issuperset(c.columns)),
    )
    out = tuple(o for o in made.left_out if o.name in delivered)
    return replace(made, plan=plan, columns=columns, left_out=out)


def _open(made: DraftTable, fit: Fit, spelling: Mapping[str, str]) -> list[str]:
    codes = [c.plan.name for c in made.columns if c.plan.column.type is ColumnType.CODE]
    return [spelling[c] for c in codes if c in spelling and spelling[c] in fit.table.readings]


def _is_broken(table: Looked, column: str) -> bool:
    return table.facts[column].broken > BROKEN * table.rows


def _column(look: Look, made: DraftColumn, fit: Fit, delivered: str) -> DraftColumn:
    facts, read = fit.table.facts[delivered], fit.table.readings[delivered]
    column, remarks = made.plan.column, list(made.remarks)
    formats = read.spelling.formats if read.spelling else ()
    if column.required and facts.filled < facts.rows:
        column = replace(column, required=False)
        remarks.append(f"{CHECK}the model demands a value, and some rows have none.")
    if facts.filled and read.type not in READS.get(column.type, (read.type,)):
        column = _as_delivered(column, read)
        remarks.append(f"{CHECK}the model has another type here, which not every cell can be read as.")
    if isinstance(column.bounds, Bounds) and column.bounds == DAYS:
        column = replace(column, bounds=_days(look, fit, delivered, formats))
    if column.values and not _holds(look, fit, delivered, column):
        column = replace(column, values=None)
        remarks.append(f"{CHECK}the model's usual concepts are not all there is here.")
    plan = replace(made.plan, column=column, formats=formats)
    if plan.references and not _is_found(look, fit, delivered, made):
        plan = replace(plan, references=None)
        remarks.append(f"{CHECK}some concepts are not in the delivered vocabulary.")
    return DraftColumn(plan, tuple(remarks))


def _as_delivered(column: Column, read: Reading) -> Column:
    return replace(column, type=read.type, bounds=None, values=None, step=Decimal(1), unit=None)


def _days(look: Look, fit: Fit, column: str, formats: tuple[str, ...]) -> Bounds | None:
    """The usual bounds, or whole centuries around dates that lie outside of them."""
    moment = moment_of(column, fit.table.families[column], formats)
    groups = count_groups(look, fit.table.name, [column], {column: decade(moment)}, None)[column]
    years = [int(g.key) for g in groups] or [2000]
    low, high = min(1900, min(years) // 100 * 100), max(2099, max(years) // 100 * 100 + 99)
    return Bounds(date(low, 1, 1), date(high, 12, 31)) if low >= 1 and high <= MOST_YEARS else None


def _holds(look: Look, fit: Fit, delivered: str, column: Column) -> bool:
    """True if the closed list has every delivered value."""
    listed = [str(v.code) for v in column.values or ()]
    text = identifier(delivered, fit.table.families[delivered])
    return not look.ask(
        fit.table.name,
        [delivered],
        f"SELECT count(*) FROM (SELECT {text} AS k FROM delivered) WHERE k IS NOT NULL AND NOT list_contains(?, k)",
        [listed],
    )[0][0]


def _is_found(look: Look, fit: Fit, delivered: str, made: DraftColumn) -> bool:
    """True if every value is in the column that it references."""
    lookup = made.plan.references
    parent = fit.others.get(lookup.table) if lookup else None
    code = next((c for c in parent.facts if lookup and c.lower() == lookup.code), None) if parent else None
    if parent is None or code is None:
        return False
    return share_found(look, fit.table.key(delivered), parent.key(code)) == 1


def _bounded(look: Look, table: DraftTable, fit: Fit, spelling: Mapping[str, str]) -> DraftTable:
    """The table with contribution bounds that suit this delivery."""
    person = spelling.get(table.plan.person or "")
    if table.plan.kind is not TableKind.EVENTS or person is None or not fit.table.rows:
        return table
    concepts = [spelling[c.plan.name] for c in table.columns if c.plan.references or c.plan.column.code_system]
    found = crowding(look, fit.table.key(person), {c: fit.table.families[c] for c in concepts[:4]})
    remarks = ["contribution bounds: 99 of 100 persons have no more rows, and no more groups of one column."]
    if table.plan.threshold:
        remarks.append(f"{CHECK}some rows are of persons who are not in the table of persons: they are set aside.")
    plan = replace(table.plan, rows_per_person=found.rows, groups_per_person=found.groups)
    return replace(table, plan=plan, remarks=tuple(remarks))
