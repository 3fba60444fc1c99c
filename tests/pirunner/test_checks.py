"""Secrets that must not be used."""

import pytest

from pirunner import checks


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "pirunner.E001"),
        ("change-me", "pirunner.E002"),
        ("Change-Me", "pirunner.E002"),
        ("x7Qv-strong-enough", None),
    ],
)
def test_a_secret_is_judged(value: str, expected: str | None):
    fault = checks.secret_fault("SECRET_KEY", value)

    assert (fault.id if fault else None) == expected
    assert fault is None or (fault.msg.startswith("SECRET_KEY is ") and fault.hint)


def test_all_faults_are_listed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEVELOPMENT", "off")
    for name in checks.CHECKED:
        monkeypatch.setenv(name, "change-me")

    assert [fault.id for fault in checks.check_secrets()] == ["pirunner.E002"] * len(checks.CHECKED)


def test_development_may_use_anything(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEVELOPMENT", "on")
    monkeypatch.setenv("SECRET_KEY", "change-me")

    assert checks.check_secrets() == []
