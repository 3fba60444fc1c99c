"""What a part of pirunner needs to run alone: a folder, secrets, a database, a private Redis."""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pirunner.checks import CHECKED
from pirunner.up import broker as brokers
from pirunner.up.lifeline import die_with
from tests.bench.children import result_of
from tests.stack import PRIVATE, free_port, wait_for

SECRET = "secret-of-a-benchmark"  # every one; its servers listen on loopback, as long as the benchmark runs


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what would lead a benchmark elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in PRIVATE}


def sandbox(folder: Path, broker_url: str) -> dict[str, str]:
    """Return the environment of parts of pirunner that live in ``folder``, whose database is made and migrated."""
    environment = clean_environment() | {
        "ENV_FILE": str(folder / "no-env-file"),
        "RUNNER_DATA_DIR": str(folder / "data"),
        "BROKER_URL": broker_url,
        **dict.fromkeys(CHECKED, SECRET),
        "PORT": str(free_port()),
        "CALLBACK_PORT": str(free_port()),
        "FLOWER": "off",
        "LOG_LEVEL": "WARNING",
    }
    (folder / "data").mkdir()
    result_of("manage.py", "migrate", "--verbosity=0", environment=environment)
    return environment


@contextmanager
def private_redis() -> Iterator[str]:
    """Run a Redis as ``manage.py up`` does, and yield its address."""
    broker = brokers.private_broker()
    if broker is None:
        raise RuntimeError("BROKER_URL or REDIS_URL is set; a benchmark uses a Redis of its own.")
    process = multiprocessing.get_context("fork").Process(target=_become_redis, args=(broker, os.getpid()))
    process.start()
    try:
        wait_for(broker.answers, 10)
        yield broker.url
    finally:
        process.terminate()
        process.join(10)
        broker.remove()


def _become_redis(broker: brokers.PrivateBroker, parent: int) -> None:
    die_with(parent)
    broker.serve()
