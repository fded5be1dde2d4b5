"""From the researcher's text to the frozen `Query`."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from catalog.schema import PERSON, ColumnType, DatasetSchema
from dataspace.domain.errors import InvalidQuery
from dataspace.domain.queries import GroupKey, Query, SortKey
from dataspace.sql import build
from dataspace.sql.analyses import Draft, analysis, check_analysis, is_analysis
from dataspace.sql.body import Body, finish
from dataspace.sql.canonical import print_query, value_exprs
from dataspace.sql.derived import bind_derived, group_item
from dataspace.sql.domains import public_domain
from dataspace.sql.grammar import check_grammar
from dataspace.sql.grouping import LEVEL, Grouping, take_grouping
from dataspace.sql.measures import is_measure, measure
from dataspace.sql.refusals import refuse
from dataspace.sql.scope import World, is_person
from dataspace.sql.selects import bind_body
from dataspace.sql.shorthands import written_out
from dataspace.sql.subqueries import condition_subquery
from dataspace.sql.text import check_text
from dataspace.sql.tree import Expr, Select

MAX_GROUPS = 10_000
MAX_ITEMS = 50
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def parse_query(sql: str, dictionary: Mapping[str, DatasetSchema]) -> Query:
    """Validate and compile a query over the datasets of `dictionary` (identifier -> schema).

    Raises InvalidQuery with position and advice for everything that is not person-local up to one final aggregation,
    or not in the language. The outcome depends on the text and the dictionary only. `Query.rows` holds nothing of the
    researcher's text but constants, re-written.
    """
    check_text(sql)
    try:
        tree = parsed(sql)
        check_grammar(tree)
        tree = written_out(tree)
        grouping = take_grouping(tree)
        body = bind_body(tree, World(dictionary, bind_derived, condition_subquery), {})
        return _Compilation(tree, body, grouping).query()
    except RecursionError:
        raise InvalidQuery("The query is nested too deeply.", hint="Name the parts in a WITH clause.") from None


def parsed(sql: str) -> exp.Select:
    """The only statement of the text as a tree; comments are gone."""
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        statements = sqlglot.parse(sql, dialect="duckdb")
    except SqlglotError as error:
        found = getattr(error, "errors", None) or [{}]
        raise InvalidQuery(
            "The text is not valid SQL here.",
            line=found[0].get("line"),
            column=found[0].get("col"),
            hint="Check commas, parentheses and the order of clauses.",
        ) from None
    present = [s for s in statements if s is not None]
    if len(present) != 1:
        raise InvalidQuery("There is more than one statement.", hint="Send one SELECT at a time.")
    if not isinstance(present[0], exp.Select):
        check_grammar(present[0])
        raise refuse(present[0], "A query is one SELECT.", "Start with SELECT or WITH.")
    return present[0]


@dataclass(frozen=True)
class _Item:
    """An item of the outermost SELECT list."""

    name: str
    node: exp.Expr


class _Compilation:
    """The outermost selection: keys, measures, order."""

    def __init__(self, tree: exp.Select, body: Body, grouping: Grouping | None) -> None:
        self.tree, self.body, self.grouping = tree, body, grouping
        self.binder = body.binder()
        self._check_clauses()
        self.items = self._items()
        self.measured = [i for i in self.items if is_measure(i.node)]
        if not self.measured:
            raise refuse(
                tree,
                "The query releases rows, not aggregates.",
                "Aggregate: SELECT sex, COUNT(DISTINCT person) FROM person GROUP BY sex.",
            )

    def _check_clauses(self) -> None:
        advice = {
            "having": "Group and filter by person in a sub-query, or drop groups after the release.",
            "qualify": "Filter on row_number() in a sub-query.",
            "distinct": "Groups are distinct already; drop the word.",
            "windows": "Define windows in a sub-query.",
        }
        for clause, hint in advice.items():
            if (node := self.tree.args.get(clause)) is not None and node != []:
                place = node[0] if isinstance(node, list) else node
                raise refuse(place, f"{clause.upper()} cannot stand in the outermost query.", hint)
        if not self.body.personal:
            raise refuse(
                self.tree, "The query reads lookup tables only.", "Join them to a table about persons; they are public."
            )

    # -- SELECT list ---------------------------------------------------------------------------------------------

    def _items(self) -> list[_Item]:
        nodes = self.tree.expressions
        if len(nodes) > MAX_ITEMS:
            raise refuse(self.tree, f"The SELECT list has more than {MAX_ITEMS} items.", "Ask in several queries.")
        items: list[_Item] = []
        for node in nodes:
            inner = node.this if isinstance(node, exp.Alias) else node
            if isinstance(inner, exp.Star) or (isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star)):
                raise refuse(node, "SELECT * is not part of the query language.", "Name groups and aggregates.")
            if is_person(inner):
                raise refuse(node, "The person key is never released.", "Use COUNT(DISTINCT person).")
            items.append(_Item(self._name(node, inner, {i.name for i in items}), inner))
        return items

    @staticmethod
    def _name(node: exp.Expr, inner: exp.Expr, taken: set[str]) -> str:
        if isinstance(node, exp.Alias):
            name = node.alias
            if name in taken or name.lower() == PERSON:
                raise refuse(node, f"The name {name!r} cannot be used here.", "Give each item a name of its own.")
            return name
        base = inner.name if isinstance(inner, exp.Column) else _default_name(inner)
        name, number = base, 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        return name

    # -- keys and measures ---------------------------------------------------------------------------------------

    def _keys(self) -> list[tuple[_Item, Expr]]:
        plain = [i for i in self.items if not is_measure(i.node)]
        bound = [(i, self.binder.bind(i.node)) for i in plain]
        group = self.tree.args.get("group")
        if group is None:
            if plain:
                raise refuse(
                    plain[0].node, f"{plain[0].name!r} is neither grouped nor aggregated.", "Add GROUP BY ALL."
                )
            return []
        asked = [e for _, e in bound] if group.args.get("all") else [self._group(g, bound) for g in group.expressions]
        for item, expr in bound:
            if expr not in asked:
                raise refuse(item.node, f"{item.name!r} is neither grouped nor aggregated.", "Add it to GROUP BY.")
        for node, expr in zip(group.expressions, asked, strict=False):
            if expr not in [e for _, e in bound]:
                raise refuse(
                    node, "A group key is missing in the SELECT list.", "Select it, so that groups have names."
                )
        return bound

    def _group(self, node: exp.Expr, bound: list[tuple[_Item, Expr]]) -> Expr:
        if is_person(node):
            raise refuse(
                node,
                "Groups of one person are never released.",
                "Group by person in a sub-query and aggregate around it.",
            )
        meant = group_item(node, [i.node for i in self.items])
        aliases = {i.name.lower(): i.node for i in self.items}
        self._check_name_clash(node, meant, aliases)
        if is_measure(meant):
            raise refuse(node, "An aggregate cannot be a group.", "Compute it per person in a sub-query first.")
        for item, expr in bound:
            if meant == item.node or self._names(meant, item):
                return expr
        return replace(self.binder, aliases=aliases).bind(meant)

    def _names(self, node: exp.Expr, item: _Item) -> bool:
        """True if the node is the name given to the item, and no column."""
        plain = isinstance(node, exp.Column) and not node.table
        return plain and node.name.lower() == item.name.lower() and not self.body.scope.has(node.name)

    def _check_name_clash(self, node: exp.Expr, meant: exp.Expr, aliases: dict[str, exp.Expr]) -> None:
        """A name that is a column and also another item of the SELECT list would group by either."""
        if not isinstance(meant, exp.Column) or meant.table or not self.body.scope.has(meant.name):
            return
        named = aliases.get(meant.name.lower())
        if named is not None and self.binder.bind(named) != self.binder.bind(meant):
            raise refuse(
                node, f"{meant.name!r} is a column and also the name of something else.", "Choose another alias."
            )

    def query(self) -> Query:
        """The compiled query."""
        keys = self._keys()
        draft = self._analysis()
        measures = [] if draft else [(i, measure(self.binder, i.node)) for i in self.measured]
        _check_repeats([(i, e) for i, e in keys], "group")
        _check_repeats(list(measures), "aggregate")
        read = [e for _, e in keys] + [e for _, m in measures for e in value_exprs(m)]
        read += [a.expr for a in draft.arguments] if draft else []
        select = finish(self.body, columns=tuple((f"x{i}", e) for i, e in enumerate(read)))
        drafts = self._drafts(keys, select)
        if draft:
            check_analysis(draft, self.measured[0].node, select, [key for _, key in drafts])
        order, limit = self._order(keys, draft), self._limit()
        printed = print_query(select, drafts, [(i.name, m) for i, m in measures], draft, self._sets(keys))
        return replace(printed, output=self._output(draft), order=order, limit=limit)

    def _analysis(self) -> Draft | None:
        """The analysis that stands in place of aggregates, if any."""
        node = next((i.node for i in self.measured if is_analysis(i.node)), None)
        if node is None:
            return None
        if len(self.measured) > 1:
            raise refuse(
                node,
                "An analysis stands alone beside the groups.",
                "Ask for the other numbers in a query of their own.",
            )
        return analysis(self.binder, node, build.conjuncts(self.body.where))

    def _output(self, draft: Draft | None) -> tuple[str, ...]:
        """Names of the answer's columns; an analysis' own stand where it was asked for."""
        own = (*draft.keys, *draft.columns) if draft else ()
        names = [name for i in self.items for name in (own if draft and i in self.measured else (i.name,))]
        return (*names, LEVEL) if self.grouping else tuple(names)

    def _sets(self, keys: Sequence[tuple[_Item, Expr]]) -> list[frozenset[str]]:
        """Grouping sets by the names of their keys."""
        if self.grouping is None:
            return []
        group = self.tree.args["group"]
        if any(isinstance(n, exp.Anonymous) and is_analysis(n) for i in self.measured for n in i.node.walk()):
            raise refuse(group, "An analysis is made at one level.", "Ask one query per level.")
        if any(item.name == LEVEL for item in self.items):
            raise refuse(group, f"The answer has a column {LEVEL!r} of its own.", "Give the item another name.")
        bound = list(keys)
        name_of_key = {expr: item.name for item, expr in keys}
        names = [name_of_key[self._group(node, bound)] for node in group.expressions]
        return [frozenset(names[position] for position in kept) for kept in self.grouping.sets]

    def _drafts(self, keys: Sequence[tuple[_Item, Expr]], select: Select) -> list[tuple[Expr, GroupKey]]:
        """The keys with their domains; stops at the first that makes too many groups, since a domain takes time."""
        drafts: list[tuple[Expr, GroupKey]] = []
        groups = 1
        for item, expr in keys:
            drafts.append(self._key(item, expr, select))
            groups *= len(drafts[-1][1].domain or (None,))
            if groups > MAX_GROUPS:
                raise refuse(
                    self.tree.args["group"],
                    f"The query asks for more than {MAX_GROUPS:,} groups.",
                    "Use wider bands, or name the groups: WHERE x IN (…).",
                )
        return drafts

    def _key(self, item: _Item, expr: Expr, select: Select) -> tuple[Expr, GroupKey]:
        if expr.is_literal or expr.type is None:
            raise refuse(item.node, f"{item.name!r} is a constant.", "Leave it out of the query.")
        if expr.type is ColumnType.DECIMAL:
            raise refuse(
                item.node,
                f"{item.name!r} is a number with decimals, which makes no groups.",
                "Use BIN(x, lo, hi, width), floor(x) or round(x).",
            )
        level = expr.facts.person_level or select.unique
        return expr, GroupKey(item.name, expr.type, public_domain(expr, select.where), level)

    # -- post-processing -----------------------------------------------------------------------------------------

    def _order(self, keys: Sequence[tuple[_Item, Expr]], draft: Draft | None) -> tuple[SortKey, ...]:
        order = self.tree.args.get("order")
        if order is not None and draft:
            raise refuse(order, "The answer of an analysis has an order of its own.", "Sort the released table.")
        return () if order is None else tuple(self._sort_key(o, keys) for o in order.expressions)

    def _sort_key(self, node: exp.Expr, keys: Sequence[tuple[_Item, Expr]]) -> SortKey:
        what, descending = group_item(node.this, [i.node for i in self.items]), bool(node.args.get("desc"))
        for item in self.items:
            named = isinstance(what, exp.Column) and not what.table and what.name.lower() == item.name.lower()
            if what is item.node or named or what == item.node:
                return SortKey(item.name, descending)
        if not is_measure(what) and not is_person(what):
            expr = self.binder.bind(what)
            for item, key in keys:
                if key == expr:
                    return SortKey(item.name, descending)
        raise refuse(node, "The released table is ordered by its own columns.", "Select it, then ORDER BY its name.")

    def _limit(self) -> int | None:
        node = self.tree.args.get("limit")
        if node is None:
            return None
        value = node.expression
        if not isinstance(value, exp.Literal) or value.is_string or not str(value.this).isdigit():
            raise refuse(node, "LIMIT is not a whole number.", "Write LIMIT 10.")
        if not 1 <= int(str(value.this)[:9]) <= MAX_GROUPS:
            raise refuse(node, f"LIMIT is from 1 to {MAX_GROUPS:,}.", "Write LIMIT 10.")
        return int(str(value.this))


def _default_name(node: exp.Expr) -> str:
    while isinstance(node, exp.Filter | exp.Paren | exp.WithinGroup):
        node = node.this
    if isinstance(node, exp.Count):
        return "persons" if isinstance(node.this, exp.Distinct) else "count"
    word = str(node.this) if isinstance(node, exp.Anonymous) else node.key
    return word.lower() if _PLAIN.fullmatch(word.lower()) else "value"


def _check_repeats(items: Sequence[tuple[_Item, object]], what: str) -> None:
    seen: dict[object, str] = {}
    for item, meaning in items:
        if meaning in seen:
            raise refuse(
                item.node, f"{item.name!r} is the same {what} as {seen[meaning]!r}.", "Ask for it once; each one costs."
            )
        seen[meaning] = item.name
