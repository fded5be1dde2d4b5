"""The Python client: what a researcher imports in a notebook. Needs only httpx2, pydantic and pandas."""

from dataspace.client.answer import Answer
from dataspace.client.errors import (
    DataspaceError,
    InsufficientBudget,
    InvalidInput,
    InvalidQuery,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    OutOfScope,
    Unavailable,
    Unreachable,
)
from dataspace.client.session import Dataspace

__all__ = [
    "Answer",
    "Dataspace",
    "DataspaceError",
    "InsufficientBudget",
    "InvalidInput",
    "InvalidQuery",
    "NotAuthenticated",
    "NotFound",
    "NotPermitted",
    "OutOfScope",
    "Unavailable",
    "Unreachable",
]
