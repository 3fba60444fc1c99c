"""What a person reads: a line or two for each sync, and a table of the manifests."""

from collections import Counter
from collections.abc import Iterable

from installer.plan import Plan
from installer.status import Item, Stage, Status

_HEAD = ("schedule", "state", "next ring", "why")
_MOST_ROWS = 200


def changes(plan: Plan, *, apply: bool) -> list[str]:
    """Return a line for each timer that was changed; a dry run writes files, but only ``apply`` tells systemd."""
    verbs = (
        ("removed", plan.remove),
        ("written", plan.write),
        ("started" if apply else "to start", plan.enable),
        ("stopped" if apply else "to stop", tuple(name for name in plan.disable if name not in plan.remove)),
    )
    return [f"{verb:8} {name}" for verb, names in verbs for name in names]


def summary(status: Status) -> str:
    """Return one line of counts."""
    where = "systemd" if status.apply else "dry run, systemd knows nothing of it"
    if status.problem:
        return f"{where}: NOT DONE. {printable(status.problem)}"
    counts = Counter(item.state for item in status.manifests.values())
    parts = [f"{counts[stage]} {stage}" for stage in Stage if counts[stage]]
    if status.stray_count:
        parts.append(f"{status.stray_count} files that are in no index")
    return f"{where}: {', '.join(parts) or 'no schedules'}"


def table(status: Status) -> str:
    """Return the summary, the warnings, and a row for each manifest."""
    rows = [_row(id_, item) for id_, item in sorted(status.manifests.items())]
    lines = [summary(status), *(f"warning: {printable(warning)}" for warning in status.warnings)]
    lines += [f"ignored: {printable(name)}" for name in status.strays[:10]]
    if rows:
        lines += _columns([_HEAD, *rows[:_MOST_ROWS]])
    if len(rows) > _MOST_ROWS:
        lines.append(f"... and {len(rows) - _MOST_ROWS} more")
    return "\n".join(lines)


def printable(text: str) -> str:
    """Return a text that a terminal does not obey: a file's name can hold anything."""
    shown = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(character if character.isprintable() else "?" for character in shown)


def _row(id_: str, item: Item) -> tuple[str, ...]:
    elapse = f"{item.next_elapse_at:%Y-%m-%d %H:%M:%S} UTC" if item.next_elapse_at else ""
    why = f"{item.reason}: {item.message}" if item.reason else item.message
    return id_, item.state, elapse, printable(why)


def _columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
