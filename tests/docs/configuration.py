"""The table of docs/configuration.md, made from the one in pirunner.env: `python -m tests.docs.configuration`."""

from pathlib import Path

from pirunner.env import VARIABLES, Variable

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
BEGIN = "<!-- table -->\n"
END = "<!-- end of table -->\n"


def table() -> str:
    """Return the table of all variables, in the order of the code."""
    head = "| variable | kind | default | what |\n|---|---|---|---|\n"
    return head + "".join(map(_row, VARIABLES))


def with_table(page: str) -> str:
    """Return the page with the table as it has to be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def _row(variable: Variable) -> str:
    default = f"`{variable.default}`" if variable.default else ""
    return f"| `{variable.name}` | {variable.kind} | {default} | {variable.help} |\n"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
