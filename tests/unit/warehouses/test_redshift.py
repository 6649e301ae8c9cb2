"""Redshift as a warehouse: what its URL names, how it spells the shared SQL, what it says where something is wrong."""

import builtins
import re
import sys
from pathlib import Path

import pytest
import redshift_connector
import sqlfluff
import sqlglot

from data_ingestion.engine.dialect import given
from data_ingestion.errors import OperatorFault
from data_ingestion.warehouses import open_warehouse
from data_ingestion.warehouses.redshift.dialect import RedshiftDialect
from data_ingestion.warehouses.redshift.place import Place

SETUP = Path(__file__).resolve().parents[3] / "iac/redshift.sql"
URL = "redshift://me:p%40ss@db:5440/shop"


@pytest.fixture(autouse=True)
def staging(monkeypatch):
    monkeypatch.setenv("GOLDWORKS_STAGING_URL", "s3://bucket/folder/")
    monkeypatch.delenv("GOLDWORKS_COPY_ROLE", raising=False)


def test_a_url_names_the_place_and_the_login_over_tls():
    place = Place.of(URL)
    assert (place.host, place.port, place.database, place.user, place.password) == (
        "db", 5440, "shop", "me", "p@ss",
    )  # fmt: skip
    assert (place.ssl, place.iam, place.staging) == (True, False, "s3://bucket/folder")
    assert "p@ss" not in repr(place)
    assert Place.of("redshift://me:p@db/shop").port == 5439
    assert not Place.of(f"{URL}?sslmode=disable").ssl
    assert Place.of("redshift://me@db/shop?iam=true").iam


def test_files_are_read_by_the_default_role_or_the_one_that_is_named(monkeypatch):
    assert Place.of(URL).authorization == "iam_role default"
    monkeypatch.setenv("GOLDWORKS_COPY_ROLE", "arn:aws:iam::123456789012:role/copy")
    assert Place.of(URL).authorization == "iam_role 'arn:aws:iam::123456789012:role/copy'"


@pytest.mark.parametrize(
    "url", ["redshift://db/shop", "redshift://me@db/shop", "redshift://me:p@db", "redshift:///x"]
)
def test_a_url_that_lacks_something_is_refused_with_its_form(url):
    with pytest.raises(OperatorFault, match=r"write redshift://USER:PASSWORD@HOST:5439/DATABASE"):
        open_warehouse(url)


def test_a_url_that_lacks_something_is_refused_without_its_password():
    with pytest.raises(OperatorFault) as refused:
        open_warehouse("redshift://me:secret@db")
    assert "secret" not in str(refused.value)


def test_without_a_staging_folder_on_s3_it_says_what_to_set(monkeypatch):
    for value in ("", "/a/folder"):
        monkeypatch.setenv("GOLDWORKS_STAGING_URL", value)
        with pytest.raises(OperatorFault, match=r"GOLDWORKS_STAGING_URL .*\n  set it to"):
            open_warehouse(URL)


def test_without_the_driver_it_names_the_extra(monkeypatch):
    for name in [name for name in sys.modules if "redshift" in name]:
        monkeypatch.delitem(sys.modules, name)
    imported = builtins.__import__

    def refuse(name, *arguments, **named):
        if name.startswith("redshift_connector"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return imported(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(OperatorFault, match=r"pip install 'goldworks\[redshift\]'"):
        open_warehouse(URL)


def test_a_server_that_is_not_there_is_the_operators_to_mend():
    warehouse = open_warehouse("redshift://me:secret@127.0.0.1:1/shop?sslmode=disable")
    with pytest.raises(OperatorFault, match=r"warehouse: 127\.0\.0\.1: .*\n  see that it is up") as refused:
        warehouse.session.rows("select 1")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "login"),
    [
        (URL, {"user": "me", "password": "p@ss"}),
        (
            "redshift://me@sales.abc.eu-west-1.redshift.amazonaws.com/shop?iam=true",
            {"iam": True, "db_user": "me", "cluster_identifier": "sales"},
        ),
        (
            "redshift://me@group.123.eu-west-1.redshift-serverless.amazonaws.com/shop?iam=true",
            {"iam": True, "db_user": "me"},
        ),
    ],
)
def test_a_login_is_by_password_or_by_iam(url, login, monkeypatch):
    given_to_driver = {}
    monkeypatch.setattr(redshift_connector, "connect", lambda **named: given_to_driver.update(named))
    place = Place.of(url)
    place.connect()
    assert given_to_driver == {
        "host": place.host, "port": place.port, "database": "shop", "ssl": True, **login,
    }  # fmt: skip


def test_few_rows_are_a_select_each_and_no_rows_are_none():
    dialect = RedshiftDialect()
    rows = given(id=("bigint", [1, 2]), name=("text", ["a", None]))
    assert dialect.rows(rows) == (
        '(select cast($given_id_0 as bigint) as "id", cast($given_name_0 as varchar(65535)) as "name"'
        ' union all select cast($given_id_1 as bigint) as "id", cast($given_name_1 as varchar(65535)) as "name")'
    )
    assert dialect.parameters(rows) == {
        "given_id_0": 1, "given_id_1": 2, "given_name_0": "a", "given_name_1": None,
    }  # fmt: skip
    assert dialect.rows(given(id=("bigint", []))) == '(select cast(null as bigint) as "id" where 1 = 0)'


def test_what_is_deleted_from_is_named_instead_of_its_alias():
    spell = RedshiftDialect.spell
    said = 'delete from "raw"."t" r using _f f where r."a" = f."a" and f."r.b" = r."x r.y"'
    assert spell(said) == (
        'delete from "raw"."t" using _f f where "raw"."t"."a" = f."a" and f."r.b" = "raw"."t"."x r.y"'
    )
    assert spell("delete from t where a = 1") == "delete from t where a = 1"


def test_a_cast_to_text_does_not_cut_it():
    assert RedshiftDialect.spell("select cast($key as text)") == "select cast($key as varchar(65535))"


def test_the_file_that_sets_it_up_parses_and_can_be_run_again():
    text = SETUP.read_text()
    sqlglot.parse(text, read="redshift")
    # documented on r_GRANT.html, and not known to sqlfluff
    sqlfluff.parse(re.sub(r"\ngrant assumerole .+;", "", text), dialect="redshift")
    outside = re.sub(r"--[^\n]*|\$\$.*?\$\$", "", text, flags=re.DOTALL)
    for statement in filter(None, (one.strip() for one in outside.split(";"))):
        repeatable = (
            r"create or replace procedure |call public\.|grant |alter default privileges |alter group \w+ add user "
            r"|create schema if not exists |drop procedure public\."
        )
        assert re.match(repeatable, statement), statement
    made = re.findall(r"create or replace procedure (\S+)\(", text)
    assert [name for name in made if f"drop procedure {name}(" not in text] == []
    # what is made by asking first
    for kind in re.findall(r"execute 'create (\w+) ", text):
        asked = rf"if not exists \(select 1 from pg_{kind} .*\n +execute 'create {kind} "
        assert re.search(asked, text), kind
