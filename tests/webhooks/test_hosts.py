"""URLs, the owner's allowlist, and the addresses behind names: tables, no network."""

import contextlib
import socket
import threading
import time
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhooks.loopback import resolver_of
from webhooks.addresses import is_never_allowed, is_public, parse_address
from webhooks.hosts import (
    AddressRefused,
    AllowedHosts,
    NameNotResolved,
    UrlRefused,
    checked_addresses,
    host_of,
    parse_url,
)

NOBODY = AllowedHosts()


def addresses_of(url: str, *answers: str, allowed: AllowedHosts = NOBODY) -> list[str]:
    found = checked_addresses(parse_url(url), allowed, resolver_of(*answers), None)
    return [str(address) for address in found]


@pytest.mark.parametrize(
    "text",
    ["1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:4700::1111", "2a00::1", "2001:200::1"],
)
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(parse_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
    ],
)
def test_all_other_addresses_are_not(text: str) -> None:
    assert not is_public(parse_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",  # noqa: S104
        "0.1.2.3",
        "169.254.169.254",
        "239.1.1.1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
    ],
)
def test_metadata_and_link_local_addresses_are_refused_even_if_listed(text: str) -> None:
    everything = AllowedHosts.parse(["0.0.0.0/0", "::/0", "receiver.test"])

    assert is_never_allowed(parse_address(text))
    with pytest.raises(AddressRefused, match="never allowed"):
        addresses_of("http://receiver.test/", text, allowed=everything)


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "10.0.0.1", "fd00::1", "1.1.1.1"])
def test_other_addresses_can_be_opened_by_the_owner(text: str) -> None:
    assert not is_never_allowed(parse_address(text))


@pytest.mark.parametrize(
    ("url", "canonical", "host", "port"),
    [
        ("http://example.com", "http://example.com/", "example.com", 80),
        ("HTTPS://EXAMPLE.com:443/A?b=c#d", "https://example.com/A?b=c", "example.com", 443),
        ("https://example.com.:8443/", "https://example.com:8443/", "example.com", 8443),
        ("http://bücher.example/č", "http://xn--bcher-kva.example/č", "xn--bcher-kva.example", 80),
        ("http://my_service:80/", "http://my_service/", "my_service", 80),
        ("http://[2606:4700::1111]:81/", "http://[2606:4700::1111]:81/", "2606:4700::1111", 81),
        ("http://1.1.1.1./", "http://1.1.1.1/", "1.1.1.1", 80),
        ("http://127.0.0.1/", "http://127.0.0.1/", "127.0.0.1", 80),
        ("http://[::ffff:127.0.0.1]/", "http://127.0.0.1/", "127.0.0.1", 80),
    ],
)
def test_a_url_is_put_into_canonical_form(url: str, canonical: str, host: str, port: int) -> None:
    target = parse_url(url)

    assert (target.url, target.host, target.port) == (canonical, host, port)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http:example.com",
        "http://",
        "http:///path",
        "http://:80/",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://@example.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:port/",
        "http://example.com:+80/",
        "http://example.com:-1/",
        "http://exa mple.com/",
        " http://example.com/",
        "http://example.com/\r\nHost: x",
        "http://example.com\t/",
        "http://example.com/\x00",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/\ud800",
        "http://example.com/\u2028",
        "http://example..com/",
        "http://example.com../",
        "http://.example.com/",
        "http://./",
        "http://" + "a" * 64 + ".com/",
        "http://" + "a." * 127 + "com/",
        "http://%31%32%37.0.0.1/",
        "http://example.com%00.evil/",
        "http://exa$mple.com/",
        "http://xn--\u00fc.example/",
        "http://2130706433:6379/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1.1/",
        "http://127.0.0.256/",
        "http://example.0x/",
        "http://1.2.3.4.5.0x1/",
        "http://[::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[::1/",
        "http://[v1.x]/",
        "http://[example.com]/",
        "http://[::1]x/",
        "http://" + "a" * 9000,
    ],
)
def test_a_url_that_is_not_plain_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        parse_url(url)


@pytest.mark.parametrize(
    "url",
    ["http://\uff11\uff12\uff17.0.0.1/", "http://127\u30020\u30020\u30021/"],
    ids=["full-width digits", "ideographic stops"],
)
def test_an_address_in_disguise_is_seen_through(url: str) -> None:
    with pytest.raises((UrlRefused, AddressRefused)):
        addresses_of(url)


@given(st.text(st.characters(codec=None)) | st.from_regex(r"https?://[^/]*(/.*)?", fullmatch=True))
def test_no_text_makes_the_parser_raise_anything_else(url: str) -> None:
    with contextlib.suppress(UrlRefused):
        assert parse_url(parse_url(url).url).host == parse_url(url).host


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        ("http://nas.local/hook", "nas.local:80"),
        ("https://NAS.local:8443/", "nas.local:8443"),
        ("http://[::1]:9999/callback", "[::1]:9999"),
    ],
)
def test_the_host_of_a_url_can_join_the_allowlist(url: str, entry: str) -> None:
    assert host_of(url) == entry
    assert AllowedHosts.parse([entry]).allow(parse_url(url), ip_address("::1"))


@pytest.mark.parametrize(
    ("entry", "url", "address"),
    [
        ("nas.local", "http://nas.local:8123/", "192.168.1.5"),
        ("NAS.local.", "http://nas.local/", "192.168.1.5"),
        ("nas.local:8123", "http://nas.local:8123/", "fd00::5"),
        ("bücher.example", "http://xn--bcher-kva.example/", "10.0.0.1"),
        ("192.168.1.0/24", "http://nas.local/", "192.168.1.5"),
        ("fd00::/8", "http://nas.local/", "fd00::5"),
        ("127.0.0.1", "http://127.0.0.1:9999/", "127.0.0.1"),
        ("127.0.0.1:9999", "http://127.0.0.1:9999/", "127.0.0.1"),
        ("127.0.0.1:9999", "http://localhost:9999/", "127.0.0.1"),
        ("::1", "http://[::1]:9999/", "::1"),
        ("[::1]:9999", "http://[::1]:9999/", "::1"),
        ("[::1]", "http://[::1]:1/", "::1"),
    ],
)
def test_what_the_owner_lists_is_allowed(entry: str, url: str, address: str) -> None:
    assert addresses_of(url, address, allowed=AllowedHosts.parse([entry])) == [address]


@pytest.mark.parametrize(
    ("entry", "url", "address"),
    [
        ("nas.local", "http://other.local/", "192.168.1.5"),
        ("nas.local", "http://sub.nas.local/", "192.168.1.5"),
        ("nas.local:8123", "http://nas.local:6379/", "192.168.1.5"),
        ("127.0.0.1:9999", "http://127.0.0.1:6379/", "127.0.0.1"),
        ("192.168.1.0/24", "http://nas.local/", "192.168.2.5"),
        ("0.0.0.0/0", "http://nas.local/", "::1"),
    ],
)
def test_what_the_owner_did_not_list_is_refused(entry: str, url: str, address: str) -> None:
    with pytest.raises(AddressRefused, match="not public"):
        addresses_of(url, address, allowed=AllowedHosts.parse([entry]))


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " ",
        "http://nas.local",
        "nas.local/path",
        "nas local",
        "nas.local:0",
        "nas.local:",
        "nas.local:99999",
        "nas.local:http",
        "user@nas.local",
        "10.0.0.0/33",
        "192.168.1.5/24",
        "10.0.0.256",
        "127.1",
        "*.local",
        "fe80::1%eth0/64",
        "[::1",
        "nas.local?x",
    ],
)
def test_garbage_in_the_allowlist_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match=r"is not|does not") as caught:
        AllowedHosts.parse(["good.local", entry])

    assert repr(entry.strip()) in str(caught.value)


@pytest.mark.parametrize("answers", [["1.1.1.1", "127.0.0.1"], ["10.0.0.1", "1.1.1.1"], ["1.1.1.1", "::ffff:7f00:1"]])
def test_one_bad_address_among_good_ones_is_enough_to_refuse(answers: list[str]) -> None:
    with pytest.raises(AddressRefused):
        addresses_of("http://both.test/", *answers)


def test_an_address_answered_twice_counts_once() -> None:
    assert addresses_of("http://twice.test/", "1.1.1.1", "1.1.1.1", "::ffff:1.1.1.1") == ["1.1.1.1"]


def test_an_address_in_the_url_needs_no_resolver() -> None:
    with pytest.raises(AddressRefused):
        checked_addresses(parse_url("http://127.0.0.1/"), NOBODY, resolver=_unexpected, timeout=None)


@pytest.mark.parametrize("timeout", [None, 5.0])
def test_a_name_that_does_not_resolve_is_no_refusal(timeout: float | None) -> None:
    def resolve(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(NameNotResolved, match=r"gone\.test") as caught:
        checked_addresses(parse_url("http://gone.test/"), NOBODY, resolve, timeout)

    assert not caught.value.permanent


def test_a_name_without_addresses_is_not_resolved() -> None:
    with pytest.raises(NameNotResolved, match="no address"):
        addresses_of("http://empty.test/")


def test_a_resolver_that_hangs_is_left_behind_in_time() -> None:
    released = threading.Event()

    def resolve(*_args, **_kwargs):
        released.wait(10)
        return []

    begun = time.monotonic()
    with pytest.raises(NameNotResolved, match="in time"):
        checked_addresses(parse_url("http://slow.test/"), NOBODY, resolve, 0.05)
    released.set()

    assert time.monotonic() - begun < 2


def _unexpected(*_args, **_kwargs):
    raise AssertionError("the resolver was asked")
