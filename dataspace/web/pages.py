"""What the HTML pages share: their templates, and who gets a page instead of JSON."""

from pathlib import Path

from fastapi import Request
from fastapi.templating import Jinja2Templates

from dataspace.web.texts import say

templates = Jinja2Templates(directory=Path(__file__).parent / "templates")
templates.env.globals["say"] = say


def wants_page(request: Request) -> bool:
    """True for a browser anywhere but in the API, whose errors have one shape for everybody."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
