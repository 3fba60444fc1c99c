"""Benchmarks: `python -m tests.bench` prints tables; it is no test and asserts nothing by time."""
