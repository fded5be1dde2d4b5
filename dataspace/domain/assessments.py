"""The assessment of an application, criterion by criterion: Art. 68(1) and (2) EHDS as a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dataspace.domain.errors import InvalidApplication


class Criterion(StrEnum):
    """What is assessed; the value is the paragraph of Art. 68 and the letter, or for (2) the aspect."""

    PURPOSE = "1a"
    NECESSITY = "1b"
    LAWFULNESS = "1c"
    COMPETENCE = "1d"
    SAFEGUARDS = "1e"
    ETHICS = "1f"
    OPT_OUT_EXCEPTION = "1g"
    CHAPTER = "1h"
    SECURITY = "2-security"
    REGULATORS = "2-regulators"


class Verdict(StrEnum):
    MET = "met"
    NOT_MET = "not-met"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True)
class Rule:
    """One criterion: where it stands, what it asks, and whether the law lets it be not applicable."""

    article: str
    text: str
    may_not_apply: bool = False


CRITERIA = {
    Criterion.PURPOSE: Rule("Art. 68(1)(a)", "the purpose is one of Art. 53(1)"),
    Criterion.NECESSITY: Rule("Art. 68(1)(b)", "the data are necessary, adequate and proportionate (Art. 66)"),
    Criterion.LAWFULNESS: Rule(
        "Art. 68(1)(c)", "the processing has a ground of Art. 6(1) GDPR, and pseudonymised data are justified"
    ),
    Criterion.COMPETENCE: Rule("Art. 68(1)(d)", "the applicant is qualified for the purpose and has the expertise"),
    Criterion.SAFEGUARDS: Rule("Art. 68(1)(e)", "the technical and organisational measures are sufficient"),
    Criterion.ETHICS: Rule("Art. 68(1)(f)", "the ethics information is what national law asks for", may_not_apply=True),
    Criterion.OPT_OUT_EXCEPTION: Rule(
        "Art. 68(1)(g)", "setting opt-outs aside is justified (Art. 71(4))", may_not_apply=True
    ),
    Criterion.CHAPTER: Rule("Art. 68(1)(h)", "every other requirement of the chapter is met"),
    Criterion.SECURITY: Rule("Art. 68(2)", "defence, security, public security and order are not at risk"),
    Criterion.REGULATORS: Rule(
        "Art. 68(2)", "confidential data in regulators' databases are protected", may_not_apply=True
    ),
}
"""All of them are needed for a grant. Not applicable is open where the law says where applicable, or where used."""


@dataclass(frozen=True)
class Finding:
    """One verdict on one criterion, by one assessor. A later one by the same assessor takes its place."""

    criterion: Criterion
    verdict: Verdict
    reason: str
    assessor: str
    at: datetime

    def __post_init__(self) -> None:
        rule = CRITERIA[self.criterion]
        if not self.reason.strip():
            raise InvalidApplication(f"give the reason for the verdict on {rule.article}")
        if self.verdict is Verdict.NOT_APPLICABLE and not rule.may_not_apply:
            raise InvalidApplication(f"{rule.article} always applies: {rule.text}; say met or not met")


Assessment = dict[Criterion, Finding]
"""The finding that counts for each criterion assessed so far."""


def current(findings: Iterable[Finding], assessor: str | None) -> Assessment:
    """The latest finding on each criterion by the case's present assessor; `findings` are oldest first."""
    return {finding.criterion: finding for finding in findings if finding.assessor == assessor}


def unassessed(assessment: Assessment) -> list[Criterion]:
    """Criteria without a verdict, in the order of the law."""
    return [criterion for criterion in CRITERIA if criterion not in assessment]


def not_met(assessment: Assessment) -> list[Criterion]:
    """Criteria that fail, in the order of the law."""
    return [c for c in CRITERIA if c in assessment and assessment[c].verdict is Verdict.NOT_MET]


def named(criteria: Iterable[Criterion]) -> str:
    """Criteria as text: code, article and what it asks."""
    return "; ".join(f"{c.value}, {CRITERIA[c].article}: {CRITERIA[c].text}" for c in criteria)
