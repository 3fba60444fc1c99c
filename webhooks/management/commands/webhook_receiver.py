"""``manage.py webhook_receiver``: a receiver to try callbacks with; it checks them and prints them."""

import json
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from webhooks.receiver import PATH, Receiver, VerifiedCallback
from webhooks.signing_secrets import own_secrets

HOST = "127.0.0.1"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Command(BaseCommand):
    """Receive callbacks on this machine until Ctrl-C, check each one's signature, and print it."""

    help = "Receives callbacks on this machine, checks their signatures and prints them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--port", type=int, help="Port to listen on (default: CALLBACK_PORT; 0: a free one).")
        parser.add_argument("--once", action="store_true", help="Stop after the first callback.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object per callback.")

    def handle(self, *_args: Any, port: int | None, once: bool, json: bool, **_options: Any) -> None:
        """Serve; raises CommandError when that is impossible, or when ``--once`` met a refused callback."""
        session = _Session(self, once=once, as_json=json)
        receiver = _receiver(settings.CALLBACK_PORT if port is None else port, session)
        with _stopped_by_signals(session.over):
            receiver.start()
            self.stderr.write(f"Listening on http://{HOST}:{receiver.port}{PATH}; Ctrl-C stops.")
            session.over.wait()
            receiver.stop()
        if once and session.refused:
            raise CommandError("The callback was refused.")


class _Session:
    """What is printed, and when it is over."""

    def __init__(self, command: BaseCommand, *, once: bool, as_json: bool) -> None:
        self.over = threading.Event()
        self.refused = False
        self._command = command
        self._once = once
        self._as_json = as_json
        self._printing = threading.Lock()

    def on_callback(self, callback: VerifiedCallback) -> None:
        """Print a genuine callback."""
        record = {
            "verified": True,
            "event": callback.event,
            "eventId": callback.event_id,
            "payload": callback.payload,
        }
        self._print(record, f"verified {_described(callback)}")

    def on_refused(self, reason: str) -> None:
        """Print why a callback was refused."""
        self.refused = True
        self._print({"verified": False, "reason": reason}, f"REFUSED: {reason}")

    def _print(self, record: dict[str, Any], line: str) -> None:
        with self._printing:
            if self._once and self.over.is_set():
                return
            shown = json.dumps(record, ensure_ascii=True) if self._as_json else f"{_clock()} {_printable(line)}"
            self._command.stdout.write(shown)
            self._command.stdout.flush()
            if self._once:
                self.over.set()


def _receiver(port: int, session: _Session) -> Receiver:
    if not settings.WEBHOOK_SECRET:
        raise CommandError("WEBHOOK_SECRET is empty, so no signature can be checked.")
    try:
        secrets = own_secrets(timezone.now())
        return Receiver(HOST, port, secrets, session.on_callback, on_refused=session.on_refused)
    except ValueError as error:
        raise CommandError(f"WEBHOOK_SECRET cannot be used: {error}") from error
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"Port {port} cannot be listened on: {reason}.{_whose(port)}") from error


def _whose(port: int) -> str:
    """Return a hint if the port is the one of the relay, which a running pirunner has."""
    if not settings.RELAY or port != settings.CALLBACK_PORT:
        return ""
    return " A running pirunner has it for its relay: name another one with --port."


@contextmanager
def _stopped_by_signals(over: threading.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM set ``over``; outside the main thread, where Python forbids it, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        over.set()

    before = {number: signal.signal(number, stop) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _described(callback: VerifiedCallback) -> str:
    payload = callback.payload
    outcome = payload.get("summary") or payload.get("error") or ""
    words = (callback.event, payload.get("jobId"), payload.get("jobType"), payload.get("status"), outcome)
    return " ".join(str(word) for word in words if word)


def _printable(line: str) -> str:
    # A summary may quote a web page, and a terminal obeys control characters.
    return "".join(character if character.isprintable() else " " for character in line)


def _clock() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")
