"""The opt-out register beside an ingestion and a re-keying: persons in it are found under a dataset's keys too.

What is stored is published only when it is linked: when everybody who opted out is known under its key. Choices made
later see the snapshot in the store, and are entered under its key at once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataspace.domain.actors import SYSTEM
from dataspace.domain.errors import NotFound
from dataspace.domain.opt_outs import KeyName
from dataspace.services.opt_outs import Stored, is_linked, last_choice, link_opt_outs, rekey_opt_outs
from dataspace.settings import Settings
from pipelines.addition import Mode
from pipelines.errors import KeystoreError
from pipelines.ingest import IngestReport
from pipelines.keystore import REGISTER_DOMAIN, Keystore, open_keystore
from pipelines.plan import Plan
from pipelines.rekey import rekey_person_keys
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot

if TYPE_CHECKING:
    from dataspace.bootstrap import Node

PAGE = 10_000


@dataclass(frozen=True)
class Register:
    """The register as an ingestion finds it: `numbers` of all persons, its newest place, and what vouches for later.

    `witnesses` are snapshots of the plan's domain and spelling: as long as one is in the store, a choice is entered
    under the domain's newest key, which is version `newest`, when it is made. `base` is the snapshot that rows are
    added to, and `sound` is false if it is not linked.
    """

    node: "Node"
    keystore: Keystore
    numbers: frozenset[int]
    place: int
    witnesses: frozenset[Stored]
    newest: int | None
    base: Stored | None
    sound: bool

    def link(self, report: IngestReport) -> bool:
        """Enter the choices of all whom the ingestion recognised; False if that may not be everybody."""
        key, snapshot = report.snapshot.key, stored(report.snapshot)
        node = self.node
        there = snapshot in {stored(s) for s in node.store.snapshots(snapshot.dataset)}
        # between opening the register and reading the store, another ingestion may have changed what is current
        same_base = self.base is None or (report.before is not None and stored(report.before) == self.base)
        return link_opt_outs(
            node.unit_of_work(), node.clock, SYSTEM, node.pseudonyms.register_key, KeyName(key.domain, key.id),
            lambda number: report.linked.get(number, ()), snapshot,
            after=None if self._covers_later(report.snapshot) else self.place, sound=self.sound and there and same_base,
        )  # fmt: skip

    def _covers_later(self, snapshot: Snapshot) -> bool:
        key = snapshot.key
        newest = (self.newest,) == self.keystore.versions(key.domain)[-1:] == (key.version,)
        return newest and bool(self.witnesses & _witnesses(self.node.store, key.domain, key.normalise))


def open_register(plan: Plan, store: Path, keys: Path | None, mode: Mode) -> Register | None:
    """The node's register before an ingestion, None where there is no node.

    Raises KeystoreError, before anything is stored, if the ingestion's keys are not the node's.
    """
    node, keystore = check_one_keystore(keys), open_keystore(keys)
    if node is None:
        return None
    register = node.pseudonyms.register_key
    # in this order: every choice after `place` is made with the witnesses in the store
    newest = next(reversed(keystore.versions(plan.domain)), None)
    witnesses = _witnesses(node.store, plan.domain, plan.normalise)
    base = stored(Store(store).current(plan.dataset)) if mode.adds else None
    sound = base is None or is_linked(node.unit_of_work(), register, base)
    place = last_choice(node.unit_of_work(), register)
    with node.unit_of_work().reading() as work:
        numbers = frozenset(e.person.number for page in work.opt_outs.pages(register, PAGE) for e in page)
    return Register(node, keystore, numbers, place, witnesses, newest, base, sound)


def check_one_keystore(keys: Path | None) -> "Node | None":
    """The node, None where there is none yet and so no register; raises KeystoreError if its keys are others."""
    node, keystore = _node(), open_keystore(keys)
    if node is None:
        return None
    own = node.pseudonyms.register_key.id
    there = keystore.versions(REGISTER_DOMAIN)
    if not there or keystore.key(REGISTER_DOMAIN, purpose="compare keystores").id != own:
        raise KeystoreError(
            f"{keystore.folder}: not the keystore of this node, which is {node.settings.keys}: persons who opted out"
            " would not be found. Nothing was stored. Leave out --keys and DATASPACE_KEYSTORE, or set"
            " DATASPACE_KEY_ROOT to this folder."
        )
    return node


def rekey_register(dataset: str, store: Path, keys: Path | None) -> None:
    """Carry choices over to the key of the current snapshot, which a re-keying made of a linked one."""
    node, opened, keystore = check_one_keystore(keys), Store(store), open_keystore(keys)
    if node is None:
        return
    newer, register = opened.current(dataset), node.pseudonyms.register_key
    if is_linked(node.unit_of_work(), register, stored(newer)):
        return
    for used in reversed([s for s in opened.snapshots(dataset) if _is_before(s, newer)]):
        if is_linked(node.unit_of_work(), register, stored(used)):
            _carry_over(node, keystore, used, newer)
            return


def stored(snapshot: Snapshot) -> Stored:
    """A snapshot, as the register names it."""
    return Stored(snapshot.dataset, snapshot.id, snapshot.created_at)


def _carry_over(node: "Node", keystore: Keystore, used: Snapshot, newer: Snapshot) -> None:
    domain = newer.key.domain

    def renamed(number: int) -> list[int]:
        return rekey_person_keys([number], keystore, domain, used.key.version, newer.key.version)

    rekey_opt_outs(
        node.unit_of_work(), node.clock, SYSTEM,
        KeyName(domain, used.key.id), KeyName(domain, newer.key.id), renamed, stored(newer),
    )  # fmt: skip


def _is_before(snapshot: Snapshot, newer: Snapshot) -> bool:
    """Whether `newer` holds the same rows under a later version of the same domain's key."""
    return (snapshot.key.domain, snapshot.key.normalise, snapshot.plan_hash, snapshot.sources) == (
        newer.key.domain, newer.key.normalise, newer.plan_hash, newer.sources
    ) and snapshot.key.version < newer.key.version  # fmt: skip


def _witnesses(store: Store, domain: str, rule: tuple[str, ...] | None) -> frozenset[Stored]:
    return frozenset(
        stored(snapshot)
        for dataset in store.datasets()
        for snapshot in store.snapshots(dataset)
        if (snapshot.key.domain, snapshot.key.normalise) == (domain, rule)
    )


def _node() -> "Node | None":
    from dataspace.bootstrap import open_node

    try:
        return open_node(Settings(), create=False)
    except NotFound:
        return None
