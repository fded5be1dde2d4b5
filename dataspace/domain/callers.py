"""Who calls, and with what: a token with its scopes, or a browser's session."""

from dataclasses import dataclass

from dataspace.domain.actors import Actor
from dataspace.domain.sign_in import Session
from dataspace.domain.token_scopes import TokenScope


@dataclass(frozen=True)
class Caller:
    """`scopes` None is all that the person may; `session` is set for a browser."""

    actor: Actor
    scopes: frozenset[TokenScope] | None = None
    session: Session | None = None
