"""The allow-list: every node of a parsed query, and every part of a node, that the language has.

`check_grammar` walks the whole tree once. A node type or a part that is not in `GRAMMAR` is refused by name, so that a
new version of the parser can only make the language smaller, never larger.
"""

from sqlglot import exp

from dataspace.sql.hints import ARG_HINTS, NODE_HINTS
from dataspace.sql.refusals import name_of, refuse
from dataspace.sql.text import name_problem

MAX_NODES = 2_000
MAX_DEPTH = 60
MAX_LIST = 1_000

_BINARY = ("this", "expression")
_UNARY = ("this",)

GRAMMAR: dict[type[exp.Expr], tuple[str, ...]] = {
    # clauses
    exp.Select: (
        "expressions",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "qualify",
        "windows",
        "order",
        "limit",
        "with_",
        "distinct",
    ),
    exp.With: ("expressions",),
    exp.CTE: ("this", "alias"),
    exp.TableAlias: ("this",),
    exp.From: _UNARY,
    exp.Table: ("this", "db", "alias"),
    exp.Subquery: ("this", "alias"),
    exp.Join: ("this", "side", "kind", "on", "using"),
    exp.Where: _UNARY,
    exp.Group: ("expressions", "all"),
    exp.Rollup: ("expressions",),
    exp.Cube: ("expressions",),
    exp.GroupingSets: ("expressions",),
    exp.Tuple: ("expressions",),
    exp.Having: _UNARY,
    exp.Qualify: _UNARY,
    exp.Order: ("this", "expressions"),
    exp.Ordered: ("this", "desc", "nulls_first"),
    exp.Limit: ("expression",),
    exp.Distinct: ("expressions",),
    exp.Alias: ("this", "alias"),
    exp.Window: ("this", "partition_by", "order", "spec", "alias", "over"),
    exp.WindowSpec: ("kind", "start", "start_side", "end", "end_side"),
    exp.Filter: _BINARY,
    exp.WithinGroup: _BINARY,
    exp.Star: (),
    # names and literals
    exp.Identifier: ("this", "quoted"),
    exp.Column: ("this", "table"),
    exp.Literal: ("this", "is_string"),
    exp.Null: (),
    exp.Boolean: _UNARY,
    exp.Interval: ("this", "unit"),
    exp.Var: _UNARY,
    exp.DataType: ("this", "nested", "expressions"),
    exp.DataTypeParam: _UNARY,
    # conditions
    exp.And: _BINARY,
    exp.Or: _BINARY,
    exp.Not: _UNARY,
    exp.Paren: _UNARY,
    exp.EQ: _BINARY,
    exp.NEQ: _BINARY,
    exp.LT: _BINARY,
    exp.LTE: _BINARY,
    exp.GT: _BINARY,
    exp.GTE: _BINARY,
    exp.NullSafeEQ: _BINARY,
    exp.NullSafeNEQ: _BINARY,
    exp.Between: ("this", "low", "high"),
    exp.In: ("this", "expressions", "query"),
    exp.Is: _BINARY,
    exp.Like: _BINARY,
    exp.ILike: _BINARY,
    exp.Exists: _UNARY,
    exp.Case: ("this", "ifs", "default"),
    exp.If: ("this", "true", "false"),
    # arithmetic
    exp.Add: _BINARY,
    exp.Sub: _BINARY,
    exp.Mul: _BINARY,
    exp.Div: ("this", "expression", "typed", "safe"),
    exp.IntDiv: _BINARY,
    exp.Mod: _BINARY,
    exp.Neg: _UNARY,
    exp.DPipe: ("this", "expression", "safe"),
    exp.Cast: ("this", "to"),
    exp.TryCast: ("this", "to", "safe"),
    # functions with a node of their own; `functions.ARGUMENTS` names them
    exp.Abs: _UNARY,
    exp.Ceil: _UNARY,
    exp.Coalesce: ("this", "expressions"),
    exp.Concat: ("expressions", "safe", "coalesce"),
    exp.Date: _UNARY,
    exp.DateDiff: ("this", "expression", "unit", "date_part_boundary"),
    exp.DateTrunc: ("this", "unit", "input_type_preserved"),
    exp.Day: _UNARY,
    exp.DayOfWeek: _UNARY,
    exp.DayOfWeekIso: _UNARY,
    exp.DayOfYear: _UNARY,
    exp.Exp: _UNARY,
    exp.Extract: _BINARY,
    exp.Floor: _UNARY,
    exp.Hour: _UNARY,
    exp.Minute: _UNARY,
    exp.Second: _UNARY,
    exp.Greatest: ("this", "expressions", "ignore_nulls"),
    exp.Least: ("this", "expressions", "ignore_nulls"),
    exp.Left: _BINARY,
    exp.Length: _UNARY,
    exp.Ln: _UNARY,
    exp.Lower: _UNARY,
    exp.Month: _UNARY,
    exp.Nullif: _BINARY,
    exp.Pow: _BINARY,
    exp.Quarter: _UNARY,
    exp.Right: _BINARY,
    exp.Round: ("this", "decimals"),
    exp.Sign: _UNARY,
    exp.Sqrt: _UNARY,
    exp.StartsWith: _BINARY,
    exp.EndsWith: _BINARY,
    exp.Contains: _BINARY,
    exp.Substring: ("this", "start", "length"),
    exp.TimestampTrunc: ("this", "unit", "input_type_preserved"),
    exp.Trim: _UNARY,
    exp.Trunc: _UNARY,
    exp.Upper: _UNARY,
    exp.Week: _UNARY,
    exp.WeekOfYear: _UNARY,
    exp.Year: _UNARY,
    exp.Anonymous: ("this", "expressions"),
    # aggregates and window functions
    exp.Count: ("this", "big_int"),
    exp.CountIf: _UNARY,
    exp.Sum: _UNARY,
    exp.Avg: _UNARY,
    exp.Min: _UNARY,
    exp.Max: _UNARY,
    exp.LogicalOr: _UNARY,
    exp.LogicalAnd: _UNARY,
    exp.ArgMin: _BINARY,
    exp.ArgMax: _BINARY,
    exp.First: _UNARY,
    exp.Last: _UNARY,
    exp.Variance: _UNARY,
    exp.Stddev: _UNARY,
    exp.StddevSamp: _UNARY,
    exp.Median: _UNARY,
    exp.Quantile: ("this", "quantile"),
    exp.PercentileCont: _BINARY,
    exp.RowNumber: (),
    exp.Rank: (),
    exp.DenseRank: (),
    exp.Lag: ("this", "offset", "default"),
    exp.Lead: ("this", "offset", "default"),
    exp.FirstValue: _UNARY,
    exp.LastValue: _UNARY,
}


def check_grammar(tree: exp.Expr) -> None:
    """Refuse any node or part outside of the language, and trees that are too large or too deep."""
    stack: list[tuple[exp.Expr, int]] = [(tree, 0)]
    nodes = 0
    while stack:
        node, depth = stack.pop()
        nodes += not isinstance(node, exp.Identifier) and not isinstance(node.parent, exp.In)
        if nodes > MAX_NODES:
            raise refuse(node, "The query is too large.", "Ask in several queries.")
        if depth > MAX_DEPTH:
            raise refuse(node, "The query is nested too deeply.", "Name the parts in a WITH clause.")
        _check_node(node)
        stack += [(c, depth if _same_chain(node, c) else depth + 1) for c in node.iter_expressions()]


def _same_chain(node: exp.Expr, child: exp.Expr) -> bool:
    """`a AND b AND c` is one level: the compiler takes such chains apart in a loop."""
    return isinstance(node, exp.And | exp.Or) and type(node) is type(child)


def _check_node(node: exp.Expr) -> None:
    allowed = GRAMMAR.get(type(node))
    if allowed is None:
        raise refuse(node, f"{name_of(node)} is not part of the query language.", NODE_HINTS.get(type(node)))
    for key, value in node.args.items():
        if key not in allowed and value not in (None, False, [], ""):
            hint = ARG_HINTS.get((type(node), key)) or ARG_HINTS.get((None, key))
            raise refuse(node, f"{name_of(node)} with {key.strip('_')} is not part of the query language.", hint)
    if isinstance(node, exp.In) and len(node.expressions) > MAX_LIST:
        raise refuse(node, f"A list after IN has at most {MAX_LIST:,} values.", "Use a range or a lookup table.")
    if isinstance(node, exp.Identifier) and (problem := name_problem(node.name)):
        raise refuse(node, f"A name cannot be used: {problem}.", "Use plain letters, digits and underscores.")
