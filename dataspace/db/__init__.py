"""The accounts database: the only users of SQLAlchemy. SQLite by default, PostgreSQL by URL.

engine = open_engine("sqlite:///accounts.db")
migrate(engine)
with SqlUnitOfWork(engine) as uow:
    ...
    uow.commit()
"""

from dataspace.db.engine import open_engine
from dataspace.db.migrate import migrate
from dataspace.db.unit_of_work import SqlUnitOfWork

__all__ = ["SqlUnitOfWork", "migrate", "open_engine"]
