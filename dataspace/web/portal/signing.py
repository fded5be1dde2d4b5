"""Pages to sign in and out, and the one-time link that opens an account."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from dataspace.domain.errors import (
    DataspaceError,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    TooManyAttempts,
    Unavailable,
)
from dataspace.services import sessions, sign_in
from dataspace.services.sign_in import IdentityRules, PasswordDue
from dataspace.settings import Mode
from dataspace.web import texts
from dataspace.web.auth import CurrentCookies, CurrentNode
from dataspace.web.errors import status_of
from dataspace.web.oidc import RelyingParty
from dataspace.web.portal.shown import HOME, safe_next, show, show_form, word

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=300)]
Secret = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


@router.get("/sign-in", response_class=HTMLResponse)
def show_sign_in(request: Request, next: str = "", told: str = "") -> Response:  # noqa: A002
    """The two ways to sign in, as far as settings allow them."""
    said = word(request, told) if told in ("password_is_set", "signed_out") else ""
    return show_form(request, "sign_in.html", next=safe_next(next), told=said)


@router.post("/sign-in", response_class=HTMLResponse)
def sign_in_here(
    request: Request, node: CurrentNode, cookies: CurrentCookies,
    login: Text, password: Text, csrf: Text = "", next: Text = "",  # noqa: A002
) -> Response:  # fmt: skip
    """Open a session with a password."""
    if not node.settings.local_accounts:
        raise NotFound("this node keeps no passwords; sign in with your organisation")
    try:
        cookies.check_csrf(cookies.form(request), csrf)
        opened = sign_in.sign_in_with_password(
            node.unit_of_work(), node.clock, node.passwords, login, password,
            address=request.client.host if request.client else "", demo_mode=node.settings.mode is Mode.DEMO,
            replaces=cookies.session(request),
        )  # fmt: skip
    except (NotPermitted, NotAuthenticated, TooManyAttempts) as error:
        return _again(request, error, next)
    if isinstance(opened, PasswordDue):
        return RedirectResponse(f"/invitation/{opened.secret}", 303)
    response = RedirectResponse(safe_next(next), 303)
    cookies.set_session(response, opened.secret)
    return response


@router.get("/sign-in/provider")
def leave_for_provider(
    request: Request,
    cookies: CurrentCookies,
    next: str = "",  # noqa: A002 - the name in the address
) -> Response:
    """Send the browser to the identity provider. An address links nothing: `link_identity` does, from our own page."""
    try:
        url, flow = _party(request).start()
    except Unavailable as error:
        return _again(request, error, next)
    response = RedirectResponse(url, 302)
    cookies.set_flow(response, flow | {"next": safe_next(next), "invitation": ""})
    return response


@router.get("/sign-in/callback", response_class=HTMLResponse)
def come_back(request: Request, node: CurrentNode, cookies: CurrentCookies) -> Response:
    """What the identity provider sends the browser back to; what was put aside counts once."""
    flow = cookies.flow(request) or {}
    try:
        identity = _party(request).finish(flow, request.query_params, node.clock.now())
        opened = sign_in.sign_in_with_identity(
            node.unit_of_work(), node.clock, identity,
            IdentityRules(node.settings.oidc_match_email, node.settings.oidc_roles),
            invitation=flow["invitation"] or None, replaces=cookies.session(request),
        )  # fmt: skip
    except (NotAuthenticated, InvalidInput, Unavailable) as error:
        response = _again(request, error, "", provider=True)
    else:
        response = RedirectResponse(safe_next(flow["next"]), 303)
        cookies.set_session(response, opened.secret)
    cookies.clear_flow(response)
    return response


@router.post("/sign-out")
def sign_out(request: Request, node: CurrentNode, cookies: CurrentCookies, csrf: Text = "") -> Response:
    """End the browser's session."""
    secret = cookies.session(request)
    if secret is not None:
        cookies.check_csrf(secret, csrf)
        sessions.sign_out(node.unit_of_work(), node.clock, secret)
    response = RedirectResponse("/sign-in?told=signed_out", 303)
    cookies.clear_session(response)
    return response


@router.get("/invitation/{secret}", response_class=HTMLResponse)
def show_invitation(request: Request, secret: Secret) -> Response:
    """What a one-time link opens; looking does not use it up."""
    return _invitation(request, secret)


@router.post("/invitation/{secret}", response_class=HTMLResponse)
def set_password(
    request: Request, secret: Secret, node: CurrentNode, cookies: CurrentCookies, password: Text, csrf: Text = ""
) -> Response:
    """Set the first password, or a new one."""
    if not node.settings.local_accounts:
        raise NotFound("this node keeps no passwords; link the identity of your organisation")
    try:
        cookies.check_csrf(cookies.form(request), csrf)
        sign_in.set_password(node.unit_of_work(), node.clock, node.passwords, secret, password)
    except NotPermitted as error:
        return _invitation(request, secret, status_of(error), word(request, "stale"))
    except InvalidInput as error:
        return _invitation(request, secret, status_of(error), word(request, "bad_password"))
    except NotAuthenticated:
        return _invitation(request, secret)
    return RedirectResponse("/sign-in?told=password_is_set", 303)


@router.post("/invitation/{secret}/provider", response_class=HTMLResponse)
def link_identity(request: Request, secret: Secret, cookies: CurrentCookies, csrf: Text = "") -> Response:
    """Leave for the identity provider, to link the identity one comes back with to the person of a one-time link.

    The answer is a page, not a redirect: browsers stop forms that lead to another host (`form-action 'self'`).
    """
    try:
        cookies.check_csrf(cookies.form(request), csrf)
        url, flow = _party(request).start()
    except NotPermitted as error:
        return _invitation(request, secret, status_of(error), word(request, "stale"))
    except Unavailable as error:
        return _invitation(request, secret, status_of(error), word(request, "provider_away"))
    other_url = f"/invitation/{secret}?lang={texts.other_than(texts.language(request))}"
    response = show(request, "leaving.html", url=url, other_url=other_url)
    response.headers["Refresh"] = f"0; url={url}"
    cookies.set_flow(response, flow | {"next": HOME, "invitation": secret})
    return response


def _invitation(request: Request, secret: str, status: int = 200, fault: str = "") -> Response:
    node = request.app.state.node
    try:
        person, invitation = sign_in.read_invitation(node.unit_of_work(), node.clock, secret)
    except NotAuthenticated as error:
        return show_form(request, "invitation.html", status_of(error), fault=word(request, "link_over"))
    return show_form(
        request, "invitation.html", status, fault=fault, invited=person.name, login=invitation.login, secret=secret
    )


def _again(request: Request, error: DataspaceError, following: str, *, provider: bool = False) -> Response:
    """The sign-in page with what went wrong, in words that say nothing about who has an account."""
    fault = word(request, "provider_refused" if provider else "wrong")
    if isinstance(error, TooManyAttempts):
        fault = f"{word(request, 'too_many')} {error.seconds}"
    if isinstance(error, NotPermitted):
        fault = word(request, "stale")
    if isinstance(error, Unavailable):
        fault = word(request, "provider_away")
    return show_form(request, "sign_in.html", status_of(error), fault=fault, next=safe_next(following))


def _party(request: Request) -> RelyingParty:
    party: RelyingParty | None = request.app.state.relying_party
    if party is None:
        raise NotFound("this node has no identity provider; sign in with a password")
    return party
