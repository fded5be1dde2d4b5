"""The portal's public pages: what there is, and who uses it for what."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from dataspace.domain.public_register import Search
from dataspace.services import datasets, register
from dataspace.web.api import present, public_present
from dataspace.web.auth import CurrentNode, Identifier
from dataspace.web.pages import templates

router = APIRouter(include_in_schema=False)
READ = ["GET", "HEAD"]
LATEST = 10
"""Entries of the register on the first page."""


@router.api_route("/", methods=READ, response_class=HTMLResponse)
def show_home(request: Request, node: CurrentNode) -> Response:
    """Datasets and what came into the public register last."""
    uow = node.unit_of_work()
    published = [entry for entry in datasets.list_datasets(uow) if entry.current is not None]
    shown = [present.dataset(entry, datasets.get_schema(uow, entry.id)) for entry in published]
    latest, _ = register.search_register(uow, node.clock, node.calendar, Search(most=LATEST))
    rows = [public_present.entry(view, node.settings.public_url) for view in latest]
    return templates.TemplateResponse(request, "home.html", {"datasets": shown, "register": rows})


@router.api_route("/datasets/{dataset_id}", methods=READ, response_class=HTMLResponse)
def show_dataset(request: Request, dataset_id: Identifier, node: CurrentNode) -> Response:
    """One dataset with its variables."""
    uow = node.unit_of_work()
    shown = present.dataset(datasets.get_dataset(uow, dataset_id), datasets.get_schema(uow, dataset_id))
    return templates.TemplateResponse(request, "dataset.html", {"dataset": shown})


@router.api_route("/how-to-apply", methods=READ, response_class=HTMLResponse)
def show_how_to_apply(request: Request) -> Response:
    """From an account to the first answer."""
    return templates.TemplateResponse(request, "apply.html")


@router.api_route("/catalogue.ttl", methods=READ)
def get_catalogue(node: CurrentNode) -> Response:
    """The whole catalogue as Turtle, for harvesters."""
    return Response(node.catalogue_turtle(), media_type="text/turtle")
