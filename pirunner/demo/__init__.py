"""`scripts/run --demo`: one job from start to end, with real processes, a real request and a real callback."""
