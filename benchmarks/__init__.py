"""Measurements of what the project promises. `make bench` writes them to `benchmarks/results/`; no test runs them.

A module a measure, with its method in what it returns. All run on a PostgreSQL of their own with settings of
production, and against the simulator in a process of its own.
"""
