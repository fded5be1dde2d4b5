"""Levels of the label follow from its metrics and the weights of a versioned scheme."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from catalog.quality import SCHEME, Dimension, Element, Metric, QualityLabel
from catalog.quality_scheme import ELEMENT_WEIGHTS, LEVELS, RULES, Unit, assess, level


def label(**values: str) -> QualityLabel:
    """A label with metrics by name, underscores for spaces."""
    rules = {rule.name.replace(" ", "_"): rule for rule in RULES}
    return QualityLabel(
        tuple(Metric(rules[n].element, rules[n].name, "as measured", Decimal(v)) for n, v in values.items())
    )


def test_every_element_has_weighted_metrics_and_every_dimension_is_one() -> None:
    assert set(ELEMENT_WEIGHTS) == set(Element)
    assert {rule.element for rule in RULES if rule.weight} == set(Element)
    assert {rule.name for rule in RULES if rule.element is Element.TECHNICAL_QUALITY} == {d.value for d in Dimension}
    assert len({(rule.element, rule.name) for rule in RULES}) == len(RULES)


def test_every_metric_is_named_and_explained_in_both_languages() -> None:
    assert all(text.en and text.fr for rule in RULES for text in (rule.title, rule.method))
    assert all(text.en and text.fr for d in Dimension for text in (d.label, d.definition))


def test_what_could_not_be_measured_is_left_out_and_what_was_not_stated_counts_as_not_met() -> None:
    assessed = assess(label(completeness="0.9", uniqueness="0.6"))
    assert assessed is not None
    # completeness weighs two, uniqueness one
    assert assessed.elements[Element.TECHNICAL_QUALITY] == Decimal("0.8")
    assert assessed.elements[Element.QUALITY_MANAGEMENT] == 0
    assert Element.MODIFICATIONS not in assessed.elements


def test_times_are_scored_by_steps() -> None:
    scores = [assess(label(days_to_inclusion=days)) for days in ("20", "90", "180", "400")]
    found = [a.elements[Element.ACCESS_AND_PROVISION] if a else None for a in scores]
    assert [round(2 * f, 2) if f is not None else None for f in found] == [1, Decimal("0.67"), Decimal("0.33"), 0]


def test_levels_are_reached_at_their_thresholds() -> None:
    assert [level(Decimal(0)), *(level(threshold) for threshold in LEVELS), level(Decimal(1))] == [1, 2, 3, 4, 5, 5]
    assert level(LEVELS[0] - Decimal("0.001")) == 1


def test_a_label_of_another_scheme_has_no_level_here() -> None:
    assert assess(replace(label(completeness="1"), scheme="ehds-78-3/1")) is None
    assert assess(QualityLabel()) is not None
    assert assess(QualityLabel()).scheme == SCHEME  # type: ignore[union-attr]


@given(st.dictionaries(st.sampled_from([r.name.replace(" ", "_") for r in RULES]), st.decimals(0, 5000, places=2)))
def test_scores_stay_between_nothing_and_all(values: dict[str, Decimal]) -> None:
    assessed = assess(label(**{name: str(value) for name, value in values.items()}))
    assert assessed is not None
    assert 0 <= assessed.score <= 1
    assert all(0 <= score <= 1 for score in assessed.elements.values())


@given(
    st.sampled_from([r for r in RULES if r.unit is Unit.SHARE]),
    st.decimals(0, 1, places=3),
    st.decimals(0, 1, places=3),
)
def test_a_better_share_never_lowers_the_score(rule: object, one: Decimal, other: Decimal) -> None:
    name = rule.name.replace(" ", "_")  # type: ignore[attr-defined]
    low, high = (assess(label(**{name: str(value)})) for value in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert low.score <= high.score
