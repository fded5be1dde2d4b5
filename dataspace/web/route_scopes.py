"""Which scope a token needs at each address of the API. What is in neither table is for tokens without scopes only."""

from dataspace.domain.token_scopes import TokenScope

PUBLIC = frozenset(
    {
        "GET /health",
        "GET /datasets",
        "GET /datasets/{dataset_id}",
        "GET /datasets/{dataset_id}/record",
        "GET /register",
        "GET /ledger",
        "GET /ledger/postings",
    }
)
"""Nobody is asked who they are."""

SCOPES: dict[str, TokenScope] = {
    "POST /applications": TokenScope.APPLY,
    "GET /applications": TokenScope.READ,
    "GET /applications/{application_id}": TokenScope.READ,
    "POST /applications/{application_id}/withdrawal": TokenScope.APPLY,
    "POST /applications/{application_id}/assessment": TokenScope.DECIDE,
    "POST /applications/{application_id}/grant": TokenScope.DECIDE,
    "POST /applications/{application_id}/refusal": TokenScope.DECIDE,
    "GET /permits": TokenScope.READ,
    "GET /permits/{permit_id}": TokenScope.READ,
    "GET /permits/{permit_id}/budget": TokenScope.READ,
    "POST /permits/{permit_id}/revocation": TokenScope.DECIDE,
    "POST /permits/{permit_id}/estimate": TokenScope.QUERY,
    "POST /permits/{permit_id}/queries": TokenScope.QUERY,
    "POST /opt-outs": TokenScope.OPT_OUT,
    "POST /opt-outs/withdrawal": TokenScope.OPT_OUT,
    "POST /opt-outs/status": TokenScope.OPT_OUT,
    "GET /account": TokenScope.READ,
    "GET /account/tokens": TokenScope.ACCOUNT,
    "POST /account/tokens": TokenScope.ACCOUNT,
    "POST /account/tokens/{token_id}/revocation": TokenScope.ACCOUNT,
    "GET /account/sessions": TokenScope.ACCOUNT,
    "POST /account/sessions/{session_id}/end": TokenScope.ACCOUNT,
    "GET /organisations": TokenScope.READ,
    "POST /organisations": TokenScope.OPERATE,
    "GET /persons": TokenScope.OPERATE,
    "POST /persons/{person_id}/roles": TokenScope.OPERATE,
    "POST /persons/{person_id}/deactivation": TokenScope.OPERATE,
    "POST /persons/{person_id}/reactivation": TokenScope.OPERATE,
}


def needed_scope(method: str, path: str) -> TokenScope | None:
    """The scope for a route's method and path template, None if no table names it."""
    return SCOPES.get(f"{method} {path}")
