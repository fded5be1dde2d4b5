"""Each figure of the activity report (Art. 59), alone."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from dataspace.domain.activity import ITEMS, Fact, FactKind, Period, Recorded, content_bytes
from dataspace.domain.figures import FIGURES, Figure, compute, figure
from dataspace.domain.measures import Measure, MeasureKind
from dataspace.domain.public_register import CaseKind, RegisterEntry, Stage
from dataspace.domain.purposes import Purpose
from dataspace.domain.results import Duty, Result, ResultKind

PERIOD = Period(date(2025, 1, 1), date(2027, 1, 1))
IN = datetime(2026, 3, 1, tzinfo=UTC)
OUT = datetime(2027, 1, 1, tzinfo=UTC)
CASE = RegisterEntry(
    number="1", case="app_1", kind=CaseKind.APPLICATION, stage=Stage.RECEIVED, applicant="U", public_body=False,
    title="T", lay_summary="S", purposes=(Purpose.RESEARCH, Purpose.CARE), datasets=("registry", "claims"),
    received_at=IN, updated_at=IN,
)  # fmt: skip
PERMIT = replace(
    CASE, number="2", stage=Stage.PERMIT, permit_number="P", issued_at=IN + timedelta(days=10),
    decided_at=IN + timedelta(days=10), valid_from=IN, valid_until=OUT, public_body=True,
)  # fmt: skip
REFUSED = replace(CASE, number="3", stage=Stage.REFUSED, decided_at=IN)
ANSWERED = replace(
    CASE, number="4", kind=CaseKind.REQUEST, stage=Stage.ANSWERED, decided_at=IN + timedelta(days=3, hours=12)
)
LATER = replace(PERMIT, number="5", received_at=OUT, issued_at=OUT, decided_at=OUT)


def result(kind: ResultKind, at: datetime = IN) -> Result:
    return Result("res", "app_1", kind, "T", "https://example.org/x", "S", "per", at)


def fact(kind: FactKind, amount: str = "0", on: date = date(2026, 5, 5), text: str = "x") -> Fact:
    return Fact("fct", kind, on, Decimal(amount), text, "per", OUT)


RECORDED = Recorded(
    cases=(CASE, PERMIT, REFUSED, ANSWERED, LATER),
    results=(*(result(kind) for kind in (*ResultKind, ResultKind.PAPER)), result(ResultKind.PAPER, OUT)),
    facts=(
        fact(FactKind.FINE_OF_USER, "100.10"),
        fact(FactKind.FINE_OF_USER, "200.20"),
        fact(FactKind.FINE_OF_USER, "999", date(2027, 1, 1)),
        fact(FactKind.FINE_OF_HOLDER, "50"),
        fact(FactKind.AUDIT_OF_USER),
        fact(FactKind.INTERNAL_AUDIT),
        fact(FactKind.INTERNAL_AUDIT, on=date(2024, 12, 31)),
        fact(FactKind.THIRD_PARTY_AUDIT),
        fact(FactKind.THIRD_PARTY_AUDIT, on=date(2025, 1, 1)),
        fact(FactKind.DATA_PROTECTION_REQUEST),
        fact(FactKind.STAKEHOLDER_MEETING),
        fact(FactKind.REVENUE, "1200.50"),
        fact(FactKind.REVENUE, "0.25"),
        fact(FactKind.LABEL_ISSUED, text="gold"),
        fact(FactKind.LABEL_ISSUED, text="gold"),
        fact(FactKind.LABEL_ISSUED, text="silver"),
    ),
    measures=(
        Measure("m", "n", MeasureKind.WARNING, "U", "", "late", "per", IN),
        Measure("m", "n", MeasureKind.WARNING, "U", "", "late", "per", OUT),
    ),
    duties=(
        (Duty.MET, date(2026, 1, 1)),
        (Duty.MET, date(2028, 1, 1)),
        (Duty.OVERDUE, date(2026, 2, 1)),
        (Duty.NOT_YET, None),
    ),
    complaints=((IN, "opt-out"), (IN, "permit"), (IN, "permit"), (OUT, "permit")),
    categories={"registry": ("a", "b"), "claims": ("b",)},
)

EXPECTED: dict[tuple[str, str], Figure] = {
    ("a", "applications-received"): 3,
    ("a", "requests-received"): 1,
    ("a", "applicants"): {"other": 3, "public-body": 1},
    ("a", "purposes"): {"e": 4, "f": 4},
    ("a", "datasets"): {"claims": 4, "registry": 4},
    ("a", "data-categories"): {"a": 4, "b": 4},
    ("a", "permits-issued"): 1,
    ("a", "requests-approved"): 1,
    ("a", "refused"): 1,
    ("a", "results"): 6,
    ("b", "publication-duties-met"): 1,
    ("b", "publication-duties-overdue"): 1,
    ("b", "measures"): {"warning": 1},
    ("b", "fines-of-users"): 2,
    ("b", "fines-of-users-euro"): "300.30",
    ("b", "fines-of-holders"): 1,
    ("b", "fines-of-holders-euro"): "50.00",
    ("c", "audits-of-users"): 1,
    ("d", "internal-audits"): 1,
    ("d", "third-party-audits"): 2,
    ("e", "data-protection-requests"): 1,
    ("e", "complaints"): {"opt-out": 1, "permit": 2},
    ("f", "stakeholder-meetings"): 1,
    ("g", "revenue-euro"): "1200.75",
    ("h", "days-to-permit"): "10.0",
    ("h", "days-to-answer"): "3.5",
    ("i", "labels-issued"): {"gold": 2, "silver": 1},
    ("j", "papers"): 2,
    ("j", "policy-documents"): 1,
    ("j", "regulatory-procedures"): 1,
    ("k", "products-and-services"): 1,
    ("k", "algorithms"): 1,
}


@pytest.mark.parametrize("name", list(EXPECTED), ids=lambda name: f"{name[0]}-{name[1]}")
def test_a_figure_counts_what_it_says(name: tuple[str, str]) -> None:
    assert FIGURES[name](RECORDED, PERIOD) == EXPECTED[name]
    assert (FIGURES[name].__doc__ or "").strip().endswith(".")


def test_all_eleven_items_have_figures_and_all_figures_a_test() -> None:
    assert "".join(ITEMS) == "abcdefghijk"
    assert {item for item, _ in FIGURES} == set(ITEMS)
    assert set(FIGURES) == set(EXPECTED)


def test_an_empty_period_counts_nothing_and_averages_nothing() -> None:
    made = compute(RECORDED, Period(date(2020, 1, 1), date(2022, 1, 1)))
    values = [value for figures in made.values() for value in figures.values()]
    assert all(value in (0, "0.00", None, {}) for value in values)
    assert made["h"] == {"days-to-permit": None, "days-to-answer": None}


def test_a_figure_is_defined_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        figure("a", "results")(lambda *_: 0)


def test_the_spelling_of_a_report_is_one() -> None:
    assert content_bytes({"b": 1, "a": "é"}) == b'{"a":"\\u00e9","b":1}'
