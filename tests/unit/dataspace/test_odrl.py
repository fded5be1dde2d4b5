"""The permit as an ODRL Agreement, read as the RDF it is, with nothing fetched."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, RDF, XSD

from dataspace import jose
from dataspace.domain.odrl import agreement, law
from dataspace.domain.permit_document import ARTICLE_68_10, KEPT_BACK, NESTED, Named, Parties, statement
from dataspace.domain.permits import DataPermit, Particulars
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.domain.purposes import ProhibitedUse, Purpose

ODRL, DS = Namespace("http://www.w3.org/ns/odrl/2/"), Namespace("urn:dataspace:odrl:")
NODE = "https://node.example"
PERMIT = DataPermit(
    id="pmt_1",
    number="DP-2026-1",
    application="app_1",
    holder="per_1",
    persons=frozenset({"per_1", "per_2"}),
    columns=frozenset({("registry", "person", "sex")}),
    purposes=frozenset({Purpose.RESEARCH, Purpose.CARE}),
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2027, 1, 1, tzinfo=UTC),
    guarantee=Guarantee(Decimal(1), Decimal("0.000001")),
    limit=PrivacyLoss(123_000_000_000, 5),
    snapshots={"registry": "s1"},
    granted_at=datetime(2025, 12, 1, tzinfo=UTC),
    granted_by="per_9",
)
PARTIES = Parties(
    NODE,
    "Autorité des données",
    Named("per_1", "Zoë", "Uni"),
    (Named("per_1", "Zoë", "Uni"), Named("per_2", "Al", "Uni")),
)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph().parse(data=jose.canonical(agreement(PERMIT, PARTIES)), format="json-ld")


def operands(graph: Graph, rule: object, left: URIRef) -> set[tuple[URIRef, object]]:
    """(operator, right operand) of each constraint on `left`."""
    return {
        (graph.value(constraint, ODRL.operator), right)  # type: ignore[misc]
        for constraint in graph.objects(rule, ODRL.constraint)  # type: ignore[arg-type]
        if graph.value(constraint, ODRL.leftOperand) == left
        for right in graph.objects(constraint, ODRL.rightOperand)
    }


def test_it_is_an_agreement_between_two_parties_under_a_profile(graph: Graph) -> None:
    (policy,) = graph.subjects(RDF.type, ODRL.Agreement)
    assert str(policy) == f"{NODE}/api/v1/permits/pmt_1"
    assert graph.value(policy, ODRL.profile) == URIRef("urn:dataspace:odrl:")
    assert graph.value(graph.value(policy, ODRL.assigner), DCTERMS.title) == Literal("Autorité des données")
    assert graph.value(policy, ODRL.assignee) == URIRef(f"{NODE}/parties/per_1")


def test_the_permission_is_bound_in_every_way(graph: Graph) -> None:
    (policy,) = graph.subjects(RDF.type, ODRL.Agreement)
    (permission,) = graph.objects(policy, ODRL.permission)
    assert graph.value(permission, ODRL.action) == ODRL.aggregate
    assert set(graph.objects(permission, ODRL.target)) == {URIRef(f"{NODE}/api/v1/datasets/registry")}
    assert operands(graph, permission, ODRL.purpose) == {
        (ODRL.isAnyOf, URIRef(law(53, 1, letter))) for letter in ("e", "f")
    }
    assert operands(graph, permission, ODRL.recipient) == {
        (ODRL.isAnyOf, URIRef(f"{NODE}/parties/{person}")) for person in ("per_1", "per_2")
    }
    assert operands(graph, permission, ODRL.dateTime) == {
        (ODRL.gteq, Literal("2026-01-01T00:00:00.000000Z", datatype=XSD.dateTime)),
        (ODRL.lt, Literal("2027-01-01T00:00:00.000000Z", datatype=XSD.dateTime)),
    }
    assert operands(graph, permission, DS.privacyBudgetRho) == {
        (ODRL.lteq, Literal("0.123000000000", datatype=XSD.decimal))
    }


LATER = replace(
    PERMIT, min_cell=5, aggregates=frozenset({"count", "mean"}), population="birth_year < 1960",
    particulars=Particulars(environment="a room", fee_cents=12_000),
)  # fmt: skip


def test_what_is_added_to_a_permit_is_stated() -> None:
    stated = statement(LATER, PARTIES)
    assert (stated["min_cell"], stated["aggregates"]) == (5, ["count", "mean"])
    assert (stated["environment"], stated["fee_cents"]) == ("a room", 12_000)
    assert "particulars" not in stated


def test_a_permit_with_a_smallest_cell_says_so() -> None:
    graph = Graph().parse(data=jose.canonical(agreement(LATER, PARTIES)), format="json-ld")
    (permission,) = graph.objects(None, ODRL.permission)
    assert operands(graph, permission, DS.minimumCellSize) == {(ODRL.gteq, Literal("5", datatype=XSD.integer))}
    assert operands(graph, permission, DS.aggregateKind) == {(ODRL.isAnyOf, Literal(k)) for k in ("count", "mean")}
    assert operands(graph, permission, DS.population) == {(ODRL.eq, Literal("birth_year < 1960"))}


def test_every_prohibited_use_of_article_54_is_prohibited(graph: Graph) -> None:
    prohibitions = set(graph.objects(None, ODRL.prohibition))
    forbidden = {right for rule in prohibitions for _, right in operands(graph, rule, ODRL.purpose)}
    assert forbidden == {URIRef(law(54, None, use.value)) for use in ProhibitedUse}
    assert DS.reidentify in {graph.value(rule, ODRL.action) for rule in prohibitions}


def test_the_duties_of_article_61_are_obligations(graph: Graph) -> None:
    duties = {graph.value(duty, ODRL.action): duty for duty in graph.objects(None, ODRL.obligation)}
    assert set(duties) == {ODRL.distribute, ODRL.attribute, ODRL.inform}
    assert operands(graph, duties[ODRL.distribute], ODRL.elapsedTime) == {
        (ODRL.lteq, Literal("P18M", datatype=XSD.duration))
    }


def test_the_statement_holds_every_field_of_the_permit() -> None:
    stated = statement(PERMIT, PARTIES)
    assert set(DataPermit.__dataclass_fields__) - KEPT_BACK.keys() - {NESTED} <= stated.keys()
    assert set(Particulars.__dataclass_fields__) <= stated.keys()
    assert "per_9" not in str(stated)


def test_the_letters_of_article_68_10_are_answered() -> None:
    assert "".join(ARTICLE_68_10) == "abcdefgh"
    stated = statement(PERMIT, PARTIES).keys()
    for letter, names in ARTICLE_68_10.items():
        assert letter == "g" or stated & set(names), letter
