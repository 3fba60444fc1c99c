"""The typed readers of the environment: what they take, and what they refuse in one sentence."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pirunner import env
from pirunner.env import ROOT, VARIABLES, EnvironmentFault, Kind


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)
        monkeypatch.delenv(f"{variable.name}_FILE", raising=False)


# -- what is read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "name", "raw", "value"),
    [
        (env.text, "HOST", "0.0.0.0", "0.0.0.0"),  # noqa: S104
        (env.text, "HOST", "  nas  ", "nas"),
        (env.text, "HOST", "", "127.0.0.1"),
        (env.text, "HOST", "   ", "127.0.0.1"),
        (env.integer, "PORT", "1", 1),
        (env.integer, "PORT", " 65535 ", 65535),
        (env.integer, "PORT", "", 8787),
        (env.switch, "FLOWER", "on", True),
        (env.switch, "FLOWER", "ON", True),
        (env.switch, "FLOWER", "true", True),
        (env.switch, "FLOWER", "yes", True),
        (env.switch, "FLOWER", "1", True),
        (env.switch, "FLOWER", "off", False),
        (env.switch, "FLOWER", "False", False),
        (env.switch, "FLOWER", "no", False),
        (env.switch, "FLOWER", "0", False),
        (env.switch, "FLOWER", "", True),
        (env.names, "RUNNER_JOBS", "ping, reminder ,,", ("ping", "reminder")),
        (env.names, "RUNNER_JOBS", "", ()),
        (env.names, "RUNNER_JOBS", " , ", ()),
        (env.path, "DATA_DIR", "", None),
        (env.path, "DATA_DIR", "files", ROOT / "files"),
        (env.path, "DATA_DIR", "/srv/../srv/files", Path("/srv/files")),
        (env.path, "RUNNER_DATA_DIR", "", ROOT / "data"),
        (env.zone, "TZ", "Europe/Berlin", "Europe/Berlin"),
        (env.zone, "TZ", "", "UTC"),
        (env.secret, "WEBHOOK_SECRET", "s3cret", "s3cret"),
        (env.secret, "WEBHOOK_SECRET", "", ""),
        (env.numbers, "LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY", " a=1, b-c = 20 ,", {"a": 1, "b-c": 20}),
        (env.numbers, "LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY", "", {}),
        (env.named_urls, "NOTIFY_RECIPIENTS", "", {}),
        (
            env.named_urls,
            "NOTIFY_RECIPIENTS",
            "Ana=ntfy://a/b,c?d=e, bob=tgram://1/2\nana=json://x/",
            {"ana": ("ntfy://a/b,c?d=e", "json://x/"), "bob": ("tgram://1/2",)},
        ),
    ],
)
def test_a_value_is_read(monkeypatch: pytest.MonkeyPatch, read: Any, name: str, raw: str, value: Any) -> None:
    monkeypatch.setenv(name, raw)

    assert read(name) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (None, "0 9 * * *"),
        ("", ""),
        ("   ", ""),
        ("off", ""),
        ("OFF", ""),
        (" 30 7 * * 1-5 ", "30 7 * * 1-5"),
    ],
)
def test_a_variable_that_may_be_cleared_keeps_its_default_only_when_it_is_not_set(
    monkeypatch: pytest.MonkeyPatch, raw: str | None, value: str
) -> None:
    if raw is not None:
        monkeypatch.setenv("CRYPTO_BRIEF_CRON", raw)

    assert env.clearable("CRYPTO_BRIEF_CRON") == value


def test_a_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATA_DIR", "~/files")

    assert env.path("DATA_DIR") == tmp_path / "files"


# -- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "name", "raw", "sentence"),
    [
        (env.integer, "PORT", "many", "PORT must be a whole number, not 'many'."),
        (env.integer, "PORT", "8787.0", "PORT must be a whole number, not '8787.0'."),
        (env.integer, "PORT", "0", "PORT must be at least 1, not 0."),
        (env.integer, "PORT", "-1", "PORT must be at least 1, not -1."),
        (env.integer, "PORT", "65536", "PORT must be at most 65535, not 65536."),
        (env.integer, "WORKER_CONCURRENCY", "0", "WORKER_CONCURRENCY must be at least 1, not 0."),
        (env.switch, "FLOWER", "maybe", "FLOWER must be on or off, not 'maybe'."),
        (env.switch, "FLOWER", "2", "FLOWER must be on or off, not '2'."),
        (env.zone, "TZ", "Mars/Olympus", "TZ must be an IANA time zone like Europe/Berlin, not 'Mars/Olympus'."),
        (env.zone, "TZ", "../etc", "TZ must be an IANA time zone like Europe/Berlin, not '../etc'."),
    ],
)
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, read: Any, name: str, raw: str, sentence: str) -> None:
    monkeypatch.setenv(name, raw)

    with pytest.raises(EnvironmentFault) as refused:
        read(name)

    assert str(refused.value) == sentence


def test_a_name_that_is_in_no_table_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNHEARD_OF", "1")

    with pytest.raises(KeyError):
        env.text("UNHEARD_OF")


# -- secrets from files -------------------------------------------------------------------------------------------


def test_a_secret_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))

    assert env.secret("WEBHOOK_SECRET") == "s3cret"


def test_the_variable_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "direct")
    monkeypatch.setenv("WEBHOOK_SECRET_FILE", str(tmp_path / "nothing"))

    assert env.secret("WEBHOOK_SECRET") == "direct"


def test_an_empty_variable_does_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    monkeypatch.setenv("WEBHOOK_SECRET", "")
    monkeypatch.setenv("WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))

    assert env.secret("WEBHOOK_SECRET") == "s3cret"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["no such file", "no text"])
def test_a_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    monkeypatch.setenv("WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))

    with pytest.raises(EnvironmentFault, match=r"WEBHOOK_SECRET_FILE names .*secret, which cannot be read"):
        env.secret("WEBHOOK_SECRET")


def test_what_is_no_secret_is_not_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "port").write_text("1")
    monkeypatch.setenv("PORT_FILE", str(tmp_path / "port"))

    assert env.integer("PORT") == 8787


# -- the table ----------------------------------------------------------------------------------------------------


def test_every_variable_has_a_sentence_and_is_named_once() -> None:
    assert len({variable.name for variable in VARIABLES}) == len(VARIABLES)
    assert all(variable.help.endswith(".") for variable in VARIABLES)


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_default_is_a_value_that_its_reader_takes(variable: env.Variable) -> None:
    readers = {Kind.INTEGER: env.integer, Kind.SWITCH: env.switch, Kind.PATH: env.path}

    readers.get(variable.kind, env.text)(variable.name)


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        ("", ()),
        ("ntfy://topic", ("ntfy://topic",)),
        ("ntfy://a,mailto://b:c@d.example?to=x,y", ("ntfy://a", "mailto://b:c@d.example?to=x,y")),
        (" ntfy://a ,\n json://b , ", ("ntfy://a", "json://b")),
        ("ntfy://a ntfy://a", ("ntfy://a",)),
    ],
)
def test_urls_are_told_apart_by_their_schemes(monkeypatch, value: str, urls: tuple[str, ...]) -> None:
    monkeypatch.setenv("NOTIFY_URLS", value)

    assert env.urls("NOTIFY_URLS") == urls


@pytest.mark.parametrize("value", ["s3cret", "s3cret,ntfy://a", "ntfy://"])
def test_what_is_no_url_is_refused_without_its_value(monkeypatch, value: str) -> None:
    monkeypatch.setenv("NOTIFY_URLS", value)

    with pytest.raises(env.EnvironmentFault, match="NOTIFY_URLS must be URLs") as fault:
        env.urls("NOTIFY_URLS")

    assert "s3cret" not in str(fault.value)


def test_no_secret_has_a_default() -> None:
    assert not [variable.name for variable in VARIABLES if variable.kind is Kind.SECRET and variable.default]


def test_the_variables_of_the_old_runner_are_there() -> None:
    old = {
        *("PORT", "CALLBACK_PORT", "REDIS_URL", "RUNNER_API_TOKEN", "WEBHOOK_SECRET", "CALLBACK_URL"),
        *("CRYPTO_MAX_ITEMS", "WORKER_CONCURRENCY", "CALLBACK_ATTEMPTS", "CALLBACK_RETRY_MS", "DATA_DIR"),
        *("RUNNER_DATA_DIR", "TZ", "IDEMPOTENCY_TTL_SECONDS", "INSTALLER_TOKEN"),
    }

    assert old <= {variable.name for variable in VARIABLES}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", None),
        ("2030-03-10T13:30:00Z", datetime(2030, 3, 10, 13, 30, tzinfo=UTC)),
        ("2030-03-10T15:30+02:00", datetime(2030, 3, 10, 13, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_has_an_offset(monkeypatch: pytest.MonkeyPatch, value: str, expected: datetime | None):
    monkeypatch.setenv("WEBHOOK_SECRET_PREVIOUS_UNTIL", value)

    assert env.moment("WEBHOOK_SECRET_PREVIOUS_UNTIL") == expected


@pytest.mark.parametrize("value", ["tomorrow", "2030-03-10T13:30:00", "2030-13-10T13:30:00Z"])
def test_what_is_no_moment_is_refused(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv("WEBHOOK_SECRET_PREVIOUS_UNTIL", value)

    with pytest.raises(env.EnvironmentFault, match="must be a moment like"):
        env.moment("WEBHOOK_SECRET_PREVIOUS_UNTIL")


@pytest.mark.parametrize("raw", ["ana", "=ntfy://a", "ana=secret-topic", "ntfy://a/b", "a na=ntfy://x"])
def test_recipients_that_cannot_be_read_are_refused_without_their_value(
    monkeypatch: pytest.MonkeyPatch, raw: str
) -> None:
    monkeypatch.setenv("NOTIFY_RECIPIENTS", raw)

    with pytest.raises(EnvironmentFault, match=r"^NOTIFY_RECIPIENTS must be names with URLs") as caught:
        env.named_urls("NOTIFY_RECIPIENTS")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("raw", ["a", "a=", "=1", "a=-1", "a=1.5", "a=\u0661"])
def test_numbers_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv("LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY", raw)

    with pytest.raises(EnvironmentFault, match="whole numbers"):
        env.numbers("LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY")
