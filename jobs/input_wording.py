"""How a property of a JSON Schema is put to a person: its label, its help, an example. Pure."""

import json
import re
from collections.abc import Mapping
from textwrap import shorten
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+")
_ADDRESS = re.compile(r"\b[Uu]rl(s?)\b")
_LONGEST_DEFAULT = 200
_EXAMPLES: Mapping[str, Any] = {"string": "…", "integer": 1, "number": 1.5, "boolean": True, "null": None}
_NO_DEFAULT: tuple[Any, ...] = (None, "", [], {})
_DEEPEST = 4


def label_of(name: str, schema: Mapping[str, Any]) -> str:
    """Return the title of a property, or its name as words: ``maxItems`` is "Max items"."""
    title = schema.get("title")
    words = " ".join(_WORD_START.split(name)).strip().capitalize() or name
    return str(title) if title else _ADDRESS.sub(r"URL\1", words)


def help_of(schema: Mapping[str, Any], *, says_default: bool = True, more: str = "") -> SafeString:
    """Return what a property is for and what it is when left empty, as HTML."""
    sentences = [str(schema.get("description", "")), more]
    if says_default and (default := default_of(schema)):
        sentences.append(f"Left empty: {default}.")
    return escape(" ".join(filter(None, sentences)))


def default_of(schema: Mapping[str, Any]) -> str:
    """Return the default of a property in words, "" if it has none worth telling."""
    default = schema.get("default")
    if default in _NO_DEFAULT:
        return ""
    return shorten(in_words(default), _LONGEST_DEFAULT, placeholder=" …")


def in_words(value: Any) -> str:
    """Return a JSON value as a person would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def placeholder_of(schema: Mapping[str, Any]) -> str:
    """Return the first example of a plain value, "" if there is none."""
    examples = schema.get("examples") or ()
    return in_words(examples[0]) if examples else ""


def example_of(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a value that shows how such a thing is written: the example given, or one made of its fields."""
    schema = resolved(schema, definitions)
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if branches := schema.get("anyOf"):
        return example_of(branches[0], definitions, depth + 1)
    if depth < _DEEPEST and schema.get("properties"):
        return _example_object(schema, definitions, depth)
    if depth < _DEEPEST and isinstance(schema.get("items"), dict):
        return [example_of(schema["items"], definitions, depth + 1)]
    kind = schema.get("type")
    return {"array": [], "object": {}}.get(str(kind), _EXAMPLES.get(str(kind), "…"))


def resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with what its ``$ref`` points to; what stands beside the reference comes first."""
    own = dict(schema)
    seen: set[str] = set()
    while (reference := own.pop("$ref", None)) is not None and reference not in seen:
        seen.add(reference)
        own = {**definitions.get(reference.removeprefix("#/$defs/"), {}), **own}
    return own


def _example_object(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Return an object with the fields that it must have; with its first if it need have none."""
    properties = schema["properties"]
    names = [name for name in properties if name in schema.get("required", ())] or list(properties)[:1]
    return {name: example_of(properties[name], definitions, depth + 1) for name in names}
