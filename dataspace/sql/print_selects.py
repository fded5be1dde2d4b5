"""Selections -> DuckDB SQL in one canonical spelling: the text that is executed is also what queries are compared by.

Sources get short names by position, inner joins are sorted by what they read, and where two sources read the same
(a table joined with itself) the order that gives the smallest text wins.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import permutations, product

from catalog.schema import PERSON_KEY, ROW_RANK
from dataspace.sql.print_expressions import ExpressionPrinter, quoted
from dataspace.sql.tree import DerivedSource, LeftJoin, Select, Source, TableSource, selects

MAX_ORDERS = 24
"""Orders of equal sources tried at most in one selection; beyond it the written order stands."""

BUDGET = 200
"""Selections printed at most while trying orders, over the whole query."""


class Session:
    """What the printing of one query shares: texts already made, and how many more orders of sources may be tried."""

    def __init__(self, caps: Mapping[int, int] | None = None) -> None:
        self.caps = caps or {}
        self.left = BUDGET
        self.texts: dict[int, str] = {}
        self.names: dict[int, dict[str, str]] = {}

    def allows(self, orders: int) -> bool:
        if orders > MAX_ORDERS or orders > self.left:
            return False
        self.left -= orders
        return True

    def text(self, source: Source) -> str:
        """What a source reads, as SQL."""
        if source.id not in self.texts:
            self.texts[source.id] = (
                self._table(source)
                if isinstance(source, TableSource)
                else f"({print_select(source.select, None, self, self.columns(source))})"
            )
        return self.texts[source.id]

    def _table(self, source: TableSource) -> str:
        name = f"{quoted(source.dataset)}.{quoted(source.table.name)}"
        cap = self.caps.get(source.id)
        return name if cap is None else f"(SELECT * FROM {name} WHERE {ROW_RANK} <= {cap})"

    def columns(self, source: DerivedSource) -> dict[str, str]:
        """Names c0, c1, … of a sub-query's columns, by the text of what they hold; equal columns share one."""
        if source.id not in self.names:
            select = source.select
            printer = Printer(select, next(source_orders(select, self, every=False)), None, self)
            texts = {name: printer.expr(e) for name, e in select.columns}
            numbers = {text: f"c{i}" for i, text in enumerate(sorted(set(texts.values())))}
            self.names[source.id] = {name: numbers[text] for name, text in texts.items()}
        return self.names[source.id]


class Printer:
    """Names and texts of one selection's sources, and of the selections around an EXISTS (`outer`)."""

    def __init__(self, select: Select, inner: tuple[Source, ...], outer: "Printer | None", session: Session) -> None:
        self.select, self.inner, self.outer, self.session = select, inner, outer, session
        self.depth: int = 0 if outer is None else outer.depth + 1
        sources = (*inner, *(j.source for j in select.left))
        self.names = {s.id: f"s{self.depth}_{i}" for i, s in enumerate(sources)}
        self.sources = sources
        self.expr = ExpressionPrinter(self)
        self._columns = {s.id: session.columns(s) for s in sources if isinstance(s, DerivedSource)}

    def column(self, source: int, name: str) -> str:
        """A column of a source, here or around."""
        if source in self.names:
            stored = self._columns[source][name] if source in self._columns else quoted(name)
            return f"{self.names[source]}.{stored}"
        assert self.outer is not None  # noqa: S101
        return self.outer.column(source, name)

    @property
    def person(self) -> str:
        """The person key of a row."""
        return f"{self.names[self.inner[0].id]}.{PERSON_KEY}"

    def person_of(self, source: int) -> str:
        return f"{self.names[source]}.{PERSON_KEY}"

    def inside(self, select: Select) -> str:
        """A sub-query in a condition."""
        return print_select(select, self, self.session, {name: f"c{i}" for i, (name, _) in enumerate(select.columns)})

    def ties(self) -> list[str]:
        """What orders rows of one person totally, as far as anyone can see: ranks of stored rows, else all columns."""
        found: list[str] = []
        for source in self.sources:
            if isinstance(source, TableSource) and source.personal:
                found.append(f"{self.names[source.id]}.{ROW_RANK}")
            elif isinstance(source, DerivedSource):
                found += [f"{self.names[source.id]}.{c}" for c in sorted(set(self._columns[source.id].values()))]
            else:
                found += [self.column(source.id, name) for name in self._read(source)]
        return found

    def _read(self, source: TableSource) -> list[str]:
        tops = (top for part in selects(self.select) for top in part.expressions())
        refs = (n.value for top in tops for n in top.walk() if n.op == "column")
        return sorted({r[1] for r in refs if isinstance(r, tuple) and r[0] == source.id})

    def from_clause(self) -> str:
        first, *rest = self.inner
        parts = [self._source(first)]
        for source in rest:
            link = f"JOIN {self._source(source)} ON {self.person_of(source.id)} = {self.person}"
            parts.append(link if source.personal else f"CROSS JOIN {self._source(source)}")
        parts += [self._left(join) for join in self.select.left]
        return " ".join(parts)

    def _left(self, join: LeftJoin) -> str:
        link = [f"{self.person_of(join.source.id)} = {self.person}"] if join.source.personal else []
        conditions = link + sorted({self.expr(c) for c in join.on})
        return f"LEFT JOIN {self._source(join.source)} ON {' AND '.join(conditions) or 'TRUE'}"

    def _source(self, source: Source) -> str:
        return f"{self.session.text(source)} AS {self.names[source.id]}"

    def where(self) -> str:
        conditions = [self.expr(c) for c in self.select.where]
        if self.select.correlated:
            assert self.outer is not None  # noqa: S101
            conditions.append(f"{self.person} = {self.outer.person}")
        return f" WHERE {' AND '.join(sorted(set(conditions)))}" if conditions else ""


def print_select(select: Select, outer: Printer | None, session: Session, names: dict[str, str] | None = None) -> str:
    """The selection as SQL; `names` are those of its columns where something reads them."""
    return best(select, outer, session, lambda printer: _body(printer, names or {}))


def best(select: Select, outer: Printer | None, session: Session, text_of: Callable[[Printer], str]) -> str:
    """The smallest text over the orders of the inner sources that read the same."""
    return min(text_of(Printer(select, order, outer, session)) for order in source_orders(select, session))


def source_orders(select: Select, session: Session, *, every: bool = True) -> Iterator[tuple[Source, ...]]:
    """Inner sources by (personal first, text); equal ones in every order, as far as the session allows."""
    groups: dict[tuple[bool, str], list[Source]] = {}
    for source in select.inner:
        groups.setdefault((not source.personal, session.text(source)), []).append(source)
    ordered = [groups[key] for key in sorted(groups)]
    orders = 1
    for group in ordered:
        for n in range(2, len(group) + 1):
            orders *= n
    if orders == 1 or not every or not session.allows(orders):
        yield tuple(s for group in ordered for s in group)
        return
    for choice in product(*(permutations(group) for group in ordered)):
        yield tuple(s for group in choice for s in group)


def _body(p: Printer, names: dict[str, str]) -> str:
    select = p.select
    columns = {names[name]: p.expr(e) for name, e in select.columns if name in names}
    listed = [f"{p.person} AS {PERSON_KEY}"] if select.personal else []
    listed += [f"{columns[c]} AS {c}" for c in sorted(columns, key=lambda c: int(c[1:]))]
    text = f"SELECT {', '.join(listed) or '1'} FROM {p.from_clause()}{p.where()}"
    if select.grouped:
        keys = ([p.person] if select.personal else []) + sorted({p.expr(k) for k in select.keys})
        text += f" GROUP BY {', '.join(keys)}"
    if select.having:
        text += f" HAVING {' AND '.join(sorted({p.expr(h) for h in select.having}))}"
    if select.qualify:
        text += f" QUALIFY {' AND '.join(sorted({p.expr(q) for q in select.qualify}))}"
    return text
