"""Nobody acts as the node itself: it asks what tabulation plans say, has no way in, and is named by nobody."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dataspace.domain.actors import SYSTEM, Role
from dataspace.domain.errors import InvalidApplication, NotAuthenticated, NotPermitted
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.sign_in import Invitation, LocalAccount, digest
from dataspace.domain.tabulations import NODE_USER
from dataspace.passwords import Argon2Passwords
from dataspace.services import accounts, applications, sign_in
from dataspace.services.sign_in import Identity, IdentityRules
from tests.factories import Node, make_node

PASSWORD = "correct horse battery"


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """With its own user, as after the first approval of a data request."""
    made = make_node(tmp_path)
    made.dataset()
    with made.uow as uow:
        uow.accounts.add(NODE_USER, event(made, EventKind.PERSON_REGISTERED))
        uow.commit()
    return made


def event(node: Node, kind: EventKind) -> AuditEvent:
    return AuditEvent(kind, SYSTEM.id, NODE_USER.id, node.clock.now())


def test_an_operator_makes_no_one_time_link_for_the_node(node: Node) -> None:
    operator = node.person("Olga", node.assessor.organisation, Role.OPERATOR)
    for by in (operator, SYSTEM):
        with pytest.raises(NotPermitted, match="as the node"):
            sign_in.invite(node.uow, node.clock, by, NODE_USER.id, login="node")


def test_a_link_from_before_opens_nothing(node: Node) -> None:
    now = node.clock.now()
    with node.uow as uow:
        link = Invitation(digest("left over"), NODE_USER.id, "node", now, now + timedelta(days=3))
        uow.sign_ins.add_invitation(link, event(node, EventKind.PERSON_INVITED))
        uow.commit()
    with pytest.raises(NotAuthenticated, match="one-time link"):
        sign_in.read_invitation(node.uow, node.clock, "left over")
    with pytest.raises(NotAuthenticated, match="one-time link"):
        sign_in.set_password(node.uow, node.clock, Argon2Passwords(), "left over", PASSWORD)
    with pytest.raises(NotAuthenticated, match="one-time link"):
        sign_in.sign_in_with_identity(
            node.uow, node.clock, Identity("https://id.example", "1"), IdentityRules(), invitation="left over"
        )


def test_a_password_or_an_identity_from_before_opens_nothing(node: Node) -> None:
    passwords = Argon2Passwords()
    with node.uow as uow:
        account = LocalAccount("node", NODE_USER.id, passwords.hash(PASSWORD))
        uow.sign_ins.save_account(account, event(node, EventKind.PASSWORD_SET))
        uow.sign_ins.link("https://id.example", "1", NODE_USER.id, event(node, EventKind.IDENTITY_LINKED))
        uow.commit()
    with pytest.raises(NotAuthenticated, match="wrong"):
        sign_in.sign_in_with_password(
            node.uow, node.clock, passwords, "node", PASSWORD, address="192.0.2.1", demo_mode=False
        )
    with pytest.raises(NotAuthenticated, match="not linked"):
        sign_in.sign_in_with_identity(node.uow, node.clock, Identity("https://id.example", "1"), IdentityRules())


def test_an_address_of_the_node_links_no_identity(node: Node) -> None:
    accounts.change_address(node.uow, node.clock, SYSTEM, NODE_USER.id, "node@example.org")
    identity = Identity("https://id.example", "1", "node@example.org")
    with pytest.raises(NotAuthenticated, match="not linked"):
        sign_in.sign_in_with_identity(node.uow, node.clock, identity, IdentityRules(match_email=True))
    with node.uow.reading() as uow:
        assert uow.sign_ins.person_of(identity.issuer, identity.subject) is None


def test_no_application_names_the_node(node: Node) -> None:
    draft = node.draft(replace(node.form(), persons=frozenset({node.researcher.id, NODE_USER.id})))
    with pytest.raises(InvalidApplication, match="the node itself"):
        applications.submit_application(node.uow, node.clock, node.researcher, draft.id)
