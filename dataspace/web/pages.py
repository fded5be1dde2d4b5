"""What the HTML pages share: their templates, the reader's language, and who gets a page instead of JSON."""

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.templating import Jinja2Templates

from dataspace.bootstrap import Node
from dataspace.web import texts

templates = Jinja2Templates(directory=Path(__file__).parent / "templates")
templates.env.globals["say"] = texts.say

A_YEAR = 31_536_000
"""In seconds."""


def page(request: Request, name: str, status: int = 200, **values: Any) -> Response:
    """A template in the reader's language, with a link to the same page in the other one; a choice is remembered."""
    lang = texts.language(request)
    other = texts.other_than(lang)
    query = urlencode([*((k, v) for k, v in request.query_params.multi_items() if k != "lang"), ("lang", other)])
    shared = {"lang": lang, "t": partial(_say, lang), "marks": lambda text: texts.marks(text, lang)}
    response = templates.TemplateResponse(
        request, name, {**shared, "other_lang": other, "other_url": f"?{query}", **values}, status
    )
    if request.query_params.get("lang") == lang:
        node: Node = request.app.state.node
        response.set_cookie(
            texts.COOKIE, lang, max_age=A_YEAR, samesite="lax", httponly=True, secure=node.settings.secure_cookies
        )
    return response


def unkept(response: Response) -> Response:
    """A page that no cache keeps."""
    response.headers["Cache-Control"] = "no-store"
    return response


def wants_page(request: Request) -> bool:
    """True for a browser anywhere but in the API, whose errors have one shape for everybody."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def _say(lang: str, key: str, *values: object) -> str:
    return texts.say(key, lang, *values)
