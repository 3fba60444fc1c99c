"""The relay: takes callbacks on ``CALLBACK_PORT`` for as long as its process lives, whatever happens to its server."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connections
from django.utils import timezone

from pirunner.checks import WELL_KNOWN
from pirunner.signs import RELAY, LifeSign
from webhooks.receiver import PATH, Receiver, VerifiedCallback
from webhooks.relay import notices
from webhooks.signing_secrets import own_secrets

log = logging.getLogger(__name__)

AGAIN_SECONDS = 2.0
"""How long after its server has ended, or could not start, the relay starts another."""
POLL_SECONDS = 0.5
"""How long a stop may go unnoticed; each look wakes the processor."""


class Relay:
    """Serves between ``start`` and ``stop``; raises ValueError when the only secrets are such as anybody may know."""

    def __init__(self, host: str, port: int) -> None:
        if not _secrets():
            raise ValueError("The relay needs a WEBHOOK_SECRET that is not empty and no well-known word.")
        self._host, self._port = host, port
        self._receiver: Receiver | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._sign = LifeSign(RELAY, f"{socket.gethostname()}:{os.getpid()}", lives=self.serves)

    def start(self) -> None:
        """Begin to serve, in threads of its own."""
        self._thread.start()
        self._sign.start()

    def stop(self) -> None:
        """Stop to serve; callbacks that are being taken get two seconds."""
        self._stopping.set()
        self._sign.stop()
        receiver = self._receiver
        if receiver is not None:
            receiver.stop()
        self._thread.join()

    def serves(self) -> bool:
        """Return whether callbacks are taken right now."""
        receiver = self._receiver
        return receiver is not None and receiver.takes_requests

    def _run(self) -> None:
        told = ""
        while not self._stopping.is_set():
            try:
                self._serve()
            except Exception as error:  # noqa: BLE001  (whatever it is, callbacks are still owed an answer)
                reason = f"The relay cannot serve on {self._host} port {self._port}: {error}"
                if reason != told:  # once: a port may be taken for long
                    log.error("%s. It tries again every %g s.", reason, AGAIN_SECONDS)  # noqa: TRY400
                told = reason
            else:
                told = ""
            self._stopping.wait(AGAIN_SECONDS)

    def _serve(self) -> None:
        """Serve until the stop, or until something goes wrong."""
        with Receiver(self._host, self._port, _secrets, _take, on_refused=_note_refused) as receiver:
            self._receiver = receiver
            if not self._stopping.is_set():
                log.info("The relay takes callbacks at http://%s:%d%s", self._host, receiver.port, PATH)
                receiver.serve(poll_seconds=POLL_SECONDS)
        if not self._stopping.is_set():
            log.error("The relay's server has ended by itself; another one is started.")


@contextmanager
def relaying() -> Iterator[None]:
    """Run the relay, if the owner wants it, for the length of the block."""
    if not settings.RELAY:
        yield
        return
    relay = Relay(settings.CALLBACK_HOST, settings.CALLBACK_PORT)
    relay.start()
    try:
        yield
    finally:
        relay.stop()


def _secrets() -> list[str]:
    """Return the secrets with which callbacks may be signed at this moment.

    Without well-known ones: the secret before the last change may be such, and that may be why it was changed.
    """
    return [secret for secret in own_secrets(timezone.now()) if secret and secret.lower() not in WELL_KNOWN]


def _take(callback: VerifiedCallback) -> None:
    try:
        notices.take(callback)
    finally:
        # Each request has a thread of its own, whose connection nobody would use again.
        connections.close_all()


def _note_refused(reason: str) -> None:
    log.warning("A callback was refused: %s", reason)
