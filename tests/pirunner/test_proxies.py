"""From which address a request comes."""

from ipaddress import ip_network
from typing import Any

import pytest

from pirunner.proxies import client_address


@pytest.mark.parametrize(
    ("trusted", "connection", "forwarded", "client"),
    [
        ([], "203.0.113.9", "", "203.0.113.9"),
        ([], "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (["10.0.0.0/8"], "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (["10.0.0.0/8"], "10.0.0.2", "198.51.100.1", "198.51.100.1"),
        (["10.0.0.0/8"], "10.0.0.2", "6.6.6.6, 198.51.100.1, 10.0.0.3", "198.51.100.1"),
        (["10.0.0.0/8"], "10.0.0.2", "", "10.0.0.2"),
        (["10.0.0.0/8"], "10.0.0.2", "10.0.0.3", "10.0.0.3"),
        (["10.0.0.0/8"], "::ffff:10.0.0.2", "198.51.100.1", "198.51.100.1"),
        (["::1/128"], "::1", "2001:db8::5", "2001:db8::5"),
        (["10.0.0.0/8"], "10.0.0.2", "nonsense", "nonsense"),
    ],
)
def test_only_trusted_proxies_are_believed(
    settings: Any, trusted: list[str], connection: str, forwarded: str, client: str
) -> None:
    settings.TRUSTED_PROXIES = tuple(map(ip_network, trusted))

    assert client_address({"REMOTE_ADDR": connection, "HTTP_X_FORWARDED_FOR": forwarded}) == client
