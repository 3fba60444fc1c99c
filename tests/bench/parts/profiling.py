"""cProfile's figures as rows of a table."""

import cProfile
import os
import pstats
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

from pirunner.up.lifeline import die_with

TOP = 8

Function = tuple[str, int, str]


def prepare() -> None:
    """Load pirunner into this process, which ends with the benchmark."""
    die_with(os.getppid())
    os.environ["DJANGO_SETTINGS_MODULE"] = "pirunner.settings"
    django.setup()


def section(title: str, work: Callable[[int], object], jobs: int, *, again: Callable[[], object]) -> dict[str, Any]:
    """Do the work for so many jobs plainly, then ``again`` and under the profiler; return what a table shows."""
    began = time.perf_counter()
    work(jobs)
    plain = time.perf_counter() - began
    again()
    profile = cProfile.Profile()
    profile.runcall(work, jobs)
    return {"title": title, "plain": 1e6 * plain / jobs, "rows": _rows(profile, jobs)}


def _rows(profile: cProfile.Profile, jobs: int) -> list[list[str | float]]:
    stats: dict[Function, tuple[int, int, float, float, object]] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    whole = sum(own for _, _, own, _, _ in stats.values())
    top = sorted(stats.items(), key=lambda item: item[1][2], reverse=True)[:TOP]
    return [
        [_name(function), 1e6 * own / jobs, f"{own / whole:.0%}", calls / jobs, 1e6 * total / jobs]
        for function, (_, calls, own, total, _) in top
    ]


def _name(function: Function) -> str:
    file, line, name = function
    if file == "~":
        return name.partition(" at 0x")[0].strip("<>")
    return f"{'/'.join(Path(file).parts[-2:])}:{line} {name}"
