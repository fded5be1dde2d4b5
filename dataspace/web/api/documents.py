"""Permits as documents: signed statement, ODRL policy, print, visas; and what verifies them, public."""

from typing import Any, Literal

from fastapi import APIRouter, Response

from dataspace import jose
from dataspace.bootstrap import Node
from dataspace.domain.actors import SYSTEM
from dataspace.domain.permit_words import Language
from dataspace.domain.public_register import Search
from dataspace.permit_pdf import permit_pdf
from dataspace.services import checkpoints, documents, signing
from dataspace.services.register import search_register
from dataspace.web.api import public_present
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier

router = APIRouter(tags=["documents"])
well_known = APIRouter(prefix="/.well-known", tags=["documents"])

JOSE = "application/jose"
PAGE = 100
"""Entries of the register taken at a time."""

Format = Literal["jws", "pdf", "odrl", "visa"]


@well_known.get("/jwks.json", response_class=Response)
def get_keys(node: CurrentNode) -> Response:
    """The node's public signing keys (JWKS), the retired ones with the period they were used in."""
    signing.signing_key(node.unit_of_work(), node.clock, SYSTEM, node.signatures)
    return Response(jose.canonical(documents.key_set(node.signatures)), media_type="application/jwk-set+json")


@router.get("/permits/status", response_class=Response)
def get_status(node: CurrentNode) -> Response:
    """Every permit's state and amounts as of now: a signed list (compact JWS) to verify permits with offline."""
    uow, issuer = node.unit_of_work(), node.settings.public_url
    return _jose(
        node.recent_status.get(
            documents.books_at(uow, node.signatures),
            node.clock.now(),
            lambda: documents.permit_status(uow, node.clock, node.signatures, issuer, _whole_register(node)),
        )
    )


@router.get("/ledger/checkpoint", response_class=Response)
def get_checkpoint(node: CurrentNode) -> Response:
    """The newest signed checkpoint (compact JWS): where the ledger and the audit trail stood, and their amounts."""
    return _jose(
        checkpoints.published_checkpoint(
            node.unit_of_work(), node.clock, node.signatures, node.settings.public_url, node.checkpoints[0]
        )
    )


@router.get("/permits/{permit_id}/document", response_class=Response)
def get_document(
    permit_id: Identifier,
    node: CurrentNode,
    actor: CurrentActor,
    format: Format = "jws",  # noqa: A002 - the parameter's name in the address
    language: Language = Language.ENGLISH,
) -> Response:
    """The permit as a signed statement, an ODRL agreement, a print, or visas for the person who asks."""
    uow, clock, keys, issuer = node.unit_of_work(), node.clock, node.signatures, node.settings.public_url
    if format == "visa":
        passport = {"ga4gh_passport_v1": documents.visas(uow, clock, actor, permit_id, keys, issuer)}
        return Response(jose.canonical(passport), media_type="application/json")
    document = documents.permit_document(uow, clock, actor, permit_id, keys, issuer, format)
    if format == "odrl":
        return Response(jose.canonical(document.claims["policy"]), media_type="application/ld+json")
    if format == "pdf":
        return Response(permit_pdf(document, language), media_type="application/pdf")
    return _jose(document.token)


def _whole_register(node: Node) -> list[dict[str, Any]]:
    """Every entry of the public register as it is served: the status list vouches for it."""
    rows: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        views, total = search_register(node.unit_of_work(), node.clock, node.calendar, Search(after, PAGE))
        page = public_present.page(views, total, PAGE, node.settings.public_url)
        rows += [entry.model_dump(mode="json") for entry in page.entries]
        after = page.next
    return rows


def _jose(token: str) -> Response:
    return Response(token, media_type=JOSE)
