"""The Python client: answers as DataFrames, made-up rows that follow the dictionary, one exception per error code."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from dataspace import wire
from dataspace.client import (
    Answer,
    Dataspace,
    DataspaceError,
    InsufficientBudget,
    InvalidInput,
    InvalidQuery,
    NotFound,
    Unreachable,
)
from dataspace.client.dummy import make_dummy
from dataspace.dp.noise import ZeroNoise
from tests.api_node import ApiNode, make_api_node

BY_SEX = "SELECT sex, COUNT(DISTINCT person) AS patients FROM person GROUP BY sex"


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path, ZeroNoise())


@pytest.fixture
def node(api: ApiNode) -> Iterator[Dataspace]:
    """A client whose requests go to the application in this process."""
    token = api.token(api.people.researcher)["Authorization"].removeprefix("Bearer ")
    with Dataspace("http://testserver", token) as session:
        session._http = httpx2.Client(
            transport=api.client._transport, base_url=session._http.base_url, headers=session._http.headers
        )
        yield session


def test_an_answer_is_a_frame_with_intervals(node: Dataspace) -> None:
    answer = node.query(BY_SEX, epsilon=0.2)
    assert isinstance(answer, Answer)
    assert list(answer.columns) == ["sex", "patients", "patients_low", "patients_high"]
    assert answer.loc[answer["sex"] == "F", "patients"].tolist() == [200]
    assert (answer.charged.rho > 0, answer.budget.releases) == (True, 1)
    assert type(answer[["sex"]]) is not Answer


def test_an_answer_can_be_drawn(node: Dataspace) -> None:
    drawing = node.query(BY_SEX, epsilon=0.2).plot()
    assert {layer["mark"]["type"] for layer in drawing.to_dict()["layer"]} == {"rule", "point"}


def test_a_repeated_question_costs_nothing(node: Dataspace) -> None:
    node.query(BY_SEX, epsilon=0.2)
    assert node.query(BY_SEX.lower(), epsilon=0.2).charged.rho == Decimal(0)


def test_an_estimate_by_accuracy(node: Dataspace) -> None:
    outlook = node.estimate(BY_SEX, accuracy=20)
    assert outlook.half_widths["patients"] <= 20
    assert node.budget().spent.rho == 0


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda node: node.query("SELECT * FROM person", epsilon=1), InvalidQuery),
        (lambda node: node.query(BY_SEX, epsilon=15), InsufficientBudget),
        (lambda node: node.budget("prm_nothing"), NotFound),
        (lambda node: node.dataset("nothing"), NotFound),
    ],
)
def test_each_code_has_its_exception(node: Dataspace, call: object, error: type[DataspaceError]) -> None:
    with pytest.raises(error) as raised:
        call(node)  # type: ignore[operator]
    assert raised.value.problem["code"] == error.code


def test_both_bounds_or_none(node: Dataspace) -> None:
    with pytest.raises(InvalidInput, match="both"):
        node.query(BY_SEX, epsilon=1, groups=2)


def test_a_node_that_is_not_there() -> None:
    with pytest.raises(Unreachable, match="is the node running"):
        Dataspace("http://127.0.0.1:9", "ehds_x").datasets()


def test_made_up_rows_follow_the_dictionary(node: Dataspace) -> None:
    tables = node.dummy("registry", persons=50)
    assert set(tables) == {"person", "visit", "concept"}
    assert len(tables["person"]) == 50
    assert set(tables["person"]["sex"]) == {"F", "M"}
    assert set(tables["visit"]["person"]) <= set(tables["person"]["person"])
    assert tables.query(BY_SEX)["patients"].sum() == 50


def test_made_up_rows_are_the_same_for_the_same_seed() -> None:
    column = wire.ColumnEntry(
        name="on", type="date", title="", description="", unit=None, code_system=None, values=None,
        low="2010-01-01", high="2010-12-31", person_level=False,
    )  # fmt: skip
    table = wire.TableEntry(
        name="visit", kind="events", title="", description="", rows_per_person=1, groups_per_person=1, columns=[column]
    )
    dataset = wire.DatasetEntry(id="d", title="", holder="", snapshot_id="", tables=[table])
    first, second = make_dummy(dataset, 20, 1)["visit"], make_dummy(dataset, 20, 1)["visit"]
    assert first.equals(second)
    assert {day.year for day in first["on"]} == {2010}
