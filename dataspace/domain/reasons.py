"""Reasons that a person gives for an act."""

from dataspace.domain.errors import InvalidInput


def check_reasons(reasons: str, *, kept: str = "they are part of the decision") -> None:
    """Raises InvalidInput where there are none; `kept` tells what becomes of them."""
    if not reasons.strip():
        raise InvalidInput(f"give the reasons; {kept}")
