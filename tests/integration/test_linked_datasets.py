"""Questions over two datasets: answered where a person has one pseudonym in both, else refused before any charge."""

from decimal import Decimal
from pathlib import Path

import pytest

from dataspace.domain.errors import WrongState
from dataspace.domain.permits import DataPermit
from dataspace.domain.privacy import ByEpsilon
from dataspace.services.queries import Question, estimate_query
from pipelines.keystore import Keystore, Rotation
from tests.real_node import CLINIC, HOSPITAL, Place, open_place

REGISTRY = CLINIC.replace('id = "clinic"', 'id = "registry"')
SPELLED = REGISTRY.replace('normalise = ["no-spaces", "upper"]', 'normalise = ["alphanumeric", "upper"]')
JOINED = "SELECT COUNT(DISTINCT p.person) AS n FROM clinic.person AS p JOIN {0}.person AS q ON q.person = p.person"


def is_uncharged(place: Place, permit: DataPermit) -> bool:
    with place.people.uow.reading() as work:
        return work.ledger.budget(permit.id).releases == 0


def check_refused(place: Place, other: str) -> None:
    people, permit, sql = place.people, place.permit("clinic", other), JOINED.format(other)
    asked = Question(sql, ByEpsilon(Decimal("0.01")))
    for attempt in (
        lambda: place.ask(permit, sql),
        lambda: estimate_query(
            people.uow, people.clock, people.researcher, permit.id, asked, place.served.engine.store
        ),
    ):
        with pytest.raises(WrongState, match=f"clinic, {other} cannot be joined"):
            attempt()
    assert is_uncharged(place, permit)
    assert place.count(permit) == 4


def test_one_domain_spelling_and_key_link(tmp_path: Path) -> None:
    place = open_place(tmp_path, CLINIC, REGISTRY)
    assert place.count(place.permit("clinic", "registry"), sql=JOINED.format("registry")) == 4


@pytest.mark.parametrize(("other", "plan"), [("hospital", HOSPITAL), ("registry", SPELLED)])
def test_another_domain_or_spelling_does_not(tmp_path: Path, other: str, plan: str) -> None:
    check_refused(open_place(tmp_path, CLINIC, plan), other)


def test_another_version_of_the_key_does_not(tmp_path: Path) -> None:
    place = open_place(tmp_path, CLINIC)
    Keystore(tmp_path / "keys").rotate("tests", Rotation.CHAINED)
    place.publish(REGISTRY)
    check_refused(place, "registry")
