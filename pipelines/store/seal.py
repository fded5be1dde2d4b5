"""A seal on a snapshot's erasures: what an erasure left behind, under a key that the store does not hold.

A snapshot's name follows from its content, and the accounts database holds the name; after an erasure the name no
longer vouches for the content, and whoever can write the store could dress up a change as an erasure. The seal does.
"""

import hmac
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.store.record import Erasure, Snapshot

if TYPE_CHECKING:
    from pipelines.keystore import DomainKey


def sealed(erasure: Erasure, snapshot: Snapshot, key: "DomainKey") -> Erasure:
    """The erasure of `snapshot` with its seal under the snapshot's own key version."""
    return replace(erasure, seal=_seal(erasure, snapshot, key))


def seal_holds(erasure: Erasure, snapshot: Snapshot, key: "DomainKey") -> bool:
    return hmac.compare_digest(erasure.seal, _seal(erasure, snapshot, key))


def _seal(erasure: Erasure, snapshot: Snapshot, key: "DomainKey") -> str:
    said = [
        snapshot.dataset, snapshot.id, erasure.at.isoformat(), erasure.reason, erasure.files, erasure.before,
        erasure.after,
    ]  # fmt: skip
    return hmac.digest(key.derive(f"erasures of {snapshot.dataset}"), json.dumps(said).encode(), "sha256").hex()
