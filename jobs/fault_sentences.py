"""What is said about a fault: for each keyword of JSON Schema a code for programs and a sentence for people."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MAX_ECHO = 80

# From the keyword's value and the faulty value to a sentence.
Sentence = Callable[[Any, Any], str]

_NOUNS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def rule_of(keyword: str) -> tuple[str, Sentence]:
    """Return the code and the sentence for a value that fails a keyword of JSON Schema."""
    return _RULES.get(keyword, _OTHERWISE)


def missing_sentence(name: str, schema: Mapping[str, Any]) -> str:
    """Return the sentence for a field that is required and not there."""
    return f"{_quoted(name)} is missing: send {_noun(schema)}."


def _noun(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return _either([_noun(branch) for branch in schema["anyOf"]])
    if "enum" in schema:
        return _one_of(schema["enum"])
    if "$ref" in schema:
        return "an object"
    return _type_noun(schema["type"]) if "type" in schema else "a value"


def _type_noun(types: str | Sequence[str]) -> str:
    return _NOUNS[types] if isinstance(types, str) else _either([_NOUNS[name] for name in types])


def _either(nouns: Sequence[str]) -> str:
    unique = list(dict.fromkeys(nouns))
    return " or ".join([", ".join(unique[:-1]), unique[-1]] if len(unique) > 1 else unique)


def _one_of(values: Sequence[Any]) -> str:
    return _either([_echo(value) for value in values])


def _echo(value: object) -> str:
    """Return a scalar as JSON, cut to 80 characters; of anything larger only what it is."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "an array"
    if isinstance(value, int) and value.bit_length() > 256:
        return "a huge number"
    return _quoted(value[:MAX_ECHO]) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    # Escaped only where UTF-8 has no form for it: half of a surrogate pair.
    quoted = json.dumps(text, ensure_ascii=False).encode(errors="backslashreplace").decode()
    return quoted if len(quoted) <= MAX_ECHO else quoted[: MAX_ECHO - 1] + "…"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _count_rule(bound: str, noun: str) -> Sentence:
    return lambda wanted, value: f"Send {bound} {_counted(wanted, noun)}, not {len(value)}."


def _bound_rule(bound: str) -> Sentence:
    return lambda wanted, value: f"Send a number that is {bound} {wanted}, not {_echo(value)}."


def _type_sentence(wanted: Any, value: Any) -> str:
    return f"Send {_type_noun(wanted)} instead of {_echo(value)}."


def _alternatives_sentence(wanted: Any, value: Any) -> str:
    return f"Send {_either([_noun(branch) for branch in wanted])} instead of {_echo(value)}."


def _enum_sentence(wanted: Any, value: Any) -> str:
    return f"Send {_one_of(wanted)} instead of {_echo(value)}."


_RULES: Mapping[str, tuple[str, Sentence]] = {
    "type": ("invalid_type", _type_sentence),
    "anyOf": ("invalid_type", _alternatives_sentence),
    "oneOf": ("invalid_type", _alternatives_sentence),
    "minimum": ("too_small", _bound_rule("at least")),
    "exclusiveMinimum": ("too_small", _bound_rule("more than")),
    "maximum": ("too_big", _bound_rule("at most")),
    "exclusiveMaximum": ("too_big", _bound_rule("less than")),
    "minLength": ("too_small", _count_rule("at least", "character")),
    "maxLength": ("too_big", _count_rule("at most", "character")),
    "minItems": ("too_small", _count_rule("at least", "item")),
    "maxItems": ("too_big", _count_rule("at most", "item")),
    "minProperties": ("too_small", _count_rule("at least", "field")),
    "maxProperties": ("too_big", _count_rule("at most", "field")),
    "enum": ("invalid_enum", _enum_sentence),
    "const": ("invalid_enum", lambda wanted, value: _enum_sentence([wanted], value)),
    "pattern": (
        "invalid_string",
        lambda wanted, value: f"Send text that matches {wanted}, not {_echo(value)}.",
    ),
    "format": (
        "invalid_string",
        lambda wanted, value: f"Send text in the form {wanted}, not {_echo(value)}.",
    ),
}
_OTHERWISE: tuple[str, Sentence] = (
    "invalid_value",
    lambda _wanted, value: f"Send a value that the schema of this field allows, not {_echo(value)}.",
)
