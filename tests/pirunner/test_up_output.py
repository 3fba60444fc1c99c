"""One readable stream out of many."""

import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from pirunner.up.output import LineSplitter, Output, format_line, json_line


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


# -- for programs -----------------------------------------------------------------------------------------------------

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN: dict[str, Any] = {"process": "worker", "time": "2026-03-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"message": "It works.", "job_id": 41, "level": "warning"}',
            {"process": "worker", "message": "It works.", "job_id": 41, "level": "warning"},
        ),
        ("ERROR celery: no broker", PLAIN | {"message": "ERROR celery: no broker", "level": "error"}),
        ('{"cut off', PLAIN | {"message": '{"cut off', "level": "info"}),
        ("[1, 2]", PLAIN | {"message": "[1, 2]", "level": "info"}),
        ('"quoted" \x1b[31m ⏰', PLAIN | {"message": '"quoted" \x1b[31m ⏰', "level": "info"}),
    ],
)
def test_a_line_for_programs_names_its_process(text: str, said: dict[str, Any]):
    line = json_line("worker", text, at=AT)

    assert json.loads(line) == said
    assert line.count("\n") == 1


def test_all_that_is_written_for_programs_is_json(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    monkeypatch.setenv("LOG_FORMAT", "json")
    output = Output(["up", "api"])

    output.raw("\n  pirunner is ready\n  http://127.0.0.1:8787\n")
    output.line("api", '{"message": "hello"}')
    output.line("api", "hello")

    said = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(each["process"], each["message"]) for each in said] == [
        ("up", "pirunner is ready\n  http://127.0.0.1:8787"),
        ("api", "hello"),
        ("api", "hello"),
    ]
