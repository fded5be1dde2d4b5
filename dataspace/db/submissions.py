"""What was submitted and what was returned, in the order of time."""

from sqlalchemy import Connection, insert, select

from dataspace.db import tables as t
from dataspace.db.form_codec import answers_from_dict, answers_to_dict, form_from_dict, form_to_dict
from dataspace.domain.applications import Edition, Return, Written


class SqlSubmissions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_edition(self, application_id: str, edition: Edition) -> None:
        self._connection.execute(
            insert(t.application_editions).values(
                application=application_id,
                number=edition.number,
                form=form_to_dict(edition.written.form),
                answers=answers_to_dict(edition.written.answers),
                submitted_at=edition.submitted_at,
                submitted_by=edition.submitted_by,
            )
        )

    def editions(self, application_id: str) -> list[Edition]:
        table = t.application_editions
        query = select(table).where(table.c.application == application_id).order_by(table.c.number)
        return [
            Edition(
                row.number,
                Written(form_from_dict(row.form), answers_from_dict(row.answers)),
                row.submitted_at,
                row.submitted_by,
            )
            for row in self._connection.execute(query)
        ]

    def add_return(self, application_id: str, returned: Return) -> None:
        self._connection.execute(
            insert(t.application_returns).values(
                application=application_id,
                edition=returned.edition,
                missing=dict(returned.missing),
                returned_at=returned.returned_at,
                returned_by=returned.returned_by,
            )
        )

    def returns(self, application_id: str) -> list[Return]:
        table = t.application_returns
        query = select(table).where(table.c.application == application_id).order_by(table.c.edition)
        return [
            Return(row.edition, row.missing, row.returned_at, row.returned_by)
            for row in self._connection.execute(query)
        ]
