"""Faults of a value against a schema: each where it is, with a code for programs and a sentence for people."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from jobs.contract import JobType
from jobs.validation import MAX_FAULTS, convert, faults_of


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(msgspec.Struct):
    size: Annotated[int, Meta(ge=1, le=10)]


class Order(msgspec.Struct, rename="camel"):
    full_name: Annotated[str, Meta(min_length=2, max_length=5, pattern="^[a-z]*$")] = "abc"
    amount: Annotated[float, Meta(gt=0, lt=5)] | None = None
    colour: Colour | None = None
    kind: Literal["a", "b"] = "a"
    parts: Annotated[list[Part], Meta(min_length=1, max_length=2)] | None = None
    either: int | list[int] | None = None
    part: Part | None = None
    day: Annotated[str, Meta(extra_json_schema={"format": "date"})] | None = None
    steps: Annotated[int, Meta(multiple_of=5)] = 5
    names: Annotated[dict[str, int], Meta(max_length=1)] | None = None


SCHEMA = msgspec.json.schema(Order)


@pytest.mark.parametrize(
    ("value", "path", "code", "message"),
    [
        ([], (), "invalid_type", "Send an object instead of an array."),
        ({"fullName": 5}, ("fullName",), "invalid_type", "Send text instead of 5."),
        ({"fullName": None}, ("fullName",), "invalid_type", "Send text instead of null."),
        ({"fullName": "a"}, ("fullName",), "too_small", "Send at least 2 characters, not 1."),
        ({"fullName": "abcdef"}, ("fullName",), "too_big", "Send at most 5 characters, not 6."),
        ({"fullName": "ABC"}, ("fullName",), "invalid_string", 'Send text that matches ^[a-z]*$, not "ABC".'),
        ({"amount": "x"}, ("amount",), "invalid_type", 'Send a number instead of "x".'),
        ({"amount": 0}, ("amount",), "too_small", "Send a number that is more than 0, not 0."),
        ({"amount": 5.5}, ("amount",), "too_big", "Send a number that is less than 5, not 5.5."),
        ({"colour": "mauve"}, ("colour",), "invalid_enum", 'Send "blue" or "red" instead of "mauve".'),
        ({"kind": "c"}, ("kind",), "invalid_enum", 'Send "a" or "b" instead of "c".'),
        ({"parts": []}, ("parts",), "too_small", "Send at least 1 item, not 0."),
        ({"parts": [{"size": 1}] * 3}, ("parts",), "too_big", "Send at most 2 items, not 3."),
        ({"parts": [{}]}, ("parts", 0, "size"), "required", '"size" is missing: send a whole number.'),
        ({"part": {"size": 0}}, ("part", "size"), "too_small", "Send a number that is at least 1, not 0."),
        ({"part": {"size": 1.0}}, ("part", "size"), "invalid_type", "Send a whole number instead of 1.0."),
        ({"part": {"size": True}}, ("part", "size"), "invalid_type", "Send a whole number instead of true."),
        ({"either": [1, "x"]}, ("either", 1), "invalid_type", 'Send a whole number instead of "x".'),
        (
            {"either": "x"},
            ("either",),
            "invalid_type",
            'Send a whole number, an array or null instead of "x".',
        ),
        ({"day": "soon"}, ("day",), "invalid_string", 'Send text in the form date, not "soon".'),
        (
            {"steps": 7},
            ("steps",),
            "invalid_value",
            "Send a value that the schema of this field allows, not 7.",
        ),
        ({"names": {"a": 1, "b": 2}}, ("names",), "too_big", "Send at most 1 field, not 2."),
    ],
)
def test_a_fault_says_where_what_and_what_instead(
    value: Any, path: tuple[str | int, ...], code: str, message: str
) -> None:
    assert [(fault.path, fault.code, fault.message) for fault in faults_of(SCHEMA, value)] == [(path, code, message)]


@pytest.mark.parametrize("value", [{}, {"part": None}, {"either": [1]}, {"either": 1}, {"colour": "red"}])
def test_what_fits_has_no_faults(value: Any) -> None:
    assert faults_of(SCHEMA, value) == []


def test_every_fault_is_listed() -> None:
    value = {"fullName": 1, "amount": -1, "parts": [{}, {"size": 99}], "part": {}}

    assert {(fault.path, fault.code) for fault in faults_of(SCHEMA, value)} == {
        (("fullName",), "invalid_type"),
        (("amount",), "too_small"),
        (("parts", 0, "size"), "required"),
        (("parts", 1, "size"), "too_big"),
        (("part", "size"), "required"),
    }


def test_each_missing_field_is_listed_once() -> None:
    schema = {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}}}

    assert [(fault.path, fault.message) for fault in faults_of(schema, {})] == [
        (("a",), '"a" is missing: send text.'),
        (("b",), '"b" is missing: send a value.'),
    ]


def test_a_payload_full_of_faults_yields_a_bounded_list() -> None:
    assert len(faults_of({"type": "array", "items": {"type": "string"}}, [0] * 100_000)) == MAX_FAULTS


@pytest.mark.parametrize(
    "value",
    ["x" * 5000, '"' * 5000, "😀" * 5000, "\ud800" * 5000, 2**9999, ["x" * 5000]],
    ids=["text", "quotes", "emoji", "surrogates", "integer", "array"],
)
def test_a_sentence_repeats_no_more_than_a_little_of_the_value(value: Any) -> None:
    (fault,) = faults_of({"type": "boolean"}, value)

    assert len(fault.message) <= 80 + len("Send true or false instead of .")
    assert fault.message.encode()


def test_convert_prepares_an_input_and_gives_it_its_type() -> None:
    job_type = JobType(
        name="part",
        description="",
        input_model=Part,
        run=lambda _ctx, _input: {},
        prepare=lambda value: {"size": int(value["size"])},
    )

    assert convert(job_type, {"size": "7"}) == Part(size=7)
