"""Counts of what passed, failed and was skipped, over all parts of a test run."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Counts:
    """How many passed, failed (errors included) and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


PASSED = Counts(passed=1)
FAILED = Counts(failed=1)
SKIPPED = Counts(skipped=1)


def read_report(report: Path) -> Counts:
    """Return the counts of a JUnit report; none at all when pytest ended before it could write one."""
    if not report.exists():
        return Counts()
    # The report is our own pytest's, not a stranger's.
    suites = ET.parse(report).iter("testsuite")  # noqa: S314
    return sum((_suite_counts(suite) for suite in suites), Counts())


def _suite_counts(suite: ET.Element) -> Counts:
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return Counts(max(0, total - failed - skipped), failed, skipped)
