"""`python3 -m runtime <command>`: what the Makefile calls. `python3 -m runtime --help` lists the commands."""

import os
import shutil
import sys


def _use_a_suitable_python():  # type: () -> None
    """Go on with a newer Python of this machine when the one that runs us is too old to read our modules."""
    if sys.version_info >= (3, 11):  # noqa: UP036  (the system's Python may be any)
        return
    for name in ("python3.12", "python3.11", "python3.13"):
        found = shutil.which(name)
        if found:
            os.execv(found, [found, "-m", "runtime"] + sys.argv[1:])  # noqa: RUF005, S606  (must parse everywhere)
    sys.exit(
        "Goldworks needs Python 3.11 or 3.12; this is %d.%d (%s)\n"  # noqa: UP031
        "  install one, or name it: make demo PYTHON=/path/to/python3.12"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )


if __name__ == "__main__":
    _use_a_suitable_python()
    from runtime.commands import main

    sys.exit(main())
