"""`python -m pirunner.up`, which `scripts/run` and `manage.py up` call."""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from typing import NoReturn

from pirunner import broker_note, env, lifesign
from pirunner.up import broker as brokers
from pirunner.up import database, first_start, notify, ports, preflight, programs
from pirunner.up.banner import banner, local_address
from pirunner.up.faults import Exit, StartFault
from pirunner.up.lifeline import die_with
from pirunner.up.notify import Notifier, take_notifier
from pirunner.up.output import Output
from pirunner.up.ready import wait_until_ready
from pirunner.up.roles import EVERYTHING, Role, roles_of
from pirunner.up.roster import Roster
from pirunner.up.supervisor import Supervisor
from pirunner.up.vitals import Vitals

_BROKER_START = 10.0  # seconds
_ITSELF = "up"


def main() -> int:
    """Start pirunner, serve until a signal asks for the stop, and return the exit code."""
    os.umask(0o077)  # inputs, results and sessions are nobody else's business
    options = _options()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    notifier = take_notifier()
    try:
        roles = roles_of(options.role)
        first_start.prepare(roles)
        preflight.check(roles)
        return _run_all(notifier) if roles == EVERYTHING else _run_parts(roles, notifier)
    except env.EnvironmentFault as fault:
        return _refuse(str(fault), Exit.ENVIRONMENT)
    except StartFault as fault:
        return _refuse(str(fault), fault.exit_code)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="up", description="Runs all of pirunner until Ctrl-C, or some of its parts.")
    parser.add_argument("--parent", type=int, help="process id of the parent to die with")
    parser.add_argument(
        "--role", action="append", default=[], help=f"run this part only: {', '.join(Role)}; again, or by comma"
    )
    options = parser.parse_args()
    if options.parent is not None:
        die_with(options.parent)
    return options


def _leave(number: int, _: object) -> NoReturn:
    """End the start-up, with everything cleaned up; the supervisor has its own way later."""
    sys.exit(128 + number)


def _refuse(sentence: str, code: Exit) -> int:
    sys.stderr.write(f"pirunner: {sentence}\n")
    return code


# -- all under one supervisor -------------------------------------------------------------------------------


def _run_all(notifier: Notifier) -> int:
    broker = brokers.private_broker()
    try:
        if broker is not None:
            _point_to(broker)
            broker_note.write(preflight.data_folder(), broker.url)
        _load()
        flower_port = _flower_port() if env.switch("FLOWER") else None
        roster = Roster(preflight.run_folder())
        supervisor, output = _supervisor(EVERYTHING, roster)
        with _stopped_at_the_end(supervisor, notifier, roster):
            attended = bool(notifier.address)
            if attended:
                _attend(supervisor, EVERYTHING, notifier, broker, flower_port)
            _start_programs(supervisor, EVERYTHING, broker, flower_port, attended=attended)
            if not attended:  # nobody reads a welcome in the journal
                _welcome(supervisor, output, flower_port)
            supervisor.serve()
    finally:
        if broker is not None:
            broker.remove()
            broker_note.remove(preflight.data_folder())
    return Exit.STOPPED


def _point_to(broker: brokers.PrivateBroker) -> None:
    # The children's Celery reads it, and so does whatever settings are loaded from here on.
    os.environ["BROKER_URL"] = broker.url


def _welcome(supervisor: Supervisor, output: Output, flower_port: int | None) -> None:
    address = local_address(env.text("HOST"), env.integer("PORT"))
    supervisor.help(
        "ready",
        partial(wait_until_ready, address),
        lambda ready: output.raw(
            banner(address=address, flower_port=flower_port, relay=_relay_address()) if ready else _SLOW
        ),
    )


# -- some parts, beside others ------------------------------------------------------------------------------


def _run_parts(roles: frozenset[Role], notifier: Notifier) -> int:
    serves = Role.REDIS in roles
    broker = brokers.shared_broker(preflight.run_folder(), serves=serves)
    if broker is not None:
        _point_to(broker)
        if serves:
            # It stays behind, and leads to where the next one will be, too.
            broker_note.write(preflight.data_folder(), broker.url)
        if roles == {Role.REDIS}:
            broker.serve(log_to="")
    _load()
    flower_port = _flower_port() if Role.FLOWER in roles else None
    roster = Roster(preflight.run_folder(), part="-".join(sorted(roles)))
    supervisor, _ = _supervisor(roles, roster)
    with _stopped_at_the_end(supervisor, notifier, roster):
        if broker is not None and not serves and not broker.answers():
            supervisor.say(f"No Redis answers at {broker.socket} yet: start the role redis, or set REDIS_URL.")
        served = broker if serves else None
        _attend(supervisor, roles, notifier, served, flower_port)
        _start_programs(supervisor, roles, served, flower_port, attended=True)
        supervisor.serve()
    return Exit.STOPPED


# -- both ---------------------------------------------------------------------------------------------------


def _load() -> None:
    _print_line_by_line()
    programs.preload()
    preflight.check_configuration()
    database.prepare()
    lifesign.open_page()
    _share_memory()


def _supervisor(roles: frozenset[Role], roster: Roster) -> tuple[Supervisor, Output]:
    output = Output([_ITSELF, *(role for role in Role if role in roles)])
    return Supervisor(output, roster.write), output


@contextmanager
def _stopped_at_the_end(supervisor: Supervisor, notifier: Notifier, roster: Roster) -> Iterator[None]:
    try:
        yield
    finally:
        notifier.tell(notify.STOPPING)
        supervisor.stop()
        roster.remove()


def _attend(
    supervisor: Supervisor,
    roles: frozenset[Role],
    notifier: Notifier,
    broker: brokers.PrivateBroker | None,
    flower_port: int | None,
) -> None:
    pulses = programs.pulses(roles, ask=supervisor.help, flower_port=flower_port, broker=broker)
    supervisor.each_turn = Vitals(pulses, notifier, supervisor.say).look


def _start_programs(
    supervisor: Supervisor,
    roles: frozenset[Role],
    broker: brokers.PrivateBroker | None,
    flower_port: int | None,
    *,
    attended: bool,
) -> None:
    if broker is not None:
        _start_broker(supervisor, broker)
    supervisor.add(programs.programs(roles=roles, flower_port=flower_port, attended=attended))


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


_SLOW = "The API does not answer yet; the lines above say why.\n"


def _relay_address() -> str | None:
    return local_address(env.text("CALLBACK_HOST"), env.integer("CALLBACK_PORT")) if env.switch("RELAY") else None


def _flower_port() -> int:
    return ports.first_free("127.0.0.1", env.integer("FLOWER_PORT") or 5555)


if __name__ == "__main__":
    sys.exit(main())
