"""Carrying out a plan, so that being killed at any point is made good by the next run.

What has been done is written down afterwards; before, it is written down that it is not known any more. In this
order: stop what goes or changes, take files away, write the service and the timers, enable, one reload, start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from installer.files import Folder
from installer.plan import Plan, Wanted
from installer.state import Applied, State, write_state
from installer.systemd import Manager
from installer.units import SERVICE

Step = Callable[[str], None]


@dataclass(frozen=True)
class Hands:
    """With what a plan is carried out. ``step`` is told what is next: tests kill the program there."""

    units: Folder
    own: Folder
    manager: Manager
    step: Step


@dataclass(frozen=True)
class Done:
    """What has come of a plan: the new state, and the timers that do not run although they were started."""

    state: State
    failed: frozenset[str] = frozenset()
    changed: bool = False


def carry_out(hands: Hands, plan: Plan, wanted: Mapping[str, Wanted], service: str | None, state: State) -> Done:
    """Do it; ``service`` is the text to write, None if it is right already. Raises ``Refusal`` and ``OSError``."""
    written = bool(plan.write or plan.remove or service)
    if not plan.touched and not service and not state.reload:
        return Done(state)
    left = {name: applied for name, applied in state.applied.items() if name not in plan.touched}
    state = msgspec.structs.replace(state, applied=left, reload=state.reload or written)
    hands.step("record")
    write_state(hands.own, state)
    _change_files(hands, plan, wanted, service)
    running = _run_again(hands, plan, reload=state.reload)
    state = _with_results(state, plan, wanted, running)
    hands.step("record the end")
    write_state(hands.own, state)
    return Done(state, frozenset(plan.enable) - running, changed=True)


def _change_files(hands: Hands, plan: Plan, wanted: Mapping[str, Wanted], service: str | None) -> None:
    hands.units.sweep()
    if plan.disable:
        hands.step("disable")
        hands.manager.disable(plan.disable)
    for name in plan.remove:
        hands.step(f"remove {name}")
        hands.units.remove(name)
    if service:
        hands.step(f"write {SERVICE}")
        hands.units.write(SERVICE, service.encode())
    for name in plan.write:
        hands.step(f"write {name}")
        hands.units.write(name, wanted[name].text.encode())


def _run_again(hands: Hands, plan: Plan, *, reload: bool) -> frozenset[str]:
    enabled: frozenset[str] = frozenset()
    if plan.enable:
        hands.step("enable")
        enabled = hands.manager.enable(plan.enable)
    if reload:
        hands.step("reload")
        hands.manager.reload()
    if not enabled:
        return enabled
    hands.step("start")
    return hands.manager.start(sorted(enabled))


def _with_results(state: State, plan: Plan, wanted: Mapping[str, Wanted], running: frozenset[str]) -> State:
    applied = dict(state.applied)
    for name in plan.touched - frozenset(plan.remove):
        if name in running or not wanted[name].enabled:
            applied[name] = Applied(wanted[name].sha256, wanted[name].enabled)
    failed = len(frozenset(plan.enable) - running)
    counters = msgspec.structs.replace(
        state.counters,
        changes=state.counters.changes + len(plan.touched),
        reloads=state.counters.reloads + state.reload,
        failures=state.counters.failures + failed,
    )
    return msgspec.structs.replace(state, applied=applied, reload=False, counters=counters)
