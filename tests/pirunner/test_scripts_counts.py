"""The counts at the end of `scripts/test`."""

from pathlib import Path

import pytest

from scripts.lib.counts import Counts, read_report


def test_counts_add_up_and_read_as_one_line():
    assert str(Counts(3, 1, 0) + Counts(2, 0, 5)) == "5 passed, 1 failed, 5 skipped"


@pytest.mark.parametrize(
    ("report", "counts"),
    [
        ('<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/></testsuites>', Counts(3, 2, 2)),
        ("<testsuites/>", Counts()),
        (None, Counts()),
    ],
)
def test_a_report_of_pytest_is_read(tmp_path: Path, report: str | None, counts: Counts):
    path = tmp_path / "report.xml"
    if report is not None:
        path.write_text(report)

    assert read_report(path) == counts
