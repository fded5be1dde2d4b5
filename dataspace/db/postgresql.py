"""All that is particular to PostgreSQL: lock time-outs, what its errors mean, its triggers."""

from typing import Any

from dataspace.domain.errors import Busy, DataspaceError, Unavailable

# lock not available, serialisation failure, deadlock
_BUSY = ("55P03", "40001", "40P01")
# connection, resources, operator intervention, read-only, I/O
_BROKEN = ("08", "53", "57P", "25006", "58")


def meaning(error: BaseException) -> DataspaceError | None:
    """What the driver's error is to a person; None if it is a defect."""
    state = str(getattr(error, "sqlstate", "") or "")
    if state in _BUSY:
        return Busy("the accounts database is busy; nothing was changed or charged, try again")
    if not state and type(error).__name__ == "OperationalError" and "too many clients" in str(error):
        return Busy("the accounts database has no connection free; nothing was changed or charged, try again")
    # a connection that was refused or lost has no state
    if state.startswith(_BROKEN) or (not state and type(error).__name__ == "OperationalError"):
        return Unavailable("the accounts database cannot be reached or written; the operator must look at it")
    return None


def append_only_ddl(table: str) -> list[str]:
    """Triggers that refuse update, delete and truncate."""
    return [
        "create or replace function refuse_change() returns trigger language plpgsql as "
        "$$ begin raise exception '% is append-only', tg_table_name; end $$",
        f"create trigger {table}_no_change before update or delete on {table} "
        "for each row execute function refuse_change()",
        f"create trigger {table}_no_truncate before truncate on {table} execute function refuse_change()",
    ]


def unprotected_ddl(table: str) -> list[str]:
    """Without the triggers of `append_only_ddl`, or of `archived_ddl`."""
    triggers = [f"drop trigger {table}_no_{what} on {table}" for what in ("change", "truncate")]
    return [*triggers, f"drop function if exists {table}_keep()"]


def archived_ddl(table: str, archives: str) -> list[str]:
    """Triggers that refuse update, truncate, and delete of what is not in the archives."""
    return [
        f"create or replace function {table}_keep() returns trigger language plpgsql as "
        f"$$ begin if tg_op = 'DELETE' and old.seq <= (select coalesce(max(last), 0) from {archives}) then "
        "return old; end if; raise exception '% is append-only', tg_table_name; end $$",
        f"create trigger {table}_no_change before update or delete on {table} "
        f"for each row execute function {table}_keep()",
        f"create trigger {table}_no_truncate before truncate on {table} execute function refuse_change()",
    ]


def engine_options() -> dict[str, Any]:
    options = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=20s -c synchronous_commit=on"
    # a server takes a hundred connections by default: enough for four processes
    pool = {"pool_size": 8, "max_overflow": 16, "pool_timeout": 15}
    return {"connect_args": {"options": options}, "pool_pre_ping": True, **pool}
