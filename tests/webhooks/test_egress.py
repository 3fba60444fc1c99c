"""The checked client against real servers on loopback: answers, addresses, redirects."""

import gzip
import socket
import threading
from pathlib import Path

import pytest

from tests.webhooks.loopback import (
    OK,
    chunked,
    client,
    redirect,
    resolver_of,
    with_body,
)
from webhooks.egress import (
    AddressRefused,
    AllowedHosts,
    CheckedClient,
    EgressError,
    NameNotResolved,
    Policy,
    TooManyRedirects,
    UrlRefused,
    check_url,
)


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_socket, address):
        raise AssertionError(f"a connection to {address} was opened")

    monkeypatch.setattr(socket.socket, "connect", connect)


# -- friendly servers -----------------------------------------------------------------------------------------


def test_a_get_returns_status_headers_body_and_url(serve) -> None:
    server = serve(b"HTTP/1.1 404 Not Found\r\nX-Seen: Yes\r\nContent-Length: 4\r\n\r\ngone")

    response = client(server.entry).get(server.url + "a?b=c#d", {"If-None-Match": '"x"'})

    assert (response.status, response.body, response.truncated) == (404, b"gone", False)
    assert response.headers["x-seen"] == "Yes"
    assert response.url == server.url + "a?b=c"
    assert b'If-None-Match: "x"' in server.requests[0]


def test_a_post_sends_exactly_the_body_and_the_headers(serve) -> None:
    server = serve()
    body = "⏰ ".encode() * 20_000

    response = client(server.entry).post(server.url + "hook", body, {"Content-Type": "application/json"})

    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert response.status == 200
    assert head.startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    assert sent == body


def test_the_host_header_keeps_the_name(serve) -> None:
    server = serve()

    client("nas.test", resolver=resolver_of("127.0.0.1")).get(f"http://nas.test:{server.port}/")

    assert f"Host: nas.test:{server.port}\r\n".encode() in server.requests[0]


def test_a_name_is_resolved_once_and_the_checked_address_connected_to(serve) -> None:
    server = serve()
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    rebinding = lambda host, port, **_kwargs: resolver_of(*next(answers))(host, port)  # noqa: E731

    response = client("nas.test", resolver=rebinding).get(f"http://nas.test:{server.port}/")

    assert response.body == b"ok"
    assert next(answers) == ["169.254.169.254"]


def test_the_next_address_is_tried_when_the_first_refuses(serve) -> None:
    server = serve()

    resolver = resolver_of("127.0.0.2", "127.0.0.1")
    response = client("nas.test", resolver=resolver).get(f"http://nas.test:{server.port}/")

    assert response.body == b"ok"


def test_a_chunked_body_is_put_together(serve) -> None:
    server = serve(chunked(b"ab", b"c", b""))

    assert client(server.entry).get(server.url).body == b"abc"


def test_a_compressed_body_is_decompressed(serve) -> None:
    server = serve(with_body(gzip.compress(b"feed" * 10_000), b"Content-Encoding: gzip"))

    assert client(server.entry).get(server.url).body == b"feed" * 10_000


def test_a_body_of_exactly_the_cap_is_whole(serve) -> None:
    server = serve(with_body(b"x" * 1000))

    response = client(server.entry, max_bytes=1000).get(server.url)

    assert (len(response.body), response.truncated) == (1000, False)


def test_the_environment_is_not_read(serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login owner password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server = serve()

    assert client(server.entry).get(server.url).body == b"ok"
    assert b"Authorization" not in server.requests[0]


def test_cookies_are_not_kept(serve) -> None:
    server = serve(with_body(b"", b"Set-Cookie: session=1"))
    same = client(server.entry)

    same.get(server.url)
    same.get(server.url)

    assert b"Cookie" not in server.requests[1]


def test_one_client_serves_many_threads(serve) -> None:
    server = serve()
    shared = client(server.entry)
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(shared.get(server.url).body)) for _ in range(16)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert bodies == [b"ok"] * 16


# -- addresses ------------------------------------------------------------------------------------------------

REFUSED_URLS = [
    "http://2130706433:6379/",
    "http://0x7f.1/",
    "http://127.1/",
    "http://127.0.0.1/",
    "http://127.0.0.1.:6379/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fe80::1%25eth0]/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0.0.0.0:6379/",
    "http://user:secret@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://example.com:0/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
]


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_bad_url_is_refused_without_a_connection(url: str) -> None:
    for call in (client().get, lambda url: client().post(url, b"", {})):
        with pytest.raises((UrlRefused, AddressRefused)) as caught:
            call(url)
        assert caught.value.permanent


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_bad_url_is_not_stored(url: str) -> None:
    with pytest.raises((UrlRefused, AddressRefused)):
        check_url(url, Policy(allowed=AllowedHosts()), resolver=resolver_of("1.1.1.1"))


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize("addresses", [["1.1.1.1", "127.0.0.1"], ["127.0.0.1", "1.1.1.1"], ["::ffff:7f00:1"]])
def test_a_private_address_behind_a_public_name_is_refused(addresses: list[str]) -> None:
    with pytest.raises(AddressRefused):
        client(resolver=resolver_of(*addresses)).get("http://both.test/")


@pytest.mark.usefixtures("no_sockets")
def test_a_name_that_turns_private_after_the_check_is_refused() -> None:
    answers = iter(["1.1.1.1", "127.0.0.1"])
    turning = lambda host, port, **_kwargs: resolver_of(next(answers))(host, port)  # noqa: E731
    policy = Policy(allowed=AllowedHosts())

    check_url("http://turning.test/", policy, resolver=turning)
    with pytest.raises(AddressRefused):
        CheckedClient(policy, turning).get("http://turning.test/")


@pytest.mark.usefixtures("no_sockets")
def test_a_name_without_address_can_be_tried_again() -> None:
    with pytest.raises(NameNotResolved) as caught:
        client(resolver=resolver_of()).get("http://gone.test/")

    assert not caught.value.permanent


def test_a_public_url_passes_the_check() -> None:
    policy = Policy.for_callbacks(AllowedHosts())

    check_url("https://example.com/hook", policy, resolver=resolver_of("1.1.1.1"), timeout=5)


def test_the_resolver_counts_against_the_deadline() -> None:
    released = threading.Event()

    def hanging(*_args, **_kwargs):
        released.wait(10)
        return []

    with pytest.raises(NameNotResolved):
        client(resolver=hanging, total_timeout=0.1).get("http://slow.test/")
    released.set()


# -- redirects ------------------------------------------------------------------------------------------------


def test_redirects_are_followed_as_far_as_the_policy_goes(serve) -> None:
    last = serve()
    first = serve(redirect(last.url + "č"))

    response = client(first.entry, last.entry, max_redirects=1).get(first.url)

    assert (response.body, response.url) == (b"ok", last.url + "č")


def test_a_relative_redirect_stays_on_its_host(serve) -> None:
    server = serve()
    server.behave = lambda stream: stream.sendall(OK if b"GET /there" in server.requests[-1] else redirect("/there"))

    assert client(server.entry, max_redirects=3).get(server.url + "here?x").url == server.url + "there"


def test_too_many_redirects_are_an_error(serve) -> None:
    server = serve(redirect("/again"))

    with pytest.raises(TooManyRedirects):
        client(server.entry, max_redirects=3).get(server.url)
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("http://169.254.169.254/latest/", AddressRefused),
        ("http://127.0.0.1:6379/", AddressRefused),
        ("//[::1]/", AddressRefused),
        ("file:///etc/passwd", UrlRefused),
        ("http://user@example.com/", UrlRefused),
        ("http://[::1/", UrlRefused),
    ],
)
def test_every_redirect_is_checked_again(serve, location: str, error: type[EgressError]) -> None:
    server = serve(redirect(location))

    with pytest.raises(error):
        client(server.entry, max_redirects=3).get(server.url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_callback_is_never_redirected(serve, status: int) -> None:
    server = serve(redirect("/elsewhere", status))

    response = CheckedClient(Policy.for_callbacks(AllowedHosts.parse([server.entry]))).post(server.url, b"{}", {})

    assert response.status == status
    assert len(server.requests) == 1


def test_credentials_are_not_passed_on_to_another_origin(serve) -> None:
    last = serve()
    first = serve(redirect(last.url))

    client(first.entry, last.entry, max_redirects=1).get(first.url, {"authorization": "Bearer x", "Accept": "a/b"})

    assert b"Bearer x" in first.requests[0]
    assert b"Bearer x" not in last.requests[0]
    assert b"Accept: a/b" in last.requests[0]
