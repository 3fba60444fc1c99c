"""One readable stream out of many."""

import os

import pytest

from pirunner.up.output import LineSplitter, Output, format_line


@pytest.mark.parametrize(
    ("name", "colour", "line"),
    [
        ("api", None, "12:00:00 api    | hello\n"),
        ("worker", None, "12:00:00 worker | hello\n"),
        ("api", 36, "\x1b[36m12:00:00 api    |\x1b[0m hello\n"),
    ],
)
def test_names_are_aligned_and_coloured(name: str, colour: int | None, line: str):
    assert format_line("12:00:00", name, "hello", width=6, colour=colour) == line


@pytest.mark.parametrize(
    ("chunks", "lines", "rest"),
    [
        ([b"one\ntwo\n"], ["one", "two"], []),
        ([b"o", b"ne\ntw", b"o"], ["one"], ["two"]),
        ([b"one\r\n"], ["one"], []),
        ([b"\xff\n"], ["\ufffd"], []),
        ([b"x" * 20_000], ["x" * 20_000], []),
        ([b""], [], []),
    ],
)
def test_lines_are_cut_out_of_chunks(chunks: list[bytes], lines: list[str], rest: list[str]):
    splitter = LineSplitter()

    assert [line for chunk in chunks for line in splitter.feed(chunk)] == lines
    assert splitter.finish() == rest


def test_a_slow_reader_loses_lines_and_is_told():
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    output = Output(["api"], descriptor=write_end)

    for number in range(5_000):
        output.line("api", f"line {number} " + "x" * 50)

    text = ""
    while "line 4999" not in text:
        text += os.read(read_end, 65536).decode()
        output.flush()
    assert "lines dropped, the reader was too slow" in text
    assert "line 0 " in text


def test_blank_lines_are_left_out(capfd: pytest.CaptureFixture[str]):
    Output(["api"]).line("api", "  ")

    assert capfd.readouterr().out == ""


def test_a_reader_that_is_gone_is_no_fault():
    read_end, write_end = os.pipe()
    os.close(read_end)

    Output(["api"], descriptor=write_end).line("api", "hello")
