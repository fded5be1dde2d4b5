"""Every deadline of the EHDS Regulation's chapter on secondary use, as one table.

A clock is never stored: it follows from recorded facts (`clock_states.clocks_of`). Kinds of facts are named by the text
of their audit event, so that a kind the node does not record yet is simply absent, and its clock does not run.
"""

from dataspace.domain.calendars import AT_ONCE, Length, Unit
from dataspace.domain.clocks import ClockName, ClockRule, Extension, Sense, Side, Subject

RETURNED, RESUBMITTED = "application-returned", "application-resubmitted"
"""An application goes back to be completed, and comes again."""

EXTENDED = "clock-extended"
"""Details: `clock`, `item`, `reason`, and `until` (a date) where the law gives no length."""

EXTENDS = {"publication-extended": ClockName.PUBLISH_RESULTS}
"""Events that extend one clock in particular; details as `EXTENDED`, without the clock's name."""

OF_THE_PERMIT = frozenset({"results-published", "result-registered", "publication-extended"})
"""Facts of an application that are as much facts of the permit it became."""

REQUEST_NUMBERS = ("HDR-", "DR-")
"""How numbers of data requests begin, where they are filed and submitted as applications are."""

PERMIT_EXPIRES, PERMIT_EXPIRED, PERIOD_ENDED = "permit-expires", "permit-expired", "reporting-period-ended"
"""Facts of the calendar, not of the audit trail: a permit's last moment, when it is past, and the end of two years."""

_DECIDED = ("application-granted", "application-refused")
_CASE_CLOSED = ("application-withdrawn", "application-lapsed")
_REQUEST_DECIDED = (*_DECIDED, "data-request-approved", "data-request-refused")
_REQUEST_CLOSED = (*_CASE_CLOSED, "data-request-withdrawn", "data-request-lapsed")
_PERMIT_OVER = (PERMIT_EXPIRED, "permit-revoked")


def _weeks(count: int) -> Length:
    return Length(count, Unit.WEEKS)


def _months(count: int) -> Length:
    return Length(count, Unit.MONTHS)


def _years(count: int) -> Length:
    return Length(count, Unit.YEARS)


_CASE, _REQUEST, _PERMIT = (
    frozenset({subject}) for subject in (Subject.APPLICATION, Subject.DATA_REQUEST, Subject.PERMIT)
)

RULES = (
    ClockRule(
        ClockName.PUBLISH_APPLICATION,
        "57(1)(j)(ii)",
        "Publish the application or request",
        "Publier la demande",
        _CASE | _REQUEST,
        ("application-submitted", "data-request-submitted"),
        ("application-published", "data-request-published"),
        AT_ONCE,
        Side.ACCESS_BODY,
        Side.PUBLIC,
        automatic="the public register shows every case from its receipt on",
    ),
    ClockRule(
        ClockName.PUBLISH_DECISION,
        "57(1)(j)(iii)",
        "Publish the decision with its reasons",
        "Publier la décision motivée",
        _CASE | _REQUEST,
        _REQUEST_DECIDED,
        ("decision-published",),
        Length(30, Unit.WORKING_DAYS),
        Side.ACCESS_BODY,
        Side.PUBLIC,
    ),
    ClockRule(
        ClockName.PERMIT_DECISION,
        "68(4)",
        "Decide on the application",
        "Statuer sur la demande d'accès",
        _CASE,
        ("application-submitted", RESUBMITTED),
        _DECIDED,
        _months(3),
        Side.ACCESS_BODY,
        Side.APPLICANT,
        ends=_CASE_CLOSED,
        settles=("assessment-started",),
        extension=Extension(_months(3), "68(4)"),
        pauses=True,
        accelerated=False,
    ),
    ClockRule(
        ClockName.PERMIT_DECISION_ACCELERATED,
        "68(6)",
        "Decide on the application (accelerated)",
        "Statuer sur la demande d'accès (procédure accélérée)",
        _CASE,
        ("application-submitted", RESUBMITTED),
        _DECIDED,
        _months(2),
        Side.ACCESS_BODY,
        Side.APPLICANT,
        ends=_CASE_CLOSED,
        settles=("assessment-started",),
        extension=Extension(_months(1), "68(6)"),
        pauses=True,
        accelerated=True,
    ),
    ClockRule(
        ClockName.COMPLETE_APPLICATION,
        "68(4)",
        "Complete the application",
        "Compléter la demande",
        _CASE,
        (RETURNED,),
        (RESUBMITTED,),
        _weeks(4),
        Side.APPLICANT,
        Side.ACCESS_BODY,
        ends=_CASE_CLOSED + _DECIDED,
        repeats=True,
    ),
    ClockRule(
        ClockName.REQUEST_ASSESSMENT,
        "69(4)",
        "Assess the data request",
        "Évaluer la demande de données",
        _REQUEST,
        ("application-submitted", RESUBMITTED, "data-request-submitted"),
        _REQUEST_DECIDED,
        _months(3),
        Side.ACCESS_BODY,
        Side.APPLICANT,
        ends=_REQUEST_CLOSED,
        settles=("assessment-started",),
    ),
    ClockRule(
        ClockName.REQUEST_ANSWER,
        "69(4)",
        "Answer the data request, where possible",
        "Répondre à la demande de données, si possible",
        _REQUEST,
        ("application-granted", "data-request-approved"),
        ("data-request-answered",),
        _months(3),
        Side.ACCESS_BODY,
        Side.APPLICANT,
        ends=_REQUEST_CLOSED,
    ),
    ClockRule(
        ClockName.TRUSTED_HOLDER_PROPOSAL,
        "72(5)",
        "Assess the case and propose a decision",
        "Évaluer le dossier et proposer une décision",
        _CASE | _REQUEST,
        ("case-forwarded",),
        ("decision-proposed-by-holder",),
        _months(2),
        Side.TRUSTED_HOLDER,
        Side.ACCESS_BODY,
        ends=_REQUEST_CLOSED + _REQUEST_DECIDED,
        item="holder",
    ),
    ClockRule(
        ClockName.TRUSTED_HOLDER_DECISION,
        "72(5)",
        "Decide on the trusted holder's proposal",
        "Statuer sur la proposition du détenteur de confiance",
        _CASE | _REQUEST,
        ("decision-proposed-by-holder",),
        _REQUEST_DECIDED,
        _months(2),
        Side.ACCESS_BODY,
        Side.TRUSTED_HOLDER,
        ends=_REQUEST_CLOSED,
        item="holder",
    ),
    ClockRule(
        ClockName.ORDER_DATA,
        "68(7)",
        "Ask the data holders for the data",
        "Demander les données aux détenteurs",
        _PERMIT,
        ("permit-issued",),
        ("data-ordered",),
        AT_ONCE,
        Side.ACCESS_BODY,
        Side.DATA_USER,
        ends=_PERMIT_OVER,
    ),
    ClockRule(
        ClockName.DELIVER_DATA,
        "60(2)",
        "Deliver the data to the access body",
        "Fournir les données à l'organisme d'accès",
        _PERMIT,
        ("data-ordered",),
        ("data-delivered",),
        _months(3),
        Side.DATA_HOLDER,
        Side.ACCESS_BODY,
        ends=_PERMIT_OVER,
        extension=Extension(_months(3), "60(2)"),
        item="dataset",
    ),
    ClockRule(
        ClockName.PROVIDE_DATA,
        "68(7)",
        "Make the data available to the data user",
        "Mettre les données à la disposition de l'utilisateur",
        _PERMIT,
        ("data-delivered",),
        ("data-provided",),
        _months(2),
        Side.ACCESS_BODY,
        Side.DATA_USER,
        ends=_PERMIT_OVER,
        extension=Extension(None, "68(7)"),
        item="dataset",
    ),
    ClockRule(
        ClockName.AGREE_FEE,
        "62(4)",
        "Agree on the holder's fee, before the access body may set it",
        "S'accorder sur la redevance du détenteur, avant que l'organisme d'accès puisse la fixer",
        _PERMIT,
        ("permit-issued",),
        ("fee-agreed", "fee-set"),
        _months(1),
        Side.DATA_HOLDER,
        Side.DATA_USER,
        ends=_PERMIT_OVER,
        sense=Sense.LIMIT,
        reminds=False,
    ),
    ClockRule(
        ClockName.VIEWS_ON_FINDING,
        "63(2)",
        "Give views on the finding",
        "Présenter des observations sur le constat",
        _PERMIT | frozenset({Subject.DATASET}),
        ("finding-notified",),
        ("views-given",),
        _weeks(4),
        Side.PARTY_CONCERNED,
        Side.ACCESS_BODY,
        ends=("finding-closed",),
        item="finding",
    ),
    ClockRule(
        ClockName.PERMIT_LENGTH,
        "68(12)",
        "The longest a permit may last, its one extension not counted",
        "Durée maximale de l'autorisation, hors prolongation unique",
        _PERMIT,
        ("permit-issued",),
        (),
        _years(10),
        Side.DATA_USER,
        Side.ACCESS_BODY,
        ends=_PERMIT_OVER,
        sense=Sense.LIMIT,
        reminds=False,
    ),
    ClockRule(
        ClockName.ASK_FOR_EXTENSION,
        "68(12)",
        "Last day to ask for the permit's extension",
        "Dernier jour pour demander la prolongation de l'autorisation",
        _PERMIT,
        (PERMIT_EXPIRES,),
        ("permit-extension-requested", "permit-extended"),
        _months(1),
        Side.DATA_USER,
        Side.ACCESS_BODY,
        ends=("permit-revoked",),
        sense=Sense.LIMIT,
        backwards=True,
    ),
    ClockRule(
        ClockName.DELETE_SPE_DATA,
        "68(12)",
        "Delete the data from the secure processing environment",
        "Supprimer les données de l'environnement de traitement sécurisé",
        _PERMIT,
        _PERMIT_OVER,
        ("spe-data-deleted",),
        _months(6),
        Side.ACCESS_BODY,
        Side.DATA_HOLDER,
    ),
    ClockRule(
        ClockName.PUBLISH_RESULTS,
        "61(4)",
        "Publish the results",
        "Publier les résultats",
        _PERMIT | _REQUEST,
        ("processing-ended", *_PERMIT_OVER, "data-request-answered"),
        ("results-published", "result-registered"),
        _months(18),
        Side.DATA_USER,
        Side.PUBLIC,
        settles=("processing-ended", *_PERMIT_OVER, "data-request-answered"),
        extension=Extension(None, "61(4)"),
    ),
    ClockRule(
        ClockName.EXCLUSION,
        "63(3), (4)",
        "The longest an exclusion may last",
        "Durée maximale de l'exclusion",
        frozenset({Subject.EXCLUSION}),
        ("exclusion-decided", "person-excluded"),
        (),
        _years(5),
        Side.ACCESS_BODY,
        Side.PARTY_CONCERNED,
        ends=("exclusion-lifted",),
        sense=Sense.LIMIT,
        reminds=False,
    ),
    ClockRule(
        ClockName.KEEP_ACCESS_LOGS,
        "73(1)(e)",
        "Keep the record of the access",
        "Conserver la trace de l'accès",
        frozenset({Subject.NODE}),
        ("query-charged", "query-repeated", "query-refused"),
        (),
        _years(1),
        Side.ACCESS_BODY,
        Side.PUBLIC,
        sense=Sense.KEEP,
        reminds=False,
        automatic="nothing is ever deleted from the audit trail: its triggers refuse it, and no clock is shown",
    ),
    ClockRule(
        ClockName.CHECK_DESCRIPTION,
        "60(3)",
        "Check that the dataset's description is right",
        "Vérifier la description du jeu de données",
        frozenset({Subject.DATASET}),
        ("dataset-registered", "description-checked"),
        (),
        _years(1),
        Side.DATA_HOLDER,
        Side.ACCESS_BODY,
        repeats=True,
    ),
    ClockRule(
        ClockName.ACTIVITY_REPORT,
        "59",
        "Send the activity report of two years to the Commission and the Board",
        "Transmettre le rapport d'activité de deux ans à la Commission et au comité",
        frozenset({Subject.NODE}),
        (PERIOD_ENDED,),
        ("activity-report-published", "report-frozen"),
        _months(6),
        Side.ACCESS_BODY,
        Side.COMMISSION_AND_BOARD,
        item="period",
    ),
)

REPORTING_PERIOD = _years(2)
"""What an activity report covers (Art. 59)."""

BY_NAME = {rule.name: rule for rule in RULES}

RULES_OF = {
    subject: tuple(rule for rule in RULES if subject in rule.subjects and rule.sense is not Sense.KEEP)
    for subject in Subject
}
"""Rules that have clocks; each access has its log, and nothing deletes one."""

SUBJECT_OF = {
    "application-submitted": Subject.APPLICATION,
    "data-request-submitted": Subject.DATA_REQUEST,
    "permit-issued": Subject.PERMIT,
    "dataset-registered": Subject.DATASET,
    "exclusion-decided": Subject.EXCLUSION,
    "person-excluded": Subject.EXCLUSION,
}
"""The fact with which each kind of subject begins; its details hold the number, its actor is the applicant."""

_NAMED = (kind for rules in RULES_OF.values() for rule in rules for kind in rule.kinds)

FACT_KINDS = frozenset({*_NAMED, *SUBJECT_OF, *EXTENDS, EXTENDED, RETURNED, RESUBMITTED}) - {
    PERMIT_EXPIRES,
    PERMIT_EXPIRED,
    PERIOD_ENDED,
}
"""Kinds of audit events that clocks are derived from; all others are never read."""
