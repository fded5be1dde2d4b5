"""How a refusal is made: position of the construct, its name, and a rewriting that works."""

from sqlglot import exp

from dataspace.domain.errors import InvalidQuery


def refuse(node: exp.Expr | None, message: str, hint: str | None = None) -> InvalidQuery:
    """The error for `node`; its position is that of the first word under it, or of what encloses it."""
    line, column = position(node)
    return InvalidQuery(message, line=line, column=column, hint=hint)


def position(node: exp.Expr | None) -> tuple[int | None, int | None]:
    """Line and column from 1 of the first word of a construct; (None, None) if the parser kept none."""
    while node is not None:
        found = [place for n in node.walk() if (place := _place(n))]
        if found:
            return min(found)
        node = node.parent
    return None, None


def _place(node: exp.Expr) -> tuple[int, int] | None:
    meta = node.meta
    if "line" not in meta:
        return None
    return int(meta["line"]), max(1, int(meta["col"]) - (int(meta["end"]) - int(meta["start"])))


def name_of(node: exp.Expr) -> str:
    """The construct as people write it: `GROUPING SETS`, `date_add`."""
    if isinstance(node, exp.Anonymous):
        return f"{str(node.this).lower()[:60]}()"
    if isinstance(node, exp.Func):
        return f"{node.sql_name().lower()}()"
    words = "".join(f" {c}" if c.isupper() else c for c in type(node).__name__)
    return words.strip().upper()
