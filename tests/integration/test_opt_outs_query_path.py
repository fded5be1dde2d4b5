"""Art. 71(3) on real snapshots: a permit approved after an opt-out never sees the person, one before still does."""

from decimal import Decimal
from pathlib import Path

import pytest

from dataspace.domain.actors import SYSTEM
from dataspace.domain.opt_outs import KeyName
from dataspace.domain.permits import DataPermit, SnapshotRule
from dataspace.domain.privacy import ByEpsilon
from dataspace.services import opt_outs
from dataspace.services.queries import Question, estimate_query
from pipelines.ingest import ingest
from pipelines.keystore import REGISTER_DOMAIN, Keystore
from pipelines.opt_outs import linked
from pipelines.plan_file import load_plan
from pipelines.pseudonyms import Pseudonymiser
from tests.real_node import CLINIC, HOSPITAL, PERSONS_OF, Place, open_place
from tests.unit.pipelines.deliveries import PERSONS, write_clinic, write_plan

BY_SEX = "SELECT sex, COUNT(DISTINCT person) AS n FROM {}.person GROUP BY sex"
BY_INDEX = "SELECT ward, COUNT(*) AS n FROM {}.stay GROUP BY ward"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return open_place(tmp_path, CLINIC, HOSPITAL)


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
        found = estimate_query(
            people.uow, people.clock, people.researcher, permit.id, question, place.served.engine.store
        )
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
