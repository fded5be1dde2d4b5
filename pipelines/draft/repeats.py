"""Columns that repeat an identifier of their own row: the load would be stopped by them, so the draft leaves them out.

The rule is that of `pipelines.quality.identifiers`. Small whole numbers may fall under it by chance where persons are
numbered from 1 and few; the reason says so.
"""

from collections.abc import Sequence
from dataclasses import replace

from pipelines.draft.form import DraftColumn, DraftTable, LeftOut
from pipelines.draft.looked import Looked
from pipelines.draft.measure import Look
from pipelines.mapping import identifier
from pipelines.plan import ColumnPlan, TablePlan
from pipelines.quality.identifiers import COINCIDENCE, FEW, LISTED_COINCIDENCE, LISTED_FEW, is_open, watched

WHY = (
    "in some rows it is the same as an identifier of the row. If that is chance, as it may be where persons are "
    "numbered from 1, deliver other identifiers and name the column again"
)


def without_repeats(look: Look, table: Looked, made: DraftTable) -> DraftTable | LeftOut:
    """The table without columns that equal the person, or another identifier, in more rows than chance allows."""
    of_plan = replace(made.plan, columns=tuple(c.plan for c in made.columns))
    spelling = {c.lower(): c for c in table.facts}
    compared = {spelling[c.source.lower()]: c for c in watched(of_plan) if c.source.lower() in spelling}
    identifiers = _identifiers(of_plan, table)
    if not compared or not identifiers:
        return made
    found = _equal(look, table, list(compared), identifiers)
    gone = {compared[c].source for c, (equal, filled) in found.items() if _is_too_often(compared[c], equal, filled)}
    kept: tuple[DraftColumn, ...] = tuple(c for c in made.columns if c.plan.source not in gone)
    out = tuple(LeftOut(c.plan.source, WHY) for c in made.columns if c.plan.source in gone)
    if not kept:
        return LeftOut(table.name, f"no column of it can be kept: {WHY}")
    return replace(made, columns=kept, left_out=(*made.left_out, *out))


def _is_too_often(column: ColumnPlan, equal: int, filled: int) -> bool:
    few, share = (FEW, COINCIDENCE) if is_open(column) else (LISTED_FEW, LISTED_COINCIDENCE)
    return equal > few and equal > share * filled


def _identifiers(plan: TablePlan, table: Looked) -> list[str]:
    """Delivered columns with identifiers of the row, as they are spelt."""
    wanted = {name.lower() for name in (plan.person, *plan.identifiers) if name}
    return [c for c in table.families if c.lower() in wanted]


def _equal(look: Look, table: Looked, columns: Sequence[str], identifiers: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Rows in which a column equals an identifier, and those in which it has a value, by column."""
    texts = {c: f"lower({identifier(c, table.families[c])})" for c in (*columns, *identifiers)}
    wanted = f"[{', '.join(texts[i] for i in identifiers)}]"
    asked = ", ".join(
        f"count(*) FILTER (coalesce(list_contains({wanted}, {texts[c]}), false)), count({texts[c]})" for c in columns
    )
    row = look.ask(table.name, dict.fromkeys([*columns, *identifiers]), f"SELECT {asked} FROM delivered")[0]
    return {c: (row[2 * n], row[2 * n + 1]) for n, c in enumerate(columns)}
