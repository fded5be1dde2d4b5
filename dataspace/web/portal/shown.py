"""What the sign-in pages share: which ways of signing in there are, forms, and addresses to go on to."""

import re
from typing import Any

from fastapi import Request, Response

from dataspace.web import texts
from dataspace.web.auth import current_cookies, current_node
from dataspace.web.pages import page, unkept

HOME = "/account"
_OURS = re.compile(r"/(?:[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*)?")


def safe_next(wanted: str) -> str:
    """A path of this node; anything else, other hosts above all, becomes the account page."""
    return wanted if _OURS.fullmatch(wanted) else HOME


def show(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page that no cache keeps."""
    settings = current_node(request).settings
    ways = {
        "provider": settings.oidc_issuer is not None and settings.oidc_client_id is not None,
        "local": settings.local_accounts,
    }
    return unkept(page(request, template, status, **ways, **values))


def show_form(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page with a form for a browser that is not signed in, tied to it by a cookie."""
    cookies = current_cookies(request)
    held = cookies.form(request)
    response = show(request, template, status, csrf=cookies.csrf(held), **values)
    cookies.set_form(response, held)
    return response


def word(request: Request, key: str) -> str:
    """One text of the sign-in pages in the reader's language."""
    return texts.say(f"sign.{key}", texts.language(request))
