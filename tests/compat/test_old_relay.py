"""Every callback passes a receiver that writes the body again before it checks the signature, as the old relay did.

Callbacks are made as a job's end makes them, from whatever a handler returned and a client sent as metadata.
"""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.endings import Ending
from jobs.payloads import ended_payload
from jobs.runs import Claim
from jobs.states import State
from tests.webhooks.test_ecmascript_json import KEYS, TEXTS, VALUES
from webhooks.signing import sign_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RELAY = Path(__file__).with_name("old_relay.mjs")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)
# A property test: the relay is started once for all examples.
EXAMPLES = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Accepts = Callable[[dict[str, str], bytes], bool]


@pytest.fixture(scope="module")
def accepts() -> Iterator[Accepts]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on PATH: the old relay's check was not tried")
    command = [node, str(RELAY), SECRET]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin
        assert stdout

        def ask(headers: dict[str, str], body: bytes) -> bool:
            lowered = {name.lower(): value for name, value in headers.items()}
            stdin.write(json.dumps({"headers": lowered, "body": base64.b64encode(body).decode()}) + "\n")
            stdin.flush()
            return {"true\n": True, "false\n": False}[stdout.readline()]

        yield ask
        stdin.close()


def signed(body: bytes) -> dict[str, str]:
    return sign_headers(
        event="job.completed", event_id="evt_1", body=body, timestamp=int(time.time()), secrets=[SECRET]
    )


def ending(state: State, metadata: Any, **fields: Any) -> Ending:
    claim = Claim(
        job_id=41,
        token="t",
        run=1,
        job_type="ping",
        priority=5,
        input={},
        metadata=metadata,
        callback_url="",
        concurrency_key="",
        attempts_made=0,
        max_attempts=3,
        started_at=NOON,
        worker="w",
    )
    return Ending(claim=claim, state=state, at=NOON, **fields)


@given(result=OBJECTS, metadata=OBJECTS | st.none(), summary=TEXTS)
@EXAMPLES
def test_the_end_of_a_job_passes(accepts: Accepts, result: Any, metadata: Any, summary: str) -> None:
    body = ended_payload(ending(State.COMPLETED, metadata, result=result, summary=summary)).text.encode()

    assert accepts(signed(body), body)


@given(error=TEXTS, metadata=OBJECTS | st.none())
@EXAMPLES
def test_a_failure_passes(accepts: Accepts, error: str, metadata: Any) -> None:
    body = ended_payload(ending(State.FAILED, metadata, error=error)).text.encode()

    assert accepts(signed(body), body)


def test_it_would_notice_a_body_that_is_written_otherwise(accepts: Accepts) -> None:
    body = b'{"ratio": 1.0}'

    assert not accepts(signed(body), body)
