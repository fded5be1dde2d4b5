"""FHIR R4 Bulk Data (NDJSON) made into tables by view definitions (SQL-on-FHIR v2).

delivery   which files hold which resource types
library    the views that ship with this package (`views/*.json`) and the holder's own
definition a ViewDefinition, checked on load
parser     FHIRPath text to its tree (tokens, tree)
paths      the tree to SQL (focus, elements, values, references, types)
compiler   a view to one SELECT
reader     the delivery as a Source
"""

from pipelines.readers.fhir.reader import FhirSource, open_fhir

__all__ = ["FhirSource", "open_fhir"]
