"""Texts for users are free of the phrases in wording.toml, in prose alone, and a fault says what to write instead."""

import re
from pathlib import Path

import pytest

from runtime.wording import ROOT, Phrase, Rules, faults_of, files_of, read_rules

RULES = Rules((Phrase(re.compile(r"\btold\b", re.IGNORECASE), "says"),), ("docs/**/*.md",), ("cli/*.py",))


def faults(name: str, text: str) -> list[str]:
    return list(faults_of(Path(name), text, RULES))


def test_every_file_that_is_held_to_the_rules_keeps_them():
    rules = read_rules()
    found = [fault for path in files_of(rules) for fault in faults_of(path, path.read_text("utf-8"), rules)]
    assert found == []


def test_a_fault_names_file_line_phrase_and_what_to_write():
    assert faults("a.md", "fine\nIt is Told so.\n") == ["a.md:2: 'Told'\n  write instead: says"]


@pytest.mark.parametrize(
    "text", ["```\nwas told\n```\n", "the name `told`\n", "[a](told.md)\n", "{{ doc('told') }}\n", "untold\n"]
)
def test_code_names_and_links_are_not_prose(text: str):
    assert faults("a.md", text) == []


def test_what_follows_a_block_of_code_is_prose_again():
    assert len(faults("a.md", "```\ntold\n```\ntold\n")) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("models:\n  - name: told\n    description: It is told.\n", 3),
        ('label: "told"\n', 1),
        ("description: >\n  One line,\n  and told in another.\nname: told\n", 3),
        ("charts: [{slice_name: told}]\n", 1),
        ("description: |\n  the last line is told", 2),
    ],
)
def test_of_yaml_only_what_a_person_reads_is_prose(text: str, line: int):
    assert [fault.split(": ")[0] for fault in faults("a.yml", text)] == [f"a.yml:{line}"]


def test_of_python_what_a_program_may_print_is_prose():
    program = (
        '"""Docs are told elsewhere."""\n'
        "told = f'it is told {told} here'  # told\n"
        'def told():\n    """Told."""\n    return ["told", "told you"]\n'
    )
    assert [fault.split(": ")[0] for fault in faults("a.py", program)] == ["a.py:2", "a.py:5"]


def test_docstrings_of_commands_are_help_texts_and_so_prose():
    program = (
        '"""Told."""\n'
        'def load():\n    """Is told\n    twice: told."""\n'
        'def _helper():\n    """Told."""\n'
        'class Told:\n    """Told."""\n'
    )
    found = ["cli/a.py:3: 'told'\n  write instead: says"] * 2
    assert faults("cli/a.py", program) == found
    assert faults("other/a.py", program) == []


@pytest.mark.parametrize(
    ("statement", "is_prose"),
    [
        ("select 1 as told", False),
        ("\n    with told as (select 1) select 2", False),
        ("update ops.loads set told = 1", False),
        ("insert into told values (1)", False),
        ("update what is told", True),
        ("withdraw what is told", True),
        ("drop what is told", True),
    ],
)
def test_sql_in_python_is_not_prose(statement: str, is_prose: bool):
    assert bool(faults("a.py", f"run({statement!r})\n")) is is_prose


@pytest.mark.parametrize(
    ("text", "is_fault"),
    [
        ("it is no number", True),
        ("there is no such file", False),
        ("it is no longer there", False),
        ("the rows are no rows", True),
        ("It counts, too.", True),
        ("too many rows, too few columns", False),
        ("not too many", False),
        ("the limit it bears", True),
        ("a bearable limit", False),
    ],
)
def test_the_phrases_catch_what_they_mean(text: str, is_fault: bool):
    assert bool(list(faults_of(Path("a.md"), text, read_rules()))) is is_fault


def test_every_pattern_of_files_finds_some():
    rules = read_rules()
    assert all(list(ROOT.glob(pattern)) for pattern in (*rules.files, *rules.commands))
