"""The web application: routers, error handlers, security headers, nothing else."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.staticfiles import StaticFiles

from dataspace import wire
from dataspace.bootstrap import Node, cookie_secret
from dataspace.web import errors
from dataspace.web.api import (
    account,
    activity,
    applications,
    audit,
    budget_requests,
    clocks,
    complaints,
    decisions,
    documents,
    drafts,
    findings,
    forms,
    messages,
    opt_outs,
    parties,
    permit_life,
    permits,
    public,
    queries,
    register,
)
from dataspace.web.cookies import Cookies
from dataspace.web.oidc import RelyingParty
from dataspace.web.portal import account as account_page
from dataspace.web.portal import home, public_pages, signing

HERE = Path(__file__).parent
LARGEST_BODY = 1_000_000
LONGEST_LENGTH = 20
"""Digits of a Content-Length that are looked at."""
PROBLEMS = (400, 401, 402, 403, 404, 409, 412, 413, 415, 422, 429, 500, 503)

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def create_app(node: Node) -> FastAPI:
    """The API under /api/v1 and the portal's pages, served by one node."""
    app = FastAPI(
        title="Dataspace",
        version=node.version,
        description="Permit-gated, differentially private statistics over health data.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        responses={status: {"model": wire.Problem} for status in PROBLEMS},
    )
    app.state.node = node
    app.state.cookies = Cookies(cookie_secret(node.settings.keys), secure=node.settings.secure_cookies)
    app.state.relying_party = _relying_party(node)
    app.state.limiters, app.state.reports = {}, {}
    app.middleware("http")(_guard)
    errors.install(app)
    api = APIRouter(prefix="/api/v1")
    # before permits: /permits/status is not the permit "status"
    api.include_router(documents.router)
    for router in (public.router, applications.router, permits.router, queries.router, opt_outs.router):
        api.include_router(router)
    for router in (forms.router, drafts.router, clocks.router, messages.router, decisions.router, permit_life.router):
        api.include_router(router)
    for router in (budget_requests.router, audit.router):
        api.include_router(router)
    for router in (register.router, findings.router, complaints.router, activity.router):
        api.include_router(router)
    for router in (account.router, parties.router):
        api.include_router(router)
    app.include_router(api)
    app.include_router(documents.well_known)
    for pages in (home.router, public_pages.router, signing.router, account_page.router):
        app.include_router(pages)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app


def _relying_party(node: Node) -> RelyingParty | None:
    """This node at its identity provider, None where settings name none."""
    settings = node.settings
    if not settings.oidc_issuer or not settings.oidc_client_id:
        return None
    back = f"{settings.public_url.rstrip('/')}/sign-in/callback"
    return RelyingParty(
        settings.oidc_issuer, settings.oidc_client_id, settings.client_secret(), back, settings.oidc_roles_claim
    )


async def _answer(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        return await call(request)
    except Exception as error:  # noqa: BLE001 - the server would print it with its message, which may quote data
        return errors.unforeseen(request, error)


def _small(length: str) -> bool:
    """Whether a Content-Length is a number that is not too large, however many digits were sent."""
    return length.isdecimal() and len(length) <= LONGEST_LENGTH and int(length) <= LARGEST_BODY


async def _guard(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse bodies that are too large or do not say how large they are; add the security headers."""
    length = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers or not _small(length):
        response: Response = errors.problem(413, "too-large", "a request holds at most 1 MB and states its length")
    else:
        response = await _answer(request, call)
    response.headers.update(HEADERS)
    return response
