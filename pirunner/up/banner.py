"""What is said once everything runs: where things are, and one line to paste."""

import os
import shlex
from pathlib import Path

from pirunner.dotenv import env_file


def banner(*, address: str, flower_port: int | None, relay: str | None = None) -> str:
    """Return the lines to print; ``address`` is the API's, ``relay`` the relay's, as in ``http://127.0.0.1:8787``."""
    lines = [
        "",
        f"  API     {address}",
        f"  Admin   {address}/admin/   (user admin, {_whereabouts('ADMIN_PASSWORD')})",
    ]
    if flower_port is not None:
        lines.append(f"  Flower  {address}/admin/flower/   (in the admin; itself at http://127.0.0.1:{flower_port})")
    if relay is not None:
        lines.append(f"  Relay   {relay}/callback   (takes callbacks for your phone)")
    lines += ["", "  Try it:", "", f"  {curl_line(address)}", "", "  Ctrl-C stops everything.", ""]
    return "".join(f"{line}\n" for line in lines)


def local_address(host: str, port: int) -> str:
    """Return the address at which this machine reaches a server that listens on ``host``."""
    if host in {"", "0.0.0.0"}:  # noqa: S104  (compared, not listened on)
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def curl_line(address: str) -> str:
    """Return a shell line that submits a job; it reads the token where it is kept instead of showing it."""
    return (
        f'curl {address}/jobs -H "Authorization: Bearer {_token_expression()}"'
        " -H 'Content-Type: application/json' -d '{\"jobType\":\"ping\"}'"
    )


def _token_expression() -> str:
    if _is_written_down("RUNNER_API_TOKEN"):
        path = shlex.quote(str(env_file().resolve()))
        return f"$(sed -n 's/^RUNNER_API_TOKEN=//p' {path})"
    if token_file := os.environ.get("RUNNER_API_TOKEN_FILE", "").strip():
        return f"$(cat {shlex.quote(str(Path(token_file).resolve()))})"
    return "$RUNNER_API_TOKEN"


def _whereabouts(name: str) -> str:
    place = f"in {env_file().resolve()}" if _is_written_down(name) else "in the environment"
    return f"password: {name} {place}"


def _is_written_down(name: str) -> bool:
    """Tell whether the value in use is the one in `.env`: a real environment variable wins over that."""
    try:
        lines = env_file().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return f"{name}={os.environ.get(name, '')}" in lines
