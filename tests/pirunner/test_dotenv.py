"""Rewriting `.env`."""

from pathlib import Path

import pytest

from pirunner.dotenv import names_in, replace_text, with_values


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "A=1\nB=2\n"),
        ("# mine\nA=0\nC=3", "# mine\nA=1\nC=3\nB=2\n"),
        ("export A=0\nB='x'\nA=again\n", "A=1\nB=2\n"),
        ("AA=0\nno variable\n", "AA=0\nno variable\nA=1\nB=2\n"),
    ],
)
def test_values_stand_in_their_own_lines(before: str, after: str):
    assert with_values(before, {"A": "1", "B": "2"}) == after


def test_only_what_has_a_value_has_a_name():
    assert names_in("A=1\nB=\nC=''\n# D=1\nexport E=2\n") == {"A", "E"}


def test_a_file_is_replaced_for_its_owners_eyes_only(tmp_path: Path):
    path = tmp_path / ".env"
    path.write_text("A=0\n")
    path.chmod(0o644)

    replace_text(path, "A=1\n")

    assert path.read_text() == "A=1\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_replaced_stays(tmp_path: Path):
    (tmp_path / ".env").mkdir()

    with pytest.raises(OSError, match=r"\.env"):
        replace_text(tmp_path / ".env", "A=1\n")

    assert [path.name for path in tmp_path.iterdir()] == [".env"]
