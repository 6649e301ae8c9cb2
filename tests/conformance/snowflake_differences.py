"""What the suite asks of every warehouse and Snowflake does not do, or its stand-in: each has to fail, for a reason."""

# By the name of a test: why it fails on Snowflake. One that passes after all fails the run.
EXPECTED_FAILURES = {
    "test_a_rebuild_ends_as_a_fresh_load": "Snowflake commits when a table is made or renamed: a rebuild is refused",
    "test_a_rebuild_broken_at_any_statement_has_done_all_or_nothing": "as above",
    "test_a_row_that_a_correction_repeats_further_down_keeps_its_line_until_a_rebuild": "as above",
    "test_rows_that_lack_what_is_required_now_are_not_kept": "as above",
}
