"""The page My account: who one is here, access tokens, sessions."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from dataspace.domain.callers import Caller
from dataspace.domain.errors import NotAuthenticated
from dataspace.domain.token_scopes import parse_scopes, scopes_of
from dataspace.services import accounts, sessions
from dataspace.web import texts
from dataspace.web.api import present_sign_in as present
from dataspace.web.auth import CurrentCookies, CurrentNode, Identifier, current_cookies, current_node
from dataspace.web.portal.shown import show

router = APIRouter(prefix="/account", include_in_schema=False)

Text = Annotated[str, Form(max_length=300)]


@router.get("", response_class=HTMLResponse)
def show_account(request: Request, node: CurrentNode, cookies: CurrentCookies) -> Response:
    """One's own account; who is not signed in is sent to do so."""
    try:
        caller = sessions.identify_session(node.unit_of_work(), node.clock, cookies.session(request) or "")
    except NotAuthenticated:
        return RedirectResponse("/sign-in?next=/account", 303)
    return _page(request, caller)


@router.post("/tokens", response_class=HTMLResponse)
def issue_token(
    request: Request, node: CurrentNode, label: Text = "", days: Annotated[int, Form(ge=1, le=365)] = 90,
    scope: Annotated[list[str] | None, Form()] = None, csrf: Text = "",
) -> Response:  # fmt: skip
    """A new token; the answer is the only page that shows it."""
    caller = _checked(request, csrf)
    issued = accounts.issue_token(
        node.unit_of_work(), node.clock, caller.actor, caller.actor.id,
        label=label.strip(), valid_for=timedelta(days=days), scopes=parse_scopes(scope or []),
    )  # fmt: skip
    return _page(request, caller, issued=issued.plaintext)


@router.post("/tokens/{token_id}/revocation")
def revoke_token(request: Request, node: CurrentNode, token_id: Identifier, csrf: Text = "") -> Response:
    """End a token."""
    caller = _checked(request, csrf)
    accounts.revoke_token_by_id(node.unit_of_work(), node.clock, caller.actor, token_id)
    return RedirectResponse("/account#tokens", 303)


@router.post("/sessions/{session_id}/end")
def end_session(request: Request, node: CurrentNode, session_id: Identifier, csrf: Text = "") -> Response:
    """Sign out in another browser."""
    caller = _checked(request, csrf)
    sessions.end_session(node.unit_of_work(), node.clock, caller.actor, session_id)
    return RedirectResponse("/account#sessions", 303)


def _checked(request: Request, csrf: str) -> Caller:
    """Who sent a form of ours. Raises NotAuthenticated or NotPermitted."""
    node, cookies = current_node(request), current_cookies(request)
    secret = cookies.session(request)
    if secret is None:
        raise NotAuthenticated("you are not signed in; sign in first")
    cookies.check_csrf(secret, csrf)
    return sessions.identify_session(node.unit_of_work(), node.clock, secret)


def _page(request: Request, caller: Caller, *, issued: str = "") -> Response:
    node, cookies = current_node(request), current_cookies(request)
    uow, actor = node.unit_of_work(), caller.actor
    return show(
        request,
        "account.html",
        person=present.person(actor),
        tokens=[present.token(entry) for entry in accounts.list_tokens(uow, node.clock, actor)],
        sessions=[present.session(s, caller.session) for s in sessions.list_sessions(uow, node.clock, actor)],
        scopes=sorted(scopes_of(actor.roles)),
        issued=issued,
        csrf=cookies.csrf(cookies.session(request) or ""),
        other_url=f"/account?lang={texts.other_than(texts.language(request))}",
    )
