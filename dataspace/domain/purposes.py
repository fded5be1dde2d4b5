"""What health data may be used for, and what not: Art. 53 and 54 EHDS as tables."""

from enum import StrEnum


class Purpose(StrEnum):
    """Purposes of Art. 53(1), a closed list; the value is the letter of the law."""

    PUBLIC_INTEREST = "a"
    POLICY = "b"
    STATISTICS = "c"
    EDUCATION = "d"
    RESEARCH = "e"
    CARE = "f"

    @property
    def letter(self) -> str:
        return self.value

    @property
    def text(self) -> str:
        return PURPOSE_TEXTS[self]

    @property
    def reserved_to_public_bodies(self) -> bool:
        """Art. 53(2): only public sector and Union bodies in their legal tasks, or third parties acting for them."""
        return self in RESERVED_TO_PUBLIC_BODIES


PURPOSE_TEXTS = {
    Purpose.PUBLIC_INTEREST: "public interest in public or occupational health: surveillance, quality and safety",
    Purpose.POLICY: "policymaking and regulatory tasks of public bodies in the health or care sector",
    Purpose.STATISTICS: "statistics, such as official statistics, on the health or care sector",
    Purpose.EDUCATION: "education or teaching in the health or care sector, vocational or higher",
    Purpose.RESEARCH: "scientific research in the health or care sector, also development and training of algorithms",
    Purpose.CARE: "improving the delivery of care and optimising treatment, based on the data of others",
}

RESERVED_TO_PUBLIC_BODIES = frozenset({Purpose.PUBLIC_INTEREST, Purpose.POLICY, Purpose.STATISTICS})


class ProhibitedUse(StrEnum):
    """Uses that Art. 54 forbids under any permit; the value is the letter of the law."""

    HARMFUL_DECISIONS = "a"
    DISCRIMINATION = "b"
    MARKETING = "c"
    HARMFUL_PRODUCTS = "d"
    UNETHICAL = "e"

    @property
    def text(self) -> str:
        return PROHIBITED_USE_TEXTS[self]


PROHIBITED_USE_TEXTS = {
    ProhibitedUse.HARMFUL_DECISIONS: "decisions that harm a person or a group because of their health data",
    ProhibitedUse.DISCRIMINATION: "decisions on jobs, insurance, credit or supply that discriminate by these data",
    ProhibitedUse.MARKETING: "advertising or marketing",
    ProhibitedUse.HARMFUL_PRODUCTS: "products or services that may harm people, public health or society",
    ProhibitedUse.UNETHICAL: "activities against the ethical provisions of national law",
}


class LegalBasis(StrEnum):
    """Ground of Art. 6(1) GDPR that the applicant relies on; the value is the letter."""

    CONSENT = "a"
    LEGAL_OBLIGATION = "c"
    PUBLIC_TASK = "e"
    LEGITIMATE_INTEREST = "f"
