"""Statistical analyses over the whole path: client, HTTP, charge, noise, stored release."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from dataspace.client import Dataspace, DataspaceError, InvalidQuery
from dataspace.domain.privacy import ByEpsilon
from dataspace.services.queries import Question, estimate_query
from tests.api_node import ApiNode, make_api_node

SURVIVAL = (
    "SELECT sex, KAPLAN_MEIER(2000 - birth_year, sex = 'F', 60, 12) FROM person WHERE sex IN ('F', 'M') GROUP BY sex"
)
BORN = "CASE WHEN birth_year >= 1970 THEN 'late' ELSE 'early' END"
TABLE = f"SELECT CHI_SQUARE(sex, {BORN}) FROM person WHERE sex IN ('F', 'M')"
VISITS = "FROM (SELECT person, COUNT(*) AS n FROM visit GROUP BY person) AS v JOIN person AS p ON p.person = v.person"
LINEAR = f"SELECT LINEAR_REGRESSION(CLAMP(p.birth_year, 1940, 2000), CLAMP(v.n, 1, 3)) {VISITS}"
LOGISTIC = f"SELECT LOGISTIC_REGRESSION(p.sex = 'F', CLAMP(v.n, 1, 3)) {VISITS}"


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path, epsilon="9")


@pytest.fixture
def node(api: ApiNode) -> Iterator[Dataspace]:
    """A client whose requests go to the application in this process."""
    token = api.token(api.people.researcher)["Authorization"].removeprefix("Bearer ")
    with Dataspace("http://testserver", token) as session:
        session._http = httpx2.Client(
            transport=api.client._transport, base_url=session._http.base_url, headers=session._http.headers
        )
        yield session


def test_a_survival_curve_for_each_group(node: Dataspace) -> None:
    answer = node.query(SURVIVAL, epsilon=8)
    assert list(answer.columns)[:5] == ["sex", "time", "survival", "survival_low", "survival_high"]
    assert answer["time"].tolist() == [12, 24, 36, 48, 60] * 2
    # every woman's time ends in an event, no man's does; forty persons of each sex in each step
    women = answer[answer["sex"] == "F"]
    assert women["survival"].tolist()[:3] == pytest.approx([0.8, 0.6, 0.4], abs=0.12)
    assert (women["survival_low"] <= women["survival"])[:3].all()
    assert {layer["mark"]["type"] for layer in answer.plot().to_dict()["layer"]} == {"area", "line"}


def test_a_two_way_table_with_its_test(node: Dataspace) -> None:
    answer = node.query(TABLE, epsilon=8)
    assert answer["persons"].tolist() == pytest.approx([100] * 4, abs=15)
    assert answer["p_value"].nunique() == 1
    assert answer["degrees_of_freedom"].tolist() == [1.0] * 4


@pytest.mark.parametrize(("sql", "columns"), [(LINEAR, 1), (LOGISTIC, 2)])
def test_a_regression(node: Dataspace, sql: str, columns: int) -> None:
    answer = node.query(sql, epsilon=8)
    assert answer.release.aggregate_names == ["coefficient", "odds_ratio"][:columns]
    assert answer[answer.columns[0]].tolist() == ["(intercept)", "n"]
    assert (answer["coefficient_low"] <= answer["coefficient_high"]).all()


@pytest.mark.parametrize("sql", [SURVIVAL, TABLE, LINEAR, LOGISTIC])
def test_an_analysis_is_charged_once_in_full_and_repeated_for_free(api: ApiNode, node: Dataspace, sql: str) -> None:
    uow, clock, asked = api.people.uow, api.people.clock, Question(sql, ByEpsilon(Decimal("0.5")))
    outlook = estimate_query(uow, clock, api.people.researcher, api.permit.id, asked, api.store)
    shown = node.estimate(sql, epsilon="0.5")
    answer = node.query(sql, epsilon="0.5")
    assert answer.charged.rho == shown.price.rho == Decimal(outlook.plan.loss.pico_rho).scaleb(-12)
    again = node.query(sql.lower().replace("'f'", "'F'").replace("'m'", "'M'"), epsilon="0.5")
    assert again.release.repeated is True
    assert again.release.rows == answer.release.rows
    assert (api.store.opened, node.budget().spent.rho) == (1, answer.charged.rho)


def test_refusals_cost_nothing_and_open_nothing(api: ApiNode, node: Dataspace) -> None:
    with pytest.raises(InvalidQuery, match="one row of each person"):
        node.query("SELECT KAPLAN_MEIER(days, kind = 'a', 20, 1) FROM visit", epsilon=1)
    with pytest.raises(DataspaceError, match="Ask by epsilon"):
        node.query(TABLE, accuracy=5)
    assert (api.store.opened, node.budget().spent.rho) == (0, 0)
