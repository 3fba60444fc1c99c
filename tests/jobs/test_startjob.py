"""``manage.py startjob``: a new job type, and its test, which passes at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.skeleton import fault_of, handler_of
from pirunner.commands import FAULTY
from tests.pirunner.command import run
from tests.stack import ROOT


def test_what_it_writes_passes_its_test_and_the_linters() -> None:
    handler, test = ROOT / "jobs/handlers/made_by_startjob.py", ROOT / "tests/jobs/test_handlers_made_by_startjob.py"
    try:
        printed = run("startjob", "made-by-startjob")
        assert printed.code == 0
        assert "made_by_startjob.JOB_TYPE" in printed.out
        commands = [
            ["-m", "pytest", str(test), "-q", "-p", "no:cacheprovider"],
            ["-m", "ruff", "check", str(handler), str(test)],
            ["-m", "ruff", "format", "--check", str(handler), str(test)],
        ]
        for command in commands:
            done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
        assert run("startjob", "made-by-startjob").code == FAULTY
    finally:
        handler.unlink(missing_ok=True)
        test.unlink(missing_ok=True)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    there = tmp_path / "tests" / "jobs" / "test_handlers_count.py"
    there.parent.mkdir(parents=True)
    there.write_text("mine")

    refused = run("startjob", "count", "--folder", str(tmp_path))

    assert (refused.code, "is there already; nothing was written" in refused.err) == (FAULTY, True)
    assert (there.read_text(), (tmp_path / "jobs").exists()) == ("mine", False)


@pytest.mark.parametrize("name", ["", "Word", "word_count", "../x", "word--count", "1word", "x" * 51, "class", "-a"])
def test_other_names_are_refused(name: str) -> None:
    assert fault_of(name)


def test_a_name_that_is_taken_is_refused() -> None:
    assert run("startjob", "ping").code == FAULTY


def test_the_words_of_the_name_become_a_class() -> None:
    assert "class WordCountInput(" in handler_of("word-count")
