"""Measurements whose figures the README gives. Each is a command: `python -m benchmarks.NAME`."""
