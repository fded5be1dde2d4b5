"""Whatever a record holds, RDF gives it back: record -> text -> record, in all three forms."""

from datetime import date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.dataset import (
    Activity,
    Agent,
    ContactPoint,
    Dataset,
    Distribution,
    Kind,
    PeriodOfTime,
    Provenance,
    Statement,
)
from catalog.healthdcat import RdfFormat, from_graph, parse_record, to_graph, to_jsonld, to_rdfxml, to_turtle
from catalog.quality import Element, LabelState, Metric, QualityLabel
from catalog.schema import CodedValue
from catalog.table_check import check_dataset
from catalog.values import Text
from catalog.variables import Variable, VariableGroup, VariableTable
from catalog.vocabularies import AccessRight, HealthCategory

WRITERS = {RdfFormat.TURTLE: to_turtle, RdfFormat.JSONLD: to_jsonld, RdfFormat.RDFXML: to_rdfxml}

letters = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff") | st.sampled_from(
    "\n\t\"'\\<>&{}"
)
plain = st.text(letters, min_size=1, max_size=12).filter(lambda value: bool(value.strip()))
texts = st.lists(st.builds(Text, plain, st.sampled_from([None, "en", "fr", "de-at"])), max_size=3).map(tuple)
segment = st.text("abcXYZ019-_.~é%20", min_size=1, max_size=8)
iris = st.builds("https://{}.example.org/{}?q={}#{}".format, st.sampled_from("abc"), segment, segment, segment)
some_iris = st.lists(iris, max_size=2).map(tuple)
strings = st.lists(plain, max_size=2).map(tuple)
emails = st.sampled_from(["a@example.org", "o'hara+x@b.example.org"])
maybe_iri = st.none() | iris
days = st.dates()
counts = st.none() | st.integers(0, 10**12)
metric_values = st.decimals(-1000, 1000, places=4)

periods = st.builds(lambda d, e: PeriodOfTime(min(d, e), max(d, e)), days, days) | days.map(
    lambda d: PeriodOfTime(end=d)
)
contacts = st.builds(ContactPoint, st.just(()) | emails.map(lambda e: (e,)), some_iris, strings)
agents = st.builds(Agent, texts, st.none() | contacts, maybe_iri, st.none() | st.builds(Text, plain, st.just("en")))
kinds = st.builds(Kind, st.none() | emails, maybe_iri, st.none() | plain)
provenances = st.builds(Provenance, texts)
statements = st.builds(Statement, texts, some_iris)
activities = st.builds(Activity, texts, some_iris)
distributions = st.builds(
    Distribution,
    access_url=some_iris,
    title=texts,
    description=texts,
    applicable_legislation=some_iris,
    format=maybe_iri,
    media_type=maybe_iri,
    language=some_iris,
    rights=st.none() | provenances,
    modified=st.none() | days,
)
metrics = st.builds(Metric, st.sampled_from(Element), plain, plain, metric_values)
labels = st.builds(
    QualityLabel,
    st.lists(metrics, max_size=3, unique_by=lambda metric: (metric.element, metric.name)).map(tuple),
    st.none() | days,
    st.none() | st.sampled_from(LabelState),
    st.none() | plain,
    some_iris,
)
timestamps = st.datetimes().map(lambda moment: moment.replace(fold=0))
bounds = st.none() | st.decimals(-(10**9), 10**9, places=3) | days | timestamps
codes = st.lists(st.builds(CodedValue, plain | st.integers(-(10**6), 10**6), plain), max_size=3).map(tuple)
variables = st.builds(
    Variable,
    name=plain,
    title=texts,
    description=texts,
    datatype=st.none() | plain,
    property_url=maybe_iri,
    required=st.none() | st.booleans(),
    minimum=bounds,
    maximum=bounds,
    unit=st.none() | plain,
    code_system=st.none() | plain,
    codes=codes,
)


def several(items: st.SearchStrategy[object], most: int = 2) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(items, max_size=most).map(tuple)


tables = st.builds(
    VariableTable,
    name=st.none() | plain,
    title=texts,
    description=texts,
    url=maybe_iri,
    keyword=texts,
    variables=st.lists(variables, max_size=3, unique_by=lambda variable: variable.name).map(tuple),
)
groups = st.builds(
    VariableGroup, texts, st.lists(tables, max_size=3, unique_by=lambda t: t.name or object()).map(tuple)
)

records = st.builds(
    Dataset,
    iri=st.sampled_from(["https://node.example.org/datasets/d", "urn:uuid:1234-abcd"]),
    title=texts,
    description=texts,
    identifier=strings,
    access_rights=st.none() | st.sampled_from(AccessRight),
    applicable_legislation=some_iris,
    distribution=several(distributions),
    theme=some_iris,
    hdab=st.none() | agents,
    health_category=st.lists(st.sampled_from(HealthCategory), max_size=2).map(tuple),
    has_structured_data=st.none() | st.booleans(),
    variables=st.none() | groups,
    contact_point=several(kinds),
    keyword=texts,
    provenance=several(provenances),
    publisher=st.none() | agents,
    purpose=several(statements),
    legal_basis=several(statements),
    quality=several(labels, 1),
    min_typical_age=st.none() | st.integers(0, 40),
    max_typical_age=st.none() | st.integers(40, 120),
    number_of_records=counts,
    population_coverage=texts,
    retention_period=st.none() | periods,
    temporal=several(periods),
    temporal_resolution=st.sampled_from([None, "P1D", "PT1H", "P1Y"]),
    landing_page=some_iris,
    generated_by=several(activities),
    version=st.none() | plain,
    issued=st.none() | days,
)


@settings(max_examples=60, deadline=None)
@given(records)
def test_a_record_survives_its_graph(record: Dataset) -> None:
    assert from_graph(to_graph(record)) == record


@settings(max_examples=40, deadline=None)
@given(records, st.sampled_from(RdfFormat))
def test_a_record_survives_text(record: Dataset, form: RdfFormat) -> None:
    assert parse_record(WRITERS[form](record), form) == record


@settings(max_examples=30, deadline=None)
@given(records)
def test_every_record_can_be_checked_and_has_no_wrong_form(record: Dataset) -> None:
    graph = to_graph(record)
    found = check_dataset(graph, next(graph.subjects(None, None)))
    assert all(f.message.en and f.message.fr for f in found)


def test_bounds_keep_their_kind() -> None:
    low, high, moment = Decimal("0.50"), date(2020, 1, 1), datetime.fromisoformat("2020-01-01T10:00:00")
    table = VariableTable("t", variables=(Variable("a", minimum=low, maximum=high), Variable("b", minimum=moment)))
    record = Dataset(iri="https://node.example.org/d", variables=VariableGroup(tables=(table,)))
    read = from_graph(to_graph(record)).variables
    assert read is not None
    a, b = read.tables[0].variables
    assert (repr(a.minimum), a.maximum, b.minimum) == (repr(low), high, moment)
