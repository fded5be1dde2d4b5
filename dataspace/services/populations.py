"""The population that a proposal or a decision names, held against the data dictionary before anybody relies on it."""

from collections.abc import Iterable

from catalog.schema import DatasetSchema
from dataspace.domain.errors import InvalidApplication, InvalidQuery
from dataspace.sql import parse_population


def check_population(population: str, schemas: Iterable[DatasetSchema]) -> None:
    """Raises InvalidApplication unless every node's query can be held to it: a filter over `schemas`, the data granted.

    Its columns need not be among those granted. An empty one means everybody.
    """
    if not population.strip():
        return
    try:
        parse_population(population, {schema.dataset: schema for schema in schemas})
    except InvalidQuery as error:
        raise InvalidApplication(f"the population cannot be used: {error.message}") from error
