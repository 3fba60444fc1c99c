"""Debian's Chromium, driven by Playwright, and what its pages did that they must not."""

import shutil
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

PROGRAMS = ("chromium", "chromium-browser", "/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # as on a network without a way out
)
OURS = "127.0.0.1"


def find_chromium() -> str | None:
    """Return the path of Chromium; None where there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


@dataclass
class Watch:
    """What the pages of a context do beside being looked at; what is in these lists is a fault."""

    complaints: list[str] = field(default_factory=list)
    """Errors of the console, violations of the Content-Security-Policy among them, and what no script caught."""
    elsewhere: list[str] = field(default_factory=list)
    """Requests to other machines."""
    refused: list[str] = field(default_factory=list)
    """Requests that were answered with 400 or more."""

    def follow(self, context: BrowserContext) -> None:
        """Watch whatever the pages of a context do from now on."""
        context.on("console", self._note_message)
        context.on("weberror", self._note_error)
        context.on("request", self._note_request)
        context.on("response", self._note_response)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def _note_error(self, error: WebError) -> None:
        self.complaints.append(str(error.error))

    def _note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob", "about"} and address.hostname != OURS:
            self.elsewhere.append(request.url)

    def _note_response(self, response: Response) -> None:
        if response.status >= 400:
            self.refused.append(f"{response.status} {response.url}")
