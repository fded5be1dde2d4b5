"""The population of a permit in the query language: `dataset.table WHERE condition`."""

from collections.abc import Mapping

from sqlglot import exp

from catalog.schema import DatasetSchema
from dataspace.domain.errors import InvalidQuery
from dataspace.domain.populations import Population
from dataspace.sql.compiler import parse_query, parsed
from dataspace.sql.refusals import refuse
from dataspace.sql.text import check_text

_BEFORE = "SELECT COUNT(DISTINCT person) FROM\n"
_NOT_THAT = "A population is one table and a condition."
_FORM = "Write dataset.table WHERE condition, for example registry.person WHERE birth_year < 2008."


def parse_population(text: str, dictionary: Mapping[str, DatasetSchema]) -> Population:
    """Validate and compile a population over one table of the datasets of `dictionary`.

    Raises InvalidQuery, with the place in `text`, for what is not a condition on the columns of one table about
    persons, in the query language and without sub-queries. The outcome depends on the text and the dictionary only.
    """
    written = text.strip()
    try:
        check_text(_BEFORE + written)
        _check_form(_tree(_BEFORE + written))
        query = parse_query(_BEFORE + written, dictionary)
    except InvalidQuery as error:
        raise _placed(error) from None
    [(dataset, table)] = query.tables
    columns = query.columns | {(dataset, table, "")}
    return Population(written, query.canonical, dataset, query.rows, columns)


def _tree(sql: str) -> exp.Select:
    try:
        return parsed(sql)
    except InvalidQuery as error:
        raise InvalidQuery(_NOT_THAT, line=error.line, column=error.column, hint=_FORM) from None


def _check_form(tree: exp.Select) -> None:
    """One table, named with its dataset, and a WHERE without sub-queries; nothing before, between or after."""
    clauses = {name for name, part in tree.args.items() if part not in (None, False, [])}
    table, where = tree.args["from_"].this, tree.args.get("where")
    if clauses != {"expressions", "from_", "where"} or where is None or not isinstance(table, exp.Table):
        raise refuse(tree.args["from_"], _NOT_THAT, _FORM)
    if not table.db:
        raise refuse(table, "The table is named without its dataset.", _FORM)
    inner = where.find(exp.Select, exp.Subquery, exp.Exists)
    if inner is not None:
        raise refuse(inner, "A population has no sub-query.", "Write a condition on the columns of its table.")


def _placed(error: InvalidQuery) -> InvalidQuery:
    """The refusal with the line as the writer of the population sees it."""
    if error.line is None:
        return error
    said = error.message.removeprefix(f"line {error.line}, column {error.column}: ").removesuffix(f" {error.hint}")
    return InvalidQuery(said, line=max(1, error.line - 1), column=error.column, hint=error.hint)
