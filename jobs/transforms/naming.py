"""Which columns a step speaks of. One that no row has is no fault, but a misspelt name should be seen. Pure."""

from collections.abc import Iterable

from jobs.transforms import steps as kinds
from jobs.transforms.applying import Rows, columns_of
from jobs.transforms.language import Call, Column, Node, parse


def unknown_columns(step: kinds.AnyStep, rows: Rows) -> list[str]:
    """Return the columns that a step speaks of and none of the rows has, each once; none if there are no rows."""
    if not rows:
        return []
    known = set(columns_of(rows))
    return [name for name in dict.fromkeys(columns_named(step)) if not {name, name.partition(".")[0]} & known]


def columns_named(step: kinds.AnyStep) -> Iterable[str]:
    """Return the columns that a step reads, as they stand in it."""
    match step:
        case kinds.Filter(where=expression) | kinds.Derive(value=expression):
            return _columns_in(parse(expression))
        case (
            kinds.Select(columns=names)
            | kinds.Drop(columns=names)
            | kinds.Rename(columns=names)
            | kinds.Unique(by=names)
        ):
            return names
        case kinds.Sort(by=names):
            return [name.removeprefix("-") for name in names]
        case kinds.Aggregate(measures=measures, by=names):
            return [*names, *(measure.column for measure in measures.values() if measure.column)]
        case kinds.Explode(column=name) | kinds.Join(on=name):
            return [name]
        case _:
            return []


def _columns_in(node: Node) -> list[str]:
    match node:
        case Column(name):
            return [name]
        case Call(arguments=arguments):
            return [name for argument in arguments for name in _columns_in(argument)]
        case _:
            return []
