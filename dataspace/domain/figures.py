"""The figures of the activity report (Art. 59(1), items (a) to (k)): one function a figure, each defined once here.

They hold no health data: they count cases, results, measures and facts on record, never persons in datasets.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal

from dataspace.domain.activity import ITEMS, Fact, FactKind, Period, Recorded
from dataspace.domain.public_register import CaseKind, RegisterEntry, Stage
from dataspace.domain.results import Duty, ResultKind

Figure = int | str | None | dict[str, int]
Count = Callable[[Recorded, Period], Figure]

FIGURES: dict[tuple[str, str], Count] = {}
"""(item, name) -> how it is counted; the docstring of the function is its definition, and is printed."""


def figure(item: str, name: str) -> Callable[[Count], Count]:
    def enter(count: Count) -> Count:
        if (item, name) in FIGURES:
            raise ValueError(f"{name} of item {item} is defined twice")
        FIGURES[item, name] = count
        return count

    return enter


def compute(recorded: Recorded, period: Period) -> dict[str, dict[str, Figure]]:
    """Item -> name -> figure, for all eleven items."""
    made: dict[str, dict[str, Figure]] = {item: {} for item in ITEMS}
    for (item, name), count in FIGURES.items():
        made[item][name] = count(recorded, period)
    return made


def _received(recorded: Recorded, period: Period, kind: CaseKind) -> list[RegisterEntry]:
    return [case for case in recorded.cases if case.kind is kind and period.holds(case.received_at)]


def _either(recorded: Recorded, period: Period) -> list[RegisterEntry]:
    return [case for case in recorded.cases if period.holds(case.received_at)]


def _tally(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _facts(recorded: Recorded, period: Period, kind: FactKind) -> list[Fact]:
    return [fact for fact in recorded.facts if fact.kind is kind and period.start <= fact.on < period.end]


def _sum(facts: Iterable[Fact]) -> str:
    return f"{sum((fact.amount for fact in facts), Decimal(0)):.2f}"


def _results(recorded: Recorded, period: Period, kind: ResultKind) -> int:
    return sum(result.kind is kind and period.holds(result.registered_at) for result in recorded.results)


@figure("a", "applications-received")
def applications_received(recorded: Recorded, period: Period) -> int:
    """Data access applications received in the period, whatever became of them."""
    return len(_received(recorded, period, CaseKind.APPLICATION))


@figure("a", "requests-received")
def requests_received(recorded: Recorded, period: Period) -> int:
    """Data requests received in the period, whatever became of them."""
    return len(_received(recorded, period, CaseKind.REQUEST))


@figure("a", "applicants")
def applicants(recorded: Recorded, period: Period) -> dict[str, int]:
    """Cases received in the period, by type of applicant."""
    return _tally("public-body" if case.public_body else "other" for case in _either(recorded, period))


@figure("a", "purposes")
def purposes(recorded: Recorded, period: Period) -> dict[str, int]:
    """Cases received in the period, by letter of Art. 53(1); a case with two purposes counts under both."""
    return _tally(purpose.letter for case in _either(recorded, period) for purpose in case.purposes)


@figure("a", "datasets")
def datasets(recorded: Recorded, period: Period) -> dict[str, int]:
    """Cases received in the period, by dataset asked for; a case counts under each of its datasets."""
    return _tally(dataset for case in _either(recorded, period) for dataset in case.datasets)


@figure("a", "data-categories")
def data_categories(recorded: Recorded, period: Period) -> dict[str, int]:
    """Cases received in the period, by category of Art. 51(1) in the records of their datasets, each once a case."""
    known = recorded.categories or {}
    return _tally(
        category
        for case in _either(recorded, period)
        for category in {c for dataset in case.datasets for c in known.get(dataset, ("not-stated",))}
    )


@figure("a", "permits-issued")
def permits_issued(recorded: Recorded, period: Period) -> int:
    """Data permits issued in the period; approvals of tabulation plans are not among them."""
    return sum(case.stage is Stage.PERMIT and period.holds(case.issued_at) for case in recorded.cases)


@figure("a", "requests-approved")
def requests_approved(recorded: Recorded, period: Period) -> int:
    """Data requests, and statistical answers instead of access (Art. 68(3)), approved in the period."""
    done = (Stage.APPROVED, Stage.ANSWERED)
    return sum(case.stage in done and period.holds(case.decided_at) for case in recorded.cases)


@figure("a", "refused")
def refused(recorded: Recorded, period: Period) -> int:
    """Applications and requests refused in the period."""
    return sum(case.stage is Stage.REFUSED and period.holds(case.decided_at) for case in recorded.cases)


@figure("a", "results")
def results(recorded: Recorded, period: Period) -> int:
    """Results of every kind that users registered in the period; corrected ones count once."""
    return sum(period.holds(result.registered_at) for result in recorded.results)


@figure("b", "publication-duties-met")
def duties_met(recorded: Recorded, period: Period) -> int:
    """Duties to publish results whose last day is in the period and that were met by now."""
    return sum(
        state is Duty.MET and due is not None and period.start <= due < period.end for state, due in recorded.duties
    )


@figure("b", "publication-duties-overdue")
def duties_overdue(recorded: Recorded, period: Period) -> int:
    """Duties to publish results whose last day is in the period and has passed without a result."""
    return sum(
        state is Duty.OVERDUE and due is not None and period.start <= due < period.end for state, due in recorded.duties
    )


@figure("b", "measures")
def measures(recorded: Recorded, period: Period) -> dict[str, int]:
    """Measures of Art. 63 taken in the period, by kind."""
    return _tally(measure.kind.value for measure in recorded.measures if period.holds(measure.decided_at))


@figure("b", "fines-of-users")
def fines_of_users(recorded: Recorded, period: Period) -> int:
    """Fines of data users in the period."""
    return len(_facts(recorded, period, FactKind.FINE_OF_USER))


@figure("b", "fines-of-users-euro")
def fines_of_users_euro(recorded: Recorded, period: Period) -> str:
    """Sum of the fines of data users in the period, in euro."""
    return _sum(_facts(recorded, period, FactKind.FINE_OF_USER))


@figure("b", "fines-of-holders")
def fines_of_holders(recorded: Recorded, period: Period) -> int:
    """Fines and periodic penalties of data holders in the period."""
    return len(_facts(recorded, period, FactKind.FINE_OF_HOLDER))


@figure("b", "fines-of-holders-euro")
def fines_of_holders_euro(recorded: Recorded, period: Period) -> str:
    """Sum of the fines and periodic penalties of data holders in the period, in euro."""
    return _sum(_facts(recorded, period, FactKind.FINE_OF_HOLDER))


@figure("c", "audits-of-users")
def audits_of_users(recorded: Recorded, period: Period) -> int:
    """Audits of data users' processing in secure environments, held in the period."""
    return len(_facts(recorded, period, FactKind.AUDIT_OF_USER))


@figure("d", "internal-audits")
def internal_audits(recorded: Recorded, period: Period) -> int:
    """The access body's own audits of secure environments in the period."""
    return len(_facts(recorded, period, FactKind.INTERNAL_AUDIT))


@figure("d", "third-party-audits")
def third_party_audits(recorded: Recorded, period: Period) -> int:
    """Audits of secure environments by third parties in the period."""
    return len(_facts(recorded, period, FactKind.THIRD_PARTY_AUDIT))


@figure("e", "data-protection-requests")
def data_protection_requests(recorded: Recorded, period: Period) -> int:
    """Requests of natural persons on their data protection rights, handled in the period."""
    return len(_facts(recorded, period, FactKind.DATA_PROTECTION_REQUEST))


@figure("e", "complaints")
def complaints(recorded: Recorded, period: Period) -> dict[str, int]:
    """Complaints of Art. 81 received in the period, by subject."""
    return _tally(subject for at, subject in recorded.complaints if period.holds(at))


@figure("f", "stakeholder-meetings")
def stakeholder_meetings(recorded: Recorded, period: Period) -> int:
    """Meetings and consultations with patients', holders' and users' representatives in the period."""
    return len(_facts(recorded, period, FactKind.STAKEHOLDER_MEETING))


@figure("g", "revenue-euro")
def revenue_euro(recorded: Recorded, period: Period) -> str:
    """Fees received for permits and requests in the period, in euro."""
    return _sum(_facts(recorded, period, FactKind.REVENUE))


def _average_days(waits: list[float]) -> str | None:
    if not waits:
        return None
    mean = Decimal(sum(waits)) / len(waits) / 86_400
    return str(mean.quantize(Decimal("0.1"), ROUND_HALF_UP))


@figure("h", "days-to-permit")
def days_to_permit(recorded: Recorded, period: Period) -> str | None:
    """Average days from receipt of an application to the issue of its permit, with which access opens, over permits
    issued in the period; none if there was none."""
    return _average_days(
        [
            (c.issued_at - c.received_at).total_seconds()
            for c in recorded.cases
            if c.stage is Stage.PERMIT and c.issued_at and period.holds(c.issued_at)
        ]
    )


@figure("h", "days-to-answer")
def days_to_answer(recorded: Recorded, period: Period) -> str | None:
    """Average days from receipt of a request to its answer, over requests answered in the period; none if none was."""
    return _average_days(
        [
            (case.decided_at - case.received_at).total_seconds()
            for case in recorded.cases
            if case.stage is Stage.ANSWERED and case.decided_at and period.holds(case.decided_at)
        ]
    )


@figure("i", "labels-issued")
def labels_issued(recorded: Recorded, period: Period) -> dict[str, int]:
    """Labels of data quality and utility issued in the period, by quality category."""
    return _tally(fact.text for fact in _facts(recorded, period, FactKind.LABEL_ISSUED))


@figure("j", "papers")
def papers(recorded: Recorded, period: Period) -> int:
    """Peer-reviewed papers that users registered in the period."""
    return _results(recorded, period, ResultKind.PAPER)


@figure("j", "policy-documents")
def policy_documents(recorded: Recorded, period: Period) -> int:
    """Policy documents that users registered in the period."""
    return _results(recorded, period, ResultKind.POLICY_DOCUMENT)


@figure("j", "regulatory-procedures")
def regulatory_procedures(recorded: Recorded, period: Period) -> int:
    """Regulatory procedures that users registered in the period."""
    return _results(recorded, period, ResultKind.REGULATORY_PROCEDURE)


@figure("k", "products-and-services")
def products_and_services(recorded: Recorded, period: Period) -> int:
    """Digital health products and services that users registered in the period."""
    return _results(recorded, period, ResultKind.PRODUCT_OR_SERVICE)


@figure("k", "algorithms")
def algorithms(recorded: Recorded, period: Period) -> int:
    """Algorithms, also of artificial intelligence, that users registered in the period."""
    return _results(recorded, period, ResultKind.ALGORITHM)
