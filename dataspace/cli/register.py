"""The opt-out register beside an ingestion and a re-keying: persons in it are found under a dataset's keys too."""

from pathlib import Path
from typing import TYPE_CHECKING

from dataspace.domain.actors import SYSTEM
from dataspace.domain.errors import InvalidInput, NotFound
from dataspace.domain.opt_outs import KeyName
from dataspace.settings import Settings
from pipelines.ingest import IngestReport
from pipelines.keystore import open_keystore
from pipelines.opt_outs import REGISTER_DOMAIN
from pipelines.rekey import rekey_person_keys
from pipelines.store.reader import Store

if TYPE_CHECKING:
    from dataspace.bootstrap import Node

PAGE = 10_000


def registered_persons(keys: Path | None) -> frozenset[int]:
    """Person keys of the register's own domain; every ingestion looks for these persons among its own.

    Raises InvalidInput if the ingestion would look with other keys than the node's.
    """
    node = _node()
    if node is None:
        return frozenset()
    own = open_keystore(keys).key(REGISTER_DOMAIN, purpose="link opt-outs")
    if own.id != node.pseudonyms.register_key.id:
        raise InvalidInput(
            "the ingestion and the node use different keystores: the opt-out register would find nobody; set --keys,"
            " DATASPACE_KEYSTORE and DATASPACE_KEY_ROOT to the node's own"
        )
    with node.unit_of_work().reading() as work:
        pages = work.opt_outs.pages(node.pseudonyms.register_key, PAGE)
        return frozenset(entry.person.number for page in pages for entry in page)


def carry_over(report: IngestReport) -> None:
    """Enter the choices of persons whom the ingestion recognised under the dataset's own key."""
    from dataspace.services.opt_outs import rekey_opt_outs

    node = _node()
    if node is None or not report.linked:
        return
    key = report.snapshot.key
    rekey_opt_outs(
        node.unit_of_work(), node.clock, SYSTEM,
        node.pseudonyms.register_key, KeyName(key.domain, key.id), report.linked.get,
    )  # fmt: skip


def rekey_register(dataset: str, store: Path, keys: Path | None, version: int | None) -> None:
    """Carry choices under the current snapshot's key over to a later version, before anything is stored under it."""
    from dataspace.services.opt_outs import rekey_opt_outs

    node = _node()
    if node is None:
        return
    used, keystore = Store(store).current(dataset).key, open_keystore(keys)
    newer = keystore.key(used.domain, version, purpose="re-key the opt-out register", dataset=dataset)
    if newer.id == used.id:
        return

    def renamed(number: int) -> int:
        return rekey_person_keys([number], keystore, used.domain, used.version, newer.version)[0]

    rekey_opt_outs(
        node.unit_of_work(), node.clock, SYSTEM,
        KeyName(used.domain, used.id), KeyName(newer.domain, newer.id), renamed,
    )  # fmt: skip


def _node() -> "Node | None":
    """The node, or None where there is none yet and so no register."""
    from dataspace.bootstrap import open_node

    try:
        return open_node(Settings(), create=False)
    except NotFound:
        return None
