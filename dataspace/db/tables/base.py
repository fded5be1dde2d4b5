"""What all tables share: the metadata, and columns of amounts of privacy loss.

Amounts are whole quanta (`dataspace.domain.privacy`), two columns each.
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def amount(name: str, default: str | None = None) -> tuple[Column[int], Column[int]]:
    """A privacy loss: `<name>_pico_rho` and `<name>_atto_delta`."""
    return (
        Column(f"{name}_pico_rho", BigInteger, nullable=False, server_default=default),
        Column(f"{name}_atto_delta", BigInteger, nullable=False, server_default=default),
    )


def within(name: str, parts: tuple[str, ...], limit: str) -> CheckConstraint:
    """Both quanta of the sum of `parts` stay between zero and `limit`."""
    tests = []
    for quantum in ("pico_rho", "atto_delta"):
        names = [f"{part}_{quantum}" for part in parts]
        tests += [f"{column} >= 0" for column in names] + [f"{' + '.join(names)} <= {limit}_{quantum}"]
    return CheckConstraint(" and ".join(tests), name=name)
