"""robots.txt: the examples of RFC 9309, and what sites write instead."""

import pytest

from jobs.pages.robots import ALLOW_ALL, DISALLOW_ALL, parse_robots, rules_of_answer


def allows(rules: str, path: str, product: str = "pirunner") -> bool:
    return parse_robots(rules, product).allow(f"https://x.example{path}")


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow: /a", "/ab", False),
        ("User-agent: *\nDisallow: /a/", "/a", True),
        ("User-agent: *\nDisallow: /\nAllow: /public", "/public/1", True),  # the longest decides, not the first
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),  # as long: allowed
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", True),
        ("User-agent: *\nDisallow: /a*b*c", "/a-b-x", True),
        ("User-agent: *\nDisallow: /a*b*c", "/a-b-c-d", False),
        ("User-agent: *\nDisallow: /x$", "/xy", True),
        ("User-agent: *\nDisallow: *$", "/anything", False),
        ("User-agent: *\nDisallow: /?s=", "/?s=1", False),
        ("User-agent: *\nDisallow: /a%20b", "/a b", False),
        ("User-agent: *\nDisallow: /ö", "/%C3%B6", False),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("User-agent: Pirunner/2.0\nDisallow: /\n\nUser-agent: *\nDisallow:", "/a", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: pirunner\nDisallow:", "/a", True),
        ("User-agent: a\nUser-agent: pirunner\nDisallow: /x", "/x", False),
        ("User-agent: pirunner\nDisallow: /x\nUser-agent: pirunner\nDisallow: /y", "/x", False),
        ("\ufeffuser-AGENT : * # all\r\nDISALLOW : /a # no", "/a", False),
        ("Disallow: /\nUser-agent: *\nAllow: /", "/a", True),  # a rule of nobody
        ("<html>not found</html>", "/a", True),
    ],
)
def test_which_paths_may_be_read(rules: str, path: str, allowed: bool) -> None:
    assert allows(rules, path) is allowed


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert allows("User-agent: *\nDisallow: /" + "*a" * 2000 + "$", "/" + "a" * 1900 + "b")


@pytest.mark.parametrize(
    ("line", "delay"),
    [("Crawl-delay: 5", 5.0), ("crawl-delay: 0.5", 0.5), ("Crawl-delay: x", None), ("Crawl-delay: -1", None)],
)
def test_the_delay_it_asks_for(line: str, delay: float | None) -> None:
    assert parse_robots(f"User-agent: *\n{line}", "pirunner").crawl_delay == delay


@pytest.mark.parametrize(
    ("status", "rules"),
    [
        (404, ALLOW_ALL),
        (403, ALLOW_ALL),
        (410, ALLOW_ALL),
        (429, DISALLOW_ALL),
        (500, DISALLOW_ALL),
        (503, DISALLOW_ALL),
    ],
)
def test_what_another_answer_means(status: int, rules: object) -> None:
    assert rules_of_answer(status, "User-agent: *\nDisallow: /x", "pirunner") is rules
