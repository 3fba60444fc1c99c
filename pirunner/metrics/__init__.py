"""``GET /metrics``: what Prometheus is told, read from the rows at every scrape; one module for each subject.

A module has ``read(now)``, which yields families of samples. Whatever it asks must cost the same with a million ended
jobs as with none.
"""
