"""What holds for every test."""

import pytest

from tests.databases import node, postgres

__all__ = ["node", "postgres"]


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their argument: packed files carry the time they were made, and every worker makes its own."""
    return argname if isinstance(val, bytes) else None
