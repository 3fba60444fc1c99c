"""Fields of forms whose values are JSON: each takes what a person types, and shows a value as it would be typed."""

import json
from typing import Any

import msgspec
from django import forms

from pirunner.api import check_kept
from pirunner.errors import InvalidJson

_LARGEST_WHOLE = 2**53


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


class TextOrJsonField(TextField):
    """Text, or JSON of one of ``kinds``: a text that reads as such a value is that value."""

    def __init__(self, *args: Any, kinds: tuple[type, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = kinds

    def to_python(self, value: Any) -> Any:
        """Return the value; a JSON string is the text that it holds, so that every text can be written."""
        text = super().to_python(value)
        try:
            parsed = msgspec.json.decode(text.encode())
            check_kept(parsed)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return text
        except InvalidJson as error:
            raise forms.ValidationError(str(error)) from None
        return parsed if isinstance(parsed, (str, *self.kinds)) else text

    def bound_data(self, data: Any, initial: Any) -> Any:  # noqa: ARG002
        """Return what was typed, to be shown as it is."""
        return TypedText(data or "")

    def prepare_value(self, value: Any) -> Any:
        """Return the text that is read as this value."""
        if isinstance(value, TypedText) or value is None or (isinstance(value, str) and self.to_python(value) == value):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False)


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
