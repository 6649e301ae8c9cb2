"""Capture: the changes of an operational Postgres as drops on the landing, none lost and each with its place.

`pgoutput` reads the server's messages, `changes` says them as records, `publication` is what the source publishes,
`source` the database with its slot, `faults` what it may answer instead, `changelog` the drops on the landing, `reader`
brings changes from the one to the other.
"""
