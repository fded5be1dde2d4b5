"""Lists of applications: what each person sees, page by page, and that ten thousand of them are no slower to page."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, insert

from dataspace.db import tables as t
from dataspace.db.form_codec import form_to_dict
from dataspace.domain.actors import Role
from dataspace.domain.applications import ApplicationAction, ApplicationState
from dataspace.domain.errors import NotFound
from dataspace.domain.permissions import may_act_on_application
from dataspace.services import applications
from tests.api_node import make_api_node
from tests.factories import AUTHORITY, Node, make_node

MANY = 10_000
STATES = [state.value for state in ApplicationState]


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are run inside."""
    said: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.lower().startswith(("pragma", "begin")):
            said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def fill(node: Node, count: int) -> None:
    """Applications of every state, as rows: every fifth of the researcher, every seventh naming the colleague."""
    form = form_to_dict(node.form())
    people = [node.researcher, node.holder, node.desk, node.holder, node.desk]
    with node.engine.begin() as connection:
        rows = [
            {
                "id": f"app_{number}",
                "number": f"DAA-2025-{number:05d}",
                "applicant": people[number % 5].id,
                "state": STATES[number % len(STATES)],
                "version": 1,
                "form": form | {"persons": [node.colleague.id] if number % 7 == 0 else []},
                # several at the same time, so that the number has to decide
                "filed_at": node.clock.now() - timedelta(minutes=number // 3),
                "reasons": "",
            }
            for number in range(count)
        ]
        connection.execute(insert(t.applications), rows)
        named = [{"application": f"app_{n}", "person": node.colleague.id} for n in range(0, count, 7)]
        connection.execute(insert(t.application_persons), named)


@pytest.mark.parametrize("person", ["researcher", "colleague", "assessor", "decision_maker", "desk", "both"])
@pytest.mark.parametrize("state", [None, ApplicationState.DRAFT, ApplicationState.SUBMITTED])
def test_pages_are_what_the_permissions_say(tmp_path: Path, person: str, state: ApplicationState | None) -> None:
    node = make_node(tmp_path)
    fill(node, 120)
    everyone = {name: getattr(node, name) for name in ("researcher", "colleague", "assessor", "decision_maker", "desk")}
    by = everyone.get(person) or node.person("Someone", AUTHORITY, Role.APPLICANT, Role.HDAB_ASSESSOR)
    states = [state] if state else []
    seen: list[str] = []
    while page := applications.page_applications(node.uow, by, states=states, after=seen[-1] if seen else None, most=7):
        assert len(page) <= 7
        seen += [case.id for case in page]
    with node.uow.reading() as uow:
        expected = [
            case.id
            for case in uow.applications.all()
            if may_act_on_application(by, ApplicationAction.VIEW, case) and state in (None, case.state)
        ]
    assert seen == expected
    assert len(seen) == len(set(seen))


def test_a_page_begins_after_a_case_that_one_may_see(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    fill(node, 20)
    with pytest.raises(NotFound):
        applications.page_applications(node.uow, node.colleague, after="app_1")


def test_the_query_of_a_list(tmp_path: Path) -> None:
    api = make_api_node(tmp_path)
    fill(api.people, 40)
    headers = api.token(api.people.assessor)

    def ask(**params: object) -> list[dict[str, str]]:
        response = api.client.get("/api/v1/applications", params=params, headers=headers)  # type: ignore[arg-type]
        assert response.status_code == 200, response.text
        found: list[dict[str, str]] = response.json()
        return found

    first = ask(most=5)
    second = ask(most=5, after=first[-1]["number"])
    assert (len(first), len(second)) == (5, 5)
    assert not {one["id"] for one in first} & {one["id"] for one in second}
    chosen = ask(state=["submitted", "granted"], most=500)
    assert {one["state"] for one in chosen} == {"submitted", "granted"}
    for wrong in ({"most": 501}, {"most": 0}, {"state": "open"}, {"after": "x y"}):
        assert api.client.get("/api/v1/applications", params=wrong, headers=headers).status_code == 422  # type: ignore[arg-type]


def test_ten_thousand_cost_a_page_no_more_than_a_page(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    fill(node, MANY)
    for by in (node.assessor, node.researcher, node.colleague):
        for states in ([], [ApplicationState.SUBMITTED]):
            last = applications.page_applications(node.uow, by, states=states, most=50)[-1].id
            with counted(node.engine) as statements:
                page = applications.page_applications(node.uow, by, states=states, after=last, most=50)
            assert len(page) == 50
            # the case that the page begins after (to see it and to place it), and the page
            assert len(statements) == 3
            assert all(earlier.filed_at >= later.filed_at for earlier, later in pairwise(page))


@pytest.mark.parametrize("states", [[], [ApplicationState.SUBMITTED]])
@pytest.mark.parametrize("after", [None, "app_401"])
def test_the_access_body_reads_an_index_in_its_order(
    tmp_path: Path, states: list[ApplicationState], after: str | None
) -> None:
    """The page's own statement, as the database says it would run it: no sorting, no reading of all rows."""
    node = make_node(tmp_path)
    fill(node, 1000)
    run: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        run.append((statement, parameters))

    event.listen(node.engine, "before_cursor_execute", note)
    applications.page_applications(node.uow, node.assessor, states=states, after=after, most=50)
    statement, parameters = run[-1]
    with node.engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"explain query plan {statement}", parameters)]  # type: ignore[arg-type]
    assert any("applications USING INDEX ix_applications_" in step and "listed" in step for step in plan), plan
    assert not any("FOR ORDER BY" in step for step in plan), plan
