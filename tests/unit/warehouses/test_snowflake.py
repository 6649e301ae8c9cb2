"""Snowflake without an account: logins, statements as its driver takes them, COPY, and the files that set it up."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlfluff
import sqlglot
from snowflake.connector import errors

from data_ingestion.engine.dialect import given
from data_ingestion.errors import OperatorFault, TransactionConflict, WarehouseLost
from data_ingestion.warehouses import open_warehouse
from data_ingestion.warehouses.snowflake import statements
from data_ingestion.warehouses.snowflake.dialect import SnowflakeDialect, contract_type
from data_ingestion.warehouses.snowflake.place import Place
from data_ingestion.warehouses.snowflake.stage import batched_keys, copy_statement

ROOT = Path(__file__).resolve().parents[3]
SETUP = sorted((ROOT / "iac").glob("snowflake*.sql"))
URL = "snowflake://loader@account/gw?warehouse=w&role=r"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("SNOWFLAKE_PRIVATE_KEY_FILE", "SNOWFLAKE_TOKEN", "STAGING_URL", "SNOWFLAKE_STAGE"):
        monkeypatch.delenv(f"GOLDWORKS_{name}", raising=False)


def test_a_password_is_refused_and_the_message_does_not_repeat_it():
    with pytest.raises(OperatorFault, match="ends logins by a password alone") as refused:
        open_warehouse("snowflake://loader:hunter2@account/gw")
    assert "hunter2" not in str(refused.value)
    assert "GOLDWORKS_SNOWFLAKE_PRIVATE_KEY_FILE" in str(refused.value)


def test_a_login_by_key_by_token_or_by_oauth(monkeypatch, tmp_path):
    with pytest.raises(OperatorFault, match="no way to log in"):
        Place.of(URL)
    key = tmp_path / "key.p8"
    monkeypatch.setenv("GOLDWORKS_SNOWFLAKE_PRIVATE_KEY_FILE", str(key))
    with pytest.raises(OperatorFault, match="is not a file"):
        Place.of(URL)
    key.write_text("a key")
    assert Place.of(URL).login == {"authenticator": "SNOWFLAKE_JWT", "private_key_file": str(key)}
    monkeypatch.setenv("GOLDWORKS_SNOWFLAKE_TOKEN", "secret")
    with pytest.raises(OperatorFault, match="two ways"):
        Place.of(URL)
    monkeypatch.delenv("GOLDWORKS_SNOWFLAKE_PRIVATE_KEY_FILE")
    assert Place.of(URL).login == {"authenticator": "programmatic_access_token", "token": "secret"}
    assert Place.of(URL + "&authenticator=oauth").login["authenticator"] == "oauth"
    with pytest.raises(OperatorFault, match="externalbrowser is not supported"):
        Place.of(URL + "&authenticator=externalbrowser")
    assert "secret" not in repr(Place.of(URL))


@pytest.mark.parametrize(
    "url", ["snowflake://account/gw", "snowflake://u@account", "snowflake://u@account/a/b", URL + "&rol=x"]
)
def test_a_url_that_lacks_something_is_refused_with_its_form(url, monkeypatch):
    monkeypatch.setenv("GOLDWORKS_SNOWFLAKE_TOKEN", "secret")
    with pytest.raises(OperatorFault, match=r"snowflake://USER@ACCOUNT/DATABASE"):
        Place.of(url)


def test_a_staging_folder_and_its_stage_are_set_together(monkeypatch):
    monkeypatch.setenv("GOLDWORKS_SNOWFLAKE_TOKEN", "secret")
    monkeypatch.setenv("GOLDWORKS_STAGING_URL", "s3://bucket/staging/")
    with pytest.raises(OperatorFault, match="belong together"):
        Place.of(URL)
    monkeypatch.setenv("GOLDWORKS_SNOWFLAKE_STAGE", "ops.staging")
    assert (Place.of(URL).staging, Place.of(URL).stage) == ("s3://bucket/staging", "ops.staging")


def test_parameters_are_bound_in_their_order_as_what_they_are():
    text, bound = statements.translated(
        """select '$a', "$b" from x where a = $a and m > $m and d = $d and h = $h and a = $a limit $n""",
        {"a": 1, "m": datetime(2026, 1, 2, tzinfo=UTC), "d": date(2026, 1, 2), "h": b"\x00\xff", "n": 5},
    )
    assert text == (
        """select '$a', "$b" from x where a = ? and m > cast(? as timestamp_tz) and d = cast(? as date) """
        "and h = to_binary(?, 'HEX') and a = ? limit 5"
    )
    assert bound == [1, "2026-01-02 00:00:00+00:00", "2026-01-02", "00ff", 1]


def test_a_limit_is_a_number_and_an_offset_has_one():
    assert statements.translated("select 1 offset $kept", {"kept": 60}) == (
        "select 1 limit null offset 60",
        [],
    )


def test_the_reserved_name_of_a_column_is_quoted():
    assert statements.translated("select f.rows, rows_read, 'rows', x over (rows between y) from f", {}) == (
        """select f."ROWS", rows_read, 'rows', x over (rows between y) from f""",
        [],
    )


def test_what_commits_by_itself_can_be_run_again():
    assert statements.repeatable("create table a.b (c text)") == "create table if not exists a.b (c text)"
    assert statements.repeatable("alter table a.b add column c text") == (
        "alter table a.b add column if not exists c text"
    )
    assert statements.repeatable("insert into a.b values (1), (2)") == (
        "insert into a.b select * from values (1), (2) where not exists (select 1 from a.b)"
    )
    assert statements.repeatable("insert into a.b select 1") == "insert into a.b select 1"


@pytest.mark.parametrize(
    "kind",
    ["text", "double precision", "timestamptz", "date", "boolean", "smallint", "integer", "bigint", "uuid"],
)
def test_a_type_is_found_again_in_the_catalogue(kind):
    made = SnowflakeDialect().type_of(kind)
    size = re.search(r"\((\d+)(?:,(\d+))?\)", made)
    known = {"double precision": "FLOAT", "varchar(36)": "TEXT"}
    name = known.get(made, re.sub(r"\(.*", "", made).upper())
    precision = int(size[1]) if size and name == "NUMBER" else None
    length = 36 if kind == "uuid" else 16_777_216 if name == "TEXT" else None
    assert contract_type(name, length, precision, 0 if precision else None) == kind
    assert contract_type("NUMBER", None, 38, 10) == "numeric(38,10)"


def test_rows_that_are_handed_over_are_one_parameter_however_many_they_are():
    rows = given(key=("text", ["a", "b"]), size=("bigint", [1, 2]), hash=("blob", [b"\x01", None]))
    assert SnowflakeDialect().rows(rows) == (
        '(select cast(f.value[0] as text) as "KEY", cast(cast(f.value[1] as text) as number(19,0)) as "SIZE", '
        "to_binary(cast(f.value[2] as text), 'HEX') as \"HASH\" from table(flatten(input => parse_json($given))) f)"
    )


GOLDEN_COPY = r"""copy into _stage from @_parts/attempt-1/ files = ('00000.csv.gz', '00001.csv.gz') file_format = (type = csv compression = gzip field_optionally_enclosed_by = '"' escape = none escape_unenclosed_field = none null_if = ('null-1') empty_field_as_null = false timestamp_format = 'YYYY-MM-DD HH24:MI:SS.FF6TZH' replace_invalid_characters = false) on_error = abort_statement force = true purge = true"""  # noqa: E501


def test_copy_names_its_files_and_stops_at_the_first_bad_one():
    statement = copy_statement(
        "_parts", "attempt-1", ["attempt-1/00000.csv.gz", "attempt-1/00001.csv.gz"], "null-1"
    )
    assert statement == GOLDEN_COPY
    assert isinstance(sqlglot.parse_one(statement, read="snowflake"), sqlglot.exp.Copy)
    sqlfluff.parse(f"{statement};\n", dialect="snowflake")
    external = copy_statement("ops.staging", "attempt-1", ["attempt-1/00000.csv.gz"], "null-1")
    assert "from @ops.staging/attempt-1/ files = ('00000.csv.gz')" in external
    sqlfluff.parse(f"{external};\n", dialect="snowflake")


def test_one_copy_names_a_thousand_files_at_most():
    assert list(map(len, batched_keys([str(number) for number in range(2001)]))) == [1000, 1000, 1]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (errors.ProgrammingError("has locked table 'WRITER' in transaction", errno=625), TransactionConflict),
        (errors.ProgrammingError("Insufficient privileges", errno=3001), OperatorFault),
        (errors.ProgrammingError("No active warehouse selected", errno=606), OperatorFault),
        (errors.DatabaseError("JWT token is invalid", errno=250001), OperatorFault),
        (errors.OperationalError("the server is gone", errno=250003), WarehouseLost),
        (errors.ProgrammingError("invalid identifier 'X'", errno=904), errors.ProgrammingError),
    ],
)
def test_what_the_server_refuses_is_of_whoever_must_act(error, fault):
    with pytest.raises(fault) as raised, statements.faults():
        raise error
    assert type(raised.value) is fault


@pytest.mark.parametrize("path", SETUP, ids=lambda path: path.name)
def test_a_file_that_sets_it_up_parses_and_can_be_run_again(path):
    text = path.read_text()
    sqlfluff.parse(text, dialect="snowflake")
    for statement in filter(None, (one.strip() for one in re.sub(r"--.*", "", text).split(";"))):
        repeatable = r"use role |grant |alter warehouse \w+ set |create [a-z ]+ if not exists "
        assert re.match(repeatable, statement), statement


def test_the_loader_is_granted_what_it_needs_and_no_more():
    text = (ROOT / "iac/snowflake.sql").read_text()
    grants = sorted(re.findall(r"grant (.+) to role goldworks_loader;", text))
    assert grants == [
        "usage on database goldworks",
        "usage on warehouse goldworks",
        "usage, create table on schema goldworks.raw",
        "usage, create table, create view, create stage on schema goldworks.ops",
    ]


def test_dashboards_are_granted_gold_and_nothing_else():
    text = (ROOT / "iac/snowflake.sql").read_text()
    grants = re.findall(r"grant (.+) to role goldworks_reporter;", text)
    assert {grant.partition(" schema ")[2] for grant in grants} - {""} == {"goldworks.gold"}
    assert {grant.partition(" ")[0] for grant in grants} == {"usage", "select"}
