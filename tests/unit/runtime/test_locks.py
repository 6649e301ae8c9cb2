"""What makes a requirement file stale, and what does not."""

import tomllib

from runtime.locks import is_same, with_pins

DECLARED = """[project]
name = "goldworks"

[tool.uv]
exclude-newer = "2026-11-14"
constraint-dependencies = ["sqlalchemy<2.1"]
"""
FILE = """certifi==2026.10.18 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via requests
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:cc
psycopg[binary]==3.3.6 \\
    --hash=sha256:dd
"""


def test_what_is_pinned_is_all_that_is_admitted_with_the_marker_that_it_is_for() -> None:
    uv = tomllib.loads(with_pins(DECLARED, [FILE, FILE]))["tool"]["uv"]
    assert uv["exclude-newer"] == "2026-11-14"
    assert uv["constraint-dependencies"] == [
        "sqlalchemy<2.1",
        "certifi==2026.10.18",
        "numpy==2.4.6 ; python_full_version < '3.12'",
        "psycopg[binary]==3.3.6",
    ]


def test_one_more_file_of_a_release_makes_no_requirement_file_stale() -> None:
    more = FILE.replace("    --hash=sha256:cc", "    --hash=sha256:c0 \\\n    --hash=sha256:cc")
    assert is_same(FILE, FILE)
    assert is_same(FILE, more)
    assert not is_same(more, FILE)


def test_another_version_package_or_reason_makes_a_requirement_file_stale() -> None:
    assert not is_same(FILE, FILE.replace("2.4.6", "2.4.7"))
    assert not is_same(FILE, FILE + "pandas==2.3.3 \\\n    --hash=sha256:ee\n")
    assert not is_same(FILE, FILE.replace("via requests", "via selenium"))
