"""Great Expectations on DuckDB: a data source whose rows outlive the moment they are asked for.

Great Expectations fetches results after it has given the connection back, and a DuckDB result does not survive that.
So the engine below keeps one connection for its whole life. Importing this module takes about ten seconds: only the
validation worker does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import duckdb_sqlalchemy  # noqa: F401  registers the dialect
from great_expectations.datasource.fluent.sql_datasource import QueryAsset, SQLDatasource, TableAsset
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError


class OneConnectionEngine(SqlAlchemyExecutionEngine):  # type: ignore[misc]
    """Never gives its connection back; asks for regular expressions as PostgreSQL does."""

    _connection: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dialect_module = postgresql

    @contextmanager
    def get_connection(self) -> Iterator[Any]:
        if self._connection is None:
            self._connection = self.engine.connect()
        try:
            yield self._connection
        except SQLAlchemyError:
            # one question that cannot be computed must not spoil those that follow
            self._connection.rollback()
            raise


class DuckDBDatasource(SQLDatasource):  # type: ignore[misc]
    """Defining this class gives the context's data sources the method `add_duckdb`."""

    asset_types: ClassVar[list[type]] = [TableAsset, QueryAsset]
    # the library reads this annotation to name the method
    type: Literal["duckdb"] = "duckdb"

    @property
    def execution_engine_type(self) -> Any:
        return OneConnectionEngine
