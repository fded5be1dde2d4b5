"""Brings a node to where everything that the public sees, and that follows a permit, is on record."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from dataspace.domain.activity import FactKind, Period
from dataspace.domain.calendars import Calendar
from dataspace.domain.complaints import Complainant, Subject
from dataspace.domain.findings import FindingState
from dataspace.domain.measures import MeasureKind
from dataspace.domain.permits import DataPermit
from dataspace.domain.redaction import Ground, Part
from dataspace.domain.results import ResultKind
from dataspace.services import activity, applications, complaints, findings, measures, permits, register, results
from dataspace.services.complaints import Filed
from tests.factories import Node

NO_HOLIDAYS = Calendar(ZoneInfo("UTC"), lambda _: False)


def no_categories(dataset: str) -> tuple[str, ...]:
    return ("not-stated",)


@dataclass(frozen=True)
class Everything:
    """What was recorded."""

    permit: DataPermit
    number: str
    filed: Filed


def confidential_permit(node: Node, secret: str, title: str = "") -> DataPermit:
    """A permit on a case in which the passage `secret` is confidential, all its public texts holding it."""
    said = title or f"Project {secret} of the ward"
    form = replace(node.form(), title=said, lay_summary=f"About {secret}. By {node.researcher.name}.")
    draft = node.draft(form)
    register.declare_confidential(
        node.uow, node.clock, node.researcher, draft.id,
        part=Part.PASSAGE, ground=Ground.TRADE_SECRET, reason=f"our method is {secret}", passage=secret,
    )  # fmt: skip
    applications.submit_application(node.uow, node.clock, node.researcher, draft.id)
    node.propose(node.assess(applications.start_assessment(node.uow, node.clock, node.assessor, draft.id)))
    return permits.grant_permit(node.uow, node.clock, node.decision_maker, draft.id, to_limit=node.to_limit)


def number_of(node: Node, permit: DataPermit) -> str:
    with node.uow.reading() as uow:
        return uow.public.register.get(permit.number).number


def record_everything(node: Node, passage: str = "zirconium lattice") -> Everything:
    """One of each: result, extension, finding, complaint, measure, fact, frozen report. The dataset is published."""
    uow, clock, decider = node.uow, node.clock, node.decision_maker
    permit = confidential_permit(node, passage)
    number = number_of(node, permit)
    register.publish_decision(uow, clock, decider, number)
    results.extend_publication(
        uow, clock, decider, NO_HOLIDAYS, number,
        until=clock.now() + timedelta(days=1200), reason="a journal reviews it",
    )  # fmt: skip
    results.register_result(
        uow, clock, node.researcher, number, kind=ResultKind.PAPER, title=f"On {passage}", link="10.1000/182",
        lay_summary=f"We found {passage.upper()} to matter.",
    )  # fmt: skip
    found = findings.report_finding(
        uow, clock, node.researcher, permit.id, dataset="registry", pseudonym="ab12cd34", text="a growing lesion"
    )
    findings.move_finding(uow, clock, decider, found.finding.id, FindingState.FORWARDED)
    filed = complaints.file_complaint(
        uow, clock, subject=Subject.PERMIT, complainants=[Complainant("Wanda Weber")], text="not asked", contact="w",
    )  # fmt: skip
    permits.suspend_permit(uow, clock, decider, permit.id, reasons=f"misuse of {passage}")
    measures.take_measure(
        uow, clock, decider, kind=MeasureKind.SUSPENSION, organisation=node.researcher.organisation.name,
        reasons=f"{node.researcher.name} misused {passage}", permit_number=permit.number,
    )  # fmt: skip
    activity.enter_fact(
        uow, clock, decider, kind=FactKind.REVENUE, on=clock.now().date(), text="fees", amount=Decimal("1200.50")
    )
    activity.freeze_report(uow, clock, decider, Period(date(2024, 1, 1), date(2026, 1, 1)), NO_HOLIDAYS, no_categories)
    return Everything(permit, number, filed)
