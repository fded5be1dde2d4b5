"""The public pages in English and French: register, measures, activity report, complaints."""

import json
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from dataspace.domain.activity import Period
from dataspace.domain.complaints import Complainant, Subject
from dataspace.domain.errors import InvalidInput
from dataspace.domain.figures import FIGURES
from dataspace.domain.public_register import PublicState, Search
from dataspace.domain.purposes import Purpose
from dataspace.services import activity, complaints, measures, register
from dataspace.web.api import public_present as present
from dataspace.web.api.activity import report_now
from dataspace.web.api.complaints import may_file, may_follow
from dataspace.web.auth import CurrentNode, Identifier
from dataspace.web.feed import MEDIA_TYPE, atom
from dataspace.web.pages import page, unkept
from dataspace.wire import Day
from dataspace.wire import public as wire

router = APIRouter(include_in_schema=False)
READ = ["GET", "HEAD"]
PAGE, FEED = 25, 100
LONGEST_TEXT = 4_000
"""Of a complaint, as in the API."""

Fields = Mapping[str, str]


@router.api_route("/register", methods=READ, response_class=HTMLResponse)
def show_register(request: Request, node: CurrentNode) -> Response:
    """Search and one page of the register."""
    asked = _search(request.query_params)
    views, total = register.search_register(node.unit_of_work(), node.clock, node.calendar, asked)
    found = present.page(views, total, PAGE, node.settings.public_url)
    kept = {k: v for k, v in request.query_params.items() if k != "after" and v}
    return page(
        request, "register.html", found=found, asked=asked, states=list(PublicState), purposes=list(Purpose),
        next_url=f"?{urlencode({**kept, 'after': found.next})}" if found.next else "",
        first_url=f"?{urlencode(kept)}" if asked.after else "",
    )  # fmt: skip


@router.api_route("/register/feed.atom", methods=READ)
def get_feed(node: CurrentNode) -> Response:
    """The hundred entries that changed last, as Atom."""
    url = node.settings.public_url
    latest = register.latest_entries(node.unit_of_work(), node.clock, node.calendar, FEED)
    return Response(atom([present.entry(view, url) for view in latest], url), media_type=MEDIA_TYPE)


@router.api_route("/register/{number}", methods=READ, response_class=HTMLResponse)
def show_entry(request: Request, number: Identifier, node: CurrentNode) -> Response:
    """One case, at its permanent address."""
    view = register.get_entry(node.unit_of_work(), node.clock, node.calendar, number)
    return page(request, "register_entry.html", entry=present.entry(view, node.settings.public_url))


@router.api_route("/measures", methods=READ, response_class=HTMLResponse)
def show_measures(request: Request, node: CurrentNode) -> Response:
    """Measures of non-compliance."""
    shown = [present.measure(one) for one in measures.list_measures(node.unit_of_work())]
    return page(request, "measures.html", measures=shown)


@router.api_route("/activity-report", methods=READ, response_class=HTMLResponse)
def show_report(
    request: Request, node: CurrentNode,
    start: Annotated[Day | None, Query(alias="from")] = None, end: Annotated[Day | None, Query(alias="to")] = None,
) -> Response:  # fmt: skip
    """The frozen editions, and a period as the records stand now if one is asked for."""
    editions = [present.edition(one) for one in activity.list_editions(node.unit_of_work())]
    content = None
    if start and end:
        content = report_now(request, node, Period(start, end))
    return page(
        request, "report.html", editions=editions, content=content, definitions=_definitions(), edition=None,
        superseded={edition.supersedes for edition in editions}, start=start, end=end,
    )  # fmt: skip


@router.api_route("/activity-report/{edition_id}", methods=READ, response_class=HTMLResponse)
def show_edition(request: Request, edition_id: Identifier, node: CurrentNode) -> Response:
    """One frozen edition."""
    edition = present.edition(activity.get_edition(node.unit_of_work(), edition_id))
    editions = [present.edition(one) for one in activity.list_editions(node.unit_of_work())]
    return page(
        request, "report.html", editions=editions, content=json.loads(edition.content), definitions=_definitions(),
        edition=edition, superseded={one.supersedes for one in editions}, start=edition.start, end=edition.end,
    )  # fmt: skip


@router.api_route("/complaints", methods=READ, response_class=HTMLResponse)
def show_complaint_form(request: Request) -> Response:
    """The form to complain, and the one to follow a complaint."""
    return page(request, "complaints.html", subjects=list(Subject))


async def form_fields(request: Request) -> Fields:
    """A form as browsers send it; its size is limited as every body's."""
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=20))


FormFields = Annotated[Fields, Depends(form_fields)]


@router.post("/complaints", response_class=HTMLResponse, dependencies=[Depends(may_file)])
def file_complaint(request: Request, node: CurrentNode, fields: FormFields) -> Response:
    """Record a complaint and show its receipt and secret, once."""
    filed = complaints.file_complaint(
        node.unit_of_work(), node.clock, subject=_subject(fields), complainants=_complainants(fields),
        text=_limited(fields, "text", LONGEST_TEXT), contact=_limited(fields, "contact", 400),
        case=_limited(fields, "case", 40),
    )  # fmt: skip
    receipt = wire.ComplaintReceipt(receipt=filed.receipt, secret=filed.secret, state=filed.state.value)
    return unkept(page(request, "complaint_filed.html", 201, filed=receipt))


@router.post("/complaints/progress", response_class=HTMLResponse, dependencies=[Depends(may_follow)])
def follow_complaint(request: Request, node: CurrentNode, fields: FormFields) -> Response:
    """What became of a complaint."""
    receipt, secret = (fields.get(name, "").strip() for name in ("receipt", "secret"))
    found = present.progress(complaints.follow_complaint(node.unit_of_work(), receipt, secret))
    return unkept(page(request, "complaint_progress.html", progress=found))


def _search(given: Mapping[str, str]) -> Search:
    """A search from an address; what is no state, purpose or dataset is refused in words."""
    state, purpose = given.get("state", ""), given.get("purpose", "")
    if state and state not in list(PublicState):
        raise InvalidInput("there is no such state; choose one from the list")
    if purpose and purpose not in list(Purpose):
        raise InvalidInput("there is no such purpose; choose a letter from a to f")
    return Search(
        after=given.get("after", "")[:40],
        most=PAGE,
        state=PublicState(state) if state else None,
        purpose=Purpose(purpose) if purpose else None,
        dataset=given.get("dataset", "").strip()[:100],
        words=given.get("q", "")[:200],
    )


def _subject(fields: Fields) -> Subject:
    if fields.get("subject") not in list(Subject):
        raise InvalidInput("choose what the complaint is about")
    return Subject(fields["subject"])


def _complainants(fields: Fields) -> list[Complainant]:
    names = [name.strip() for name in _limited(fields, "complainants", 10_000).splitlines() if name.strip()]
    if any(len(name) > 200 for name in names):
        raise InvalidInput("a name has at most 200 characters")
    return [Complainant(name, fields.get("legal") == "yes") for name in names]


def _limited(fields: Fields, name: str, most: int) -> str:
    text = fields.get(name, "").strip()
    if len(text) > most:
        raise InvalidInput(f"a field is too long: it holds at most {most} characters")
    return text


def _definitions() -> dict[str, dict[str, str]]:
    made: dict[str, dict[str, str]] = {}
    for (item, name), count in FIGURES.items():
        made.setdefault(item, {})[name] = " ".join((count.__doc__ or "").split())
    return made
