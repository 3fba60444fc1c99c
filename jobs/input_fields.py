"""From a property of a JSON Schema to a field of a form: what is known has its own widget, all else is JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
from jobs.input_values import (
    JsonField,
    LinesField,
    NumberField,
    OneOfField,
    ReferenceField,
    SeveralOfField,
    TextField,
    TextOrJsonField,
)
from jobs.input_wording import default_of, example_of, help_of, in_words, placeholder_of, resolved

LONGEST_LINE = 255
"""Texts that may be longer get more than one line."""
LONGEST_NOTE = 4000
"""Texts that may be longer still begin with some lines; the others grow as one types."""
_SCALARS = (str, int, float, bool)
_RULES = frozenset({"type", "anyOf", "oneOf", "allOf", "enum", "const", "$ref"})


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of the form, and what is sent when it is left empty: nothing (UNSET), or what the schema demands."""

    field: forms.Field
    when_empty: Any = UNSET


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
    if _is_text_or_json(schema):
        return _text_or_json
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
        is_note = longest is not None and longest <= LONGEST_NOTE
        widget = (
            UnfoldAdminExpandableTextareaWidget(_placeholder(schema))
            if is_note
            else UnfoldAdminTextareaWidget({"rows": 6, **_placeholder(schema)})
        )
        return TextField(required=required, max_length=longest, strip=False, widget=widget, help_text=help_of(schema))
    return forms.CharField(required=required, max_length=longest, widget=widget, help_text=help_of(schema))


def _is_text_or_json(schema: Mapping[str, Any]) -> bool:
    """Return whether anything may be sent, and the first example is a text: then nobody should have to quote it."""
    examples = schema.get("examples")
    return not _RULES & schema.keys() and isinstance(examples, list) and bool(examples) and isinstance(examples[0], str)


def _text_or_json(schema: Mapping[str, Any], required: bool, _: Mapping[str, Any]) -> forms.Field:
    kinds = tuple({type(example) for example in schema["examples"]} - {str})
    attrs = {"rows": 6, "spellcheck": "false", "class": "job-input-json", **_placeholder(schema)}
    return TextOrJsonField(
        kinds=kinds,
        required=required,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs),
        help_text=help_of(schema),
    )


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


def _placeholder(schema: Mapping[str, Any]) -> dict[str, Any]:
    text = placeholder_of(schema)
    return {"placeholder": text} if text else {}


_BUILDERS: Mapping[str, Builder] = {
    "string": _text,
    "integer": _whole,
    "number": _number,
    "boolean": _boolean,
}
