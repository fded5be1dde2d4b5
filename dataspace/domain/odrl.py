"""A data permit as an ODRL 2.2 Agreement (W3C Recommendation), in JSON-LD with its context inside.

What ODRL has no word for is in a profile of our own: `privacyBudgetRho` (zero-concentrated differential privacy, all
releases together), `privacyBudgetDelta`, `minimumCellSize`, `aggregateKind`, `population`, and the action `reidentify`.
Law is named by ELI.
"""

from typing import Any

from dataspace.domain.chain import utc_text
from dataspace.domain.permit_document import Parties
from dataspace.domain.permits import DataPermit
from dataspace.domain.purposes import ProhibitedUse

ODRL = "http://www.w3.org/ns/odrl/2/"
XSD = "http://www.w3.org/2001/XMLSchema#"
PROFILE = "urn:dataspace:odrl:"
PUBLISH_WITHIN = "P18M"
"""Art. 61(4): results are published within 18 months after the processing ended."""

_NODE = {"@type": "@id"}
_TERM = {"@type": "@vocab"}

CONTEXT: dict[str, Any] = {
    "@vocab": ODRL,
    "odrl": ODRL,
    "ds": PROFILE,
    "xsd": XSD,
    "dcterms": "http://purl.org/dc/terms/",
    "uid": "@id",
    "type": "@type",
    "value": "@value",
    "profile": _NODE,
    "assigner": _NODE,
    "assignee": _NODE,
    "target": {"@type": "@id", "@container": "@set"},
    "action": _TERM,
    "leftOperand": _TERM,
    "operator": _TERM,
    "rightOperand": {},
    "permission": {"@type": "@id", "@container": "@set"},
    "prohibition": {"@type": "@id", "@container": "@set"},
    "obligation": {"@type": "@id", "@container": "@set"},
    "constraint": {"@type": "@id", "@container": "@set"},
    "identifier": "dcterms:identifier",
    "title": "dcterms:title",
    "description": "dcterms:description",
    "based": {"@id": "dcterms:references", "@type": "@id"},
}


def agreement(permit: DataPermit, parties: Parties) -> dict[str, Any]:
    """Who may do what with which datasets, under which constraints, prohibitions and duties."""
    base = parties.issuer
    assignee = f"{base}/parties/{permit.holder}"
    targets = [f"{base}/api/v1/datasets/{dataset}" for dataset in permit.datasets]
    return {
        "@context": CONTEXT,
        "uid": f"{base}/api/v1/permits/{permit.id}",
        "type": "Agreement",
        "profile": PROFILE,
        "identifier": permit.number,
        "based": law(68, 10),
        "assigner": {"uid": f"{base}/", "type": "Party", "title": parties.authority},
        "assignee": {"uid": assignee, "type": "Party", "title": parties.holder.organisation},
        "permission": [{"target": targets, "action": "aggregate", "constraint": _constraints(permit, parties)}],
        "prohibition": [*(_prohibited(use, targets) for use in ProhibitedUse), _reidentification(targets)],
        "obligation": _duties(targets),
    }


def law(article: int, paragraph: int | None = None, letter: str = "") -> str:
    """European Legislation Identifier of a provision of Regulation (EU) 2025/327."""
    parts = [f"art_{article}", *([f"par_{paragraph}"] if paragraph else []), *([f"pnt_{letter}"] if letter else [])]
    return f"http://data.europa.eu/eli/reg/2025/327/{'/'.join(parts)}/oj"


def _constraints(permit: DataPermit, parties: Parties) -> list[dict[str, Any]]:
    persons = [{"uid": f"{parties.issuer}/parties/{person.id}"} for person in parties.persons]
    purposes = [{"uid": law(53, 1, purpose.letter)} for purpose in sorted(permit.purposes)]
    constraints = [
        _constraint("purpose", "isAnyOf", purposes),
        _constraint("dateTime", "gteq", _typed(utc_text(permit.valid_from), "dateTime")),
        _constraint("dateTime", "lt", _typed(utc_text(permit.valid_until), "dateTime")),
        _constraint("recipient", "isAnyOf", persons),
        _constraint("ds:privacyBudgetRho", "lteq", _typed(_decimal(permit.limit.pico_rho, 12), "decimal")),
        _constraint("ds:privacyBudgetDelta", "lteq", _typed(_decimal(permit.limit.atto_delta, 18), "decimal")),
    ]
    kinds = [{"@value": kind} for kind in sorted(getattr(permit, "aggregates", ()))]
    if kinds:
        constraints.append(_constraint("ds:aggregateKind", "isAnyOf", kinds))
    if population := getattr(permit, "population", ""):
        constraints.append(_constraint("ds:population", "eq", {"@value": population}))
    if smallest := getattr(permit, "min_cell", 0):
        constraints.append(_constraint("ds:minimumCellSize", "gteq", _typed(str(smallest), "integer")))
    return constraints


def _prohibited(use: ProhibitedUse, targets: list[str]) -> dict[str, Any]:
    forbidden = {"uid": law(54, None, use.value)}
    return {
        "target": targets,
        "action": "use",
        "description": use.text,
        "constraint": [_constraint("purpose", "eq", forbidden)],
    }


def _reidentification(targets: list[str]) -> dict[str, Any]:
    return {
        "target": targets,
        "action": "ds:reidentify",
        "description": "to identify a person or to attempt it",
        "based": law(61, 3),
    }


def _duties(targets: list[str]) -> list[dict[str, Any]]:
    within = _constraint("elapsedTime", "lteq", _typed(PUBLISH_WITHIN, "duration"))
    publish = "to publish results within 18 months after the processing ended"
    return [
        {"action": "distribute", "description": publish, "based": law(61, 4), "constraint": [within]},
        {
            "target": targets,
            "action": "attribute",
            "description": "to acknowledge the sources of the data and the framework of the European Health Data Space",
            "based": law(61, 4),
        },
        {"action": "inform", "description": "to tell the access body of significant findings", "based": law(61, 5)},
    ]


def _constraint(left: str, operator: str, right: object) -> dict[str, Any]:
    return {"type": "Constraint", "leftOperand": left, "operator": operator, "rightOperand": right}


def _typed(value: str, kind: str) -> dict[str, str]:
    return {"@value": value, "@type": f"xsd:{kind}"}


def _decimal(quanta: int, places: int) -> str:
    return f"{quanta // 10**places}.{quanta % 10**places:0{places}d}"
