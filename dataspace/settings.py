"""Settings of a node: environment variables `DATASPACE_…`, or a file named by `DATASPACE_ENV_FILE`.

The defaults are the embedded node: SQLite and folders under `.dataspace`. A production node states everything that
matters and is refused otherwise (`production_faults`).
"""

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dataspace.domain.audit_records import SHORTEST_RETENTION


class Mode(StrEnum):
    """What the node is for; only `production` may hold real data."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """One value per setting; see `deploy/settings.example.env` for the page an operator fills in."""

    model_config = SettingsConfigDict(env_prefix="DATASPACE_", extra="forbid")

    mode: Mode = Mode.DEMO
    home: Path = Path(".dataspace/node")
    database_url: str | None = Field(default=None, description="SQLAlchemy URL; SQLite under home by default")
    store_root: Path | None = Field(default=None, description="snapshots; home/store by default")
    catalogue_root: Path | None = Field(default=None, description="catalogue records; home/catalogue by default")
    key_root: Path | None = Field(default=None, description="secrets, apart from the data; home/keys by default")
    audit_archive_root: Path | None = Field(
        default=None, description="audit entries past their retention; home/audit-archive by default"
    )
    audit_retention: int = Field(
        default=3653, ge=SHORTEST_RETENTION.days, description="days an audit entry stays in the database"
    )
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str = "http://127.0.0.1:8000"
    oidc_issuer: str | None = None
    release_grid_ms: int = Field(default=250, ge=0, le=10_000, description="answers leave on multiples of this")
    memory_limit: str = Field(default="1GB", pattern=r"^[1-9][0-9]*(MB|GB)$")
    noise: str = Field(default="opendp", pattern=r"^(opendp|zero|seeded:[0-9]{1,9})$")
    max_dataset_epsilon: Decimal = Field(default=Decimal(10), gt=0, le=20)

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'accounts.db'}"

    @property
    def store(self) -> Path:
        return self.store_root or self.home / "store"

    @property
    def catalogue(self) -> Path:
        return self.catalogue_root or self.home / "catalogue"

    @property
    def audit_archive(self) -> Path:
        return self.audit_archive_root or self.home / "audit-archive"

    @property
    def keys(self) -> Path:
        return self.key_root or self.home / "keys"

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        faults = noise_faults(self) + production_faults(self)
        if faults:
            raise ValueError("; ".join(faults))
        return self


def noise_faults(settings: Settings) -> list[str]:
    """Noise that can be predicted or is absent protects nobody: it exists for tests alone."""
    if settings.noise != "opendp" and settings.mode is not Mode.TEST:
        return [f"DATASPACE_NOISE={settings.noise} is for tests: remove it, or set DATASPACE_MODE=test"]
    return []


def production_faults(settings: Settings) -> list[str]:
    """What keeps a production node from starting."""
    if settings.mode is not Mode.PRODUCTION:
        return []
    faults = []
    if not settings.public_url.startswith("https://"):
        faults.append("DATASPACE_PUBLIC_URL has to be the https:// address people use")
    if not settings.oidc_issuer:
        faults.append("DATASPACE_OIDC_ISSUER has to name the identity provider")
    if settings.key_root is None or settings.key_root.is_relative_to(settings.home):
        faults.append("DATASPACE_KEY_ROOT has to be a folder outside of DATASPACE_HOME: keys live apart from data")
    if settings.release_grid_ms == 0:
        faults.append("DATASPACE_RELEASE_GRID_MS has to be above 0: response times must not depend on data")
    return faults
