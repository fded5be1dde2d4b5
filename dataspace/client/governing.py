"""The part of a session about budgets and the audit trail: asking for more, deciding on it, reading who did what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from dataspace import wire
from dataspace.client.asking import Number, checked
from dataspace.client.transport import Transport
from dataspace.wire.ledger import AuditEventEntry, BudgetRequestEntry, BudgetWish

PAGE = 500


class Governing(Transport):
    """Mixed into `Dataspace`, which sends."""

    def ask_for_budget(
        self,
        permit: str,
        reasons: str,
        *,
        rho: Number | None = None,
        total_epsilon: Number | None = None,
        delta: Number = "0.000001",
    ) -> BudgetRequestEntry:
        """Ask for more: `rho` on top, or the epsilon and delta that the whole permit is to guarantee afterwards."""
        total = None if total_epsilon is None else {"epsilon": str(total_epsilon), "delta": str(delta)}
        wish = checked(BudgetWish, {"reasons": reasons, "rho": None if rho is None else str(rho), "total": total})
        return self._post(f"/permits/{permit}/budget-requests", wish, BudgetRequestEntry)

    def budget_requests(self, permit: str | None = None) -> list[BudgetRequestEntry]:
        """Requests under a permit; without one, all that wait for a decision and that the caller may see."""
        path = f"/permits/{permit}/budget-requests" if permit else "/budget-requests"
        return self._get(path, list[BudgetRequestEntry])

    def grant_budget(self, request: str, reasons: str) -> BudgetRequestEntry:
        """Give the permit what was asked for; for a decision maker who has no part in it."""
        decision = wire.ReasonsRequest(reasons=reasons)
        return self._post(f"/budget-requests/{request}/grant", decision, BudgetRequestEntry)

    def refuse_budget(self, request: str, reasons: str) -> BudgetRequestEntry:
        """Leave the permit's budget as it is, with reasons."""
        decision = wire.ReasonsRequest(reasons=reasons)
        return self._post(f"/budget-requests/{request}/refusal", decision, BudgetRequestEntry)

    def audit(self, after: int = 0, **wanted: str) -> Iterator[AuditEventEntry]:
        """Entries of the audit trail in order; `wanted` may name actor, subject, kind, from_ and to.

        That they were read is on record.
        """
        while True:
            query = urlencode({"after": after, "most": PAGE, **_named(wanted)})
            page = self._get(f"/audit?{query}", list[AuditEventEntry])
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].seq

    def export_audit(self, format: str = "jsonl", **wanted: str) -> str:  # noqa: A002 - the API's name
        """All entries that fit as one text, `jsonl` or `csv`."""
        return self._text(f"/audit/export?{urlencode({'format': format, **_named(wanted)})}")


def _named(wanted: dict[str, Any]) -> dict[str, Any]:
    return {name.rstrip("_"): value for name, value in wanted.items() if value}
