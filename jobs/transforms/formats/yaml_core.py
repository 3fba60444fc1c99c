"""YAML's core schema (YAML 1.2, section 10.3) for PyYAML, which knows 1.1: imported only where YAML is used."""

import re
from decimal import Decimal
from typing import Any

import yaml

_MOST_MERGED = 10_000


class CoreLoader(yaml.SafeLoader):
    """Reads null, true and false, whole numbers, exact decimals, and everything else as text."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge ``<<`` as long as it stays small: merges of merges multiply."""
        super().flatten_mapping(node)
        self.merged += len(node.value)
        if self.merged > _MOST_MERGED:
            raise yaml.constructor.ConstructorError(None, None, "its merge keys unfold to too much", node.start_mark)


class CoreDumper(yaml.SafeDumper):
    """Writes decimals exactly, and quotes whatever a reader of YAML 1.1 would take for something else than text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (the signature is PyYAML's)
        """Write what occurs twice twice."""
        return True


def _exact_int(loader: CoreLoader, node: yaml.ScalarNode) -> int:
    return int(str(loader.construct_scalar(node)))


def _exact_decimal(loader: CoreLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)))


def _write_decimal(dumper: CoreDumper, number: Decimal) -> yaml.ScalarNode:
    text = str(number)
    return dumper.represent_scalar("tag:yaml.org,2002:float", text if "." in text or "E" in text else f"{text}.0")


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]{1,1000}", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?", list("-+0123456789.")),
    ("merge", r"<<", ["<"]),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)
CoreLoader.add_constructor("tag:yaml.org,2002:int", _exact_int)
CoreLoader.add_constructor("tag:yaml.org,2002:float", _exact_decimal)
CoreDumper.add_representer(Decimal, _write_decimal)
