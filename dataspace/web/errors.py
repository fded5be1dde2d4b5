"""Errors at the edge: class to HTTP status by one table, one JSON shape (RFC 9457), one place that logs."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from dataspace.domain import errors
from dataspace.logs import log
from dataspace.web.pages import templates, wants_page
from dataspace.wire import STORABLE

STATUS: dict[type[errors.DataspaceError], int] = {
    errors.InvalidInput: 422,
    errors.NotAuthenticated: 401,
    errors.TooManyAttempts: 429,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.WrongState: 409,
    errors.StaleEdit: 412,
    errors.TooLarge: 413,
    errors.WrongAttachment: 415,
    errors.InsufficientBudget: 402,
    errors.TooManyRequests: 429,
    errors.Busy: 503,
    errors.Unavailable: 503,
}
"""Nearest class in the error tree decides."""

PROBLEM = "application/problem+json"
NOTHING_HERE = "there is nothing at this address"


def status_of(error: errors.DataspaceError) -> int:
    """HTTP status of an error: its own class's, else its nearest ancestor's."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem(status: int, code: str, detail: str, **extra: object) -> JSONResponse:
    """A problem document; `extra` members are code-specific and documented with the code."""
    title = code.replace("-", " ").capitalize()
    body = {"type": f"urn:dataspace:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body | extra, status, headers=headers, media_type=PROBLEM)


def _page(request: Request, status: int, detail: str) -> Response:
    """What happened, for a person with a browser."""
    return templates.TemplateResponse(request, "error.html", {"detail": detail}, status)


def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.DataspaceError)  # noqa: S101
    if wants_page(request):
        return _page(request, status_of(error), error.message)
    extra: dict[str, object] = {}
    if isinstance(error, errors.InsufficientBudget):
        extra = {"requested": error.requested, "remaining": error.remaining, "missing": error.missing}
    if isinstance(error, errors.InvalidQuery) and error.line is not None:
        extra = {"line": error.line, "column": error.column, "hint": error.hint}
    if isinstance(error, errors.InvalidAnswers):
        extra = {"fields": [{"field": field, "fault": fault} for field, fault in error.fields[:200]]}
    return problem(status_of(error), error.code, error.message, **extra)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if wants_page(request):
        return _page(request, 404, NOTHING_HERE)
    # The rejected value is left out: a message never repeats what was sent.
    fields = [{"field": ".".join(map(str, fault["loc"])), "fault": _said(fault)} for fault in error.errors()]
    detail = "; ".join(f"{field['field']}: {field['fault']}" for field in fields[:5])
    return problem(422, "invalid-input", detail, fields=fields[:50])


def _said(fault: dict[str, Any]) -> str:
    if fault.get("ctx", {}).get("pattern") == STORABLE:
        return "it holds a NUL character, which cannot be kept; remove it"
    return str(fault["msg"])


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = {404: "not-found", 405: "method-not-allowed", 400: "bad-request"}.get(error.status_code, "http-error")
    detail = NOTHING_HERE if code == "not-found" else str(error.detail)
    if wants_page(request):
        return _page(request, error.status_code, detail)
    return problem(error.status_code, code, detail)


def unforeseen(request: Request, error: Exception) -> Response:
    # Only the class and the place are logged: a message may quote data.
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f"{last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last is not None else "unknown"
    log.error("unforeseen", method=request.method, error_type=type(error).__name__, error_at=place)
    detail = "the node failed to answer; nothing more can be said here, its operator sees where"
    if wants_page(request):
        return _page(request, 500, detail)
    return problem(500, "internal-error", detail)


def install(app: FastAPI) -> None:
    """Every error of the app leaves through these handlers."""
    app.add_exception_handler(errors.DataspaceError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
