"""Processes that a benchmark starts: each ends with it, and nobody else is touched."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.stack import ROOT, wait_for


class PartFailed(Exception):
    """A process of the benchmark ended with an error; the text is the end of what it printed."""


@contextmanager
def serving(
    *command: str, environment: Mapping[str, str], log: Path, ready: Callable[[], bool]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``python <command>`` until the block is left; it begins when ``ready`` says so."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: process.poll() is not None or ready(), 60)
        if process.poll() is not None:
            raise PartFailed(f"{command}: {log.read_text(errors='replace')[-2000:]}")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def result_of(*command: str, environment: Mapping[str, str], given: Any = None) -> Any:
    """Run ``python <command>`` to its end, hand it a JSON value, and return the JSON value that it printed last."""
    process = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=dict(environment),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if process.returncode:
        raise PartFailed(f"{command} ended with code {process.returncode}:\n{process.stderr[-4000:]}")
    lines = process.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else None
