"""A session with a node over its HTTP API."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Literal
from urllib.parse import urlencode

from dataspace import wire
from dataspace.client.answer import Answer
from dataspace.client.asking import Number, checked, query_request
from dataspace.client.deciding import Deciding
from dataspace.client.dummy import Dummy, make_dummy
from dataspace.client.errors import InvalidInput
from dataspace.client.forms import Forms
from dataspace.client.governing import Governing
from dataspace.client.ledger import verify
from dataspace.wire import clocks as clock_shapes
from dataspace.wire import public, signin

OptOutChannel = Literal["at-access-body", "on-behalf"]
"""The person came, or someone acts for them."""
ResultKind = Literal["paper", "policy-document", "regulatory-procedure", "product-or-service", "algorithm"]
DocumentForm = Literal["jws", "pdf", "odrl", "visa"]


PAGE = 500
"""Applications fetched at a time."""


class Dataspace(Deciding, Forms, Governing):
    """Ask a node.

        node = Dataspace("http://127.0.0.1:8000", token="ehds_…")
        node.query("SELECT sex, COUNT(DISTINCT person) AS patients FROM person GROUP BY sex", epsilon=0.5)

    `permit` names the data permit queries run under; without it the caller's only active permit is used. `purpose` is
    the letter of Art. 53(1) that queries serve; without it the permit's only one.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        permit: str | None = None,
        purpose: str | None = None,
        timeout: float = 120,
    ) -> None:
        super().__init__(url, token, timeout)
        self._permit, self._purpose = permit, purpose

    # Finding data

    def datasets(self) -> list[wire.DatasetEntry]:
        """Datasets of the node with their data dictionaries."""
        return self._get("/datasets", list[wire.DatasetEntry])

    def dataset(self, dataset: str) -> wire.DatasetEntry:
        """One dataset with its data dictionary."""
        return self._get(f"/datasets/{dataset}", wire.DatasetEntry)

    def dummy(self, dataset: str, *, persons: int = 200, seed: int = 0) -> Dummy:
        """Made-up rows that follow the data dictionary, free: develop a query before any budget is spent.

        tables = node.dummy("gibleed")
        tables["person"].head()
        tables.query("SELECT sex, COUNT(DISTINCT person) AS patients FROM person GROUP BY sex")
        """
        return make_dummy(self.dataset(dataset), persons, seed)

    # Getting access

    def apply(self, application: wire.ApplicationRequest) -> wire.ApplicationEntry:
        """File and submit a health data access application (Art. 67)."""
        return self._post("/applications", application, wire.ApplicationEntry)

    def applications(self, *, state: str | None = None) -> list[wire.ApplicationEntry]:
        """Applications the caller may see, newest first: one's own, or all for an access body; of one state or any."""
        found: list[wire.ApplicationEntry] = []
        chosen = f"&state={state}" if state else ""
        while True:
            after = f"&after={found[-1].id}" if found else ""
            page = self._get(f"/applications?most={PAGE}{chosen}{after}", list[wire.ApplicationEntry])
            found += page
            if len(page) < PAGE:
                return found

    def assess(self, application: str) -> wire.ApplicationEntry:
        """Take a submitted application into assessment; then `record_findings` and `propose`. For an assessor."""
        return self._post(f"/applications/{application}/assessment", None, wire.ApplicationEntry)

    def grant(self, application: str, decision: wire.GrantRequest) -> wire.PermitEntry:
        """Issue the data permit that is proposed (Art. 68); for a decision maker, who is not the case's assessor."""
        return self._post(f"/applications/{application}/grant", decision, wire.PermitEntry)

    def refuse(self, application: str, decision: wire.ReasonsRequest) -> wire.ApplicationEntry:
        """Refuse an application as it is proposed, with reasons; for an access body's decision maker."""
        return self._post(f"/applications/{application}/refusal", decision, wire.ApplicationEntry)

    def withdraw(self, application: str) -> wire.ApplicationEntry:
        """Withdraw one's own application before it is decided."""
        return self._post(f"/applications/{application}/withdrawal", None, wire.ApplicationEntry)

    def permits(self) -> list[wire.PermitEntry]:
        """Permits the caller is named in, or all for an access body."""
        found: list[wire.PermitEntry] = []
        while True:
            after = f"&after={found[-1].number}" if found else ""
            page = self._get(f"/permits?most=100{after}", list[wire.PermitEntry])
            found += page
            if len(page) < 100:
                return found

    def document(self, permit: str, form: DocumentForm = "jws", *, language: Literal["en", "fr"] = "en") -> bytes:
        """A permit as a file: signed statement (jws), print (pdf), ODRL policy, or visas for oneself (visa)."""
        options = {"format": form, "language": language}
        return self._received("GET", f"/permits/{permit}/document", params=options).content

    def revoke(self, permit: str, reasons: str) -> wire.PermitEntry:
        """Revoke a permit (Art. 63(3)): its very next query is refused; for an access body's decision maker."""
        return self._post(f"/permits/{permit}/revocation", wire.ReasonsRequest(reasons=reasons), wire.PermitEntry)

    def register(self, *, after: str = "", most: int = 50, **search: str) -> public.RegisterPage:
        """A page of the public register; search by `state`, `purpose` (a letter), `dataset` and `q` (words)."""
        asked = urlencode({"after": after, "most": most, **search})
        return self._get(f"/register?{asked}", public.RegisterPage)

    def case(self, number: str) -> public.RegisterEntry:
        """One case of the public register with its results, by its number or its permit's."""
        return self._get(f"/register/{number}", public.RegisterEntry)

    def publish_result(
        self, number: str, kind: ResultKind, title: str, link: str, lay_summary: str, *, supersedes: str = ""
    ) -> public.ResultRegistered:
        """Publish a result of a case (Art. 61(4)); the answer has the text that acknowledges the sources.

        `link` is an https address or a DOI, `supersedes` the identifier of a result that this one corrects.
        """
        fields = {"kind": kind, "title": title, "link": link, "lay_summary": lay_summary, "supersedes": supersedes}
        result = checked(public.ResultRequest, fields)
        return self._post(f"/register/{number}/results", result, public.ResultRegistered)

    def activity_report(self, start: date, end: date) -> dict[str, object]:
        """The activity report (Art. 59) of the days from `start` until before `end`, as the records stand now."""
        return self._get(f"/activity-report?from={start}&to={end}", dict[str, object])

    def freeze_report(self, start: date, end: date) -> public.EditionEntry:
        """Freeze the report of two years; for an access body's decision maker."""
        period = public.PeriodRequest(start=start, end=end)
        return self._post("/activity-report/editions", period, public.EditionEntry)

    def ledger(self) -> wire.LedgerState:
        """Whether the privacy ledger and the audit trail recompute, as the node says; anyone may ask."""
        return self._get("/ledger", wire.LedgerState)

    def postings(self, after: int = 0) -> Iterator[wire.Posting]:
        """Every entry of the privacy ledger that follows entry `after`, in order; anyone may read them."""
        while page := self._get(f"/ledger/postings?after={after}", list[wire.Posting]):
            yield from page
            after = page[-1].seq

    def verify_ledger(self) -> list[str]:
        """Recompute every hash and every balance of the ledger here, trusting nothing; a line for each fault.

        Empty if it is sound. What the node says of itself is `ledger`.
        """
        said = self.ledger()
        return verify(self.postings(), said.postings, said.postings_hash)

    # One's own account

    def account(self) -> signin.Person:
        """Who the token belongs to."""
        return self._get("/account", signin.Person)

    def tokens(self) -> list[signin.TokenEntry]:
        """One's access tokens in force; their text is never shown again."""
        return self._get("/account/tokens", list[signin.TokenEntry])

    def issue_token(self, label: str = "", scopes: Sequence[signin.Scope] = (), days: int = 90) -> signin.NewToken:
        """A new token for oneself, for at most a year; without `scopes` it may do all that one may."""
        request = signin.TokenRequest(label=label, scopes=list(scopes), days=days)
        return self._post("/account/tokens", request, signin.NewToken)

    def revoke_token(self, token_id: str) -> None:
        """End one of one's tokens: its very next request is refused."""
        self._post(f"/account/tokens/{token_id}/revocation", None, type(None))

    # Deadlines

    def clocks(self, *, state: Sequence[str] = (), due_before: date | None = None) -> Iterator[clock_shapes.ClockEntry]:
        """Deadlines the caller waits for or owes, soonest first; by default in every state that is open."""
        wanted = "".join(f"&state={name}" for name in state) + (f"&due_before={due_before}" if due_before else "")
        offset = 0
        while page := self._get(f"/clocks?limit=1000&offset={offset}{wanted}", clock_shapes.ClockPage).clocks:
            yield from page
            offset += len(page)

    def extend_clock(
        self, of: str, subject: str, request: clock_shapes.ClockExtensionRequest
    ) -> clock_shapes.ClockEntry:
        """Extend a deadline of one of the `applications`, `permits` or `data-requests`; for a decision maker."""
        return self._post(f"/{of}/{subject}/clock-extensions", request, clock_shapes.ClockEntry)

    def record_step(self, of: str, subject: str, request: clock_shapes.StepRequest) -> clock_shapes.StepEntry:
        """Record that a step happened, for example `data-delivered` of one of the `permits`."""
        return self._post(f"/{of}/{subject}/steps", request, clock_shapes.StepEntry)

    # Opting out of secondary use (Art. 71); for the access body's desk

    def opt_out(
        self, identifier: str, *, channel: OptOutChannel = "at-access-body", accept_partly: bool = False
    ) -> wire.OptOutReceipt:
        """Record that a person opts out: permits approved from now on do not see them.

        `identifier` is the one data holders know the person by; the node does not keep it.
        """
        request = wire.OptOutRequest(identifier=identifier, channel=channel, accept_partly=accept_partly)
        return self._post("/opt-outs", request, wire.OptOutReceipt)

    def withdraw_opt_out(
        self, identifier: str, *, channel: OptOutChannel = "at-access-body", accept_partly: bool = False
    ) -> wire.OptOutReceipt:
        """Record that a person comes back: permits approved from now on see them."""
        request = wire.OptOutRequest(identifier=identifier, channel=channel, accept_partly=accept_partly)
        return self._post("/opt-outs/withdrawal", request, wire.OptOutReceipt)

    def opt_out_status(self, identifier: str, *, at: datetime | None = None) -> wire.OptOutStatus:
        """What counts for a permit approved at `at` (with zone; now by default), and every choice the person made."""
        return self._post("/opt-outs/status", wire.OptOutStatusRequest(identifier=identifier, at=at), wire.OptOutStatus)

    # Asking

    def budget(self, permit: str | None = None) -> wire.Budget:
        """Granted, spent and remaining privacy budget of a permit."""
        return self._get(f"/permits/{self._permit_id(permit)}/budget", wire.Budget)

    def estimate(
        self,
        sql: str,
        *,
        epsilon: Number | None = None,
        rho: Number | None = None,
        accuracy: Number | None = None,
        groups: int | None = None,
        rows: int | None = None,
        permit: str | None = None,
        purpose: str | None = None,
    ) -> wire.QueryEstimate:
        """Price and expected 95 % half widths of a query: free, and no data are touched."""
        request = query_request(sql, epsilon, rho, accuracy, groups, rows, purpose or self._purpose)
        return self._post(f"/permits/{self._permit_id(permit)}/estimate", request, wire.QueryEstimate)

    def query(
        self,
        sql: str,
        *,
        epsilon: Number | None = None,
        rho: Number | None = None,
        accuracy: Number | None = None,
        groups: int | None = None,
        rows: int | None = None,
        permit: str | None = None,
        purpose: str | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """A differentially private answer as a DataFrame with estimate, low and high columns.

        Give one price: `epsilon`, `rho`, or `accuracy` (the wanted half width of the 95 % intervals). `groups` and
        `rows` bound how much one person can weigh; by default the data dictionary decides. Under a permit for several
        purposes say which one the query serves, `purpose="e"`. Send a broken request again with the same
        `idempotency_key` and it is not charged twice.
        """
        request = query_request(sql, epsilon, rho, accuracy, groups, rows, purpose or self._purpose)
        key = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        path = f"/permits/{self._permit_id(permit)}/queries"
        return Answer.of(self._post(path, request, wire.Answer, headers=key))

    def _permit_id(self, permit: str | None) -> str:
        chosen = permit or self._permit
        if chosen is not None:
            return chosen
        self._permit = _only_active(self.permits())
        return self._permit


def _only_active(permits: list[wire.PermitEntry]) -> str:
    active = [permit for permit in permits if permit.state == "active"]
    if len(active) == 1:
        return active[0].id
    if active:
        numbers = ", ".join(permit.number for permit in active)
        raise InvalidInput(f"you have {len(active)} active permits ({numbers}): say which with permit=…")
    if not permits:
        raise InvalidInput("you are named in no permit: apply for one first")
    states = ", ".join(f"{permit.number} is {permit.state}" for permit in permits)
    raise InvalidInput(f"none of your permits is active: {states}")
