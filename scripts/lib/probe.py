"""Says whether this Python can run pirunner: "ok", or the rest of a sentence. Runs on any Python 3."""

import sys

found = ".".join(str(part) for part in sys.version_info[:2])
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    print(f"is Python {found}, but 3.11, 3.12 or 3.13 is needed: install one, or name it in PYTHON.")
else:
    try:
        import ctypes  # noqa: F401
        import ensurepip  # noqa: F401
        import sqlite3  # noqa: F401
        import ssl  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        print(
            f"(Python {found}) lacks the module {error.name}: install python3-venv (Debian, Ubuntu), or a whole Python."
        )
    else:
        print("ok")
