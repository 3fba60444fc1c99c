"""Ranges and entity tags, as RFC 9110 wants them."""

import pytest

from jobs.downloads import NotSatisfiable, Part, is_known, range_of

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-499", Part(0, 500)),
        ("bytes=500-999", Part(500, 1000)),
        ("bytes=500-", Part(500, 1000)),
        ("bytes=500-99999", Part(500, 1000)),
        ("bytes=500-" + "9" * 5000, Part(500, 1000)),
        ("bytes=-1", Part(999, 1000)),
        ("bytes=-5000", Part(0, 1000)),
        ("Bytes=0-9", Part(0, 10)),
    ],
)
def test_a_single_range_is_honoured(header: str, part: Part):
    assert range_of({"Range": header}, etag=ETAG, size=1000) == part


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=9-5",
        "bytes=a-b",
        "bytes=0-1,5-6",
        "lines=0-9",
        "bytes=٣-",
        "bytes=1--2",
    ],
)
def test_anything_else_means_the_whole_file(header: str):
    assert range_of({"Range": header}, etag=ETAG, size=1000) is None


@pytest.mark.parametrize(("header", "size"), [("bytes=1000-", 1000), ("bytes=-0", 9), ("bytes=0-", 0), ("bytes=-5", 0)])
def test_a_range_beyond_the_end_cannot_be_satisfied(header: str, size: int):
    with pytest.raises(NotSatisfiable):
        range_of({"Range": header}, etag=ETAG, size=size)


@pytest.mark.parametrize(("version", "part"), [('"abc"', Part(0, 5)), ('"old"', None), ('W/"abc"', None)])
def test_a_range_of_another_version_means_the_whole_file(version: str, part: Part | None):
    assert range_of({"Range": "bytes=0-4", "If-Range": version}, etag=ETAG, size=1000) == part


@pytest.mark.parametrize(
    ("tags", "known"),
    [
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ("*", True),
        ('"x"', False),
        ("abc", False),
        ("", False),
    ],
)
def test_a_tag_that_the_client_names_is_known(tags: str, known: bool):
    assert is_known({"If-None-Match": tags}, ETAG) is known
