"""The outbox: reminders written once, sent through real servers on this machine, tried again, never lost."""

import base64
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from dataspace.db import tables as t
from dataspace.db.migrate import check_no_drift
from dataspace.delivery import MailServer, WebhookRules, mailer, webhook_sender
from dataspace.delivery.webhook import check_address
from dataspace.domain.actors import SYSTEM
from dataspace.domain.clock_states import Counting
from dataspace.domain.errors import InvalidInput, NotPermitted, WrongState
from dataspace.domain.events import EventKind
from dataspace.domain.outbox import Channel, Claimed, DeliveryState, NotDelivered, wait_after
from dataspace.domain.reminders import Targets
from dataspace.national_days import national_calendar
from dataspace.services import accounts, clocks, outbox, reminders, steps
from dataspace.services.outbox import Delivered, Policy
from tests.databases import node_on
from tests.factories import Node, make_node

COUNTING = Counting(national_calendar("FR", "Europe/Paris"))
SENDER = "node@node.example.eu"
SECRET = "a shared secret of the receiver"
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    if request.param == "sqlite":
        made = make_node(tmp_path)
        yield with_addresses(made)
        made.engine.dispose()
        return
    with node_on(request.getfixturevalue("postgres")) as made:
        check_no_drift(made.engine)
        yield with_addresses(made)


def with_addresses(made: Node) -> Node:
    made.dataset()
    for person in (made.researcher, made.assessor, made.holder):
        accounts.change_address(made.uow, made.clock, SYSTEM, person.id, f"{person.id}@people.example.eu")
    return made


@dataclass
class Inbox:
    """A mail server's mailbox; refuses what comes while `answer` is an error."""

    mails: list[Any] = field(default_factory=list)
    answer: str = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.answer


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, MailServer]]:
    box = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, MailServer("127.0.0.1", port, "none")
    controller.stop()


@dataclass
class Hook:
    """A web server that records what is posted to it and answers with `status`."""

    url: str = ""
    status: int = 204
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    known = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            known.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(known.status)
            if known.status == 302:
                self.send_header("location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=running.serve_forever, daemon=True)
    thread.start()
    known.url = f"http://127.0.0.1:{running.server_port}/deadlines"
    yield known
    running.shutdown()
    running.server_close()


def deliver(node: Node, senders: dict[Channel, outbox.Send], tries: int = 12, worker: str = "w") -> Delivered:
    return outbox.deliver(node.uow, node.clock, SYSTEM, senders, Policy(worker, most_tries=tries))


def states(node: Node) -> dict[str, tuple[str, int, str]]:
    found = outbox.list_messages(node.uow, SYSTEM)
    return {message.id: (delivery.state.value, delivery.tries, delivery.fault) for message, delivery in found}


def local_hook(now: float = 0) -> outbox.Send:
    return webhook_sender(WebhookRules(frozenset({"127.0.0.1"}), loopback=True), SECRET, lambda: now)


def remind(node: Node, *webhooks: str) -> int:
    return reminders.remind(node.uow, node.clock, SYSTEM, COUNTING, Targets("https://node.example.eu", webhooks))


def test_one_reminder_for_each_clock_and_threshold(node: Node) -> None:
    node.under_assessment()
    written = []
    for _ in range(100):
        written.append(remind(node) + remind(node))
        node.clock.forward(days=1)
    # to the assessor two weeks and one week before, on the last day and after it; then also to the applicant
    assert sum(written) == 5
    assert [day for day, count in enumerate(written) if count] == [78, 85, 92, 93]


def test_a_reminder_says_a_number_a_day_and_a_link_in_two_languages(
    node: Node, inbox: tuple[Inbox, MailServer]
) -> None:
    box, server = inbox
    case = node.under_assessment()
    node.clock.forward(days=100)
    assert remind(node) == 2
    assert deliver(node, {Channel.EMAIL: mailer(server, SENDER)}) == Delivered(sent=2)
    assert {mail["to"] for mail in box.mails} == {f"{p.id}@people.example.eu" for p in (node.assessor, node.researcher)}
    mail = box.mails[0]
    body = mail.get_body().get_content()
    for said in (case.number, "68(4)", "2027-02-23", "it is overdue", "l'échéance est dépassée", case.id):
        assert said in body
    for kept in (case.form.title, case.form.justification, case.form.lay_summary, node.researcher.name):
        assert kept not in body + mail["subject"]


def test_a_webhook_is_signed_over_its_identifier_its_time_and_its_body(node: Node, hook: Hook) -> None:
    node.under_assessment()
    node.clock.forward(days=100)
    assert remind(node, hook.url) == 3
    deliver(node, {Channel.WEBHOOK: local_hook(now=1_795_000_000)})
    ((headers, body),) = hook.posts
    covered = f"{headers['webhook-id']}.1795000000.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), covered, sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    content = json.loads(body)
    assert content["id"] == headers["webhook-id"]
    assert content["data"]["state"] == "overdue"


def test_without_an_address_nothing_is_written_and_a_lost_address_waits(node: Node) -> None:
    node.under_assessment()
    node.clock.forward(days=80)
    assert remind(node) == 1
    accounts.change_address(node.uow, node.clock, SYSTEM, node.assessor.id, "")
    assert deliver(node, {Channel.EMAIL: lambda _: None}) == Delivered(put_off=1)
    assert [fault for _, _, fault in states(node).values()] == ["no-address"]


@pytest.mark.parametrize("bad", ["nobody", "a b@example.eu", "a@example.eu\nBcc: b@example.eu", "a@example", "@x.eu"])
def test_what_is_no_address_is_refused_and_not_repeated(node: Node, bad: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        accounts.change_address(node.uow, node.clock, SYSTEM, node.researcher.id, bad)
    assert bad not in raised.value.message


def test_a_server_that_is_down_is_tried_again_later_and_later(node: Node, inbox: tuple[Inbox, MailServer]) -> None:
    box, server = inbox
    message = node.message()
    down = {Channel.EMAIL: mailer(MailServer("127.0.0.1", 1, "none"), SENDER)}
    for tries in range(1, 5):
        assert deliver(node, down) == Delivered(put_off=1)
        assert deliver(node, down) == Delivered()
        assert states(node)[message.id] == ("waiting", tries, "ConnectionRefusedError")
        node.clock.time += wait_after(tries)
    assert deliver(node, {Channel.EMAIL: mailer(server, SENDER)}) == Delivered(sent=1)
    assert [mail["message-id"] for mail in box.mails] == [f"<{message.id}@node.example.eu>"]
    assert [wait_after(n) // timedelta(minutes=1) for n in (1, 2, 3, 9, 10, 50)] == [1, 2, 4, 256, 360, 360]


@pytest.mark.parametrize("status", [500, 503, 404, 302])
def test_a_webhook_that_fails_is_given_up_after_so_many_tries_and_can_be_sent_again(
    node: Node, hook: Hook, status: int
) -> None:
    message = node.message(channel=Channel.WEBHOOK, recipient=hook.url)
    hook.status = status
    for _ in range(3):
        deliver(node, {Channel.WEBHOOK: local_hook()}, tries=3)
        node.clock.forward(days=1)
    assert states(node)[message.id] == ("dead", 3, f"http-{status}")
    assert deliver(node, {Channel.WEBHOOK: local_hook()}, tries=3) == Delivered()
    assert {headers["webhook-id"] for headers, _ in hook.posts} == {message.id}
    assert len(hook.posts) == 3
    hook.status = 204
    outbox.requeue_message(node.uow, node.clock, SYSTEM, message.id)
    assert deliver(node, {Channel.WEBHOOK: local_hook()}, tries=3) == Delivered(sent=1)
    with pytest.raises(WrongState):
        outbox.requeue_message(node.uow, node.clock, SYSTEM, message.id)
    with node.uow.reading() as uow:
        kinds = [entry.event.kind for entry in uow.audit.entries(message.id)]
    assert kinds == [EventKind.MESSAGE_DEAD, EventKind.MESSAGE_REQUEUED, EventKind.MESSAGE_SENT]


def test_what_a_mail_server_says_is_not_kept(node: Node, inbox: tuple[Inbox, MailServer]) -> None:
    box, server = inbox
    message = node.message()
    box.answer = "550 the mailbox of R. Researcher is unknown"
    deliver(node, {Channel.EMAIL: mailer(server, SENDER)})
    assert states(node)[message.id] == ("waiting", 1, "smtp-550")


def test_several_workers_send_each_message_once(node: Node) -> None:
    messages = {node.message(f"key {number}").id for number in range(24)}
    sent: list[str] = []

    def work(number: int) -> Delivered:
        return deliver(node, {Channel.EMAIL: lambda claimed: sent.append(claimed.message.id)}, worker=f"w{number}")

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(work, range(6)))
    assert sorted(sent) == sorted(messages)
    assert sum(each.sent for each in done) == 24


def test_several_workers_write_each_reminder_once(node: Node) -> None:
    for _ in range(4):
        node.under_assessment()
    node.clock.forward(days=100)
    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(lambda _: remind(node), range(4)))
    assert sum(written) == 8
    with node.engine.connect() as connection:
        assert len(connection.execute(select(t.outbox_messages.c.id)).all()) == 8


def test_a_worker_that_dies_after_sending_leaves_the_message_to_the_next_one(
    node: Node, inbox: tuple[Inbox, MailServer]
) -> None:
    box, server = inbox
    message = node.message()
    program = f"""
import os, signal
from datetime import datetime
from dataspace.db import SqlUnitOfWork, open_engine
from dataspace.delivery import MailServer, mailer
from dataspace.domain.actors import SYSTEM
from dataspace.domain.outbox import Channel
from dataspace.services import outbox

class Clock:
    def now(self):
        return datetime.fromisoformat({node.clock.now().isoformat()!r})

def send(claimed):
    mailer(MailServer("127.0.0.1", {server.port}, "none"), {SENDER!r})(claimed)
    os.kill(os.getpid(), signal.SIGKILL)

uow = SqlUnitOfWork(open_engine({_with_password(node)!r}))
outbox.deliver(uow, Clock(), SYSTEM, {{Channel.EMAIL: send}}, outbox.Policy("first"))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == -signal.SIGKILL
    senders = {Channel.EMAIL: mailer(server, SENDER)}
    assert deliver(node, senders, worker="second") == Delivered()
    assert states(node)[message.id] == ("sending", 1, "")
    node.clock.time += outbox.LEASE
    assert deliver(node, senders, worker="second") == Delivered(sent=1)
    # twice, and the receiver can tell: it is the same message
    assert [mail["message-id"] for mail in box.mails] == [f"<{message.id}@node.example.eu>"] * 2


def _with_password(node: Node) -> str:
    return node.engine.url.render_as_string(hide_password=False)


def test_a_message_that_takes_its_worker_down_each_time_is_given_up(node: Node) -> None:
    message = node.message()
    for _ in range(3):
        with node.uow as uow:
            now = node.clock.now()
            assert uow.outbox.claim("w", now, now + outbox.LEASE, 3) is not None
            uow.commit()
        node.clock.time += outbox.LEASE
    assert deliver(node, {}, tries=3) == Delivered(dead=1)
    assert states(node)[message.id] == ("dead", 3, "no-report")


def test_who_lost_the_lease_does_not_overwrite_what_the_next_worker_wrote(node: Node) -> None:
    message = node.message()

    def slow(_claimed: Claimed) -> None:
        node.clock.time += outbox.LEASE
        assert deliver(node, {Channel.EMAIL: lambda _: None}, worker="second") == Delivered(sent=1)
        raise NotDelivered("TimeoutError")

    outbox.deliver(node.uow, node.clock, SYSTEM, {Channel.EMAIL: slow}, Policy("first"), most=1)
    assert states(node)[message.id] == (DeliveryState.SENT.value, 2, "")


def test_a_channel_that_is_not_set_up_waits(node: Node) -> None:
    message = node.message()
    assert deliver(node, {}) == Delivered(put_off=1)
    assert states(node)[message.id] == ("waiting", 1, "channel-not-set-up")


def test_the_outbox_is_the_operators(node: Node) -> None:
    message = node.message()
    for person in (node.researcher, node.assessor, node.decision_maker, node.holder, node.desk):
        with pytest.raises(NotPermitted):
            outbox.list_messages(node.uow, person)
        with pytest.raises(NotPermitted):
            outbox.requeue_message(node.uow, node.clock, person, message.id)


def test_an_extension_and_its_notice_are_one_transaction(node: Node) -> None:
    case = node.under_assessment()
    clocks.extend_clock(
        node.uow,
        node.clock,
        node.decision_maker,
        COUNTING,
        Targets("https://node.example.eu"),
        subject=case.id,
        name="permit-decision",
        reason="a confidential detail",
    )
    ((message, _),) = outbox.list_messages(node.uow, SYSTEM)
    assert message.recipient == node.researcher.id
    assert "confidential" not in message.text


@pytest.mark.parametrize(
    ("url", "rules", "fault"),
    [
        ("https://elsewhere.example.eu/", WebhookRules(frozenset({"hook.example.eu"})), "host-not-allowed"),
        ("https://user@127.0.0.1/", WebhookRules(frozenset({"127.0.0.1"}), True), "host-not-allowed"),
        ("http://127.0.0.1:9/", WebhookRules(frozenset({"127.0.0.1"})), "loopback-not-allowed"),
        ("https://localhost:9/", WebhookRules(frozenset({"localhost"})), "loopback-not-allowed"),
        ("https://169.254.169.254/", WebhookRules(frozenset({"169.254.169.254"}), True), "loopback-not-allowed"),
        ("https://0/", WebhookRules(frozenset({"0"}), True), "loopback-not-allowed"),
        ("https://[::1]/", WebhookRules(frozenset({"::1"})), "loopback-not-allowed"),
        ("http://192.0.2.7/", WebhookRules(frozenset({"192.0.2.7"})), "not-https"),
        ("ftp://127.0.0.1/", WebhookRules(frozenset({"127.0.0.1"}), True), "not-https"),
        ("https://127.0.0.1:port/", WebhookRules(frozenset({"127.0.0.1"}), True), "address-not-allowed"),
    ],
)
def test_a_webhook_goes_only_where_a_setting_says(url: str, rules: WebhookRules, fault: str) -> None:
    with pytest.raises(NotDelivered, match=fault):
        check_address(url, rules)


PRIVATE = ["10.0.0.5", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.5", "64:ff9b::a00:5"]
LOCAL = ["127.0.0.1", "::1", "::", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"]


def resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every host name has these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize(
    ("address", "fault"),
    [(one, "internal-address-not-allowed") for one in PRIVATE] + [(one, "loopback-not-allowed") for one in LOCAL],
)
def test_a_webhook_does_not_follow_a_name_inside(monkeypatch: pytest.MonkeyPatch, address: str, fault: str) -> None:
    resolve(monkeypatch, "8.8.8.8", address)
    with pytest.raises(NotDelivered, match=fault):
        check_address("https://hook.example.eu/", WebhookRules(frozenset({"hook.example.eu"})))


@pytest.mark.parametrize("address", PRIVATE)
def test_an_internal_host_may_be_at_a_private_address(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    named = frozenset({"hook.example.eu"})
    resolve(monkeypatch, address)
    check_address("https://hook.example.eu/", WebhookRules(named, internal=named))
    resolve(monkeypatch, address, "169.254.169.254")
    with pytest.raises(NotDelivered, match="loopback-not-allowed"):
        check_address("https://hook.example.eu/", WebhookRules(named, internal=named))


def test_a_named_host_at_a_public_address_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, "8.8.8.8", "2001:4860:4860::8888")
    check_address("https://hook.example.eu/", WebhookRules(frozenset({"hook.example.eu"})))


def test_mail_in_the_open_is_refused_where_tls_is_asked_for(inbox: tuple[Inbox, MailServer], tmp_path: Path) -> None:
    box, server = inbox
    node = make_node(tmp_path)
    accounts.change_address(node.uow, node.clock, SYSTEM, node.researcher.id, "r@people.example.eu")
    message = node.message()
    deliver(node, {Channel.EMAIL: mailer(MailServer(server.host, server.port, "starttls"), SENDER)})
    assert states(node)[message.id][2] == "SMTPNotSupportedError"
    assert box.mails == []


def test_both_databases_tell_the_same_cases(node: Node) -> None:
    permit, case = node.permit(), node.under_assessment()
    for person, wanted in ((node.researcher, {permit.id, permit.application, case.id}), (node.holder, {permit.id})):
        found = clocks.list_clocks(node.uow, node.clock, person, COUNTING, clocks.Wanted())
        assert {clock.case.id for clock in found} - {"registry"} == wanted
    official = clocks.list_clocks(node.uow, node.clock, node.assessor, COUNTING, clocks.Wanted())
    assert {clock.case.id for clock in official} == {permit.id, permit.application, case.id, "registry"}
    steps.record_step(
        node.uow,
        node.clock,
        node.assessor,
        COUNTING,
        subject=case.id,
        step="case-forwarded",
        item=node.holder.organisation.name,
    )
    held = clocks.list_clocks(node.uow, node.clock, node.holder, COUNTING, clocks.Wanted())
    assert {clock.rule.name.value for clock in held if clock.case.id == case.id} == {"trusted-holder-proposal"}


def test_two_officials_extend_once(node: Node) -> None:
    case = node.under_assessment()

    def extend(_number: int) -> bool:
        try:
            clocks.extend_clock(
                node.uow,
                node.clock,
                node.decision_maker,
                COUNTING,
                Targets("https://node.example.eu"),
                subject=case.id,
                name="permit-decision",
                reason="many cases",
            )
        except WrongState:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(extend, range(4))) == 1
