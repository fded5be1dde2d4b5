"""Shapes of persons, organisations, tokens and sessions."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dataspace.wire import Day, Plain, Shape

Scope = Literal["read", "query", "apply", "decide", "record", "audit", "opt-out", "operate", "account"]
Kind = Literal[
    "data-holder", "trusted-holder", "intermediation-entity", "user-organisation", "access-body",
    "coordinator-access-body", "supervisory-authority",
]  # fmt: skip
RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,39}$")]


class Person(Shape):
    """A person with their roles; one who is not active cannot sign in."""

    id: str
    name: str
    organisation: str
    roles: list[str]
    active: bool


class TokenRequest(Shape):
    """A personal access token for oneself; without scopes it may do all that its person may."""

    label: Plain = Field(default="", max_length=200)
    scopes: list[Scope] = Field(default=[], max_length=9)
    days: int = Field(default=90, ge=1, le=365)


class TokenEntry(Shape):
    """A token as its owner sees it; `last_used_on` is a day, never a time."""

    id: str
    label: str
    scopes: list[str] | None
    issued_at: datetime
    expires_at: datetime
    last_used_on: date | None


class NewToken(Shape):
    """The only time its text is shown."""

    id: str
    token: str = Field(repr=False)
    expires_at: datetime


class SessionEntry(Shape):
    """A browser that is signed in."""

    id: str
    method: str
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool


class RolesRequest(Shape):
    """Roles to give and to take away, in one step."""

    give: list[RoleName] = Field(default=[], max_length=20)
    take: list[RoleName] = Field(default=[], max_length=20)


class Organisation(Shape):
    """An organisation; `exempt` are holders that no duty binds (Art. 50(1)(b)), and is told, never set."""

    name: Plain = Field(min_length=1, max_length=200)
    kind: Kind = "user-organisation"
    public_body: bool = False
    country: str = Field(default="", pattern=r"^([A-Z]{2})?$")
    legal_id: Plain = Field(default="", max_length=64)
    size: Literal["micro", "small", "medium", "large"] | None = None
    trusted_until: Day | None = None


class OrganisationEntry(Organisation):
    """An organisation with what follows from it today."""

    exempt: bool
    trusted: bool
