"""Zones by name, and the names that were meant."""

import pytest

from pirunner.zones import UnknownZone, find_zone


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Ushuaia", "Etc/GMT+2", "EST5EDT"])
def test_a_zone_is_found_by_its_name(name: str) -> None:
    assert find_zone(name).key == name


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("Asia/Kolkatta", "Asia/Kolkata"),
        (" Asia/Tokyo", "Asia/Tokyo"),
        ("utc", "UTC"),
    ],
)
def test_an_unknown_zone_comes_with_the_one_that_was_meant(name: str, nearest: str) -> None:
    with pytest.raises(UnknownZone, match="is no IANA time zone") as caught:
        find_zone(name)

    assert caught.value.nearest[0] == nearest
    assert len(caught.value.nearest) <= 3
    assert nearest in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Europe",
        "Europe/",
        "/etc/localtime",
        "../Europe/Berlin",
        "right/UTC",
        "posix/UTC",
        "localtime",
        "posixrules",
        "Factory",
        "tzdata.zi",
        "+02:00",
        "GMT+2",
        "x" * 10_000,
        "UTC\n",
        "\0",
        "\ud800",
        "Ünïcode/Zône",
    ],
)
def test_what_is_no_zone_of_ianas_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone) as caught:
        find_zone(name)

    assert not [near for near in caught.value.nearest if near.startswith("Etc/GMT")]
