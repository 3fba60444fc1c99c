"""``/metrics``: true figures, in both formats, whatever cannot be read; and the pages that rest on them."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from installer.files import Folder
from installer.state import Counters
from installer.status import Item, Stage, Status, write_status
from jobs.endings import attempt_failed, completed, worker_lost
from jobs.errors import JobFailed
from jobs.lifecycle import end_many
from jobs.rollup import roll_up
from pirunner.callers import Scope
from pirunner.metrics.families import gauge
from pirunner.metrics.registry import Part, PartsCollector
from pirunner.signs import show_life
from tests.bench.sandbox import private_redis
from tests.jobs.making import PING, start, waiting
from tests.parts import Api
from tests.pirunner.tokens.making import token

pytestmark = pytest.mark.usefixtures("committed_db")

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "docs" / "grafana"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
NOW = timezone.now()

Samples = dict[tuple[str, tuple[str, ...]], float]


def read(api: Api) -> Samples:
    """Return the samples by name and values of the labels."""
    return samples_of(parse_text(api.get("/metrics").content.decode()))


def samples_of(families: Any) -> Samples:
    return {(s.name, tuple(s.labels.values())): s.value for family in families for s in family.samples}


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """The address of a Redis."""
    with private_redis() as address:
        yield address


@pytest.fixture
def everything(broker: str, owner: Any) -> None:
    """All parts can be read, and have something to say."""
    owner.CELERY_BROKER_URL = broker
    for role, name in (("worker", "a@pi"), ("worker", "b@pi"), ("clock", "pi:1"), ("relay", "pi:2")):
        show_life(role, name)
    manifests = {"sysd-1": Item(state=Stage.INSTALLED), "sysd-2": Item(state=Stage.REFUSED)}
    status = Status(
        last_sync_at=NOW, apply=True, manifests=manifests, stray_count=3, counters=Counters(changes=7, failures=4)
    )
    with Folder(owner.RUNNER_DATA_DIR) as folder:
        write_status(folder, status)


# -- the answer -------------------------------------------------------------------------------------------------------


def test_it_needs_a_token(api: Api):
    assert api.get("/metrics", Authorization="Bearer wrong").status_code == 401


@pytest.mark.parametrize(
    ("scope", "terms", "status"),
    [
        (Scope.JOBS_READ, {}, 200),
        (Scope.JOBS_WRITE, {}, 403),
        (Scope.JOBS_READ, {"own_only": True}, 403),
    ],
)
def test_the_token_must_see_all(api: Api, scope: Scope, terms: dict[str, Any], status: int):
    assert api.get("/metrics", **token(scope, **terms)).status_code == status


def test_both_formats_say_the_same(api: Api, everything: None):  # noqa: ARG001
    text, openmetrics = api.get("/metrics"), api.get("/metrics", Accept=OPENMETRICS)

    assert text.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert openmetrics.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    said = samples_of(parse_openmetrics(openmetrics.content.decode()))
    assert set(said) == set(samples_of(parse_text(text.content.decode())))


@pytest.mark.usefixtures("everything")
def test_processes_and_the_installer_are_told_of(api: Api):
    samples = read(api)

    assert samples["pirunner_processes_alive", ("worker",)] == 2
    assert samples["pirunner_processes_alive", ("clock",)] == 1
    assert samples["pirunner_processes_alive", ("io",)] == 0
    assert samples["pirunner_relay_up", ()] == 1
    assert samples["pirunner_installer_manifests", ("refused",)] == 1
    assert samples["pirunner_installer_manifests", ("failed",)] == 0
    assert samples["pirunner_installer_failures_total", ()] == 4
    assert samples["pirunner_installer_last_sync_timestamp_seconds", ()] == pytest.approx(NOW.timestamp())
    assert {value for (name, _), value in samples.items() if name == "pirunner_part_up"} == {1.0}


# -- jobs -------------------------------------------------------------------------------------------------------------


def test_ended_jobs_are_counted_and_their_durations_add_up(api: Api):
    for seconds in (0.25, 2.0, 7200.0):
        claim = start(PING)
        end_many([completed(claim, {}, at=claim.started_at + timedelta(seconds=seconds))])
    roll_up(NOW)

    samples = read(api)

    assert samples["pirunner_jobs_ended_total", ("ping", "completed")] == 3
    assert samples["pirunner_jobs_ended_total", ("ping", "failed")] == 0
    assert samples["pirunner_jobs", ("completed",)] == 3
    buckets = {
        labels[1]: value for (name, labels), value in samples.items() if name == "pirunner_job_duration_seconds_bucket"
    }
    up_to = {bound: buckets[bound] for bound in ("0.1", "0.5", "1.0", "5.0", "3600.0", "+Inf")}
    assert up_to == {"0.1": 0, "0.5": 1, "1.0": 1, "5.0": 2, "3600.0": 2, "+Inf": 3}
    assert samples["pirunner_job_duration_seconds_count", ("ping",)] == 3
    assert samples["pirunner_job_duration_seconds_sum", ("ping",)] == pytest.approx(7202.25, abs=0.01)


def test_what_waits_is_told_by_type_with_its_age(api: Api):
    for seconds in (90, 30):
        waiting(PING, since=timezone.now() - timedelta(seconds=seconds))

    samples = read(api)

    assert samples["pirunner_jobs_waiting", ("ping",)] == 2
    assert samples["pirunner_jobs_oldest_waiting_seconds", ("ping",)] == pytest.approx(90, abs=5)
    assert samples["pirunner_jobs_waiting", ("reminder",)] == 0


def test_runs_that_are_repeated_are_counted(api: Api):
    claim = start(PING)
    end_many([attempt_failed(claim, JobFailed("again"), at=claim.started_at, backoff_seconds=5, jitter=0)])
    claim = start(PING)
    end_many([worker_lost(claim, at=claim.started_at, reason="worker lost: it stopped renewing its lease")])
    roll_up(NOW)

    samples = read(api)

    assert samples["pirunner_runs_retried_total", ("ping",)] == 1
    assert samples["pirunner_runs_taken_back_total", ("ping",)] == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a small table as a whole")
def test_no_table_that_grows_is_read_as_a_whole(api: Api):
    with CaptureQueriesContext(connection) as queries:
        api.get("/metrics")

    grows = re.compile(r"SCAN (jobs_job|webhooks_event|webhooks_delivery|schedules_occurrence)\b(?! USING INDEX)")
    with connection.cursor() as cursor:
        for sql in (query["sql"] for query in queries):
            plan = " ".join(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
            # A table may be begun at its end, as long as that needs no sorting.
            few = " LIMIT " in sql and "TEMP B-TREE" not in plan
            assert few or not grows.search(plan), (sql, plan)


# -- what cannot be read ----------------------------------------------------------------------------------------------


def test_without_redis_all_else_is_told(api: Api):
    samples = read(api)

    assert samples["pirunner_part_up", ("processes",)] == 0
    assert samples["pirunner_part_up", ("jobs",)] == 1
    assert not [name for name, _ in samples if name == "pirunner_processes_alive"]


def test_a_database_that_is_away_is_asked_once_and_a_fault_of_ours_hides_nothing():
    asked = []

    def away(_: Any) -> Iterator[Metric]:
        asked.append(1)
        raise OperationalError("server closed the connection")

    def broken(_: Any) -> Iterator[Metric]:
        yield gauge("pirunner_before", "Said before the fault.", 1)
        raise ZeroDivisionError

    def well(_: Any) -> Iterator[Metric]:
        yield gauge("pirunner_well", "Well.", 1)

    parts = (
        Part("broken", broken),
        Part("one", away),
        Part("other", away),
        Part("machine", well, needs_database=False),
    )

    samples = samples_of(PartsCollector(parts).collect())

    assert samples == {
        ("pirunner_before", ()): 1,
        ("pirunner_well", ()): 1,
        ("pirunner_part_up", ("broken",)): 0,
        ("pirunner_part_up", ("one",)): 0,
        ("pirunner_part_up", ("other",)): 0,
        ("pirunner_part_up", ("machine",)): 1,
    }
    assert asked == [1]


def test_what_stays_silent_is_logged_once(caplog: pytest.LogCaptureFixture):
    def away(_: Any) -> Iterator[Metric]:
        raise OSError("gone")
        yield

    collector = PartsCollector((Part("machine", away),))
    for _ in range(3):
        list(collector.collect())

    assert [record.getMessage() for record in caplog.records] == ["The metrics of machine cannot be read: gone"]


# -- the pages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def families(api: Api, everything: None) -> dict[str, Metric]:  # noqa: ARG001
    """What /metrics gives when all can be read, by the name in the queries; what is without a sample included."""
    found = parse_text(api.get("/metrics").content.decode())
    return {family.name + ("_total" if family.type == "counter" else ""): family for family in found}


def test_every_metric_is_explained_and_what_is_explained_is_there(families: dict[str, Metric]):
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\| (.*) \|$", page, re.MULTILINE)
    ours = {name: family for name, family in families.items() if name.startswith("pirunner_")}

    given = {name: (family.type, family.documentation) for name, family in ours.items()}
    assert {name: (kind, means) for name, kind, _, means in rows} == given
    labels = {name: set(re.findall(r"`(\w+)`", names)) for name, _, names, _ in rows}
    for name, family in ours.items():
        assert all(set(sample.labels) - {"le"} == labels[name] for sample in family.samples), name


@pytest.mark.parametrize("page", ["pirunner.json", "alerts.yaml"])
def test_the_dashboard_and_the_alerts_ask_for_metrics_that_there_are(page: str, families: dict[str, Metric]):
    text = (GRAFANA / page).read_text(encoding="utf-8")
    if page.endswith(".json"):
        panels = json.loads(text)["panels"]
        text = "\n".join(target["expr"] for panel in panels for target in panel["targets"])
        assert all(target["expr"] for panel in panels for target in panel["targets"])
    asked = set(re.findall(r"\b(?:pirunner|process)_\w+", text))
    suffixes = {
        f"{name}_{end}" for name, f in families.items() if f.type == "histogram" for end in ("bucket", "sum", "count")
    }

    assert asked
    assert asked <= set(families) | suffixes
