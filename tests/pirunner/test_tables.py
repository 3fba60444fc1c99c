"""Tables for a terminal, and the words for amounts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pirunner.progress import bar
from pirunner.tables import Column, cells_of, cut, lines_of_table, printable
from pirunner.wording import read_since, read_span, size, span

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLUMNS = [Column("id", right=True), Column("what", shrinks=True), Column("state")]


def test_columns_are_as_wide_as_their_contents():
    assert lines_of_table(COLUMNS, [[7, "tea", "ok"], [12, None, "failed"]]) == [
        "id  what  state",
        " 7  tea   ok",
        "12  -     failed",
    ]


def test_a_narrow_terminal_cuts_only_what_may_shrink():
    lines = lines_of_table(COLUMNS, [[12, "a very long summary of a job", "completed"]], width=30)

    assert lines[1] == "12  a very long su…  completed"
    assert all(len(line) <= 30 for line in lines)


def test_an_emoji_takes_two_cells():
    assert cells_of("⏰ tea") == 6
    assert cut("⏰⏰⏰", 4) == "⏰…"
    assert lines_of_table([Column("a"), Column("b")], [["⏰", 1], ["abc", 2]])[1:] == ["⏰   1", "abc  2"]


def test_a_colour_does_not_move_the_columns():
    painted = [Column("state", paint=lambda text: f"<{text}>"), Column("n")]

    assert lines_of_table(painted, [["ok", 1], ["failed", 2]])[1:] == ["<ok>      1", "<failed>  2"]


def test_a_terminal_is_not_fooled():
    assert printable("a\x1b[2J\nb") == "a [2J b"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.04, "0.0 s"), (59, "59 s"), (119, "119 s"), (180, "3 min"), (7200, "2 h"), (400_000, "5 d")],
)
def test_spans_are_told_in_their_largest_unit(seconds: float | None, text: str):
    assert span(seconds) == text


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("1d", 86400)])
def test_spans_are_read(text: str, seconds: float):
    assert read_span(text) == seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("2026-02-28", datetime(2026, 2, 27, 23, tzinfo=UTC)),
        ("2026-02-28T10:00:00Z", datetime(2026, 2, 28, 10, tzinfo=UTC)),
    ],
)
def test_a_moment_is_written_out_or_so_long_ago(text: str, moment: datetime):
    assert read_since(text, ZoneInfo("Europe/Berlin"), NOW) == moment


@pytest.mark.parametrize("text", ["yesterday", "", "2 fortnights"])
def test_what_is_no_moment_is_refused_with_examples(text: str):
    with pytest.raises(ValueError, match="write it like 2h"):
        read_since(text, ZoneInfo("UTC"), NOW)


def test_bytes_and_bars():
    assert [size(number) for number in (12, 2048, 5 * 1024**3)] == ["12 B", "2.0 KiB", "5.0 GiB"]
    assert [bar(percent, 4) for percent in (0, 50, 100, 140)] == ["[----]", "[##--]", "[####]", "[####]"]
