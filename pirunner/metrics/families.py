"""Families of samples in few words: what a gauge or a counter is called, what it means, and its values."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString

Labels = TypeVar("Labels", bound=tuple[str, ...])
"""The values of the labels of a sample, in the order of their names."""


class SourceSilent(Exception):
    """What the samples are read from does not answer; the sentence says what that is."""


def gauge(name: str, means: str, value: float | None) -> Metric:
    """Return a gauge without labels; None leaves its sample out."""
    return GaugeMetricFamily(name, means, value=value)


def gauges(name: str, means: str, labels: Sequence[str], samples: Mapping[Labels, float]) -> Metric:
    """Return a gauge with labels."""
    family = GaugeMetricFamily(name, means, labels=labels)
    for values, value in samples.items():
        family.add_metric(values, value)
    return family


def counter(name: str, means: str, value: float) -> Metric:
    """Return a counter without labels; its name goes without ``_total``."""
    return CounterMetricFamily(name, means, value=value)


def counters(name: str, means: str, labels: Sequence[str], samples: Mapping[Labels, float]) -> Metric:
    """Return a counter with labels; its name goes without ``_total``."""
    family = CounterMetricFamily(name, means, labels=labels)
    for values, value in samples.items():
        family.add_metric(values, value)
    return family


def histograms(
    name: str,
    means: str,
    labels: Sequence[str],
    bounds: Sequence[float],
    samples: Mapping[Labels, tuple[Sequence[int], float]],
) -> Metric:
    """Return a histogram: how many there are in each bucket for itself, and the sum, by the values of the labels."""
    family = HistogramMetricFamily(name, means, labels=labels)
    named = [*map(floatToGoString, bounds), "+Inf"]
    for values, (buckets, total) in samples.items():
        up_to = [(bound, float(sum(buckets[: place + 1]))) for place, bound in enumerate(named)]
        family.add_metric(values, up_to, total)
    return family
