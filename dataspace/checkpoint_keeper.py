"""A serving node keeps checkpoints by itself: when it starts, every ten minutes if the books moved, at its end."""

from datetime import timedelta
from threading import Event, Thread

from dataspace.bootstrap import Node
from dataspace.domain.errors import DataspaceError
from dataspace.logs import log
from dataspace.services.checkpoints import OLDEST, hand_to_witnesses, published_checkpoint


class CheckpointKeeper:
    """A thread of its own; a witness that cannot be reached is logged and tried again, it stops nothing."""

    def __init__(self, node: Node, every: timedelta = OLDEST) -> None:
        self._node, self._every, self._ended = node, every, Event()
        self._thread = Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        self.keep()
        self._thread.start()

    def stop(self) -> None:
        """Keep where the books ended."""
        self._ended.set()
        self._thread.join()
        self.keep()

    def keep(self) -> None:
        """A checkpoint of this moment, unless the newest one is."""
        node, (own, *witnesses) = self._node, self._node.checkpoints
        try:
            published_checkpoint(
                node.unit_of_work(), node.clock, node.signatures, node.settings.public_url, own, timedelta(0)
            )
            hand_to_witnesses(node.signatures, own, witnesses)
        except (DataspaceError, OSError) as error:
            log.error("no checkpoint was kept", error_type=type(error).__name__)

    def _run(self) -> None:
        while not self._ended.wait(self._every.total_seconds()):
            self.keep()
