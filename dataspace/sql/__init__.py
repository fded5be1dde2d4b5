"""The query language: a researcher's SQL becomes a validated, canonical, frozen `dataspace.domain.queries.Query`.

    from dataspace.sql import parse_query
    query = parse_query("SELECT sex, COUNT(DISTINCT person) FROM person GROUP BY sex", {"hospital": schema})

The text is parsed, every node is checked against an allow-list (`grammar`), names and types are resolved into typed
expressions that only one person's rows can reach (`scope`, `scalars`, `selects`), and SQL is printed anew from them in
one canonical spelling (`print_selects`), so that nothing of the text is ever run.
"""

from dataspace.sql.compiler import parse_query
from dataspace.sql.population import parse_population

__all__ = ["parse_population", "parse_query"]
