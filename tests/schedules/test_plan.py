"""The planner: each due time gets one place in one row, as the rules and the situation want it."""

from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.plan import ALL_LIMIT, CHUNK, QUEUE_LIMIT, Plan, Row, Situation, make_plan
from schedules.quiet import parse_quiet_hours
from schedules.recurrence import Every, Once, Recurrence, between, count_between, next_after
from schedules.rules import Misfire, Outcome, Overlap, Reason, Rules
from tests.schedules.crons import CRONS, INSTANTS, ZONES
from tests.schedules.fires import cron_in, utc
from tests.schedules.making import BERLIN, DAY, HOUR, MINUTE, NOON, SECOND, TICK, UTC_ZONE

MINUTELY = Every(60, NOON)
HOURLY = Every(3600, NOON)
EVERY_SECOND = Every(1, NOON)
NIGHT = parse_quiet_hours("22:00", "07:00")


def rules(**fields: Any) -> Rules:
    return Rules(**{"zone": UTC_ZONE, **fields})


def plan(recurrence: Recurrence, *, after: datetime, now: datetime, by: Rules | None = None, **fields: Any) -> Plan:
    return make_plan(recurrence, by or rules(), Situation(now=now, covered_until=after, **fields))


def told(rows: list[Row]) -> list[tuple[str, int, str, str]]:
    """Rows as one reads them: when, how many, what, why."""
    return [(f"{row.due_at:%H:%M:%S}", row.count, row.outcome.value, row.reason.value) for row in rows]


# -- on time ------------------------------------------------------------------------------------------------------


def test_what_is_due_fires() -> None:
    found = plan(HOURLY, after=NOON - SECOND, now=NOON + SECOND)

    assert told(found.rows) == [("12:00:00", 1, "fired", "")]
    assert (found.covered_until, found.next_due_at) == (NOON + SECOND, NOON + HOUR)


def test_a_due_time_is_due_at_its_very_instant() -> None:
    assert len(plan(HOURLY, after=NOON - SECOND, now=NOON).rows) == 1
    assert plan(HOURLY, after=NOON - SECOND, now=NOON - TICK).rows == []
    assert plan(HOURLY, after=NOON, now=NOON + SECOND).rows == []


def test_several_that_are_due_on_time_fire_each() -> None:
    found = plan(EVERY_SECOND, after=NOON, now=NOON + 3 * SECOND, by=rules(overlap=Overlap.ALLOW))

    assert told(found.rows) == [
        ("12:00:01", 1, "fired", ""),
        ("12:00:02", 1, "fired", ""),
        ("12:00:03", 1, "fired", ""),
    ]


@pytest.mark.parametrize("back", [0 * SECOND, SECOND, HOUR])
def test_nothing_is_due_when_the_time_has_not_moved_on(back: timedelta) -> None:
    found = plan(HOURLY, after=NOON, now=NOON - back)

    assert found == Plan([], NOON, NOON + HOUR)


def test_one_time_fires_once_and_then_there_is_no_next() -> None:
    found = plan(Once(NOON), after=NOON - DAY, now=NOON)

    assert told(found.rows) == [("12:00:00", 1, "fired", "")]
    assert found.next_due_at is None


def test_nothing_fires_after_the_end() -> None:
    ending = Every(60, NOON, end=NOON + 90 * SECOND)

    found = plan(ending, after=NOON + 61 * SECOND, now=NOON + HOUR)

    assert found == Plan([], NOON + HOUR, None)


def test_the_end_itself_still_fires() -> None:
    ending = Every(60, NOON, end=NOON + 60 * SECOND)

    found = plan(ending, after=NOON, now=NOON + 61 * SECOND)

    assert told(found.rows) == [("12:01:00", 1, "fired", "")]
    assert found.next_due_at is None


@pytest.mark.parametrize(
    ("text", "after", "fires", "upcoming"),
    [
        ("0 0 31 * *", "2026-03-30", "2026-03-31", "2026-05-31"),
        ("0 0 29 2 *", "2026-01-01", None, "2028-02-29"),
        ("0 0 L * *", "2026-02-27", "2026-02-28", "2026-03-31"),
        ("0 0 1 * *", "2026-12-31", "2027-01-01", "2027-02-01"),
    ],
)
def test_the_ends_of_months(text: str, after: str, fires: str | None, upcoming: str) -> None:
    now = utc(fires or "2026-02-28") + SECOND

    found = plan(cron_in(text, UTC_ZONE), after=utc(after), now=now)

    assert [row.due_at for row in found.rows] == ([utc(fires)] if fires else [])
    assert found.next_due_at == utc(upcoming)


# -- too late -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "late", "outcome"),
    [
        (3600, 59.9, "fired"),
        (3600, 60, "fired"),
        (3600, 60.1, "caught_up"),
        (60, 30, "fired"),
        (60, 30.1, "caught_up"),
        (20, 10, "fired"),
        (20, 10.1, "caught_up"),
        (10, 5, "fired"),
        (10, 5.1, "caught_up"),
        (7, 5, "fired"),
        (7, 5.1, "caught_up"),
    ],
)
def test_a_minute_late_or_half_a_period_is_too_late(seconds: int, late: float, outcome: str) -> None:
    found = plan(Every(seconds, NOON), after=NOON - SECOND, now=NOON + late * SECOND)

    assert [row.outcome.value for row in found.rows] == [outcome]


def test_without_a_next_time_a_minute_is_too_late() -> None:
    assert told(plan(Once(NOON), after=NOON - DAY, now=NOON + MINUTE).rows) == [("12:00:00", 1, "fired", "")]
    assert told(plan(Once(NOON), after=NOON - DAY, now=NOON + 61 * SECOND).rows) == [
        ("12:00:00", 1, "caught_up", "missed")
    ]


# -- what was missed ----------------------------------------------------------------------------------------------

MISSED = {"after": NOON, "now": NOON + 4 * HOUR + 10 * MINUTE}  # 13:00 to 16:00


@pytest.mark.parametrize(
    ("misfire", "expected"),
    [
        (Misfire.ONCE, [("13:00:00", 3, "skipped", "missed"), ("16:00:00", 1, "caught_up", "missed")]),
        (Misfire.SKIP, [("13:00:00", 4, "skipped", "missed")]),
        (Misfire.ALL, [(f"{hour}:00:00", 1, "caught_up", "missed") for hour in (13, 14, 15, 16)]),
    ],
)
def test_the_misfire_rule_decides_about_what_was_missed(misfire: Misfire, expected: Any) -> None:
    found = plan(HOURLY, **MISSED, by=rules(misfire=misfire))

    assert told(found.rows) == expected
    assert (found.covered_until, found.next_due_at) == (MISSED["now"], NOON + 5 * HOUR)


def test_what_is_missed_comes_before_what_is_on_time() -> None:
    found = plan(HOURLY, after=NOON, now=NOON + 3 * HOUR, by=rules(misfire=Misfire.SKIP))

    assert told(found.rows) == [("13:00:00", 2, "skipped", "missed"), ("15:00:00", 1, "fired", "")]


def test_all_makes_up_for_the_last_hundred_and_counts_what_it_leaves_out() -> None:
    found = plan(MINUTELY, after=NOON, now=NOON + 500 * MINUTE + 40 * SECOND, by=rules(misfire=Misfire.ALL))

    left_out, *caught_up = found.rows
    assert (left_out.count, left_out.outcome, left_out.reason) == (500 - ALL_LIMIT, Outcome.SKIPPED, Reason.MISSED)
    assert [row.due_at for row in caught_up] == [NOON + n * MINUTE for n in range(401, 501)]
    assert {row.outcome for row in caught_up} == {Outcome.CAUGHT_UP}


def test_a_second_s_schedule_that_was_off_for_a_week_is_planned_in_milliseconds() -> None:
    now = NOON + timedelta(weeks=1)

    began = perf_counter()
    found = plan(EVERY_SECOND, after=NOON, now=now)
    took = perf_counter() - began

    missed = 7 * 86_400 - 6
    assert [(row.count, row.outcome, row.reason) for row in found.rows] == [
        (missed - 1, Outcome.SKIPPED, Reason.MISSED),
        (1, Outcome.CAUGHT_UP, Reason.MISSED),
        (6, Outcome.SKIPPED, Reason.OVERLAP),
    ]
    assert took < 0.1


# -- crons that were off for long ---------------------------------------------------------------------------------


def in_parts(recurrence: Recurrence, after: datetime, now: datetime, by: Rules) -> list[Plan]:
    """The plans that follow on each other until nothing is due."""
    plans = [plan(recurrence, after=after, now=now, by=by)]
    while (upcoming := plans[-1].next_due_at) and upcoming <= now:
        plans.append(plan(recurrence, after=plans[-1].covered_until, now=now, by=by))
    return plans


@pytest.mark.parametrize("more", [-1, 0, 1, 100, 101, 102, 2 * 1440, 2 * 1440 + 100, 2 * 1440 + 102])
@pytest.mark.parametrize("misfire", list(Misfire))
def test_a_cron_counts_a_chunk_at_a_time_and_leaves_nothing_out(more: int, misfire: Misfire) -> None:
    now = NOON + (CHUNK + more) * MINUTE + 40 * SECOND

    plans = in_parts(cron_in("* * * * *", UTC_ZONE), NOON, now, rules(misfire=misfire, overlap=Overlap.ALLOW))

    rows = [row for part in plans for row in part.rows]
    assert sum(row.count for row in rows) == CHUNK + more
    assert sum(row.fires for row in rows) == {Misfire.ONCE: 1, Misfire.SKIP: 0, Misfire.ALL: ALL_LIMIT}[misfire]
    assert plans[-1].covered_until == now


@pytest.mark.parametrize("starts_at", range(0, 240, 20))
def test_the_latest_loud_one_is_found_wherever_a_chunk_ends(starts_at: int) -> None:
    evenings = cron_in("* 20-23 * * *", UTC_ZONE)  # half of its times are quiet
    first = utc("2026-01-01T19:59")
    morning = first + CHUNK // 240 * DAY + 12 * HOUR

    plans = in_parts(evenings, first + starts_at * MINUTE, morning, rules(quiet_hours=NIGHT))

    (caught_up,) = [row for part in plans for row in part.rows if row.fires]
    assert (caught_up.due_at, caught_up.outcome) == (morning - 10 * HOUR, Outcome.CAUGHT_UP)


@pytest.mark.parametrize("starts_at", [0, 58, 59, 60, 110, 157, 158, 159, 160, 1400])  # some end just before midnight
def test_all_makes_up_for_as_many_wherever_a_chunk_ends(starts_at: int) -> None:
    firsts = cron_in("* * 1 * *", UTC_ZONE)
    start = utc("2026-01-01") + starts_at * MINUTE
    by = rules(misfire=Misfire.ALL, overlap=Overlap.ALLOW)

    plans = in_parts(firsts, start, utc("2027-02-20T12:00"), by)

    caught_up = [row.due_at for part in plans for row in part.rows if row.fires]
    assert caught_up == [utc("2027-02-01T23:59") - minute * MINUTE for minute in reversed(range(ALL_LIMIT))]


# -- when a job of it has not ended -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overlap", "open_jobs", "expected"),
    [
        (Overlap.SKIP, 0, [("12:00:01", 1, "fired", ""), ("12:00:02", 2, "skipped", "overlap")]),
        (Overlap.SKIP, 1, [("12:00:01", 3, "skipped", "overlap")]),
        (Overlap.QUEUE, 1, [(f"12:00:0{n}", 1, "fired", "") for n in (1, 2, 3)]),
        (Overlap.ALLOW, 1, [(f"12:00:0{n}", 1, "fired", "") for n in (1, 2, 3)]),
        (Overlap.REPLACE, 1, [("12:00:01", 2, "skipped", "overlap"), ("12:00:03", 1, "fired", "")]),
        (Overlap.QUEUE, QUEUE_LIMIT - 1, [("12:00:01", 1, "fired", ""), ("12:00:02", 2, "skipped", "queue_full")]),
        (Overlap.ALLOW, QUEUE_LIMIT, [("12:00:01", 3, "skipped", "queue_full")]),
    ],
)
def test_the_overlap_rule_decides_beside_others(overlap: Overlap, open_jobs: int, expected: Any) -> None:
    found = plan(EVERY_SECOND, after=NOON, now=NOON + 3 * SECOND, by=rules(overlap=overlap), open_jobs=open_jobs)

    assert told(found.rows) == expected


@pytest.mark.parametrize(
    ("misfire", "overlap", "fires"),
    [
        (Misfire.ONCE, Overlap.SKIP, []),
        (Misfire.ALL, Overlap.SKIP, ["13", "14", "15"]),  # each is wanted: they wait for each other
        (Misfire.ALL, Overlap.QUEUE, ["13", "14", "15", "16"]),
        (Misfire.ALL, Overlap.REPLACE, ["16"]),
    ],
)
def test_what_is_caught_up_minds_others_too(misfire: Misfire, overlap: Overlap, fires: list[str]) -> None:
    by = rules(misfire=misfire, overlap=overlap)

    found = plan(HOURLY, after=NOON, now=NOON + 4 * HOUR + SECOND, by=by, open_jobs=1)

    assert [f"{row.due_at:%H}" for row in found.rows if row.fires] == fires
    assert sum(row.count for row in found.rows) == 4


# -- quiet hours --------------------------------------------------------------------------------------------------


def test_what_is_due_in_the_quiet_hours_is_skipped() -> None:
    evening = utc("2026-05-05T22:00")

    found = plan(HOURLY, after=evening - SECOND, now=evening + SECOND, by=rules(quiet_hours=NIGHT))

    assert told(found.rows) == [("22:00:00", 1, "skipped", "quiet_hours")]


def test_nothing_is_caught_up_in_the_quiet_hours() -> None:
    now = utc("2026-05-05T23:30")

    found = plan(HOURLY, after=utc("2026-05-05T19:30"), now=now, by=rules(quiet_hours=NIGHT))

    assert told(found.rows) == [
        ("20:00:00", 1, "skipped", "missed"),
        ("21:00:00", 3, "skipped", "quiet_hours"),
    ]


def test_what_is_caught_up_is_the_latest_that_was_not_quiet() -> None:
    now = utc("2026-05-06T07:30")
    by = rules(quiet_hours=parse_quiet_hours("22:00", "07:45"))

    found = plan(Every(3600, NOON + MINUTE), after=utc("2026-05-05T19:30"), now=now + HOUR, by=by)

    assert told(found.rows) == [
        ("20:01:00", 12, "skipped", "missed"),
        ("08:01:00", 1, "caught_up", "missed"),
    ]

    found = plan(Every(3600, NOON + MINUTE), after=utc("2026-05-05T19:30"), now=now + 20 * MINUTE, by=by)

    assert told(found.rows) == [
        ("20:01:00", 1, "skipped", "missed"),
        ("21:01:00", 1, "caught_up", "missed"),
        ("22:01:00", 10, "skipped", "quiet_hours"),
    ]


def test_quiet_hours_are_read_in_the_zone() -> None:
    due = utc("2026-05-05T20:30")  # 22:30 in Berlin
    by = Rules(zone=BERLIN, quiet_hours=NIGHT)

    assert told(plan(Once(due), after=due - DAY, now=due, by=by).rows) == [("20:30:00", 1, "skipped", "quiet_hours")]


# -- pauses and refusals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("misfire", "expected"),
    [
        (Misfire.ONCE, [("13:00:00", 1, "skipped", "paused"), ("14:00:00", 1, "caught_up", "paused")]),
        (Misfire.SKIP, [("13:00:00", 2, "skipped", "paused")]),
        (Misfire.ALL, [("13:00:00", 1, "caught_up", "paused"), ("14:00:00", 1, "caught_up", "paused")]),
    ],
)
def test_what_was_due_in_a_pause_was_missed_however_short_ago(misfire: Misfire, expected: Any) -> None:
    by = rules(misfire=misfire)

    found = plan(HOURLY, after=NOON, now=NOON + 2 * HOUR + SECOND, by=by, missed_for=Reason.PAUSED)

    assert told(found.rows) == expected


def test_what_would_not_be_accepted_is_skipped_with_the_reason() -> None:
    found = plan(HOURLY, after=NOON, now=NOON + 3 * HOUR, refused=Reason.UNKNOWN_JOB_TYPE)

    assert told(found.rows) == [
        ("13:00:00", 1, "skipped", "missed"),
        ("14:00:00", 2, "skipped", "unknown_job_type"),
    ]


# -- due times that have rows already -----------------------------------------------------------------------------


def test_what_has_a_row_does_not_fire_again() -> None:
    found = plan(HOURLY, after=NOON, now=NOON + HOUR, taken=frozenset({NOON + HOUR}))

    assert found == Plan([], NOON + HOUR, NOON + 2 * HOUR)


def test_rows_that_are_there_divide_those_that_are_skipped() -> None:
    taken = frozenset({NOON + 3 * HOUR, NOON + 4 * HOUR})

    found = plan(HOURLY, after=NOON, now=NOON + 6 * HOUR, by=rules(misfire=Misfire.SKIP), taken=taken)

    assert told(found.rows) == [
        ("13:00:00", 2, "skipped", "missed"),
        ("17:00:00", 1, "skipped", "missed"),
        ("18:00:00", 1, "fired", ""),
    ]


def test_the_latest_one_that_has_a_row_is_not_caught_up_again() -> None:
    found = plan(HOURLY, after=NOON, now=NOON + 150 * MINUTE, taken=frozenset({NOON + 2 * HOUR}))

    assert told(found.rows) == [("13:00:00", 1, "skipped", "missed")]


def test_a_row_between_the_due_times_divides_them_too() -> None:
    by_hand = NOON + 90 * MINUTE  # somebody ran it then

    found = plan(
        HOURLY,
        after=NOON,
        now=NOON + 150 * MINUTE,
        by=rules(misfire=Misfire.SKIP),
        taken=frozenset({by_hand}),
    )

    assert told(found.rows) == [("13:00:00", 1, "skipped", "missed"), ("14:00:00", 1, "skipped", "missed")]


# -- whatever happens, each due time is covered once --------------------------------------------------------------

INTERVALS = st.builds(
    Every,
    st.one_of(st.integers(1, 200_000), st.floats(1, 5000, allow_nan=False)),
    INSTANTS,
    end=st.one_of(st.none(), INSTANTS),
)
OFTEN = st.sampled_from(["* * * * *", "*/7 * * * *", "0 * * * *", "30 2 * * *", "0,1 22-23 * * *", "0 12 * * 1-5"])
RECURRENCES: st.SearchStrategy[Recurrence] = st.one_of(
    INTERVALS, st.builds(Once, INSTANTS), st.builds(cron_in, CRONS, ZONES), st.builds(cron_in, OFTEN, ZONES)
)
ALL_RULES = st.builds(
    Rules,
    zone=ZONES,
    misfire=st.sampled_from(Misfire),
    overlap=st.sampled_from(Overlap),
    quiet_hours=st.sampled_from([None, NIGHT, parse_quiet_hours("12:00", "13:30")]),
)
SPANS = st.one_of(
    st.timedeltas(TICK, MINUTE), st.timedeltas(TICK, HOUR), st.timedeltas(TICK, DAY), st.timedeltas(TICK, 10 * DAY)
)


@settings(max_examples=250, deadline=None)
@given(
    recurrence=RECURRENCES,
    by=ALL_RULES,
    covered_until=INSTANTS,
    spans=st.lists(SPANS, min_size=1, max_size=6),
    open_jobs=st.sampled_from([0, 1, QUEUE_LIMIT - 1]),
    missed_for=st.sampled_from([Reason.MISSED, Reason.PAUSED]),
    taken_part=st.integers(0, 9),
)
def test_every_due_time_is_covered_once_whatever_the_rules_and_the_looks(
    *,
    recurrence: Recurrence,
    by: Rules,
    covered_until: datetime,
    spans: list[timedelta],
    open_jobs: int,
    missed_for: Reason,
    taken_part: int,
) -> None:
    start = covered_until
    rows: list[Row] = []
    end = start + sum(spans, timedelta())
    some = between(recurrence, start, end, 300)
    taken = frozenset(some[taken_part::10]) if taken_part else frozenset()
    now = start
    for span in spans:
        now += span
        situation = Situation(
            now=now,
            covered_until=covered_until,
            open_jobs=open_jobs,
            taken=frozenset(due for due in taken if covered_until < due <= now),
            missed_for=missed_for,
        )
        found = make_plan(recurrence, by, situation)
        rows += found.rows
        covered_until = found.covered_until
        assert found.next_due_at == next_after(recurrence, covered_until)

    assert covered_until == end
    assert_covered_once(recurrence, start, end, rows, taken)


def assert_covered_once(
    recurrence: Recurrence, start: datetime, end: datetime, rows: list[Row], taken: frozenset[datetime]
) -> None:
    """Each due time lies in one row or is taken; the rows ascend, do not overlap, and count right."""
    last = start
    for row in rows:
        assert last < row.due_at <= row.until_due_at <= end
        assert row.count == count_between(recurrence, row.due_at - TICK, row.until_due_at)
        assert row.fires <= (row.due_at == row.until_due_at)
        assert not any(row.due_at <= due <= row.until_due_at for due in taken)
        last = row.until_due_at
    assert sum(row.count for row in rows) + len(taken) == count_between(recurrence, start, end)
