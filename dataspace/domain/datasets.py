"""A dataset as the accounts database knows it: whose it is, its privacy capacity, which snapshot is current."""

from dataclasses import dataclass
from datetime import datetime

from dataspace.domain.actors import Actor, Role
from dataspace.domain.errors import NotPermitted
from dataspace.domain.privacy import Guarantee, PrivacyLoss


@dataclass(frozen=True)
class Dataset:
    """`capacity` is what all permits together may ever spend on it; `limit` the same in the ledger's quanta.

    `current` is the snapshot that new permits are granted on, None before the first publication.
    """

    id: str
    title: str
    holder: str
    capacity: Guarantee
    limit: PrivacyLoss
    registered_at: datetime
    current: str | None = None
    published_at: datetime | None = None


def check_may_publish(actor: Actor, dataset: Dataset) -> None:
    """Raises NotPermitted unless `actor` belongs to the dataset's holder, prepares data, or runs the node."""
    if actor.has(Role.OPERATOR) or actor.has(Role.HDAB_DATA_PREPARER):
        return
    if actor.has(Role.DATA_HOLDER) and actor.organisation.name == dataset.holder:
        return
    raise NotPermitted(
        f"dataset {dataset.id} belongs to another data holder; only its holder, who prepares data for the access body,"
        " or an operator publishes it"
    )
