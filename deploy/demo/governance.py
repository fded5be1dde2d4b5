"""The operator's part of the demo: register the dataset and four persons, hand each their access token."""

from dataclasses import dataclass
from decimal import Decimal

from dataspace.bootstrap import Node, open_node
from dataspace.domain.actors import SYSTEM, Actor, Organisation, Role
from dataspace.domain.privacy import Guarantee
from dataspace.services import accounts, datasets
from dataspace.settings import Settings

HOLDER = Organisation("Demonstration Hospital")
UNIVERSITY = Organisation("Department of Epidemiology")
ACCESS_BODY = Organisation("Health Data Access Body", public_body=True)


@dataclass(frozen=True, repr=False)
class Tokens:
    """Access tokens by what their owner does."""

    researcher: str
    assessor: str
    decision_maker: str


def register_everyone(settings: Settings, dataset: str) -> tuple[Tokens, list[str]]:
    """Returns the tokens, and what happened in words."""
    node = open_node(settings)
    holder = _person(node, "Data steward", HOLDER, Role.DATA_HOLDER)
    capacity = Guarantee(Decimal(10), Decimal("0.00001"))
    datasets.register_dataset(
        node.unit_of_work(), node.clock, holder,
        dataset=dataset, title="OHDSI GiBleed", capacity=capacity, to_limit=node.limit_of,
    )  # fmt: skip
    record = node.store.current(dataset)
    datasets.publish_snapshot(node.unit_of_work(), node.clock, holder, schema=record.schema, snapshot=record.id)
    tokens = Tokens(
        researcher=_token(node, _person(node, "Researcher", UNIVERSITY, Role.APPLICANT)),
        assessor=_token(node, _person(node, "Assessor", ACCESS_BODY, Role.HDAB_ASSESSOR)),
        decision_maker=_token(node, _person(node, "Decision maker", ACCESS_BODY, Role.HDAB_DECISION_MAKER)),
    )
    facts = [
        f"dataset {dataset}: all permits together may spend epsilon {capacity.epsilon} at delta {capacity.delta:f}",
        f"snapshot {record.id} is current",
        "a data steward, a researcher, an assessor and a decision maker of the access body are registered",
    ]
    return tokens, facts


def _person(node: Node, name: str, organisation: Organisation, role: Role) -> Actor:
    return accounts.register_person(
        node.unit_of_work(), node.clock, SYSTEM, name=name, organisation=organisation, roles=frozenset({role})
    )


def _token(node: Node, person: Actor) -> str:
    return accounts.issue_token(node.unit_of_work(), node.clock, SYSTEM, person.id, label="demo").plaintext
