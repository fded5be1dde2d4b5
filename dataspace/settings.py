"""Settings of a node: environment variables `DATASPACE_…`, or a file named by `DATASPACE_ENV_FILE`.

The defaults are the embedded node: SQLite and folders under `.dataspace`. A production node states everything that
matters and is refused otherwise (`production_faults`).
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dataspace.domain.actors import Role
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
    trusted_proxies: str = Field(
        default="",
        description="addresses of reverse proxies whose X-Forwarded-For is believed, separated by spaces; none: nobody",
    )
    public_url: str = "http://127.0.0.1:8000"
    checkpoint_root: Path | None = Field(default=None, description="signed checkpoints; home/checkpoints by default")
    witness: Path | None = Field(
        default=None, description="a folder of another machine that checkpoints are kept in too"
    )
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = Field(default=None, description="better in the file that follows")
    oidc_client_secret_file: Path | None = None
    oidc_match_email: bool = Field(
        default=False, description="link a new identity to the person of its verified e-mail"
    )
    oidc_roles_claim: str = "roles"
    oidc_roles: dict[str, Role] = Field(default={}, description='provider role to role here, {"auditors": "operator"}')
    local_accounts: bool = Field(default=True, description="sign in with a password kept by the node")
    release_grid_ms: int = Field(default=250, ge=0, le=10_000, description="answers leave on multiples of this")
    memory_limit: str = Field(default="1GB", pattern=r"^[1-9][0-9]*(MB|GB)$")
    noise: str = Field(default="opendp", pattern=r"^(opendp|zero|seeded:[0-9]{1,9})$")
    max_dataset_epsilon: Decimal = Field(default=Decimal(10), gt=0, le=20)
    # deadlines
    country: str = Field(default="FR", pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="whose holidays: FR, DE-BY")
    time_zone: str = Field(default="Europe/Paris", description="the legal time, in which days begin and end")
    pause_clocks: bool = Field(default=False, description="decisions wait while the applicant completes (TEHDAS2)")
    reporting_since: date | None = Field(
        default=None, description="first day of the first report of activity (Art. 59)"
    )
    # messages
    smtp_host: str | None = Field(default=None, description="without it no e-mail leaves the node")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_tls: Literal["starttls", "implicit", "none"] = Field(default="starttls", description="none: loopback only")
    smtp_user: str | None = None
    smtp_password: SecretStr | None = Field(default=None, repr=False)
    mail_from: str = Field(default="dataspace@localhost.localdomain", description="sender of the node's e-mail")
    webhook_urls: str = Field(default="", description="addresses told of every reminder, separated by spaces")
    webhook_hosts: str = Field(default="", description="host names that a webhook may go to, separated by spaces")
    webhook_internal_hosts: str = Field(default="", description="those of them that may be at private addresses")
    webhook_secret: SecretStr | None = Field(default=None, repr=False, description="signs webhooks (HMAC-SHA256)")
    webhook_loopback: bool = Field(default=False, description="webhooks may go to this machine, also without TLS")
    message_tries: int = Field(default=12, ge=1, le=100, description="so often a message is tried, over two days")

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

    @property
    def secure_cookies(self) -> bool:
        return self.mode is Mode.PRODUCTION

    def client_secret(self) -> str | None:
        """The secret of this client at the identity provider; raises OSError if its file cannot be read."""
        if self.oidc_client_secret_file is not None:
            return self.oidc_client_secret_file.read_text(encoding="utf-8").strip()
        return self.oidc_client_secret.get_secret_value() if self.oidc_client_secret else None

    @property
    def proxies(self) -> list[str]:
        return self.trusted_proxies.split()

    @property
    def checkpoints(self) -> tuple[Path, ...]:
        """The node's own folder of checkpoints first, then its witness, if it has one."""
        own = self.checkpoint_root or self.home / "checkpoints"
        return (own,) if self.witness is None else (own, self.witness)

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        faults = noise_faults(self) + production_faults(self) + message_faults(self) + proxy_faults(self)
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
    elif not settings.oidc_issuer.startswith("https://"):
        faults.append("DATASPACE_OIDC_ISSUER has to be an https:// address")
    if settings.oidc_issuer and not settings.oidc_client_id:
        faults.append("DATASPACE_OIDC_CLIENT_ID has to name this node at the identity provider")
    if settings.key_root is None or settings.key_root.is_relative_to(settings.home):
        faults.append("DATASPACE_KEY_ROOT has to be a folder outside of DATASPACE_HOME: keys live apart from data")
    if settings.release_grid_ms == 0:
        faults.append("DATASPACE_RELEASE_GRID_MS has to be above 0: response times must not depend on data")
    return faults


def proxy_faults(settings: Settings) -> list[str]:
    """Whoever is believed says from where others guess passwords: never everybody."""
    faults = []
    for proxy in settings.proxies:
        try:
            everybody = ip_network(proxy).prefixlen == 0
        except ValueError:
            everybody = True
        if everybody:
            faults.append("DATASPACE_TRUSTED_PROXIES names addresses or networks of your own proxies, as 10.0.0.7")
    return faults[:1]


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def message_faults(settings: Settings) -> list[str]:
    """Messages go out encrypted, to hosts that were named, and signed."""
    faults = []
    if settings.smtp_tls == "none" and settings.smtp_host and settings.smtp_host not in LOOPBACK:
        faults.append("DATASPACE_SMTP_TLS=none is for a mail server on this machine; set starttls or implicit")
    if settings.webhook_urls.strip() and settings.webhook_secret is None:
        faults.append("DATASPACE_WEBHOOK_SECRET has to be set: receivers check with it who sent a webhook")
    return faults
