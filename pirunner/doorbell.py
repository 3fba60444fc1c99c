"""The doorbell: telling the workers through the broker that there is something to do.

A ring may be lost or come twice; the rows in the database are what counts, and the clock rings again for whatever
has been waiting unheard. So ringing never blocks its caller: one thread per process publishes in the background,
and while the broker is away the rings of that time are dropped.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from celery import current_app
from kombu.exceptions import ChannelError

log = logging.getLogger(__name__)

CAPACITY = 10_000
BATCH = 500
REST_SECONDS = 0.01
ENOUGH = 200


@dataclass(frozen=True, slots=True)
class Ring:
    """One ring: the Celery task it calls, the row it is about, and where it goes.

    ``priority`` is 1 (most urgent) to 10. ``shared`` rings of one task are answered by whoever comes first for as
    many rows as there are, so that of several in one go only one is published. A ring that comes ``again`` is left
    out while the broker still holds ``ENOUGH`` messages of its queue: then nobody is deaf, all are busy.
    """

    task: str
    row_id: int
    queue: str
    priority: int = 5
    shared: bool = False
    again: bool = False


class Doorbell:
    """Publishes rings from a background thread, started at the first ring of a process."""

    def __init__(self, publish: Callable[[Ring], None], depth: Callable[[str], int]) -> None:
        self._publish = publish
        self._depth = depth
        self._away = False
        self._reset()
        # A forked child inherits the object but not its thread.
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._rings: queue.Queue[Ring] = queue.Queue(CAPACITY)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def ring(self, rings: Iterable[Ring]) -> None:
        """Take rings to publish soon; return at once. When the queue is full, they are left to the clock."""
        for ring in rings:
            try:
                self._rings.put_nowait(ring)
            except queue.Full:
                break  # the clock will ring for the rest
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def drain(self, seconds: float) -> bool:
        """Wait until what was rung is published, or given up; return whether it is. For processes that end soon."""
        deadline = time.monotonic() + seconds
        while self._rings.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(REST_SECONDS)
        return not self._rings.unfinished_tasks

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            batch = self._next_batch()
            self._publish_all(distinct(batch))
            for _ in batch:
                self._rings.task_done()
            # The first ring goes out at once; those of a burst gather meanwhile, and shared ones become one.
            time.sleep(REST_SECONDS)

    def _next_batch(self) -> list[Ring]:
        batch = [self._rings.get()]
        while len(batch) < BATCH:
            try:
                batch.append(self._rings.get_nowait())
            except queue.Empty:
                break
        return batch

    def _publish_all(self, rings: list[Ring]) -> None:
        depths: dict[str, int] = {}
        for done, ring in enumerate(rings):
            try:
                if ring.again and ring.queue not in depths:
                    depths[ring.queue] = self._depth(ring.queue)
                if not ring.again or depths[ring.queue] < ENOUGH:
                    self._publish(ring)
            except Exception as error:  # noqa: BLE001  (whatever the transport raises, a ring is only a ring)
                self._note_away(error, len(rings) - done)
                return
        self._away = False

    def _note_away(self, error: Exception, left: int) -> None:
        """Say once per outage that the broker is away."""
        if not self._away:
            log.warning("The broker is away (%s); %d rings, and those that follow, are left to the clock.", error, left)
        self._away = True


def distinct(rings: list[Ring]) -> list[Ring]:
    """Return the rings in order, of the shared ones of a task and queue only the first."""
    seen: set[tuple[str, str]] = set()
    kept: list[Ring] = []
    for ring in rings:
        key = (ring.task, ring.queue)
        if ring.shared and key in seen:
            continue
        seen.add(key)
        kept.append(ring)
    return kept


def publish(ring: Ring) -> None:
    """Publish one ring through Celery; raises what the transport raises, within the transport's time limits."""
    current_app.send_task(
        ring.task, args=[ring.row_id], queue=ring.queue, priority=ring.priority - 1, ignore_result=True
    )


def depth(queue_name: str) -> int:
    """Return how many messages the broker holds of a queue; raises what the transport raises."""
    with current_app.connection_for_write() as broker, broker.default_channel as channel:
        try:
            return int(channel.queue_declare(queue_name, passive=True).message_count)
        except ChannelError:
            return 0  # nobody has used the queue yet


doorbell = Doorbell(publish, depth)
