"""Notification services by URL, such as ``ntfy://topic`` or ``mailto://...``: whatever Apprise can reach.

Its logs and errors quote addresses, and those hold tokens and passwords. So nothing of what it says goes on but the
number of an HTTP status.
"""

import logging
import re
import threading

from webhooks.relay.outcome import Sent

_STATUS = re.compile(r"\berror=([1-5][0-9]{2})\b")


def send(url: str, text: str) -> Sent:
    """Send a text to the service of an Apprise URL."""
    ear = _Ear()
    logger = logging.getLogger("apprise")
    logger.addHandler(ear)
    try:
        taken = _notify(url, text)
    except Exception as error:  # noqa: BLE001  (170 services, each with libraries of its own)
        return Sent(f"The service could not be asked: {type(error).__name__}.")
    finally:
        logger.removeHandler(ear)
    if taken is None:
        return Sent("Apprise does not understand this URL.")
    return Sent("" if taken else ear.reason)


def _notify(url: str, text: str) -> bool | None:
    """Return whether the service took it; None when the URL names none."""
    import apprise  # noqa: PLC0415  (18 MB, which only those pay who use it)

    # Otherwise it sends in a thread of its own, where its words would not be known as ours.
    asset = apprise.AppriseAsset(async_mode=False, storage_mode="memory", app_id="pirunner")
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        return None
    if "overflow=" not in url:
        # Most services refuse what is too long for them; half a message is better than none.
        service.overflow_mode = apprise.OverflowMode.TRUNCATE
    return bool(apprise.Apprise(servers=service, asset=asset).notify(body=text, body_format=apprise.NotifyFormat.TEXT))


class _Ear(logging.Handler):
    """Hears what Apprise says in this thread, and remembers the last HTTP status of it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self._status = ""

    @property
    def reason(self) -> str:
        """Return what is known of a failure."""
        return f"The service answered {self._status}." if self._status else "The service did not take it."

    def emit(self, record: logging.LogRecord) -> None:
        """Take note."""
        if record.thread == self._thread and (found := _STATUS.search(record.getMessage())):
            self._status = found.group(1)
