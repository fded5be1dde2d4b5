"""The one place where a node's parts are put together."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from dataspace import high_water
from dataspace.audit_files import AuditFiles
from dataspace.checkpoint_folder import CheckpointFolder
from dataspace.db import SqlUnitOfWork, migrate, open_engine
from dataspace.domain.actors import SYSTEM
from dataspace.domain.calendars import Calendar
from dataspace.domain.clock_states import Counting
from dataspace.domain.errors import NotFound, Unavailable
from dataspace.domain.privacy import ByEpsilon, Guarantee, PrivacyLoss
from dataspace.domain.releases import Release
from dataspace.domain.reminders import Targets
from dataspace.domain.tabulations import NODE_USER, Tabulation
from dataspace.dp.accountant import budget_of, epsilon_of
from dataspace.dp.noise import Noise, OpenDPNoise, SeededNoise, ZeroNoise
from dataspace.high_water import HighWater
from dataspace.national_days import national_calendar
from dataspace.passwords import ARGON2
from dataspace.pseudonyms import StorePseudonyms, wrapping_of
from dataspace.services import checkpoints, ledger, permits, register, tabulations
from dataspace.services.documents import Recent
from dataspace.services.ports import Clock, Pseudonyms, UnitOfWork
from dataspace.services.queries import Engine, Question, run_query
from dataspace.services.sign_in_ports import Passwords
from dataspace.settings import Mode, Settings
from dataspace.signing import SigningKeys
from pipelines.store.reader import Store

if TYPE_CHECKING:
    from catalog.catalogue import Catalogue
    from catalog.registry import FolderRegistry


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class Node:
    """A node that is ready to serve. `unit_of_work` makes a fresh one; they are not shared between threads."""

    settings: Settings
    unit_of_work: Callable[[], UnitOfWork]
    store: Store
    clock: Clock
    engine: Engine
    pseudonyms: Pseudonyms
    version: str = version("dataspace")
    passwords: Passwords = ARGON2

    @property
    def audit_files(self) -> AuditFiles:
        """Where parts of the audit trail are after their retention."""
        return AuditFiles(self.settings.audit_archive)

    @property
    def high_water(self) -> HighWater:
        """How far the ledger has come, as noted beside the database."""
        return HighWater(self.settings.home / "ledger.high-water")

    def limit_of(self, guarantee: Guarantee) -> PrivacyLoss:
        """The largest privacy loss that stays within a guarantee."""
        return budget_of(guarantee)

    def epsilon_of(self, loss: PrivacyLoss, guarantee: Guarantee) -> Decimal:
        """Epsilon of a loss at the guarantee's delta, rounded up for display."""
        return epsilon_of(loss, guarantee.delta)

    @property
    def counting(self) -> Counting:
        """How deadlines are counted here."""
        return Counting(self.calendar, self.settings.pause_clocks, self.settings.reporting_since)

    @property
    def calendar(self) -> Calendar:
        """Working days and legal days here."""
        return national_calendar(self.settings.country, self.settings.time_zone)

    @property
    def targets(self) -> Targets:
        """Where messages lead and go."""
        return Targets(self.settings.public_url, tuple(self.settings.webhook_urls.split()))

    def ask_tabulation(self, permit_id: str, tabulation: Tabulation, idempotency_key: str) -> Release:
        """One question of a tabulation plan, asked as the node for its applicant."""
        question = Question(tabulation.sql, ByEpsilon(tabulation.epsilon))
        asked = run_query(self.unit_of_work(), self.clock, NODE_USER, permit_id, question, idempotency_key, self.engine)
        return asked.release

    def answer_requests(self) -> int:
        """Run what waits of approved tabulation plans; how many were answered."""
        return tabulations.run_waiting(self.unit_of_work(), self.clock, self.ask_tabulation)

    def categories_of(self, dataset: str) -> tuple[str, ...]:
        """Letters or codes of Art. 51(1) in the dataset's catalogue record; says so where there are none."""
        from catalog.errors import RecordNotFound

        try:
            stated = self._registry().get(dataset).health_category
        except RecordNotFound:
            stated = ()
        return tuple(re.split("[/#]", iri)[-1] for iri in stated) or ("not-stated",)

    def record_turtle(self, dataset: str) -> str:
        """The catalogue record of a dataset."""
        return self._registry().turtle(dataset)

    def catalogue_turtle(self) -> str:
        """All records as one catalogue."""
        return self._registry().catalogue_turtle(_catalogue(self.settings.public_url))

    @cached_property
    def signatures(self) -> SigningKeys:
        """What signs the documents that leave the node."""
        return SigningKeys(self.settings.keys / "signing", wrapping_of(self.settings.keys))

    @cached_property
    def recent_status(self) -> Recent:
        """The status list of permits, kept for seconds."""
        return Recent()

    @cached_property
    def checkpoints(self) -> tuple[CheckpointFolder, ...]:
        """Where checkpoints are kept: the first is the node's own."""
        return tuple(CheckpointFolder(folder) for folder in self.settings.checkpoints)

    def _registry(self) -> "FolderRegistry":
        # RDF libraries take most of a second to import, and only these pages need them.
        from catalog.registry import FolderRegistry

        return FolderRegistry(self.settings.catalogue)


def open_node(settings: Settings, *, create: bool = True) -> Node:
    """Folders, accounts database at its newest schema, store, registry, noise. Refuses what is not safe to run.

    Where there is no node yet one is made, unless `create` is false: then NotFound, and nothing is made. Raises
    Unavailable for a node with a history whose secret is missing.
    """
    file = _database_file(settings)
    if not create and file is not None and not file.exists():
        raise _no_node(settings)
    database = open_engine(settings.database)
    migrate(database)
    has_history = _has_history(SqlUnitOfWork(database))
    if not create and file is None and not has_history:
        raise _no_node(settings)
    secret = bounding_secret(settings.keys, may_make=not has_history)
    for folder in (settings.home, settings.store, settings.catalogue):
        folder.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store, memory_limit=settings.memory_limit)
    noted = HighWater(settings.home / "ledger.high-water").note
    return Node(
        settings=settings,
        unit_of_work=lambda: SqlUnitOfWork(database, noted),
        store=store,
        clock=SystemClock(),
        engine=Engine(store=store, noise=choose_noise(settings), secret=secret),
        pseudonyms=StorePseudonyms(store, settings.keys),
    )


def _database_file(settings: Settings) -> Path | None:
    """The accounts database, where it is a file."""
    name = settings.database.removeprefix("sqlite:///")
    return Path(name) if name != settings.database else None


def _no_node(settings: Settings) -> NotFound:
    return NotFound(
        f"there is no node at {settings.home}: set DATASPACE_HOME to the folder of one, or make one with"
        " dataspace person add"
    )


def _has_history(uow: UnitOfWork) -> bool:
    with uow.reading():
        return uow.audit.head().seq > 0


def check_books(node: Node) -> None:
    """What a node does before it answers anything: recompute the ledger, take back what expired permits left, and
    answer what a stop left unanswered of data requests.

    Raises Unavailable if a hash, a posting or a balance does not hold (`dataspace audit verify` lists what), or if the
    database is an older copy of itself.
    """
    _check_not_restored(node)
    state = ledger.verify(node.unit_of_work(), node.audit_files)
    if not state.sound:
        raise Unavailable(
            f"the ledger or the audit trail does not hold ({state.findings[0].text}): no question is answered until it"
            " does; dataspace audit verify lists every fault"
        )
    older = checkpoints.compare_checkpoints(node.unit_of_work(), node.signatures, node.checkpoints)
    if older:
        raise Unavailable(
            f"{older[0].text}; no question is answered until then (dataspace ledger verify lists every fault)"
        )
    permits.return_expired_budgets(node.unit_of_work(), node.clock, SYSTEM)
    node.answer_requests()
    register.catch_up(node.unit_of_work(), node.clock)


def _check_not_restored(node: Node) -> None:
    noted = node.high_water.read()
    with node.unit_of_work().reading() as work:
        reached = work.ledger.head()
        there = [posting.hash for posting in work.ledger.postings(max(noted.seq - 1, 0), 1)]
    high_water.check(noted, reached, there[0] if there else None)
    node.high_water.note(reached)


def choose_noise(settings: Settings) -> Noise:
    """OpenDP's, except in test mode, where noise may be absent or seeded. Checked here again, whatever settings say."""
    if settings.noise == "opendp":
        return OpenDPNoise()
    if settings.mode is not Mode.TEST:
        raise RuntimeError("noise that is absent or predictable is for tests alone")
    if settings.noise == "zero":
        return ZeroNoise()
    return SeededNoise(int(settings.noise.removeprefix("seeded:")))


def bounding_secret(folder: Path, *, may_make: bool = True) -> bytes:
    """32 bytes that fix which rows and groups of a person are kept; made on first use, readable by the node alone.

    Another secret would keep other rows of the same persons, beside what was released already: where there is a
    history (`may_make` is false), a missing one raises Unavailable.
    """
    path = folder / "bounding.secret"
    if not path.exists() and not may_make:
        raise Unavailable(
            f"this node has a history, but {path}, the secret that fixes which rows count, is missing: set"
            " DATASPACE_KEY_ROOT to the folder of its keys, or restore that folder from its backup"
        )
    return sha256(b"bounding" + _kept(path)).digest()


def cookie_secret(folder: Path) -> bytes:
    """32 bytes that sign cookies; made on first use. Where it is lost, everybody signs in again and nothing else."""
    return sha256(b"cookies" + _kept(folder / "cookies.secret")).digest()


def _kept(path: Path) -> bytes:
    """What the file holds: 32 random bytes, made if it is not there, readable by the node alone."""
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = folder / f"{path.stem}.{secrets.token_hex(8)}"
        with draft.open("xb") as file:
            draft.chmod(0o600)
            file.write(secrets.token_bytes(32))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()


def _catalogue(public_url: str) -> "Catalogue":
    from catalog.catalogue import Catalogue
    from catalog.dataset import Agent, ContactPoint
    from catalog.values import said

    return Catalogue(
        iri=f"{public_url}/catalogue",
        title=said(en="Health data for secondary use", fr="Données de santé pour l'utilisation secondaire"),
        description=said(
            en="Datasets that can be asked for under a data permit.",
            fr="Jeux de données accessibles avec une autorisation de traitement de données.",
        ),
        publisher=Agent(name=said(en="Health data access body"), contact=ContactPoint(page=(f"{public_url}/",))),
    )
