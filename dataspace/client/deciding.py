"""The part of a session for decisions: what an applicant answers to them, and what officials of an access body do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from dataspace import wire
from dataspace.client.asking import checked
from dataspace.client.transport import Transport
from dataspace.wire import decisions as shapes


class Deciding(Transport):
    """Mixed into `dataspace.client.Dataspace`."""

    # For applicants and data users

    def offer(self, application: str) -> shapes.Offer:
        """The intended decision on one's application and its fee, once it was offered (Art. 62(5))."""
        return self._get(f"/applications/{application}/offer", shapes.Offer)

    def accept_offer(self, application: str) -> wire.ApplicationEntry:
        """Accept the fee, and the kind of answer; the permit is issued afterwards."""
        return self._post(f"/applications/{application}/offer/acceptance", shapes.StepRequest(), wire.ApplicationEntry)

    def decline_offer(self, application: str, reasons: str = "") -> wire.ApplicationEntry:
        """Decline: the access body proposes something else, or you withdraw."""
        body = shapes.DeclineRequest(reasons=reasons)
        return self._post(f"/applications/{application}/offer/refusal", body, wire.ApplicationEntry)

    def amend(self, permit: str, reasons: str, **wanted: Any) -> shapes.PermitChange:
        """Ask for a change of a permit: `columns`, `persons`, `persons_leaving` or `conditions` (Art. 68(13))."""
        body = checked(shapes.AmendmentRequest, {"reasons": reasons, **wanted})
        return self._post(f"/permits/{permit}/amendment", body, shapes.PermitChange)

    def extend(self, permit: str, until: datetime, reasons: str) -> shapes.PermitChange:
        """Ask for a longer period, once and at least one month before the permit ends (Art. 68(12))."""
        body = checked(shapes.ExtensionRequest, {"valid_until": until, "reasons": reasons})
        return self._post(f"/permits/{permit}/extension", body, shapes.PermitChange)

    def withdraw_change(self, change: str) -> shapes.PermitChange:
        """Withdraw one's own request for a change."""
        return self._post(f"/permit-changes/{change}/withdrawal", None, shapes.PermitChange)

    def changes(self, permit: str) -> list[shapes.PermitChange]:
        """Changes of a permit that were asked for, oldest first."""
        return self._get(f"/permits/{permit}/changes", list[shapes.PermitChange])

    def permit_versions(self, permit: str) -> list[shapes.PermitVersion]:
        """Every version of a permit with its contents (Art. 68(10)), oldest first."""
        return self._get(f"/permits/{permit}/versions", list[shapes.PermitVersion])

    def tabulations(self, permit: str) -> list[shapes.TabulationAnswer]:
        """The answers of one's approved data request (Art. 69)."""
        return self._get(f"/permits/{permit}/tabulations", list[shapes.TabulationAnswer])

    def retry_tabulations(self, permit: str) -> list[shapes.TabulationAnswer]:
        """Try what failed again; nothing is charged twice."""
        return self._post(f"/permits/{permit}/tabulations/retry", None, list[shapes.TabulationAnswer])

    # For officials of an access body

    def case_file(self, application: str) -> shapes.CaseFile:
        """Findings, proposal and steps of a case."""
        return self._get(f"/applications/{application}/assessment", shapes.CaseFile)

    def record_findings(self, application: str, verdicts: Mapping[str, tuple[str, str]]) -> shapes.CaseFile:
        """Write verdicts: criterion -> (met, not-met or not-applicable; reason)."""
        rows = [{"criterion": code, "verdict": found, "reason": why} for code, (found, why) in verdicts.items()]
        body = checked(shapes.FindingsRequest, {"verdicts": rows})
        return self._post(f"/applications/{application}/findings", body, shapes.CaseFile)

    def propose(
        self,
        application: str,
        outcome: str,
        reasons: str,
        *,
        terms: Mapping[str, Any] | None = None,
        criteria: Iterable[str] = (),
        fee: Iterable[Mapping[str, Any]] = (),
        plan: Mapping[str, Any] | None = None,
    ) -> shapes.CaseFile:
        """Propose a decision: grant, grant-in-part, refuse or statistical-answer."""
        fields = {"outcome": outcome, "reasons": reasons, "criteria": list(criteria), "fee": list(fee), "plan": plan}
        body = checked(shapes.ProposalRequest, fields | ({"terms": terms} if terms else {}))
        return self._post(f"/applications/{application}/proposal", body, shapes.CaseFile)

    def send_back(self, application: str, reasons: str) -> shapes.CaseFile:
        """Send a proposal back to its assessor."""
        body = checked(shapes.ReasonedStepRequest, {"reasons": reasons})
        return self._post(f"/applications/{application}/reconsideration", body, shapes.CaseFile)

    def make_offer(self, application: str) -> shapes.CaseFile:
        """Offer the intended decision, where it has a fee or is a statistical answer, to the applicant."""
        return self._post(f"/applications/{application}/offer", shapes.StepRequest(), shapes.CaseFile)

    def declare_interest(self, application: str, interest: str) -> None:
        """Stand aside from a case for good (Art. 55(3))."""
        body = checked(shapes.InterestRequest, {"interest": interest})
        self._post(f"/applications/{application}/interest", body, shapes.CaseStanding)

    def suspend(self, permit: str, reasons: str) -> wire.PermitEntry:
        """Stop a permit's queries for the time being."""
        return self._post(f"/permits/{permit}/suspension", wire.ReasonsRequest(reasons=reasons), wire.PermitEntry)

    def resume(self, permit: str, reasons: str) -> wire.PermitEntry:
        """End a suspension."""
        return self._post(f"/permits/{permit}/resumption", wire.ReasonsRequest(reasons=reasons), wire.PermitEntry)

    def propose_change(self, change: str, reasons: str, *, favourable: bool) -> shapes.PermitChange:
        """Propose to approve or reject a change of a permit."""
        body = checked(shapes.ChangeProposalRequest, {"reasons": reasons, "favourable": favourable})
        return self._post(f"/permit-changes/{change}/proposal", body, shapes.PermitChange)

    def send_back_change(self, change: str, reasons: str) -> shapes.PermitChange:
        """Send the proposal on a change back to be assessed again."""
        body = checked(shapes.ReasonedStepRequest, {"reasons": reasons})
        return self._post(f"/permit-changes/{change}/return", body, shapes.PermitChange)

    def decide_change(self, change: str, reasons: str) -> shapes.PermitChange:
        """Adopt the proposal on a change."""
        body = checked(shapes.ReasonedStepRequest, {"reasons": reasons})
        return self._post(f"/permit-changes/{change}/decision", body, shapes.PermitChange)

    def exclude(self, person: str, until: datetime, reasons: str) -> shapes.Exclusion:
        """Exclude a person from access, at most five years (Art. 63(3))."""
        body = checked(shapes.ExclusionRequest, {"person": person, "until": until, "reasons": reasons})
        return self._post("/exclusions", body, shapes.Exclusion)

    def exclusions(self) -> list[shapes.Exclusion]:
        """Who is or was excluded, newest first."""
        return self._get("/exclusions", list[shapes.Exclusion])
