"""The checked client against servers that are slow, endless, too large or broken."""

import contextlib
import gzip
import socket
import time
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webhooks.loopback import (
    Behaviour,
    chunked,
    client,
    drip,
    redirect,
    with_body,
)
from webhooks.egress import (
    AllowedHosts,
    BodyTooLarge,
    CheckedClient,
    ConnectionFailed,
    DeadlineExceeded,
    EgressError,
    Policy,
)

# -- time -----------------------------------------------------------------------------------------------------


def _hang(stream: socket.socket) -> None:
    stream.recv(1)


def _send_a_part_and_hang(stream: socket.socket) -> None:
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nxx")
    stream.recv(1)


@pytest.mark.parametrize(
    "behave",
    [
        drip(b"", b"H"),
        drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        _hang,
    ],
    ids=["status", "header", "headers", "continue", "body", "chunk size", "trailers", "silence"],
)
def test_a_slow_answer_ends_at_the_deadline(serve, behave: Behaviour) -> None:
    server = serve(behave)
    begun = time.monotonic()

    with pytest.raises(DeadlineExceeded, match=r"0\.15 seconds"):
        client(server.entry, total_timeout=0.15).get(server.url)

    assert 0.1 < time.monotonic() - begun < 1.5


def test_the_deadline_covers_all_redirects_together(serve) -> None:
    def dawdle(stream: socket.socket) -> None:
        time.sleep(0.08)
        stream.sendall(redirect("/again"))

    server = serve(dawdle)

    with pytest.raises(DeadlineExceeded):
        client(server.entry, total_timeout=0.15, max_redirects=20).get(server.url)


def test_the_deadline_covers_a_receiver_that_does_not_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]

        with pytest.raises(DeadlineExceeded):
            client(f"127.0.0.1:{port}", total_timeout=0.15).post(f"http://127.0.0.1:{port}/", b"x" * 30_000_000, {})


@pytest.mark.parametrize(
    "behave",
    [
        drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", pause=0),
        drip(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536, pause=0),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, pause=0),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1" * 65536, pause=0),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"1" * 65536, pause=0),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 1000, pause=0),
    ],
    ids=["headers", "header", "continue", "chunk size", "negative chunk", "trailers"],
)
def test_an_endless_answer_ends_long_before_the_deadline(serve, behave: Behaviour) -> None:
    server = serve(behave)
    begun = time.monotonic()

    with pytest.raises((ConnectionFailed, BodyTooLarge)):
        client(server.entry, max_bytes=10_000).get(server.url)

    assert time.monotonic() - begun < 5


# -- size -----------------------------------------------------------------------------------------------------


def deflate_bomb(megabytes: int) -> bytes:
    return gzip.compress(b"\0" * (megabytes * 1024 * 1024), compresslevel=9)


@pytest.mark.parametrize(
    "answer",
    [
        with_body(b"x" * 1001),
        chunked(b"x" * 600, b"x" * 600, b""),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000,
        with_body(deflate_bomb(50), b"Content-Encoding: gzip"),
        with_body(zlib.compress(b"\0" * 5_000_000), b"Content-Encoding: deflate"),
        with_body(gzip.compress(deflate_bomb(50)), b"Content-Encoding: gzip, gzip"),
    ],
    ids=["declared", "chunked", "until close", "gzip bomb", "deflate bomb", "gzip in gzip"],
)
def test_a_body_over_the_cap_is_an_error(serve, answer: bytes) -> None:
    server = serve(answer)

    with pytest.raises(BodyTooLarge) as caught:
        client(server.entry, max_bytes=1000).get(server.url)
    assert caught.value.permanent


@pytest.mark.parametrize(
    "answer",
    [with_body(b"x" * 50_000), with_body(gzip.compress(b"x" * 9_000_000), b"Content-Encoding: gzip")],
    ids=["plain", "gzip bomb"],
)
def test_of_a_receivers_long_answer_the_beginning_is_kept(serve, answer: bytes) -> None:
    server = serve(answer)

    response = CheckedClient(Policy.for_callbacks(AllowedHosts.parse([server.entry]))).post(server.url, b"", {})

    assert (response.status, response.body, response.truncated) == (200, b"x" * 16_384, True)


@pytest.mark.parametrize(
    "behave",
    [
        lambda stream: stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nxx"),
        _send_a_part_and_hang,
    ],
    ids=["closes early", "hangs"],
)
def test_a_receivers_status_counts_whatever_becomes_of_its_body(serve, behave: Behaviour) -> None:
    server = serve(behave)

    response = client(server.entry, truncate=True, total_timeout=0.15).post(server.url, b"", {})

    assert (response.status, response.body, response.truncated) == (200, b"xx", True)


# -- faults ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nearly",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx",
        with_body(b"no gzip at all", b"Content-Encoding: gzip"),
    ],
)
def test_an_answer_that_breaks_off_or_is_none_can_be_tried_again(serve, answer: bytes) -> None:
    server = serve(answer)

    with pytest.raises(ConnectionFailed) as caught:
        client(server.entry).get(server.url + "?token=secret")
    assert not caught.value.permanent
    assert "secret" not in str(caught.value)


def test_a_closed_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(ConnectionFailed, match="refused"):
        client("127.0.0.1").get(f"http://127.0.0.1:{port}/")


@given(answer=st.binary(max_size=200), headed=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answer_raises_anything_else(serve, answer: bytes, headed: bool) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\n" + answer if headed else answer)

    with contextlib.suppress(EgressError):
        client(server.entry, max_redirects=1).get(server.url)


def test_every_error_has_its_own_code() -> None:
    codes = [error.code for error in EgressError.__subclasses__()]

    assert len(codes) == len(set(codes)) == 8
