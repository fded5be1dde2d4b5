"""Signing in with a local password or an identity at the provider, and the one-time links that lead to either.

Refusals say the same whether or not an account exists. Nobody is registered by signing in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dataspace.domain.actors import Actor, Role
from dataspace.domain.callers import Caller
from dataspace.domain.errors import InvalidInput, NotAuthenticated, TooManyAttempts
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.permissions import NodeAction, check_may
from dataspace.domain.roles import check_compatible
from dataspace.domain.sign_in import (
    INVITATION_VALID,
    Invitation,
    LocalAccount,
    Session,
    SignInMethod,
    after_failure,
    after_success,
    check_password,
    digest,
    new_secret,
    throttle_key,
)
from dataspace.domain.tabulations import NODE_USER, check_not_the_node
from dataspace.services.persons import put_roles
from dataspace.services.ports import Clock, UnitOfWork
from dataspace.services.sign_in_ports import Passwords

REFUSED = "the account name or the password is wrong; try again, or ask the operator for a new one-time link"
NOT_LINKED = "this identity is not linked to a person here; ask the operator for a one-time link"
LINKED_ELSEWHERE = "this identity belongs to another person here already; the operator can look into it"
LINK_OVER = "this one-time link is unknown, used or expired; ask the operator for a new one"


@dataclass(frozen=True)
class SignedIn:
    """A session just opened; `secret` is for the cookie and nothing else keeps it."""

    caller: Caller
    secret: str = field(repr=False)


@dataclass(frozen=True)
class PasswordDue:
    """The password was right but has to be changed first, under the one-time link of this `secret`."""

    secret: str = field(repr=False)


@dataclass(frozen=True)
class Identity:
    """What a verified id token says. `email` only if the provider verified it; `roles` as the provider names them."""

    issuer: str
    subject: str
    email: str | None = None
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class IdentityRules:
    """What settings let an identity decide: be found by a verified e-mail, and have roles by a table of them."""

    match_email: bool = False
    roles: Mapping[str, Role] = field(default_factory=dict)


def invite(uow: UnitOfWork, clock: Clock, by: Actor, person_id: str, *, login: str = "") -> str:
    """The secret of a one-time link for a registered person, valid for three days; earlier ones end.

    `login` is the account name a password is set under; by default the one the person has, else their identifier.
    """
    check_may(by, NodeAction.MANAGE_PERSON)
    check_not_the_node(person_id)
    now, secret = clock.now(), new_secret()
    with uow:
        person = uow.accounts.get(person_id)
        if not person.active:
            raise InvalidInput("this person is deactivated; reactivate them first")
        known = uow.sign_ins.account_of(person_id)
        name = _login(login) or (known.login if known else person_id)
        taken = uow.sign_ins.account(name)
        if taken is not None and taken.person != person_id:
            raise InvalidInput("this account name is taken; choose another")
        invitation = Invitation(digest(secret), person_id, name, now, now + INVITATION_VALID)
        uow.sign_ins.add_invitation(invitation, AuditEvent(EventKind.PERSON_INVITED, by.id, person_id, now))
        uow.commit()
    return secret


def read_invitation(uow: UnitOfWork, clock: Clock, secret: str) -> tuple[Actor, Invitation]:
    """Whom a one-time link is for. Raises NotAuthenticated."""
    with uow.reading():
        return _invited(uow, clock.now(), secret)


def set_password(
    uow: UnitOfWork, clock: Clock, passwords: Passwords, secret: str, password: str, *, demo: bool = False
) -> Actor:
    """Set the password of whom the one-time link is for; the link is used up and every session of theirs ends."""
    person, invitation = read_invitation(uow, clock, secret)
    check_password(password, person.name, invitation.login)
    hashed = passwords.hash(password)
    now = clock.now()
    with uow:
        person, invitation = _invited(uow, now, secret)
        if not uow.sign_ins.use_invitation(invitation.digest, now):
            raise NotAuthenticated(LINK_OVER)
        account = LocalAccount(invitation.login, person.id, hashed, demo)
        uow.sign_ins.save_account(account, AuditEvent(EventKind.PASSWORD_SET, person.id, person.id, now))
        uow.sign_ins.clear_throttle(throttle_key("account", account.login))
        uow.sessions.end_all(person.id, now)
        uow.commit()
    return person


def sign_in_with_password(
    uow: UnitOfWork,
    clock: Clock,
    passwords: Passwords,
    login: str,
    password: str,
    *,
    address: str,
    demo_mode: bool,
    replaces: str | None = None,
) -> SignedIn | PasswordDue:
    """Open a session; `replaces` is the secret of the one the browser had.

    The attempt is written down as failed before the password is looked at, so that many at once are not more guesses.
    Raises TooManyAttempts, or NotAuthenticated with one text for every reason.
    """
    keys = (throttle_key("account", login), throttle_key("address", address))
    _count_attempt(uow, clock.now(), keys)
    with uow.reading():
        account = uow.sign_ins.account(_login(login))
    right = passwords.verify(password, account.password_hash if account else None)
    now = clock.now()
    with uow:
        person = uow.accounts.get(account.person) if account is not None else None
        # read again: the password may have been changed meanwhile
        unchanged = account is not None and uow.sign_ins.account(account.login) == account
        if account is None or person is None or not (right and unchanged and _let_in(person)):
            raise NotAuthenticated(REFUSED)
        _take_back(uow, *keys)
        if account.demo and not demo_mode:
            result: SignedIn | PasswordDue = _due(uow, person, account.login, now)
        else:
            result = _open(uow, person, SignInMethod.PASSWORD, now, replaces)
        uow.commit()
    return result


def sign_in_with_identity(
    uow: UnitOfWork,
    clock: Clock,
    identity: Identity,
    rules: IdentityRules,
    *,
    invitation: str | None = None,
    replaces: str | None = None,
) -> SignedIn:
    """Open a session for the person linked to the identity, linking it first by a one-time link or a verified e-mail.

    Raises NotAuthenticated; InvalidInput if the provider gives roles that one person cannot hold together: the link
    and the roles it took away stand then.
    """
    now = clock.now()
    with uow:
        person = _whose(uow, identity, rules, invitation, now)
        if not _let_in(person):
            raise NotAuthenticated(NOT_LINKED)
        if rules.roles:
            person = _withdraw_roles(uow, person, identity, rules, now)
        uow.commit()
    with uow:
        person = uow.accounts.get(person.id)
        if not _let_in(person):
            raise NotAuthenticated(NOT_LINKED)
        if rules.roles:
            person = _give_roles(uow, person, identity, rules, now)
        opened = _open(uow, person, SignInMethod.OIDC, now, replaces)
        uow.commit()
    return opened


def _count_attempt(uow: UnitOfWork, now: datetime, keys: tuple[str, ...]) -> None:
    with uow:
        known = {key: uow.sign_ins.throttle(key) for key in keys}
        ends = [throttle.blocked_until for throttle in known.values() if throttle and throttle.blocked_until]
        until = max(ends, default=now)
        if until > now:
            raise TooManyAttempts(int((until - now).total_seconds()) + 1)
        for key, throttle in known.items():
            counted = after_failure(throttle, key, now)
            uow.sign_ins.save_throttle(counted)
            if counted.blocked_until and counted.failures % 10 == 0:
                details = {"failures": str(counted.failures)}
                uow.audit.append(AuditEvent(EventKind.SIGN_IN_REFUSED, "anonymous", key[:40], now, details))
        uow.commit()


def _take_back(uow: UnitOfWork, account: str, address: str) -> None:
    """A right password clears the account, but of the address only this attempt: others may be guessing from there."""
    uow.sign_ins.clear_throttle(account)
    counted = uow.sign_ins.throttle(address)
    left = after_success(counted) if counted is not None else None
    uow.sign_ins.clear_throttle(address)
    if left is not None:
        uow.sign_ins.save_throttle(left)


def _invited(uow: UnitOfWork, now: datetime, secret: str) -> tuple[Actor, Invitation]:
    invitation = uow.sign_ins.invitation(digest(secret))
    person = uow.accounts.get(invitation.person) if invitation is not None and invitation.valid(now) else None
    if invitation is None or person is None or not _let_in(person):
        raise NotAuthenticated(LINK_OVER)
    return person, invitation


def _let_in(person: Actor) -> bool:
    """Never the node itself, whatever account, identity or link an earlier version gave it."""
    return person.active and person.id != NODE_USER.id


def _due(uow: UnitOfWork, person: Actor, login: str, now: datetime) -> PasswordDue:
    secret = new_secret()
    invitation = Invitation(digest(secret), person.id, login, now, now + INVITATION_VALID)
    uow.sign_ins.add_invitation(invitation, AuditEvent(EventKind.PERSON_INVITED, person.id, person.id, now))
    return PasswordDue(secret)


def _whose(uow: UnitOfWork, identity: Identity, rules: IdentityRules, secret: str | None, now: datetime) -> Actor:
    """The person of an identity, linked now if it has none. A link that leads to another person stays unused."""
    known = uow.sign_ins.person_of(identity.issuer, identity.subject)
    if secret is None:
        return uow.accounts.get(known) if known else _link(uow, identity, _matched(uow, identity, rules), now)
    person, invitation = _invited(uow, now, secret)
    if known not in (None, person.id):
        raise NotAuthenticated(LINKED_ELSEWHERE)
    if not uow.sign_ins.use_invitation(invitation.digest, now):
        raise NotAuthenticated(LINK_OVER)
    return person if known else _link(uow, identity, person, now)


def _matched(uow: UnitOfWork, identity: Identity, rules: IdentityRules) -> Actor:
    """Whose verified e-mail it is, unless they have an identity there: a mailbox may be given to somebody else."""
    matched = uow.accounts.find_by_email(identity.email) if rules.match_email and identity.email else None
    if matched is None or uow.sign_ins.has_identity(identity.issuer, matched.id):
        raise NotAuthenticated(NOT_LINKED)
    return matched


def _link(uow: UnitOfWork, identity: Identity, person: Actor, now: datetime) -> Actor:
    event = AuditEvent(EventKind.IDENTITY_LINKED, person.id, person.id, now, {"issuer": identity.issuer})
    uow.sign_ins.link(identity.issuer, identity.subject, person.id, event)
    return person


def _withdraw_roles(uow: UnitOfWork, person: Actor, identity: Identity, rules: IdentityRules, now: datetime) -> Actor:
    """Roles that the table names follow the provider; others are the operator's and stay."""
    gone = frozenset(rules.roles.values()) - _given(identity, rules)
    return _change_roles(uow, person, replace(person, roles=person.roles - gone), now)


def _give_roles(uow: UnitOfWork, person: Actor, identity: Identity, rules: IdentityRules, now: datetime) -> Actor:
    after = replace(person, roles=person.roles | _given(identity, rules))
    check_compatible(after.roles)
    return _change_roles(uow, person, after, now)


def _given(identity: Identity, rules: IdentityRules) -> frozenset[Role]:
    return frozenset(rules.roles[name] for name in identity.roles if name in rules.roles)


def _change_roles(uow: UnitOfWork, person: Actor, after: Actor, now: datetime) -> Actor:
    if after.roles != person.roles:
        put_roles(uow, person, person, after, now, by="provider")
    return after


def _open(uow: UnitOfWork, person: Actor, method: SignInMethod, now: datetime, replaces: str | None) -> SignedIn:
    if replaces is not None:
        before = uow.sessions.find(digest(replaces))
        if before is not None:
            ended = AuditEvent(EventKind.SESSION_ENDED, before.person, before.person, now, {"session": before.id})
            uow.sessions.end(before.id, now, ended)
    secret = new_secret()
    session = Session(new_id("ses"), digest(secret), person.id, method, now, now)
    details = {"session": session.id, "method": method.value}
    uow.sessions.add(session, AuditEvent(EventKind.SIGNED_IN, person.id, person.id, now, details))
    return SignedIn(Caller(person, None, session), secret)


def _login(name: str) -> str:
    return name.strip().casefold()
