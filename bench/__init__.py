"""Bench: what a load costs, measured from the start of a process to its end, against the server's own limit.

`make bench` runs it; docs/reference/performance.md says what each figure means.
"""
