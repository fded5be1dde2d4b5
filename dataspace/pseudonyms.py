"""From an identifier to person keys, for the opt-out register: the one place of this package that touches keys.

An identifier is spelled as the plan of each dataset says and keyed with each key the store's snapshots were made with;
it is not kept. Nothing here looks into a dataset.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataspace.domain.errors import InvalidInput, Unavailable
from dataspace.domain.opt_outs import KeyName, PersonKey, Pseudonymised
from pipelines.errors import KeystoreError, PipelineError
from pipelines.keystore import REGISTER_DOMAIN, DomainKey, Wrapping, open_keystore
from pipelines.opt_outs import register_numbers, spellings
from pipelines.pseudonyms import Pseudonymiser
from pipelines.store.reader import Store
from pipelines.store.record import Key
from pipelines.store.spelling import Rule, rules_of

PURPOSE = "opt-out register"
"""What the log of key use says."""


class StorePseudonyms:
    """`dataspace.services.ports.Pseudonyms` over the store's records and the keystore."""

    def __init__(self, store: Store, keys: Path) -> None:
        self._store, self._keystore = store, open_keystore(keys)

    @property
    def register_key(self) -> KeyName:
        """Name of the register's own key; the key is made on first use."""
        with _reachable():
            return _name(self._register())

    def of(self, identifier: str) -> Pseudonymised:
        """Raises InvalidInput for an identifier of which no spelling leaves anything, Unavailable without the keys."""
        with _reachable():
            register = self._register()
            number = register_numbers(register, [identifier])[0]
            if number is None:
                raise InvalidInput("the identifier holds no letter or digit")
            found = {name: self._under(*name, identifier) for name in self._used()}
        elsewhere = frozenset[PersonKey]().union(*found.values())
        refused = {f"{domain} ({', '.join(rules[0])})" for (domain, _, rules), keys in found.items() if not keys}
        return Pseudonymised(PersonKey(_name(register), number), elsewhere, tuple(sorted(refused)))

    def _under(self, domain: str, version: int, rules: tuple[Rule, ...], identifier: str) -> frozenset[PersonKey]:
        """The person under one key, by each rule that a spelling of the identifier passes."""
        key = self._keystore.key(domain, version, purpose=PURPOSE)
        numbers = (Pseudonymiser(key, rule).person_key(text) for rule in rules for text in spellings(identifier))
        return frozenset(PersonKey(_name(key), number) for number in numbers if number is not None)

    def _register(self) -> DomainKey:
        """The register's only key; raises KeystoreError if there are several, of which one has forgotten everybody."""
        if len(self._keystore.versions(REGISTER_DOMAIN)) > 1:
            raise KeystoreError("The opt-out register's key was rotated: remove the versions after the first.")
        return self._keystore.key(REGISTER_DOMAIN, purpose=PURPOSE)

    def _used(self) -> set[tuple[str, int, tuple[Rule, ...]]]:
        """Domain, key version and rules of every snapshot, and the domain's newest version: datasets may move to it."""
        keys = {s.key for dataset in self._store.datasets() for s in self._store.snapshots(dataset)}
        return {(key.domain, version, rules_of(key)) for key in keys for version in self._versions(key)}

    def _versions(self, key: Key) -> set[int]:
        return {key.version, *self._keystore.versions(key.domain)[-1:]}


def wrapping_of(keys: Path) -> Wrapping:
    """What wraps the keys in a folder at rest: the node's signing keys are wrapped by the same."""
    return open_keystore(keys).wrapping


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except PipelineError:
        raise Unavailable(
            "the opt-out register cannot reach the keys or the store's records: nothing was recorded; the operator must"
            " look at DATASPACE_KEY_ROOT and DATASPACE_STORE_ROOT"
        ) from None


def _name(key: DomainKey) -> KeyName:
    return KeyName(key.domain, key.id)
