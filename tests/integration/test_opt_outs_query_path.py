"""Art. 71(3) on real snapshots: a permit approved after an opt-out never sees the person, one before still does."""

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from dataspace.bootstrap import Node as Served
from dataspace.bootstrap import open_node
from dataspace.db import open_engine
from dataspace.domain.actors import SYSTEM
from dataspace.domain.applications import ApplicationForm
from dataspace.domain.opt_outs import KeyName, Receipt
from dataspace.domain.permits import DataPermit, SnapshotRule
from dataspace.domain.privacy import ByEpsilon, Guarantee
from dataspace.domain.scopes import Scope
from dataspace.dp.accountant import budget_of
from dataspace.services import datasets, opt_outs, permits
from dataspace.services.queries import Answered, Question, estimate_query, run_query
from dataspace.settings import Mode, Settings
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.opt_outs import REGISTER_DOMAIN, linked
from pipelines.plan_file import load_plan
from pipelines.pseudonyms import Pseudonymiser
from pipelines.store.record import Snapshot
from tests.factories import Node
from tests.unit.pipelines.deliveries import PERSONS, PLAN, write_clinic, write_plan

PERSONS_OF = "SELECT COUNT(DISTINCT person) AS n FROM {}.person"
BY_SEX = "SELECT sex, COUNT(DISTINCT person) AS n FROM {}.person GROUP BY sex"
BY_INDEX = "SELECT ward, COUNT(*) AS n FROM {}.stay GROUP BY ward"

CLINIC = PLAN.replace("[tables.stay.columns.day]", 'dimensions = [["ward"]]\n\n[tables.stay.columns.day]')
HOSPITAL = (
    CLINIC.replace('id = "clinic"', 'id = "hospital"')
    .replace('domain = "tests"', 'domain = "elsewhere"')
    .replace('normalise = ["no-spaces", "upper"]', 'normalise = ["alphanumeric", "upper"]')
)
"""The same persons under another key, their identifiers spelled by another rule."""


@dataclass
class Place:
    """A node on real snapshots of `clinic` and `hospital`, without noise, and the people who use it."""

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

    def permit(self, *names: str, exception: str = "", rule: SnapshotRule = SnapshotRule.AT_GRANT) -> DataPermit:
        """A permit approved now; an hour passes."""
        people = self.people
        case = people.under_assessment(self.form(*(names or ("clinic",))))
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


@pytest.fixture
def place(tmp_path: Path) -> Place:
    settings = Settings(mode=Mode.TEST, noise="zero", home=tmp_path / "node", key_root=tmp_path / "keys")
    served = open_node(settings)
    made = Place(tmp_path, served, Node(settings.database, open_engine(settings.database)))
    made.people.to_limit = budget_of
    made.publish(CLINIC)
    made.publish(HOSPITAL)
    return made


def test_only_permits_approved_after_the_opt_out_are_without_the_person(place: Place) -> None:
    before = place.permit("clinic", "hospital")
    place.opt_out()
    after = place.permit("clinic", "hospital")
    for dataset in ("clinic", "hospital"):
        assert (place.count(before, dataset), place.count(after, dataset)) == (4, 3)


@pytest.mark.parametrize("sql", [PERSONS_OF, BY_SEX, BY_INDEX, "SELECT COUNT(*) AS n FROM {}.stay WHERE nights > 0"])
def test_every_way_of_reading_leaves_the_person_out(place: Place, sql: str) -> None:
    before = place.permit()
    place.opt_out()
    after = place.permit()
    anna = 1 if "DISTINCT" in sql else 3
    assert place.count(before, sql=sql) - place.count(after, sql=sql) == anna


def test_the_index_is_one_of_these_ways(place: Place) -> None:
    from dataspace.sql import parse_query

    schema = place.served.store.current("clinic").schema
    assert parse_query(BY_INDEX.format("clinic"), {"clinic": schema}).indexed is not None
    assert parse_query(BY_SEX.format("clinic"), {"clinic": schema}).indexed is None


def test_a_withdrawal_opens_nothing_to_a_permit_approved_meanwhile(place: Place) -> None:
    place.opt_out()
    meanwhile = place.permit()
    place.come_back()
    later = place.permit()
    assert (place.count(meanwhile), place.count(later)) == (3, 4)
    place.opt_out()
    assert (place.count(meanwhile, sql=BY_SEX), place.count(later, sql=BY_SEX)) == (3, 4)


def test_what_counts_is_what_was_decided_first_whatever_the_clock_says(place: Place) -> None:
    people = place.people

    def decide(hours: int) -> list[DataPermit]:
        """Permit, opt-out, permit, withdrawal, permit; in between the clock moves, stands, or goes back."""
        permits = [place.permit()]
        for choose in (opt_outs.opt_out, opt_outs.withdraw_opt_out):
            people.clock.forward(hours=hours - 1)
            choose(people.uow, people.clock, people.desk, place.served.pseudonyms, "ab 1")
            people.clock.forward(hours=hours)
            permits.append(place.permit())
        return permits

    for hours in (1, 0, -1):
        granted = decide(hours)
        people.clock.forward(days=1)
        assert [place.count(permit) for permit in granted] == [4, 3, 4]


def test_a_permit_with_the_exception_of_the_law_sees_everyone(place: Place) -> None:
    place.opt_out()
    granted = place.permit(exception="Act on epidemics, section 4")
    assert place.count(granted) == 4
    with place.people.uow.reading() as uow:
        issued = [e.event.details for e in uow.audit.entries(granted.id) if e.event.kind == "permit-issued"]
    assert issued == [{"number": granted.number, "opt_out_exception": "Act on epidemics, section 4"}]


def test_a_stranger_who_opts_out_changes_nothing(place: Place) -> None:
    place.opt_out("XY9")
    assert place.count(place.permit()) == 4


def test_prices_estimates_and_free_repeats_do_not_depend_on_opt_outs(place: Place) -> None:
    people, sql = place.people, BY_SEX.format("clinic")
    permit = place.permit()
    question = Question(sql, ByEpsilon(Decimal("0.01")))

    def outlook() -> object:
        found = estimate_query(people.uow, people.clock, people.researcher, permit.id, question)
        return found.plan.loss, found.plan.fingerprint, found.plan.expected

    expected = outlook()
    first = place.ask(permit, sql)
    place.opt_out()
    assert outlook() == expected
    again = place.ask(permit, sql, "another-key")
    assert (again.repeated, again.release) == (True, first.release)
    later = place.ask(place.permit(), sql)
    assert (later.release.loss, later.release.fingerprint) == (first.release.loss, first.release.fingerprint)
    assert (later.table.notes, [row.keys for row in later.table.rows]) == (
        first.table.notes,
        [row.keys for row in first.table.rows],
    )


def test_a_new_snapshot_of_the_same_domain_is_without_the_person_too(place: Place) -> None:
    place.opt_out()
    permit = place.permit(rule=SnapshotRule.CURRENT)
    assert place.count(permit) == 3
    more = [*PERSONS, ("AB5", "Emile Etchegaray", "1990-01-01", "M")]
    write_clinic(place.folder, persons=more)
    plan = load_plan(write_plan(place.folder, CLINIC))
    place.publish_again(ingest(plan, place.served.store, Keystore(place.folder / "keys"), validate=False).snapshot)
    assert place.count(permit, sql=BY_SEX) == 4


def test_a_failing_register_costs_nothing_more_and_says_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataspace.domain.errors import Unavailable

    permit = place.permit()

    def broken(*_: object) -> None:
        raise ValueError("person 4660046610375530309")

    monkeypatch.setattr("dataspace.db.opt_outs.SqlOptOuts.opted_out", broken)
    with pytest.raises(Unavailable) as failure:
        place.count(permit)
    assert "4660046610375530309" not in failure.value.message
    monkeypatch.undo()
    assert place.count(permit) == 4


def test_a_domain_that_comes_later_is_linked_at_its_ingestion(place: Place) -> None:
    """The identifiers of the new domain's first delivery meet the register's own keys, while they are at hand."""
    place.opt_out("ab 1")
    place.opt_out("AB2")
    place.come_back("AB2")
    late = CLINIC.replace('id = "clinic"', 'id = "late"').replace('domain = "tests"', 'domain = "late"')
    place.publish(late)
    keys = Keystore(place.folder / "keys")
    register, new = keys.key(REGISTER_DOMAIN, purpose="test"), keys.key("late", purpose="test")
    identifiers = ["AB1", "ab 1", "AB2", "AB3", "AB4"]
    known = Pseudonymiser(new, ("no-spaces", "upper"))
    keyed = [(i, number) for i in identifiers if (number := known.person_key(i)) is not None]
    name = KeyName(REGISTER_DOMAIN, register.id)
    with place.people.uow.reading() as uow:
        everyone = {entry.person.number for page in uow.opt_outs.pages(name, 100) for entry in page}
    found = linked(register, everyone, keyed)
    assert len(found) == 2
    people = place.people
    carried = opt_outs.rekey_opt_outs(
        people.uow, people.clock, SYSTEM, name, KeyName("late", new.id), lambda n: found.get(n, ())
    )
    assert carried == 3
    assert place.count(place.permit("late"), "late") == 3
