"""What a personal access token is for. A token can never do more than its person; its scopes may narrow that."""

from collections.abc import Iterable
from enum import StrEnum

from dataspace.domain.actors import Role
from dataspace.domain.errors import InvalidInput, NotPermitted


class TokenScope(StrEnum):
    """A group of actions; `dataspace.web.route_scopes` says which one each address of the API belongs to."""

    READ = "read"
    QUERY = "query"
    APPLY = "apply"
    DECIDE = "decide"
    RECORD = "record"
    AUDIT = "audit"
    OPT_OUT = "opt-out"
    OPERATE = "operate"
    ACCOUNT = "account"


MEANING = {
    TokenScope.READ: "see one's applications, permits, budgets, deadlines and organisations",
    TokenScope.QUERY: "estimate and ask under a permit, which spends its budget; read answers",
    TokenScope.APPLY: "file, change and withdraw applications, accept offers, ask to change permits",
    TokenScope.DECIDE: "assess, propose, decide, publish, suspend, revoke",
    TokenScope.RECORD: "record steps, results and findings",
    TokenScope.AUDIT: "search and export the audit trail",
    TokenScope.OPT_OUT: "record and read opt-outs (Art. 71)",
    TokenScope.OPERATE: "edit organisations, persons and their roles, see to messages",
    TokenScope.ACCOUNT: "issue and revoke one's own tokens, end one's own sessions",
}

EVERYONE = frozenset({TokenScope.READ, TokenScope.QUERY, TokenScope.RECORD, TokenScope.ACCOUNT})
"""Whoever is named in a permit may ask under it, and parties to a case record steps in it, whatever their roles."""

ROLE_SCOPES: dict[Role, frozenset[TokenScope]] = {
    Role.DATA_HOLDER: frozenset(),
    Role.APPLICANT: frozenset({TokenScope.APPLY}),
    Role.HDAB_ASSESSOR: frozenset({TokenScope.DECIDE, TokenScope.AUDIT}),
    Role.HDAB_DECISION_MAKER: frozenset({TokenScope.DECIDE, TokenScope.AUDIT}),
    Role.HDAB_CITIZEN_DESK: frozenset({TokenScope.OPT_OUT}),
    Role.HDAB_DATA_PREPARER: frozenset(),
    Role.OPERATOR: frozenset({TokenScope.OPERATE, TokenScope.AUDIT}),
}
"""What a role opens beside `EVERYONE`."""


def scopes_of(roles: Iterable[Role]) -> frozenset[TokenScope]:
    """Scopes that a person with these roles can use."""
    return EVERYONE.union(*(ROLE_SCOPES.get(role, frozenset()) for role in roles))


def relies_on(scopes: frozenset[TokenScope] | None, before: frozenset[Role], after: frozenset[Role]) -> bool:
    """Whether a token loses a scope when its person's roles change; one without scopes relies on every role."""
    if scopes is None:
        return not before <= after
    return bool(scopes & (scopes_of(before) - scopes_of(after)))


def check_covers(scopes: frozenset[TokenScope] | None, needed: TokenScope | None) -> None:
    """Raises NotPermitted. What no table assigns to a scope (`needed` is None) is for tokens without scopes only."""
    if scopes is None or needed in scopes:
        return
    if needed is None:
        raise NotPermitted("this takes a token without scopes; issue one for yourself on the page My account")
    raise NotPermitted(f"this takes a token with the scope {needed}: {MEANING[needed]}; issue one that has it")


def parse_scopes(names: Iterable[str]) -> frozenset[TokenScope] | None:
    """None for no name at all: everything the person may. Raises InvalidInput."""
    found = set()
    for name in names:
        if name not in set(TokenScope):
            raise InvalidInput(f"{name[:40]!r} is no scope of a token; choose among {', '.join(TokenScope)}")
        found.add(TokenScope(name))
    return frozenset(found) or None
