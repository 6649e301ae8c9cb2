"""Wording: finds phrases that texts for users avoid, and says what to write instead; wording.toml lists both.

python -m runtime.wording        run by `make lint` in the environment `dev`, which can read YAML
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
RULES = Path(__file__).with_suffix(".toml")

# The names under which YAML files keep what a person reads.
PROSE = frozenset({
    "description", "purpose", "usage", "limitations", "label", "slice_name", "dashboard_title", "verbose_name",
    "subtitle", "text", "code", "name_of_axis", "x_axis_title", "y_axis_title", "warning_text", "answers",
})  # fmt: skip
_CODE = re.compile(r"`[^`\n]*`|\]\([^)\s]*\)|\{\{.*?\}\}")
# A statement in a Python text, which no one reads as a message.
_SQL = re.compile(
    r"\s*(select\b|with \S+ as|insert into\b|update \S+( \w+)? set\b|delete from\b|create |alter )"
)


@dataclass(frozen=True)
class Phrase:
    """What is not written, and what is written instead."""

    pattern: re.Pattern[str]
    plain: str


@dataclass(frozen=True)
class Rules:
    """The phrases, and the files that are held to them."""

    phrases: tuple[Phrase, ...]
    files: tuple[str, ...]
    commands: tuple[str, ...] = ()
    """Python files whose docstrings of public functions are help texts."""


def read_rules(file: Path = RULES) -> Rules:
    given = tomllib.loads(file.read_text(encoding="utf-8"))
    phrases = tuple(
        Phrase(re.compile(one["phrase"], re.IGNORECASE), one["plain"]) for one in given["phrases"]
    )
    return Rules(phrases, tuple(given["files"]), tuple(given["commands"]))


def files_of(rules: Rules, root: Path = ROOT) -> list[Path]:
    """The files that are held to the rules, in the order of their names."""
    return sorted({path for pattern in rules.files for path in root.glob(pattern)})


def faults_of(path: Path, text: str, rules: Rules) -> Iterator[str]:
    """Each phrase that a file should not have, as `path:line: fault` and remedy."""
    is_command = any(path.match(pattern) for pattern in rules.commands)
    read = _command_prose if is_command else _READERS.get(path.suffix, _markdown_prose)
    for number, line in read(text):
        bare = _CODE.sub("`…`", line)
        for phrase in rules.phrases:
            for found in phrase.pattern.finditer(bare):
                yield f"{path}:{number}: '{found.group().strip()}'\n  write instead: {phrase.plain}"


def _markdown_prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside of fenced code, by number."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def _yaml_prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines of descriptions, titles and the like, by number."""
    lines = text.splitlines()
    for node in _prose_nodes(yaml.compose(text)):
        first, last = node.start_mark, node.end_mark
        if first.line == last.line:
            yield first.line + 1, lines[first.line][first.column : last.column]
            continue
        for number in range(first.line, min(last.line + 1, len(lines))):
            start = first.column if number == first.line else 0
            end = last.column if number == last.line else None
            yield number + 1, lines[number][start:end]


def _python_prose(text: str) -> Iterator[tuple[int, str]]:
    """The texts of more than a word that a program may print, by number of their first line; no docstrings."""
    tree = ast.parse(text)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str) and " " in node.value and not _SQL.match(node.value):
            yield node.lineno, node.value


def _command_prose(text: str) -> Iterator[tuple[int, str]]:
    """The same, and the docstrings of public functions: the command line shows them as help."""
    yield from _python_prose(text)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        if docstring := ast.get_docstring(node, clean=False):
            yield node.body[0].lineno, docstring


def _prose_nodes(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _prose_nodes(item)
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(value, yaml.ScalarNode) and name.value in PROSE:
                yield value
            else:
                yield from _prose_nodes(value)


_READERS: dict[str, Callable[[str], Iterator[tuple[int, str]]]] = {
    ".yml": _yaml_prose,
    ".yaml": _yaml_prose,
    ".py": _python_prose,
}


def main() -> int:
    rules = read_rules()
    faults = [
        fault
        for path in files_of(rules)
        for fault in faults_of(path.relative_to(ROOT), path.read_text(encoding="utf-8"), rules)
    ]
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} phrases to reword; the list is {RULES.relative_to(ROOT)}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
