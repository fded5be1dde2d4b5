"""The forms of the data access application (Art. 67) and the health data request (Art. 69), as versioned data."""

from dataspace.domain.forms.answers import (
    Fault,
    check_addresses,
    check_answers,
    check_draft,
    faults,
    form_of,
    values_of,
)
from dataspace.domain.forms.comparing import Difference, differences, public_part
from dataspace.domain.forms.definition import Definition, Field, Kind, Said, Section
from dataspace.domain.forms.reading import definition, definitions, newest

__all__ = [
    "Definition",
    "Difference",
    "Fault",
    "Field",
    "Kind",
    "Said",
    "Section",
    "check_addresses",
    "check_answers",
    "check_draft",
    "definition",
    "definitions",
    "differences",
    "faults",
    "form_of",
    "newest",
    "public_part",
    "values_of",
]
