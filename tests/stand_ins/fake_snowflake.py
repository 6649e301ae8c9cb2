"""A stand-in for Snowflake: fakesnow's server, corrected and made stricter where its differences would matter here.

    python fake_snowflake.py PORT

It proves the driver, the protocol, the transactions and the order of statements, and nothing of what an account makes
of them. What is left as it is: a sum of integers is a floating number. Runs in the environment `stand-ins`.
"""

import functools
import re
import sys
import warnings

import duckdb
import fakesnow.arrow
import fakesnow.copy_into
import fakesnow.cursor
import fakesnow.server
import pyarrow as pa
import uvicorn
from fakesnow.transforms import stage
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp
from starlette.responses import JSONResponse
from starlette.routing import Route

COMMITS = re.compile(r"\s*(create|alter|drop|truncate|grant|comment)\b", re.IGNORECASE)
# Options of COPY that fakesnow does not know. It does what they say.
UNKNOWN = re.compile(
    r" (escape = none|timestamp_format = '[^']*'|replace_invalid_characters = false)(?=[ )])"
)
# To DuckDB a database is a file that is attached.
DROPS = re.compile(r"\s*drop database (\w+)", re.IGNORECASE)
# What dbt writes beside tables and columns, of which fakesnow reads no escaped quote. Nothing depends on it.
DESCRIPTION = re.compile(r"\bcomment\s*=?\s*(\$\$.*?\$\$|'(?:[^'\\]|\\.|'')*')", re.IGNORECASE | re.DOTALL)
# A table of one session that is named with its schema, which DuckDB has not: here all see it until it is dropped.
TEMPORARY = re.compile(r"(\s*create\s+or\s+replace\s+)temporary(\s+table\s+\w+\.)", re.IGNORECASE)
DESCRIBES = re.compile(r"\s*(comment\s+on|alter\s+\w+\s+\S+\s+(alter|modify|set\s+comment))\b", re.IGNORECASE)
BEGINS, ENDS = re.compile(r"\s*begin\b", re.IGNORECASE), re.compile(r"\s*(commit|rollback)\b", re.IGNORECASE)

ROWS = re.compile(r"\s*(select|insert|update|delete|with)\b", re.IGNORECASE)

known = {}
plain_struct = fakesnow.arrow.timestamp_to_sf_struct
plain_urls = fakesnow.copy_into._source_urls
plain_transform = fakesnow.cursor.FakeSnowflakeCursor._transform
plain_execute = fakesnow.cursor.FakeSnowflakeCursor.execute


def without_comments(command):
    """A statement without what dbt says of it in front."""
    return re.sub(r"/\*.*?\*/", "", command, flags=re.DOTALL)


def struct_with_nulls(moments):
    """A null moment stays null; fakesnow 0.12.1 has 1970 come of it."""
    if isinstance(moments, pa.ChunkedArray):
        moments = moments.combine_chunks()
    struct = plain_struct(moments.fill_null(0))
    if moments.null_count == 0:
        return struct
    fields = [struct.type.field(number) for number in range(struct.type.num_fields)]
    return pa.StructArray.from_arrays(struct.flatten(), fields=fields, mask=moments.is_null())


def urls_of_internal_stages_too(source, files):
    """FILES names files of an internal stage as well; one that is not there is an error, as on Snowflake."""
    if not stage.is_internal(source):
        return plain_urls(source, files)
    found = set(fakesnow.copy_into._source_glob(source, duckdb.connect()))
    wanted = [source + file for file in files]
    for path in wanted:
        if path not in found:
            raise ProgrammingError(msg=f"Remote file '{path}' was not found.", errno=91016, sqlstate="22000")
    return wanted


def transform(self, expression, *arguments, **named):
    """DuckDB pads to an INTEGER of its own, which no integer of Snowflake's is."""
    made = plain_transform(self, expression, *arguments, **named)
    for pad in list(made.find_all(exp.Pad)):
        pad.set("expression", exp.cast(pad.expression, exp.DataType.Type.INT))
    return made


def execute(self, command, *arguments, **named):
    """DDL in a transaction is refused, which Snowflake would commit; DuckDB's errors reach the client as errors."""
    connection = self._conn
    is_open = getattr(connection, "is_open", False)
    if is_open and COMMITS.match(command):
        raise ProgrammingError(msg="this would commit the transaction", errno=1, sqlstate="25000")
    try:
        # DuckDB would make a column of a folder named like this.
        command = command.replace("@_parts/stage=", "@_parts/stage-")
        if dropped := DROPS.fullmatch(command):
            self._duck_conn.execute(f"detach {dropped[1].upper()}")
            command = "select 'dropped' as status"
        elif DESCRIBES.match(without_comments(command)):
            command = "select 1"
        elif COMMITS.match(without_comments(command)):
            command = TEMPORARY.sub(r"\1\2", DESCRIPTION.sub("", command))
        if command.startswith("copy into"):
            command = UNKNOWN.sub("", command)
        if ROWS.match(command):
            done = execute_known(self, command, list(named.get("binding_params") or ()))
        else:
            done = plain_execute(self, command, *arguments, **named)
    except duckdb.TransactionException as error:
        # Snowflake's writer waits for the other to end; here it is refused at once, as after too long a wait.
        raise ProgrammingError(
            msg=f"the lock of another transaction: {error}", errno=625, sqlstate="57014"
        ) from error
    except duckdb.Error as error:
        raise ProgrammingError(msg=str(error), errno=100000, sqlstate="22000") from error
    if BEGINS.match(command):
        connection.is_open = True
    elif ENDS.match(command):
        connection.is_open = False
    return done


def execute_known(self, command, params):
    """The same of a statement that reads or changes rows, which is put into DuckDB's SQL the first time only."""
    context = (command, self._conn.database, self._conn.schema)
    if context not in known:
        expression = fakesnow.cursor.parse_one(command)
        self.check_db_and_schema(expression)
        made = [self._transform(one, params) for one in self._transform_explode(expression)]
        known[context] = [(one, one.find(exp.Placeholder) is not None) for one in made]
        for one in made:
            text = one.sql(dialect="duckdb")
            one.sql = lambda *_, text=text, **__: text
    for expression, has_parameters in known[context]:
        self._execute(expression, params if has_parameters else None)
    return self


def describe(self):
    """The columns of what the last statement returned, without a detour through another dialect."""
    return self._duck_conn.execute(f"describe {self._last_sql}", self._last_params).fetchall()


def abandon(_request):
    """Undoes what is under way, as Snowflake does after minutes with transactions whose client is gone."""
    for connection in fakesnow.server.sessions.values():
        if getattr(connection, "is_open", False):
            connection.cursor().execute("rollback")
            connection.is_open = False
    return JSONResponse({})


fakesnow.arrow.timestamp_to_sf_struct = struct_with_nulls
fakesnow.copy_into._source_urls = urls_of_internal_stages_too
fakesnow.server.parse_one = functools.cache(fakesnow.server.parse_one)
fakesnow.cursor.FakeSnowflakeCursor._transform = transform
fakesnow.cursor.FakeSnowflakeCursor.execute = execute
fakesnow.cursor.FakeSnowflakeCursor._describe_last_sql = describe

if __name__ == "__main__":
    fakesnow.server.logger.setLevel("WARNING")
    warnings.simplefilter("ignore", UserWarning)  # DuckDB's, of each result
    fakesnow.server.app.router.routes.append(Route("/stand-in/abandon", abandon, methods=["POST"]))
    uvicorn.run(fakesnow.server.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
