"""E-mail addresses of persons."""

from sqlalchemy import Connection, select, update

from dataspace.db import tables as t
from dataspace.domain.errors import NotFound


class SqlAddresses:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def set(self, person_id: str, email: str | None) -> None:
        changed = self._connection.execute(
            update(t.persons).where(t.persons.c.id == person_id).values(email=email or None)
        )
        if changed.rowcount == 0:
            raise NotFound(f"no person {person_id} is registered")

    def known(self) -> frozenset[str]:
        return frozenset(
            self._connection.execute(select(t.persons.c.id).where(t.persons.c.email.is_not(None))).scalars()
        )
