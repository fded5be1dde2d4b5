"""The outbox, for the operator: what was sent, what waits, what was given up."""

from typing import Annotated

from fastapi import APIRouter, Query

from dataspace.domain.outbox import DeliveryState
from dataspace.services import outbox
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.wire.clocks import MessageEntry

router = APIRouter(prefix="/messages", tags=["messages"])


@router.get("")
def list_messages(
    node: CurrentNode,
    actor: CurrentActor,
    state: DeliveryState | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[MessageEntry]:
    """The newest messages and how far they got."""
    return [
        MessageEntry(
            id=message.id,
            channel=message.channel.value,
            subject=message.subject,
            written_at=message.at,
            state=delivery.state.value,
            tries=delivery.tries,
            next_try_at=delivery.next_try_at,
            fault=delivery.fault,
            sent_at=delivery.sent_at,
        )
        for message, delivery in outbox.list_messages(node.unit_of_work(), actor, state, limit)
    ]


@router.post("/{message_id}/retry", status_code=204)
def retry(message_id: Identifier, node: CurrentNode, actor: CurrentActor) -> None:
    """Send a message that was given up once more."""
    outbox.requeue_message(node.unit_of_work(), node.clock, actor, message_id)
