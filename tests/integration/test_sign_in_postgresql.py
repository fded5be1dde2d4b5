"""Roles, tokens, passwords and sessions on PostgreSQL: the same answers and the same limits."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dataspace.db.migrate import check_no_drift
from dataspace.domain.actors import SYSTEM, Role
from dataspace.domain.errors import NotAuthenticated, TooManyAttempts
from dataspace.domain.organisations import OrganisationKind, OrganisationRecord
from dataspace.domain.token_scopes import TokenScope
from dataspace.passwords import ARGON2
from dataspace.services import accounts, organisations, persons, sessions, sign_in
from tests.databases import node_on
from tests.factories import Node

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def node(postgres: str) -> Iterator[Node]:
    with node_on(postgres) as made:
        check_no_drift(made.engine)
        yield made


def sign_in_as(node: Node, login: str, password: str = PASSWORD, address: str = "192.0.2.1") -> sign_in.SignedIn:
    opened = sign_in.sign_in_with_password(
        node.uow, node.clock, ARGON2, login, password, address=address, demo_mode=False
    )
    assert isinstance(opened, sign_in.SignedIn)
    return opened


def test_from_a_link_to_a_session_that_ends_with_a_role(node: Node) -> None:
    secret = sign_in.invite(node.uow, node.clock, SYSTEM, node.holder.id, login="hanna")
    sign_in.set_password(node.uow, node.clock, ARGON2, secret, PASSWORD)
    held = sign_in_as(node, "Hanna").secret
    assert sessions.identify_session(node.uow, node.clock, held).actor == node.holder
    persons.change_roles(node.uow, node.clock, SYSTEM, node.holder.id, give=frozenset({Role.APPLICANT}))
    scoped = frozenset({TokenScope.APPLY})
    token = accounts.issue_token(node.uow, node.clock, SYSTEM, node.holder.id, scopes=scoped).plaintext
    assert accounts.identify_token(node.uow, node.clock, token).scopes == scoped
    persons.change_roles(node.uow, node.clock, SYSTEM, node.holder.id, take=frozenset({Role.APPLICANT}))
    with pytest.raises(NotAuthenticated):
        sessions.identify_session(node.uow, node.clock, held)
    with pytest.raises(NotAuthenticated):
        accounts.identify_token(node.uow, node.clock, token)


def test_many_guesses_at_once_are_not_more_guesses(node: Node) -> None:
    def guess(n: int) -> type[Exception]:
        with pytest.raises((NotAuthenticated, TooManyAttempts)) as raised:
            sign_in_as(node, "nobody", f"wrong {n}", f"192.0.2.{n}")
        return raised.type

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(guess, range(24)))
    assert outcomes == {NotAuthenticated: 5, TooManyAttempts: 19}


def test_an_identity_is_linked_once(node: Node) -> None:
    identity = sign_in.Identity("https://login.example.eu", "s1")
    secret = sign_in.invite(node.uow, node.clock, SYSTEM, node.colleague.id)
    for invitation in (secret, None):
        opened = sign_in.sign_in_with_identity(
            node.uow, node.clock, identity, sign_in.IdentityRules(), invitation=invitation
        )
        assert opened.caller.actor == node.colleague


def test_organisations_are_replaced(node: Node) -> None:
    for country in ("PT", "ES"):
        record = OrganisationRecord("Clinic", kind=OrganisationKind.DATA_HOLDER, country=country)
        organisations.save_organisation(node.uow, node.clock, SYSTEM, record)
    assert organisations.get_organisation(node.uow, "Clinic").country == "ES"
