"""What the command line shows of proposals, offers and changes: every term that was set."""

from datetime import UTC, datetime

from dataspace.cli.shown import intended, wanted
from dataspace.wire import Guarantee
from dataspace.wire import decisions as shapes

TERMS = shapes.Terms(
    struck_columns=[("registry", "person", "birth_year")],
    guarantee=Guarantee(epsilon="0.5", delta="0.000001"),  # type: ignore[arg-type]
    conditions=["Cite us."],
    min_cell=5,
)
OFFER = shapes.Offer(
    outcome="grant-in-part",
    reasons="not the year",
    terms=TERMS,
    criteria=[],
    fee=shapes.FeeEstimate(
        schedule="s", lines=[shapes.FeeLine(activity="assessment", cents=30_000)], total_cents=30_000, holders_cents=0
    ),
    plan=shapes.TabulationPlan(tabulations=[shapes.Tabulation(name="all", sql="SELECT 1", epsilon="0.1")]),  # type: ignore[arg-type]
    needs_acceptance=True,
)


def test_an_offer_is_shown_with_every_term() -> None:
    assert list(intended(OFFER)) == [
        "grant-in-part: not the year",
        "  struck columns: registry.person.birth_year",
        "  guarantee: epsilon 0.5, delta 0.000001",
        "  conditions: Cite us.",
        "  min cell: 5",
        "        EUR 300.00  assessment",
        "        EUR 300.00  in all, EUR 0.00 to data holders",
        "  table all, epsilon 0.1: SELECT 1",
    ]


def test_a_change_says_what_it_changes() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    change = shapes.PermitChange(
        id="chg_1", permit_id="prm_1", kind="amendment", state="asked", version=1, columns=[("r", "person", "sex")],
        persons=["prs_1"], persons_leaving=[], conditions=None, valid_until=None, reasons="she joins", asked_at=now,
        favourable=None, assessment="", decided_at=None, decision="",
    )  # fmt: skip
    assert list(wanted(change)) == ["chg_1  amendment  asked  she joins", "  columns: r.person.sex", "  persons: prs_1"]
