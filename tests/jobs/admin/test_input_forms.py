"""Forms made from the schema of a job type: what each property becomes, what is sent, where faults land."""

import enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from django import forms
from msgspec import Meta

from jobs import input_values
from jobs.contract import JobType
from jobs.input_forms import InputForm, initial_of, input_form_class
from jobs.input_wording import label_of
from pirunner.errors import Fault, NotFound
from tests.jobs.making import register


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Leg(msgspec.Struct):
    url: Annotated[str, Meta(min_length=1)]
    tries: Annotated[int, Meta(ge=1)] = 1


class Call(msgspec.Struct, tag="call"):
    number: int


class Mail(msgspec.Struct, tag="mail"):
    to: str


class Trip(msgspec.Struct, rename="camel"):
    """One field of every kind."""

    first_name: Annotated[str, Meta(min_length=1, max_length=50, description="Say <b>who</b>.", examples=["Ana"])]
    note: str
    colour: Colour
    nothing: int | None
    errors: str = ""
    link: Annotated[str, Meta(pattern="^https?://", max_length=2048)] = ""
    story: Annotated[str, Meta(max_length=4000)] = ""
    count: Annotated[int, Meta(ge=2, le=9)] = 4
    ratio: Annotated[float, Meta(gt=0)] | None = None
    loud: bool = False
    size: Literal[1, 2] = 1
    names: list[str] = []
    days: list[Literal["mon", "tue"]] = []
    legs: list[Leg] = []
    via: Call | Mail | None = None
    more: dict[str, Any] = {}
    either: int | str = 5
    table: Annotated[Any, Meta(examples=["name,price\nNut,0.10\n", [{"name": "Nut"}]])] = None


NEEDED = {"firstName": "Ana", "note": "", "colour": '"red"', "nothing": ""}
SENT = {"firstName": "Ana", "note": "", "colour": "red", "nothing": None}


@pytest.fixture(autouse=True)
def trip(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = JobType(name="trip", description="For a test.", input_model=Trip, run=lambda _ctx, _input: {})
    register(monkeypatch, kind)


def filled(**typed: Any) -> InputForm:
    given = {**NEEDED, **typed}
    return input_form_class("trip")({f"input-{name}": value for name, value in given.items()})


@pytest.mark.parametrize(
    ("name", "kind", "widget"),
    [
        ("firstName", forms.CharField, "text"),
        ("link", forms.CharField, "url"),
        ("story", input_values.TextField, "textarea"),
        ("note", input_values.TextField, "textarea"),
        ("count", forms.IntegerField, "number"),
        ("ratio", input_values.NumberField, "number"),
        ("loud", input_values.OneOfField, "select"),
        ("colour", input_values.OneOfField, "select"),
        ("size", input_values.OneOfField, "select"),
        ("names", input_values.LinesField, "textarea"),
        ("days", input_values.SeveralOfField, "checkbox"),
        ("legs", input_values.JsonField, "textarea"),
        ("via", input_values.JsonField, "textarea"),
        ("more", input_values.JsonField, "textarea"),
        ("either", input_values.JsonField, "textarea"),
    ],
)
def test_each_kind_of_property_has_its_field(name: str, kind: type, widget: str) -> None:
    field = filled().fields[name]

    assert type(field) is kind
    assert getattr(field.widget, "input_type", "textarea") == widget


@pytest.mark.parametrize(
    ("name", "typed", "sent"),
    [
        ("firstName", " Bo ", "Bo"),
        ("note", "one\r\ntwo", "one\ntwo"),
        ("link", "http://a.example/", "http://a.example/"),
        ("count", "7", 7),
        ("ratio", "0.5", 0.5),
        ("ratio", "3", 3),
        ("loud", "false", False),
        ("loud", "true", True),
        ("colour", '"blue"', "blue"),
        ("size", "2", 2),
        ("names", "a\r\n\r\n b \r\n", ["a", "b"]),
        ("names", '["a\\nb"]', ["a\nb"]),
        ("days", ['"mon"', '"tue"'], ["mon", "tue"]),
        ("legs", '[{"url": "x"}]', [{"url": "x"}]),
        ("via", '{"type": "call", "number": 5}', {"type": "call", "number": 5}),
        ("via", "null", None),
        ("more", "{}", {}),
        ("either", '"5"', "5"),
        ("errors", "a field called like what every form has", "a field called like what every form has"),
    ],
)
def test_what_is_typed_is_sent_as_the_schema_wants_it(name: str, typed: Any, sent: Any) -> None:
    form = filled(**{name: typed})

    assert form.is_valid(), form.errors
    assert form.cleaned_input() == {**SENT, name: sent}
    assert type(form.cleaned_input()[name]) is type(sent)


@pytest.mark.parametrize("name", ["link", "story", "count", "ratio", "loud", "names", "days", "legs", "more"])
def test_what_is_left_empty_is_left_out(name: str) -> None:
    form = filled(**{name: ""})

    assert form.is_valid(), form.errors
    assert form.cleaned_input() == SENT


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("firstName", "", "required"),
        ("firstName", "x" * 51, "50"),
        ("colour", '"green"', "valid choice"),
        ("colour", "red", "valid choice"),
        ("count", "1", "2"),
        ("count", "many", "whole number"),
        ("ratio", "0", "0"),
        ("link", "ftp://a.example/", "http"),
        ("names", "[1]", "item 1: "),
        ("legs", "[{]", "no JSON"),
        ("legs", "[" * 70 + "]" * 70, "deep"),
        ("legs", '[{"url": "x"}, {"url": "", "tries": 0}]', "item 2, url: "),
        ("legs", '[{"url": "x"}, {"url": "", "tries": 0}]', "item 2, tries: "),
        ("via", '{"type": "call"}', "number"),
    ],
)
def test_faults_land_at_their_field(name: str, typed: Any, told: str) -> None:
    form = filled(**{name: typed})

    assert not form.is_valid()
    assert list(form.errors) == [name]
    assert told in str(form.errors[name])


def test_all_faults_are_told_at_once() -> None:
    form = filled(count="many", link="ftp://a", firstName="")

    assert set(form.errors) == {"count", "link", "firstName"}


def test_texts_of_the_schema_are_no_html() -> None:
    field = filled().fields["firstName"]

    assert field.label == "First name"
    assert "&lt;b&gt;who&lt;/b&gt;" in str(field.help_text)
    assert field.widget.attrs["placeholder"] == "Ana"


def test_the_default_is_told() -> None:
    form = filled()

    assert "Left empty: 4" in str(form.fields["count"].help_text)
    assert "Default (no)" in str(form["loud"])


def test_a_form_shows_an_input_and_gives_it_back() -> None:
    given = {
        **SENT,
        "count": 3,
        "loud": True,
        "names": ["a", "b"],
        "days": ["tue"],
        "legs": [{"url": "x"}],
        "size": 2,
        "unheard": {"of": 1},
    }
    shown = input_form_class("trip")(initial=initial_of("trip", given))
    typed = {shown[name].html_name: shown[name].value() for name in shown.fields}

    sent = input_form_class("trip")({name: value for name, value in typed.items() if value is not None})

    assert sent.is_valid(), sent.errors
    assert sent.cleaned_input() == given


@pytest.mark.parametrize(("typed", "sent"), [("", {}), ("[1, 2]", [1, 2]), ("null", None), ('"x"', "x")])
def test_a_type_without_fields_takes_any_json(typed: str, sent: Any) -> None:
    form = input_form_class("ping")({"input-value": typed})

    assert form.is_valid(), form.errors
    assert form.cleaned_input() == sent


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("name,price\r\nNut,0.10\r\n", "name,price\nNut,0.10\n"),
        ('[{"name": "Nut"}]', [{"name": "Nut"}]),
        ('{"rows": []}', '{"rows": []}'),
        ("12", "12"),
        ('"[1]"', "[1]"),
    ],
)
def test_where_text_or_json_goes_text_needs_no_quotes(typed: str, sent: Any) -> None:
    form = filled(table=typed)

    assert form.is_valid(), form.errors
    assert form.cleaned_input() == {**SENT, "table": sent}


@pytest.mark.parametrize("value", ["a,b\n1,2\n", "[1]", '"quoted"', "12", "", [1.5], []])
def test_text_or_json_is_shown_as_what_is_read_as_the_same(value: Any) -> None:
    field = input_form_class("trip").base_fields["table"]

    assert field.clean(field.prepare_value(value)) == value


@pytest.mark.parametrize(
    ("name", "label"), [("maxItems", "Max items"), ("url", "URL"), ("feedUrls", "Feed URLs"), ("curl", "Curl")]
)
def test_a_label_is_the_name_as_words(name: str, label: str) -> None:
    assert label_of(name, {}) == label


def test_what_was_typed_is_shown_again_as_it_was() -> None:
    form = filled(legs='[{"url":   ')

    assert "[{&quot;url&quot;:   </textarea>" in str(form["legs"])


def test_faults_of_a_refused_payload_are_taken_by_their_path() -> None:
    form = filled()
    form.is_valid()
    elsewhere = Fault(("callbackUrl",), "invalid_string", "No.")

    left = form.take_faults([Fault(("input", "legs", 0, "url"), "invalid_value", "Not this."), elsewhere])

    assert left == [elsewhere]
    assert form.errors["legs"] == ["item 1, url: Not this."]


def test_an_unknown_type_has_no_form() -> None:
    with pytest.raises(NotFound):
        input_form_class("os.system")
