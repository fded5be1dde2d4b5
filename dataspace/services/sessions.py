"""Sessions of browsers: recognised at each request, listed and ended by their owner."""

from datetime import timedelta

from dataspace.domain.actors import Actor
from dataspace.domain.callers import Caller
from dataspace.domain.errors import NotAuthenticated, NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.sign_in import Session, digest
from dataspace.services.ports import Clock, UnitOfWork

SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a session was last used."""


def identify_session(uow: UnitOfWork, clock: Clock, secret: str) -> Caller:
    """Whose session a cookie holds. Raises NotAuthenticated, with one text for unknown, ended and expired."""
    now = clock.now()
    with uow.reading():
        session = uow.sessions.find(digest(secret))
        actor = uow.accounts.get(session.person) if session is not None and session.valid(now) else None
    if session is None or actor is None or not actor.active:
        raise NotAuthenticated("you are not signed in, or the session ended; sign in again")
    if now - session.seen_at >= SEEN_EVERY:
        with uow:
            uow.sessions.seen(session.id, now)
            uow.commit()
    return Caller(actor, None, session)


def sign_out(uow: UnitOfWork, clock: Clock, secret: str) -> None:
    """End the session a cookie holds, if there is one."""
    with uow:
        session = uow.sessions.find(digest(secret))
        if session is not None:
            event = AuditEvent(EventKind.SIGNED_OUT, session.person, session.person, clock.now())
            uow.sessions.end(session.id, clock.now(), event)
        uow.commit()


def end_session(uow: UnitOfWork, clock: Clock, by: Actor, session_id: str) -> None:
    """End one of one's own sessions. Raises NotFound for another's, as for none."""
    with uow:
        if session_id not in {session.id for session in uow.sessions.of_person(by.id)}:
            raise NotFound("you have no such session")
        event = AuditEvent(EventKind.SESSION_ENDED, by.id, by.id, clock.now(), {"session": session_id})
        uow.sessions.end(session_id, clock.now(), event)
        uow.commit()


def list_sessions(uow: UnitOfWork, clock: Clock, by: Actor) -> list[Session]:
    """One's own open sessions, oldest first."""
    now = clock.now()
    with uow.reading():
        return [session for session in uow.sessions.of_person(by.id) if session.valid(now)]
