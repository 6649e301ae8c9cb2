"""Variables: what the environment says, itself or by the name of a file, as container secrets do."""

import os
from pathlib import Path


class VariableMissing(Exception):
    """The environment does not say what is needed: for the operator."""


def variable(name: str) -> str:
    """The value of `name`, or the content of the file that `<name>_FILE` names; raises VariableMissing."""
    if value := os.environ.get(name):
        return value
    if file := os.environ.get(f"{name}_FILE"):
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise VariableMissing(f"{name}_FILE: {file} can't be read: {error.strerror}") from error
        if value:
            return value
        raise VariableMissing(f"{name}_FILE: {file} is empty")
    raise VariableMissing(
        f'{name} is not set\n  set {name} or {name}_FILE (in this repository: eval "$(make -s env)")'
    )
