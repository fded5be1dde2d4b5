"""Shorthands of the outermost SELECT that stand for other SQL: written out before anything is compiled."""

from sqlglot import exp

from dataspace.sql.refusals import refuse

HISTOGRAM = "HISTOGRAM(x, lo, hi, width), HISTOGRAM(x, width)"


def written_out(tree: exp.Select) -> exp.Select:
    """The query with HISTOGRAM(x, …) as BIN(x, …) and COUNT(*), grouped by the former."""
    histograms = [item for item in tree.expressions if _is_histogram(item.unalias())]
    if not histograms:
        return tree
    if len(histograms) > 1:
        raise refuse(histograms[1], "There are two histograms.", "Ask for one; for both together group by two BINs.")
    item, call = histograms[0], histograms[0].unalias()
    if len(call.expressions) not in (2, 4):
        raise refuse(call, "HISTOGRAM has another number of arguments.", "Write HISTOGRAM(x, lo, hi, width).")
    band = exp.Anonymous(this="BIN", expressions=[arg.copy() for arg in call.expressions])
    count = exp.alias_(exp.Count(this=exp.Star(), big_int=True), "count")
    parts = [exp.alias_(band, item.alias or "bin"), count]
    tree.set("expressions", [part for found in tree.expressions for part in (parts if found is item else [found])])
    group = tree.args.get("group")
    if group is None:
        tree.set("group", exp.Group(expressions=[band.copy()]))
    elif not group.args.get("all"):
        group.append("expressions", band.copy())
    return tree


def _is_histogram(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).lower() == "histogram"
