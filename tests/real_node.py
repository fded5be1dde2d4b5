"""A node on real snapshots, without noise, and the people who use it."""

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from dataspace.bootstrap import Node as Served
from dataspace.bootstrap import open_node
from dataspace.db import open_engine
from dataspace.domain.applications import ApplicationForm
from dataspace.domain.opt_outs import Receipt
from dataspace.domain.permits import DataPermit, SnapshotRule
from dataspace.domain.privacy import ByEpsilon, Guarantee
from dataspace.domain.proposals import NO_TERMS, Outcome, Terms
from dataspace.domain.scopes import Scope
from dataspace.dp.accountant import budget_of
from dataspace.services import datasets, opt_outs, permits
from dataspace.services.queries import Answered, Question, run_query
from dataspace.settings import Mode, Settings
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.record import Snapshot
from tests.factories import Node
from tests.unit.pipelines.deliveries import PLAN, write_clinic, write_plan

PERSONS_OF = "SELECT COUNT(DISTINCT person) AS n FROM {}.person"

CLINIC = PLAN.replace("[tables.stay.columns.day]", 'dimensions = [["ward"]]\n\n[tables.stay.columns.day]')
HOSPITAL = (
    CLINIC.replace('id = "clinic"', 'id = "hospital"')
    .replace('domain = "tests"', 'domain = "elsewhere"')
    .replace('normalise = ["no-spaces", "upper"]', 'normalise = ["alphanumeric", "upper"]')
)
"""The same persons under another key, their identifiers spelled by another rule."""


@dataclass
class Place:
    """The node, its folder and its people. Times are steps of an hour."""

    folder: Path
    served: Served
    people: Node

    def load(self, plan: str) -> Snapshot:
        write_clinic(self.folder)
        keys = Keystore(self.folder / "keys")
        return ingest(load_plan(write_plan(self.folder, plan)), self.served.store, keys, validate=False).snapshot

    def publish(self, plan: str) -> None:
        snapshot, people = self.load(plan), self.people
        capacity = Guarantee(Decimal(10), Decimal("0.00001"))
        datasets.register_dataset(
            people.uow, people.clock, people.holder,
            dataset=snapshot.dataset, title="Stays", capacity=capacity, to_limit=budget_of,
        )  # fmt: skip
        self.publish_again(snapshot)

    def publish_again(self, snapshot: Snapshot) -> None:
        people = self.people
        datasets.publish_snapshot(people.uow, people.clock, people.holder, schema=snapshot.schema, snapshot=snapshot.id)

    def form(self, *names: str) -> ApplicationForm:
        wanted = [(name, table, "*") for name in names for table in ("person", "stay")]
        return replace(self.people.form(*names), scope=Scope.of(*wanted))

    def permit(
        self, *names: str, exception: str = "", rule: SnapshotRule = SnapshotRule.AT_GRANT, terms: Terms = NO_TERMS
    ) -> DataPermit:
        """A permit approved now, in part if the terms strike something out; an hour passes."""
        people = self.people
        outcome = Outcome.GRANT_IN_PART if terms.partial else Outcome.GRANT
        case = people.proposed(self.form(*(names or ("clinic",))), outcome=outcome, terms=terms)
        granted = permits.grant_permit(
            people.uow, people.clock, people.decision_maker, case.id,
            to_limit=budget_of, opt_out_exception=exception, snapshot_rule=rule,
        )  # fmt: skip
        people.clock.forward(hours=1)
        return granted

    def opt_out(self, identifier: str = "ab 1") -> Receipt:
        people = self.people
        receipt = opt_outs.opt_out(people.uow, people.clock, people.desk, self.served.pseudonyms, identifier)
        people.clock.forward(hours=1)
        return receipt

    def come_back(self, identifier: str = "ab 1") -> Receipt:
        people = self.people
        receipt = opt_outs.withdraw_opt_out(people.uow, people.clock, people.desk, self.served.pseudonyms, identifier)
        people.clock.forward(hours=1)
        return receipt

    def ask(self, permit: DataPermit, sql: str, key: str = "") -> Answered:
        people = self.people
        question, engine = Question(sql, ByEpsilon(Decimal("0.01"))), self.served.engine
        return run_query(people.uow, people.clock, people.researcher, permit.id, question, key or sql[:100], engine)

    def count(self, permit: DataPermit, dataset: str = "clinic", sql: str = PERSONS_OF) -> int:
        """What the question's numbers add up to."""
        rows = self.ask(permit, sql.format(dataset)).table.rows
        return round(sum(row.estimates[-1].value or 0 for row in rows))


def open_place(folder: Path, *plans: str) -> Place:
    """A node whose datasets are made by these plans, of one delivery."""
    settings = Settings(mode=Mode.TEST, noise="zero", home=folder / "node", key_root=folder / "keys")
    served = open_node(settings)
    made = Place(folder, served, Node(settings.database, open_engine(settings.database)))
    made.people.to_limit = budget_of
    for plan in plans:
        made.publish(plan)
    return made
