"""Loads a server from a process of its own, so that the generator does not share an interpreter with anybody."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench.children import result_of
from tests.bench.sandbox import clean_environment

PING = {"jobType": "ping", "input": {"hello": "world"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a load showed: seconds in all, seconds of each request, answers by status, the generator's CPU seconds."""

    seconds: float
    latencies: list[float]
    statuses: dict[str, int]
    cpu: float


def load_with_pings(
    *, port: int, path: str, headers: Mapping[str, str], connections: int, requests: int, warm_up: int = 0
) -> Load:
    """Keep a request under way on each connection until all are answered; ``warm_up`` others come first, uncounted."""
    order = {
        "port": port,
        "path": path,
        "headers": dict(headers),
        "body": PING,
        "connections": connections,
        "requests": requests,
        "warm_up": warm_up,
    }
    return Load(**result_of("-m", "tests.bench.parts.load", environment=clean_environment(), given=order))
