"""The public register and what follows a permit on PostgreSQL: the same answers, the same refusals."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from dataspace.db.migrate import check_no_drift
from dataspace.db.tables.public import PUBLIC_RECORDS
from dataspace.domain.complaints import ComplaintState
from dataspace.domain.public_register import PublicState, Search
from dataspace.domain.purposes import Purpose
from dataspace.services import activity, complaints, findings, measures, register
from tests.databases import node_on
from tests.factories import Node
from tests.public_records import NO_HOLIDAYS, Everything, record_everything


@pytest.fixture(scope="module")
def node(postgres: str) -> Iterator[Node]:
    with node_on(postgres) as made:
        check_no_drift(made.engine)
        made.dataset()
        yield made


@pytest.fixture(scope="module")
def recorded(node: Node) -> Everything:
    return record_everything(node)


def test_everything_is_read_back(node: Node, recorded: Everything) -> None:
    view = register.get_entry(node.uow, node.clock, NO_HOLIDAYS, recorded.number)
    assert (view.state, len(view.results)) == (PublicState.SUSPENDED, 1)
    assert "zirconium" not in repr(view)
    assert "zirconium" not in repr(measures.list_measures(node.uow))
    filed = recorded.filed
    assert complaints.follow_complaint(node.uow, filed.receipt, filed.secret).state is ComplaintState.RECEIVED
    assert len(findings.list_findings(node.uow, node.holder)) == 1
    assert [edition.sound for edition in activity.list_editions(node.uow)] == [True]


def test_the_register_is_searched(node: Node, recorded: Everything) -> None:
    node.clock.forward(hours=1)
    case = node.submitted(replace(node.form(), title="100% of Cafés"))

    def found(**asked: object) -> list[str]:
        views, total = register.search_register(node.uow, node.clock, NO_HOLIDAYS, Search(**asked))  # type: ignore[arg-type]
        assert total >= len(views)
        return [view.entry.number for view in views]

    assert found() == [case.number, recorded.number]
    assert found(words="100% cafes") == found(state=PublicState.RECEIVED) == found(most=1) == [case.number]
    assert found(state=PublicState.SUSPENDED) == found(after=case.number) == [recorded.number]
    assert found(dataset="registry", purpose=Purpose.RESEARCH) == [case.number, recorded.number]
    assert found(words="zirconium") == []


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("table", PUBLIC_RECORDS)
def test_records_are_never_changed(node: Node, table: str) -> None:
    for change in (f"update {table} set id = id", f"delete from {table}", f"truncate {table}"):
        with pytest.raises(ProgrammingError, match="append-only"), node.engine.begin() as connection:
            connection.execute(text(change))


@pytest.mark.usefixtures("recorded")
def test_mandatory_columns_are_never_empty(node: Node) -> None:
    with pytest.raises(IntegrityError, match="ck_register_entries_mandatory"), node.engine.begin() as connection:
        connection.execute(text("update register_entries set title = ''"))
