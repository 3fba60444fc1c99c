"""Regular expressions of clients."""

import time
from contextlib import suppress

import pytest

from jobs.patterns import BadPattern, SafePattern, SlowPattern


def test_it_finds_and_cuts() -> None:
    pattern = SafePattern(r"\d+ views")

    assert pattern.occurs_in("12 views today")
    assert pattern.cut_from("a 12 views b") == "a  b"


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "(?P<a>x)(?P=b)", "x" * 201])
def test_what_is_no_pattern_says_so(pattern: str) -> None:
    with pytest.raises(BadPattern):
        SafePattern(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(?:(?:a*)*)*b"])
def test_a_pattern_that_explodes_is_stopped(pattern: str) -> None:
    safe, begun = SafePattern(pattern), time.perf_counter()

    with suppress(SlowPattern):  # some of them the engine sees through
        safe.occurs_in("a" * 5000 + "!")
    assert time.perf_counter() - begun < 2
