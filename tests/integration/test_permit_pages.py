"""Lists of permits, a page at a time: what the pages hold together is what the whole list held."""

from pathlib import Path

import pytest

from dataspace.domain.errors import NotFound
from dataspace.services import permits
from tests.api_node import make_api_node
from tests.factories import Node


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_pages_follow_each_other(node: Node, most: int) -> None:
    made = []
    for number in range(5):
        made.append(node.permit(epsilon="0.5"))
        node.clock.forward(seconds=number % 2)
    expected = [permit.number for permit in sorted(made, key=lambda p: (p.granted_at, p.number), reverse=True)]
    for who in (node.researcher, node.assessor):
        found: list[str] = []
        while page := permits.page_permits(node.uow, who, found[-1] if found else None, most):
            assert all(permit.persons == made[0].persons for permit in page)
            found += [permit.number for permit in page]
        assert found == expected == [p.number for p in permits.list_permits(node.uow, node.clock, who)]
    assert permits.page_permits(node.uow, node.colleague) == []


def test_a_page_after_nothing_is_refused(node: Node) -> None:
    with pytest.raises(NotFound):
        permits.page_permits(node.uow, node.assessor, "DP-1999-0001")


@pytest.mark.parametrize("bad", ["?after=%27", "?most=0", "?most=501"])
def test_what_is_no_page_is_refused(tmp_path: Path, bad: str) -> None:
    api = make_api_node(tmp_path)
    response = api.client.get(f"/api/v1/permits{bad}", headers=api.token(api.people.assessor))
    assert (response.status_code, response.json()["code"]) == (422, "invalid-input")
