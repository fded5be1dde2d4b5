"""What a query under a permit reads: which snapshots, and whose rows in them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from catalog.schema import DatasetSchema
from dataspace.domain.errors import InvalidQuery, WrongState
from dataspace.domain.opt_outs import KeyName
from dataspace.domain.permits import DataPermit, SnapshotRule
from dataspace.domain.populations import Population
from dataspace.services.cohorts import Cohorts
from dataspace.services.ports import PrivateStore, UnitOfWork
from dataspace.sql import parse_population


def snapshots_of(work: UnitOfWork, permit: DataPermit) -> dict[str, str]:
    """The snapshot of each dataset that the permit's snapshot rule chooses."""
    if permit.snapshot_rule is SnapshotRule.AT_GRANT:
        return dict(permit.snapshots)
    return {dataset: work.datasets.get(dataset).current or granted for dataset, granted in permit.snapshots.items()}


def check_linkable(snapshots: Mapping[str, str], store: PrivateStore) -> None:
    """Raise WrongState unless a person has one person key in all of the snapshots.

    Otherwise no row would find its person, and one person would count as two.
    """
    if not _linked(snapshots, store):
        raise WrongState(
            f"datasets {', '.join(sorted(snapshots))} cannot be joined: the same person has not the same pseudonym in"
            " them. Ask about each on its own; to link them, the data holders ingest them under one pseudonymisation"
            " domain, spelling and version of the key, and the access body grants a permit on these snapshots"
        )


def population_of(permit: DataPermit, dictionary: Mapping[str, DatasetSchema]) -> Population | None:
    """Whom the permit is about, by the dictionaries of the snapshots that are read; None for everybody.

    Raises WrongState where they cannot tell, as when a later snapshot has no longer a column that its condition names.
    """
    if not permit.population:
        return None
    try:
        return parse_population(permit.population, dictionary)
    except InvalidQuery as error:
        raise WrongState(
            f"permit {permit.number} is about a population that cannot be told from the data it reads now, so it gives"
            f" no answer: {error.message} Ask the access body for a permit that fits these data"
        ) from None


def check_told(permit: DataPermit, population: Population, snapshots: Mapping[str, str], store: PrivateStore) -> None:
    """Raises WrongState unless the population's persons are found by their keys in all of the snapshots."""
    if not _linked(snapshots, store):
        raise WrongState(
            f"permit {permit.number} is about a population that dataset {population.dataset} tells, and the same person"
            f" has not the same pseudonym in {', '.join(sorted(set(snapshots) - {population.dataset}))}: ask about"
            f" {population.dataset} alone, or ask the access body for a permit on snapshots that can be linked"
        )


def _linked(snapshots: Mapping[str, str], store: PrivateStore) -> bool:
    """True if one key made the person keys of all of the snapshots."""
    if len(snapshots) < 2:
        return True
    keys = [store.key(dataset, snapshot) for dataset, snapshot in snapshots.items()]
    return len({(key.domain, key.id, key.normalise) for key in keys}) == 1


def opted_out(
    work: UnitOfWork, permit: DataPermit, snapshots: Mapping[str, str], store: PrivateStore, cohorts: Cohorts
) -> dict[str, NDArray[np.int64]]:
    """Persons that each dataset is read without: those who had opted out when the permit was approved (Art. 71(3)).

    The cohort is fixed at that moment; what they choose later changes nothing under this permit.
    """
    if permit.opt_out_exception:
        return {}
    made = {dataset: store.key(dataset, snapshot) for dataset, snapshot in snapshots.items()}
    keys = {dataset: KeyName(key.domain, key.id) for dataset, key in made.items()}
    return {dataset: cohorts.opted_out(work.opt_outs, key, permit.granted_at) for dataset, key in keys.items()}
