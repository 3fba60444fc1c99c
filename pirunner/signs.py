"""Signs of life: short-lived keys in Redis by which processes show that they are there.

They cost no writes to disk. Every look is bounded in time, and None means that nobody knows.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

PREFIX = "pirunner:alive:"
LOOK_SECONDS = 0.5
LIFETIME = 30
EVERY = 10.0
RELAY = "relay"
"""The role of the relay, which is not a process of its own."""
Signs = dict[str, dict[str, float]]
"""When (unix seconds) each process last showed itself, by role and name."""


def show_life(role: str, name: str) -> None:
    """Show for ``LIFETIME`` seconds that a process of a role (``worker``, ``io``, ``clock``) is there."""
    client = _client()
    if client is None:
        return
    try:
        client.set(f"{PREFIX}{role}:{name}", f"{time.time():.0f}", ex=LIFETIME)
    except redis.RedisError as error:
        log.debug("No sign of life could be shown: %s", error)


class LifeSign:
    """Shows that a process is there, from a thread of its own: whatever Redis or a name server does, nobody waits.

    While ``lives`` says no, nothing is shown.
    """

    def __init__(self, role: str, name: str, *, lives: Callable[[], bool] = lambda: True) -> None:
        self._role = role
        self._name = name
        self._lives = lives
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to show."""
        threading.Thread(target=self._run, name="sign-of-life", daemon=True).start()

    def stop(self) -> None:
        """Stop showing; the last sign fades by itself."""
        self._stopped.set()

    def _run(self) -> None:
        lives = True
        while True:
            try:
                lives = self._lives()
                if lives:
                    show_life(self._role, self._name)
            except Exception:
                log.exception("No sign of life could be shown.")
            if self._stopped.wait(EVERY if lives else LOOK_SECONDS):
                return


def alive(role: str) -> list[str] | None:
    """Return the names of the processes of a role that are there, or None when the broker does not answer."""
    client = _client()
    if client is None:
        return None
    prefix = f"{PREFIX}{role}:"
    try:
        keys = client.scan_iter(match=f"{prefix}*", count=1000)
        return sorted(key.decode().removeprefix(prefix) for key in keys)
    except redis.RedisError:
        return None


def all_signs() -> Signs | None:
    """Return when each process last showed itself, or None when the broker does not answer.

    One look for all roles: a broker that hangs costs its half second once.
    """
    client = _client()
    if client is None:
        return None
    try:
        keys = sorted(client.scan_iter(match=f"{PREFIX}*", count=1000))
        times = client.mget(keys) if keys else []
    except redis.RedisError:
        return None
    signs: Signs = {}
    for key, at in zip(keys, times, strict=True):
        role, _, name = key.decode().removeprefix(PREFIX).partition(":")
        if at is not None:  # else it faded between the two looks
            signs.setdefault(role, {})[name] = float(at)
    return signs


def workers_alive() -> int | None:
    """Return how many job workers are there, or None when nobody knows."""
    names = alive("worker")
    return None if names is None else len(names)


def client_of(url: str) -> "redis.Redis | None":
    """Return a client that gives up soon, or None where the broker is no Redis."""
    return _client_of(url) if url.startswith(("redis", "unix")) else None


def _client() -> "redis.Redis | None":
    return client_of(settings.CELERY_BROKER_URL)


@functools.cache
def _client_of(url: str) -> "redis.Redis":
    return redis.Redis.from_url(
        url.replace("redis+socket://", "unix://").replace("virtual_host=", "db="),
        socket_timeout=LOOK_SECONDS,
        socket_connect_timeout=LOOK_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
