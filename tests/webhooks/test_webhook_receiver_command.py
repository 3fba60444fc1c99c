"""``manage.py webhook_receiver``, as a real process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

from webhooks.signing import sign_headers

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
SECRET = "command-secret"
BODY = json.dumps({"jobId": "42", "jobType": "reminder", "status": "completed", "summary": "⏰ Tea\x1b[2J"}).encode()


def start(*options: str, data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(MANAGE), "webhook_receiver", *options],
        env={**os.environ, "WEBHOOK_SECRET": SECRET, "RUNNER_DATA_DIR": str(data), "ENV_FILE": os.devnull},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


@contextmanager
def listening(*options: str, data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command on a free port and yield it with the URL that it says it listens on."""
    with start("--port", "0", *options, data=data) as process:
        assert process.stderr
        found = re.search(r"http://\S+/callback", process.stderr.readline())
        assert found
        try:
            yield process, found.group()
        finally:
            process.kill()


def send(url: str, secret: str = SECRET) -> int:
    headers = sign_headers(
        event="job.completed", event_id="evt_1", body=BODY, timestamp=int(time.time()), secrets=[secret]
    )
    return requests.post(url, BODY, headers=headers, timeout=5).status_code


def test_a_verified_callback_is_printed_in_one_harmless_line(tmp_path: Path) -> None:
    with listening("--once", data=tmp_path) as (process, url):
        assert send(url) == 200
        output, _ = process.communicate(timeout=10)

    assert re.fullmatch(r"\d\d:\d\d:\d\d verified job\.completed 42 reminder completed ⏰ Tea \[2J\n", output)
    assert process.returncode == 0


def test_a_refused_callback_is_printed_and_is_a_failure(tmp_path: Path) -> None:
    with listening("--once", data=tmp_path) as (process, url):
        assert send(url, secret="wrong") == 401
        output, _ = process.communicate(timeout=10)

    assert "REFUSED: No entry of webhook-signature" in output
    assert process.returncode == 1


def test_json_is_one_object_per_callback(tmp_path: Path) -> None:
    with listening("--json", data=tmp_path) as (process, url):
        send(url)
        send(url, secret="wrong")
        assert process.stdout
        records = [json.loads(process.stdout.readline()) for _ in range(2)]

    assert records[0] == {
        "verified": True,
        "event": "job.completed",
        "eventId": "evt_1",
        "payload": json.loads(BODY),
    }
    assert records[1]["verified"] is False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with listening(data=tmp_path) as (process, _url):
        process.send_signal(number)
        output, errors = process.communicate(timeout=10)

    assert (process.returncode, output, errors) == (0, "", "")


def test_a_taken_port_is_one_clear_sentence(settings) -> None:
    settings.WEBHOOK_SECRET = SECRET
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(CommandError, match=rf"^Port {port} cannot be listened on: Address already in use\.$"):
            call_command("webhook_receiver", port=port)


def test_the_port_of_the_relay_is_named_as_such(settings) -> None:
    settings.WEBHOOK_SECRET = SECRET
    settings.RELAY = True
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.CALLBACK_PORT = taken.getsockname()[1]

        with pytest.raises(CommandError, match=r"in use\. A running pirunner has it for its relay: .* --port\.$"):
            call_command("webhook_receiver")


def test_the_port_is_callback_port_unless_named(settings) -> None:
    settings.WEBHOOK_SECRET = SECRET
    settings.CALLBACK_PORT = 99999

    with pytest.raises(CommandError, match=r"^Port 99999 cannot be listened on: "):
        call_command("webhook_receiver")


@pytest.mark.parametrize(("secret", "sentence"), [("", "is empty"), ("whsec_!", "cannot be used")])
def test_an_unusable_secret_is_one_clear_sentence(settings, secret: str, sentence: str) -> None:
    settings.WEBHOOK_SECRET = secret

    with pytest.raises(CommandError, match=f"^WEBHOOK_SECRET {sentence}"):
        call_command("webhook_receiver", port=0)
