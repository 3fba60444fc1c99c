"""The broker: the doorbell. Without it jobs are accepted, and run when it is back."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import redis
from celery import current_app
from django.conf import settings

from pirunner.doctor.findings import Finding, ok, problem, warning
from pirunner.signs import client_of
from pirunner.wording import size

OLDEST = (6, 2)
PATIENCE_SECONDS = 2.0


def look() -> Iterator[Finding]:
    """Look at the broker."""
    url = settings.CELERY_BROKER_URL
    if client := client_of(url):
        yield from _redis(client, is_ours=url.startswith("redis+socket"))
    else:
        yield _other(url)


def _redis(client: Any, *, is_ours: bool) -> Iterator[Finding]:
    began = time.monotonic()
    try:
        told = client.info()
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy", "")
    except redis.RedisError as error:
        if settings.BROKER_URL:
            yield problem("broker", f"does not answer: {error}", "Start it, or correct REDIS_URL or BROKER_URL.")
        else:
            yield warning("broker", "the private Redis does not run", "It comes with pirunner: scripts/run.")
        return
    took = (time.monotonic() - began) * 1000
    name = "the private Redis" if is_ours else "Redis"
    yield ok("broker", f"{name} {told.get('redis_version')}, answers in {took:.0f} ms")
    yield from about(told, policy)


def about(told: dict[str, Any], policy: str) -> Iterator[Finding]:
    """Look at what Redis tells of itself."""
    version = str(told.get("redis_version", "0.0"))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        yield warning("broker version", version, "Use Redis 6.2 or newer, or Valkey.")
    used, most = int(told.get("used_memory", 0)), int(told.get("maxmemory", 0))
    if policy != "noeviction":
        mend = "CONFIG SET maxmemory-policy noeviction: else Redis forgets rings, and jobs begin late."
        yield warning("broker memory", f"policy {policy or 'unknown'}", mend)
    elif most and used > 0.9 * most:
        yield warning("broker memory", f"{size(used)} of {size(most)}", "Give it more maxmemory.")
    else:
        yield ok("broker memory", f"{size(used)}{f' of {size(most)}' if most else ''}, {policy}")


def _other(url: str) -> Finding:
    scheme = urlsplit(url).scheme
    try:
        with current_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=PATIENCE_SECONDS)
    except Exception as error:  # noqa: BLE001  (whatever the transport raises, it does not answer)
        return problem("broker", f"{scheme} does not answer: {error}", "Start it, or correct BROKER_URL.")
    return ok("broker", f"{scheme} answers")
