"""From a credential to an actor. Everything but the public pages asks for `CurrentActor`: deny by default."""

from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from dataspace.bootstrap import Node
from dataspace.domain.actors import Actor
from dataspace.domain.callers import Caller
from dataspace.domain.errors import NotAuthenticated
from dataspace.domain.token_scopes import check_covers
from dataspace.services import accounts, sessions
from dataspace.web.cookies import Cookies
from dataspace.web.route_scopes import needed_scope

Identifier = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
"""An identifier in an address: whatever else is sent there names nothing."""

CSRF_HEADER = "X-CSRF-Token"

_bearer = HTTPBearer(auto_error=False, description="personal access token, `ehds_…`")


def current_node(request: Request) -> Node:
    """The node this app serves."""
    node: Node = request.app.state.node
    return node


def current_cookies(request: Request) -> Cookies:
    """What reads and sets the cookies of this app."""
    cookies: Cookies = request.app.state.cookies
    return cookies


CurrentNode = Annotated[Node, Depends(current_node)]
CurrentCookies = Annotated[Cookies, Depends(current_cookies)]


def current_caller(
    request: Request,
    node: CurrentNode,
    cookies: CurrentCookies,
    credential: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Who is behind the access token, or behind a session whose page sent its CSRF token along.

    Raises NotAuthenticated, or NotPermitted if the token's scopes do not cover the address or the CSRF token is wrong.
    """
    if credential is not None:
        caller = accounts.identify_token(node.unit_of_work(), node.clock, credential.credentials)
        check_covers(caller.scopes, needed_scope(request.method, request.scope["route"].path))
        return caller
    secret = cookies.session(request)
    if secret is None:
        raise NotAuthenticated("send your personal access token in the header Authorization: Bearer ehds_…")
    cookies.check_csrf(secret, request.headers.get(CSRF_HEADER))
    return sessions.identify_session(node.unit_of_work(), node.clock, secret)


CurrentCaller = Annotated[Caller, Depends(current_caller)]


def current_actor(caller: CurrentCaller) -> Actor:
    """The person who calls."""
    return caller.actor


CurrentActor = Annotated[Actor, Depends(current_actor)]
