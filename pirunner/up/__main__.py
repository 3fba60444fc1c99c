"""`python -m pirunner.up`, which `scripts/run` and `manage.py up` call."""

import argparse
import gc
import os
import signal
import sys
from functools import partial
from io import TextIOWrapper
from typing import NoReturn

from pirunner import broker_note, env, lifesign
from pirunner.up import broker as brokers
from pirunner.up import database, first_start, ports, preflight, programs
from pirunner.up.banner import banner, local_address
from pirunner.up.faults import Exit, StartFault
from pirunner.up.lifeline import die_with
from pirunner.up.output import Output
from pirunner.up.ready import wait_until_ready
from pirunner.up.roster import Roster
from pirunner.up.supervisor import Supervisor

_BROKER_START = 10.0  # seconds
_NAMES = ["up", "api", "worker", "io", "clock", "flower", "redis"]


def main() -> int:
    """Start pirunner, serve until a signal asks for the stop, and return the exit code."""
    os.umask(0o077)  # inputs, results and sessions are nobody else's business
    _follow_parent()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    try:
        first_start.prepare()
        preflight.check()
        return _with_broker(brokers.private_broker())
    except env.EnvironmentFault as fault:
        return _refuse(str(fault), Exit.ENVIRONMENT)
    except StartFault as fault:
        return _refuse(str(fault), fault.exit_code)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _follow_parent() -> None:
    parser = argparse.ArgumentParser(prog="up", description="Runs all of pirunner until Ctrl-C.")
    parser.add_argument("--parent", type=int, help="process id of the parent to die with")
    parent = parser.parse_args().parent
    if parent is not None:
        die_with(parent)


def _leave(number: int, _: object) -> NoReturn:
    """End the start-up, with everything cleaned up; the supervisor has its own way later."""
    sys.exit(128 + number)


def _refuse(sentence: str, code: Exit) -> int:
    sys.stderr.write(f"pirunner: {sentence}\n")
    return code


def _with_broker(broker: brokers.PrivateBroker | None) -> int:
    try:
        if broker is not None:
            # The children's Celery reads it, and so does whatever settings are loaded from here on.
            os.environ["BROKER_URL"] = broker.url
            broker_note.write(preflight.data_folder(), broker.url)
        return _serve(broker)
    finally:
        if broker is not None:
            broker.remove()
            broker_note.remove(preflight.data_folder())


def _serve(broker: brokers.PrivateBroker | None) -> int:
    _print_line_by_line()
    programs.preload()
    preflight.check_configuration()
    database.prepare()
    lifesign.open_page()
    _share_memory()
    roster = Roster(preflight.run_folder())
    output = Output(_NAMES)
    supervisor = Supervisor(output, roster.write)
    try:
        if broker is not None:
            _start_broker(supervisor, broker)
        _start_programs(supervisor, output)
        supervisor.serve()
    finally:
        supervisor.stop()
        roster.remove()
    return Exit.STOPPED


def _print_line_by_line() -> None:
    # The children inherit the streams; a line must not wait in a buffer until a process ends.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")


def _share_memory() -> None:
    # Objects made so far are left alone by the collector, whose marks would unshare their pages.
    gc.collect()
    gc.freeze()


def _start_broker(supervisor: Supervisor, broker: brokers.PrivateBroker) -> None:
    supervisor.add([programs.broker_program(broker)])
    if not supervisor.wait(broker.answers, _BROKER_START) and not supervisor.stopping:
        raise StartFault(f"The private Redis does not start: {broker.last_words()}", Exit.BROKER)


def _start_programs(supervisor: Supervisor, output: Output) -> None:
    flower_port = _flower_port()
    address = local_address(env.text("HOST"), env.integer("PORT"))
    supervisor.add(programs.programs(flower_port=flower_port))
    supervisor.help(
        "ready",
        partial(wait_until_ready, address),
        lambda ready: output.raw(
            banner(address=address, flower_port=flower_port, relay=_relay_address()) if ready else _SLOW
        ),
    )


_SLOW = "The API does not answer yet; the lines above say why.\n"


def _relay_address() -> str | None:
    return local_address(env.text("CALLBACK_HOST"), env.integer("CALLBACK_PORT")) if env.switch("RELAY") else None


def _flower_port() -> int | None:
    if not env.switch("FLOWER"):
        return None
    return ports.first_free("127.0.0.1", env.integer("FLOWER_PORT") or 5555)


if __name__ == "__main__":
    sys.exit(main())
