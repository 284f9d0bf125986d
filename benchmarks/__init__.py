"""Measurements whose figures docs/results.md gives. Each is a command: `python -m benchmarks.NAME`."""
