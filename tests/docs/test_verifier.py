"""The verifier under docs/verifier: by its function, and as a process that a real job calls back."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import IO

import pytest
import requests

from tests.docs.pages import ROOT
from tests.stack import Stack, free_port, wait_for
from webhooks.signing import sign_headers

SCRIPT = ROOT / "docs" / "verifier" / "verifier.py"
SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a secret as plain text, č")
BODY = '{"jobType":"ping","status":"completed","summary":"⏰"}'.encode()
NOW = 1_700_000_000


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verifier", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def signed(*secrets: str, timestamp: float = NOW) -> dict[str, str]:
    return sign_headers(
        event="job.completed", event_id="evt_1", body=BODY, timestamp=int(timestamp), secrets=secrets or SECRETS[:1]
    )


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_genuine_gives_its_id(verifier: ModuleType, secret: str) -> None:
    assert verifier.check(signed(secret), BODY, secret, NOW) == "evt_1"
    assert verifier.check(signed("another", secret), BODY, secret, NOW + 299) == "evt_1"


@pytest.mark.parametrize(
    ("headers", "body", "now"),
    [
        (signed(), BODY + b" ", NOW),
        (signed("another"), BODY, NOW),
        (signed(), BODY, NOW + 301),
        (signed(), BODY, NOW - 301),
        ({**signed(), "webhook-id": "evt_2"}, BODY, NOW),
        ({**signed(), "webhook-timestamp": "soon"}, BODY, NOW),
        ({**signed(), "webhook-signature": "č"}, BODY, NOW),
        ({**signed(), "webhook-signature": ""}, BODY, NOW),
        ({}, BODY, NOW),
    ],
)
def test_what_is_not_is_refused(verifier: ModuleType, headers: dict[str, str], body: bytes, now: int) -> None:
    with pytest.raises(ValueError, match=r"timestamp|signed"):
        verifier.check(headers, body, SECRETS[0], now)


def test_it_is_short_and_needs_nothing_of_ours() -> None:
    text = SCRIPT.read_text(encoding="utf-8")

    assert len(text.splitlines()) < 120
    assert not {"webhooks", "pirunner.", "django", "requests"} & {line.split()[1] for line in imports(text)}


def imports(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("import ", "from "))]


def test_without_a_secret_it_does_not_start() -> None:
    ended = subprocess.run(
        [sys.executable, SCRIPT], env={"WEBHOOK_SECRET": "change-me"}, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("Set WEBHOOK_SECRET")


class Running:
    """The verifier as a process of its own."""

    def __init__(self, port: int, secret: str, log: IO[str]) -> None:
        self.url = f"http://127.0.0.1:{port}/callback"
        self._log = Path(log.name)
        self.process = subprocess.Popen(
            [sys.executable, SCRIPT, str(port)], env={**os.environ, "WEBHOOK_SECRET": secret}, stdout=log
        )
        wait_for(lambda: self.lines() == [f"Listening on {self.url}"])

    def lines(self) -> list[str]:
        """Return what it has printed."""
        return self._log.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def called_back(stack_folder: Path, tmp_path: Path) -> Iterator[tuple[Stack, Running]]:
    port = free_port()
    with (
        Stack(stack_folder, CALLBACK_ALLOWED_HOSTS=f"127.0.0.1:{port}") as stack,
        (tmp_path / "verifier.log").open("w") as log,
    ):
        running = Running(port, stack.secret("WEBHOOK_SECRET"), log)
        yield stack, running
        running.process.terminate()
        running.process.wait()


@pytest.fixture
def stack_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "stack"
    folder.mkdir()
    return folder


@pytest.mark.flow
@pytest.mark.timeout(180)
def test_a_real_callback_is_verified_and_its_repetition_dropped(called_back: tuple[Stack, Running]) -> None:
    stack, running = called_back
    stack.finish(stack.submit("reminder", input={"message": "Water the plants"}, callbackUrl=running.url))

    wait_for(lambda: len(running.lines()) == 2)
    words = running.lines()[1].split(" ", 2)
    assert (words[0], words[2]) == ("verified", "reminder completed ⏰ Reminder: Water the plants")

    again = sign_headers(
        event="job.completed",
        event_id=words[1],
        body=BODY,
        timestamp=int(time.time()),
        secrets=[stack.secret("WEBHOOK_SECRET")],
    )
    with requests.Session() as session:
        session.trust_env = False
        answers = [
            session.post(running.url, data=body, headers=again, timeout=10).status_code for body in (BODY, BODY + b" ")
        ]

    assert answers == [200, 401]
    assert running.lines()[2:] == [f"again {words[1]}", "refused: not signed with this secret"]
