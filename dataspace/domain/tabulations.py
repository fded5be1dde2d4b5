"""The tabulation plan of a data request (Art. 69): named questions with a price each, run once it is approved."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from dataspace.domain.actors import Actor, Organisation
from dataspace.domain.applications import PlannedTable
from dataspace.domain.errors import InvalidApplication, NotPermitted
from dataspace.domain.privacy import ByEpsilon

MOST_TABULATIONS = 100
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

NODE_USER = Actor("node", "the node, for applicants of data requests", Organisation("the node"), frozenset())
"""The only user of an approval: it asks what the plan says and nothing else. It has no role and no
token, never signs in, and no application names it."""


def check_not_the_node(person_id: str) -> None:
    """Raises NotPermitted: whoever acted as `NODE_USER` could ask what no plan says."""
    if person_id == NODE_USER.id:
        raise NotPermitted("nobody acts as the node itself: it asks what tabulation plans say, and nothing else")


@dataclass(frozen=True)
class Tabulation:
    """One question in SQL; `epsilon` is what it costs at the approval's delta."""

    name: str
    sql: str
    epsilon: Decimal

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidApplication("a tabulation's name is lower-case letters, digits, - and _, at most 64")
        if not self.sql.strip():
            raise InvalidApplication(f"tabulation {self.name} has no SQL")
        if not self.epsilon.is_finite() or self.epsilon <= 0:
            raise InvalidApplication(f"tabulation {self.name} has a price above zero")


@dataclass(frozen=True)
class TabulationPlan:
    tabulations: tuple[Tabulation, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.tabulations) <= MOST_TABULATIONS:
            raise InvalidApplication(f"a tabulation plan has one to {MOST_TABULATIONS} tabulations")
        if len({tabulation.name for tabulation in self.tabulations}) < len(self.tabulations):
            raise InvalidApplication("two tabulations of a plan have the same name")


def plan_of(tables: Iterable[PlannedTable]) -> TabulationPlan | None:
    """The plan that a data request's form carries (69(2)(d)), None if it has no table. Raises InvalidApplication."""
    found = tuple(Tabulation(table.name, table.sql, _epsilon(table)) for table in tables)
    return TabulationPlan(found) if found else None


def _epsilon(table: PlannedTable) -> Decimal:
    if not isinstance(table.price, ByEpsilon):
        raise InvalidApplication(f"the price of table {table.name} of a tabulation plan is an epsilon")
    return table.price.epsilon


class RunState(StrEnum):
    WAITING = "waiting"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True)
class TabulationRun:
    """What became of one tabulation under an approval. `code` and `message` say why it failed."""

    permit: str
    name: str
    state: RunState
    at: datetime
    release: str | None = None
    code: str = ""
    message: str = ""
    attempts: int = 0

    @property
    def idempotency_key(self) -> str:
        """The same at every attempt, so that a charge that stands pays for the retry."""
        return f"tabulation:{self.name}"
