"""The canonical text of a query and its printed rows.

Keys, value columns and aggregates are put in the order of their texts, so that the order in which a researcher names
them makes no other query; `Query.output` keeps that order. The canonical text holds the very SQL that is executed, the
domains of the keys and the bounds of the aggregates: queries with the same text are the same question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

from catalog.schema import Bounds, Scalar
from dataspace.domain.analyses import Analysis, Variable
from dataspace.domain.errors import InvalidQuery
from dataspace.domain.queries import Aggregate, GroupKey, Query
from dataspace.sql.analyses import Draft
from dataspace.sql.domains import printed_key
from dataspace.sql.fanout import caps, weighing
from dataspace.sql.indexes import Index, index_of
from dataspace.sql.measures import Measure
from dataspace.sql.print_expressions import MAX_LENGTH, quoted
from dataspace.sql.print_selects import Printer, Session, source_orders
from dataspace.sql.tree import Expr, Select, TableSource, selects


def print_query(
    select: Select,
    keys: list[tuple[Expr, GroupKey]],
    measures: list[tuple[str, Measure]],
    draft: Draft | None = None,
    sets: Sequence[frozenset[str]] = (),
) -> Query:
    """Rows, keys and aggregates in canonical order; `sets` are grouping sets by the names of their keys."""
    query = _smallest(select, keys, measures, draft)
    if not sets:
        return query
    names = [key.name for key in query.keys]
    levels = sorted((tuple(sorted(map(names.index, kept))) for kept in sets), key=lambda kept: (-len(kept), kept))
    return replace(query, sets=tuple(levels), canonical=f"{query.canonical}\nlevels {levels}")


def _smallest(
    select: Select, keys: list[tuple[Expr, GroupKey]], measures: list[tuple[str, Measure]], draft: Draft | None
) -> Query:
    """The smallest text over the orders of equal sources."""
    session = Session(caps(select))
    candidates = [
        _candidate(Printer(select, order, None, session), keys, measures, draft)
        for order in source_orders(select, session)
    ]
    best = min(candidates, key=lambda q: q.canonical)
    if len(best.rows) > MAX_LENGTH:
        raise InvalidQuery("The query is too large once it is written out.", hint="Ask for fewer numbers at once.")
    tables, columns = _touched(select)
    weights = tuple(sorted({(s.dataset, s.table.name) for s in weighing(select)}))
    return replace(
        best,
        tables=tables,
        columns=columns,
        weighing=weights,
        row_cap=min(session.caps.values(), default=None),
        one_row_per_person=select.unique,
    )


def _candidate(
    p: Printer, keys: list[tuple[Expr, GroupKey]], measures: list[tuple[str, Measure]], draft: Draft | None
) -> Query:
    printed_keys = sorted(((printed_key(p.expr, e), k) for e, k in keys), key=lambda pair: pair[0])
    analysed = [argument.expr for argument in draft.arguments] if draft else []
    values = sorted({_value_text(p, e) for e in (*(e for _, m in measures for e in value_exprs(m)), *analysed)})
    numbered = {text: i for i, text in enumerate(values)}
    aggregates = sorted((_aggregate(p, name, m, numbered) for name, m in measures), key=_aggregate_text)
    listed = [f"{p.person} AS person_key"]
    listed += [f"{text} AS k{i}" for i, (text, _) in enumerate(printed_keys)]
    listed += [f"{text} AS v{i}" for i, text in enumerate(values)]
    rows = f"SELECT {', '.join(listed)} FROM {p.from_clause()}{p.where()}"
    analysis = _analysis(p, draft, numbered) if draft else None
    ordered = sorted(keys, key=lambda pair: printed_key(p.expr, pair[0]))
    index = index_of(p.select, [e for e, _ in ordered], [e for _, m in measures for e in value_exprs(m)])
    lines = [rows, *(_key_text(k) for _, k in printed_keys), *(_aggregate_text(a) for a in aggregates)]
    lines += [_analysis_text(analysis)] if analysis else []
    return Query(
        canonical="\n".join(lines),
        rows=rows,
        indexed=None if index is None or analysis is not None else _ranked(p, index, listed[1:]),
        indexed_cells=None if index is None else index.cells,
        tables=(),
        columns=frozenset(),
        keys=tuple(k for _, k in printed_keys),
        aggregates=tuple(aggregates),
        output=(),
        analysis=analysis,
    )


def _ranked(p: Printer, index: Index, listed: list[str]) -> str:
    """The rows with their ranks, and the number of their group, in place of the person."""
    source = p.names[p.inner[0].id]
    named = {"g": index.columns.group, "r": index.columns.row} | ({"c": index.columns.cell} if index.cells else {})
    ranks = [f"{source}.{quoted(name)} AS {short}" for short, name in named.items()]
    return f"SELECT {', '.join([*ranks, *listed])} FROM {p.from_clause()}"


def value_exprs(m: Measure) -> list[Expr]:
    """The expressions an aggregate reads."""
    operands = [o.expr for o in (m.value, m.denominator) if o is not None]
    return [*operands, *([m.counted] if m.counted is not None else [])]


def _value_text(p: Printer, expr: Expr) -> str:
    """A value column: finite DOUBLE or NULL."""
    if expr.is_literal or expr.facts.native or _whole_case(expr):
        return p.expr.double(expr)
    printed = p.expr.double(expr)
    return f"CASE WHEN isfinite({printed}) THEN {printed} END"


def _whole_case(expr: Expr) -> bool:
    return expr.op == "case" and all(a.is_literal for a in (*expr.args[1:-1:2], expr.args[-1]))


def _aggregate(p: Printer, name: str, m: Measure, numbered: Mapping[str, int]) -> Aggregate:
    def position(expr: Expr | None) -> int | None:
        return None if expr is None else numbered[_value_text(p, expr)]

    value, below = m.value, m.denominator
    return Aggregate(
        name=name,
        kind=m.kind,
        value=position(value.expr if value is not None else m.counted),
        bounds=value.bounds if value is not None else None,
        step=value.step if value is not None else Decimal(1),
        quantile=m.quantile,
        denominator=position(below.expr if below is not None else None),
        denominator_bounds=below.bounds if below is not None else None,
        denominator_step=below.step if below is not None else Decimal(1),
    )


def _aggregate_text(a: Aggregate) -> str:
    parts = [a.kind.value, _range(a.value, a.bounds, a.step)]
    if a.quantile is not None:
        parts.append(f"q={a.quantile}")
    if a.denominator is not None:
        parts.append(f"per {_range(a.denominator, a.denominator_bounds, a.denominator_step)}")
    return " ".join(parts)


def _range(value: int | None, bounds: Bounds | None, step: Decimal) -> str:
    shown = "" if bounds is None else f" in {bounds.low:f} to {bounds.high:f} by {step:f}"
    return ("*" if value is None else f"v{value}") + shown


def _analysis(p: Printer, draft: Draft, numbered: Mapping[str, int]) -> Analysis:
    variables = (Variable(a.name, numbered[_value_text(p, a.expr)], a.bounds) for a in draft.arguments)
    return Analysis(draft.kind, tuple(variables), draft.keys, draft.columns, draft.levels, draft.step)


def _analysis_text(analysis: Analysis) -> str:
    """What is computed, and the names that its answer holds."""
    parts = [analysis.kind.value]
    parts += [f"{v.name!r} {_range(v.value, v.bounds, Decimal(0))}" for v in analysis.variables]
    parts += [str([_shown(value) for value in values]) for values in analysis.levels]
    return "; ".join([*parts, *([f"by {analysis.step:f}"] if analysis.step is not None else [])])


def _key_text(key: GroupKey) -> str:
    return f"{key.type.value} {'any' if key.domain is None else [_shown(v) for v in key.domain]}"


def _shown(value: Scalar | None) -> str:
    return "NULL" if value is None else repr(str(value))


def _touched(select: Select) -> tuple[tuple[tuple[str, str], ...], frozenset[tuple[str, str, str]]]:
    """Tables and columns that the printed rows read."""
    tables: dict[int, TableSource] = {}
    everything = list(selects(select))
    for part in everything:
        tables |= {s.id: s for s in part.sources if isinstance(s, TableSource)}
    nodes = (n for part in everything for top in part.expressions() for n in top.walk() if n.op == "column")
    read = {cast("tuple[int, str]", n.value) for n in nodes}
    columns = {(tables[i].dataset, tables[i].table.name, name) for i, name in read if i in tables}
    return tuple(sorted({(t.dataset, t.table.name) for t in tables.values()})), frozenset(columns)
