"""Numbers as the pages write them."""

from django import template

register = template.Library()

_STEPS = ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"))


@register.filter
def grouped(number: int) -> str:
    """Return a number with its thousands apart."""
    return f"{number:,}"


@register.filter
def compact(number: int) -> str:
    """Return a number in at most four characters, like ``1.2k``."""
    for step, unit in _STEPS:
        if number >= step:
            shown = number / step
            return f"{shown:.0f}{unit}" if shown >= 10 or number % step == 0 else f"{shown:.1f}{unit}"
    return str(number)
