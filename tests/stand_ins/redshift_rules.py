"""What Redshift does not take, or takes for something else than Postgres does, by its documentation.

Each rule is the shape of a statement without its literals and quoted names, what is said of it, and the page that says
so (of docs.aws.amazon.com/redshift/latest/dg).
"""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

LITERAL = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$", re.DOTALL)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
AGGREGATES = r"\b(?:sum|avg|count|min|max|first_value|last_value|nth_value)"

RULES: tuple[tuple[str, str, str], ...] = (
    (r"^\s*truncate\b", "TRUNCATE commits the transaction", "r_TRUNCATE.html"),
    (r"\bschema (?:if not exists )?(?:\w+, )*raw\b", "RAW is a reserved word", "r_pg_keywords.html"),
    (r"^\s*vacuum\b", "VACUUM runs in no transaction", "r_VACUUM_command.html"),
    (r"^\s*alter table .* type\b(?!.*varchar)", "only a VARCHAR's size can be altered", "r_ALTER_TABLE.html"),
    (r"^\s*create (?:unique )?index\b", "indexes are not supported", "c_unsupported-postgresql-features.html"),
    (r"\bprimary key\b|\bunique\b|\breferences\b", "keys are not enforced", "t_Defining_constraints.html"),
    (r"\bcheck\s*\(", "CHECK is not supported", "c_unsupported-postgresql-features.html"),
    (r"\bon conflict\b", "ON CONFLICT is not supported", "r_INSERT_30.html"),
    (r"\breturning\b", "RETURNING is not supported", "r_INSERT_30.html"),
    (r"\bis (?:not )?distinct from\b", "IS DISTINCT FROM is not supported", "r_comparison_condition.html"),
    (r"\bdistinct on\b", "DISTINCT ON is not supported", "r_SELECT_list.html"),
    (r"\blateral\b", "LATERAL is not supported", "r_FROM_clause30.html"),
    (r"\[", "arrays are not supported", "c_unsupported-postgresql-datatypes.html"),
    (
        r"\bas (?:uuid|bytea|jsonb?)\b|\bq\" (?:uuid|bytea|jsonb?)\b",
        "there is no such type", "c_unsupported-postgresql-datatypes.html",
    ),
    (r"\bserial\b|\bnextval\b", "sequences are not supported", "c_unsupported-postgresql-features.html"),
    (r"\bunnest\s*\(|\bgenerate_series\s*\(", "runs on the leader node alone", "c_SQL_functions_leader_node_only.html"),
    (
        r"\bnow\s*\(\)|\b(?:current_time|current_timestamp|localtime|localtimestamp)\b",
        "runs on the leader node alone", "c_SQL_functions_leader_node_only.html",
    ),
    (r"\bsubstr\s*\(|\blog\s*\(", "runs on the leader node alone", "c_SQL_functions_leader_node_only.html"),
    (r"\bfilter\s*\(", "FILTER is not supported", "c_Aggregate_Functions.html"),
    (r"\bon commit\b", "ON COMMIT is not supported", "r_CREATE_TABLE_NEW.html"),
    (r"\bset local\b", "SET LOCAL is not supported", "r_SET.html"),
    (r"\bpg_advisory\w*", "advisory locks are not supported", "c_unsupported-postgresql-functions.html"),
    (r"\bas text\b|\btext\b(?=[,)])", "TEXT is VARCHAR(256)", "r_Character_types.html"),
    (r"^\s*delete from \S+ (?!using\b|where\b)\w+", "what is deleted from has no alias", "r_DELETE.html"),
    (r"^\s*delete from \S+ using\s*\(", "USING names tables", "r_DELETE.html"),
    (r"^\s*update .*\bset \w+\.\w+ =", "a column that is set has no table in front of it", "r_UPDATE.html"),
    (r"^\s*update .*\b(?:left|right|full) join\b", "UPDATE joins no outer tables", "r_UPDATE.html"),
    (
        AGGREGATES + r"\s*\([^()]*\)\s*over\s*\((?![^()]*\brows\b)[^()]*\border by\b",
        "an aggregate over ordered rows needs a frame", "r_Window_function_synopsis.html",
    ),
    (r"^\s*merge\b.*\bwhen (?:not )?matched and\b", "MERGE has no conditions", "r_MERGE.html"),
    (r"^\s*merge into \S+ (?!using\b)", "MERGE's target has no alias", "r_MERGE.html"),
    (r"^\s*merge .*\busing\s*\(", "MERGE reads from a table", "r_MERGE.html"),
)  # fmt: skip
MOST_BYTES = 16 << 20


def faults_of(statement: str) -> list[str]:
    """What Redshift would not take of a statement, each with the page that says so."""
    outside = LITERAL.sub(lambda found: '"q"' if found[0][0] == '"' else "''", statement)
    outside = COMMENT.sub("", outside)
    found = [
        f"{fault} ({page})"
        for shape, fault, page in RULES
        if re.search(shape, outside, re.IGNORECASE | re.DOTALL)
    ]
    if len(statement.encode()) > MOST_BYTES:
        found.append("a statement has at most 16 MB (r_SELECT_synopsis.html)")
    for quoted in re.findall(r'"([^"]*)"', COMMENT.sub("", statement)):
        if len(quoted.encode()) > 127:
            found.append(f"{quoted}: a name has at most 127 bytes (r_names.html)")
    return found


def faults_of_query(query: str) -> list[str]:
    """The same of a select, and what only its tree shows."""
    parsed = sqlglot.parse_one(query, read="redshift")
    found = [*faults_of(query), *(["sqlglot does not read it"] if isinstance(parsed, exp.Command) else [])]
    if any(
        join.side and join.args.get("on") and _asks(join.args["on"]) for join in parsed.find_all(exp.Join)
    ):
        found.append("an outer join's condition holds no query (r_correlated_subqueries.html)")
    if any(_skips_a_query(column) for column in parsed.find_all(exp.Column)):
        found.append("a column is of the query around, not of one further out (r_correlated_subqueries.html)")
    if any(_has_no_frame(window) for window in parsed.find_all(exp.Window)):
        found.append("an aggregate over ordered rows needs a frame (r_Window_function_synopsis.html)")
    return found


def _asks(condition: exp.Expression) -> bool:
    return condition.find(exp.Select) is not None


def _skips_a_query(column: exp.Column) -> bool:
    """Whether the table in front of a column is neither of its query nor of the one around that."""
    select, depth = column.find_ancestor(exp.Select), 0
    while select is not None and column.table and column.table not in _tables(select):
        select, depth = select.find_ancestor(exp.Select), depth + 1
    return select is not None and depth > 1


def _tables(select: exp.Select) -> set[str]:
    joined = [select.args.get("from_"), *select.args.get("joins", ())]
    return {part.this.alias_or_name for part in joined if part is not None}


def _has_no_frame(window: exp.Window) -> bool:
    is_aggregate = isinstance(window.this, exp.Sum | exp.Avg | exp.Count | exp.Min | exp.Max)
    return is_aggregate and window.args.get("order") is not None and window.args.get("spec") is None
