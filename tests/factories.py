"""Brings a node to any state by walking through the real services, on a database file of its own."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from catalog.schema import CodedValue, Column, ColumnType, DatasetSchema, Table, TableKind
from dataspace.db import SqlUnitOfWork, migrate, open_engine
from dataspace.domain.actors import SYSTEM, Actor, Organisation, Role
from dataspace.domain.applications import AccessApplication, ApplicationForm, Period
from dataspace.domain.assessments import Criterion, Verdict
from dataspace.domain.budget_requests import BudgetRequest
from dataspace.domain.datasets import Dataset
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.ledger import Charge
from dataspace.domain.opt_outs import Receipt
from dataspace.domain.outbox import Channel, Message
from dataspace.domain.permits import DataPermit
from dataspace.domain.privacy import ContributionBounds, Guarantee, PrivacyLoss
from dataspace.domain.proposals import NO_TERMS, Outcome, Terms
from dataspace.domain.purposes import LegalBasis, Purpose
from dataspace.domain.releases import Estimate, Release, ReleaseRow, ReleaseTable
from dataspace.domain.scopes import WHOLE_TABLE, ColumnRef, Scope
from dataspace.domain.tabulations import Tabulation, TabulationPlan
from dataspace.services import (
    accounts,
    applications,
    budget_requests,
    datasets,
    decisions,
    exclusions,
    opt_outs,
    permits,
)
from dataspace.services.ports import ToLimit
from tests.fakes import FakeClock, FakePseudonyms

UNIVERSITY = Organisation("University of Coimbra")
HOSPITAL = Organisation("Central Hospital")
AUTHORITY = Organisation("Health Data Authority", public_body=True)


def to_limit(guarantee: Guarantee) -> PrivacyLoss:
    """Stands in for the accountant's conversion: rho is a tenth of epsilon, all of delta is kept for thresholds."""
    return PrivacyLoss.at_most(Fraction(guarantee.epsilon) / 10, Fraction(guarantee.delta))


def make_schema(dataset: str = "registry") -> DatasetSchema:
    """A small data dictionary: persons, events, one public lookup table."""
    sex = Column("sex", ColumnType.CODE, values=(CodedValue("F", "female"), CodedValue("M", "male")), person_level=True)
    return DatasetSchema(
        dataset,
        (
            Table("person", TableKind.PERSONS, (sex, Column("birth_year", ColumnType.INTEGER))),
            Table("visit", TableKind.EVENTS, (Column("kind", ColumnType.CODE), Column("days", ColumnType.INTEGER))),
            Table("concept", TableKind.LOOKUP, (Column("code", ColumnType.CODE), Column("name", ColumnType.TEXT))),
        ),
    )


def make_release(charge: Charge, snapshots: dict[str, str] | None = None, value: float = 1.5) -> Release:
    """A release that `charge` pays for."""
    table = ReleaseTable(("sex", "n"), ("sex",), ("n",), (ReleaseRow(("F",), (Estimate(value, 0.5, 2.5, 0.51),)),))
    return Release(
        id=new_id("rel"),
        permit_id=charge.permit_id,
        sql="select sex, count(distinct person) as n from registry.person group by sex",
        fingerprint=charge.fingerprint,
        snapshots=snapshots or dict.fromkeys(charge.datasets, "s1"),
        bounds=ContributionBounds(1, 1),
        loss=charge.loss,
        table=table,
        released_at=charge.charged_at,
    )


@dataclass
class Node:
    """A node with its people: a data holder, a researcher, an assessor and a decision maker of the access body."""

    url: str
    engine: Engine
    clock: FakeClock = field(default_factory=FakeClock)
    to_limit: ToLimit = to_limit
    holder: Actor = field(init=False)
    researcher: Actor = field(init=False)
    colleague: Actor = field(init=False)
    assessor: Actor = field(init=False)
    decision_maker: Actor = field(init=False)
    desk: Actor = field(init=False)

    def __post_init__(self) -> None:
        self.holder = self.person("Hanna Holder", HOSPITAL, Role.DATA_HOLDER)
        self.researcher = self.person("Rita Researcher", UNIVERSITY, Role.APPLICANT)
        self.colleague = self.person("Carl Colleague", UNIVERSITY, Role.APPLICANT)
        self.assessor = self.person("Anna Assessor", AUTHORITY, Role.HDAB_ASSESSOR)
        self.decision_maker = self.person("Dora Decider", AUTHORITY, Role.HDAB_DECISION_MAKER)
        self.desk = self.person("Dario Desk", AUTHORITY, Role.HDAB_CITIZEN_DESK)

    @property
    def uow(self) -> SqlUnitOfWork:
        """A new unit of work each time."""
        return SqlUnitOfWork(self.engine)

    def person(self, name: str, organisation: Organisation, *roles: Role) -> Actor:
        return accounts.register_person(
            self.uow, self.clock, SYSTEM, name=name, organisation=organisation, roles=frozenset(roles)
        )

    def dataset(self, name: str = "registry", epsilon: str = "10", delta: str = "0.00001") -> Dataset:
        """A registered dataset with its first snapshot `s1`."""
        capacity = Guarantee(Decimal(epsilon), Decimal(delta))
        datasets.register_dataset(
            self.uow,
            self.clock,
            self.holder,
            dataset=name,
            title=name.title(),
            capacity=capacity,
            to_limit=self.to_limit,
        )
        return self.snapshot("s1", name)

    def snapshot(self, snapshot: str, name: str = "registry") -> Dataset:
        return datasets.publish_snapshot(self.uow, self.clock, self.holder, schema=make_schema(name), snapshot=snapshot)

    def form(self, *names: str, epsilon: str = "1", days: int = 365) -> ApplicationForm:
        """A complete form for whole tables of the named datasets."""
        wanted: list[ColumnRef] = [
            (name, table, WHOLE_TABLE) for name in names or ("registry",) for table in ("person", "visit")
        ]
        now = self.clock.now()
        return ApplicationForm(
            title="Readmissions after bleeding",
            purposes=frozenset({Purpose.RESEARCH}),
            scope=Scope.of(*wanted),
            justification="to estimate readmission by age",
            lay_summary="How often do people return to hospital?",
            legal_basis=LegalBasis.PUBLIC_TASK,
            persons=frozenset({self.researcher.id}),
            guarantee=Guarantee(Decimal(epsilon), Decimal("0.000001")),
            period=Period(now, now + timedelta(days=days)),
        )

    def draft(self, form: ApplicationForm | None = None) -> AccessApplication:
        return applications.file_application(self.uow, self.clock, self.researcher, form or self.form())

    def submitted(self, form: ApplicationForm | None = None) -> AccessApplication:
        return applications.submit_application(self.uow, self.clock, self.researcher, self.draft(form).id)

    def under_assessment(self, form: ApplicationForm | None = None) -> AccessApplication:
        return applications.start_assessment(self.uow, self.clock, self.assessor, self.submitted(form).id)

    def assessed(self, form: ApplicationForm | None = None) -> AccessApplication:
        """Under assessment, every criterion met."""
        return self.assess(self.under_assessment(form))

    def assess(self, application: AccessApplication) -> AccessApplication:
        met = dict.fromkeys(Criterion, (Verdict.MET, "as the application shows"))
        return decisions.record_findings(self.uow, self.clock, self.assessor, application.id, met).application

    def proposed(self, form: ApplicationForm | None = None, **proposal: Any) -> AccessApplication:
        """Proposed, by default to be granted as asked and without a fee."""
        return self.propose(self.assessed(form), **proposal)

    def propose(self, application: AccessApplication, **proposal: Any) -> AccessApplication:
        chosen = {"outcome": Outcome.GRANT, "reasons": "every criterion is met"} | proposal
        return decisions.propose(self.uow, self.clock, self.assessor, application.id, **chosen).application

    def to_be_refused(self, form: ApplicationForm | None = None) -> AccessApplication:
        """Proposed to be refused: the data are more than necessary."""
        return self.propose_refusal(self.under_assessment(form))

    def propose_refusal(self, application: AccessApplication) -> AccessApplication:
        failing = {Criterion.NECESSITY: (Verdict.NOT_MET, "half of the columns are not needed")}
        decisions.record_findings(self.uow, self.clock, self.assessor, application.id, failing)
        return decisions.propose(
            self.uow, self.clock, self.assessor, application.id,
            outcome=Outcome.REFUSE, reasons="too much is asked for", criteria=(Criterion.NECESSITY,),
        ).application  # fmt: skip

    def permit(
        self, *names: str, epsilon: str = "1", form: ApplicationForm | None = None, terms: Terms = NO_TERMS
    ) -> DataPermit:
        """A granted permit; the datasets must be published."""
        application = self.proposed(form or self.form(*names, epsilon=epsilon), terms=terms)
        return permits.grant_permit(self.uow, self.clock, self.decision_maker, application.id, to_limit=self.to_limit)

    def written_on(self) -> None:
        """An interest declared, a person excluded, a tabulation plan set."""
        case = self.submitted()
        decisions.declare_interest(self.uow, self.clock, self.assessor, case.id, interest="a friend applied")
        exclusions.exclude_person(
            self.uow, self.clock, self.decision_maker, self.colleague.id,
            until=self.clock.now() + timedelta(days=1), reasons="misuse",
        )  # fmt: skip
        plan = TabulationPlan((Tabulation("all", "SELECT COUNT(*) AS n FROM person", Decimal("0.1")),))
        with self.uow as uow:
            event = AuditEvent(EventKind.TABULATION_PLAN_SET, self.decision_maker.id, case.id, self.clock.now())
            uow.tabulations.set_plan(case.id, plan, event)
            uow.commit()

    def refused_budget_request(self) -> BudgetRequest:
        """A permit whose data user asked for more, in vain."""
        asked = budget_requests.ask_for_budget(
            self.uow,
            self.clock,
            self.researcher,
            self.permit().id,
            budget_requests.MoreRho(Fraction(1, 10)),
            reasons="a second year",
            to_limit=self.to_limit,
            to_epsilon=lambda _, guarantee: guarantee.epsilon * 2,
        )
        by, reasons = self.decision_maker, "enough is left"
        return budget_requests.refuse_budget(self.uow, self.clock, by, asked.id, reasons=reasons)

    def opt_out(self, identifier: str = "P 7") -> Receipt:
        """A person opts out at the access body's desk."""
        return opt_outs.opt_out(self.uow, self.clock, self.desk, FakePseudonyms(), identifier, accept_partly=True)

    def message(self, key: str = "key", channel: Channel = Channel.EMAIL, recipient: str = "") -> Message:
        """A message in the outbox, to the researcher by default."""
        to = recipient or self.researcher.id
        message = Message(new_id("msg"), key, channel, to, "DAA-1: Decide", "text\n", {"number": "1"}, self.clock.now())
        with self.uow as uow:
            uow.outbox.add([message])
            uow.commit()
        return message

    def come_back(self, identifier: str = "P 7") -> Receipt:
        return opt_outs.withdraw_opt_out(
            self.uow, self.clock, self.desk, FakePseudonyms(), identifier, accept_partly=True
        )

    def order(self, permit: DataPermit, pico_rho: int, key: str = "", question: str = "q") -> Charge:
        """A charge as a query would ask for it, not yet made."""
        return Charge(
            id=new_id("chg"),
            permit_id=permit.id,
            actor=self.researcher.id,
            loss=PrivacyLoss(pico_rho),
            fingerprint=question,
            idempotency_key=key or new_id("key"),
            datasets=permit.datasets,
            charged_at=self.clock.now(),
        )

    def charge(self, permit: DataPermit, pico_rho: int, key: str = "", question: str = "q") -> Charge:
        return make_charge(self.uow, self.order(permit, pico_rho, key, question))

    def release(self, charge: Charge, release: Release | None = None) -> Release:
        event = AuditEvent(EventKind.RELEASE_STORED, charge.actor, charge.permit_id, charge.charged_at)
        with self.uow as uow:
            stored = uow.releases.add(charge.id, release or make_release(charge), event)
            uow.commit()
        return stored


def make_charge(uow: SqlUnitOfWork, order: Charge) -> Charge:
    """Charge durably, as the query path does."""
    event = AuditEvent(EventKind.QUERY_CHARGED, order.actor, order.permit_id, order.charged_at)
    with uow:
        charge = uow.ledger.charge(order, event)
        uow.commit()
    return charge


def renewed(order: Charge) -> Charge:
    """The same order sent again: another identifier, the same key."""
    return replace(order, id=new_id("chg"))


def make_node(folder: Path) -> Node:
    """A migrated database in `folder`, with people."""
    url = f"sqlite:///{folder / 'accounts.db'}"
    engine = open_engine(url)
    migrate(engine)
    return Node(url, engine)
