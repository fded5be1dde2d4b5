"""Forms on PostgreSQL: the journey, the pages of a list, and that what was submitted stays."""

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from dataspace.db import migrate
from dataspace.db.migrate import _config, check_no_drift
from dataspace.domain.applications import ApplicationState
from dataspace.domain.errors import StaleEdit
from dataspace.services import applications, attachments, forms
from tests.databases import node_on
from tests.factories import Node
from tests.form_answers import with_answer
from tests.integration.test_application_lists import fill
from tests.integration.test_forms_journey import PDF, returned, whole


@pytest.fixture(scope="module")
def node(postgres: str) -> Iterator[Node]:
    with node_on(postgres) as made:
        with made.engine.begin() as connection:
            command.downgrade(_config(connection), "0002")
        migrate(made.engine)
        check_no_drift(made.engine)
        made.dataset()
        yield made


def test_the_journey(node: Node) -> None:
    case = returned(node)
    file, case = attachments.add_attachment(
        node.uow, node.clock, node.researcher, case.id, field="purpose.plan_file", name="plan.pdf", content=PDF
    )
    written = with_answer(case.written, "purpose.benefit", "for those who bled before")
    with pytest.raises(StaleEdit):
        forms.rewrite_draft(node.uow, node.clock, node.researcher, case.id, written, version=case.version - 1)
    forms.rewrite_draft(node.uow, node.clock, node.researcher, case.id, written, version=case.version)
    applications.submit_application(node.uow, node.clock, node.researcher, case.id)
    told = [(one.address, one.after) for one in forms.compare_editions(node.uow, node.assessor, case.id)]
    assert told == [("purpose.benefit", "for those who bled before"), ("purpose.plan_file", [file.id])]
    assert attachments.read_attachment(node.uow, node.assessor, case.id, file.id) == (file, PDF)
    assert forms.get_edition(node.uow, node.assessor, case.id, 1).written == whole(node)
    ended = applications.withdraw_application(node.uow, node.clock, node.researcher, case.id)
    assert ended.state is ApplicationState.WITHDRAWN


@pytest.mark.parametrize("table", ["application_editions", "application_returns"])
@pytest.mark.parametrize("change", ["update {} set application = application", "delete from {}", "truncate {}"])
def test_what_was_submitted_and_returned_stays(node: Node, table: str, change: str) -> None:
    returned(node)
    with pytest.raises(ProgrammingError, match="append-only"), node.engine.begin() as connection:
        connection.execute(text(change.format(table)))


def test_pages(node: Node) -> None:
    fill(node, 100)
    seen: list[str] = []
    while page := applications.page_applications(
        node.uow, node.assessor, after=seen[-1] if seen else None, most=9
    ):  # fmt: skip
        seen += [case.id for case in page]
    with node.uow.reading() as uow:
        assert seen == [case.id for case in uow.applications.all() if case.state is not ApplicationState.DRAFT]
