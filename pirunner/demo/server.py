"""`manage.py up` as the demo's child: started, awaited, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from pirunner import env
from pirunner.demo.faults import DemoFault
from pirunner.up.ready import answers

_LONGEST_START = 60.0  # seconds
_LONGEST_STOP = 35.0  # seconds; the supervisor itself needs at most 30


class Server:
    """The whole of pirunner, with its output in ``log``."""

    def __init__(self, address: str, log: Path, environment: Mapping[str, str]) -> None:
        self._address = address
        self._log = log
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until the API answers; raises DemoFault with its last words when it ends."""
        command = [sys.executable, "-m", "pirunner.up", "--parent", str(os.getpid())]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=env.ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # The terminal's Ctrl-C is for the demo, which then stops this one.
                process_group=0,
            )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """Stop it as an owner would; safe to call when it was never started."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_LONGEST_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self, lines: int = 30) -> str:
        """Return the end of what it has printed."""
        try:
            printed = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(printed[-lines:])

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + _LONGEST_START
        while not answers(self._address):
            code = process.poll()
            if code is not None:
                raise DemoFault(f"pirunner ended while it started, with exit code {code}.", code)
            if time.monotonic() > end:
                raise DemoFault(f"The API does not answer after {_LONGEST_START:.0f} s.")
            time.sleep(0.05)
