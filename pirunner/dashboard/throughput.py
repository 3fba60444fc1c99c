"""How much was done, and how much of it failed: 24 hours by the hour, 7 days by the quarter of a day."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.conf import settings

from jobs.rollup_selectors import ends_since
from pirunner.dashboard.chart import Chart, Slot, draw, fill, slots_of
from pirunner.dashboard.look import Look
from pirunner.zones import find_zone

DAYS = 7
HOURS = 24


def show(look: Look) -> dict[str, Any]:
    """Return both charts."""
    zone = find_zone(settings.TIME_ZONE)
    by_hour = slots_of(look.now, hours=1, count=HOURS, zone=zone)
    by_quarter = slots_of(look.now, hours=6, count=DAYS * 4, zone=zone)
    ends = ends_since(look.now - timedelta(days=DAYS, hours=6))
    fill(by_hour, ends)
    fill(by_quarter, ends)
    day, week = draw(by_hour), draw(by_quarter)
    return {
        "charts": [
            ("day", "Last 24 hours", day, _labels(day, every=6, form="H:i")),
            ("week", "Last 7 days", week, _day_labels(week)),
        ],
        "is_empty": not week.total,
    }


def _labels(chart: Chart, *, every: int, form: str) -> list[tuple[float, Any, str]]:
    """Return where a time is written below the bars: at the round hours."""
    return [(bar.x, bar.slot.start, form) for bar in chart.bars if bar.slot.start.hour % every == 0]


def _day_labels(chart: Chart) -> list[tuple[float, Any, str]]:
    """Return where a day is written: where it begins, as long as there is room for its name."""
    days = Counter[Any](bar.slot.start.date() for bar in chart.bars)
    seen = set()
    labels: list[tuple[float, Any, str]] = []
    for bar in chart.bars:
        day = _day_of(bar.slot)
        if day not in seen and days[day] > 1:
            labels.append((bar.x, bar.slot.start, "D j"))
        seen.add(day)
    return labels


def _day_of(slot: Slot) -> Any:
    return slot.start.date()
