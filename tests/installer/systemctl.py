"""A stand-in for systemctl as a program of its own: keeps what a systemd would know, and notes how it was called.

Its folder has ``calls`` (one JSON array per call), ``knows.json``, and what a test wants of it in ``wish.json``.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

HERE = Path(sys.argv[0]).resolve().parent


def main(arguments: list[str]) -> int:
    wish = json.loads((HERE / "wish.json").read_text())
    if arguments == ["--version"]:
        print(wish.get("version", "systemd 252 (252.38-1~deb12u1)"))
        return 0
    with (HERE / "calls").open("a") as calls:
        calls.write(json.dumps(arguments) + "\n")
    verb, *names = [argument for argument in arguments if not argument.startswith("--")]
    if wish.get("kill before") == verb:
        os.kill(os.getppid(), signal.SIGKILL)
        return 9
    code = act(verb, names, wish)
    if wish.get("kill after") == verb:
        os.kill(os.getppid(), signal.SIGKILL)
    return code


def act(verb: str, names: list[str], wish: dict[str, Any]) -> int:
    knows = json.loads((HERE / "knows.json").read_text())
    code = VERBS[verb](knows, names, wish)
    (HERE / "knows.new").write_text(json.dumps(knows))
    (HERE / "knows.new").replace(HERE / "knows.json")
    return code


def enable(knows: dict[str, Any], names: list[str], wish: dict[str, Any]) -> int:
    there = [name for name in names if (Path(knows["units"]) / name).is_file() and name not in wish.get("bad", [])]
    knows["enabled"].update(dict.fromkeys(there, True))
    return 0 if there == names else 1


def disable(knows: dict[str, Any], names: list[str], _wish: dict[str, Any]) -> int:
    for name in names:
        knows["enabled"].pop(name, None)
    return 0 if all((Path(knows["units"]) / name).is_file() for name in names) else 1


def stop(knows: dict[str, Any], names: list[str], _wish: dict[str, Any]) -> int:
    for name in names:
        knows["running"].pop(name, None)
    return 0 if all(name in knows["loaded"] for name in names) else 5


def restart(knows: dict[str, Any], names: list[str], wish: dict[str, Any]) -> int:
    able = [name for name in names if name in knows["loaded"] and name not in wish.get("dead", [])]
    knows["running"].update({name: knows["loaded"][name] for name in able})
    return 0 if able == names else 1


def is_active(knows: dict[str, Any], names: list[str], _wish: dict[str, Any]) -> int:
    print(*("active" if name in knows["running"] else "inactive" for name in names), sep="\n")
    return 0 if all(name in knows["running"] for name in names) else 3


def daemon_reload(knows: dict[str, Any], _names: list[str], wish: dict[str, Any]) -> int:
    if wish.get("no reload"):
        print("Failed to reload daemon: Access denied", file=sys.stderr)
        return 1
    units = [file for name in ("piar-sysd-*.timer", "pirunner*") for file in Path(knows["units"]).glob(name)]
    knows["loaded"] = {file.name: file.read_text() for file in units if file.is_file()}
    return 0


def list_timers(knows: dict[str, Any], _names: list[str], _wish: dict[str, Any]) -> int:
    rows = [{"next": 1_800_000_000_000_000, "left": 5, "last": 0, "unit": name} for name in knows["running"]]
    print(json.dumps(rows))
    return 0


VERBS = {
    "enable": enable,
    "disable": disable,
    "stop": stop,
    "restart": restart,
    "start": restart,
    "is-active": is_active,
    "daemon-reload": daemon_reload,
    "list-timers": list_timers,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
