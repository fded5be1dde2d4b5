"""What a node does by itself, again and again: budgets of expired permits, reminders, messages."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex

from dataspace.bootstrap import Node
from dataspace.delivery import senders
from dataspace.domain.actors import SYSTEM
from dataspace.services import outbox, permits, reminders


def _return_budgets(node: Node) -> str:
    returned = permits.return_expired_budgets(node.unit_of_work(), node.clock, SYSTEM)
    return f"budgets returned: {len(returned)}"


def _remind(node: Node) -> str:
    written = reminders.remind(node.unit_of_work(), node.clock, SYSTEM, node.counting, node.targets)
    return f"reminders written: {written}"


def _deliver(node: Node) -> str:
    name = f"{socket.gethostname()[:16]}-{os.getpid()}-{token_hex(4)}"[-40:]
    policy = outbox.Policy(name, most_tries=node.settings.message_tries)
    done = outbox.deliver(node.unit_of_work(), node.clock, SYSTEM, senders(node.settings), policy)
    return f"messages sent: {done.sent}, to be tried again: {done.put_off}, given up: {done.dead}"


@dataclass(frozen=True)
class Job:
    """Safe to run at any time, twice, and beside itself; returns one line on what it did."""

    name: str
    run: Callable[[Node], str] = field(repr=False)


JOBS = (Job("budgets", _return_budgets), Job("reminders", _remind), Job("messages", _deliver))
"""In this order: what one writes, the next may send."""
