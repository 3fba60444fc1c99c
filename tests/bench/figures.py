"""The few figures that the tables are made of."""

import math
from collections.abc import Sequence
from statistics import median

__all__ = ["median", "percentile", "spread"]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile: the smallest value that ``share`` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def spread(values: Sequence[float]) -> str:
    """Return the smallest and the largest value, so that a noisy figure can be seen to be one."""
    return f"{min(values):,.0f}..{max(values):,.0f}" if len(values) > 1 else ""
