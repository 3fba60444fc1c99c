"""Which pirunner this is."""

import tomllib

from pirunner import env


def version() -> str:
    """Return the version that ``pyproject.toml`` names, "unknown" where that is missing."""
    try:
        project = tomllib.loads((env.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return str(project["version"])
    except (OSError, ValueError, KeyError):
        return "unknown"
