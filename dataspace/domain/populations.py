"""The population of a permit: the persons it is about, and nobody else's rows are read."""

from dataclasses import dataclass

from dataspace.domain.scopes import ColumnRef


@dataclass(frozen=True)
class Population:
    """Persons with at least one row that fulfils a condition, in one table of the permit's data.

    `text` is as the access body wrote it: `dataset.table WHERE condition`, in the query language. `persons` is
    validated SQL whose only column `person_key` holds those persons, perhaps more than once; it reads `columns`.
    `canonical` is equal for populations that mean the same.

    Whether a person belongs to it depends on that person's own rows alone. Dropping everybody else's rows, from every
    table, is therefore person-local like the rest of a query before its last aggregate: the sensitivities hold as they
    are, and answers are differentially private with respect to persons inside and outside. Whole persons go, so the
    ranks that ingestion has fixed within each person (contribution index, row order) stay right.
    """

    text: str
    canonical: str
    dataset: str
    persons: str
    columns: frozenset[ColumnRef]
