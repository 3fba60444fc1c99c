"""What jobs spend on language models, and the owner's budgets."""

from datetime import date
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from jobs.context import RunContext
from jobs.endings import completed
from jobs.errors import BudgetExceeded
from jobs.lifecycle import end_many
from jobs.models import DaySpending
from jobs.spending import Spent, spent_of_job
from jobs.steering import delete_job
from tests.jobs.making import SLOW, ended, job_type, start
from tests.parts import Api, at_once

pytestmark = pytest.mark.usefixtures("committed_db")


def test_a_job_tells_what_it_has_spent(api: Api) -> None:
    held = start()
    context = RunContext(held)
    context.spend(tokens=1200, usd=0.0031)
    context.spend(tokens=300)

    assert api.get(f"/jobs/{held.job_id}").json()["spent"] == {"tokens": 1500, "usd": 0.0031}


def test_one_that_spent_nothing_says_so(api: Api) -> None:
    assert api.get(f"/jobs/{ended().pk}").json()["spent"] is None


def test_what_was_reserved_is_settled_by_what_it_cost() -> None:
    held = start()
    context = RunContext(held)
    context.reserve(5000)
    context.spend(tokens=700, usd=0.5, reserved=5000)

    assert spent_of_job(held.job_id) == Spent(700, 0.5)


def test_the_budget_of_a_job_stops_it_before_the_call(owner: Any) -> None:
    owner.LLM_BUDGET_TOKENS_PER_JOB = 1000
    context = RunContext(start())
    context.spend(tokens=600)

    with pytest.raises(BudgetExceeded, match=r"1000 tokens for this job \(LLM_BUDGET_TOKENS_PER_JOB\).*1100 would"):
        context.reserve(500)
    context.reserve(400)  # what was refused was not taken


def test_what_was_spent_is_recorded_also_beyond_the_budget(owner: Any) -> None:
    owner.LLM_BUDGET_TOKENS_PER_JOB = 1000
    held = start()

    with pytest.raises(BudgetExceeded):
        RunContext(held).spend(tokens=1001)
    assert spent_of_job(held.job_id) == Spent(1001, 0.0)


def test_who_spent_no_more_than_it_reserved_is_not_stopped_for_what_others_overdrew(owner: Any) -> None:
    owner.LLM_BUDGET_TOKENS_PER_DAY = 1000
    context = RunContext(start())
    context.reserve(500)
    with pytest.raises(BudgetExceeded):
        RunContext(start()).spend(tokens=900)

    context.spend(tokens=400, reserved=500)

    assert DaySpending.objects.get().tokens == 1300


def test_the_budget_of_a_day_is_for_all_jobs_and_says_when_to_come_back(owner: Any) -> None:
    owner.LLM_BUDGET_TOKENS_PER_DAY = 1000
    owner.TIME_ZONE = "Asia/Kolkata"
    RunContext(start(SLOW)).spend(tokens=600)

    with pytest.raises(BudgetExceeded, match=r"Retry after midnight \(Asia/Kolkata\)"):
        RunContext(start(job_type("other"))).reserve(401)


def test_a_type_may_have_a_budget_of_its_own(owner: Any) -> None:
    owner.LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY = {"other": 100}
    RunContext(start(SLOW)).spend(tokens=600)

    with pytest.raises(BudgetExceeded, match="of the type other"):
        RunContext(start(job_type("other"))).reserve(101)


def test_a_new_day_has_a_new_budget(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    owner.LLM_BUDGET_TOKENS_PER_DAY = 1000
    monkeypatch.setattr("jobs.spending.timezone.localdate", lambda: date(2026, 3, 1))
    RunContext(start()).spend(tokens=1000)
    monkeypatch.setattr("jobs.spending.timezone.localdate", lambda: date(2026, 3, 2))

    RunContext(start()).reserve(1000)


def test_a_deleted_job_gives_no_tokens_back() -> None:
    held = start()
    RunContext(held).spend(tokens=7)
    end_many([completed(held, {}, at=timezone.now())])

    delete_job(held.job_id)

    assert spent_of_job(held.job_id) is None
    assert DaySpending.objects.get().tokens == 7


@pytest.mark.usefixtures("database_for_threads")
def test_workers_that_reserve_at_once_do_not_overdraw(owner: Any) -> None:
    owner.LLM_BUDGET_TOKENS_PER_DAY = 1000
    contexts = [RunContext(start()) for _ in range(8)]

    outcomes = at_once([partial(context.reserve, 300) for context in contexts])

    assert [isinstance(outcome, BudgetExceeded) for outcome in outcomes].count(False) == 3
    assert DaySpending.objects.get().tokens == 900
