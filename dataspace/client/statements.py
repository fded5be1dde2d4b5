"""What a node says in its signed public statements, read strictly: amounts are whole quanta, written as text."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Quanta = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,38})$")]
Place = Annotated[int, Field(ge=0, le=2**62, strict=True)]


class Statement(BaseModel):
    """Members that are not known are left alone: later nodes may say more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Amount(Statement):
    pico_rho: Quanta
    atto_delta: Quanta

    @property
    def quanta(self) -> tuple[int, int]:
        return int(self.pico_rho), int(self.atto_delta)


class Head(Statement):
    seq: Place
    hash: str


class DatasetFigures(Statement):
    capacity: Amount
    allocated: Amount
    spent: Amount


class CheckpointClaims(Statement):
    iss: str
    iat: Place
    ledger: Head
    audit: Head
    datasets: dict[str, DatasetFigures]


class PermitFacts(Statement):
    id: str
    state: Literal["pending", "active", "suspended", "revoked", "expired"]
    since: int
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    datasets: dict[str, Amount]
    limit: Amount
    spent: Amount
    returned: Amount


class RegisterRow(Statement):
    """What of a row of the register is about its permit; rows without one have none of it."""

    datasets: list[str]
    permit_number: str | None = None
    permit_state: str | None = None
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


class StatusClaims(Statement):
    iss: str
    iat: Place
    ledger: Head
    register_sha256: str
    keys_sha256: str
    permits: dict[str, PermitFacts]
