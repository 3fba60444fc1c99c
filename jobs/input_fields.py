"""From a property of a JSON Schema to a field of a form: what is known has its own widget, all else is JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django import forms
from msgspec import UNSET
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from jobs.artifact_fields import MARK
from jobs.input_wording import default_of, example_of, help_of, in_words, placeholder_of, resolved
from pirunner.api import check_kept
from pirunner.errors import InvalidJson

LONGEST_LINE = 255
"""Texts that may be longer get more than one line."""
_LARGEST_WHOLE = 2**53
_SCALARS = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of the form, and what is sent when it is left empty: nothing (UNSET), or what the schema demands."""

    field: forms.Field
    when_empty: Any = UNSET


class TypedText(str):
    """Text as somebody typed it, which is no JSON yet."""

    __slots__ = ()


class JsonField(forms.CharField):
    """Any JSON value, typed as text."""

    def to_python(self, value: Any) -> Any:
        """Return the value of the text; raises ``ValidationError`` where it is no JSON that can be kept."""
        text = super().to_python(value) or ""
        if not text.strip():
            return ""
        try:
            parsed = msgspec.json.decode(text.encode())
            check_kept(parsed)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError, InvalidJson) as error:
            raise forms.ValidationError(f"This is no JSON: {str(error).rstrip('.')}.") from None
        return parsed

    def validate(self, value: Any) -> None:
        """Refuse an empty text where something is needed; an empty list or object is something."""
        if self.required and isinstance(value, str) and not value:
            raise forms.ValidationError(self.error_messages["required"])

    def run_validators(self, value: Any) -> None:
        """Leave the value to the schema."""

    def bound_data(self, data: Any, initial: Any) -> Any:  # noqa: ARG002  (Django's signature)
        """Return what was typed, to be shown as it is."""
        return TypedText(data or "")

    def prepare_value(self, value: Any) -> Any:
        """Return the text to show of a value."""
        if isinstance(value, TypedText) or value is None:
            return value
        return json.dumps(value, indent=2, ensure_ascii=False)


class TextField(forms.CharField):
    """Text of several lines, with the line ends of everybody but browsers."""

    def to_python(self, value: Any) -> str:
        """Return the text."""
        return (super().to_python(value) or "").replace("\r\n", "\n")


class LinesField(TextField):
    """A list of texts, one per line; one that does not fit lines is shown, and taken, as JSON."""

    def to_python(self, value: Any) -> Any:
        """Return the list."""
        text = super().to_python(value)
        if text.lstrip().startswith("["):
            try:
                return msgspec.json.decode(text.encode(), type=list)
            except (msgspec.DecodeError, UnicodeEncodeError):
                pass  # a line may begin with a bracket
        return [line.strip() for line in text.splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        """Return the lines of a list."""
        if not isinstance(value, list | tuple):
            return value
        plain = all(isinstance(item, str) and item.splitlines() == [item.strip()] for item in value)
        is_clear = plain and not "".join(value[:1]).startswith("[")
        return "\n".join(value) if is_clear else json.dumps(value, ensure_ascii=False)


class ReferenceField(forms.CharField):
    """The id of an artifact, or one of the objects that refer to one (see ``jobs.references``)."""

    def to_python(self, value: Any) -> Any:
        """Return the id, or the object."""
        text = super().to_python(value) or ""
        if not text.startswith("{"):
            return text
        try:
            return msgspec.json.decode(text.encode(), type=dict)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise forms.ValidationError(f"This is no JSON: {error}.") from None

    def prepare_value(self, value: Any) -> Any:
        """Return the text to show."""
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


class NumberField(forms.FloatField):
    """A number, whole where it was typed whole."""

    def to_python(self, value: Any) -> Any:
        """Return the number, None for nothing."""
        number = super().to_python(value)
        is_whole = number is not None and number.is_integer() and abs(number) < _LARGEST_WHOLE
        return int(number) if is_whole and number is not None else number


class OneOfField(forms.ChoiceField):
    """One of several JSON values, each written as JSON in the page so that 1 and "1" stay apart."""

    def to_python(self, value: Any) -> Any:
        """Return the JSON text of the value that was chosen, "" for none."""
        return super().to_python(value)

    def clean(self, value: Any) -> Any:
        """Return the value that was chosen, None for none."""
        chosen = super().clean(value)
        return json.loads(chosen) if chosen else None

    def bound_data(self, data: Any, initial: Any) -> Any:  # noqa: ARG002
        """Return what was chosen, to be shown as it is."""
        return TypedText(data or "")

    def prepare_value(self, value: Any) -> Any:
        """Return how a value is written in the page."""
        return value if isinstance(value, TypedText) or value is None else json.dumps(value)


def field_of(schema: Mapping[str, Any], *, required: bool, definitions: Mapping[str, Any]) -> InputField:
    """Return the field for a property; ``definitions`` are what its ``$ref`` may point to."""
    plain, nullable = _without_null(resolved(schema, definitions), definitions)
    when_empty: Any = UNSET
    if required and nullable:
        when_empty = None
    elif required and plain.get("type") == "string" and "enum" not in plain and not plain.get("minLength"):
        when_empty = ""
    field = _builder_of(plain)(plain, required and when_empty is UNSET, definitions)
    return InputField(field, when_empty)


def json_field(schema: Mapping[str, Any], required: bool, definitions: Mapping[str, Any]) -> forms.Field:
    """Return the field for whatever has none of its own: a text of JSON."""
    example = json.dumps(example_of(schema, definitions), indent=2, ensure_ascii=False)
    attrs = {"rows": 6, "spellcheck": "false", "placeholder": example, "class": "job-input-json"}
    return JsonField(
        required=required, strip=False, widget=UnfoldAdminTextareaWidget(attrs), help_text=help_of(schema, more="JSON.")
    )


Builder = Callable[[Mapping[str, Any], bool, Mapping[str, Any]], forms.Field]


def _builder_of(schema: Mapping[str, Any]) -> Builder:
    """Return what makes the field for a schema without references and null."""
    if _is_one_of(schema):
        return _one_of
    kind = schema.get("type")
    if kind == "array" and isinstance(schema.get("items"), dict):
        return _list_of(schema["items"])
    return _BUILDERS.get(kind, json_field) if isinstance(kind, str) else json_field


def _without_null(schema: dict[str, Any], definitions: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return a schema without the alternative null, and whether it had one."""
    if isinstance(schema.get("enum"), list) and None in schema["enum"]:
        return {**schema, "enum": [value for value in schema["enum"] if value is not None]}, True
    branches = schema.get("anyOf")
    if not isinstance(branches, list):
        return schema, False
    others = [branch for branch in branches if branch != {"type": "null"}]
    around = {name: value for name, value in schema.items() if name != "anyOf"}
    if len(others) == 1:
        return {**resolved(others[0], definitions), **around}, True
    return {**around, "anyOf": others}, len(others) < len(branches)


def _is_one_of(schema: Mapping[str, Any]) -> bool:
    values = schema.get("enum")
    return bool(values) and isinstance(values, list) and all(isinstance(value, _SCALARS) for value in values)


def _one_of(schema: Mapping[str, Any], required: bool, _: Mapping[str, Any]) -> forms.Field:
    return _choice(schema, required, [(value, in_words(value)) for value in schema["enum"]])


def _boolean(schema: Mapping[str, Any], required: bool, _: Mapping[str, Any]) -> forms.Field:
    return _choice(schema, required, [(True, "Yes"), (False, "No")])


def _choice(schema: Mapping[str, Any], required: bool, values: Sequence[tuple[Any, str]]) -> forms.Field:
    default = default_of(schema)
    nothing = "Choose one" if required else f"Default ({default})" if default else "Not set"
    choices = [("", nothing), *((json.dumps(value), label) for value, label in values)]
    return OneOfField(
        choices=choices,
        required=required,
        widget=UnfoldAdminSelectWidget(),
        help_text=help_of(schema, says_default=False),
    )


def _whole(schema: Mapping[str, Any], required: bool, _: Mapping[str, Any]) -> forms.Field:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is None and "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + 1
    if most is None and "exclusiveMaximum" in schema:
        most = schema["exclusiveMaximum"] - 1
    return forms.IntegerField(
        required=required,
        min_value=least,
        max_value=most,
        widget=UnfoldAdminIntegerFieldWidget(_placeholder(schema)),
        help_text=help_of(schema),
    )


def _number(schema: Mapping[str, Any], required: bool, _: Mapping[str, Any]) -> forms.Field:
    return NumberField(
        required=required,
        min_value=schema.get("minimum"),
        max_value=schema.get("maximum"),
        widget=UnfoldAdminIntegerFieldWidget({"step": "any", **_placeholder(schema)}),
        help_text=help_of(schema),
    )


def _text(schema: Mapping[str, Any], required: bool, _: Mapping[str, Any]) -> forms.Field:
    longest = schema.get("maxLength")
    if MARK in schema:
        return ReferenceField(
            required=required, widget=UnfoldAdminTextInputWidget(_placeholder(schema)), help_text=help_of(schema)
        )
    if _is_address(schema):
        widget = UnfoldAdminTextInputWidget({"inputmode": "url", "autocomplete": "url", **_placeholder(schema)})
        widget.input_type = "url"
    elif longest is not None and longest <= LONGEST_LINE:
        widget = UnfoldAdminTextInputWidget(_placeholder(schema))
    else:
        widget = UnfoldAdminExpandableTextareaWidget(_placeholder(schema))
        return TextField(required=required, max_length=longest, strip=False, widget=widget, help_text=help_of(schema))
    return forms.CharField(required=required, max_length=longest, widget=widget, help_text=help_of(schema))


def _is_address(schema: Mapping[str, Any]) -> bool:
    return schema.get("format") in {"uri", "url", "iri"} or str(schema.get("pattern", "")).startswith("^https?://")


def _list_of(items: Mapping[str, Any]) -> Builder:
    if _is_one_of(items):
        return _several_of
    return _lines if items.get("type") == "string" and "enum" not in items else json_field


def _lines(schema: Mapping[str, Any], required: bool, _: Mapping[str, Any]) -> forms.Field:
    example = (schema.get("examples") or [[]])[0] or placeholder_of(schema["items"])
    placeholder = "\n".join(map(str, example)) if isinstance(example, list | tuple) else str(example)
    widget = UnfoldAdminTextareaWidget({"rows": 4, "spellcheck": "false", "placeholder": placeholder})
    return LinesField(required=required, strip=False, widget=widget, help_text=help_of(schema, more="One per line."))


def _several_of(schema: Mapping[str, Any], required: bool, _: Mapping[str, Any]) -> forms.Field:
    choices = [(json.dumps(value), in_words(value)) for value in schema["items"]["enum"]]
    return SeveralOfField(
        choices=choices,
        required=required,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=help_of(schema),
    )


class SeveralOfField(forms.MultipleChoiceField):
    """Some of several JSON values."""

    def clean(self, value: Any) -> Any:
        """Return the values that were chosen."""
        return [json.loads(text) for text in super().clean(value)]

    def bound_data(self, data: Any, initial: Any) -> Any:  # noqa: ARG002
        """Return what was chosen, to be shown as it is."""
        return [TypedText(text) for text in data or ()]

    def prepare_value(self, value: Any) -> Any:
        """Return how the values are written in the page."""
        chosen = value if isinstance(value, list | tuple) else []
        return [item if isinstance(item, TypedText) else json.dumps(item) for item in chosen]


def _placeholder(schema: Mapping[str, Any]) -> dict[str, Any]:
    text = placeholder_of(schema)
    return {"placeholder": text} if text else {}


_BUILDERS: Mapping[str, Builder] = {
    "string": _text,
    "integer": _whole,
    "number": _number,
    "boolean": _boolean,
}
