"""A schedule is a preset, a cron line of five fields, or `never`; a mistyped one says what to write."""

import pytest

from data_ingestion.contract.schedule import NEVER, faults_of_schedule, schedule_of


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("@hourly", "@hourly"),
        ("hourly", "@hourly"),
        ("Weekly", "@weekly"),
        ("never", NEVER),
        ("0 6 * * *", "0 6 * * *"),
        (" 0  6 * *  MON-FRI ", "0 6 * * mon-fri"),
        ("*/15 8-18 1,15 jan,jul *", "*/15 8-18 1,15 jan,jul *"),
        ("5/20 * * * 7", "5/20 * * * 7"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 31 2 1", "0 0 31 2 1"),  # on Mondays of February
    ],
)
def test_presets_and_cron_lines_are_taken_as_airflow_writes_them(text: str, schedule: str) -> None:
    assert faults_of_schedule(text) is None
    assert schedule_of(text) == schedule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dayly", "not a schedule"),
        ("@reboot", "not a schedule"),
        ("", "0 fields"),
        ("0 6 * *", "4 fields"),
        ("0 6 * * * *", "6 fields"),
        ("60 * * * *", "not a valid minute from 0 to 59"),
        ("0 24 * * *", "not a valid hour from 0 to 23"),
        ("0 0 0 * *", "not a valid day of the month"),
        ("0 0 1 13 *", "not a valid month"),
        ("0 0 * * 8", "not a valid day of the week"),
        ("0 0 * * fri-mon", "not a valid day of the week"),
        ("5-3 * * * *", "not a valid minute"),
        ("*/0 * * * *", "not a valid minute"),
        ("*-5 * * * *", "not a valid minute"),
        ("1,,2 * * * *", "not a valid minute"),
        ("² * * * *", "not a valid minute"),
        ("0 0 31 2,4 *", "no month has"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_part_that_is_wrong(text: str, said: str) -> None:
    fault, remedy = faults_of_schedule(text) or ("", "")
    assert said in fault
    assert remedy


def test_a_mistyped_preset_is_answered_with_the_nearest() -> None:
    assert faults_of_schedule("@dayly") == ("'@dayly' is not a schedule", "did you mean 'daily'?")
