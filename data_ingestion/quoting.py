"""Quoting: names as SQL takes them that is to run on every warehouse. Pure."""

from __future__ import annotations

import re

# Words that are no column name without quotes in Postgres, Redshift or Snowflake.
# fmt: off
RESERVED = frozenset({
    "aes128", "aes256", "all", "allowoverwrite", "analyse", "analyze", "and", "any", "array", "as", "asc",
    "asymmetric", "authorization", "backup", "between", "binary", "blanksasnull", "both", "by", "bytedict", "bzip2",
    "case", "cast", "check", "collate", "collation", "column", "concurrently", "connect", "constraint", "create",
    "credentials", "cross", "current", "current_catalog", "current_date", "current_role", "current_schema",
    "current_time", "current_timestamp", "current_user", "default", "deferrable", "deflate", "defrag", "delete",
    "delta", "desc", "disable", "distinct", "do", "drop", "else", "emptyasnull", "enable", "encode", "encrypt",
    "encryption", "end", "except", "exists", "explicit", "false", "fetch", "following", "for", "foreign", "freeze",
    "from", "full", "globaldict256", "globaldict64k", "grant", "group", "gzip", "having", "identity", "ignore",
    "ilike", "in", "increment", "initially", "inner", "insert", "intersect", "interval", "into", "is", "isnull",
    "issue", "join", "lateral", "leading", "left", "like", "limit", "localtime", "localtimestamp", "lun", "luns",
    "lzo", "lzop", "minus", "mostly13", "mostly32", "mostly8", "natural", "new", "not", "notnull", "null", "nulls",
    "off", "offline", "offset", "oid", "old", "on", "only", "open", "or", "order", "organization", "outer",
    "overlaps", "parallel", "partition", "percent", "permissions", "placing", "primary", "qualify", "raw",
    "readratio", "recover", "references", "regexp", "rejectlog", "resort", "respect", "restore", "returning",
    "revoke", "right", "rlike", "row", "rows", "sample", "schema", "select", "session_user", "set", "similar", "some",
    "start", "symmetric", "sysdate", "system", "table", "tablesample", "tag", "tdes", "text255", "text32k", "then",
    "timestamp", "to", "top", "trailing", "treat", "trigger", "true", "truncatecolumns", "try_cast", "union",
    "unique", "unnest", "update", "user", "using", "values", "variadic", "verbose", "view", "wallet", "when",
    "whenever", "where", "window", "with", "without",
})
# fmt: on


def quoted(name: str) -> str:
    """A column's name, between quotes where one of the warehouses needs them."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in RESERVED
    return name if plain else '"' + name.replace('"', '""') + '"'
