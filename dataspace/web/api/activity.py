"""Measures of non-compliance (Art. 63), and the activity report (Art. 59) with the facts entered for it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from dataspace.domain.activity import FactKind, Period
from dataspace.domain.measures import MeasureKind
from dataspace.services import activity, measures
from dataspace.web.api import public_present as present
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.wire import Day, ReasonsRequest
from dataspace.wire import public as wire

router = APIRouter(tags=["activity"])

From = Annotated[Day, Query(alias="from")]
To = Annotated[Day, Query(alias="to")]

MOST_REPORTS = 16
"""Reports kept in memory."""


@router.get("/measures")
def list_measures(node: CurrentNode) -> list[wire.MeasureEntry]:
    """Measures of non-compliance with their reasons, newest first."""
    return [present.measure(one) for one in measures.list_measures(node.unit_of_work())]


@router.post("/measures", status_code=201)
def take_measure(request: wire.MeasureRequest, node: CurrentNode, actor: CurrentActor) -> wire.MeasureEntry:
    """Record a measure; it is published at once."""
    measure = measures.take_measure(
        node.unit_of_work(), node.clock, actor, kind=MeasureKind(request.kind), organisation=request.organisation,
        reasons=request.reasons, permit_number=request.permit_number, until=request.until,
    )  # fmt: skip
    return present.measure(measure)


@router.get("/activity-report")
def report(request: Request, node: CurrentNode, start: From, end: To) -> dict[str, object]:
    """The report of a period, from a day until before a day, as it stands now."""
    return report_now(request, node, Period(start, end))


def report_now(request: Request, node: CurrentNode, period: Period) -> activity.Content:
    """The report, computed again only if something was recorded since, or another day began."""
    known: dict[object, activity.Content] = request.app.state.reports
    state = (period, activity.recorded_until(node.unit_of_work()), node.calendar.day_of(node.clock.now()))
    if state not in known:
        if len(known) >= MOST_REPORTS:
            known.clear()
        known[state] = activity.report(node.unit_of_work(), node.clock, period, node.calendar, node.categories_of)
    return known[state]


@router.get("/activity-report/editions")
def list_editions(node: CurrentNode) -> list[wire.EditionEntry]:
    """Frozen reports, newest first."""
    return [present.edition(one) for one in activity.list_editions(node.unit_of_work())]


@router.get("/activity-report/editions/{edition_id}")
def get_edition(edition_id: Identifier, node: CurrentNode) -> wire.EditionEntry:
    """One frozen report: the SHA-256 of its content proves that it is the one that was frozen."""
    return present.edition(activity.get_edition(node.unit_of_work(), edition_id))


@router.post("/activity-report/editions", status_code=201)
def freeze(request: wire.PeriodRequest, node: CurrentNode, actor: CurrentActor) -> wire.EditionEntry:
    """Freeze the report of two years; an earlier edition is superseded and stays."""
    period = Period(request.start, request.end)
    return present.edition(
        activity.freeze_report(node.unit_of_work(), node.clock, actor, period, node.calendar, node.categories_of)
    )


@router.get("/activity-facts")
def list_facts(node: CurrentNode, actor: CurrentActor) -> list[wire.FactEntry]:
    """Facts entered for the report, oldest first."""
    return [present.fact(one) for one in activity.list_facts(node.unit_of_work(), actor)]


@router.post("/activity-facts", status_code=201)
def enter_fact(request: wire.FactRequest, node: CurrentNode, actor: CurrentActor) -> wire.FactEntry:
    """Enter a fine, an audit, revenue and the like."""
    fact = activity.enter_fact(
        node.unit_of_work(), node.clock, actor,
        kind=FactKind(request.kind), on=request.on, text=request.text, amount=request.amount,
    )  # fmt: skip
    return present.fact(fact)


@router.post("/activity-facts/{fact_id}/cancellation", status_code=201)
def cancel_fact(fact_id: Identifier, request: ReasonsRequest, node: CurrentNode, actor: CurrentActor) -> wire.FactEntry:
    """Take back a fact entered in error."""
    return present.fact(activity.cancel_fact(node.unit_of_work(), node.clock, actor, fact_id, text=request.reasons))
