"""Both signature families: published vectors, the reference library, and hostile requests."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from webhooks.signing import SignatureRefused, sign_headers, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1_700_000_000
BODY = b'{"jobId":"42"}'


def signed(*, body: bytes = BODY, secrets: tuple[str, ...] = ("change-me",), timestamp: int = NOW) -> dict[str, str]:
    return sign_headers(event="job.completed", event_id="evt_1", body=body, timestamp=timestamp, secrets=secrets)


def old_family(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("X-Runner")}


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (
            '{"jobId":"42","jobType":"reminder","status":"completed"}',
            "6b4e43ffdc964b68bae169f1f2eb25a1a980278e311ed888a4d7a15fd069d510",
        ),
        (
            '{"summary":"⏰ Reminder: čaj"}',
            "c7e8d33a27f841bdafc8645cc8d1101c9a5e457d422a52191a60571a845fbfe5",
        ),
    ],
)
def test_the_old_family_matches_pi_agent_runners_vectors(body: str, signature: str) -> None:
    headers = signed(body=body.encode())

    assert headers["X-Runner-Signature"] == signature


def test_the_new_family_matches_the_vector_of_standard_webhooks() -> None:
    headers = sign_headers(
        event="test",
        event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        body=b'{"test": 2432232314}',
        timestamp=1614265330,
        secrets=[SECRET],
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_both_families_name_the_event_the_id_and_the_time() -> None:
    headers = signed()

    assert headers.keys() == {
        "X-Runner-Event",
        "X-Runner-Timestamp",
        "X-Runner-Signature",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
    assert headers["X-Runner-Event"] == "job.completed"
    assert headers["webhook-id"] == "evt_1"
    assert headers["X-Runner-Timestamp"] == headers["webhook-timestamp"] == str(NOW)


@pytest.mark.parametrize("secret", [SECRET, "change-me", "tajné heslo"])
def test_the_reference_library_accepts_what_is_signed(secret: str) -> None:
    timestamp = int(datetime.now(UTC).timestamp())
    headers = signed(secrets=(secret,), timestamp=timestamp)
    reference = Webhook(secret if secret.startswith("whsec_") else secret.encode())

    assert reference.verify(BODY, headers) == {"jobId": "42"}


@pytest.mark.parametrize("known", ["old-secret", "new-secret"])
def test_during_rotation_a_receiver_that_knows_one_secret_accepts(known: str) -> None:
    headers = signed(secrets=("new-secret", "old-secret"))

    assert verify(headers=headers, body=BODY, secrets=[known], now=NOW) == "evt_1"


def test_during_rotation_the_first_secret_signs_the_old_family() -> None:
    headers = old_family(signed(secrets=("new-secret", "old-secret")))

    assert verify(headers=headers, body=BODY, secrets=["new-secret"], now=NOW) == ""
    with pytest.raises(SignatureRefused):
        verify(headers=headers, body=BODY, secrets=["old-secret"], now=NOW)


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
def test_header_names_count_in_any_case(change) -> None:
    headers = {change(name): value for name, value in signed().items()}

    assert verify(headers=headers, body=BODY, secrets=["change-me"], now=NOW) == "evt_1"


@pytest.mark.parametrize("drift", [-300, 0, 300])
def test_a_timestamp_within_the_tolerance_is_accepted(drift: int) -> None:
    assert verify(headers=signed(), body=BODY, secrets=["change-me"], now=NOW + drift) == "evt_1"


@pytest.mark.parametrize(("drift", "sentence"), [(301, "301 seconds old"), (-301, "301 seconds in the future")])
@pytest.mark.parametrize("family", [dict, old_family])
def test_a_timestamp_beyond_the_tolerance_is_refused(family, drift: int, sentence: str) -> None:
    with pytest.raises(SignatureRefused, match=sentence):
        verify(headers=family(signed()), body=BODY, secrets=["change-me"], now=NOW + drift)


@pytest.mark.parametrize("family", [dict, old_family])
def test_another_body_is_refused(family) -> None:
    with pytest.raises(SignatureRefused, match="match"):
        verify(headers=family(signed()), body=BODY + b" ", secrets=["change-me"], now=NOW)


def test_a_bad_new_family_is_refused_though_the_old_one_is_good() -> None:
    headers = {**signed(), "webhook-signature": "v1,AAAA"}

    with pytest.raises(SignatureRefused):
        verify(headers=headers, body=BODY, secrets=["change-me"], now=NOW)


def test_a_request_without_any_signature_is_refused() -> None:
    with pytest.raises(SignatureRefused, match="no header x-runner-timestamp"):
        verify(headers={}, body=BODY, secrets=["change-me"], now=NOW)


def test_an_id_with_a_dot_is_refused_because_it_could_hide_a_timestamp() -> None:
    # Signed is "evt_1.1700000000.<NOW>.x"; cut elsewhere, the same bytes would be another, fresher message.
    headers = signed(body=f"{NOW}.x".encode(), timestamp=NOW)
    forged = {**headers, "webhook-id": f"evt_1.{NOW}", "webhook-timestamp": str(NOW)}

    with pytest.raises(SignatureRefused, match="without a dot"):
        verify(headers=forged, body=b"x", secrets=["change-me"], now=NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature", "X-Runner-Signature"])
@pytest.mark.parametrize("value", ["", "garbage", "v1", "v1,a,b", "v1,čaj", "\ud800", "٣", "1" * 5000, "-1", "nan"])
def test_hostile_headers_are_refused_and_nothing_else(name: str, value: str) -> None:
    family = dict if name.startswith("webhook") else old_family
    headers = family({**signed(), name: value})

    with pytest.raises(SignatureRefused):
        verify(headers=headers, body=BODY, secrets=["change-me", SECRET], now=NOW)


@given(
    st.dictionaries(
        st.sampled_from(["webhook-id", "Webhook-Timestamp", "webhook-signature", "x-runner-timestamp"]) | st.text(),
        st.text(st.characters(codec=None)),
    ),
    st.binary(),
)
def test_no_request_of_a_stranger_raises_anything_else(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        verify(headers=headers, body=body, secrets=["change-me"], now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_č", "whsec_!!!!", "whsec_A"])
def test_a_secret_that_cannot_be_used_is_refused_when_signing(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        signed(secrets=(secret,))


def test_signing_without_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        signed(secrets=())


@pytest.mark.parametrize(("event", "event_id"), [("job\r\nX: y", "evt_1"), ("job", "evt.1"), ("job", ""), ("č", "a")])
def test_an_event_or_id_that_cannot_be_a_header_is_refused(event: str, event_id: str) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        sign_headers(event=event, event_id=event_id, body=BODY, timestamp=NOW, secrets=["s"])
