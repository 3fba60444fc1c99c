"""What is said once everything runs."""

import subprocess
from pathlib import Path

import pytest

from pirunner.up.banner import banner, curl_line, local_address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8787"),
        ("0.0.0.0", "http://127.0.0.1:8787"),  # noqa: S104
        ("::", "http://[::1]:8787"),
        ("pi.local", "http://pi.local:8787"),
    ],
)
def test_the_address_can_be_reached_from_here(host: str, address: str):
    assert local_address(host, 8787) == address


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "it's a folder"
    place.mkdir()
    monkeypatch.setenv("ENV_FILE", str(place / ".env"))
    monkeypatch.setenv("RUNNER_API_TOKEN", "t0ken")
    return place


def header_of(line: str) -> str:
    """Paste the line into a shell that prints curl's arguments."""
    shell = subprocess.run(
        ["sh", "-c", f'curl() {{ printf "%s\\n" "$@"; }}; {line}'],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "RUNNER_API_TOKEN": "t0ken"},
    )
    return next(line for line in shell.stdout.splitlines() if line.startswith("Authorization"))


def test_the_line_to_paste_reads_the_token_from_the_file(folder: Path):
    (folder / ".env").write_text("PORT=1\nRUNNER_API_TOKEN=t0ken\n")

    line = curl_line("http://127.0.0.1:8787")

    assert "t0ken" not in line
    assert header_of(line) == "Authorization: Bearer t0ken"


def test_the_line_to_paste_reads_a_token_that_is_a_real_variable(folder: Path):
    (folder / ".env").write_text("RUNNER_API_TOKEN=another\n")

    assert header_of(curl_line("http://127.0.0.1:8787")) == "Authorization: Bearer t0ken"


def test_flower_is_named_only_if_it_runs(folder: Path):
    del folder

    assert "Flower" not in banner(address="http://127.0.0.1:8787", flower_port=None)
    assert "http://127.0.0.1:5556" in banner(address="http://127.0.0.1:8787", flower_port=5556)


def test_the_relay_is_named_only_if_it_runs(folder: Path):
    del folder
    address = "http://127.0.0.1:8787"

    assert "Relay" not in banner(address=address, flower_port=None)
    assert "http://127.0.0.1:9998/callback" in banner(address=address, flower_port=None, relay="http://127.0.0.1:9998")
