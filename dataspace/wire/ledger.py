"""JSON shapes about the privacy ledger and the audit trail: asking for more budget, and reading who did what."""

from datetime import datetime
from decimal import Decimal

from pydantic import model_validator

from dataspace.wire import Amount, Guarantee, Shape, Text


class BudgetWish(Shape):
    """More budget under a permit: `rho` on top of what it has, or the `total` guarantee that it is to have afterwards.

    Epsilons of a permit do not add up, so by epsilon and delta the sum is named.
    """

    reasons: Text
    rho: Amount | None = None
    total: Guarantee | None = None

    @model_validator(mode="after")
    def _one_amount(self) -> "BudgetWish":
        if (self.rho is None) == (self.total is None):
            raise ValueError("give exactly one of rho and total")
        return self


class BudgetRequestEntry(Shape):
    """A request for more budget: `more_rho` and `more_delta` are asked for, `total` is what it would make the permit.

    `state` is waiting, granted or refused.
    """

    id: str
    number: str
    permit_id: str
    asked_by: str
    asked_at: datetime
    reasons: str
    more_rho: Decimal
    more_delta: Decimal
    total: Guarantee
    state: str
    decided_by: str | None
    decided_at: datetime | None
    decision_reasons: str | None


class AuditEventEntry(Shape):
    """One entry of the audit trail; every field but the two hashes is what its hash covers, spelled as it covers it.

    `hash` is SHA-256 over `previous`, a line feed, and the other fields as JSON: keys sorted, no spaces, ASCII.
    """

    seq: int
    at: str
    kind: str
    actor: str
    subject: str
    details: dict[str, str]
    previous: str
    hash: str
