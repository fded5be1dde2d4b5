"""The population of a permit on real snapshots: nobody outside is read, whatever the query says."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from dataspace.domain.errors import InvalidApplication, OutOfScope, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.permits import DataPermit, SnapshotRule
from dataspace.domain.privacy import ByEpsilon
from dataspace.domain.proposals import Outcome, Terms
from dataspace.services import decisions, permits
from dataspace.services.queries import Outlook, Question, estimate_query
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from tests.integration.test_linked_datasets import REGISTRY
from tests.integration.test_opt_outs_query_path import BY_INDEX, BY_SEX
from tests.real_node import CLINIC, HOSPITAL, PERSONS_OF, Place, open_place
from tests.unit.pipelines.deliveries import PERSONS, STAYS, write_clinic, write_plan

BORN_LATER = Terms(population="clinic.person WHERE year_of_birth > 1955")
"""Boris, Chloe and Denis, not Anna, who has three of the five stays."""

IN_CARDIOLOGY = Terms(population="clinic.stay WHERE ward = 'CARD'")
"""Anna alone."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return open_place(tmp_path, CLINIC, HOSPITAL)


def outlook(place: Place, permit: DataPermit, sql: str = PERSONS_OF.format("clinic")) -> Outlook:
    people, asked = place.people, Question(sql, ByEpsilon(Decimal("0.01")))
    return estimate_query(people.uow, people.clock, people.researcher, permit.id, asked, place.served.engine.store)


@pytest.mark.parametrize(
    ("sql", "everybody", "later", "cardiology"),
    [
        (PERSONS_OF, 4, 3, 1),
        (BY_SEX, 4, 3, 1),
        (BY_INDEX, 5, 2, 3),
        ("SELECT COUNT(*) AS n FROM {}.stay WHERE nights > 0", 4, 1, 3),
        ("SELECT COUNT(*) AS n FROM {0}.person JOIN {0}.stay USING (person)", 5, 2, 3),
        ("SELECT COUNT(*) AS n FROM {0}.stay WHERE NOT ward = 'CARD'", 1, 1, 0),
        (
            "SELECT COUNT(DISTINCT person) AS n FROM {0}.person p"
            " WHERE NOT EXISTS (SELECT 1 FROM {0}.stay s WHERE s.person = p.person)",
            1, 1, 0,
        ),
    ],
)  # fmt: skip
def test_every_way_of_reading(place: Place, sql: str, everybody: int, later: int, cardiology: int) -> None:
    counts = [place.count(place.permit(terms=terms), sql=sql) for terms in (Terms(), BORN_LATER, IN_CARDIOLOGY)]
    assert counts == [everybody, later, cardiology]


def test_lookup_tables_concern_nobody_and_stay_whole(place: Place) -> None:
    sql = (
        "SELECT w.name AS ward, COUNT(*) AS n FROM {0}.stay s JOIN {0}.ward w ON w.code = s.ward"
        " WHERE w.name IN ('Cardiology', 'Neurology') GROUP BY w.name"
    )
    assert place.count(place.permit(terms=IN_CARDIOLOGY), sql=sql) == 3


def test_its_columns_need_not_be_granted_and_are_read_by_nobody_else(place: Place) -> None:
    struck = frozenset({("clinic", "person", "year_of_birth")})
    permit = place.permit(terms=replace(BORN_LATER, struck_columns=struck))
    assert place.count(permit) == 3
    with pytest.raises(OutOfScope, match="year_of_birth"):
        place.ask(permit, "SELECT COUNT(*) AS n FROM clinic.person WHERE year_of_birth > 1900")


def test_opt_outs_are_left_out_of_it(place: Place) -> None:
    place.opt_out("AB2")
    permit = place.permit(terms=BORN_LATER)
    assert (place.count(permit), place.count(permit, sql=BY_INDEX)) == (2, 1)


def test_it_is_part_of_the_question_and_named_in_the_answer(place: Place) -> None:
    permit = place.permit(terms=BORN_LATER)
    first = place.ask(permit, PERSONS_OF.format("clinic"))
    said = "Only persons of the permit's population count: clinic.person WHERE year_of_birth > 1955."
    assert said in first.table.notes
    assert said in outlook(place, permit).plan.notes
    with place.people.uow as uow:
        changed = replace(permit, population=IN_CARDIOLOGY.population, version=permit.version + 1)
        uow.permits.save(changed, AuditEvent(EventKind.PERMIT_AMENDED, "tests", permit.id, place.people.clock.now()))
        uow.commit()
    assert not outlook(place, permit).already_released
    assert place.count(permit, sql=PERSONS_OF + " ") == 1


def test_the_dataset_that_tells_it_is_read_and_pays_too(tmp_path: Path) -> None:
    place = open_place(tmp_path, CLINIC, REGISTRY)
    permit = place.permit("clinic", "registry", terms=BORN_LATER)
    answered = place.ask(permit, PERSONS_OF.format("registry"))
    assert answered.table.rows[0].estimates[0].value == 3
    assert sorted(answered.release.snapshots) == ["clinic", "registry"]
    with place.people.uow.reading() as uow:
        [charge] = uow.ledger.charges(permit.id)
    assert charge.datasets == ("clinic", "registry")


def test_where_persons_have_other_pseudonyms_nothing_is_charged(place: Place) -> None:
    permit = place.permit("clinic", "hospital", terms=BORN_LATER)
    for attempt in (outlook, Place.ask):
        with pytest.raises(WrongState, match=r"about a population that dataset clinic tells.*pseudonym in hospital"):
            attempt(place, permit, PERSONS_OF.format("hospital"))
    assert place.count(permit) == 3
    with place.people.uow.reading() as uow:
        assert uow.ledger.budget(permit.id).releases == 1


def test_a_later_snapshot_without_its_column_is_refused_before_any_charge(place: Place) -> None:
    terms = replace(BORN_LATER, snapshot_rule=SnapshotRule.CURRENT)
    permit = place.permit(rule=SnapshotRule.CURRENT, terms=terms)
    assert place.count(permit) == 3
    without = CLINIC.replace(
        '[tables.person.columns.year_of_birth]\nsource = "birth_date"\ntype = "integer"\ngeneralise = "year"\n'
        "bounds = [1900, 2030]\n",
        "",
    )
    assert without != CLINIC
    persons = [(number, name, "", sex) for number, name, _, sex in PERSONS]
    write_clinic(place.folder, persons, STAYS)
    plan = load_plan(write_plan(place.folder, without))
    keys = Keystore(place.folder / "keys")
    place.publish_again(ingest(plan, place.served.store, keys, validate=False).snapshot)
    for attempt in (outlook, Place.ask):
        with pytest.raises(WrongState, match=r"cannot be told from the data it reads now.*no column 'year_of_birth'"):
            attempt(place, permit, "SELECT COUNT(*) AS n FROM clinic.stay")
    with place.people.uow.reading() as uow:
        assert uow.ledger.budget(permit.id).releases == 1


@pytest.mark.parametrize(
    ("population", "said"),
    [
        ("year_of_birth > 1955", "cannot be used: line 1.*one table and a condition. Write dataset.table WHERE"),
        ("clinic.person WHERE shoe_size > 40", "no column 'shoe_size'"),
        ("hospital.person WHERE year_of_birth > 1955", "no table 'person'"),
    ],
)
def test_what_cannot_be_read_is_not_proposed(place: Place, population: str, said: str) -> None:
    people, case = place.people, place.people.assessed(place.form("clinic"))
    with pytest.raises(InvalidApplication, match=said):
        people.propose(case, terms=Terms(population=population))
    assert decisions.get_case_file(people.uow, people.assessor, case.id).proposal is None


def test_a_population_over_a_dataset_that_is_struck_out_is_not_proposed(place: Place) -> None:
    struck = frozenset({("clinic", table, "*") for table in ("person", "stay")})
    case = place.people.assessed(place.form("clinic", "hospital"))
    with pytest.raises(InvalidApplication, match="no table 'person'"):
        place.people.propose(case, outcome=Outcome.GRANT_IN_PART, terms=replace(BORN_LATER, struck_columns=struck))


def test_what_the_data_cannot_tell_at_the_decision_is_not_granted(place: Place) -> None:
    people = place.people
    case = people.proposed(place.form("clinic"), terms=BORN_LATER)
    renamed = CLINIC.replace("[tables.person.columns.year_of_birth]", "[tables.person.columns.born_in]")
    write_clinic(place.folder)
    plan = load_plan(write_plan(place.folder, renamed))
    keys = Keystore(place.folder / "keys")
    place.publish_again(ingest(plan, place.served.store, keys, validate=False).snapshot)
    with pytest.raises(InvalidApplication, match="no column 'year_of_birth'"):
        permits.grant_permit(people.uow, people.clock, people.decision_maker, case.id, to_limit=people.to_limit)


def test_with_a_minimum_cell_size_the_population_is_what_counts(place: Place) -> None:
    permit = place.permit(terms=replace(BORN_LATER, min_cell=2))
    shown = {row.keys[0]: row.estimates[0] for row in place.ask(permit, BY_SEX.format("clinic")).table.rows}
    assert (shown["F"].withheld, shown["M"].value) == (True, 2)
