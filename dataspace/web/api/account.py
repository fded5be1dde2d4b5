"""One's own account: who one is here, access tokens, open sessions."""

from datetime import timedelta

from fastapi import APIRouter

from dataspace.domain.token_scopes import parse_scopes
from dataspace.services import accounts, sessions
from dataspace.web.api import present_sign_in as present
from dataspace.web.auth import CurrentActor, CurrentCaller, CurrentNode, Identifier
from dataspace.wire import signin as wire

router = APIRouter(prefix="/account", tags=["account"])


@router.get("")
def get(actor: CurrentActor) -> wire.Person:
    """Who the credential belongs to."""
    return present.person(actor)


@router.get("/tokens")
def list_tokens(node: CurrentNode, actor: CurrentActor) -> list[wire.TokenEntry]:
    """One's tokens in force, oldest first."""
    return [present.token(entry) for entry in accounts.list_tokens(node.unit_of_work(), node.clock, actor)]


@router.post("/tokens", status_code=201)
def issue_token(request: wire.TokenRequest, node: CurrentNode, caller: CurrentCaller) -> wire.NewToken:
    """A new token, shown this once; a token with scopes issues tokens of its own scopes only."""
    issued = accounts.issue_token(
        node.unit_of_work(), node.clock, caller.actor, caller.actor.id, label=request.label,
        valid_for=timedelta(days=request.days), scopes=parse_scopes(request.scopes), within=caller.scopes,
    )  # fmt: skip
    return present.new_token(issued)


@router.post("/tokens/{token_id}/revocation", status_code=204)
def revoke_token(token_id: Identifier, node: CurrentNode, actor: CurrentActor) -> None:
    """End one of one's tokens: its very next request is refused."""
    accounts.revoke_token_by_id(node.unit_of_work(), node.clock, actor, token_id)


@router.get("/sessions")
def list_sessions(node: CurrentNode, caller: CurrentCaller) -> list[wire.SessionEntry]:
    """Browsers in which one is signed in."""
    found = sessions.list_sessions(node.unit_of_work(), node.clock, caller.actor)
    return [present.session(entry, caller.session) for entry in found]


@router.post("/sessions/{session_id}/end", status_code=204)
def end_session(session_id: Identifier, node: CurrentNode, actor: CurrentActor) -> None:
    """Sign out in another browser."""
    sessions.end_session(node.unit_of_work(), node.clock, actor, session_id)
