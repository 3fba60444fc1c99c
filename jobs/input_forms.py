"""Forms made from the schema of a job type, for people who submit or schedule one by hand.

A form takes what can be typed and refuses what is no number or no JSON; what the input may be is decided by the job
type's own model, as for every client, and its faults land at the fields they are about.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from msgspec import UNSET

from jobs.catalog import find, input_schema
from jobs.contract import JobType
from jobs.input_fields import InputField, field_of, json_field
from jobs.input_wording import label_of
from jobs.references import check_input
from pirunner.access import BOOTSTRAP
from pirunner.errors import Fault, NotFound, Path

WHOLE = "value"
"""The only field of a job type whose input has no fields of its own."""
OTHERS = "other-fields"
"""The field for what an input holds beside the fields of its schema; there only when there is something."""


class InputForm(forms.Form):
    """The input of one job; made by ``input_form_class``. The names of its fields begin with ``input-``.

    ``owner`` is who submits it: the files of earlier jobs that an input names must be readable to them.
    """

    prefix = "input"
    use_required_attribute = True

    job_type: ClassVar[JobType]
    input_fields: ClassVar[Mapping[str, InputField]]

    def __init__(self, *args: Any, owner: str = BOOTSTRAP, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        if OTHERS in self.initial or self.add_prefix(OTHERS) in self.data:
            self.fields[OTHERS] = json_field({"description": "What else the input holds."}, False, {})
            self.fields[OTHERS].label = "Other fields"

    def clean(self) -> dict[str, Any]:
        """Check the whole input as the API would, and put its faults on the fields that seem right so far."""
        if not isinstance(self.cleaned_data.get(OTHERS) or {}, dict):
            self.add_error(OTHERS, "It takes a JSON object.")
        known = set(self.errors)
        _, faults = check_input(self.job_type, self.cleaned_input(), owner=self.owner)
        self._put([fault for fault in faults if self._field_of(fault.path) not in known])
        return self.cleaned_data

    def cleaned_input(self) -> Any:
        """Return the input: a dict of the fields that were filled in, or whatever a type without fields was given."""
        if WHOLE in self.input_fields and not self._has_fields():
            return self.cleaned_data.get(WHOLE) if self._is_filled_in(WHOLE) else {}
        fields = {name: self._value_of(name) for name in self.input_fields}
        others = self.cleaned_data.get(OTHERS)
        return {
            **(others if isinstance(others, dict) else {}),
            **{name: value for name, value in fields.items() if value is not UNSET},
        }

    def take_faults(self, faults: Iterable[Fault]) -> list[Fault]:
        """Put the faults of a refused payload that are about its ``input`` on the fields; return the others."""
        faults = list(faults)
        self._put(
            [Fault(fault.path[1:], fault.code, fault.message) for fault in faults if fault.path[:1] == ("input",)]
        )
        return [fault for fault in faults if fault.path[:1] != ("input",)]

    def _put(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            field = self._field_of(fault.path)
            within = fault.path[1:] if field in self.input_fields and self._has_fields() else fault.path
            message = f"{place_of(within)}: {fault.message}" if within else fault.message
            if message not in self.errors.get(field or NON_FIELD_ERRORS, ()):
                self.add_error(field, message)

    def _field_of(self, path: Path) -> str | None:
        """Return the field that a fault is about, None for the form as a whole."""
        if not self._has_fields():
            return WHOLE
        name = str(path[0]) if path else ""
        return name if name in self.input_fields else OTHERS if OTHERS in self.fields and name else None

    def _has_fields(self) -> bool:
        return has_fields(self.job_type)

    def _value_of(self, name: str) -> Any:
        """Return what is sent of a field, UNSET for nothing."""
        if not self._is_filled_in(name):
            return self.input_fields[name].when_empty
        return self.cleaned_data.get(name, UNSET)

    def _is_filled_in(self, name: str) -> bool:
        raw = self[name].data
        return bool(raw.strip() if isinstance(raw, str) else raw)


def input_form_class(job_type: str) -> type[InputForm]:
    """Return the form for the input of a job type; raises ``NotFound`` if there is none that may run."""
    found = find(job_type)
    if found is None:
        raise NotFound(f"There is no job type {job_type[:80]!r} here.")
    fields = _fields_of(found)
    form: type[InputForm] = type("InputForm", (InputForm,), {"job_type": found, "input_fields": fields})
    # Not as attributes of the class: a field may be called like one of them.
    form.base_fields = {name: made.field for name, made in fields.items()}
    return form


def initial_of(job_type: str, value: Any) -> dict[str, Any]:
    """Return what a form begins with to show an input that there is already."""
    found = find(job_type)
    if found is None or value is None:
        return {}
    if not has_fields(found):
        return {WHOLE: value}
    if not isinstance(value, dict):
        return {OTHERS: value}
    known = _fields_of(found)
    others = {name: item for name, item in value.items() if name not in known}
    fields = {name: item for name, item in value.items() if name in known}
    return {**fields, OTHERS: others} if others else fields


def has_fields(job_type: JobType) -> bool:
    """Return whether the input of a job type is an object whose fields are known."""
    schema = input_schema(job_type)
    return schema.get("type") == "object" and bool(schema.get("properties"))


def place_of(path: Path) -> str:
    """Return a path within a value as people read it, like ``item 2, url``."""
    return ", ".join(f"item {step + 1}" if isinstance(step, int) else step for step in path)


def _fields_of(job_type: JobType) -> dict[str, InputField]:
    schema = input_schema(job_type)
    definitions = schema.get("$defs", {})
    if not has_fields(job_type):
        field = json_field(schema, False, definitions)
        field.label = "Input"
        return {WHOLE: InputField(field)}
    fields = {}
    for name, own in schema["properties"].items():
        fields[name] = field_of(own, required=name in schema.get("required", ()), definitions=definitions)
        fields[name].field.label = label_of(name, own)
    return fields
