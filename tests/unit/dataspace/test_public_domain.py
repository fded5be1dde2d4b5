"""What the public sees, without a database: dates, states, redaction, findings' texts, secrets, measures."""

import sys
import unicodedata
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from time import process_time
from zoneinfo import ZoneInfo

import pytest

from dataspace.domain.activity import Fact, FactKind, Period
from dataspace.domain.actors import Actor, Organisation, Role
from dataspace.domain.calendars import Calendar, Length, Unit, moved
from dataspace.domain.complaints import FOLLOWING as COMPLAINT_FOLLOWING
from dataspace.domain.complaints import (
    ComplaintState,
    Subject,
    check_follows,
    digest,
    first_state,
    new_receipt,
    new_secret,
    opens,
)
from dataspace.domain.errors import InvalidInput, NotPermitted, WrongState
from dataspace.domain.findings import FOLLOWING, FindingState, check_no_identifiers, check_pseudonym
from dataspace.domain.findings import check_follows as check_finding_follows
from dataspace.domain.measures import Measure, MeasureKind
from dataspace.domain.public_permissions import PUBLIC_ACTIONS, PublicAction, check_may, may
from dataspace.domain.public_register import (
    STAGES,
    CaseKind,
    PublicState,
    RegisterEntry,
    Stage,
    publish_by,
)
from dataspace.domain.purposes import Purpose
from dataspace.domain.redaction import ConfidentialPart, Ground, Part, Redaction, check_passage, fold, mark
from dataspace.domain.results import Duty, Publication, Result, ResultKind, duty, link_of, results_due
from tests.public_records import NO_HOLIDAYS

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def entry(**changed: object) -> RegisterEntry:
    made = RegisterEntry(
        number="DAA-2026-0001", case="app_1", kind=CaseKind.APPLICATION, stage=Stage.PERMIT, applicant="University",
        public_body=False, title="T", lay_summary="S", purposes=(Purpose.RESEARCH,), datasets=("registry",),
        received_at=NOW, updated_at=NOW, decided_at=NOW, permit_number="DP-2026-0001", issued_at=NOW,
        valid_from=NOW, valid_until=NOW + timedelta(days=365),
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def part(**changed: object) -> ConfidentialPart:
    made = ConfidentialPart("cnf_1", "app_1", Part.PASSAGE, Ground.TRADE_SECRET, "why", "per_1", NOW, "blue lattice")
    return replace(made, **changed)  # type: ignore[arg-type]


def test_thirty_working_days_leave_out_weekends_and_holidays() -> None:
    monday = date(2026, 11, 23)
    assert NO_HOLIDAYS.last_day(monday, Length(1, Unit.WORKING_DAYS)) == date(2026, 11, 24)
    assert NO_HOLIDAYS.last_day(monday, Length(5, Unit.WORKING_DAYS)) == date(2026, 11, 30)
    assert publish_by(NOW, NO_HOLIDAYS) == date(2027, 1, 4)
    holidays = {date(2026, 12, 25), date(2027, 1, 1), date(2026, 12, 26)}
    # the 26th is a Saturday and counts for nothing twice
    assert publish_by(NOW, Calendar(ZoneInfo("UTC"), holidays.__contains__)) == date(2027, 1, 6)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 8, 31), 18, date(2028, 2, 29)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 6, 15), 18, date(2027, 12, 15)),
    ],
)
def test_months_end_with_the_month(day: date, months: int, expected: date) -> None:
    assert moved(day, Length(months, Unit.MONTHS)) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, PublicState.ACTIVE),
        ({"valid_from": NOW + timedelta(days=1)}, PublicState.PENDING),
        ({"valid_until": NOW}, PublicState.EXPIRED),
        ({"suspended_at": NOW}, PublicState.SUSPENDED),
        ({"suspended_at": NOW, "valid_until": NOW}, PublicState.EXPIRED),
        ({"suspended_at": NOW, "revoked_at": NOW, "valid_until": NOW}, PublicState.REVOKED),
        ({"stage": Stage.REFUSED}, PublicState.REFUSED),
        ({"stage": Stage.ANSWERED}, PublicState.ANSWERED),
    ],
)
def test_the_gravest_state_is_shown(changed: dict[str, object], expected: PublicState) -> None:
    assert entry(**changed).state(NOW) is expected


def test_every_stage_but_a_permit_is_a_state() -> None:
    assert {stage.value for stage in Stage} - {Stage.PERMIT.value} <= {state.value for state in PublicState}
    assert set(STAGES.values()) <= set(Stage)


def stands(
    case: RegisterEntry, now: datetime, until: date | None = None, *, published: bool = False
) -> tuple[Duty, date | None]:
    return duty(case, Publication(None, until, published), now, NO_HOLIDAYS)


def test_the_duty_to_publish_from_the_end_of_access_on() -> None:
    case = entry()
    assert stands(case, NOW) == (Duty.NOT_YET, date(2029, 5, 23))
    ended = NOW + timedelta(days=365)
    assert results_due(ended, NO_HOLIDAYS) == date(2029, 5, 23)
    assert stands(case, ended)[0] is Duty.DUE
    assert stands(case, datetime(2029, 5, 23, 23, tzinfo=UTC))[0] is Duty.DUE
    assert stands(case, datetime(2029, 5, 24, tzinfo=UTC))[0] is Duty.OVERDUE
    later = date(2029, 9, 1)
    assert stands(case, datetime(2029, 5, 24, tzinfo=UTC), until=later) == (Duty.EXTENDED, later)
    assert stands(case, datetime(2029, 9, 2, tzinfo=UTC), until=later) == (Duty.OVERDUE, later)
    assert stands(case, datetime(2030, 1, 1, tzinfo=UTC), until=later, published=True) == (Duty.MET, later)
    assert stands(entry(revoked_at=NOW), NOW) == (Duty.DUE, date(2028, 5, 23))
    nothing = {"permit_number": None, "issued_at": None, "valid_from": None, "valid_until": None}
    answered = entry(stage=Stage.ANSWERED, **nothing)
    assert stands(answered, NOW) == (Duty.DUE, date(2028, 5, 23))
    assert stands(entry(stage=Stage.RECEIVED, **nothing), NOW) == (Duty.NOT_YET, None)


@pytest.mark.parametrize(
    "text", ["10.1000/182", "doi:10.1000/182", "DOI: 10.1000/182", "http://dx.doi.org/10.1000/182"]
)
def test_a_doi_becomes_an_address(text: str) -> None:
    assert link_of(text) == "https://doi.org/10.1000/182"


@pytest.mark.parametrize(
    "link",
    [
        "http://example.org",
        "javascript:alert(1)",
        "https://",
        "paper",
        'https://x.org/"><b>',
        "https://x.org/\n",
        "https://u:p@x.org/",
        "https://doi.org@x.org/",
    ],
)
def test_no_other_link_is_taken(link: str) -> None:
    with pytest.raises(InvalidInput, match="https"):
        Result("res_1", "app_1", ResultKind.PAPER, "T", link, "S", "per_1", NOW)


def test_a_passage_is_left_out_however_it_is_written() -> None:
    redaction = Redaction.of([part()], ["Rita Researcher"])
    text = "The BLUE\n  Lattice of rita researcher, Researcher, Rita; blue  latticework."
    assert redaction.text(text) == (
        f"The {mark(Ground.TRADE_SECRET)} of {mark(Ground.PERSONAL_DATA)}, {mark(Ground.PERSONAL_DATA)};"
        f" {mark(Ground.TRADE_SECRET)}work."
    )


@pytest.mark.parametrize(
    "spelled",
    [
        "Project-Falcon",
        "ProjectFalcon",
        "PROJECT\u200b FALCON",
        "Project Fal\u00adcon",
        "Ｐroject Ｆalcon",
        "prójéct falcon",
    ],
)
def test_other_spellings_of_a_passage_are_left_out(spelled: str) -> None:
    redaction = Redaction.of([part(passage="Project Falcon")])
    assert redaction.text(f"of {spelled}, that is") == f"of {mark(Ground.TRADE_SECRET)}, that is"


@pytest.mark.parametrize("spelled", ["Jose Nunez", "José-Núñez", "NÚÑEZ, José", "J. Núñez", "jose\nnunez"])
def test_other_spellings_of_a_name_are_left_out(spelled: str) -> None:
    assert Redaction.of((), ["José Núñez"]).text(f"by {spelled}.") == f"by {mark(Ground.PERSONAL_DATA)}."


def test_every_character_folds_as_each_of_its_cases() -> None:
    for c in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(c) != "Cs":
            assert {fold(f) for f in (c.upper(), c.lower(), c.casefold(), c.title())} == {fold(c)}, hex(ord(c))


def test_what_only_looks_alike_stays() -> None:
    redaction = Redaction.of([part(passage="EGFR")], ["Rita Researcher"])
    for text in ("the GFR of all", "Margarita Researchers", "a researcher"):
        assert redaction.text(text) == text


def test_a_passage_is_short() -> None:
    with pytest.raises(InvalidInput, match="at most 500"):
        check_passage("abc" * 167)
    with pytest.raises(InvalidInput, match="two different"):
        check_passage("a-a a")
    check_passage("abc" * 166)


def test_overlapping_passages_are_all_left_out() -> None:
    parts = [part(passage="alpha beta"), part(id="cnf_2", passage="beta gamma")]
    assert Redaction.of(parts).text("x alpha beta gamma y") == f"x {mark(Ground.TRADE_SECRET)} y"


def test_a_whole_field_and_what_is_lifted() -> None:
    whole = part(part=Part.LAY_SUMMARY, passage="", ground=Ground.SECURITY)
    assert Redaction.of([whole]).field(Part.LAY_SUMMARY, "anything") == mark(Ground.SECURITY)
    assert Redaction.of([whole]).field(Part.TITLE, "anything") == "anything"
    lifted = replace(whole, id="cnf_2", lifts="cnf_1")
    assert Redaction.of([whole, lifted]).field(Part.LAY_SUMMARY, "anything") == "anything"


@pytest.mark.parametrize("changed", [{"reason": " "}, {"passage": ""}, {"passage": "ab"}, {"part": Part.TITLE}])
def test_a_confidential_part_has_a_reason_and_what_it_is(changed: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        part(**changed)


@pytest.mark.parametrize(
    "text",
    [
        "write to jane.doe@example.org",
        "jane (at) example.org",
        "call 01 23 45 67 89",
        "call +33 6 12 34 56 78",
        "0612345678",
        "NIR 1 84 12 76 451 089 46",
        "2840776451089",
        "number 123-456-7890-12",
        "born 3 May 1951",
    ],
)
def test_a_finding_names_nobody(text: str) -> None:
    with pytest.raises(InvalidInput, match="pseudonym") as refused:
        check_no_identifiers(f"lesion of 12 mm, {text}")
    assert text not in refused.value.message


@pytest.mark.parametrize(
    "text", ["lesion of 12 mm in 2024, ICD C34.1", "HbA1c 9.1 % at 3 visits", "QTc 520 ms, 3/4 leads"]
)
def test_medicine_may_be_said(text: str) -> None:
    check_no_identifiers(text)


@pytest.mark.parametrize(
    "text", ["a" * 4000, "1 " * 2000, "a(at" * 1000, "né " * 1300, "2" + " 2" * 8, "+1" + " ( " * 1300]
)
def test_looking_for_identifiers_takes_no_time(text: str) -> None:
    start = process_time()
    with suppress(InvalidInput):
        check_no_identifiers(text)
    assert process_time() - start < 0.5


@pytest.mark.parametrize("bad", ["", "abc", "a b c d e", "<script>", "x" * 81, "1841276451089"])
def test_a_pseudonym_is_a_short_word(bad: str) -> None:
    with pytest.raises(InvalidInput):
        check_pseudonym(bad)
    check_pseudonym("ab12-CD34_x")


@pytest.mark.parametrize(("state", "wanted"), list(product(FindingState, FindingState)))
def test_findings_move_as_the_table_says(state: FindingState, wanted: FindingState) -> None:
    if wanted in FOLLOWING.get(state, frozenset()):
        check_finding_follows(state, wanted)
    else:
        with pytest.raises(WrongState):
            check_finding_follows(state, wanted)


@pytest.mark.parametrize(("state", "wanted"), list(product(ComplaintState, ComplaintState)))
def test_complaints_move_as_the_table_says(state: ComplaintState, wanted: ComplaintState) -> None:
    if wanted in COMPLAINT_FOLLOWING.get(state, frozenset()):
        check_follows(state, wanted)
    else:
        with pytest.raises(WrongState):
            check_follows(state, wanted)


def test_only_opt_outs_go_to_the_authority() -> None:
    assert [s for s in Subject if first_state(s) is ComplaintState.FORWARDED] == [Subject.OPT_OUT]


def test_a_secret_opens_its_complaint_alone() -> None:
    secret = new_secret()
    assert opens(secret, digest(secret))
    assert not opens(new_secret(), digest(secret))
    assert not opens(secret, None)
    assert not opens("\ud800", digest(secret))
    assert new_receipt(2026) != new_receipt(2026)


def measure(**changed: object) -> Measure:
    made = Measure("mnc_1", "MNC-2026-0001", MeasureKind.WARNING, "University", "", "late", "per_1", NOW)
    return replace(made, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [
        {"reasons": " "},
        {"until": NOW + timedelta(days=1)},
        {"kind": MeasureKind.EXCLUSION},
        {"kind": MeasureKind.EXCLUSION, "until": NOW},
        {"kind": MeasureKind.EXCLUSION, "until": datetime(2031, 11, 24, 9, tzinfo=UTC)},
        {"kind": MeasureKind.REVOCATION},
    ],
)
def test_a_measure_is_within_the_law(changed: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        measure(**changed)


def test_an_exclusion_of_five_years_is_the_longest() -> None:
    assert measure(kind=MeasureKind.EXCLUSION, until=datetime(2031, 11, 23, 9, tzinfo=UTC)).until


@pytest.mark.parametrize(
    "changed",
    [
        {"text": " "},
        {"amount": Decimal("-1")},
        {"amount": Decimal("1.001")},
        {"amount": Decimal("NaN")},
        {"amount": Decimal(0)},
        {"kind": FactKind.AUDIT_OF_USER},
        {"on": date(2026, 11, 24)},
    ],
)
def test_a_fact_is_whole(changed: dict[str, object]) -> None:
    fact = Fact("fct_1", FactKind.REVENUE, NOW.date(), Decimal("10.50"), "fees", "per_1", NOW)
    with pytest.raises(InvalidInput):
        replace(fact, **changed)  # type: ignore[arg-type]


def test_a_period_is_from_a_day_until_before_a_day() -> None:
    period = Period(date(2025, 1, 1), date(2027, 1, 1))
    assert period.is_two_years
    assert period.holds(datetime(2025, 1, 1, tzinfo=UTC))
    assert not period.holds(datetime(2027, 1, 1, tzinfo=UTC))
    assert not period.holds(None)
    assert not Period(date(2025, 1, 1), date(2026, 12, 31)).is_two_years
    for start, end in ((date(2025, 1, 1), date(2025, 1, 1)), (date(9999, 1, 1), date(9999, 12, 31))):
        with pytest.raises(InvalidInput):
            Period(start, end)


@pytest.mark.parametrize(("role", "action"), list(product(Role, PublicAction)))
def test_roles_towards_the_public(role: Role, action: PublicAction) -> None:
    actor = Actor("per_1", "A", Organisation("B"), frozenset({role}))
    allowed = action in PUBLIC_ACTIONS.get(role, frozenset())
    assert may(actor, action) is allowed
    if not allowed:
        with pytest.raises(NotPermitted, match="takes the role"):
            check_may(actor, action)
