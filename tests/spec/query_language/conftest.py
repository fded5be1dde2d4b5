"""The records that the chapters on the query language ask about."""

from collections.abc import Callable
from datetime import date

import pytest

from tests.reference.sql_cases import ask, database

FLU, COUGH, BLEEDING = 10, 11, 12
ASPIRIN, CELECOXIB = 50, 51

RECORDS = {
    "person": [(1, "F", 1950), (2, "M", 1980), (3, None, 2001), (4, "F", 1958)],
    "condition_occurrence": [
        (1, FLU, date(2010, 1, 1)),
        (1, COUGH, date(2010, 1, 20)),
        (1, BLEEDING, date(2012, 5, 5)),
        (2, FLU, date(2011, 1, 1)),
        (4, BLEEDING, date(2011, 6, 30)),
    ],
    "drug_exposure": [
        (1, ASPIRIN, 30, date(2012, 4, 25), 1.5),
        (1, CELECOXIB, None, date(2010, 2, 1), 2.0),
        (3, ASPIRIN, 7, None, None),
        (4, ASPIRIN, 90, date(2013, 1, 1), 40.0),
    ],
    "concept": [
        (FLU, "Influenza", "Condition"),
        (COUGH, "Cough", "Condition"),
        (BLEEDING, "Gastrointestinal haemorrhage", "Condition"),
        (ASPIRIN, "Aspirin", "Drug"),
        (CELECOXIB, "Celecoxib", "Drug"),
    ],
    "stay": [
        (1, "2012-05-05 22:30:00", "A", True),
        (1, "2012-05-09 08:00:00", "B", False),
        (2, "2011-01-02 10:00:00", "B", False),
    ],
}


@pytest.fixture(scope="session")
def answers() -> Callable[[str], list[tuple]]:
    """The exact answer to a query over these records."""
    con = database(RECORDS)
    return lambda sql: ask(sql, con)
