"""A JSON value comes back from the database as it was, whatever it holds."""

import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jobs.models import Job
from tests.jobs.making import waiting

pytestmark = pytest.mark.django_db

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def round_trip(value: Any) -> Any:
    return Job.objects.get(pk=waiting(input=value).pk).input


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        0,
        False,
        "",
        "text",
        "a\x00b",
        "\ud800",
        "⏰ größe",
        2**53 + 1,
        2**64,
        -(10**300),
        1.0,
        1e-300,
        5e-324,
        0.1 + 0.2,
        {"a": {"b": [None, True, {"c": "\x00"}]}},
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_value_comes_back(value: Any) -> None:
    back = round_trip(value)

    assert back == value
    assert type(back) is type(value)


def test_the_order_of_keys_is_kept() -> None:
    assert list(round_trip({"b": 1, "a": 2, "10": 3, "9": 4})) == ["b", "a", "10", "9"]


@given(ANY_JSON.filter(lambda value: value is not None))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_comes_back(value: Any) -> None:
    assert json.dumps(round_trip(value)) == json.dumps(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), [float("nan")]])
def test_numbers_that_json_does_not_know_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        round_trip(value)


def test_none_is_null() -> None:
    job = waiting(metadata=None)

    assert Job.objects.filter(metadata__isnull=True, pk=job.pk).exists()


def test_what_is_stored_is_compact_ascii() -> None:
    job = waiting(input={"a": ["é\x00", 1]})

    with connection.cursor() as cursor:
        cursor.execute("SELECT input FROM jobs_job WHERE id = %s", [job.pk])
        assert cursor.fetchone() == ('{"a":["\\u00e9\\u0000",1]}',)
